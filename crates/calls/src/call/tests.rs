//! A test for each rule; whole random histories are in [`super::histories`].

use super::*;
use crate::testing::{at_ms, device, door, person, plan, request, seconds};
use klinke_model::ids::PersonId;
use klinke_model::intercom::BellKind::{Parallel, Sequential};
use klinke_model::intercom::EndReason::*;

/// A call with default limits and its time; every step gives one input and returns all outputs.
struct Scene {
    call: Call,
    now: Mono,
}

impl Scene {
    /// Member n has the n-th list of devices.
    fn new(kind: klinke_model::intercom::BellKind, members: &[&[u8]]) -> (Self, Vec<Output>) {
        let call = Call::new(plan(kind, members), Limits::default(), at_ms(0));
        let mut scene = Self { call, now: at_ms(0) };
        let outputs = scene.drain();
        (scene, outputs)
    }

    /// Two residents, one device each (1 and 2), rung together.
    fn pair() -> Self {
        Self::new(Parallel, &[&[1], &[2]]).0
    }

    /// A pair in which device 1 has answered at once.
    fn talking() -> Self {
        let mut scene = Self::pair();
        scene.give(Input::LegAccepted(device(1)));
        scene
    }

    fn drain(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| match self.call.poll() {
            Poll::Output(output) => Some(output),
            Poll::Wait(_) => None,
        })
        .collect()
    }

    fn give(&mut self, input: Input) -> Vec<Output> {
        self.call.handle(input, self.now);
        self.drain()
    }

    fn at(&mut self, ms: u64, input: Input) -> Vec<Output> {
        self.now = at_ms(ms);
        self.give(input)
    }

    fn tick(&mut self, ms: u64) -> Vec<Output> {
        self.at(ms, Input::Tick)
    }

    fn wait(&mut self) -> Option<Mono> {
        match self.call.poll() {
            Poll::Wait(until) => until,
            Poll::Output(output) => panic!("not drained: {output:?}"),
        }
    }
}

fn calling(step: u8, steps: u8, reached: bool, left_ms: u64) -> Output {
    let left = Duration::from_millis(left_ms);
    Output::TellPanel(PanelView::Calling { step, steps, reached, phone: false, left })
}

fn connected(left_ms: u64) -> Output {
    Output::TellPanel(PanelView::Connected { left: Duration::from_millis(left_ms) })
}

fn offer(n: u8) -> Output {
    Output::Offer(device(n))
}

fn stopped(n: u8) -> Output {
    Output::Cancel(device(n), Cancel::Stopped)
}

fn ended(n: u8, reason: EndReason) -> Output {
    Output::Cancel(device(n), Cancel::Ended(reason))
}

fn elsewhere(n: u8, by: PersonId, opened: bool) -> Output {
    Output::Cancel(device(n), Cancel::Elsewhere { by, opened })
}

fn opens(leg: u8, ask: u8) -> Input {
    Input::LegOpens { leg: device(leg), request: request(ask), door: door(1) }
}

fn open_door(leg: u8, ask: u8) -> Output {
    Output::OpenDoor { leg: device(leg), person: person(leg), request: request(ask), door: door(1) }
}

fn refuse(leg: u8, ask: u8) -> Output {
    Output::RefuseOpen { leg: device(leg), request: request(ask), door: door(1) }
}

fn outcome(leg: u8, ask: u8, opened: bool) -> Input {
    Input::DoorOutcome { request: request(ask), leg: device(leg), opened_for: opened.then_some(seconds(5)) }
}

// --- ringing ------------------------------------------------------------------------------------------

#[test]
fn parallel_rings_all_until_the_ring_time_is_over() {
    let (mut scene, outputs) = Scene::new(Parallel, &[&[1, 2], &[3]]);
    assert_eq!(outputs, [offer(1), offer(2), offer(3), calling(1, 1, false, 60_000)]);
    assert_eq!(scene.wait(), Some(at_ms(60_000)));
    assert_eq!(scene.tick(59_999), []);
    let end = [ended(1, NoAnswer), ended(2, NoAnswer), ended(3, NoAnswer), Output::Ended(NoAnswer)];
    assert_eq!(scene.tick(60_000), end);
    assert_eq!(scene.wait(), None);
    assert_eq!(scene.call.end_reason(), Some(NoAnswer));
}

#[test]
fn a_sequence_goes_on_after_each_steps_time_and_its_last_step_takes_the_rest() {
    let (mut scene, outputs) = Scene::new(Sequential, &[&[1], &[2]]);
    assert_eq!(outputs, [offer(1), calling(1, 2, false, 60_000)]);
    assert_eq!(scene.wait(), Some(at_ms(20_000)));
    assert_eq!(scene.tick(19_999), []);
    assert_eq!(scene.tick(20_000), [stopped(1), offer(2), calling(2, 2, false, 40_000)]);
    assert_eq!(scene.wait(), Some(at_ms(60_000)));
    assert_eq!(scene.tick(60_000), [ended(2, NoAnswer), Output::Ended(NoAnswer)]);
}

#[test]
fn ring_time_ends_a_long_sequence_before_its_last_step() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2], &[3], &[4]]);
    scene.tick(20_000);
    assert_eq!(scene.tick(45_000), [stopped(2), offer(3), calling(3, 4, false, 15_000)]);
    assert_eq!(scene.wait(), Some(at_ms(60_000)));
    assert_eq!(scene.tick(60_000), [ended(3, NoAnswer), Output::Ended(NoAnswer)]);
}

#[test]
fn a_late_tick_skips_nobody() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2], &[3]]);
    assert_eq!(scene.tick(50_000), [stopped(1), offer(2), calling(2, 3, false, 10_000)]);
}

#[test]
fn a_step_is_over_at_once_when_all_its_legs_declined_or_are_gone() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1, 2], &[3], &[4]]);
    assert_eq!(scene.at(1_000, Input::LegDeclined(device(1))), [stopped(1)]);
    let next = [stopped(2), offer(3), calling(2, 3, false, 59_000)];
    assert_eq!(scene.give(Input::LegGone(device(2))), next);
    assert_eq!(scene.wait(), Some(at_ms(21_000)), "a step's time runs from its own beginning");
    assert_eq!(scene.give(Input::LegBack(device(1))), [], "who declined is not rung again");
    assert_eq!(scene.give(Input::LegGone(device(4))), [], "its turn had not come");
    assert_eq!(scene.wait(), Some(at_ms(60_000)), "nobody waits behind this step any more");
    assert_eq!(scene.give(Input::LegDeclined(device(3))), [stopped(3), Output::Ended(Declined)]);
}

#[test]
fn with_nobody_left_the_call_ends_and_says_why() {
    use Input::{LegDeclined, LegGone, LegHungUp};
    for (first, second, reason) in [
        (LegDeclined(device(1)), LegDeclined(device(2)), Declined),
        (LegHungUp(device(1)), LegDeclined(device(2)), Declined),
        (LegGone(device(1)), LegDeclined(device(2)), Declined),
        (LegGone(device(1)), LegGone(device(2)), Unreachable),
        (LegDeclined(device(1)), LegGone(device(2)), Declined),
    ] {
        let mut scene = Scene::pair();
        assert_eq!(scene.give(first), [stopped(1)], "{first:?}");
        assert_eq!(scene.give(second), [stopped(2), Output::Ended(reason)], "{first:?} {second:?}");
    }
}

#[test]
fn one_whose_turn_passed_did_not_decline() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2]]);
    scene.tick(20_000);
    assert_eq!(scene.give(Input::LegDeclined(device(2))), [stopped(2), Output::Ended(NoAnswer)]);
}

#[test]
fn nobody_to_ring_is_unreachable_at_once() {
    let (mut scene, outputs) = Scene::new(Parallel, &[&[], &[]]);
    assert_eq!(outputs, [Output::Ended(Unreachable)]);
    assert_eq!(scene.wait(), None);
}

#[test]
fn the_panel_hears_once_that_somebody_is_reached() {
    let mut scene = Scene::pair();
    assert_eq!(scene.at(300, Input::LegRinging(device(9))), [], "unknown");
    assert_eq!(scene.give(Input::LegRinging(device(2))), [calling(1, 1, true, 59_700)]);
    assert_eq!(scene.give(Input::LegRinging(device(1))), []);
}

#[test]
fn a_ringing_leg_that_was_away_is_offered_again_and_others_are_not() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2]]);
    assert_eq!(scene.give(Input::LegAway(device(1))), []);
    assert_eq!(scene.at(15_000, Input::LegBack(device(1))), [offer(1)], "longer than `away`: only ringing");
    assert_eq!(scene.give(Input::LegBack(device(1))), [offer(1)], "the loss was not noticed");
    assert_eq!(scene.give(Input::LegBack(device(2))), [], "its turn has not come");
    assert_eq!(scene.tick(20_000), [stopped(1), offer(2), calling(2, 2, false, 40_000)]);
    assert_eq!(scene.give(Input::LegBack(device(1))), [], "its turn is over");
}

#[test]
fn a_leg_that_connects_while_it_rings_joins_its_person() {
    let joins = |leg, who| Input::LegJoined { leg: device(leg), person: person(who) };
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2]]);
    assert_eq!(scene.at(5_000, joins(3, 1)), [offer(3)], "its person is rung now");
    assert_eq!(scene.give(joins(3, 1)), [offer(3)], "it is in the call already");
    assert_eq!(scene.give(joins(4, 2)), [], "its person's turn has not come");
    assert_eq!(scene.give(joins(5, 7)), [], "whose person had no leg waits for the last step");
    let next = [stopped(1), stopped(3), offer(2), offer(4), offer(5), calling(2, 2, false, 40_000)];
    assert_eq!(scene.tick(20_000), next);
    assert_eq!(scene.give(joins(6, 1)), [], "its person's turn is over");
    assert!(scene.give(Input::LegAccepted(device(5))).contains(&Output::Bridge(device(5))));
    assert_eq!(scene.give(joins(8, 2)), [], "somebody has answered");
}

#[test]
fn a_leg_that_is_away_when_its_turn_comes_is_offered_when_it_is_back() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2], &[3]]);
    scene.give(Input::LegAway(device(2)));
    scene.give(Input::LegAway(device(3)));
    assert_eq!(scene.tick(20_000), [stopped(1), calling(2, 3, false, 40_000)]);
    assert_eq!(scene.give(Input::LegAccepted(device(2))), [], "it was not offered");
    assert_eq!(scene.give(Input::LegDeclined(device(2))), []);
    assert_eq!(scene.give(opens(2, 1)), [refuse(2, 1)]);
    assert_eq!(scene.at(25_000, Input::LegBack(device(2))), [offer(2)]);
    assert_eq!(scene.tick(40_000), [stopped(2), calling(3, 3, false, 20_000)]);
    assert_eq!(scene.tick(60_000), [Output::Ended(NoAnswer)], "never offered, so nothing to cancel");
}

// --- talking ------------------------------------------------------------------------------------------

#[test]
fn the_first_who_accepts_has_the_call() {
    let mut scene = Scene::pair();
    let outputs = scene.at(3_000, Input::LegAccepted(device(2)));
    let tell = Output::TellLeg(device(2), seconds(120));
    assert_eq!(
        outputs,
        [Output::Bridge(device(2)), tell, connected(120_000), elsewhere(1, person(2), false)]
    );
    assert_eq!(scene.call.bridged(), Some(device(2)));
    for late in [Input::LegAccepted(device(1)), Input::LegAccepted(device(2)), Input::LegDeclined(device(2))]
    {
        assert_eq!(scene.give(late), [], "{late:?}");
    }
    for not_in_it in [Input::LegHungUp(device(1)), Input::LegGone(device(1)), Input::LegBack(device(1))] {
        assert_eq!(scene.give(not_in_it), [], "{not_in_it:?}");
    }
    assert_eq!(scene.wait(), Some(at_ms(123_000)));
}

#[test]
fn who_is_not_rung_can_not_accept() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2], &[3]]);
    scene.tick(20_000);
    for leg in [1, 3, 9] {
        assert_eq!(scene.give(Input::LegAccepted(device(leg))), [], "{leg}");
    }
    assert_eq!(scene.call.bridged(), None);
}

#[test]
fn each_way_out_of_talking_unbridges_cancels_and_ends() {
    for (ms, input, reason) in [
        (10, Input::LegHungUp(device(1)), ResidentHungUp),
        (10, Input::LegGone(device(1)), Interrupted),
        (10, Input::VisitorHungUp, VisitorLeft),
        (10, Input::Shutdown, Interrupted),
        (120_000, Input::Tick, TimeLimit),
    ] {
        let mut scene = Scene::talking();
        assert_eq!(scene.tick(ms - 1), []);
        let over = [Output::Unbridge(device(1)), ended(1, reason), Output::Ended(reason)];
        assert_eq!(scene.at(ms, input), over, "{input:?}");
        assert_eq!(scene.wait(), None);
        assert_eq!(scene.call.bridged(), None);
    }
}

#[test]
fn the_answering_leg_may_be_away_for_a_reload() {
    let mut scene = Scene::talking();
    assert_eq!(scene.at(1_000, Input::LegAway(device(1))), []);
    assert_eq!(scene.at(5_000, Input::LegAway(device(1))), []);
    assert_eq!(scene.wait(), Some(at_ms(11_000)), "counted from the first loss");
    let back = [Output::TellLeg(device(1), seconds(110))];
    assert_eq!(scene.at(10_000, Input::LegBack(device(1))), back, "the bridge stands");
    assert_eq!(scene.wait(), Some(at_ms(120_000)));
    scene.at(20_000, Input::LegAway(device(1)));
    assert_eq!(scene.tick(29_999), []);
    assert_eq!(scene.tick(30_000).last(), Some(&Output::Ended(Interrupted)));
}

#[test]
fn who_answers_is_not_away() {
    let mut scene = Scene::pair();
    scene.give(Input::LegAway(device(1)));
    scene.give(Input::LegAway(device(2)));
    scene.at(9_000, Input::LegAccepted(device(1)));
    assert_eq!(scene.wait(), Some(at_ms(129_000)), "nor does it matter that another leg is");
}

// --- panel and server ---------------------------------------------------------------------------------

#[test]
fn each_way_out_of_ringing_cancels_all_and_ends() {
    for (input, reason) in [(Input::VisitorHungUp, VisitorLeft), (Input::Shutdown, Interrupted)] {
        let mut scene = Scene::pair();
        assert_eq!(scene.give(input), [ended(1, reason), ended(2, reason), Output::Ended(reason)]);
        assert_eq!(scene.give(input), [], "nothing after the end");
        assert_eq!(scene.give(opens(1, 1)), []);
        assert_eq!(scene.tick(500_000), []);
    }
}

#[test]
fn the_panel_may_be_away_for_a_reload() {
    for (mut scene, now) in
        [(Scene::pair(), calling(1, 1, false, 55_000)), (Scene::talking(), connected(115_000))]
    {
        scene.at(1_000, Input::PanelAway);
        assert_eq!(scene.at(4_000, Input::PanelAway), []);
        assert_eq!(scene.wait(), Some(at_ms(11_000)), "counted from the first loss");
        assert_eq!(scene.at(5_000, Input::PanelBack), [now]);
        assert_eq!(scene.tick(11_000), []);
        scene.at(20_000, Input::PanelAway);
        assert_eq!(scene.tick(29_999), []);
        assert_eq!(scene.tick(30_000).last(), Some(&Output::Ended(Interrupted)));
    }
}

#[test]
fn an_input_after_a_deadline_comes_too_late_even_without_a_tick() {
    let mut scene = Scene::pair();
    scene.give(Input::PanelAway);
    assert_eq!(scene.at(10_000, Input::PanelBack).last(), Some(&Output::Ended(Interrupted)));
    let mut scene = Scene::pair();
    assert_eq!(scene.at(60_000, Input::LegAccepted(device(1))).last(), Some(&Output::Ended(NoAnswer)));
    let mut scene = Scene::talking();
    let over = [Output::Unbridge(device(1)), ended(1, TimeLimit), Output::Ended(TimeLimit)];
    assert_eq!(scene.at(120_000, Input::LegBack(device(1))), over, "nothing to a leg that was let go");
    let mut scene = Scene::pair();
    let outputs = scene.at(60_000, opens(1, 1));
    assert_eq!(outputs, [ended(1, NoAnswer), ended(2, NoAnswer), refuse(1, 1), Output::Ended(NoAnswer)]);
}

#[test]
fn time_that_goes_back_counts_as_no_time() {
    let mut scene = Scene::pair();
    scene.tick(30_000);
    assert_eq!(scene.at(0, Input::LegRinging(device(1))), [calling(1, 1, true, 30_000)]);
    let left = Some(LegView::Ringing { left: seconds(30) });
    assert_eq!(scene.call.leg_view(device(1), at_ms(5)), left);
    assert_eq!(scene.wait(), Some(at_ms(60_000)));
}

// --- opening ------------------------------------------------------------------------------------------

#[test]
fn opened_while_ringing_ends_the_call_and_says_by_whom() {
    let (mut scene, _) = Scene::new(Parallel, &[&[1], &[2, 3], &[4]]);
    scene.give(Input::LegDeclined(device(4)));
    assert_eq!(scene.at(2_000, opens(1, 1)), [open_door(1, 1)]);
    let over = [
        ended(1, Opened),
        elsewhere(2, person(1), true),
        elsewhere(3, person(1), true),
        Output::Ended(Opened),
    ];
    assert_eq!(scene.at(2_100, outcome(1, 1, true)), over);
}

#[test]
fn refused_while_ringing_rings_on_and_may_be_tried_again() {
    let mut scene = Scene::pair();
    assert_eq!(scene.give(opens(1, 1)), [open_door(1, 1)]);
    assert_eq!(scene.give(outcome(1, 1, false)), []);
    assert_eq!(scene.wait(), Some(at_ms(60_000)));
    assert_eq!(scene.give(opens(1, 1)), [], "the same request is not carried out again");
    assert_eq!(scene.give(opens(1, 2)), [open_door(1, 2)]);
    assert_eq!(scene.give(opens(2, 2)), [open_door(2, 2)], "a request is its leg's own");
}

#[test]
fn only_who_is_rung_or_has_answered_may_open() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2, 3], &[4]]);
    scene.tick(20_000);
    scene.give(Input::LegDeclined(device(3)));
    for (leg, why) in [(1, "turn over"), (3, "declined"), (4, "not yet its turn"), (9, "unknown")] {
        assert_eq!(scene.give(opens(leg, 1)), [refuse(leg, 1)], "{why}");
    }
    assert_eq!(scene.give(outcome(1, 1, true)), [], "what was refused has no outcome");
    let mut scene = Scene::talking();
    assert_eq!(scene.give(opens(2, 1)), [refuse(2, 1)]);
    assert_eq!(scene.give(opens(1, 1)), [open_door(1, 1)]);
}

#[test]
fn opened_while_talking_talks_on() {
    let mut scene = Scene::pair();
    scene.give(opens(2, 1));
    scene.give(Input::LegAccepted(device(1)));
    scene.give(opens(1, 1));
    for input in [outcome(1, 1, true), outcome(2, 1, true), outcome(1, 7, true), outcome(9, 1, true)] {
        assert_eq!(scene.give(input), [], "{input:?}");
    }
    assert_eq!(scene.call.bridged(), Some(device(1)));
    assert_eq!(scene.wait(), Some(at_ms(120_000)));
}

#[test]
fn ring_time_waits_for_an_opening_but_no_longer_than_it_lives() {
    let mut scene = Scene::pair();
    assert_eq!(scene.at(59_000, opens(1, 1)), [open_door(1, 1)]);
    assert_eq!(scene.wait(), Some(at_ms(64_000)));
    assert_eq!(scene.tick(60_000), []);
    assert_eq!(scene.at(61_000, opens(2, 1)), [refuse(2, 1)], "else ringing could be held for ever");
    assert_eq!(scene.tick(63_999), []);
    assert_eq!(scene.tick(64_000).last(), Some(&Output::Ended(NoAnswer)));

    for (opened, reason) in [(true, Opened), (false, NoAnswer)] {
        let mut scene = Scene::pair();
        scene.at(59_000, opens(1, 1));
        assert_eq!(scene.at(61_000, outcome(1, 1, opened)).last(), Some(&Output::Ended(reason)));
    }
    let mut scene = Scene::pair();
    scene.at(59_000, opens(1, 1));
    assert_eq!(scene.at(62_000, Input::LegAccepted(device(2))).first(), Some(&Output::Bridge(device(2))));
}

#[test]
fn a_step_and_the_last_decline_wait_for_an_opening_too() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2]]);
    scene.at(19_000, opens(1, 1));
    assert_eq!(scene.tick(21_000), []);
    assert_eq!(scene.at(21_000, opens(1, 2)), [refuse(1, 2)]);
    let next = [stopped(1), offer(2), calling(2, 2, false, 39_000)];
    assert_eq!(scene.at(21_000, outcome(1, 1, false)), next);

    let mut scene = Scene::pair();
    scene.give(opens(1, 1));
    scene.give(Input::LegDeclined(device(1)));
    assert_eq!(scene.give(Input::LegDeclined(device(2))), [stopped(2)]);
    assert_eq!(scene.wait(), Some(at_ms(5_000)));
    assert_eq!(scene.tick(5_000), [Output::Ended(Declined)]);
}

#[test]
fn late_news_of_an_open_door_still_counts() {
    let mut scene = Scene::pair();
    scene.give(opens(1, 1));
    assert_eq!(scene.tick(6_000), []);
    assert_eq!(scene.give(outcome(1, 1, true)).last(), Some(&Output::Ended(Opened)));
}

// --- views --------------------------------------------------------------------------------------------

#[test]
fn a_new_connection_can_be_told_where_the_call_stands() {
    let (mut scene, _) = Scene::new(Sequential, &[&[1], &[2]]);
    let ringing = |s| Some(LegView::Ringing { left: seconds(s) });
    assert_eq!(scene.call.leg_view(device(1), at_ms(5_000)), ringing(15));
    assert_eq!(scene.call.leg_view(device(2), at_ms(5_000)), None);
    assert_eq!(scene.call.leg_view(device(9), at_ms(5_000)), None);
    scene.tick(20_000);
    assert_eq!(scene.call.leg_view(device(1), at_ms(20_000)), None);
    assert_eq!(scene.call.leg_view(device(2), at_ms(20_000)), ringing(40));
    scene.give(Input::LegAccepted(device(2)));
    let left = seconds(110);
    assert_eq!(scene.call.leg_view(device(2), at_ms(30_000)), Some(LegView::Connected { left }));
    assert_eq!(scene.call.panel_view(at_ms(30_000)), Some(PanelView::Connected { left }));
    scene.give(Input::VisitorHungUp);
    assert_eq!(scene.call.leg_view(device(2), at_ms(30_000)), None);
    assert_eq!(scene.call.panel_view(at_ms(30_000)), None);
}
