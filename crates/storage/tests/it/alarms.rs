//! Alarms: what a controller tells is kept once, whatever is told twice, late or by another; and is seen, mailed and forgotten.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, id, label, stamp, two_towns};
use crate::webhooks::new_webhook;
use klinke_model::alarm::AlarmKind;
use klinke_model::events::EventKind;
use klinke_model::ids::{DoorId, JournalId};
use klinke_model::news::{News, NewsEntry, Raised};
use klinke_model::time::Timestamp;
use klinke_storage::record::{Alarm, AlarmsPage, AuditQuery, Stamp, Taken};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_hours(24);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + seconds * 1_000)
}
pub fn raised(seq: u64, kind: AlarmKind, door: Option<DoorId>) -> NewsEntry {
    let alarm = Raised { kind, door, part: door.is_none().then_some(3) };
    NewsEntry { seq, at: at(-100 + i64::try_from(seq).unwrap()), trusted: true, what: News::Raised(alarm) }
}
fn ended(seq: u64, raised: u64) -> NewsEntry {
    NewsEntry { seq, at: at(-10), trusted: true, what: News::Ended { raised } }
}
pub fn journal(number: u64) -> JournalId {
    id(700_000 + number)
}
async fn takes(db: &Db, town: &Town, of: JournalId, entries: &[NewsEntry]) -> Taken {
    let scope = town.as_controller(town.controller);
    db.store.alarms().take_news(&scope, &stamp(1), town.controller, of, entries).await.unwrap().unwrap()
}
async fn page(db: &Db, town: &Town) -> AlarmsPage {
    db.store.alarms().alarms_page(&town.as_person(town.admin), town.house, None, 50).await.unwrap()
}
fn stands(alarms: &[Alarm]) -> Vec<(AlarmKind, bool)> {
    alarms.iter().map(|alarm| (alarm.kind, alarm.ended.is_none())).collect()
}

on_both! {
    async fn what_is_told_again_late_or_in_part_makes_no_second_row(db) {
        let (ours, _) = two_towns(&db).await;
        let forced = raised(1, AlarmKind::ForcedOpen, Some(ours.front));
        let news = [forced, raised(2, AlarmKind::WrongCodes, Some(ours.front)), ended(3, 1)];
        for _ in 0..3 {
            assert_eq!(takes(&db, &ours, journal(1), &news[..1]).await.seq, 1);
        }
        assert_eq!(stands(&page(&db, &ours).await.alarms), [(AlarmKind::ForcedOpen, true)]);
        let first = takes(&db, &ours, journal(1), &news).await;
        assert_eq!(first, Taken { seq: 3, new: 1, refused: 0 });
        for again in [&news[..], &news[1..2], &news[2..], &[]] {
            assert_eq!(takes(&db, &ours, journal(1), again).await, Taken { seq: 3, new: 0, refused: 0 });
        }
        let now = page(&db, &ours).await;
        assert_eq!(stands(&now.alarms), [(AlarmKind::WrongCodes, false), (AlarmKind::ForcedOpen, false)]);
        assert_eq!((now.standing, now.unseen, now.next), (0, 2, None));
        let forced_open = &now.alarms[1];
        assert_eq!((forced_open.began.at, forced_open.ended.unwrap().at), (forced.at, at(-10)));
        assert_eq!(forced_open.door, Some((ours.front, label("Entrance A"))));
        assert_eq!(forced_open.controller.0, ours.controller);
        // numbers may be missing, and an end of nothing ends nothing
        assert_eq!(takes(&db, &ours, journal(1), &[ended(90, 77)]).await.seq, 90);
    }

    async fn a_clock_that_is_not_believed_or_runs_ahead_is_said_and_never_later_than_now(db) {
        let (ours, _) = two_towns(&db).await;
        let ahead = NewsEntry { at: at(1_000_000), ..raised(1, AlarmKind::Mains, None) };
        let unknown = NewsEntry { at: Timestamp::from_millis(7), trusted: false, ..raised(2, AlarmKind::Clock, None) };
        takes(&db, &ours, journal(1), &[ahead, unknown]).await;
        let alarms = page(&db, &ours).await.alarms;
        let began: Vec<_> = alarms.iter().map(|alarm| (alarm.began.at.as_millis(), alarm.began.about)).collect();
        assert_eq!(began, [(NOW.as_millis(), false), (7, true)]);
        assert_eq!((alarms[0].door.clone(), alarms[0].part), (None, Some(3)));
    }

    async fn a_controller_tells_of_its_own_doors_and_in_its_own_name(db) {
        let (ours, theirs) = two_towns(&db).await;
        let all = [ours.office_door, theirs.front, ours.front];
        let news: Vec<_> = (1..).zip(all).map(|(seq, door)| raised(seq, AlarmKind::ForcedOpen, Some(door))).collect();
        assert_eq!(takes(&db, &ours, journal(1), &news).await, Taken { seq: 3, new: 1, refused: 2 });
        assert_eq!(page(&db, &ours).await.alarms.len(), 1);
        let spare = ours.as_controller(ours.spare);
        let forged = db.store.alarms().take_news(&spare, &stamp(1), ours.controller, journal(2), &news).await.unwrap();
        assert_eq!(forged, None);
        // what another controller ends by the same numbers is its own
        let news = [ended(9, 3)];
        db.store.alarms().take_news(&spare, &stamp(1), ours.spare, journal(1), &news).await.unwrap().unwrap();
        assert_eq!(page(&db, &ours).await.standing, 1);
    }

    async fn a_journal_that_is_lost_with_its_disk_leaves_nothing_standing(db) {
        let (ours, _) = two_towns(&db).await;
        takes(&db, &ours, journal(1), &[raised(7, AlarmKind::Mains, None)]).await;
        let fresh = [raised(1, AlarmKind::Battery, None)];
        assert_eq!(takes(&db, &ours, journal(2), &fresh).await, Taken { seq: 1, new: 1, refused: 0 });
        let alarms = page(&db, &ours).await.alarms;
        assert_eq!(stands(&alarms), [(AlarmKind::Battery, true), (AlarmKind::Mains, false)]);
        assert!(alarms[1].ended.unwrap().about, "nobody knows when");
        // and the one before, put back from a copy, is not taken twice
        takes(&db, &ours, journal(1), &[raised(7, AlarmKind::Mains, None)]).await;
        assert_eq!(page(&db, &ours).await.alarms.len(), 2);
    }

    async fn an_alarm_whose_end_was_noted_before_a_backup_was_restored_ends_when_its_controller_comes_back(db) {
        let (ours, _) = two_towns(&db).await;
        let (mains, battery) = (raised(1, AlarmKind::Mains, None), raised(2, AlarmKind::Battery, None));
        takes(&db, &ours, journal(1), &[mains, battery, raised(7, AlarmKind::Fire, None)]).await;
        let itself = ours.as_controller(ours.controller);
        let end = async |scope, id, of, noted, standing: &[u64]| {
            db.store.alarms().end_forgotten(scope, &stamp(1), id, of, noted, standing).await.unwrap()
        };
        let spare = ours.as_controller(ours.spare);
        assert_eq!(end(&spare, ours.controller, journal(1), 9, &[]).await, 0, "in another's name");
        assert_eq!(end(&spare, ours.spare, journal(1), 9, &[]).await, 0, "another's by the same number");
        assert_eq!(end(&itself, ours.controller, journal(2), 9, &[]).await, 0, "another journal");
        assert_eq!(end(&itself, ours.controller, journal(1), 7, &[1, 2, 7]).await, 0);
        assert_eq!(page(&db, &ours).await.standing, 3);
        // 7 is still to be told as noted: what follows is said then
        assert_eq!(end(&itself, ours.controller, journal(1), 6, &[1]).await, 1);
        let alarms = page(&db, &ours).await.alarms;
        let is_there: Vec<_> = alarms.iter().map(|alarm| (alarm.kind, alarm.ended.map(|ended| ended.about))).collect();
        let expected = [(AlarmKind::Fire, None), (AlarmKind::Mains, None), (AlarmKind::Battery, Some(true))];
        assert_eq!(is_there, expected);
        assert_eq!(end(&itself, ours.controller, journal(1), 6, &[1]).await, 0, "once");
    }

    async fn pages_go_on_where_they_ended_what_stands_before_what_is_new_before_the_rest(db) {
        let (ours, _) = two_towns(&db).await;
        let alarms = db.store.alarms();
        let admin = ours.as_person(ours.admin);
        let news: Vec<_> = (1_u64..=9).map(|seq| {
            let kind = if seq.is_multiple_of(3) { AlarmKind::Mains } else { AlarmKind::WrongCodes };
            NewsEntry { at: at(-50), ..raised(seq, kind, None) }
        }).collect();
        takes(&db, &ours, journal(1), &news).await;
        let whole = page(&db, &ours).await;
        for seen in &whole.alarms[7..] {
            alarms.see_alarm(&admin, &stamp(3), seen.id).await.unwrap().unwrap();
        }
        let whole = page(&db, &ours).await;
        assert_eq!((whole.standing, whole.unseen), (3, 4));
        let order: Vec<_> = whole.alarms.iter().map(|one| (one.ended.is_some(), one.seen_at.is_some())).collect();
        assert_eq!(order, [[(false, false)].repeat(3), [(true, false)].repeat(4), [(true, true)].repeat(2)].concat());
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let next = alarms.alarms_page(&admin, ours.house, after, 2).await.unwrap();
            found.extend(next.alarms);
            after = next.next;
            if after.is_none() { break }
        }
        assert_eq!(found, whole.alarms);
    }

    async fn who_saw_it_first_stays_and_goes_with_themselves(db) {
        let (ours, _) = two_towns(&db).await;
        let alarms = db.store.alarms();
        takes(&db, &ours, journal(1), &[raised(1, AlarmKind::Tamper, Some(ours.front))]).await;
        let alarm = page(&db, &ours).await.alarms[0].id;
        let (admin, caretaker) = (ours.as_person(ours.admin), ours.as_person(ours.caretaker));
        let seen = alarms.see_alarm(&admin, &Stamp { at: at(5), ..stamp(2) }, alarm).await.unwrap().unwrap();
        assert_eq!((seen.seen_at, seen.seen_by.is_some()), (Some(at(5)), true));
        let again = alarms.see_alarm(&caretaker, &Stamp { at: at(9), ..stamp(3) }, alarm).await.unwrap().unwrap();
        assert_eq!((again.seen_at, again.seen_by), (Some(at(5)), None), "a caretaker does not see people");
        assert_eq!(alarms.alarm(&admin, alarm).await.unwrap(), Some(seen));
        let query = AuditQuery { building: Some(ours.house), action: Some("alarm".into()), limit: 9, ..AuditQuery::default() };
        let entries = db.store.audit().audit_page(&admin, query).await.unwrap().entries;
        assert_eq!(entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["alarm.seen"], "once");
        assert_eq!(page(&db, &ours).await.standing, 1, "seen, and it stands still");
    }

    async fn webhooks_hear_of_it_once_and_by_ids_alone(db) {
        let (ours, _) = two_towns(&db).await;
        let (manager, hooks) = (ours.as_person(ours.manager), db.store.webhooks());
        let new = new_webhook(ours.fresh(1), Some(ours.house));
        assert!(hooks.add_webhook(&manager, &stamp(1), new).await.unwrap());
        let news = [raised(1, AlarmKind::ForcedOpen, Some(ours.front)), ended(2, 1)];
        for _ in 0..2 {
            takes(&db, &ours, journal(1), &news).await;
        }
        let hook = hooks.webhook(&manager, ours.fresh(1)).await.unwrap().unwrap();
        assert_eq!(hook.waiting, 1, "its end is no message");
        let message = hooks.next_message(&ours.system(), ours.fresh(1)).await.unwrap().unwrap().event;
        let alarm = page(&db, &ours).await.alarms[0].id;
        assert_eq!((message.kind, message.alarm, message.building), (EventKind::AlarmBegan, Some(alarm), Some(ours.house)));
        assert_eq!((message.person, message.unit), (None, None));
    }

    async fn one_mail_gathers_what_began_and_goes_to_who_can_do_something(db) {
        let (ours, _) = two_towns(&db).await;
        let alarms = db.store.alarms();
        let gate = db.store.gate();
        let due = async |seconds| gate.due_alarm_mails(at(seconds), 9).await.unwrap();
        let admin = ours.as_person(ours.admin);
        let reached = [("manager", ours.manager), ("admin", ours.admin), ("caretaker", ours.caretaker), ("auditor", ours.auditor),
            ("expired", ours.expired), ("unbound", ours.unbound), ("gone", ours.gone), ("kari", ours.kari), ("office", ours.office_admin)];
        for (name, person) in reached {
            let update = Query::update()
                .table("person")
                .value("email", format!("{name}@example.org"))
                .and_where(Expr::col("tenant").eq(ours.tenant.0))
                .and_where(Expr::col("id").eq(person.0))
                .take();
            db.connection().await.execute(&update).await.unwrap();
        }
        takes(&db, &ours, journal(1), &[raised(1, AlarmKind::Mains, None)]).await;
        assert!(alarms.set_alarm_mail(&admin, &stamp(1), ours.house, true).await.unwrap());
        assert!(page(&db, &ours).await.mail);
        assert_eq!(due(9_999).await, [], "what was before is not mailed");
        takes(&db, &ours, journal(1), &[raised(2, AlarmKind::Battery, None)]).await;
        takes(&db, &ours, journal(1), &[raised(3, AlarmKind::ForcedOpen, Some(ours.front)), ended(4, 2)]).await;
        assert_eq!(due(59).await, []);
        let [mail] = due(60).await[..] else { panic!("one mail") };
        assert_eq!((mail.building, mail.run_at), (ours.house, NOW.plus(MINUTE)));
        let service = ours.system().at(at(60));
        assert!(alarms.take_alarm_mail(&service, &mail, at(180)).await.unwrap());
        assert!(!alarms.take_alarm_mail(&service, &mail, at(180)).await.unwrap(), "one takes it");
        let found = alarms.alarm_mail(&service, &mail).await.unwrap().unwrap();
        let kinds: Vec<_> = found.alarms.iter().map(|alarm| alarm.kind).collect();
        assert_eq!(kinds, [AlarmKind::Battery, AlarmKind::ForcedOpen]);
        let ids: Vec<_> = found.alarms.iter().map(|alarm| alarm.id).collect();
        alarms.alarm_mailed(&service, &mail, &ids[..1]).await.unwrap();
        assert_eq!(due(60).await.len(), 1, "one of them waits still");
        alarms.alarm_mailed(&service, &mail, &ids).await.unwrap();
        assert_eq!(due(9_999).await, []);
        let mut to: Vec<_> = found.to.iter().map(|(email, _)| email.reveal().as_str().to_owned()).collect();
        to.sort();
        assert_eq!(to, ["admin@example.org", "caretaker@example.org", "manager@example.org"]);
    }

    async fn what_is_over_and_seen_is_forgotten_and_what_stands_never_is(db) {
        let (ours, _) = two_towns(&db).await;
        let alarms = db.store.alarms();
        let news = [raised(1, AlarmKind::Mains, None), raised(2, AlarmKind::WrongCodes, None), raised(3, AlarmKind::Duress, None)];
        takes(&db, &ours, journal(1), &news).await;
        let all = page(&db, &ours).await.alarms;
        for alarm in &all {
            if alarm.kind != AlarmKind::Duress {
                alarms.see_alarm(&ours.as_person(ours.admin), &stamp(2), alarm.id).await.unwrap().unwrap();
            }
        }
        let mut left = Vec::new();
        for days in [90, 91, 365, 366] {
            db.store.gate().forget_alarms(NOW.plus(DAY * days), DAY * 90, DAY * 365).await.unwrap();
            left.push(page(&db, &ours).await.alarms.len());
        }
        assert_eq!(left, [3, 2, 2, 1]);
        assert_eq!(stands(&page(&db, &ours).await.alarms), [(AlarmKind::Mains, true)]);
    }
}
