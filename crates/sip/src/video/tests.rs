//! Pictures of a made-up camera: frames of a few packets, with what can go wrong on the way.

use super::*;
use klinke_model::time::Mono;
use proptest::prelude::*;
use std::time::Duration;

const SPS_SET: &[u8] = &[0x67, 0x42, 0xe0, 0x1e, 0xda, 0x02];
const PPS_SET: &[u8] = &[0x68, 0xce, 0x31, 0x52];

fn ms(millis: u64) -> Mono {
    Mono::from_millis(millis)
}

/// A camera's next packets.
struct Camera {
    sequence: u16,
    timestamp: u32,
    count: u8,
}

struct Sent {
    sequence: u16,
    timestamp: u32,
    marker: bool,
    payload: Vec<u8>,
}

impl Sent {
    fn packet(&self) -> Packet<'_> {
        Packet {
            payload_type: 99,
            marker: self.marker,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: 7,
            csrc: &[],
            extension: None,
            payload: &self.payload,
        }
    }
}

impl Camera {
    fn new() -> Self {
        // both wrap soon
        Self { sequence: 65_530, timestamp: u32::MAX - 5000, count: 0 }
    }

    fn frame(&mut self, payloads: Vec<Vec<u8>>) -> Vec<Sent> {
        self.timestamp = self.timestamp.wrapping_add(3600);
        let last = payloads.len() - 1;
        let packets = payloads.into_iter().enumerate().map(|(at, payload)| {
            let sequence = self.sequence;
            self.sequence = sequence.wrapping_add(1);
            Sent { sequence, timestamp: self.timestamp, marker: at == last, payload }
        });
        packets.collect()
    }

    /// A key frame in pieces, with its sets before it or not.
    fn key(&mut self, sets: bool) -> Vec<Sent> {
        self.count += 1;
        let n = self.count;
        let pieces = vec![vec![0x7c, 0x85, n, 1], vec![0x7c, 0x05, n, 2], vec![0x7c, 0x45, n, 3]];
        let sets = if sets { vec![stap(&[SPS_SET, PPS_SET])] } else { vec![] };
        self.frame([sets, pieces].concat())
    }

    fn other(&mut self) -> Vec<Sent> {
        self.count += 1;
        let n = self.count;
        self.frame(vec![vec![0x41, n]])
    }
}

fn stap(units: &[&[u8]]) -> Vec<u8> {
    let mut payload = vec![0x78];
    for unit in units {
        payload.extend_from_slice(&u16::try_from(unit.len()).unwrap().to_be_bytes());
        payload.extend_from_slice(unit);
    }
    payload
}

/// What somebody sees: payloads with number, time and marker.
type Seen = Vec<(u16, u32, bool, Vec<u8>)>;

fn read(datagrams: Vec<Vec<u8>>, seen: &mut Seen) {
    for datagram in datagrams {
        let packet = Packet::parse(&datagram).unwrap();
        assert_eq!((packet.ssrc, packet.payload_type), (42, 102));
        seen.push((packet.sequence, packet.timestamp, packet.marker, packet.payload.to_vec()));
    }
}

fn pass(source: &mut Source, view: &mut View, packets: &[Sent], at: u64, seen: &mut Seen) {
    for sent in packets {
        if let Some(part) = source.take(&sent.packet()) {
            read(view.pass(source, &sent.packet(), part, ms(at)), seen);
        }
    }
}

fn feed(source: &mut Source, packets: &[Sent]) {
    for sent in packets {
        source.take(&sent.packet());
    }
}

fn payloads(seen: &Seen) -> Vec<&[u8]> {
    seen.iter().map(|(.., payload)| payload.as_slice()).collect()
}

fn gapless(seen: &Seen) -> bool {
    seen.windows(2)
        .all(|two| two[0].0.wrapping_add(1) == two[1].0 && two[1].1.wrapping_sub(two[0].1) < 1 << 31)
}

#[test]
fn who_comes_late_sees_the_kept_frame_and_then_from_the_next_one() {
    let (mut camera, mut source) = (Camera::new(), Source::new(None));
    feed(&mut source, &camera.key(true));
    feed(&mut source, &camera.other());
    assert!(source.has_key_frame() && source.ssrc() == Some(7));
    let (mut view, mut seen) = (View::new(42, 102, 65_534, u32::MAX - 10), Seen::new());
    read(view.join(&source, ms(0)), &mut seen);
    assert_eq!(
        payloads(&seen),
        [&stap(&[SPS_SET, PPS_SET])[..], &[0x7c, 0x85, 1, 1], &[0x7c, 5, 1, 2], &[0x7c, 0x45, 1, 3]]
    );
    assert_eq!(seen.iter().map(|one| one.2).collect::<Vec<_>>(), [false, false, false, true]);
    // what comes needs a frame that it has not seen
    pass(&mut source, &mut view, &camera.other(), 500, &mut seen);
    assert!(view.waits() && seen.len() == 4);
    pass(&mut source, &mut view, &camera.key(true), 1000, &mut seen);
    pass(&mut source, &mut view, &camera.other(), 1040, &mut seen);
    assert!(!view.waits() && seen.len() == 9 && gapless(&seen));
    // as much time as passed in truth, then as the camera counts
    assert_eq!(seen[4].1.wrapping_sub(seen[3].1), 90_000);
    assert_eq!(seen[8].1.wrapping_sub(seen[7].1), 3600);
}

#[test]
fn who_comes_between_the_key_frame_and_the_next_one_misses_nothing() {
    let (mut camera, mut source) = (Camera::new(), Source::new(None));
    feed(&mut source, &camera.key(true));
    let (mut view, mut seen) = (View::new(42, 102, 1, 0), Seen::new());
    read(view.join(&source, ms(0)), &mut seen);
    assert!(!view.waits());
    pass(&mut source, &mut view, &camera.other(), 40, &mut seen);
    assert!(seen.len() == 5 && gapless(&seen));
    assert_eq!(seen[4].1 - seen[3].1, 3600);
}

#[test]
fn parameter_sets_of_the_description_go_before_bare_key_frames() {
    let (mut camera, mut source) = (Camera::new(), Source::new(Some("Z0LgHtoC,aM4xUg==")));
    let (mut view, mut seen) = (View::new(42, 102, 1, 0), Seen::new());
    pass(&mut source, &mut view, &camera.other(), 0, &mut seen);
    assert!(seen.is_empty());
    pass(&mut source, &mut view, &camera.key(false), 0, &mut seen);
    pass(&mut source, &mut view, &camera.other(), 0, &mut seen);
    pass(&mut source, &mut view, &camera.key(false), 0, &mut seen);
    assert_eq!(payloads(&seen)[..3], [SPS_SET, PPS_SET, &[0x7c, 0x85, 1 + 1, 1]]);
    assert_eq!(seen.len(), 11);
    assert!(gapless(&seen));
    // all of one frame have one time
    assert_eq!(seen[0].1, seen[4].1);
    // and for who comes late
    let (mut late, mut seen) = (View::new(42, 102, 1, 0), Seen::new());
    read(late.join(&source, ms(0)), &mut seen);
    assert_eq!(payloads(&seen)[..2], [SPS_SET, PPS_SET]);
    assert_eq!(seen.len(), 5);
}

#[test]
fn a_frame_that_is_not_whole_is_not_kept_and_nor_is_an_older_one() {
    for lost in 0..4 {
        let (mut camera, mut source) = (Camera::new(), Source::new(None));
        feed(&mut source, &camera.key(true));
        feed(&mut source, &camera.other());
        let mut packets = camera.key(true);
        packets.remove(lost);
        feed(&mut source, &packets);
        feed(&mut source, &camera.other());
        // without its sets it is a frame all the same: they came before
        assert_eq!(source.has_key_frame(), lost == 0, "{lost}");
        feed(&mut source, &camera.key(true));
        assert!(source.has_key_frame());
    }
}

#[test]
fn a_packet_that_comes_twice_or_late_changes_nothing() {
    let (mut camera, mut source) = (Camera::new(), Source::new(None));
    let before = camera.other();
    let key = camera.key(true);
    feed(&mut source, &key);
    feed(&mut source, &key);
    feed(&mut source, &before);
    assert!(source.has_key_frame());
    let (mut view, mut seen) = (View::new(42, 102, 1, 0), Seen::new());
    read(view.join(&source, ms(0)), &mut seen);
    pass(&mut source, &mut view, &before, 0, &mut seen);
    assert_eq!(seen.len(), 4);
}

#[test]
fn memory_is_bounded() {
    let (mut camera, mut source) = (Camera::new(), Source::new(None));
    let piece = |head: u8| [vec![0x7c, head], vec![0; 1300]].concat();
    let pieces = LARGEST / 1302 + 2;
    let large: Vec<Vec<u8>> = (0..pieces).map(|at| piece(if at == 0 { 0x85 } else { 0x05 })).collect();
    feed(&mut source, &camera.frame(large));
    assert!(!source.has_key_frame());
    // no end of parameter sets either: ids from 0 on, and ones that are too long
    for id in 0..=255_u32 {
        let bits = id + 1;
        let zeros = 31 - bits.leading_zeros();
        let code = u64::from(bits) << (63 - 2 * zeros);
        feed(&mut source, &camera.frame(vec![[vec![0x68], code.to_be_bytes().to_vec()].concat()]));
    }
    feed(&mut source, &camera.frame(vec![[vec![0x67, 1, 2, 3, 0x80], vec![0; LONGEST_SET]].concat()]));
    assert_eq!(source.sets().count(), SETS);
}

#[test]
fn another_stream_begins_anew() {
    let (mut camera, mut source) = (Camera::new(), Source::new(None));
    let (mut view, mut seen) = (View::new(42, 102, 1, 0), Seen::new());
    pass(&mut source, &mut view, &camera.key(true), 0, &mut seen);
    let next = camera.other();
    let other = Packet { ssrc: 8, ..next[0].packet() };
    let part = source.take(&other).unwrap();
    assert!(view.pass(&source, &other, part, ms(0)).is_empty() && view.waits() && !source.has_key_frame());
}

#[test]
fn a_camera_is_asked_again_by_other_ways_and_not_too_often() {
    let mut asking = Asking::default();
    assert_eq!((asking.due(), asking.ask(1, 7, ms(0))), (None, None));
    asking.want();
    let first = asking.ask(1, 7, ms(0)).unwrap();
    assert!(!first.info);
    // report, PLI, FIR, by the figures of RFC 3550, 4585 and 5104
    let wanted = "80c90001 00000001 81ce0002 00000001 00000007 84ce0004 00000001 00000000 00000007 01000000";
    let hex: String = first.rtcp.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, wanted.replace(' ', ""));
    let mut asked = vec![];
    for at in 0..40_000 {
        asking.want();
        if let Some(ask) = asking.ask(1, 7, ms(at)) {
            assert!(ask.info);
            asked.push(at);
        }
    }
    assert_eq!(asked, [1000, 3000, 7000, 15_000, 23_000, 31_000, 39_000]);
    asking.came();
    assert_eq!(asking.due(), None);
    // somebody else comes at once: still a second apart
    asking.want();
    assert_eq!(asking.due(), Some(ms(40_000)));
}

#[test]
fn numbers_are_read_by_their_bits() {
    for (bytes, number) in [
        (&[0x80][..], Some(0)),
        (&[0x40], Some(1)),
        (&[0x60], Some(2)),
        (&[0x20], Some(3)),
        (&[0x00, 0x80, 0x00], Some(255)),
        (&[0x00, 0x80, 0x80], None),
        (&[0x00, 0x00], None),
        (&[0x01], None),
        (&[], None),
    ] {
        assert_eq!(nal::number(bytes), number, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_payload_is_read(packets in proptest::collection::vec(
        (proptest::collection::vec(any::<u8>(), 0..40), 0_u16..20, 0_u32..6, any::<bool>()), 0..60))
    {
        let mut source = Source::new(None);
        let (mut view, mut seen) = (View::new(42, 102, 1, 0), Seen::new());
        for (at, (payload, sequence, timestamp, marker)) in (0_u64..).zip(packets) {
            let sent = Sent { sequence, timestamp, marker, payload };
            pass(&mut source, &mut view, &[sent], at, &mut seen);
            if at % 7 == 0 {
                let now = ms(at) + Duration::from_millis(1);
                read(view.join(&source, now), &mut seen);
            }
        }
    }

    /// Whatever is lost on the way: who looks on sees the packets that came, in order, and gaps only where the camera's are.
    #[test]
    fn what_is_passed_on_is_what_came(lost in proptest::collection::vec(any::<bool>(), 100)) {
        let (mut camera, mut source) = (Camera::new(), Source::new(None));
        let (mut view, mut seen, mut came) = (View::new(42, 102, 1, 0), Seen::new(), Vec::new());
        let mut lost = lost.into_iter();
        pass(&mut source, &mut view, &camera.key(true), 0, &mut seen);
        let first = seen.len();
        let mut gaps = 0;
        for n in 0..15 {
            let frame = if n % 5 == 4 { camera.key(true) } else { camera.other() };
            for sent in frame {
                if lost.next() == Some(true) {
                    gaps += 1;
                    continue;
                }
                pass(&mut source, &mut view, std::slice::from_ref(&sent), n, &mut seen);
                came.push((gaps, sent.payload));
            }
        }
        // a key frame whose sets were lost is given nothing: there are some from before, which go before it
        let own: Vec<&[u8]> = payloads(&seen).into_iter().skip(first).filter(|p| *p != SPS_SET && *p != PPS_SET).collect();
        prop_assert_eq!(own, came.iter().map(|(_, payload)| payload.as_slice()).collect::<Vec<_>>());
        let added = seen.iter().filter(|one| one.3 == SPS_SET || one.3 == PPS_SET).count();
        if let Some((gaps, _)) = came.last() {
            let (first, last) = (seen.first().unwrap().0, seen.last().unwrap().0);
            prop_assert_eq!(usize::from(last.wrapping_sub(first)) + 1, 4 + came.len() + gaps + added);
        }
    }
}
