//! Their description, as far as a phone leg needs it.

use super::crypto::Crypto;
use super::{Direction, LONGEST, Refused, Video};
use crate::rtp::codec::Codec;
use sdp_types::{Connection, Media, Session};
use std::net::{IpAddr, SocketAddr};

/// A line of sound.
#[derive(Debug)]
pub struct Sound {
    /// Which of the lines it is.
    pub place: usize,
    /// Our codecs among theirs with their payload types, in their order.
    pub codecs: Vec<(Codec, u8)>,
    /// Payload types of events with their clock.
    pub events: Vec<(u8, u32)>,
    pub remote: Option<SocketAddr>,
    pub remote_rtcp: Option<SocketAddr>,
    pub rtcp_mux: bool,
    pub ptime: Option<u8>,
    /// As they see it.
    pub direction: Direction,
    pub keyed: Keyed,
}

/// What a line says of its encryption.
#[derive(Debug)]
pub struct Keyed {
    /// Its transport does.
    pub is_encrypted: bool,
    /// Whether there are keys, be they such as we understand or not.
    pub has_keys: bool,
    /// Those that we understand, in their order.
    pub crypto: Vec<Crypto>,
}

/// Reads a description's bytes.
pub fn session(bytes: &[u8]) -> Result<Session, Refused> {
    if bytes.len() > LONGEST {
        return Err(Refused::Malformed);
    }
    Session::parse(bytes).map_err(|_| Refused::Malformed)
}

/// The first line of sound that is not declined.
pub fn sound(session: &Session) -> Result<Sound, Refused> {
    let mut lines = session.medias.iter().enumerate();
    let (place, media) =
        lines.find(|(_, media)| media.media == "audio" && media.port != 0).ok_or(Refused::NoSound)?;
    let keyed = keyed(media)?;
    let (mut codecs, mut events) = (Vec::new(), Vec::new());
    for payload_type in media.fmt.split_ascii_whitespace().filter_map(payload_type) {
        match format(media, payload_type) {
            Some(Format::Sound(codec)) => codecs.push((codec, payload_type)),
            Some(Format::Events(clock_rate)) => events.push((payload_type, clock_rate)),
            None => {}
        }
    }
    let address = address(session, media)?;
    // an address of zeros is how older phones put somebody on hold (RFC 3264 §8.4)
    let is_nowhere = address.is_unspecified();
    let rtcp_mux = media.has_attribute("rtcp-mux");
    let rtcp_port = if rtcp_mux { media.port } else { rtcp_port(media) };
    let there = |port: u16| (!is_nowhere && port != 0).then(|| SocketAddr::new(address, port));
    let direction = if is_nowhere { Direction::Send } else { direction(session, media) };
    Ok(Sound {
        place,
        codecs,
        events,
        remote: there(media.port),
        remote_rtcp: there(rtcp_port),
        rtcp_mux,
        ptime: value(media, "ptime")
            .and_then(|ptime| ptime.trim().parse().ok())
            .filter(|ptime| (1..=120).contains(ptime)),
        direction,
        keyed,
    })
}

/// What a line says of its encryption.
pub fn keyed(media: &Media) -> Result<Keyed, Refused> {
    let is_encrypted = match media.proto.as_str() {
        "RTP/AVP" | "RTP/AVPF" => false,
        "RTP/SAVP" | "RTP/SAVPF" => true,
        _ => return Err(Refused::Transport),
    };
    Ok(Keyed {
        is_encrypted,
        has_keys: media.has_attribute("crypto"),
        crypto: media.get_attribute_values("crypto").flatten().filter_map(Crypto::parse).collect(),
    })
}

/// The picture that they describe.
pub fn video(session: &Session) -> Option<Video> {
    let media = session.medias.iter().find(|media| media.media == "video" && media.port != 0)?;
    let payload_type = media.fmt.split_ascii_whitespace().filter_map(payload_type).find(|payload_type| {
        rtpmap(media, *payload_type).is_some_and(|map| {
            let mut parts = map.split('/');
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case("H264"))
                && parts.next() == Some("90000")
        })
    })?;
    let parameters = parameters(media, payload_type).unwrap_or_default();
    let parameter = |wanted: &str| {
        parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let profile_level = parameter("profile-level-id")
        .filter(|id| id.len() == 6 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .map(str::to_ascii_lowercase);
    let address = address(session, media).ok()?;
    let takes = matches!(direction(session, media), Direction::Both | Direction::Receive);
    Some(Video {
        payload_type,
        profile_level,
        packetization_mode: u8::from(parameter("packetization-mode") == Some("1")),
        parameter_sets: parameter("sprop-parameter-sets").map(str::to_owned),
        address,
        port: media.port,
        rtcp_port: if media.has_attribute("rtcp-mux") { media.port } else { rtcp_port(media) },
        takes: takes && !address.is_unspecified(),
        keys: None,
    })
}

enum Format {
    Sound(Codec),
    Events(u32),
}

/// What a payload type is: by its map, or by the number where it has none (RFC 3551 §6).
fn format(media: &Media, payload_type: u8) -> Option<Format> {
    let Some(map) = rtpmap(media, payload_type) else {
        return match payload_type {
            0 => Some(Format::Sound(Codec::Pcmu)),
            8 => Some(Format::Sound(Codec::Pcma)),
            9 => Some(Format::Sound(Codec::G722)),
            _ => None,
        };
    };
    let mut parts = map.split('/');
    let name = parts.next()?.trim().to_ascii_lowercase();
    let clock_rate: u32 = parts.next()?.trim().parse().ok()?;
    let channels = parts.next().map(str::trim).unwrap_or("1");
    match (name.as_str(), clock_rate, channels) {
        ("pcmu", 8_000, "1") => Some(Format::Sound(Codec::Pcmu)),
        ("pcma", 8_000, "1") => Some(Format::Sound(Codec::Pcma)),
        ("g722", 8_000, "1") => Some(Format::Sound(Codec::G722)),
        ("opus", 48_000, "2") => Some(Format::Sound(Codec::Opus)),
        ("telephone-event", 8_000 | 16_000 | 48_000, "1") => Some(Format::Events(clock_rate)),
        _ => None,
    }
}

fn payload_type(text: &str) -> Option<u8> {
    text.parse().ok().filter(|number| *number < 128)
}

fn rtpmap(media: &Media, payload_type: u8) -> Option<&str> {
    of_type(media, "rtpmap", payload_type)
}

fn parameters(media: &Media, payload_type: u8) -> Option<&str> {
    of_type(media, "fmtp", payload_type)
}

/// The rest of the attribute that begins with this payload type.
fn of_type<'a>(media: &'a Media, attribute: &'a str, payload_type: u8) -> Option<&'a str> {
    media.attributes.iter().filter(|one| one.attribute == attribute).find_map(|one| {
        let (number, rest) = one.value.as_deref()?.split_once(' ')?;
        (number.parse() == Ok(payload_type)).then_some(rest)
    })
}

fn value<'a>(media: &'a Media, attribute: &'a str) -> Option<&'a str> {
    media.get_first_attribute_value(attribute).flatten()
}

/// The line's own address, or the session's.
fn address(session: &Session, media: &Media) -> Result<IpAddr, Refused> {
    let connection: &Connection =
        media.connections.first().or(session.connection.as_ref()).ok_or(Refused::Address)?;
    let address = connection.try_address().map_err(|_| Refused::Address)?.ip;
    if address.is_multicast() { Err(Refused::Address) } else { Ok(address) }
}

/// `a=rtcp:` (RFC 3605), or the port after that of the sound.
fn rtcp_port(media: &Media) -> u16 {
    let told = value(media, "rtcp").and_then(|rtcp| rtcp.split_ascii_whitespace().next()?.parse().ok());
    told.or_else(|| media.port.checked_add(1)).unwrap_or(0)
}

fn direction(session: &Session, media: &Media) -> Direction {
    let of = |has: &dyn Fn(&str) -> bool| {
        let known = [
            ("sendrecv", Direction::Both),
            ("sendonly", Direction::Send),
            ("recvonly", Direction::Receive),
            ("inactive", Direction::Neither),
        ];
        known.into_iter().find_map(|(name, direction)| has(name).then_some(direction))
    };
    of(&|name| media.has_attribute(name))
        .or_else(|| of(&|name| session.has_attribute(name)))
        .unwrap_or(Direction::Both)
}
