//! An offer of ours during a call, because the other side asks for one (a re-INVITE without a description).
//!
//! Invariant: it has every line that our last description had, in its place (RFC 3264, section 8): what is no more is declined
//! there, and what is new stands behind.

use super::describe::{declined, empty, offered};
use super::picture::{self, Picture};
use super::{Local, read};
use sdp_types::Media;
use std::sync::{Mutex, PoisonError};

/// Our newest description of a call: what the next one has to follow from.
#[derive(Debug, Default)]
pub struct Newest(Mutex<String>);

impl Newest {
    /// The first one.
    pub const fn new(first: String) -> Self {
        Self(Mutex::new(first))
    }

    /// The next one, made from the newest: empty when there is none.
    pub fn next(&self, make: impl FnOnce(&str) -> String) -> String {
        // it is whole whenever it can be seen, also after a panic
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = make(&newest);
        newest.clone()
    }
}

const DIRECTIONS: [&str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];

/// Our offer after we have `said` this in the same call, as an offer or as an answer; nothing of it when it is the first. Sound is offered in all codecs that we
/// have. A picture stays as it was described, payload type and keys and all (section 8.3.2); one that goes to a display may also
/// come back. Without `picture` there is none.
pub fn offer_again(local: &Local, said: &str, picture: Option<&Picture>) -> String {
    // what we said ourselves can be read, if there was anything
    let lines = read::session(said.as_bytes()).map(|said| said.medias).unwrap_or_default();
    let mut session = empty(local);
    let (mut sound, mut wanted) = (Some(offered(local)), picture);
    for line in &lines {
        let stays = match line.media.as_str() {
            "audio" if line.port != 0 => sound.take(),
            "video" => {
                wanted.take_if(|wanted| line.port != 0 || wanted.sends).map(|wanted| shown(line, wanted))
            }
            _ => None,
        };
        session.add_media(stays.unwrap_or_else(|| declined(line)));
    }
    let new = wanted.filter(|wanted| wanted.sends).map(picture::offered);
    for line in sound.into_iter().chain(new) {
        session.add_media(line);
    }
    session.to_string()
}

/// The line of picture as it was, whether or not somebody is on hold; or anew, where it was declined.
fn shown(line: &Media, wanted: &Picture) -> Media {
    if line.port == 0 {
        return picture::offered(wanted);
    }
    let mut line = line.clone();
    line.attributes.retain(|attribute| !DIRECTIONS.contains(&attribute.attribute.as_str()));
    line.add_attribute_from_str(wanted.direction());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::codec::Codec;
    use crate::sdp::picture::{taking_picture, with_picture};
    use crate::sdp::{Encryption, OurKeys, agreed, answer, offer};

    const THEIRS: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
        m=application 9 UDP/BFCP *\r\nm=video 5000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n\
        a=fmtp:99 profile-level-id=42801F;packetization-mode=1\r\na=sendonly\r\n\
        m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=audio 4002 RTP/AVP 8\r\n";

    fn local(version: u64) -> Local {
        let address = "192.0.2.1:40000".parse().unwrap();
        Local { address, session: 7, version, codecs: vec![Codec::Pcma, Codec::Pcmu], crypto: None }
    }

    fn picture(sends: bool) -> Picture {
        let address = "192.0.2.1:41000".parse().unwrap();
        Picture { address, sends, profile_level: None, parameter_sets: None, crypto: None }
    }

    /// Kind and port of each line.
    fn lines(text: &str) -> Vec<(String, u16)> {
        let read = read::session(text.as_bytes()).unwrap();
        read.medias.iter().map(|line| (line.media.clone(), line.port)).collect()
    }

    fn wanted(lines: &[(&str, u16)]) -> Vec<(String, u16)> {
        lines.iter().map(|(kind, port)| ((*kind).to_owned(), *port)).collect()
    }

    #[test]
    fn every_line_of_a_door_station_stays_in_its_place() {
        let (ours, _) = answer(&local(1), THEIRS.as_bytes()).unwrap();
        let (ours, _) = taking_picture(&ours, THEIRS.as_bytes(), &picture(false)).unwrap();
        let again = offer_again(&local(2), &ours, Some(&picture(false)));
        let four = wanted(&[("application", 0), ("video", 41_000), ("audio", 40_000), ("audio", 0)]);
        assert_eq!((lines(&ours), lines(&again)), (four.clone(), four.clone()));
        // its picture under the number that it has, and all that we speak
        assert!(again.contains("m=video 41000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n"), "{again}");
        assert!(again.contains("a=recvonly\r\n") && again.contains("RTP/AVP 8 0 101\r\n"), "{again}");
        assert!(again.contains("o=- 7 2 IN") || again.contains(" 7 2 IN"), "{again}");
        // asked once more it is the same
        assert_eq!(lines(&offer_again(&local(3), &again, Some(&picture(false)))), four);
        // without a picture its line is there and declined, and so it stays
        let without = offer_again(&local(3), &again, None);
        assert_eq!(lines(&without)[1], ("video".to_owned(), 0));
        assert_eq!(lines(&offer_again(&local(4), &without, Some(&picture(false)))), lines(&without));
        let answered = THEIRS.replace("m=audio 4002", "m=audio 0");
        assert_eq!(agreed(&local(2), answered.as_bytes()).unwrap().codec, Codec::Pcmu);
    }

    #[test]
    fn a_display_that_was_declined_may_be_offered_anew_and_one_on_hold_comes_back() {
        let ours = with_picture(&offer(&local(1)), &picture(true)).unwrap();
        let two = wanted(&[("audio", 40_000), ("video", 41_000)]);
        assert_eq!(lines(&offer_again(&local(2), &ours, Some(&picture(true)))), two);
        let declined = offer_again(&local(2), &ours, None);
        assert_eq!(lines(&declined), wanted(&[("audio", 40_000), ("video", 0)]));
        assert_eq!(lines(&offer_again(&local(3), &declined, Some(&picture(true)))), two);
        assert_eq!(lines(&offer_again(&local(3), &offer(&local(1)), Some(&picture(true)))), two);
        let held = ours.replace("a=sendonly", "a=inactive");
        let again = offer_again(&local(2), &held, Some(&picture(true)));
        assert!(again.contains("a=sendonly") && !again.contains("a=inactive"), "{again}");
    }

    #[test]
    fn keys_of_a_picture_stay_those_that_were_agreed_on() {
        let crypto = OurKeys::new(Encryption::Required, &[3; OurKeys::RANDOM]);
        let sealed = Picture { crypto, ..picture(true) };
        let ours = with_picture(&offer(&local(1)), &sealed).unwrap();
        let keys = |text: &str| {
            text.lines().filter(|line| line.starts_with("a=crypto")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(!keys(&ours).is_empty());
        assert_eq!(keys(&offer_again(&local(2), &ours, Some(&sealed))), keys(&ours));
    }
}
