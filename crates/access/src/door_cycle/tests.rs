//! Scenes from a door's day, and random histories against a naive model of what may be.

use super::*;
use proptest::prelude::*;

const HOLD: Duration = Duration::from_millis(5_000);
const TIMES: DoorTimes =
    DoorTimes { release_ms: 5_000, extended_release_ms: 20_000, open_ms: 30_000, relock: Relock::OnClose };
const OPEN: Input = Input::Contact(DoorPosition::Open);
const CLOSED: Input = Input::Contact(DoorPosition::Closed);
const SILENT: Input = Input::Contact(DoorPosition::Unknown);
const GRANT: Input = Input::Grant { hold: HOLD };

/// A door and what a shell would see of it.
struct Scene(DoorCycle);

impl Scene {
    /// A door that has started, with its leaf closed.
    fn new(relock: Relock) -> Self {
        let mut scene = Self(DoorCycle::new(DoorTimes { relock, ..TIMES }, Mono::from_millis(0)));
        assert_eq!(scene.drain(), [Output::Lock], "the first output locks");
        scene.at(0, CLOSED);
        scene
    }

    fn drain(&mut self) -> Vec<Output> {
        let next = || match self.0.poll() {
            Poll::Output(output) => Some(output),
            Poll::Wait(_) => None,
        };
        std::iter::from_fn(next).collect()
    }

    fn at(&mut self, millis: u64, input: Input) -> Vec<Output> {
        self.0.handle(input, Mono::from_millis(millis));
        self.drain()
    }

    fn wakes_at(&mut self) -> Option<u64> {
        match self.0.poll() {
            Poll::Wait(deadline) => deadline.map(Mono::as_millis),
            Poll::Output(output) => panic!("not drained: {output:?}"),
        }
    }

    fn mode(&self) -> DoorMode {
        self.0.state().mode
    }

    fn alarm(&self) -> DoorAlarm {
        self.0.state().alarm
    }
}

fn release(millis: u64) -> Output {
    Output::Release { lease: Duration::from_millis(millis) }
}

fn changed(mode: DoorMode, position: DoorPosition, alarm: DoorAlarm) -> Output {
    Output::Changed(DoorState { mode, position, alarm })
}

#[test]
fn a_visitor_passes_and_the_door_locks_behind_them() {
    let mut door = Scene::new(Relock::OnClose);
    let seen = door.at(100, GRANT);
    assert_eq!(seen, [release(5_000), changed(DoorMode::Accessed, DoorPosition::Closed, DoorAlarm::Normal)]);
    assert_eq!(door.wakes_at(), Some(5_100));
    let seen = door.at(1_000, OPEN);
    assert_eq!(seen, [changed(DoorMode::Accessed, DoorPosition::Open, DoorAlarm::Normal)]);
    let seen = door.at(3_000, CLOSED);
    assert_eq!(seen, [Output::Lock, changed(DoorMode::Locked, DoorPosition::Closed, DoorAlarm::Normal)]);
    assert_eq!(door.wakes_at(), None);
}

#[test]
fn relock_on_open_locks_as_soon_as_the_leaf_opens() {
    let mut door = Scene::new(Relock::OnOpen);
    door.at(0, GRANT);
    let seen = door.at(800, OPEN);
    assert_eq!(seen, [Output::Lock, changed(DoorMode::Locked, DoorPosition::Open, DoorAlarm::Normal)]);
    assert_eq!(door.at(1_500, CLOSED), [changed(DoorMode::Locked, DoorPosition::Closed, DoorAlarm::Normal)]);
}

#[test]
fn nobody_passes_and_the_lease_ends_to_the_millisecond() {
    for relock in [Relock::OnOpen, Relock::OnClose] {
        let mut door = Scene::new(relock);
        door.at(0, GRANT);
        assert_eq!(door.at(4_999, Input::Tick), []);
        let locked = changed(DoorMode::Locked, DoorPosition::Closed, DoorAlarm::Normal);
        assert_eq!(door.at(5_000, Input::Tick), [Output::Lock, locked]);
    }
}

#[test]
fn a_second_grant_moves_the_end_later_never_earlier() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, GRANT);
    assert_eq!(door.at(2_000, GRANT), [release(5_000)]);
    assert_eq!(door.wakes_at(), Some(7_000));
    assert_eq!(door.at(3_000, Input::Grant { hold: Duration::from_secs(1) }), [release(4_000)]);
    assert_eq!(door.wakes_at(), Some(7_000));
}

#[test]
fn each_grant_is_worth_one_opening_of_the_leaf() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, GRANT);
    door.at(1_000, OPEN);
    door.at(1_500, GRANT);
    door.at(2_000, CLOSED);
    assert_eq!(door.mode(), DoorMode::Accessed, "the second visitor is still outside");
    door.at(3_000, OPEN);
    door.at(4_000, CLOSED);
    assert_eq!(door.mode(), DoorMode::Locked);
}

#[test]
fn a_leaf_that_stands_open_is_an_alarm_until_it_closes() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, GRANT);
    door.at(1_000, OPEN);
    door.at(5_000, Input::Tick);
    assert_eq!((door.mode(), door.alarm()), (DoorMode::Locked, DoorAlarm::Normal));
    assert_eq!(door.wakes_at(), Some(31_000));
    door.at(30_999, Input::Tick);
    assert_eq!(door.alarm(), DoorAlarm::Normal);
    let seen = door.at(31_000, Input::Tick);
    assert_eq!(seen, [changed(DoorMode::Locked, DoorPosition::Open, DoorAlarm::DoorOpenTooLong)]);
    door.at(32_000, GRANT);
    assert_eq!(door.alarm(), DoorAlarm::DoorOpenTooLong, "a grant does not silence it");
    door.at(33_000, CLOSED);
    assert_eq!(door.alarm(), DoorAlarm::Normal);
    assert_eq!(door.wakes_at(), Some(37_000), "only the lease is left to wait for");
}

#[test]
fn a_leaf_that_opens_without_a_grant_was_forced() {
    let mut door = Scene::new(Relock::OnClose);
    let seen = door.at(1_000, OPEN);
    assert_eq!(seen, [changed(DoorMode::Locked, DoorPosition::Open, DoorAlarm::DoorForcedOpen)]);
    door.at(60_000, Input::Tick);
    assert_eq!(door.alarm(), DoorAlarm::DoorForcedOpen, "it does not turn into open too long");
    door.at(61_000, CLOSED);
    assert_eq!(door.alarm(), DoorAlarm::Normal);
    // a lease that is over does not excuse it, though nobody has ticked yet
    door.at(70_000, GRANT);
    door.at(75_000, OPEN);
    assert_eq!(door.alarm(), DoorAlarm::DoorForcedOpen);
}

#[test]
fn a_silent_contact_hides_no_forced_door_and_a_leaf_found_open_was_not_forced() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(1_000, SILENT);
    door.at(2_000, OPEN);
    assert_eq!(door.alarm(), DoorAlarm::DoorForcedOpen);

    let mut found_open = Scene(DoorCycle::new(TIMES, Mono::from_millis(0)));
    found_open.at(0, OPEN);
    assert_eq!(found_open.alarm(), DoorAlarm::Normal);
    found_open.at(30_000, Input::Tick);
    assert_eq!(found_open.alarm(), DoorAlarm::DoorOpenTooLong);
}

#[test]
fn a_restricted_door_locks_at_once_and_refuses() {
    let modes = [(Restriction::Blocked, DoorMode::Blocked), (Restriction::LockedDown, DoorMode::LockedDown)];
    for (restriction, mode) in modes {
        let mut door = Scene::new(Relock::OnClose);
        door.at(0, GRANT);
        let seen = door.at(1_000, Input::Restrict(restriction));
        assert_eq!(seen, [Output::Lock, changed(mode, DoorPosition::Closed, DoorAlarm::Normal)]);
        assert_eq!(door.at(2_000, GRANT), [Output::Refused]);
        door.at(3_000, Input::Reset);
        assert_eq!(door.mode(), mode, "a restriction outlives a reset");
        door.at(4_000, Input::Restrict(Restriction::None));
        assert_eq!(door.at(5_000, GRANT).first(), Some(&release(5_000)));
    }
}

#[test]
fn an_output_that_fails_never_counts_as_released_and_is_locked_until_it_obeys() {
    let mut door = Scene::new(Relock::OnClose);
    door.0.handle(GRANT, Mono::from_millis(0));
    assert_eq!(door.0.poll(), Poll::Output(release(5_000)));
    // the shell failed to release: in the middle of the drain, so nobody was told "accessed"
    assert_eq!(door.at(0, Input::OutputFault), [Output::Lock]);
    // and it failed to lock
    assert_eq!(door.at(1, Input::OutputFault), []);
    assert_eq!(door.wakes_at(), Some(1_001));
    assert_eq!(door.at(1_000, Input::Tick), []);
    assert_eq!(door.at(1_001, Input::Tick), [Output::Lock]);
    assert_eq!(door.wakes_at(), None);
    // a grant takes the place of the retry, which would end it early
    door.at(2_000, Input::OutputFault);
    door.at(2_100, GRANT);
    assert_eq!(door.at(3_000, Input::Tick), []);
    assert_eq!(door.mode(), DoorMode::Accessed);
}

#[test]
fn a_fault_takes_back_what_is_still_queued() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, GRANT);
    // a grant at the moment the lease before it ends: lock, then release
    door.0.handle(GRANT, Mono::from_millis(5_000));
    assert_eq!(door.0.poll(), Poll::Output(Output::Lock));
    let locked = changed(DoorMode::Locked, DoorPosition::Closed, DoorAlarm::Normal);
    assert_eq!(door.at(5_000, Input::OutputFault), [Output::Lock, locked], "no release after a failed lock");
}

#[test]
fn a_fault_at_the_end_of_a_lease_still_locks() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, GRANT);
    let locked = changed(DoorMode::Locked, DoorPosition::Closed, DoorAlarm::Normal);
    assert_eq!(door.at(5_000, Input::OutputFault), [Output::Lock, locked]);
}

#[test]
fn a_reset_locks_and_forgets_the_leaf() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, OPEN);
    door.at(1, GRANT);
    let seen = door.at(2, Input::Reset);
    assert_eq!(seen, [Output::Lock, changed(DoorMode::Locked, DoorPosition::Unknown, DoorAlarm::Normal)]);
    assert_eq!(door.wakes_at(), None);
    door.at(3, OPEN);
    assert_eq!(door.alarm(), DoorAlarm::Normal, "the leaf is unknown again");
}

#[test]
fn no_hold_is_too_long_or_too_short_for_the_invariants() {
    let mut door = Scene::new(Relock::OnClose);
    assert_eq!(door.at(0, Input::Grant { hold: Duration::MAX }).first(), Some(&release(60_000)));
    door.at(60_000, Input::Tick);
    assert_eq!(door.mode(), DoorMode::Locked);
    assert_eq!(door.at(60_001, Input::Grant { hold: Duration::ZERO }), [release(0), Output::Lock]);
}

#[test]
fn new_times_hold_from_the_next_grant_and_time_never_goes_back() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(1_000, GRANT);
    door.at(1_500, Input::Times(DoorTimes { relock: Relock::OnOpen, ..TIMES }));
    assert_eq!(door.wakes_at(), Some(6_000));
    door.at(2_000, OPEN);
    assert_eq!(door.mode(), DoorMode::Locked);
    // a caller whose clock jumped back cannot stretch a lease
    door.at(10_000, GRANT);
    assert_eq!(door.at(500, GRANT), [release(5_000)]);
    assert_eq!(door.wakes_at(), Some(15_000));
}

#[test]
fn a_door_with_hours_stands_unlocked_and_is_a_lease_all_the_same() {
    let mut door = Scene::new(Relock::OnClose);
    let unlocked = changed(DoorMode::Unlocked, DoorPosition::Closed, DoorAlarm::Normal);
    assert_eq!(door.at(0, Input::Hold(Held::Unlocked)), [release(30_000), unlocked]);
    assert_eq!(door.wakes_at(), Some(10_000));
    assert_eq!(door.at(10_000, Input::Tick), [release(30_000)]);
    // people come and go: nothing is forced, nothing stands open too long
    door.at(11_000, OPEN);
    assert_eq!(door.at(20_000, Input::Tick), [release(30_000)]);
    assert_eq!(door.at(60_000, Input::Tick), [release(30_000)]);
    assert_eq!(door.alarm(), DoorAlarm::Normal);
    // the hours are over while it stands open: it is given its time from now
    let locked = changed(DoorMode::Locked, DoorPosition::Open, DoorAlarm::Normal);
    assert_eq!(door.at(61_000, Input::Hold(Held::No)), [Output::Lock, locked]);
    assert_eq!(door.wakes_at(), Some(91_000));
    door.at(91_000, Input::Tick);
    assert_eq!(door.alarm(), DoorAlarm::DoorOpenTooLong);
}

#[test]
fn who_was_let_in_keeps_their_time_when_the_hours_end() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, Input::Hold(Held::Unlocked));
    assert_eq!(door.at(1_000, GRANT), [release(30_000)]);
    let seen = door.at(2_000, Input::Hold(Held::No));
    assert_eq!(seen, [release(4_000), changed(DoorMode::Accessed, DoorPosition::Closed, DoorAlarm::Normal)]);
    assert_eq!(door.at(6_000, Input::Tick).first(), Some(&Output::Lock));
}

#[test]
fn what_is_held_gives_way_to_what_restricts_in_the_fields_order() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, Input::Hold(Held::Unlocked));
    let blocked = changed(DoorMode::Blocked, DoorPosition::Closed, DoorAlarm::Normal);
    assert_eq!(door.at(1, Input::Restrict(Restriction::Blocked)), [Output::Lock, blocked]);
    // held open overrides a block, an emergency overrides both
    door.at(2, Input::Hold(Held::LockedOpen));
    assert_eq!(door.mode(), DoorMode::LockedOpen);
    let shut = changed(DoorMode::LockedDown, DoorPosition::Closed, DoorAlarm::Normal);
    assert_eq!(door.at(3, Input::Restrict(Restriction::LockedDown)), [Output::Lock, shut]);
    assert_eq!(door.at(4, GRANT), [Output::Refused]);
    door.at(5, Input::Restrict(Restriction::None));
    assert_eq!(door.mode(), DoorMode::LockedOpen, "it is still asked for");
    door.at(6, Input::Reset);
    assert_eq!(door.mode(), DoorMode::Locked, "a hold does not outlive a reset");
}

#[test]
fn who_found_a_blocked_door_held_open_is_not_let_in_when_it_is_not() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, Input::Restrict(Restriction::Blocked));
    door.at(1, Input::Hold(Held::LockedOpen));
    assert_eq!(door.at(2, GRANT), [release(30_000)]);
    let blocked = changed(DoorMode::Blocked, DoorPosition::Closed, DoorAlarm::Normal);
    assert_eq!(door.at(3, Input::Hold(Held::No)), [Output::Lock, blocked]);
}

#[test]
fn an_exit_that_is_over_saves_nobody_else() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, Input::Restrict(Restriction::Blocked));
    door.at(0, Input::Hold(Held::LockedOpen));
    door.at(0, GRANT);
    door.at(0, Input::ExitButton { releases: Some(Duration::ZERO) });
    let blocked = changed(DoorMode::Blocked, DoorPosition::Closed, DoorAlarm::Normal);
    assert_eq!(door.at(0, Input::Hold(Held::No)), [Output::Lock, blocked]);
}

#[test]
fn the_way_out_is_never_refused() {
    let exit = Input::ExitButton { releases: Some(HOLD) };
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, Input::Restrict(Restriction::LockedDown));
    assert_eq!(door.at(1_000, exit).first(), Some(&release(5_000)));
    assert_eq!(door.mode(), DoorMode::Accessed);
    door.at(2_000, OPEN);
    assert_eq!(door.alarm(), DoorAlarm::Normal);
    door.at(3_000, CLOSED);
    assert_eq!(door.mode(), DoorMode::LockedDown);
    // an emergency in the middle takes the visitor's time, not that of who goes out
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, Input::Grant { hold: Duration::from_secs(20) });
    door.at(1_000, exit);
    assert_eq!(door.at(2_000, Input::Restrict(Restriction::LockedDown)), [release(4_000)]);
    let shut = changed(DoorMode::LockedDown, DoorPosition::Closed, DoorAlarm::Normal);
    assert_eq!(door.at(6_000, Input::Tick), [Output::Lock, shut]);
}

#[test]
fn a_handle_that_opens_from_inside_only_excuses_the_leaf() {
    let mut door = Scene::new(Relock::OnClose);
    assert_eq!(door.at(0, Input::ExitButton { releases: None }), []);
    door.at(4_999, OPEN);
    assert_eq!((door.mode(), door.alarm()), (DoorMode::Locked, DoorAlarm::Normal));
    assert_eq!(door.wakes_at(), Some(34_999), "it may stand open as long as any");
    door.at(5_500, CLOSED);
    door.at(5_600, OPEN);
    assert_eq!(door.alarm(), DoorAlarm::DoorForcedOpen, "the time was over");
}

#[test]
fn in_a_fire_nothing_is_an_alarm_and_nothing_is_commanded() {
    let mut door = Scene::new(Relock::OnClose);
    door.at(0, OPEN);
    assert_eq!(door.alarm(), DoorAlarm::DoorForcedOpen);
    let quiet = changed(DoorMode::Locked, DoorPosition::Open, DoorAlarm::Normal);
    assert_eq!(door.at(1, Input::Fire(true)), [quiet], "the wire releases, not we");
    door.at(2, CLOSED);
    door.at(3, OPEN);
    assert_eq!(door.wakes_at(), None);
    door.at(100_000, Input::Fire(false));
    assert_eq!(door.wakes_at(), Some(130_000), "it has its time from now on");
}

#[test]
fn a_hold_that_fails_is_locked_and_tried_again_without_spinning() {
    let mut door = Scene::new(Relock::OnClose);
    door.0.handle(Input::Hold(Held::Unlocked), Mono::from_millis(0));
    assert_eq!(door.0.poll(), Poll::Output(release(30_000)));
    assert_eq!(door.at(0, Input::OutputFault), [Output::Lock], "nobody was told that it is unlocked");
    assert_eq!(door.wakes_at(), Some(1_000));
    assert_eq!(door.at(1_000, Input::Tick).first(), Some(&release(30_000)));
    assert_eq!(door.mode(), DoorMode::Unlocked);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// This input, this many ms after the one before.
    After(u64, Input),
    /// Sleep until the door wants to be woken.
    Sleep,
    /// The clock jumps back and an input comes.
    Back(u64, Input),
}

fn any_input() -> impl Strategy<Value = Input> {
    let holds = prop_oneof![8 => 1_000_u64..10_000, 1 => Just(0), 1 => Just(u64::MAX)];
    let restrictions = prop_oneof![
        3 => Just(Restriction::None), 1 => Just(Restriction::Blocked), 1 => Just(Restriction::LockedDown)
    ];
    let relocks = prop_oneof![Just(Relock::OnOpen), Just(Relock::OnClose)];
    prop_oneof![
        8 => holds.prop_map(|millis| Input::Grant { hold: Duration::from_millis(millis) }),
        6 => Just(OPEN),
        6 => Just(CLOSED),
        2 => Just(SILENT),
        3 => Just(Input::Tick),
        2 => restrictions.prop_map(Input::Restrict),
        1 => (relocks, 5_000_u32..20_000).prop_map(|(relock, open_ms)| {
            Input::Times(DoorTimes { open_ms, relock, ..TIMES })
        }),
        2 => prop_oneof![2 => Just(Held::No), 1 => Just(Held::Unlocked), 1 => Just(Held::LockedOpen)]
            .prop_map(Input::Hold),
        2 => prop_oneof![Just(None), (0_u64..8_000).prop_map(Some)]
            .prop_map(|hold| Input::ExitButton { releases: hold.map(Duration::from_millis) }),
        1 => any::<bool>().prop_map(Input::Fire),
        1 => Just(Input::OutputFault),
        1 => Just(Input::Reset),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u64..3_000, any_input()).prop_map(|(after, input)| Step::After(after, input)),
        1 => (0_u64..40_000, any_input()).prop_map(|(after, input)| Step::After(after, input)),
        3 => Just(Step::Sleep),
        1 => (0_u64..5_000, any_input()).prop_map(|(back, input)| Step::Back(back, input)),
    ]
}

/// A naive second reading of the rules: it keeps whole lists where the machine keeps deadlines.
#[derive(Debug)]
struct Witness {
    times: DoorTimes,
    /// The moment and the hold of every grant that was followed, and of every press of the exit button.
    grants: Vec<(u64, u64)>,
    /// Those of them since the lock last locked.
    running: Vec<(u64, u64)>,
    /// Those of them that the exit button made.
    exits: Vec<(u64, u64)>,
    /// Until when the exit button excuses a leaf without releasing it.
    shunted_until: u64,
    /// The leaf has opened since the newest of them.
    leaf_opened: bool,
    restriction: Restriction,
    held: Held,
    /// The lock is held released.
    is_held: bool,
    /// Not held again before this: the output failed.
    hold_again: u64,
    fire: bool,
    position: DoorPosition,
    /// What the contact last said that was not silence.
    last_known: DoorPosition,
    /// Since when the leaf stands open, and how long it may.
    stands_open: Option<(u64, u64)>,
    alarm: DoorAlarm,
}

fn lease_runs(grants: &[(u64, u64)], now: u64) -> bool {
    grants.iter().any(|&(at, hold)| at <= now && now < at + hold)
}

impl Witness {
    fn new(times: DoorTimes) -> Self {
        Self {
            times,
            grants: Vec::new(),
            running: Vec::new(),
            exits: Vec::new(),
            shunted_until: 0,
            leaf_opened: false,
            restriction: Restriction::None,
            held: Held::No,
            is_held: false,
            hold_again: 0,
            fire: false,
            position: DoorPosition::Unknown,
            last_known: DoorPosition::Unknown,
            stands_open: None,
            alarm: DoorAlarm::Normal,
        }
    }

    fn time(&mut self, now: u64) {
        if !lease_runs(&self.running, now) {
            self.running.clear();
        }
        let wanted = match self.held {
            Held::No => false,
            Held::Unlocked => self.restriction == Restriction::None,
            Held::LockedOpen => self.restriction != Restriction::LockedDown,
        };
        if !wanted {
            // whoever wants it again may try at once
            self.hold_again = 0;
        }
        let is_held = wanted && self.hold_again <= now;
        if is_held != self.is_held {
            self.is_held = is_held;
            if !is_held && self.restriction != Restriction::None {
                let exits = &self.exits;
                self.running.retain(|one| exits.contains(one));
            }
            self.stands_open = None;
            if is_held && self.alarm == DoorAlarm::DoorOpenTooLong {
                self.alarm = DoorAlarm::Normal;
            }
            self.count(now);
        }
        // what is left of them may be over as well
        if !lease_runs(&self.running, now) {
            self.running.clear();
        }
        if self.stands_open.is_some_and(|(since, may)| since + may <= now) {
            self.stands_open = None;
            self.alarm = DoorAlarm::DoorOpenTooLong;
        }
    }

    fn count(&mut self, now: u64) {
        let quiet = self.alarm == DoorAlarm::Normal && !self.is_held && !self.fire;
        if self.position == DoorPosition::Open && quiet {
            self.stands_open = Some((now, u64::from(self.times.open_ms)));
        }
    }

    /// Whether somebody who asks is let in.
    fn lets_in(&self) -> bool {
        match self.restriction {
            Restriction::None => true,
            Restriction::Blocked => self.is_held,
            Restriction::LockedDown => false,
        }
    }

    fn input(&mut self, input: Input, now: u64) {
        self.time(now);
        let millis = |hold: Duration| u64::try_from(hold.as_millis()).unwrap_or(u64::MAX).min(60_000);
        match input {
            Input::Grant { hold } if self.lets_in() => self.release((now, millis(hold))),
            Input::ExitButton { releases: Some(hold) } => {
                self.exits.push((now, millis(hold)));
                self.release((now, millis(hold)));
            }
            Input::ExitButton { releases: None } => {
                self.shunted_until = now + u64::from(self.times.release_ms);
            }
            Input::Fire(is_on) if is_on != self.fire => {
                self.fire = is_on;
                if is_on {
                    (self.alarm, self.stands_open) = (DoorAlarm::Normal, None);
                }
                self.count(now);
            }
            Input::Hold(held) => self.held = held,
            Input::Restrict(restriction) => {
                self.restriction = restriction;
                if restriction != Restriction::None {
                    let exits = &self.exits;
                    self.running.retain(|one| exits.contains(one));
                }
            }
            Input::Contact(position) if position != self.position => self.contact(position, now),
            Input::Reset => {
                let (restriction, fire, grants) =
                    (self.restriction, self.fire, std::mem::take(&mut self.grants));
                *self = Self { restriction, fire, grants, ..Self::new(self.times) };
            }
            Input::OutputFault => {
                self.running.clear();
                if self.is_held {
                    self.hold_again = now + 1_000;
                }
            }
            Input::Times(times) => self.times = times,
            Input::Grant { .. } | Input::Contact(_) | Input::Tick | Input::Fire(_) => {}
        }
        self.time(now);
    }

    fn release(&mut self, grant: (u64, u64)) {
        self.grants.push(grant);
        self.running.push(grant);
        self.leaf_opened = false;
    }

    fn contact(&mut self, position: DoorPosition, now: u64) {
        self.position = position;
        self.stands_open = None;
        match position {
            DoorPosition::Unknown => return,
            DoorPosition::Closed => {
                self.alarm = DoorAlarm::Normal;
                if self.leaf_opened {
                    self.running.clear();
                }
            }
            DoorPosition::Open => {
                let excused =
                    !self.running.is_empty() || self.is_held || self.fire || now < self.shunted_until;
                if !excused && self.last_known == DoorPosition::Closed {
                    self.alarm = DoorAlarm::DoorForcedOpen;
                }
                self.count(now);
                self.leaf_opened = true;
                if self.times.relock == Relock::OnOpen {
                    self.running.clear();
                }
            }
        }
        self.last_known = position;
    }

    /// Which mode the door is in, in the order in which they are told.
    fn mode(&self, now: u64) -> DoorMode {
        let let_out = self.running.iter().any(|one| self.exits.contains(one) && now < one.0 + one.1);
        if self.restriction == Restriction::LockedDown && !let_out {
            DoorMode::LockedDown
        } else if self.is_held && self.held == Held::LockedOpen {
            DoorMode::LockedOpen
        } else if self.restriction == Restriction::Blocked && !let_out {
            DoorMode::Blocked
        } else if self.is_held {
            DoorMode::Unlocked
        } else if self.running.is_empty() {
            DoorMode::Locked
        } else {
            DoorMode::Accessed
        }
    }
}

/// A lock that times itself, as the real ones do: until when it is released.
#[derive(Debug, Default)]
struct Lock(u64);

impl Lock {
    const fn is_released(&self, now: u64) -> bool {
        now < self.0
    }
}

/// Drains the outputs into the lock: what was said, and when to wake.
fn drain(cycle: &mut DoorCycle, lock: &mut Lock, now: u64) -> (Vec<Output>, Option<u64>) {
    let mut outputs = Vec::new();
    loop {
        match cycle.poll() {
            Poll::Wait(deadline) => return (outputs, deadline.map(Mono::as_millis)),
            Poll::Output(output) => {
                match output {
                    Output::Release { lease } => lock.0 = now + u64::try_from(lease.as_millis()).unwrap(),
                    Output::Lock => lock.0 = 0,
                    Output::Refused | Output::Changed(_) => {}
                }
                outputs.push(output);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_invariants(
        relock in prop_oneof![Just(Relock::OnOpen), Just(Relock::OnClose)],
        start in 0_u64..1_000_000,
        steps in prop::collection::vec(any_step(), 1..40),
    ) {
        let times = DoorTimes { relock, ..TIMES };
        let mut cycle = DoorCycle::new(times, Mono::from_millis(start));
        let mut lock = Lock(u64::MAX);
        let (first, mut wake) = drain(&mut cycle, &mut lock, start);
        prop_assert_eq!(first, vec![Output::Lock]);
        let mut witness = Witness::new(times);
        let mut now = start;
        let mut told = cycle.state();

        for step in steps {
            let (input, called_with) = match step {
                Step::After(after, input) => {
                    now += after;
                    (input, now)
                }
                Step::Sleep => {
                    now = wake.unwrap_or(now);
                    (Input::Tick, now)
                }
                Step::Back(back, input) => (input, now.saturating_sub(back)),
            };
            // a shell that slept too long: the lock may have locked by itself, and was released by nothing new
            let was_held = witness.is_held;
            let was_released = lock.is_released(now);
            prop_assert!(!was_released || was_held || lease_runs(&witness.grants, now), "released past every grant");

            // what was due before the input comes first, and may be told before what the input makes of it
            witness.time(now);
            let (could_enter, held_before) = (witness.lets_in(), witness.is_held);
            let ends = |running: &[(u64, u64)]| running.iter().map(|&(at, hold)| at + hold).max();
            let asked_before = ends(&witness.running).unwrap_or(now);
            witness.input(input, now);
            cycle.handle(input, Mono::from_millis(called_with));
            let (outputs, deadline) = drain(&mut cycle, &mut lock, now);
            wake = deadline;
            let state = cycle.state();
            let is_grant = matches!(input, Input::Grant { .. });
            let released = lock.is_released(now);

            // safety, from the outputs and the inputs alone
            let held_now = witness.is_held;
            prop_assert!(!released || held_now || lease_runs(&witness.grants, now), "released without a reason");
            let let_out = lease_runs(&witness.exits, now);
            let shut = witness.restriction == Restriction::LockedDown
                || witness.restriction == Restriction::Blocked && witness.held != Held::LockedOpen;
            prop_assert!(!(released && shut && !let_out), "released against a restriction");
            if input == Input::Reset {
                prop_assert_eq!(outputs.first(), Some(&Output::Lock));
                prop_assert!(!released);
            }
            let asked = ends(&witness.running).unwrap_or(now);
            for output in &outputs {
                match *output {
                    Output::Release { lease } => {
                        let ends = now + u64::try_from(lease.as_millis()).unwrap();
                        let held_for = if held_now || held_before { now + 30_000 } else { now };
                        let longest = asked.max(asked_before).max(held_for);
                        prop_assert!(ends <= longest, "longer than anybody asked");
                    }
                    Output::Changed(state) => {
                        prop_assert_ne!(state, told, "told twice");
                        told = state;
                    }
                    Output::Refused => prop_assert!(is_grant && !could_enter),
                    Output::Lock => {}
                }
            }

            // exactness, against the second reading
            prop_assert_eq!(released, held_now || !witness.running.is_empty());
            if released && !held_now {
                prop_assert_eq!(lock.0, asked, "not what is left of the lease");
            }
            prop_assert_eq!(outputs.contains(&Output::Refused), is_grant && !could_enter);
            prop_assert_eq!(state.mode, witness.mode(now));
            prop_assert_eq!(state.position, witness.position);
            prop_assert_eq!(state.alarm, witness.alarm);
            prop_assert_eq!(told, state, "a change was not told");

            // a shell that only sleeps is woken in time, and never spins
            prop_assert!(wake.is_none_or(|deadline| deadline > now), "a wake-up that is already due");
            if released {
                prop_assert!(wake.is_some_and(|deadline| deadline <= lock.0), "a released lock does not wake in time");
            }
        }

        // whatever came before: nobody renews, and the lock is locked, at the latest one longest lease from now
        prop_assert!(!lock.is_released(now + 60_000));
        // and when only the hold ends, sleeping alone locks
        cycle.handle(Input::Hold(Held::No), Mono::from_millis(now));
        (_, wake) = drain(&mut cycle, &mut lock, now);
        let last = now + 60_000;
        while lock.is_released(now) {
            now = wake.unwrap_or(u64::MAX);
            prop_assert!(now <= last);
            cycle.handle(Input::Tick, Mono::from_millis(now));
            (_, wake) = drain(&mut cycle, &mut lock, now);
            prop_assert!(!lock.is_released(now) || wake > Some(now), "a wake-up that does nothing");
        }
    }
}
