//! Our descriptions: the offer of a call that we make, the answer to one that comes, and what an answer to us means.

use super::crypto::{Crypto, OurKeys};
use super::read::{self, Keyed, Sound};
use super::{Agreed, Direction, Events, Keys, Local, Refused};
use crate::rtp::codec::Codec;
use sdp_types::{Connection, Media, MediaType, Origin, Session, TransportProto};

/// Our payload types for what has none of its own (RFC 3551 §6).
const OPUS: u8 = 96;
const EVENTS: u8 = 101;
const EVENTS_48K: u8 = 100;

/// The offer of a call that we make.
pub fn offer(local: &Local) -> String {
    let mut session = empty(local);
    session.add_media(offered(local));
    session.to_string()
}

/// Our line of sound, in all codecs that we have.
pub(super) fn offered(local: &Local) -> Media {
    let mut types = Vec::new();
    let mut attributes = Vec::new();
    for &codec in &local.codecs {
        let number = our_type(codec);
        types.push(number);
        describe(&mut attributes, codec, number);
    }
    for (number, clock_rate) in [(EVENTS, 8_000), (EVENTS_48K, 48_000)] {
        if local.codecs.iter().any(|codec| codec.clock_rate() == clock_rate) {
            types.push(number);
            describe_events(&mut attributes, number, clock_rate);
        }
    }
    let is_required = local.crypto.as_ref().is_some_and(|ours| ours.is_required);
    let proto = if is_required { TransportProto::RtpSavp } else { TransportProto::RtpAvp };
    let mut sound = Media::new(MediaType::Audio, local.address.port(), proto, list(&types));
    for (name, value) in attributes {
        sound.add_attribute_with_value(name, value);
    }
    sound.add_attribute_with_value("ptime", "20");
    for crypto in local.crypto.iter().flat_map(OurKeys::lines) {
        sound.add_attribute_with_value("crypto", crypto.write());
    }
    sound.add_attribute_from_str("rtcp-mux");
    sound.add_attribute_from_str("sendrecv");
    sound
}

/// Answers an offer: the answer's text, and what is agreed with it.
///
/// # Errors
/// [`Refused`], with the status that SIP answers then.
pub fn answer(local: &Local, offer: &[u8]) -> Result<(String, Agreed), Refused> {
    let offer = read::session(offer)?;
    let sound = read::sound(&offer)?;
    let &(codec, number) =
        sound.codecs.iter().find(|(codec, _)| local.codecs.contains(codec)).ok_or(Refused::NoCodec)?;
    let keys = answered_keys(local.crypto.as_ref(), &sound.keyed)?;
    let events = events(&sound, codec).map(|(number, clock_rate)| Events {
        send: number,
        receive: number,
        clock_rate,
    });
    let mut session = empty(local);
    for (place, theirs) in offer.medias.iter().enumerate() {
        if place != sound.place {
            // each line is answered in its place
            session.add_media(declined(theirs));
            continue;
        }
        let mut attributes = Vec::new();
        let mut types = vec![number];
        describe(&mut attributes, codec, number);
        if let Some(events) = events {
            types.push(events.receive);
            describe_events(&mut attributes, events.receive, events.clock_rate);
        }
        let mut ours =
            Media::new(MediaType::Audio, local.address.port(), theirs.parse_transport_proto(), list(&types));
        for (name, value) in attributes {
            ours.add_attribute_with_value(name, value);
        }
        ours.add_attribute_with_value("ptime", "20");
        if let Some(keys) = &keys {
            ours.add_attribute_with_value("crypto", keys.ours.write());
        }
        if sound.rtcp_mux {
            ours.add_attribute_from_str("rtcp-mux");
        }
        ours.add_attribute_from_str(name(turned(sound.direction)));
        session.add_media(ours);
    }
    let video = read::video(&offer);
    let agreed = together(&sound, codec, (number, number), events, keys, video);
    Ok((session.to_string(), agreed))
}

/// What an answer to our offer means.
///
/// # Errors
/// [`Refused`].
pub fn agreed(local: &Local, answer: &[u8]) -> Result<Agreed, Refused> {
    let answer = read::session(answer)?;
    let sound = read::sound(&answer)?;
    let &(codec, number) =
        sound.codecs.iter().find(|(codec, _)| local.codecs.contains(codec)).ok_or(Refused::NoCodec)?;
    let keys = agreed_keys(local.crypto.as_ref(), &sound.keyed)?;
    let events = events(&sound, codec).map(|(send, clock_rate)| {
        let receive = if clock_rate == 48_000 { EVENTS_48K } else { EVENTS };
        Events { send, receive, clock_rate }
    });
    let video = read::video(&answer);
    Ok(together(&sound, codec, (number, our_type(codec)), events, keys, video))
}

/// The keys of both sides when we answer their line; none in the open.
pub(super) fn answered_keys(ours: Option<&OurKeys>, theirs: &Keyed) -> Result<Option<Keys>, Refused> {
    keys(ours, theirs, |ours| {
        theirs.crypto.iter().find_map(|theirs| Some((ours.answer(theirs)?, theirs.clone())))
    })
}

/// The same when their line answers ours.
pub(super) fn agreed_keys(ours: Option<&OurKeys>, theirs: &Keyed) -> Result<Option<Keys>, Refused> {
    keys(ours, theirs, |ours| {
        theirs.crypto.iter().find_map(|theirs| Some((ours.answered(theirs)?, theirs.clone())))
    })
}

/// The keys of both sides, which `find` finds among theirs; none in the open.
fn keys(
    ours: Option<&OurKeys>,
    theirs: &Keyed,
    find: impl Fn(&OurKeys) -> Option<(Crypto, Crypto)>,
) -> Result<Option<Keys>, Refused> {
    let Some(ours) = ours else {
        return if theirs.is_encrypted { Err(Refused::Encryption) } else { Ok(None) };
    };
    if !theirs.has_keys && !theirs.is_encrypted && !ours.is_required {
        return Ok(None);
    }
    // keys that are not understood are no reason to go on in the open
    let (ours, theirs) = find(ours).ok_or(Refused::Encryption)?;
    // with one key for both, our own packets sent back to us would count as theirs
    if ours.is_same_key(&theirs) {
        return Err(Refused::Encryption);
    }
    Ok(Some(Keys { ours, theirs }))
}

fn together(
    sound: &Sound,
    codec: Codec,
    (send, receive): (u8, u8),
    events: Option<Events>,
    keys: Option<Keys>,
    video: Option<super::Video>,
) -> Agreed {
    Agreed {
        codec,
        send,
        receive,
        events,
        remote: sound.remote,
        remote_rtcp: sound.remote_rtcp,
        rtcp_mux: sound.rtcp_mux,
        ptime: sound.ptime,
        direction: turned(sound.direction),
        keys,
        video,
    }
}

/// Their events with the codec's clock (RFC 4733 §2.1); with 8,000 where they have only those.
fn events(sound: &Sound, codec: Codec) -> Option<(u8, u32)> {
    let with = |clock_rate: u32| sound.events.iter().copied().find(|(_, one)| *one == clock_rate);
    with(codec.clock_rate()).or_else(|| with(8_000))
}

/// The same line, declined: port 0 (RFC 3264 §6).
pub(super) fn declined(line: &Media) -> Media {
    let mut declined = line.clone();
    declined.port = 0;
    declined.num_ports = None;
    declined.connections.clear();
    declined.bandwidths.clear();
    declined.key = None;
    declined.attributes.clear();
    declined
}

/// A description without lines.
pub(super) fn empty(local: &Local) -> Session {
    let address = local.address.ip();
    let mut session = Session::new(Origin::with_ip_addr(local.session, local.version, address), "-");
    session.set_connection(Connection::from_ip_addr(address));
    session
}

const fn our_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::Opus => OPUS,
    }
}

type Attributes = Vec<(&'static str, String)>;

fn describe(attributes: &mut Attributes, codec: Codec, number: u8) {
    let map = match codec {
        Codec::Pcmu => "PCMU/8000",
        Codec::Pcma => "PCMA/8000",
        Codec::G722 => "G722/8000",
        Codec::Opus => "opus/48000/2",
    };
    attributes.push(("rtpmap", format!("{number} {map}")));
    if codec == Codec::Opus {
        // mono both ways, at the rate of the leg, with copies (RFC 7587 §6.1)
        let parameters = "maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;useinbandfec=1";
        attributes.push(("fmtp", format!("{number} {parameters}")));
    }
}

fn describe_events(attributes: &mut Attributes, number: u8, clock_rate: u32) {
    attributes.push(("rtpmap", format!("{number} telephone-event/{clock_rate}")));
    attributes.push(("fmtp", format!("{number} 0-15")));
}

fn list(types: &[u8]) -> String {
    types.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}

/// The same directions from the other side.
const fn turned(direction: Direction) -> Direction {
    match direction {
        Direction::Send => Direction::Receive,
        Direction::Receive => Direction::Send,
        Direction::Both | Direction::Neither => direction,
    }
}

const fn name(direction: Direction) -> &'static str {
    match direction {
        Direction::Both => "sendrecv",
        Direction::Send => "sendonly",
        Direction::Receive => "recvonly",
        Direction::Neither => "inactive",
    }
}
