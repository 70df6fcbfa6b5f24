use super::*;
use proptest::prelude::*;

/// A packet of PCMU: number, timestamp, stream; its payload tells its number.
fn packet<'a>(sequence: u16, timestamp: u32, ssrc: u32, payload: &'a [u8]) -> Packet<'a> {
    Packet { payload_type: 0, marker: false, sequence, timestamp, ssrc, csrc: &[], extension: None, payload }
}

fn at(millis: u64) -> Mono {
    Mono::from_millis(millis)
}

/// Packets of 20 ms that are sent one after the other, and when each arrives; those without a delay are lost.
struct Run {
    /// Number of the packet that each frame played; `None` for what was made up or quiet.
    frames: Vec<Option<u32>>,
    /// Milliseconds from sending to playing, for each packet that was played, in order.
    delays: Vec<(u32, u64)>,
    figures: Figures,
    most_held: usize,
    target: Duration,
}

fn run(ways: &[Option<u64>], first: (u16, u32)) -> Run {
    let mut arrivals: Vec<(u64, u32)> =
        (0..).zip(ways).filter_map(|(n, way)| way.map(|way| (1_000 + u64::from(n) * 20 + way, n))).collect();
    arrivals.sort_unstable();
    let mut arrivals = arrivals.into_iter().peekable();
    let mut buffer = JitterBuffer::new(8_000);
    let (mut frames, mut delays, mut most_held) = (Vec::new(), Vec::new(), 0);
    let end = 1_000 + ways.len() as u64 * 20 + 500;
    for now in 1_000..end {
        while let Some((_, n)) = arrivals.next_if(|(when, _)| *when <= now) {
            let sequence = first.0.wrapping_add(n as u16);
            let payload = n.to_be_bytes();
            buffer.push(&packet(sequence, first.1.wrapping_add(n * 160), 7, &payload), 160, at(now));
        }
        most_held = most_held.max(buffer.held());
        if now % 20 == 3 {
            let mut one = |next: Next<'_>| match next {
                Next::Packet { payload, hurry } => {
                    let n = u32::from_be_bytes(payload.try_into().unwrap());
                    delays.push((n, now - (1_000 + u64::from(n) * 20)));
                    (Some(n), hurry)
                }
                Next::Lost { .. } | Next::Quiet { .. } => (None, false),
            };
            let (played, hurry) = one(buffer.next(0, at(now)));
            frames.push(played);
            if hurry {
                one(buffer.next(0, at(now)));
            }
        }
    }
    let target = buffer.target();
    Run { frames, delays, figures: buffer.figures(), most_held, target }
}

/// The same numbers on every machine.
fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

#[test]
fn an_even_way_costs_the_shortest_wait_and_nothing_is_missing() {
    for first in [(0, 0), (65_500, u32::MAX - 800)] {
        let run = run(&[Some(30); 500], first);
        assert_eq!(run.figures, Figures { played: 500, ..run.figures });
        assert_eq!((run.figures.late, run.figures.duplicate), (0, 0));
        assert_eq!(run.delays.iter().map(|(n, _)| *n).collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
        assert!(run.delays.iter().all(|(_, delay)| (70..=90).contains(delay)), "{:?}", run.delays);
        assert_eq!(run.target, SHORTEST);
    }
}

#[test]
fn a_lost_packet_is_made_up_and_the_next_one_is_shown_to_the_decoder() {
    let mut buffer = JitterBuffer::new(8_000);
    for n in [0_u16, 1, 3] {
        let payload = [n as u8];
        buffer.push(&packet(n, u32::from(n) * 160, 7, &payload), 160, at(u64::from(n) * 20));
    }
    let mut told = Vec::new();
    for tick in 0..7 {
        // the first is due when it has waited for the shortest time
        told.push(match buffer.next(0, at(40 + tick * 20)) {
            Next::Packet { payload, hurry: false } => format!("packet {payload:?}"),
            Next::Lost { ticks, next } => format!("lost {ticks} before {next:?}"),
            other => format!("{other:?}"),
        });
    }
    let wanted = [
        "packet [0]",
        "packet [1]",
        "lost 160 before Some([3])",
        "packet [3]",
        "lost 160 before None",
        "lost 160 before None",
        "lost 160 before None",
    ];
    assert_eq!(told, wanted);
    assert_eq!(buffer.next(0, at(300)), Next::Quiet { ticks: 160 });
}

#[test]
fn a_speaker_who_pauses_is_quiet_and_not_lost() {
    let mut buffer = JitterBuffer::new(8_000);
    buffer.push(&packet(10, 0, 7, &[1]), 160, at(0));
    // two seconds of nothing in the numbers, half a second in time
    buffer.push(&packet(11, 4_000, 7, &[2]), 160, at(500));
    let mut quiet = 0;
    let mut seen = Vec::new();
    for tick in 0..40 {
        let now = 40 + tick * 20;
        match buffer.next(0, at(now)) {
            Next::Packet { payload, .. } => seen.push((payload, now)),
            Next::Quiet { ticks } => quiet += ticks,
            Next::Lost { .. } => {}
        }
    }
    assert_eq!(seen[0].0, [1]);
    assert!(seen[1].0 == [2] && (520..=580).contains(&seen[1].1), "{seen:?}");
    assert!(quiet > 3_000);
    assert!(buffer.figures().made_up <= 3 + 3, "{:?}", buffer.figures());
}

#[test]
fn what_comes_twice_late_or_swapped_is_played_once_in_order() {
    let mut buffer = JitterBuffer::new(8_000);
    let push = |buffer: &mut JitterBuffer, n: u16, now| {
        buffer.push(&packet(n, u32::from(n) * 160, 7, &[n as u8]), 160, at(now))
    };
    assert_eq!(push(&mut buffer, 0, 0), Taken::Started);
    assert_eq!(push(&mut buffer, 2, 20), Taken::Held);
    assert_eq!(push(&mut buffer, 1, 21), Taken::Held);
    assert_eq!(push(&mut buffer, 1, 22), Taken::Duplicate);
    let mut played = Vec::new();
    for tick in 0..3 {
        if let Next::Packet { payload, .. } = buffer.next(0, at(40 + tick * 20)) {
            played.push(payload[0]);
        }
    }
    assert_eq!(played, [0, 1, 2]);
    assert_eq!(push(&mut buffer, 2, 90), Taken::Duplicate);
    assert_eq!(push(&mut buffer, 0, 91), Taken::Late);
    assert_eq!(buffer.figures().duplicate, 2);
}

#[test]
fn another_stream_is_taken_up_with_its_second_packet() {
    let mut buffer = JitterBuffer::new(8_000);
    assert_eq!(buffer.push(&packet(5, 500, 7, &[1]), 160, at(0)), Taken::Started);
    assert_eq!(buffer.push(&packet(900, 90_000, 8, &[2]), 160, at(10)), Taken::Strange, "another SSRC");
    assert_eq!(buffer.push(&packet(6, 660, 7, &[1]), 160, at(20)), Taken::Held, "the first goes on");
    assert_eq!(buffer.push(&packet(901, 90_160, 8, &[2]), 160, at(30)), Taken::Strange, "not in a row");
    assert_eq!(buffer.push(&packet(902, 90_320, 8, &[2]), 160, at(50)), Taken::Started);
    assert_eq!(buffer.ssrc(), Some(8));
    // the same stream after a jump of its clock
    assert_eq!(buffer.push(&packet(903, 2_000_000, 8, &[3]), 160, at(70)), Taken::Strange);
    assert_eq!(buffer.push(&packet(904, 2_000_160, 8, &[3]), 160, at(90)), Taken::Started);
    let played: Vec<Next<'_>> = vec![buffer.next(0, at(130))];
    assert_eq!(played, [Next::Packet { payload: vec![3], hurry: false }]);
}

#[test]
fn the_wait_follows_the_network_up_and_down() {
    let mut random = random(1);
    let uneven: Vec<Option<u64>> = (0..1_000).map(|_| Some(20 + random(60))).collect();
    let even = vec![Some(20); 1_500];
    let rough = run(&uneven, (0, 0));
    assert!(rough.target >= Duration::from_millis(70) && rough.target <= LONGEST, "{:?}", rough.target);
    let missing = rough.frames[60..990].iter().filter(|frame| frame.is_none()).count();
    assert!(missing <= 28, "{missing} of 930 frames are missing");
    let calm = run(&[uneven, even].concat(), (0, 0));
    assert_eq!(calm.target, SHORTEST);
    let last = calm.delays.last().unwrap().1;
    assert!(last <= 20 + 40 + 30, "still {last} ms behind");
}

#[test]
fn a_way_that_becomes_longer_for_good_is_silent_for_a_moment_only() {
    let ways: Vec<Option<u64>> = [vec![Some(20); 200], vec![Some(320); 300]].concat();
    let run = run(&ways, (0, 0));
    let after: Vec<u32> = run.frames[215..].iter().flatten().copied().collect();
    assert!(after.len() > 250, "{} of 300 are heard", after.len());
}

#[test]
fn loss_costs_what_is_lost_and_no_more() {
    let mut random = random(2);
    for loss in [2, 5, 15] {
        let ways: Vec<Option<u64>> =
            (0..1_000).map(|_| (random(100) >= loss).then_some(20 + random(15))).collect();
        let sent = ways.iter().flatten().count();
        let run = run(&ways, (65_000, 0));
        assert!(run.delays.len() + 10 >= sent, "{loss} %: {} of {sent} were played", run.delays.len());
    }
}

#[test]
fn a_flood_from_the_future_is_bounded() {
    let mut buffer = JitterBuffer::new(8_000);
    for n in 0..5_000_u32 {
        buffer.push(&packet(n as u16, n, 7, &[0; 160]), 160, at(0));
    }
    assert_eq!(buffer.held(), MOST_HELD);
}

proptest! {
    #[test]
    fn in_order_within_bounds_whatever_the_network_does(
        ways in prop::collection::vec(prop::option::weighted(0.9, 0_u64..100), 20..400),
        number: u16, timestamp: u32,
    ) {
        let run = run(&ways, (number, timestamp));
        prop_assert!(run.delays.windows(2).all(|two| two[0].0 < two[1].0), "{:?}", run.delays);
        prop_assert!(run.most_held <= 16, "{} held", run.most_held);
        // the slowest way that it began with, the longest wait, and the slack
        prop_assert!(run.delays.iter().all(|(_, delay)| *delay <= 100 + 120 + 50), "{:?}", run.delays);
    }

    #[test]
    fn nothing_that_comes_breaks_it(
        packets in prop::collection::vec((any::<u16>(), any::<u32>(), 0_u32..3, 0_u32..2_000, 0_u64..50), 0..300),
    ) {
        let mut buffer = JitterBuffer::new(48_000);
        let mut now = 0;
        for (sequence, timestamp, ssrc, ticks, later) in packets {
            now += later;
            buffer.push(&packet(sequence, timestamp, ssrc, &[1]), ticks, at(now));
            if let Next::Lost { ticks, .. } | Next::Quiet { ticks } = buffer.next(0, at(now)) {
                prop_assert!(ticks > 0 && ticks <= 960);
            }
            prop_assert!(buffer.held() <= MOST_HELD);
        }
    }

    #[test]
    fn near_a_place_any_numbers_keep_their_order(
        packets in prop::collection::vec((0_u16..60, 0_u64..30), 0..300), start: u32, first: u16,
    ) {
        let mut buffer = JitterBuffer::new(8_000);
        let (mut now, mut newest) = (0, 0);
        for (n, later) in packets {
            now += later;
            let payload = [n as u8];
            let taken = buffer.push(&packet(first.wrapping_add(n), start.wrapping_add(u32::from(n) * 160), 1, &payload), 160, at(now));
            if taken == Taken::Started {
                newest = 0;
            }
            if let Next::Packet { payload, .. } = buffer.next(0, at(now)) {
                prop_assert!(u16::from(payload[0]) + 1 > newest, "{} after {newest}", payload[0]);
                newest = u16::from(payload[0]) + 1;
            }
        }
    }
}
