//! Codes at a keypad, and who guesses them (trust.md T11).

use super::at_door::{Entrance, NOON, card, plan, rights};
use super::*;
use crate::journal::Journal;
use crate::reader::{Keys, OfflineReason, Reading};
use klinke_access::snapshot::{Credential, HashKey};
use klinke_model::alarm::AlarmKind;
use klinke_model::credential::CredentialKey;
use klinke_model::news::{News, Raised};

const CODE: &str = "407199";

fn entrance() -> Entrance {
    Entrance::with(&plan_with_code())
}
fn plan_with_code() -> klinke_access::snapshot::Plan {
    let mut plan = plan();
    let code = HashKey([7; 32]).credential(&CredentialKey::code(CODE).unwrap());
    plan.credentials[0] = Credential { hash: code, ..plan.credentials[0] };
    plan
}
fn types(entrance: &mut Entrance, reader: u16, keys: &str, now: u64) {
    for key in keys.bytes() {
        entrance.reads(reader, Reading::Keys(Keys::from_ascii(&[key]).unwrap()), now);
    }
}

#[test]
fn a_code_opens_by_its_key_or_after_a_pause_and_only_where_there_is_a_keypad() {
    let mut entrance = entrance();
    types(&mut entrance, 0, "99*407199#", 0);
    assert_eq!(
        (entrance.house.board.take(), entrance.shown()),
        (vec![RELEASE], vec![(0, Feedback::Granted)])
    );
    entrance.pass(10_000);
    entrance.settle();
    types(&mut entrance, 0, CODE, 10_000);
    entrance.pass(13_999);
    assert_eq!(entrance.house.board.take(), []);
    entrance.pass(14_000);
    assert_eq!(entrance.house.board.take(), [RELEASE]);
    entrance.pass(30_000);
    entrance.settle();
    types(&mut entrance, 1, "407199#", 30_000);
    assert_eq!((entrance.house.board.take(), entrance.shown()), (vec![], vec![]));
    // what was typed before the reader was lost is not gone on with
    types(&mut entrance, 0, "407", 40_000);
    entrance.reads(0, Reading::Offline(OfflineReason::Silent), 41_000);
    types(&mut entrance, 0, "199#", 42_000);
    assert_eq!((entrance.house.board.take(), entrance.shown()), (vec![], vec![(0, Feedback::Denied)]));
}

#[test]
fn after_a_wrong_code_even_the_right_one_waits_and_cards_do_not() {
    let mut entrance = entrance();
    types(&mut entrance, 0, "407198#", 0);
    types(&mut entrance, 0, "407199#", 999);
    assert_eq!(entrance.house.board.take(), []);
    assert_eq!(entrance.shown(), [(0, Feedback::Denied); 2]);
    entrance.reads(0, Reading::Card(card(5)), 999);
    assert_eq!(entrance.house.board.take(), [RELEASE], "a card is not guessed");
    types(&mut entrance, 0, "407199#", 1_000);
    assert_eq!(entrance.house.board.take(), [RELEASE]);
}

#[test]
fn wrong_codes_are_on_the_disk_before_they_are_shown_and_without_a_disk_none_is_looked_at() {
    let mut entrance = entrance();
    types(&mut entrance, 0, "407198#", 0);
    let entrance = entrance.restart(NOON);
    let mut entrance = {
        let mut entrance = entrance;
        entrance.house.doors.handle(rights(&plan_with_code()), at(0));
        entrance
    };
    types(&mut entrance, 0, "407199#", 999);
    assert_eq!(entrance.house.board.take(), [], "its wait begins anew");
    types(&mut entrance, 0, "407199#", 1_000);
    assert_eq!(entrance.house.board.take(), [RELEASE]);

    let mut entrance = self::entrance();
    std::fs::create_dir(entrance.disk().join("lockouts")).unwrap();
    types(&mut entrance, 0, "407199#", 0);
    assert_eq!((entrance.house.board.take(), entrance.shown()), (vec![], vec![(0, Feedback::Denied)]));
    std::fs::remove_dir(entrance.disk().join("lockouts")).unwrap();
    types(&mut entrance, 0, "407199#", 0);
    assert_eq!(entrance.house.board.take(), [RELEASE]);
}

#[test]
fn whoever_types_all_day_and_cuts_the_power_tries_fifty_codes_an_hour_at_most() {
    let mut entrance = entrance();
    let mut looked_at = Vec::new();
    let mut began = 0;
    let mut before = Vec::new();
    for second in 0..2 * 3_600_u64 {
        // the power goes every ten minutes
        if second % 600 == 599 {
            entrance = entrance.restart(NOON);
            entrance.house.doors.handle(rights(&plan_with_code()), at(0));
            began = second;
        }
        let guess = format!("{:06}#", 500_000 + second);
        types(&mut entrance, 0, &guess, (second - began) * 1_000);
        let now = std::fs::read(entrance.disk().join("lockouts")).unwrap_or_default();
        if now != before {
            looked_at.push(second);
            before = now;
        }
        assert!(!entrance.house.board.take().contains(&RELEASE));
        entrance.shown();
    }
    for first in &looked_at {
        let in_hour = looked_at.iter().filter(|other| (*first..first + 3_600).contains(other)).count();
        assert!(in_hour <= 50, "{in_hour}");
    }
    assert!(looked_at.len() > 20, "{}", looked_at.len());
}

#[test]
fn a_code_under_duress_opens_as_the_own_one_does_and_only_the_journal_tells() {
    const FORCED: &str = "407190";
    let both = || {
        let mut plan = plan_with_code();
        let forced = HashKey([7; 32]).credential(&CredentialKey::code(FORCED).unwrap());
        plan.credentials.push(Credential { hash: forced, duress: true, ..plan.credentials[0] });
        plan
    };
    let journal = Journal::default();
    let raised =
        |journal: &Journal| journal.waiting().into_iter().map(|entry| entry.what).collect::<Vec<_>>();
    let (mut own, mut forced) = (
        Entrance::with(&both()).with_journal(&Journal::default()),
        Entrance::with(&both()).with_journal(&journal),
    );
    types(&mut own, 0, "407199#", 1_000);
    types(&mut forced, 0, "407190#", 1_000);
    // what moves, what is shown and what the server is told of the door: all the same
    let seen = |entrance: &mut Entrance| {
        (entrance.house.board.take(), entrance.shown(), format!("{:?}", entrance.house.reports()))
    };
    assert_eq!(seen(&mut own), seen(&mut forced));
    let alarm = News::Raised(Raised { kind: AlarmKind::Duress, door: Some(door(1)), part: None });
    assert_eq!(raised(&journal), [alarm]);

    // also where it opens nothing: in an emergency, nobody gets in and somebody should know all the more
    let journal = Journal::default();
    let locked_down =
        klinke_access::snapshot::Plan { site_mode: klinke_access::decide::SiteMode::LockedDown, ..both() };
    let mut entrance = Entrance::with(&locked_down).with_journal(&journal);
    types(&mut entrance, 0, "407190#", 1_000);
    assert_eq!((entrance.house.board.take(), entrance.shown()), (vec![], vec![(0, Feedback::Denied)]));
    assert_eq!(raised(&journal), [alarm]);
}
