//! Asking a camera for a key frame: RTCP PLI (RFC 4585) and FIR (RFC 5104), and INFO with `media_control` (RFC 5168) where
//! those are not heard.

use klinke_model::time::Mono;
use std::time::Duration;

/// The content type and body of an INFO that asks for a key frame.
pub const CONTROL: (&str, &str) = (
    "application/media_control+xml",
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><media_control><vc_primitive><to_encoder>\
     <picture_fast_update/></to_encoder></vc_primitive></media_control>",
);

/// Between two asks at least; then longer, as long as nothing comes of it.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// A compound of RTCP.
    pub rtcp: Vec<u8>,
    /// Whether to send [`CONTROL`] as well: RTCP was not heard.
    pub info: bool,
}

/// When a camera is asked.
#[derive(Debug, Default)]
pub struct Asking {
    wanted: bool,
    /// Asks in vain, and when the last one was.
    tries: u32,
    last: Option<Mono>,
    /// The number of the last FIR; one more for each (RFC 5104, section 4.3.1.1).
    number: u8,
}

impl Asking {
    /// Somebody needs a key frame.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// A key frame came.
    pub fn came(&mut self) {
        (self.wanted, self.tries) = (false, 0);
    }

    /// When [`Self::ask`] has something to say.
    pub fn due(&self) -> Option<Mono> {
        let pause = PAUSE.saturating_mul(1 << self.tries.saturating_sub(1).min(3)).min(LONGEST_PAUSE);
        self.wanted.then(|| self.last.map_or(Mono::default(), |last| last + pause))
    }

    /// What is to be sent now, from our SSRC to the camera's.
    pub fn ask(&mut self, ours: u32, theirs: u32, now: Mono) -> Option<Ask> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        self.number = self.number.wrapping_add(1);
        self.last = Some(now);
        let info = self.tries > 0;
        self.tries = self.tries.saturating_add(1);
        Some(Ask { rtcp: rtcp(ours, theirs, self.number), info })
    }
}

/// An empty receiver report, as each compound begins with one, then PLI and FIR.
fn rtcp(ours: u32, theirs: u32, number: u8) -> Vec<u8> {
    let (ours, theirs) = (ours.to_be_bytes(), theirs.to_be_bytes());
    let report = [[0x80, 201, 0, 1], ours];
    let lost = [[0x81, 206, 0, 2], ours, theirs];
    // FIR names the camera in its entry, not in its head
    let intra = [[0x84, 206, 0, 4], ours, [0; 4], theirs, [number, 0, 0, 0]];
    [report.as_flattened(), lost.as_flattened(), intra.as_flattened()].concat()
}
