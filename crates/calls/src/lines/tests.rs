//! A test for each rule between calls, and random days.

use super::*;
use crate::call::{Cancel, PanelView};
use crate::testing::{bell, call_id, device, panel, person, request};
use klinke_model::intercom::EndReason::*;
use proptest::prelude::*;
use std::time::Duration;

fn tap(at: u8, ask: u8, name: u8) -> Tap {
    Tap { panel: panel(at), request: request(ask), bell: bell(name), chosen: None }
}

/// Lines in which calls 1, 2, … at panels 1, 2, … may each ring these devices.
fn lines(devices: &[&[u8]]) -> Lines {
    let mut lines = Lines::default();
    for (n, legs) in (1..).zip(devices) {
        assert_eq!(lines.tap(tap(n, n, n), call_id(n)), Tapped::New);
        lines.expect(call_id(n), legs.iter().map(|leg| device(*leg)));
    }
    lines
}

fn answer(lines: &mut Lines, call: u8, leg: u8) -> Option<CallId> {
    assert_eq!(lines.follow(call_id(call), &Output::Offer(device(leg))), None);
    lines.follow(call_id(call), &Output::Bridge(device(leg)))
}

#[test]
fn a_panel_has_one_live_call() {
    let mut lines = Lines::default();
    assert_eq!(lines.tap(tap(1, 1, 1), call_id(1)), Tapped::New);
    assert_eq!(lines.tap(tap(1, 1, 1), call_id(2)), Tapped::Same(call_id(1)), "the request again");
    assert_eq!(lines.tap(tap(1, 1, 2), call_id(2)), Tapped::Same(call_id(1)), "the id decides");
    assert_eq!(lines.tap(tap(1, 2, 2), call_id(2)), Tapped::Busy, "another name");
    let member = Tap { chosen: Some(person(1)), ..tap(1, 2, 1) };
    assert_eq!(lines.tap(member, call_id(2)), Tapped::Busy, "a member behind the name");
    assert_eq!(lines.tap(tap(1, 3, 1), call_id(2)), Tapped::Same(call_id(1)), "the same name again");
    assert_eq!(lines.tap(tap(2, 1, 1), call_id(2)), Tapped::New, "another panel, same request id");
    assert_eq!(lines.at_panel(panel(1)), Some(call_id(1)));
    assert_eq!(lines.panel_of(call_id(2)), Some(panel(2)));
    assert_eq!(lines.calls().collect::<Vec<_>>().len(), 2);
}

#[test]
fn a_repeated_request_does_not_ring_again_after_its_call() {
    let mut lines = lines(&[&[1]]);
    assert_eq!(lines.follow(call_id(1), &Output::Ended(Declined)), None);
    assert_eq!(lines.at_panel(panel(1)), None);
    assert_eq!(lines.panel_of(call_id(1)), None);
    assert_eq!(lines.tap(tap(1, 1, 1), call_id(2)), Tapped::Over(call_id(1), Declined));
    lines.end(call_id(1), Interrupted);
    assert_eq!(lines.tap(tap(1, 1, 1), call_id(2)), Tapped::Over(call_id(1), Declined), "ended once");
    assert_eq!(lines.tap(tap(1, 2, 1), call_id(2)), Tapped::New);
    assert_eq!(lines.tap(tap(1, 3, 1), call_id(3)), Tapped::Same(call_id(2)));
    lines.end(call_id(2), NoAnswer);
    assert_eq!(lines.tap(tap(1, 3, 1), call_id(3)), Tapped::Over(call_id(2), NoAnswer), "its newest request");
}

#[test]
fn a_resident_is_rung_from_two_panels() {
    let mut lines = lines(&[&[1, 2], &[1]]);
    for call in [1, 2] {
        assert_eq!(lines.follow(call_id(call), &Output::Offer(device(1))), None);
    }
    let both = [(call_id(1), Standing::Ringing), (call_id(2), Standing::Ringing)];
    assert_eq!(lines.at_leg(device(1)), both);
    assert_eq!(lines.at_leg(device(2)), [(call_id(1), Standing::Planned)]);
    assert_eq!(lines.at_leg(device(9)), []);
    let legs = [(device(1), Standing::Ringing), (device(2), Standing::Planned)];
    assert_eq!(lines.legs_of(call_id(1)), legs);
}

#[test]
fn who_answers_a_second_call_hangs_up_the_first() {
    let mut lines = lines(&[&[1], &[1, 2], &[2]]);
    assert_eq!(answer(&mut lines, 1, 1), None);
    assert_eq!(answer(&mut lines, 3, 2), None, "another device");
    assert_eq!(answer(&mut lines, 2, 1), Some(call_id(1)));
    assert_eq!(lines.at_leg(device(1)), [(call_id(2), Standing::Answered)]);
    let again = lines.follow(call_id(2), &Output::Bridge(device(1)));
    assert_eq!(again, None, "told once");
    assert_eq!(lines.at_panel(panel(1)), Some(call_id(1)), "it lives until it says so itself");
}

#[test]
fn an_ended_call_is_nowhere_and_does_not_come_back() {
    let mut lines = lines(&[&[1], &[1]]);
    assert_eq!(answer(&mut lines, 1, 1), None);
    assert_eq!(lines.follow(call_id(2), &Output::Offer(device(1))), None);
    lines.end(call_id(2), Interrupted);
    for late in [Output::Offer(device(1)), Output::Bridge(device(1))] {
        assert_eq!(lines.follow(call_id(2), &late), None, "{late:?}");
    }
    lines.expect(call_id(2), [device(1)]);
    assert_eq!(lines.legs_of(call_id(2)), []);
    assert_eq!(lines.at_leg(device(1)), [(call_id(1), Standing::Answered)]);
    assert_eq!(lines.calls().collect::<Vec<_>>(), [call_id(1)]);
}

#[test]
fn a_cancelled_leg_has_left_the_call() {
    let mut lines = lines(&[&[1, 2]]);
    let calling = PanelView::Calling { step: 1, steps: 1, reached: true, phone: true, left: Duration::ZERO };
    assert_eq!(lines.follow(call_id(1), &Output::Offer(device(1))), None);
    assert_eq!(lines.follow(call_id(1), &Output::TellPanel(calling)), None);
    assert_eq!(lines.at_leg(device(1)), [(call_id(1), Standing::Ringing)]);
    assert_eq!(lines.follow(call_id(1), &Output::Cancel(device(1), Cancel::Stopped)), None);
    assert_eq!(lines.at_leg(device(1)), []);
    assert_eq!(lines.legs_of(call_id(1)), [(device(2), Standing::Planned)]);
    assert!(lines.legs.len() == 1, "nothing is kept for a leg without calls");
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Tap(Tap),
    Follow(u8, Output),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let call = 0..4u8;
    let leg = || (0..3u8).prop_map(device);
    let output = prop_oneof![
        4 => leg().prop_map(Output::Offer),
        4 => leg().prop_map(Output::Bridge),
        2 => leg().prop_map(|leg| Output::Cancel(leg, Cancel::Stopped)),
        1 => Just(Output::Ended(NoAnswer)),
    ];
    prop::collection::vec(
        prop_oneof![
            1 => (0..3u8, 0..4u8, 0..3u8).prop_map(|(at, ask, name)| Act::Tap(tap(at, ask, name))),
            3 => (call, output).prop_map(|(call, output)| Act::Follow(call, output)),
        ],
        1..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes: one live call a panel, one answered call a leg, and no trace of ended calls.
    #[test]
    fn the_invariants_hold_over_random_days(acts in acts()) {
        let mut lines = Lines::default();
        let mut placed = Vec::new();
        for act in acts {
            match act {
                Act::Tap(tap) => {
                    let call = call_id(u8::try_from(placed.len()).unwrap());
                    let live = lines.at_panel(tap.panel);
                    let tapped = lines.tap(tap, call);
                    if tapped == Tapped::New {
                        prop_assert_eq!(live, None);
                        lines.expect(call, [0, 1, 2].map(device));
                        placed.push(call);
                    } else if let Tapped::Same(same) = tapped {
                        prop_assert_eq!(live, Some(same));
                    }
                }
                Act::Follow(back, output) => {
                    let nth = placed.len().checked_sub(1 + usize::from(back));
                    let Some(call) = nth.map(|nth| placed[nth]) else { continue };
                    let held: Vec<_> = match output {
                        Output::Bridge(leg) => lines.at_leg(leg),
                        _ => Vec::new(),
                    };
                    let first = lines.follow(call, &output);
                    let mut others = held.iter().filter(|(other, s)| *other != call && *s == Standing::Answered);
                    let mine = held.iter().any(|(other, _)| *other == call);
                    prop_assert_eq!(first, others.next().filter(|_| mine).map(|(other, _)| *other));
                }
            }
            let live: Vec<_> = lines.calls().collect();
            for call in &live {
                prop_assert_eq!(lines.at_panel(lines.panel_of(*call).unwrap()), Some(*call));
            }
            for leg in [0, 1, 2].map(device) {
                let calls = lines.at_leg(leg);
                prop_assert!(calls.iter().filter(|(_, s)| *s == Standing::Answered).count() <= 1);
                for (call, standing) in calls {
                    prop_assert!(live.contains(&call));
                    prop_assert!(lines.legs_of(call).contains(&(leg, standing)));
                }
            }
        }
    }
}
