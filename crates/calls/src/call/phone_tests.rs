//! A test for each rule of ordinary telephones.

use super::*;
use crate::plan::{Member, PhoneRule};
use crate::testing::{at_ms, device, door, member, person, phone, request, seconds};
use klinke_model::intercom::BellKind::{self, Parallel, Sequential};
use klinke_model::intercom::EndReason::*;

struct Scene {
    call: Call,
}

impl Scene {
    fn new(kind: BellKind, members: &[Member]) -> (Self, Vec<Output>) {
        let plan = RingPlan::new(kind, members, None);
        let mut scene = Self { call: Call::new(plan, Limits::default(), at_ms(0)) };
        let outputs = scene.drain();
        (scene, outputs)
    }

    fn drain(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| match self.call.poll() {
            Poll::Output(output) => Some(output),
            Poll::Wait(_) => None,
        })
        .collect()
    }

    fn at(&mut self, ms: u64, input: Input) -> Vec<Output> {
        self.call.handle(input, at_ms(ms));
        self.drain()
    }

    fn wait(&mut self) -> Option<Mono> {
        match self.call.poll() {
            Poll::Wait(until) => until,
            Poll::Output(output) => panic!("not drained: {output:?}"),
        }
    }
}

/// One resident with this device and a telephone.
fn one(rule: PhoneRule) -> Member {
    member(1, &[1], Some(rule))
}

/// A resident who has no device.
fn by_phone(who: u8) -> Member {
    member(who, &[], Some(PhoneRule::WithoutDevice))
}

fn calling(phone: bool, reached: bool, left_ms: u64) -> Output {
    let left = Duration::from_millis(left_ms);
    Output::TellPanel(PanelView::Calling { step: 1, steps: 1, reached, phone, left })
}

fn opens(leg: Leg, ask: u8) -> Input {
    Input::LegOpens { leg, request: request(ask), door: door(1) }
}

fn outcome(leg: Leg, ask: u8, opened: bool) -> Input {
    Input::DoorOutcome { leg, request: request(ask), opened_for: opened.then_some(seconds(5)) }
}

fn is_refused(outputs: &[Output]) -> bool {
    matches!(outputs, [Output::RefuseOpen { .. }])
}

fn is_passed_on(outputs: &[Output]) -> bool {
    matches!(outputs, [Output::OpenDoor { .. }])
}

#[test]
fn who_has_no_device_is_rung_by_telephone_at_once() {
    let (mut scene, outputs) = Scene::new(Parallel, &[by_phone(1), member(2, &[2], None)]);
    let rung = [Output::Offer(phone(1)), Output::Offer(device(2)), calling(true, false, 60_000)];
    assert_eq!(outputs, rung);
    assert_eq!(scene.at(400, Input::LegRinging(phone(1))), [calling(true, true, 59_600)]);
}

#[test]
fn silence_of_three_seconds_rings_the_telephone_beside_the_device() {
    let (mut scene, outputs) = Scene::new(Parallel, &[one(PhoneRule::WhenSilent)]);
    assert_eq!(outputs, [Output::Offer(device(1)), calling(false, false, 60_000)]);
    assert_eq!(scene.wait(), Some(at_ms(3_000)));
    assert_eq!(scene.at(2_999, Input::Tick), []);
    assert_eq!(scene.at(3_000, Input::Tick), [Output::Offer(phone(1)), calling(true, false, 57_000)]);
    assert_eq!(scene.wait(), Some(at_ms(60_000)));
    assert_eq!(scene.at(3_500, Input::LegRinging(device(1))), [calling(true, true, 56_500)], "it rings on");
}

#[test]
fn a_device_that_is_heard_spares_the_telephone() {
    for input in [Input::LegRinging(device(1)), opens(device(1), 1)] {
        let (mut scene, _) = Scene::new(Parallel, &[one(PhoneRule::WhenSilent)]);
        scene.at(2_900, input);
        scene.at(2_950, outcome(device(1), 1, false));
        assert_eq!(scene.wait(), Some(at_ms(60_000)), "{input:?}");
        assert_eq!(scene.at(3_000, Input::Tick), []);
        assert_eq!(scene.at(4_000, Input::LegGone(device(1))).last(), Some(&Output::Ended(Unreachable)));
    }
    let (mut scene, _) = Scene::new(Parallel, &[one(PhoneRule::WhenSilent)]);
    let declined = scene.at(1_000, Input::LegDeclined(device(1)));
    assert_eq!(declined.last(), Some(&Output::Ended(Declined)), "who declines is not rung by telephone");
}

#[test]
fn a_device_that_is_lost_before_a_word_does_not_make_the_visitor_wait() {
    let (mut scene, _) = Scene::new(Parallel, &[one(PhoneRule::WhenSilent)]);
    let gone = scene.at(500, Input::LegGone(device(1)));
    let stopped = Output::Cancel(device(1), Cancel::Stopped);
    assert_eq!(gone, [stopped, Output::Offer(phone(1)), calling(true, false, 59_500)]);
    // away is not gone: it may come back
    let (mut scene, _) = Scene::new(Parallel, &[one(PhoneRule::WhenSilent)]);
    assert_eq!(scene.at(500, Input::LegAway(device(1))), []);
    assert_eq!(scene.wait(), Some(at_ms(3_000)));
}

#[test]
fn no_telephone_begins_to_ring_while_somebody_opens() {
    let (mut scene, _) = Scene::new(Parallel, &[one(PhoneRule::WhenSilent), member(2, &[2], None)]);
    assert!(is_passed_on(&scene.at(2_000, opens(device(2), 1))));
    assert_eq!(scene.at(3_500, Input::Tick), []);
    let failed = scene.at(4_000, outcome(device(2), 1, false));
    assert_eq!(failed, [Output::Offer(phone(1)), calling(true, false, 56_000)]);
}

#[test]
fn each_step_has_its_own_silence() {
    let second = member(2, &[2], Some(PhoneRule::WhenSilent));
    let (mut scene, _) = Scene::new(Sequential, &[one(PhoneRule::WhenSilent), second]);
    assert_eq!(scene.at(3_000, Input::Tick).first(), Some(&Output::Offer(phone(1))));
    let next = scene.at(20_000, Input::Tick);
    let stopped = |leg| Output::Cancel(leg, Cancel::Stopped);
    assert_eq!(next[..3], [stopped(device(1)), stopped(phone(1)), Output::Offer(device(2))]);
    assert!(!next.contains(&Output::Offer(phone(2))));
    assert_eq!(scene.wait(), Some(at_ms(23_000)));
    assert_eq!(scene.at(23_000, Input::Tick).first(), Some(&Output::Offer(phone(2))));
    // so late that the step is over too: nobody's telephone rings for a moment
    let (mut scene, _) = Scene::new(Sequential, &[one(PhoneRule::WhenSilent), by_phone(2)]);
    assert!(!scene.at(20_000, Input::Tick).contains(&Output::Offer(phone(1))));
}

#[test]
fn a_telephone_that_does_not_answer_makes_room_for_the_next() {
    for (input, last) in [
        (Input::LegDeclined(phone(1)), Declined),
        (Input::LegGone(phone(1)), Unreachable),
        (Input::LegHungUp(phone(1)), Declined),
    ] {
        let (mut scene, _) = Scene::new(Sequential, &[by_phone(1), by_phone(2)]);
        let next = scene.at(1_000, input);
        assert_eq!(next[..2], [Output::Cancel(phone(1), Cancel::Stopped), Output::Offer(phone(2))]);
        let (mut scene, _) = Scene::new(Parallel, &[by_phone(1)]);
        assert_eq!(scene.at(1_000, input).last(), Some(&Output::Ended(last)), "{input:?}");
    }
}

#[test]
fn the_panel_hears_when_the_telephone_ceases_to_ring() {
    let (mut scene, _) = Scene::new(Parallel, &[one(PhoneRule::Both)]);
    let busy = scene.at(1_000, Input::LegDeclined(phone(1)));
    assert_eq!(busy, [Output::Cancel(phone(1), Cancel::Stopped), calling(false, false, 59_000)]);
}

#[test]
fn a_telephone_opens_once_and_only_after_its_answer() {
    let (mut scene, _) = Scene::new(Parallel, &[by_phone(1), member(2, &[2], None)]);
    assert!(is_refused(&scene.at(1_000, opens(phone(1), 1))), "picked up is not answered");
    assert_eq!(scene.at(2_000, Input::LegAccepted(phone(1))).first(), Some(&Output::Bridge(phone(1))));
    assert!(is_passed_on(&scene.at(2_000, opens(phone(1), 2))));
    assert!(is_refused(&scene.at(2_100, opens(phone(1), 3))), "one is under way");
    assert_eq!(scene.at(2_200, outcome(phone(1), 2, true)), [], "it goes on");
    assert_eq!(scene.call.bridged(), Some(phone(1)));
    assert!(is_refused(&scene.at(60_000, opens(phone(1), 4))), "it has opened");
    assert_eq!(scene.at(61_000, Input::LegHungUp(phone(1))).last(), Some(&Output::Ended(ResidentHungUp)));
}

#[test]
fn what_did_not_open_may_be_tried_again() {
    let (mut scene, _) = Scene::new(Parallel, &[by_phone(1)]);
    scene.at(1_000, Input::LegAccepted(phone(1)));
    assert!(is_passed_on(&scene.at(1_000, opens(phone(1), 1))));
    scene.at(1_100, outcome(phone(1), 1, false));
    assert!(is_passed_on(&scene.at(1_200, opens(phone(1), 2))));
}

#[test]
fn a_telephone_has_no_connection_to_lose() {
    let (mut scene, _) = Scene::new(Parallel, &[by_phone(1)]);
    let joins = Input::LegJoined { leg: phone(7), person: person(7) };
    for input in [Input::LegAway(phone(1)), Input::LegBack(phone(1)), joins] {
        assert_eq!(scene.at(1_000, input), [], "{input:?}");
    }
    assert_eq!(scene.wait(), Some(at_ms(60_000)));
}
