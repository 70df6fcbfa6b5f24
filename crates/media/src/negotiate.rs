//! From an offer to an answer: one browser's peer connection, set up as this service wants it.
//!
//! What is agreed: Opus for sound; VP8 and H.264 constrained baseline for the picture, in the order of the
//! browser that offers, each with the numbers (payload types) that browser chose. Both codecs are mandatory for
//! browsers, so what one panel sends every app can take.
//!
//! Invariants:
//! - the panel only sends picture and an app only receives it; any other offer is refused;
//! - the addresses in an offer are never used: a server that sends to addresses a stranger names can be turned
//!   against others. Browsers reach us, and we answer where a check with the right password came from.

use crate::MediaError;
use std::sync::Arc;
use std::time::Instant;
use str0m::bwe::Bitrate;
use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::{Candidate, IceCreds, Rtc, RtcConfig};

/// Bytes of an offer; those of browsers have six to nine thousand.
const LONGEST_OFFER: usize = 32 * 1024;
/// Constrained baseline, level 3.1: what every browser and every door station decodes.
const CONSTRAINED_BASELINE: u32 = 0x42_e0_1f;
/// Checks that fail before a connection counts as lost: about ten seconds.
const LOST_AFTER_CHECKS: usize = 5;

/// What one side of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends picture and sound, hears the bridged peer.
    Panel,
    /// Receives the picture; sound goes both ways.
    App,
}

impl Role {
    /// Which way the picture goes, seen from the server.
    fn video(self) -> Direction {
        match self {
            Self::Panel => Direction::RecvOnly,
            Self::App => Direction::SendOnly,
        }
    }
}

/// What all connections of the process share.
pub struct Terms {
    crypto: Arc<CryptoProvider>,
    certificate: DtlsCert,
    /// Where browsers reach us.
    candidates: Vec<Candidate>,
}

impl Terms {
    /// Makes the process's certificate; `None` when the crypto library can not.
    pub fn new(candidates: Vec<Candidate>) -> Option<Self> {
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto.dtls_provider.generate_certificate()?;
        Some(Self { crypto: Arc::new(crypto), certificate, candidates })
    }

    fn rtc(&self, role: Role, h264_first: bool, ice: IceCreds, now: Instant) -> Rtc {
        let mut config = RtcConfig::new()
            .set_crypto_provider(Arc::clone(&self.crypto))
            .set_dtls_cert(self.certificate.clone())
            .set_local_ice_credentials(ice)
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false);
        let h264 = |mut config: RtcConfig| {
            config.codec_config().add_h264(108.into(), Some(109.into()), true, CONSTRAINED_BASELINE);
            config
        };
        // The order here is the answer's order, and browsers send what the answer names first.
        config = match h264_first {
            true => h264(config).enable_vp8(true),
            false => h264(config.enable_vp8(true)),
        };
        config.set_max_stun_retransmits(LOST_AFTER_CHECKS);
        if role == Role::App {
            config = config.enable_bwe(Some(Bitrate::bps(crate::quality::START)));
        }
        let mut rtc = config.build(now);
        for candidate in &self.candidates {
            rtc.add_local_candidate(candidate.clone());
        }
        rtc
    }
}

/// A peer connection that has agreed with its browser and waits for it.
pub struct Agreed {
    /// The connection.
    pub rtc: Rtc,
    /// SDP for the browser.
    pub answer: String,
    /// The sound's section, if there is one.
    pub audio: Option<Mid>,
    /// The picture's section, if there is one.
    pub video: Option<Mid>,
    /// The browser's number for each agreed codec.
    pub payload_types: Vec<(Codec, Pt)>,
}

/// Answers an offer.
///
/// # Errors
/// [`MediaError::Offer`] when it is not SDP or does not fit the role.
pub fn answer(
    terms: &Terms,
    role: Role,
    offer: &str,
    ice: IceCreds,
    now: Instant,
) -> Result<Agreed, MediaError> {
    let refuse = |why: &dyn std::fmt::Display| MediaError::Offer(why.to_string());
    if offer.len() > LONGEST_OFFER {
        return Err(refuse(&"too long"));
    }
    let offer: String =
        offer.split_inclusive('\n').filter(|line| !line.starts_with("a=candidate:")).collect();
    let parsed = SdpOffer::from_sdp_string(&offer).map_err(|error| refuse(&error))?;
    let mut rtc = terms.rtc(role, prefers_h264(&offer), ice, now);
    let answer = rtc.sdp_api().accept_offer(parsed).map_err(|error| refuse(&error))?;

    let (mut audio, mut video) = (None, None);
    let names = offer.lines().filter_map(|line| line.strip_prefix("a=mid:"));
    for media in names.filter_map(|name| rtc.media(Mid::from(name.trim_end()))) {
        let section = match media.kind() {
            MediaKind::Audio => &mut audio,
            MediaKind::Video => &mut video,
        };
        if section.replace(media.mid()).is_some() {
            return Err(refuse(&"more than one section of a kind"));
        }
        if media.kind() == MediaKind::Video && media.direction() != role.video() {
            return Err(refuse(&"the picture goes from the panel to the apps only"));
        }
    }
    let payload_types = agreed_payload_types(&rtc, audio.into_iter().chain(video));
    if payload_types.is_empty() {
        return Err(refuse(&"neither sound nor picture in a codec for all"));
    }
    Ok(Agreed { rtc, answer: answer.to_sdp_string(), audio, video, payload_types })
}

/// Whether the first of our two picture codecs that the offer names is H.264.
fn prefers_h264(offer: &str) -> bool {
    let codec_of = |number: &str| {
        let line = format!("a=rtpmap:{number} ");
        let name = offer.lines().find_map(|candidate| candidate.strip_prefix(&line))?;
        let is = |codec: &str| name.get(..codec.len()).is_some_and(|start| start.eq_ignore_ascii_case(codec));
        (is("H264/") || is("VP8/")).then(|| is("H264/"))
    };
    let section = offer.lines().find_map(|line| line.strip_prefix("m=video "));
    section.and_then(|section| section.split_whitespace().skip(2).find_map(codec_of)).unwrap_or(false)
}

fn agreed_payload_types(rtc: &Rtc, sections: impl Iterator<Item = Mid>) -> Vec<(Codec, Pt)> {
    let theirs: Vec<Pt> =
        sections.filter_map(|mid| rtc.media(mid)).flat_map(|media| media.remote_pts().to_vec()).collect();
    let params = rtc.codec_config().params().iter();
    params.filter(|p| theirs.contains(&p.pt())).map(|p| (p.spec().codec, p.pt())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an origin for the test's own time")]
    fn answer_to(offer: &str) -> Agreed {
        let candidate = Candidate::host("127.0.0.1:9".parse().unwrap(), "udp").unwrap();
        let ice = IceCreds { ufrag: "00aabbccdd".into(), pass: "0123456789abcdefghijklmn".into() };
        answer(&Terms::new(vec![candidate]).unwrap(), Role::Panel, offer, ice, Instant::now()).unwrap()
    }

    #[test]
    fn the_answer_names_the_offers_first_codec_first_in_the_offers_numbers() {
        let offer = |numbers| {
            format!(
                "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
                 m=video 9 UDP/TLS/RTP/SAVPF {numbers}\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\n\
                 a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\na=setup:actpass\r\na=rtcp-mux\r\n\
                 a=fingerprint:sha-256 {}\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n\
                 a=rtpmap:96 VP8/90000\r\na=rtpmap:103 H264/90000\r\n\
                 a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n",
                ["AA"; 32].join(":")
            )
        };
        for (numbers, first) in [("96 103", "96"), ("103 96", "103")] {
            let agreed = answer_to(&offer(numbers));
            let section = agreed.answer.lines().find_map(|line| line.strip_prefix("m=video "));
            assert_eq!(section.and_then(|section| section.split(' ').nth(2)), Some(first), "{section:?}");
            assert!(agreed.payload_types.contains(&(Codec::Vp8, 96.into())));
            assert!(agreed.payload_types.contains(&(Codec::H264, 103.into())));
        }
    }

    #[test]
    fn the_offers_order_decides_what_is_sent() {
        let codecs = "a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=rtpmap:103 H264/90000\r\n";
        assert!(prefers_h264(&format!("m=video 9 UDP/TLS/RTP/SAVPF 97 103 96\r\n{codecs}")));
        assert!(!prefers_h264(&format!("m=video 9 UDP/TLS/RTP/SAVPF 97 96 103\r\n{codecs}")));
        assert!(!prefers_h264("m=video"));
        assert!(!prefers_h264("m=audio 9 UDP/TLS/RTP/SAVPF 103\r\n"));
    }
}
