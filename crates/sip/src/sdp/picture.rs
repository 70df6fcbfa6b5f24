//! A line of picture, H.264 (RFC 6184, section 8), beside the sound: offered to a station with a display, or taken from a
//! door station. Without it, descriptions decline every picture.

use super::crypto::{Crypto, OurKeys};
use super::describe::{agreed_keys, answered_keys};
use super::read;
use super::{Refused, Video};
use sdp_types::{Media, MediaType, TransportProto};
use std::net::SocketAddr;

/// Our payload type where it is ours to choose.
const H264: u8 = 97;

/// Baseline, level 3.1, as any display and every browser can read it.
const PLAIN: &str = "42e01f";

/// Our side of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Where RTP and RTCP of it come to, both on this port.
    pub address: SocketAddr,
    /// Whether it goes to them; else it comes from them.
    pub sends: bool,
    /// Profile and level of what we send, six hexadecimal digits; `None` for what any display can read.
    pub profile_level: Option<String>,
    /// Parameter sets of what we send, in base64, with a comma between them.
    pub parameter_sets: Option<String>,
    /// Our keys, as those of the sound are given, and not the same ones.
    pub crypto: Option<OurKeys>,
}

impl Picture {
    /// In which direction we want it to go.
    pub(super) const fn direction(&self) -> &'static str {
        if self.sends { "sendonly" } else { "recvonly" }
    }
}

/// Our offer with a line of picture.
///
/// # Errors
/// [`Refused::Malformed`] for what is no description.
pub fn with_picture(offer: &str, picture: &Picture) -> Result<String, Refused> {
    let mut session = read::session(offer.as_bytes())?;
    session.add_media(offered(picture));
    Ok(session.to_string())
}

/// The line of picture in our offer.
pub(super) fn offered(picture: &Picture) -> Media {
    let profile = picture.profile_level.as_deref().unwrap_or(PLAIN);
    let is_required = picture.crypto.as_ref().is_some_and(|ours| ours.is_required);
    let proto = if is_required { TransportProto::RtpSavp } else { TransportProto::RtpAvp };
    let crypto = picture.crypto.as_ref().map_or(&[][..], OurKeys::lines);
    line(picture, (H264, 1, profile), (proto, crypto), picture.direction())
}

/// Our answer with their picture, or the one that they want of us, taken instead of declined, and what it is. `None` leaves
/// the answer as it was: they have no H.264, in no mode that we know, or there is no agreement on its encryption.
pub fn taking_picture(answer: &str, offer: &[u8], picture: &Picture) -> Option<(String, Video)> {
    let (theirs, mut ours) = (read::session(offer).ok()?, read::session(answer.as_bytes()).ok()?);
    let mut video = read::video(&theirs)?;
    let place = theirs.medias.iter().position(is_open)?;
    let offered = theirs.medias.get(place)?;
    // what we send is in pieces, which mode 0 does not have
    if picture.sends && video.packetization_mode == 0 {
        return None;
    }
    let proto = match offered.proto.as_str() {
        "RTP/AVP" => TransportProto::RtpAvp,
        "RTP/AVPF" => TransportProto::RtpAvpf,
        "RTP/SAVP" => TransportProto::RtpSavp,
        "RTP/SAVPF" => TransportProto::RtpSavpf,
        _ => return None,
    };
    video.keys = answered_keys(picture.crypto.as_ref(), &read::keyed(offered).ok()?).ok()?;
    // who does not say a level has the lowest; the profile is the offer's (RFC 6184, section 8.2.2)
    let profile = video.profile_level.as_deref().unwrap_or("42000a");
    let direction = match (picture.sends, video.takes) {
        (true, true) => "sendonly",
        // who is on hold, or shows something themselves (RFC 3264, section 6.1)
        (true, false) => "inactive",
        (false, _) => "recvonly",
    };
    let format = (video.payload_type, video.packetization_mode, profile);
    let crypto = video.keys.as_ref().map_or(&[][..], |keys| std::slice::from_ref(&keys.ours));
    let taken = line(picture, format, (proto, crypto), direction);
    *ours.medias.get_mut(place)? = taken;
    Some((ours.to_string(), video))
}

/// What their answer makes of the picture in our offer; `None` when it is declined, or there is no agreement on its
/// encryption.
pub fn agreed_picture(answer: &[u8], picture: &Picture) -> Option<Video> {
    let theirs = read::session(answer).ok()?;
    let keyed = read::keyed(theirs.medias.iter().find(|media| is_open(media))?).ok()?;
    let keys = agreed_keys(picture.crypto.as_ref(), &keyed).ok()?;
    Some(Video { keys, ..read::video(&theirs)? })
}

fn is_open(media: &Media) -> bool {
    media.media == "video" && media.port != 0
}

/// A line of picture: its payload type with packetization mode and profile, how it is carried, and in which direction it goes.
fn line(
    picture: &Picture,
    (number, mode, profile): (u8, u8, &str),
    (proto, crypto): (TransportProto, &[Crypto]),
    direction: &str,
) -> Media {
    let mut line = Media::new(MediaType::Video, picture.address.port(), proto, number.to_string());
    line.add_attribute_with_value("rtpmap", format!("{number} H264/90000"));
    let mut parameters = format!("{number} profile-level-id={profile};packetization-mode={mode}");
    if let Some(sets) = picture.parameter_sets.as_deref().filter(|_| picture.sends) {
        parameters.push_str(";sprop-parameter-sets=");
        parameters.push_str(sets);
    }
    line.add_attribute_with_value("fmtp", parameters);
    for feedback in ["nack pli", "ccm fir"] {
        line.add_attribute_with_value("rtcp-fb", format!("{number} {feedback}"));
    }
    for crypto in crypto {
        line.add_attribute_with_value("crypto", crypto.write());
    }
    line.add_attribute_from_str("rtcp-mux");
    line.add_attribute_from_str(direction);
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Encryption;

    const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 0 RTP/AVP 99\r\n";

    fn picture(sends: bool) -> Picture {
        let parameter_sets = Some("Z0LgHtoCgPRA,aM4xUg==".to_owned());
        let address = "192.0.2.1:41000".parse().unwrap();
        Picture { address, sends, profile_level: None, parameter_sets, crypto: None }
    }

    fn offer(video: &str) -> String {
        ANSWER.replace("m=video 0 RTP/AVP 99\r\n", video)
    }

    #[test]
    fn a_door_station_s_picture_is_taken_in_its_place() {
        let theirs = offer(
            "m=video 5000 RTP/AVP 98 99\r\na=rtpmap:98 H265/90000\r\na=rtpmap:99 h264/90000\r\n\
             a=fmtp:99 profile-level-id=640C1F; packetization-mode=1; sprop-parameter-sets=Z2QM,aO4=\r\na=sendonly\r\n",
        );
        let (text, video) = taking_picture(ANSWER, theirs.as_bytes(), &picture(false)).unwrap();
        assert_eq!((video.payload_type, video.port, video.packetization_mode), (99, 5000, 1));
        assert_eq!(video.parameter_sets.as_deref(), Some("Z2QM,aO4="));
        assert!(text.contains("m=video 41000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n"), "{text}");
        assert!(text.contains("a=fmtp:99 profile-level-id=640c1f;packetization-mode=1\r\n"), "{text}");
        assert!(text.ends_with("a=recvonly\r\n") && text.contains("m=audio 40000"), "{text}");
        assert_eq!(agreed_picture(text.as_bytes(), &picture(false)).map(|video| video.port), Some(41_000));
    }

    #[test]
    fn what_we_do_not_know_stays_declined() {
        for line in [
            "m=video 5000 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\n",
            "m=video 0 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n",
            "m=video 5000 RTP/SAVP 99\r\na=rtpmap:99 H264/90000\r\n",
            "",
        ] {
            assert_eq!(taking_picture(ANSWER, offer(line).as_bytes(), &picture(false)), None, "{line}");
        }
        assert_eq!(agreed_picture(ANSWER.as_bytes(), &picture(true)), None);
        assert_eq!(with_picture("no", &picture(true)), Err(Refused::Malformed));
    }

    #[test]
    fn a_display_that_asks_anew_is_answered_with_what_it_takes() {
        let line = |mode: &str, direction: &str| {
            format!(
                "m=video 5000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n\
                 a=fmtp:99 profile-level-id=42e01f{mode}\r\na={direction}\r\n"
            )
        };
        let answered = |line: &str| taking_picture(ANSWER, offer(line).as_bytes(), &picture(true));
        for (theirs, takes, ours) in [
            ("recvonly", true, "sendonly"),
            ("sendrecv", true, "sendonly"),
            ("sendonly", false, "inactive"),
            ("inactive", false, "inactive"),
        ] {
            let (text, video) = answered(&line(";packetization-mode=1", theirs)).unwrap();
            assert_eq!((video.takes, video.rtcp_port), (takes, 5_001), "{theirs}");
            assert!(text.ends_with(&format!("a=rtcp-mux\r\na={ours}\r\n")), "{text}");
        }
        assert_eq!(answered(&line("", "recvonly")), None, "what is in pieces is not for mode 0");
        let muxed = line(";packetization-mode=1", "recvonly") + "a=rtcp-mux\r\n";
        assert_eq!(answered(&muxed).unwrap().1.rtcp_port, 5_000);
    }

    #[test]
    fn it_is_encrypted_as_both_sides_can_and_never_less_than_we_must() {
        let side = |encryption, byte: u8, sends| {
            let crypto = OurKeys::new(encryption, &[byte; OurKeys::RANDOM]);
            Picture { crypto, ..picture(sends) }
        };
        // we offer, they answer: encrypted, in the open, or no picture
        for (ours, theirs, wanted) in [
            (Encryption::Off, Encryption::Off, Some(false)),
            (Encryption::Off, Encryption::Offered, Some(false)),
            (Encryption::Off, Encryption::Required, None),
            (Encryption::Offered, Encryption::Off, Some(false)),
            (Encryption::Offered, Encryption::Offered, Some(true)),
            (Encryption::Offered, Encryption::Required, Some(true)),
            (Encryption::Required, Encryption::Off, None),
            (Encryption::Required, Encryption::Offered, Some(true)),
            (Encryption::Required, Encryption::Required, Some(true)),
        ] {
            let (here, there) = (side(ours, 1, true), side(theirs, 2, false));
            let offered = with_picture(&offer(""), &here).unwrap();
            let answer = taking_picture(ANSWER, offered.as_bytes(), &there);
            let agreed = answer.as_ref().and_then(|(text, _)| agreed_picture(text.as_bytes(), &here));
            assert_eq!(agreed.as_ref().map(|video| video.keys.is_some()), wanted, "{ours:?} {theirs:?}");
            // what one encrypts with the other decrypts with
            let (there, here) =
                (answer.and_then(|(_, video)| video.keys), agreed.and_then(|video| video.keys));
            if let (Some(there), Some(here)) = (there, here) {
                assert!(here.ours.is_same_key(&there.theirs) && here.theirs.is_same_key(&there.ours));
            }
        }
    }

    #[test]
    fn an_answer_in_the_open_is_none_where_we_require_keys() {
        let line = "m=video 5000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=recvonly\r\n";
        for (ours, is_taken) in [(Encryption::Offered, true), (Encryption::Required, false)] {
            let crypto = OurKeys::new(ours, &[1; OurKeys::RANDOM]);
            let here = Picture { crypto, ..picture(true) };
            assert_eq!(agreed_picture(offer(line).as_bytes(), &here).is_some(), is_taken, "{ours:?}");
        }
    }

    #[test]
    fn a_display_is_offered_a_picture() {
        let text = with_picture(&offer(""), &picture(true)).unwrap();
        let line = "m=video 41000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e01f;\
            packetization-mode=1;sprop-parameter-sets=Z0LgHtoCgPRA,aM4xUg==\r\n";
        assert!(text.contains(line) && text.ends_with("a=sendonly\r\n"), "{text}");
    }
}
