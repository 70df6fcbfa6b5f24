//! Against the numbers of the standards, and of libsrtp, whose test packets others check themselves with.

use super::*;
use crate::sdp::crypto::Suite;
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|two| (two[0] << 4 | two[1]) as u8).collect()
}

fn crypto(suite: Suite, byte: u8) -> Crypto {
    Crypto::new(1, suite, &vec![byte; suite.key_length() + suite.salt_length()]).unwrap()
}

fn pair(suite: Suite) -> (Outgoing, Incoming) {
    (Outgoing::new(&crypto(suite, 7)).unwrap(), Incoming::new(&crypto(suite, 7)).unwrap())
}

/// A packet of sound of the stream 9.
fn packet(sequence: u16) -> Vec<u8> {
    stream_packet(9, sequence)
}

fn stream_packet(ssrc: u32, sequence: u16) -> Vec<u8> {
    let [s1, s2] = sequence.to_be_bytes();
    [&[0x80, 0, s1, s2, 0, 0, 0, 1][..], &ssrc.to_be_bytes(), &[0x55; 160]].concat()
}

fn report(ssrc: u32) -> Vec<u8> {
    [&[0x80, 201, 0, 1][..], &ssrc.to_be_bytes(), &[0x80, 203, 0, 1], &ssrc.to_be_bytes()].concat()
}

/// RFC 3711, appendix B.3.
#[test]
fn keys_are_derived_as_the_standard_does() {
    let (key, salt) = (bytes("E1F97A0D3E018BE0D64FA32C06DE4139"), bytes("0EC675AD498AFEEBB6960B3AABE6"));
    let made = |label, length| cipher::derive(&key, &salt, label, length).unwrap().to_vec();
    assert_eq!(made(0, 16), bytes("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(made(2, 14), bytes("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(made(1, 20), bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

/// RFC 3711, appendix B.2: the first blocks of the key stream.
#[test]
fn the_counter_runs_as_the_standard_says() {
    let salt = bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
    let cipher = Cipher::signed(&bytes("2B7E151628AED2A6ABF7158809CF4F3C"), &[0; 20], &salt, 10).unwrap();
    let mut body = [0; 48];
    cipher.protect(Number { ssrc: 0, index: 0 }, &[], &mut body, &[]).unwrap();
    let wanted =
        "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(body.to_vec(), bytes(wanted));
}

/// The packets that libsrtp tests itself with (`srtp_validate`).
#[test]
fn the_packets_of_libsrtp() {
    let secret = bytes("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6");
    let crypto = Crypto::new(1, Suite::Sha1_80, &secret).unwrap();
    let plain = bytes("800f1234decafbadcafebabeabababababababababababababababab");
    let wanted = bytes("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
    assert_eq!(Outgoing::new(&crypto).unwrap().rtp(&plain), Some(wanted.clone()));
    assert_eq!(Incoming::new(&crypto).unwrap().rtp(&wanted), Some(plain));
    let plain = bytes("81c8000bcafebabeabababababababababababababababab");
    let wanted = bytes("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798");
    let mut out = Outgoing::new(&crypto).unwrap();
    out.reports = 1;
    assert_eq!(out.rtcp(&plain), Some(wanted.clone()));
    assert_eq!(Incoming::new(&crypto).unwrap().rtcp(&wanted), Some(plain));
}

/// RFC 7714 §16.1.1, §16.2.1, §17.1, §17.2; the keys there are those of the packets themselves.
#[test]
fn the_packets_of_rfc_7714() {
    let salt = bytes("517569642070726f2071756f");
    let rtp = bytes(
        "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573",
    );
    let rtcp = bytes(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    );
    let table = [
        (
            Suite::Gcm128,
            "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
        ),
        (
            Suite::Gcm256,
            "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
            "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
        ),
    ];
    for (suite, srtp, srtcp) in table {
        let key: Vec<u8> = (0..32).take(suite.key_length()).collect();
        let cipher = || Cipher::sealed(&key, &salt).unwrap();
        let mut out = Outgoing::new(&crypto(suite, 1)).unwrap();
        (out.rtp, out.rtcp, out.reports) = (cipher(), cipher(), 0x5d4);
        let mut back = Incoming::new(&crypto(suite, 1)).unwrap();
        (back.rtp, back.rtcp) = (cipher(), cipher());
        assert_eq!(out.rtp(&rtp), Some(bytes(srtp)), "{suite:?}");
        assert_eq!(back.rtp(&bytes(srtp)), Some(rtp.clone()), "{suite:?}");
        assert_eq!(out.rtcp(&rtcp), Some(bytes(srtcp)), "{suite:?}");
        assert_eq!(back.rtcp(&bytes(srtcp)), Some(rtcp.clone()), "{suite:?}");
    }
}

#[test]
fn nothing_is_readable_and_everything_comes_back() {
    for suite in Suite::ALL {
        let (mut out, mut back) = pair(suite);
        for n in 0..5 {
            let sent = out.rtp(&packet(n)).unwrap();
            assert!(!sent.windows(8).any(|eight| eight == [0x55; 8]), "{suite:?}");
            assert_eq!(back.rtp(&sent), Some(packet(n)), "{suite:?}");
            let sent = out.rtcp(&report(9)).unwrap();
            assert_eq!(back.rtcp(&sent), Some(report(9)), "{suite:?}");
        }
    }
}

#[test]
fn each_bit_counts_and_what_is_forged_changes_nothing() {
    for suite in Suite::ALL {
        let (mut out, mut back) = pair(suite);
        let (rtp, rtcp) = (out.rtp(&packet(5)).unwrap(), out.rtcp(&report(9)).unwrap());
        for bit in 0..rtp.len() * 8 {
            let mut forged = rtp.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(back.rtp(&forged), None, "{suite:?}, bit {bit}");
        }
        for bit in 0..rtcp.len() * 8 {
            let mut forged = rtcp.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(back.rtcp(&forged), None, "{suite:?}, bit {bit}");
        }
        for end in 0..rtp.len() {
            assert_eq!(back.rtp(&rtp[..end]), None);
        }
        assert_eq!((back.streams.len(), back.reports.len()), (0, 0));
        let mut other = Incoming::new(&crypto(suite, 8)).unwrap();
        assert_eq!((other.rtp(&rtp), other.rtcp(&rtcp)), (None, None), "another key");
        assert!(back.rtp(&rtp).is_some() && back.rtcp(&rtcp).is_some());
    }
}

#[test]
fn what_came_once_does_not_come_again() {
    let (mut out, mut back) = pair(Suite::Sha1_80);
    let sent: Vec<Vec<u8>> = (0..200).map(|n| out.rtp(&packet(n)).unwrap()).collect();
    // all but the even ones of the last hundred, in a mixed order
    assert!(sent[..100].iter().all(|one| back.rtp(one).is_some()));
    assert!(sent[101..].iter().step_by(2).rev().take(31).all(|one| back.rtp(one).is_some()));
    assert!(sent[..100].iter().all(|one| back.rtp(one).is_none()), "all again");
    // within the window what is late comes, once; before it nothing
    assert!(back.rtp(&sent[140]).is_some() && back.rtp(&sent[140]).is_none());
    assert!(back.rtp(&sent[136]).is_some() && back.rtp(&sent[134]).is_none());
    let reports: Vec<Vec<u8>> = (0..3).map(|_| out.rtcp(&report(9)).unwrap()).collect();
    assert!(reports.iter().all(|one| back.rtcp(one).is_some()));
    assert!(reports.iter().all(|one| back.rtcp(one).is_none()));
}

#[test]
fn numbers_go_on_over_the_roll_over() {
    for suite in [Suite::Sha1_80, Suite::Gcm128] {
        let (mut out, mut back) = pair(suite);
        let mut swapped = Vec::new();
        for n in 32_000..200_000_u32 {
            let sent = out.rtp(&packet((n & 0xffff) as u16)).unwrap();
            // some are late over the roll-over itself
            if n == 65_534 || n == 131_070 {
                swapped.push(sent);
                continue;
            }
            if n.is_multiple_of(1_000) || (65_500..65_600).contains(&n) || (131_000..131_200).contains(&n) {
                assert!(back.rtp(&sent).is_some(), "{suite:?}, packet {n}");
            }
            if (n & 0xffff) == 5
                && let Some(late) = swapped.pop()
            {
                assert!(back.rtp(&late).is_some(), "{suite:?}, late at {n}");
            }
        }
        assert_eq!(back.streams[0].1.newest, 199_000);
        // who listens only after their first roll-over finds them all the same
        let (mut out, _) = pair(suite);
        let sent: Vec<Vec<u8>> =
            (65_000..65_600_u32).map(|n| out.rtp(&packet((n & 0xffff) as u16)).unwrap()).collect();
        let mut later = Incoming::new(&crypto(suite, 7)).unwrap();
        assert!(sent[540..].iter().all(|one| later.rtp(one).is_some()), "{suite:?}");
    }
}

#[test]
fn no_number_of_ours_is_used_twice() {
    let (mut out, _) = pair(Suite::Sha1_80);
    assert!(out.rtp(&packet(10)).is_some());
    assert_eq!(out.rtp(&packet(10)), None);
    assert_eq!(out.rtp(&packet(9)), None);
    assert_eq!(out.rtp(&stream_packet(8, 11)), None, "another stream");
    assert!(out.rtp(&packet(11)).is_some());
    out.reports = ENCRYPTED - 1;
    assert_eq!(out.rtcp(&report(9)), None);
}

#[test]
fn a_phone_has_no_more_streams_than_there_is_room_for() {
    let mut back = Incoming::new(&crypto(Suite::Gcm128, 7)).unwrap();
    let taken = (0..200).filter(|ssrc| {
        let (mut out, _) = pair(Suite::Gcm128);
        let (rtp, rtcp) = (out.rtp(&stream_packet(*ssrc, 1)).unwrap(), out.rtcp(&report(*ssrc)).unwrap());
        back.rtp(&rtp).is_some() && back.rtcp(&rtcp).is_some()
    });
    assert_eq!(taken.count(), MOST_STREAMS);
}

#[test]
fn it_prints_without_its_keys() {
    let (out, back) = pair(Suite::Sha1_80);
    let key = "Crypto { tag: 1, suite: Sha1_80, .. }, .. }";
    assert_eq!(format!("{out:?} {back:?}"), format!("Outgoing {{ crypto: {key} Incoming {{ crypto: {key}"));
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for suite in Suite::ALL {
            let (mut out, mut back) = pair(suite);
            prop_assert_eq!((back.rtp(&bytes), back.rtcp(&bytes)), (None, None));
            // and what is no packet is not sent
            let sent = out.rtp(&bytes);
            prop_assert_eq!(sent.is_some(), Header::read(&bytes).is_some());
            prop_assert!(sent.is_none_or(|sent| back.rtp(&sent).as_deref() == Some(&bytes[..])));
        }
    }

    #[test]
    fn a_window_is_what_a_list_would_be(numbers in prop::collection::vec(0_u64..300, 1..100)) {
        let mut seen: Option<Seen> = None;
        let mut list: Vec<u64> = Vec::new();
        for number in numbers {
            let newest = list.iter().max().copied();
            let is_known = list.contains(&number) || newest.is_some_and(|newest| number + WINDOW <= newest);
            prop_assert_eq!(seen.is_some_and(|seen| seen.has(number)), is_known, "{}", number);
            if !is_known {
                seen.get_or_insert(Seen { newest: number, before: 1 }).note(number);
                list.push(number);
            }
        }
    }
}
