//! Clocks that cannot be believed, and a server that cannot be asked.

use super::*;

#[test]
fn a_clock_that_went_back_or_far_ahead_denies_what_is_dated_and_nothing_else() {
    let rows = [("a day back", -86_400_000_i64), ("ten years ahead", 3_652 * 86_400_000)];
    for (what, by) in rows {
        let entrance = Entrance::with(&plan());
        entrance.house.doors.entry.to_keep(at(0)).map(|(file, moment)| file.keep(moment)).unwrap();
        let mut entrance = entrance.restart(Timestamp::from_millis(NOON.as_millis() + by));
        entrance.tell(rights(&plan()), 0);
        let judge = |entrance: &mut Entrance, number| entrance.house.doors.judge(0, &card(number), at(0));
        let untrusted = Err(Refused::Denied(Reason::ClockUntrusted));
        assert_eq!(judge(&mut entrance, GUEST), untrusted, "{what}");
        assert_eq!(judge(&mut entrance, MORNING), untrusted, "{what}");
        assert_eq!(judge(&mut entrance, RESIDENT), Ok(()), "{what}");
        assert!(entrance.house.doors.entry.to_keep(at(0)).is_none(), "nothing is kept of such a clock");
        entrance.tell(time(later(1_000)), 1_000);
        assert_eq!(judge(&mut entrance, GUEST), Ok(()), "{what}: told by the server");
    }
}

#[test]
fn who_passes_by_is_refused_a_day_after_the_server_could_be_asked_whoever_cuts_the_power() {
    let mut plan = plan();
    plan.credentials[1].until_s = None;
    let mut entrance = Entrance::with(&plan);
    let too_old = Err(Refused::Denied(Reason::RightsTooOld));
    let judge = |entrance: &mut Entrance, now| entrance.house.doors.judge(0, &card(GUEST), at(now));
    assert_eq!(judge(&mut entrance, DAY), Ok(()));
    assert_eq!(judge(&mut entrance, DAY + 1), too_old);
    assert_eq!(entrance.house.doors.judge(0, &card(RESIDENT), at(DAY + 1)), Ok(()));
    entrance.tell(time(later(DAY + 2)), DAY + 2);
    assert_eq!(judge(&mut entrance, 2 * DAY), Ok(()));

    // over a restart it is counted from the last time that was kept
    let (file, moment) = entrance.house.doors.entry.to_keep(at(2 * DAY)).unwrap();
    assert_eq!(moment, Moment { at: later(2 * DAY), confirmed: Some(later(DAY + 2)) });
    file.keep(moment);
    let mut entrance = entrance.restart(later(2 * DAY + 1));
    entrance.tell(rights(&plan), 0);
    assert_eq!(judge(&mut entrance, 1), Ok(()));
    assert_eq!(judge(&mut entrance, 2), too_old);
    // not even a clock that is not believed makes it younger
    let mut entrance = entrance.restart(later(0));
    entrance.tell(rights(&plan), 0);
    assert_eq!(judge(&mut entrance, 0), too_old);
}

#[test]
fn a_server_that_can_not_look_or_has_newer_rights_confirms_none() {
    let mut plan = plan();
    plan.credentials[1].until_s = None;
    let too_old = Err(Refused::Denied(Reason::RightsTooOld));
    for newest in [None, Some(8)] {
        let mut entrance = Entrance::with(&plan);
        entrance.tell(Request::Time { server: later(DAY), newest }, DAY);
        assert_eq!(entrance.house.doors.judge(0, &card(GUEST), at(DAY + 1)), too_old, "{newest:?}");
        let kept = entrance.house.doors.entry.to_keep(at(DAY + 1)).unwrap().1;
        assert_eq!(kept, Moment { at: later(DAY + 1), confirmed: None }, "nor is it kept");
        // what it has made itself is not old, whatever was confirmed before
        plan.issued = later(DAY);
        plan.revision = 8;
        entrance.tell(rights(&plan), DAY + 2);
        assert_eq!(entrance.house.doors.judge(0, &card(GUEST), at(2 * DAY)), Ok(()));
        assert_eq!(entrance.house.doors.judge(0, &card(GUEST), at(2 * DAY + 1)), too_old);
        (plan.issued, plan.revision) = (NOON, 7);
    }
}

#[test]
fn thirty_days_in_the_dark_every_decision_is_right_and_the_link_moves_nothing_when_it_is_back() {
    let mut plan = plan();
    plan.doors[1].unlocked = Some(1);
    let mut entrance = Entrance::with(&plan);
    let mut decided = 0;
    for hour in 1..=30 * 24 {
        let now = hour * HOUR + 1_800_000;
        entrance.pass(now);
        let local = (13 + hour) % 24;
        let judge = |entrance: &mut Entrance, number| entrance.house.doors.judge(0, &card(number), at(now));
        let denied = |reason| Err(Refused::Denied(reason));
        assert_eq!(judge(&mut entrance, RESIDENT), Ok(()), "hour {hour}");
        let morning = if local < 12 { Ok(()) } else { denied(Reason::OutsideHours) };
        assert_eq!(judge(&mut entrance, MORNING), morning, "hour {hour}");
        // a guest's end comes before the day in the dark is over
        let guest = if hour < 24 { Ok(()) } else { denied(Reason::CredentialOver) };
        assert_eq!(judge(&mut entrance, GUEST), guest, "hour {hour}");
        assert_eq!(judge(&mut entrance, UNKNOWN), denied(Reason::CredentialUnknown));
        let hours = if (14..16).contains(&local) { DoorMode::Unlocked } else { DoorMode::Locked };
        assert_eq!(entrance.mode(1), hours, "hour {hour}");
        decided += 4;
    }
    assert_eq!(decided, 2_880);
    let back = 30 * DAY + 2 * HOUR;
    entrance.pass(back);
    entrance.settle();
    attach(&mut entrance.house.doors);
    entrance.tell(time(later(back)), back);
    entrance.tell(rights(&plan), back);
    assert_eq!(entrance.house.board.take(), [], "0 pulses");
}
