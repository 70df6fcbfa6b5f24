use super::*;
use crypto::Suite;
use proptest::prelude::*;

fn local(codecs: &[Codec]) -> Local {
    let address = "192.0.2.1:40000".parse().unwrap();
    Local { address, session: 7, version: 1, codecs: codecs.to_vec(), crypto: None }
}

const ALL: [Codec; 4] = [Codec::G722, Codec::Pcma, Codec::Pcmu, Codec::Opus];

fn with_keys(encryption: Encryption, byte: u8) -> Local {
    Local { crypto: OurKeys::new(encryption, &[byte; OurKeys::RANDOM]), ..local(&ALL) }
}

fn encrypted(byte: u8) -> Local {
    with_keys(Encryption::Required, byte)
}

/// A description with this line of sound, after these attributes of the session.
fn theirs(session: &str, sound: &str) -> Vec<u8> {
    format!("v=0\r\no=- 1 1 IN IP4 198.51.100.2\r\ns=-\r\nc=IN IP4 198.51.100.2\r\nt=0 0\r\n{session}{sound}")
        .into_bytes()
}

#[test]
fn an_offer_has_everything_that_a_phone_needs() {
    let wanted = "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 8 0 96 101 100\r\n\
        a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
        a=rtpmap:96 opus/48000/2\r\n\
        a=fmtp:96 maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;useinbandfec=1\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
        a=rtpmap:100 telephone-event/48000\r\na=fmtp:100 0-15\r\n\
        a=ptime:20\r\na=rtcp-mux\r\na=sendrecv\r\n";
    assert_eq!(offer(&local(&[Codec::Pcma, Codec::Pcmu, Codec::Opus])), wanted);
}

#[test]
fn each_codec_is_agreed_on_both_ways() {
    let clock = |codec: Codec| codec.clock_rate();
    for codec in ALL {
        let (text, there) = answer(&local(&[codec]), offer(&local(&ALL)).as_bytes()).unwrap();
        let here = agreed(&local(&ALL), text.as_bytes()).unwrap();
        for side in [&here, &there] {
            assert_eq!(side.codec, codec);
            assert_eq!(side.events.map(|events| events.clock_rate), Some(clock(codec)), "{codec:?}");
            assert_eq!(side.remote, Some("192.0.2.1:40000".parse().unwrap()));
            assert_eq!(side.direction, Direction::Both);
            assert!(side.rtcp_mux && side.remote_rtcp == side.remote);
        }
        assert_eq!(here.send, there.receive);
        assert_eq!(here.events.map(|events| events.send), there.events.map(|events| events.receive));
    }
}

#[test]
fn what_phones_offer() {
    // the line of sound, and codec, its type, the events and their clock
    type Wanted = Result<(Codec, u8, Option<(u8, u32)>), Refused>;
    let table: [(&str, Wanted); 16] = [
        ("m=audio 5000 RTP/AVP 0 8\r\n", Ok((Codec::Pcmu, 0, None))),
        ("m=audio 5000 RTP/AVP 18 8\r\n", Ok((Codec::Pcma, 8, None))),
        (
            "m=audio 5000 RTP/AVP 9 101\r\na=rtpmap:101 telephone-event/8000\r\n",
            Ok((Codec::G722, 9, Some((101, 8_000)))),
        ),
        (
            "m=audio 5000 RTP/AVP 111 110\r\na=rtpmap:111 OPUS/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n",
            Ok((Codec::Opus, 111, Some((110, 48_000)))),
        ),
        (
            "m=audio 5000 RTP/AVP 111 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n",
            Ok((Codec::Opus, 111, Some((101, 8_000)))),
        ),
        ("m=audio 5000 RTP/AVPF 98\r\na=rtpmap:98 pcma/8000/1\r\n", Ok((Codec::Pcma, 98, None))),
        // a map is worth more than the number
        ("m=audio 5000 RTP/AVP 0 8\r\na=rtpmap:0 G729/8000\r\n", Ok((Codec::Pcma, 8, None))),
        ("m=audio 5000 RTP/AVP 111\r\na=rtpmap:111 opus/48000\r\n", Err(Refused::NoCodec)),
        ("m=audio 5000 RTP/AVP 18 3\r\n", Err(Refused::NoCodec)),
        ("m=audio 0 RTP/AVP 0\r\n", Err(Refused::NoSound)),
        ("m=video 5000 RTP/AVP 0\r\n", Err(Refused::NoSound)),
        ("m=audio 5000 UDP/TLS/RTP/SAVPF 0\r\n", Err(Refused::Transport)),
        ("m=audio 5000 RTP/SAVP 0\r\n", Err(Refused::Encryption)),
        ("m=audio 5000 RTP/AVP 0\r\nc=IN IP4 phone.example.org\r\n", Err(Refused::Address)),
        ("m=audio 5000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n", Err(Refused::Address)),
        ("m=audio many RTP/AVP 0\r\n", Err(Refused::Malformed)),
    ];
    for (sound, wanted) in table {
        let got = answer(&local(&ALL), &theirs("", sound)).map(|(_, agreed)| {
            (agreed.codec, agreed.send, agreed.events.map(|events| (events.send, events.clock_rate)))
        });
        assert_eq!(got, wanted, "{sound}");
    }
    assert_eq!(Refused::Malformed.status(), 400);
    assert_eq!(Refused::NoCodec.status(), 488);
}

#[test]
fn hold_and_one_way_sound_are_seen_from_our_side() {
    let cases = [
        ("", "", Direction::Both, "a=sendrecv"),
        ("", "a=sendonly\r\n", Direction::Receive, "a=recvonly"),
        ("", "a=recvonly\r\n", Direction::Send, "a=sendonly"),
        ("", "a=inactive\r\n", Direction::Neither, "a=inactive"),
        ("a=sendonly\r\n", "", Direction::Receive, "a=recvonly"),
        ("a=sendonly\r\n", "a=sendrecv\r\n", Direction::Both, "a=sendrecv"),
        ("", "c=IN IP4 0.0.0.0\r\n", Direction::Receive, "a=recvonly"),
    ];
    for (session, attribute, wanted, answered) in cases {
        let offer = theirs(session, &format!("m=audio 5000 RTP/AVP 0\r\n{attribute}"));
        let (text, agreed) = answer(&local(&ALL), &offer).unwrap();
        assert_eq!(agreed.direction, wanted, "{session}{attribute}");
        assert!(text.contains(answered), "{text}");
        assert_eq!(agreed.remote.is_none(), attribute.contains("0.0.0.0"));
    }
}

#[test]
fn where_rtcp_goes_and_how_long_packets_are() {
    let agree = |attributes: &str| {
        let offer = theirs("", &format!("m=audio 5000 RTP/AVP 0\r\n{attributes}"));
        answer(&local(&ALL), &offer).unwrap().1
    };
    let port = |attributes: &str| agree(attributes).remote_rtcp.map(|address| address.port());
    assert_eq!(port(""), Some(5_001));
    assert_eq!(port("a=rtcp:6000\r\n"), Some(6_000));
    assert_eq!(port("a=rtcp-mux\r\na=rtcp:6000\r\n"), Some(5_000));
    assert_eq!(agree("a=ptime:30\r\n").ptime, Some(30));
    assert_eq!(agree("a=ptime:0\r\n").ptime, None);
}

#[test]
fn encryption_is_for_both_sides_or_for_none() {
    use Encryption::{Off, Offered, Required};
    // what we want, what they want, and whether it is encrypted then
    let table = [
        (Off, Off, Ok(false)),
        (Off, Offered, Ok(false)),
        (Off, Required, Err(Refused::Encryption)),
        (Offered, Off, Ok(false)),
        (Offered, Offered, Ok(true)),
        (Offered, Required, Ok(true)),
        (Required, Off, Err(Refused::Encryption)),
        (Required, Offered, Ok(true)),
        (Required, Required, Ok(true)),
    ];
    for (ours, theirs, wanted) in table {
        let (here, there) = (with_keys(ours, 1), with_keys(theirs, 2));
        let text = offer(&here);
        assert_eq!(text.contains("RTP/SAVP"), ours == Required);
        assert_eq!(text.matches("a=crypto:").count(), if ours == Off { 0 } else { 4 });
        let told = answer(&there, text.as_bytes());
        assert_eq!(told.as_ref().map(|(_, agreed)| agreed.keys.is_some()).map_err(|why| *why), wanted);
        let Ok((text, there)) = told else { continue };
        let here = agreed(&here, text.as_bytes()).unwrap();
        let mirrored = there.keys.map(|keys| Keys { ours: keys.theirs, theirs: keys.ours });
        assert_eq!(here.keys, mirrored, "{ours:?} {theirs:?}");
    }
}

#[test]
fn the_best_suite_that_both_have_is_taken() {
    let all = offer(&encrypted(1));
    let without = |names: &[&str]| -> String {
        let kept = all.lines().filter(|line| !names.iter().any(|name| line.contains(name)));
        kept.map(|line| format!("{line}\r\n")).collect()
    };
    for (names, wanted) in [
        (&[][..], Suite::Gcm256),
        (&["AES_256_GCM"], Suite::Gcm128),
        (&["GCM"], Suite::Sha1_80),
        (&["GCM", "SHA1_80"], Suite::Sha1_32),
    ] {
        let (text, there) = answer(&encrypted(2), without(names).as_bytes()).unwrap();
        assert_eq!(there.keys.map(|keys| (keys.ours.suite, keys.theirs.suite)), Some((wanted, wanted)));
        assert_eq!(agreed(&encrypted(1), text.as_bytes()).unwrap().keys.unwrap().ours.suite, wanted);
    }
}

#[test]
fn who_wants_keys_does_not_get_sound_in_the_open() {
    let refused =
        |local: &Local, text: &[u8]| (answer(local, text).map(|_| ()), agreed(local, text).map(|_| ()));
    let no = (Err(Refused::Encryption), Err(Refused::Encryption));
    for local in [encrypted(2), with_keys(Encryption::Offered, 2)] {
        // keys that nobody understands, over both transports
        for transport in ["RTP/SAVP", "RTP/AVP"] {
            let lines =
                format!("m=audio 5000 {transport} 0\r\na=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA\r\n");
            assert_eq!(refused(&local, &theirs("", &lines)), no, "{transport}");
        }
        assert_eq!(refused(&local, &theirs("", "m=audio 5000 RTP/SAVP 0\r\n")), no);
        // our own keys, sent back to us
        assert_eq!(refused(&local, offer(&local).as_bytes()), no);
        // an answer to another line than ours
        let (text, _) = answer(&encrypted(1), offer(&local).as_bytes()).unwrap();
        let other = text.replace("a=crypto:1 ", "a=crypto:2 ");
        assert_eq!(agreed(&local, other.as_bytes()).map(|_| ()), Err(Refused::Encryption));
    }
    let plain = theirs("", "m=audio 5000 RTP/AVP 0\r\n");
    assert_eq!(refused(&encrypted(2), &plain), no);
    assert_eq!(refused(&with_keys(Encryption::Offered, 2), &plain), (Ok(()), Ok(())));
}

#[test]
fn a_door_stations_picture_is_read_and_declined_in_its_place() {
    let lines = "m=video 5004 RTP/AVP 97 99\r\na=rtpmap:97 VP8/90000\r\na=rtpmap:99 H264/90000\r\n\
        a=fmtp:99 profile-level-id=42E01F; packetization-mode=1;sprop-parameter-sets=Z0LAH9oBQBbsB,aM48gA==\r\n\
        m=audio 5000 RTP/AVP 8\r\nm=application 5006 TCP/BFCP *\r\n";
    let (text, agreed) = answer(&local(&ALL), &theirs("", lines)).unwrap();
    let media: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(media, ["m=video 0 RTP/AVP 97 99", "m=audio 40000 RTP/AVP 8", "m=application 0 TCP/BFCP *"]);
    let video = agreed.video.unwrap();
    assert_eq!((video.payload_type, video.packetization_mode, video.port), (99, 1, 5_004));
    assert_eq!(video.profile_level.as_deref(), Some("42e01f"));
    assert_eq!(video.parameter_sets.as_deref(), Some("Z0LAH9oBQBbsB,aM48gA=="));
}

#[test]
fn no_description_is_longer_than_it_may_be() {
    let long = theirs("", &format!("m=audio 5000 RTP/AVP 0\r\n{}", "a=x:y\r\n".repeat(3_000)));
    assert_eq!(answer(&local(&ALL), &long).map(|_| ()), Err(Refused::Malformed));
}

proptest! {
    #[test]
    fn any_bytes_are_answered_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = answer(&local(&ALL), &bytes);
        let _ = agreed(&local(&ALL), &bytes);
    }

    #[test]
    fn lines_of_an_offer_in_any_order_and_with_any_damage(
        order in Just(LINES.to_vec()).prop_shuffle(), kept in 1_usize..20, at in 0_usize..900, byte: u8,
    ) {
        let mut text = theirs("", &order[..kept.min(order.len())].concat());
        for bytes in [text.clone(), { let place = at % text.len(); text[place] = byte; text }] {
            if let Ok((answered, agreement)) = answer(&encrypted(1), &bytes) {
                let back = read::session(answered.as_bytes());
                prop_assert!(back.is_ok(), "{answered}");
                prop_assert!(ALL.contains(&agreement.codec) && agreement.send < 128);
            }
        }
    }
}

const LINES: [&str; 18] = [
    "m=audio 5000 RTP/AVP 0 8 9 111 101\r\n",
    "m=audio 5000 RTP/SAVP 0 8\r\n",
    "m=video 5002 RTP/AVP 99\r\n",
    "c=IN IP6 2001:db8::1\r\n",
    "c=IN IP4 198.51.100.3\r\n",
    "a=rtpmap:111 opus/48000/2\r\n",
    "a=rtpmap:101 telephone-event/8000\r\n",
    "a=rtpmap:0 PCMU/8000\r\n",
    "a=rtpmap:99 H264/90000\r\n",
    "a=fmtp:99 profile-level-id=42e01f;packetization-mode=1\r\n",
    "a=fmtp:101 0-16\r\n",
    "a=sendonly\r\n",
    "a=rtcp:5001 IN IP4 198.51.100.2\r\n",
    "a=rtcp-mux\r\n",
    "a=ptime:20\r\n",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n",
    "b=AS:64\r\n",
    "a=\r\n",
];
