use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const PANEL: Source = Source { leg: 1, ssrc: 11 };
const RELOADED: Source = Source { leg: 2, ssrc: 11 };

#[expect(clippy::disallowed_methods, reason = "an origin for the test's own time")]
fn origin() -> Instant {
    Instant::now()
}

#[test]
fn a_source_keeps_its_holes() {
    let (mut out, t0) = (Rewriter::new(90_000, 100), origin());
    assert_eq!(out.rewrite(PANEL, 5_000, 777, t0), Some((100, 777)));
    assert_eq!(out.rewrite(PANEL, 5_003, 3_777, t0), Some((103, 3_777)));
    assert_eq!(out.rewrite(PANEL, 5_001, 777, t0), Some((101, 777)), "a repaired packet takes its own place");
}

#[test]
fn a_reload_continues_numbers_and_time() {
    let (mut out, t0) = (Rewriter::new(90_000, 100), origin());
    out.rewrite(PANEL, 5_000, 777, t0);
    out.rewrite(PANEL, 5_001, 777, t0);
    let later = t0 + Duration::from_millis(500);
    assert_eq!(out.rewrite(RELOADED, 60, 4_000_000, later), Some((102, 777 + 45_000)));
    assert_eq!(out.rewrite(RELOADED, 61, 4_003_000, later), Some((103, 777 + 48_000)));
    assert_eq!(out.rewrite(RELOADED, 59, 3_997_000, later), None, "its place is taken by the old source");
}

#[test]
fn a_repaired_packet_does_not_turn_the_time_back() {
    let (mut out, t0) = (Rewriter::new(90_000, 0), origin());
    out.rewrite(PANEL, 10, 1_000, t0);
    out.rewrite(PANEL, 12, 7_000, t0);
    out.rewrite(PANEL, 11, 4_000, t0);
    assert_eq!(out.rewrite(RELOADED, 0, 0, t0), Some((3, 7_001)));
}

#[test]
fn a_pause_leaves_no_hole() {
    let (mut out, t0) = (Rewriter::new(48_000, 0), origin());
    assert_eq!(out.rewrite(PANEL, 10, 0, t0), Some((0, 0)));
    out.cut();
    assert_eq!(out.rewrite(PANEL, 900, 960_000, t0 + Duration::from_secs(20)), Some((1, 960_000)));
}

#[test]
fn numbers_and_timestamps_wrap_around() {
    let (mut out, t0) = (Rewriter::new(90_000, 65_535), origin());
    assert_eq!(out.rewrite(PANEL, 65_535, u32::MAX - 10, t0), Some((65_535, u32::MAX - 10)));
    assert_eq!(out.rewrite(PANEL, 65_536, 2_989, t0), Some((65_536, 2_989)));
    assert_eq!(out.rewrite(RELOADED, 0, 50, t0), Some((65_537, 2_990)), "time goes on from after the wrap");
}

#[test]
fn a_switch_at_the_same_moment_still_makes_a_new_timestamp() {
    let (mut out, t0) = (Rewriter::new(90_000, 0), origin());
    out.rewrite(PANEL, 0, 9, t0);
    assert_eq!(out.rewrite(RELOADED, 0, 9, t0), Some((1, 10)));
}

#[derive(Clone, Debug)]
enum Step {
    /// The next packet, after so many lost ones, so many milliseconds later.
    Packet { lost: u64, millis: u64 },
    /// A packet again that was lost, so far back.
    Late { back: u64 },
    /// Another source, starting anywhere.
    Switch { seq: u16, timestamp: u32 },
    /// The stream is left out for a while.
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_u64, 0..200_u64).prop_map(|(lost, millis)| Step::Packet { lost, millis }),
        2 => (1..50_u64).prop_map(|back| Step::Late { back }),
        1 => (any::<u16>(), any::<u32>()).prop_map(|(seq, timestamp)| Step::Switch { seq, timestamp }),
        1 => Just(Step::Cut),
    ]
}

proptest! {
    #[test]
    fn any_history_gives_one_stream(first in 0..0x8000_u16, steps in prop::collection::vec(step(), 1..400)) {
        let mut out = Rewriter::new(90_000, first);
        let mut now = origin();
        let (mut leg, mut seq, mut timestamp) = (0, 70_000_u64, u32::MAX - 100_000);
        let mut sent = BTreeMap::new();
        let mut fresh_run = true;
        for step in steps {
            match step {
                Step::Packet { lost, millis } => {
                    now += Duration::from_millis(millis);
                    seq += 1 + lost;
                    timestamp = timestamp.wrapping_add(u32::try_from(millis).unwrap() * 90);
                    let source = Source { leg, ssrc: 5 };
                    let (out_seq, out_timestamp) = out.rewrite(source, seq, timestamp, now).expect("new packets pass");
                    let highest = sent.last_key_value().map(|(seq, (_, _, timestamp))| (*seq, *timestamp));
                    if let Some((highest, newest)) = highest {
                        let step: u64 = if fresh_run { 1 } else { 1 + lost };
                        prop_assert_eq!(out_seq, highest + step, "no hole but real losses");
                        let ahead: u32 = out_timestamp.wrapping_sub(newest);
                        prop_assert!(ahead < u32::MAX / 2, "time goes forward");
                        prop_assert!(!fresh_run || ahead > 0);
                    } else {
                        prop_assert_eq!(out_seq, u64::from(first));
                    }
                    prop_assert!(sent.insert(out_seq, (leg, seq, out_timestamp)).is_none());
                    fresh_run = false;
                }
                Step::Late { back } => {
                    if let Some((out_seq, _)) = (!fresh_run)
                        .then(|| out.rewrite(Source { leg, ssrc: 5 }, seq.saturating_sub(back), timestamp, now))
                        .flatten()
                    {
                        let known = sent.get(&out_seq).map(|(leg, seq, _)| (*leg, *seq));
                        prop_assert!(known.is_none_or(|known| known == (leg, seq - back)), "a number means one packet");
                        sent.entry(out_seq).or_insert((leg, seq - back, timestamp));
                    }
                }
                Step::Switch { seq: start, timestamp: at } => {
                    leg += 1;
                    (seq, timestamp, fresh_run) = (u64::from(start), at, true);
                }
                Step::Cut => {
                    out.cut();
                    fresh_run = true;
                }
            }
        }
    }
}
