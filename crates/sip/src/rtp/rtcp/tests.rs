use super::*;
use crate::rtp::packet::Packet;
use klinke_model::time::Mono;
use proptest::prelude::*;

const BLOCK: Block = Block {
    ssrc: 9,
    fraction_lost: 25,
    lost: -3,
    highest: 0x1_0005,
    jitter: 33,
    last_report: 0x1234_5678,
    since_report: 65_536,
};

#[test]
fn our_reports_are_read_again() {
    let sent = Sent { ntp: 0x8000_0001_4000_0000, timestamp: 160, packets: 2, bytes: 320 };
    for (sent, block) in [(None, None), (Some(sent), None), (None, Some(BLOCK)), (Some(sent), Some(BLOCK))] {
        let bytes = write(7, sent, block, "abc");
        assert_eq!(bytes.len() % 4, 0);
        let blocks: Vec<Block> = block.into_iter().collect();
        let first = match sent {
            Some(sent) => Report::Sender { ssrc: 7, sent, blocks },
            None => Report::Receiver { ssrc: 7, blocks },
        };
        assert_eq!(parse(&bytes), Ok(vec![first, Report::Description]));
    }
    let bye = write_bye(7, Some(sent), "abcd");
    assert_eq!(parse(&bye).unwrap().last(), Some(&Report::Bye(vec![7])));
}

#[test]
fn a_description_fills_whole_words_and_ends_its_list() {
    let bytes = write(7, None, None, "abc");
    assert_eq!(bytes[8..], [0x81, 202, 0, 3, 0, 0, 0, 7, 1, 3, b'a', b'b', b'c', 0, 0, 0]);
    for length in 0..=300 {
        let bytes = write(7, None, None, &"x".repeat(length));
        assert!(parse(&bytes).is_ok() && bytes.last() == Some(&0), "{length}");
    }
}

#[test]
fn wishes_for_key_frames_are_read_as_cameras_are_sent_them() {
    let mut asking = crate::video::Asking::default();
    asking.want();
    let asked = asking.ask(1, 7, Mono::default()).unwrap().rtcp;
    let empty = Report::Receiver { ssrc: 1, blocks: vec![] };
    assert_eq!(parse(&asked), Ok(vec![empty, Report::KeyFrame(vec![7]), Report::KeyFrame(vec![7])]));
    let of_two = [0x84, 206, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 9, 0, 0, 0, 0, 0, 0, 8, 9, 0, 0, 0];
    assert_eq!(parse(&of_two), Ok(vec![Report::KeyFrame(vec![7, 8])]));
    // a picture that lost a slice (SLI) is another matter
    assert_eq!(parse(&[0x82, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 7]), Ok(vec![Report::Other(206)]));
    assert_eq!(parse(&[0x81, 206, 0, 1, 0, 0, 0, 1]), Err(Malformed), "of which stream");
}

#[test]
fn what_is_not_whole_is_refused() {
    let whole = write(7, Some(Sent::default()), Some(BLOCK), "abc");
    for length in 1..whole.len() {
        let is_boundary = length == 52;
        assert_eq!(parse(&whole[..length]).is_ok(), is_boundary, "{length} bytes");
    }
    assert_eq!(parse(&[]), Err(Malformed));
    assert_eq!(parse(&[0x40, 200, 0, 0]), Err(Malformed), "another version");
    assert_eq!(parse(&[0x81, 201, 0, 1, 0, 0, 0, 7]), Err(Malformed), "a block that is not there");
    assert_eq!(parse(&[0x82, 203, 0, 1, 0, 0, 0, 7]), Err(Malformed), "a stream that is not there");
    assert_eq!(parse(&[0x80, 207, 0, 1, 0, 0, 0, 7]), Ok(vec![Report::Other(207)]));
}

fn packet(sequence: u16, timestamp: u32) -> Packet<'static> {
    let (csrc, payload): (&[u8], &[u8]) = (&[], &[]);
    Packet { payload_type: 0, marker: false, sequence, timestamp, ssrc: 9, csrc, extension: None, payload }
}

#[test]
fn losses_are_counted_since_the_beginning_and_since_the_last_report() {
    let mut reception = Reception::new(&packet(65_530, 0), 8_000);
    for n in (0..20).filter(|n| n % 4 != 3) {
        reception.count(
            &packet(65_530_u16.wrapping_add(n), u32::from(n) * 160),
            Mono::from_millis(u64::from(n) * 20),
        );
    }
    // fifteen of nineteen: the last is not known to be missing
    let block = reception.block(Mono::from_millis(400));
    assert_eq!((block.lost, block.fraction_lost, block.highest), (4, (4 * 256 / 19) as u8, 65_530 + 18));
    assert_eq!(block.jitter, 0);
    for n in 20..30 {
        reception.count(
            &packet(65_530_u16.wrapping_add(n), u32::from(n) * 160),
            Mono::from_millis(u64::from(n) * 20),
        );
    }
    let block = reception.block(Mono::from_millis(600));
    assert_eq!((block.lost, block.fraction_lost), (5, (256 / 11) as u8));
    // everything twice: fewer than none are lost
    for n in 30..40 {
        for _ in 0..2 {
            reception.count(
                &packet(65_530_u16.wrapping_add(n), u32::from(n) * 160),
                Mono::from_millis(u64::from(n) * 20),
            );
        }
    }
    let block = reception.block(Mono::from_millis(800));
    assert_eq!((block.lost, block.fraction_lost), (-5, 0));
}

#[test]
fn jitter_is_that_of_the_standard() {
    let mut reception = Reception::new(&packet(0, 0), 8_000);
    for n in 0..200_u16 {
        let late = u64::from(n % 2) * 10;
        reception.count(&packet(n, u32::from(n) * 160), Mono::from_millis(u64::from(n) * 20 + late));
    }
    // every way differs by 10 ms from the one before
    let jitter = reception.block(Mono::from_millis(4_000)).jitter;
    assert!((76..=80).contains(&jitter), "{jitter} ticks");
}

#[test]
fn their_report_is_told_back_with_its_age() {
    let mut reception = Reception::new(&packet(0, 0), 8_000);
    reception.count(&packet(0, 0), Mono::from_millis(0));
    reception.sender_report(Sent { ntp: 0x1122_3344_5566_7788, ..Sent::default() }, Mono::from_millis(100));
    let block = reception.block(Mono::from_millis(600));
    assert_eq!((block.last_report, block.since_report), (0x3344_5566, 32_768));
}

proptest! {
    #[test]
    fn any_bytes_are_reports_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn damaged_reports_are_reports_or_refused(at in 0_usize..200, byte: u8, cut in 0_usize..100) {
        let mut bytes = write(7, Some(Sent::default()), Some(BLOCK), "abc");
        let place = at % bytes.len();
        bytes[place] = byte;
        let _ = parse(&bytes[..bytes.len() - cut.min(bytes.len())]);
    }

    #[test]
    fn any_numbers_are_counted(packets in prop::collection::vec((any::<u16>(), any::<u32>(), 0_u64..1_000), 1..100)) {
        let mut reception = Reception::new(&packet(packets[0].0, packets[0].1), 48_000);
        let mut now = 0;
        for (sequence, timestamp, later) in packets {
            now += later;
            reception.count(&packet(sequence, timestamp), Mono::from_millis(now));
            let _ = reception.block(Mono::from_millis(now));
        }
    }
}
