//! Addresses that are told of changes: who hears of what, in order, once it is so and not before.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, label, stamp, two_towns};
use klinke_model::events::EventKind;
use klinke_model::ids::{BuildingId, WebhookId};
use klinke_model::people::Membership;
use klinke_model::site::Unit;
use klinke_model::time::Timestamp;
use klinke_storage::record::{
    AuditQuery, Changed, DueWebhook, Joined, NewMove, NewWebhook, Removed, Stamp, Tried, Waiting,
    WebhookChange, WebhookChanged,
};
use std::time::Duration;

pub fn new_webhook(id: WebhookId, building: Option<BuildingId>) -> NewWebhook {
    let url = "https://hooks.example.org/in?key=hush".to_owned();
    NewWebhook { id, building, url, events: EventKind::ALL.to_vec() }
}

/// A salt of its own for each change, as the server makes them.
fn at(seconds: u64) -> Stamp {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&seconds.to_be_bytes());
    Stamp { at: NOW.plus(Duration::from_secs(seconds)), salt }
}

fn far() -> Timestamp {
    NOW.plus(Duration::from_secs(1_000_000))
}

/// Takes what waits for one, as the service: each as (kind, person, unit, building).
async fn heard(db: &Db, ours: &Town, id: WebhookId) -> Vec<Waiting> {
    let (store, scope) = (&db.store, ours.system());
    let mut all = Vec::new();
    loop {
        let due = store.gate().due_webhooks(far(), 100).await.unwrap();
        let Some(due) = due.into_iter().find(|due| due.id == id) else { return all };
        assert_eq!(due.tenant, ours.tenant);
        let until = far().plus(Duration::from_secs(1));
        assert!(store.webhooks().take_webhook(&scope, &due, until).await.unwrap());
        let waiting = store.webhooks().next_message(&scope, id).await.unwrap().unwrap();
        assert!(store.webhooks().settle(&scope, &at(0), &waiting, until, Tried::Taken).await.unwrap());
        all.push(waiting);
    }
}

fn kinds(heard: &[Waiting]) -> Vec<&'static str> {
    heard.iter().map(|waiting| waiting.event.kind.word()).collect()
}

on_both! {
    async fn each_hears_of_its_buildings_in_order_and_of_what_it_asked_for(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (store, scope) = (&db.store, ours.system());
        let [all, house, office, few, off, foreign] = [1, 2, 3, 4, 5, 6].map(|n| ours.fresh::<WebhookId>(n));
        for (id, building) in [(all, None), (house, Some(ours.house)), (office, Some(ours.office)), (off, None)] {
            assert!(store.webhooks().add_webhook(&scope, &at(1), new_webhook(id, building)).await.unwrap());
        }
        let events = vec![EventKind::PersonSuspended];
        let choosy = NewWebhook { events, ..new_webhook(few, Some(ours.house)) };
        assert!(store.webhooks().add_webhook(&scope, &at(1), choosy).await.unwrap());
        assert!(store.webhooks().add_webhook(&theirs.system(), &at(1), new_webhook(foreign, None)).await.unwrap());
        let switched = WebhookChange { version: 1, enabled: Some(false), ..WebhookChange::default() };
        let switched = store.webhooks().change_webhook(&scope, &at(2), off, switched).await.unwrap();
        assert!(matches!(switched, WebhookChanged::Done(webhook) if !webhook.enabled && webhook.version == 2));

        let (people, new) = (store.people(), ours.person(ours.fresh(20), "Åse"));
        assert!(people.add_person(&scope, &at(10), new.clone(), &[(ours.unit, false)]).await.unwrap());
        let place = Membership { person: new.id, unit: ours.office_unit, owner: true };
        assert!(people.set_home(&scope, &at(11), place).await.unwrap());
        assert!(people.suspend_person(&scope, &at(12), new.id, true).await.unwrap().is_some());
        assert!(people.take_home(&scope, &at(13), new.id, ours.unit).await.unwrap());
        let unit = Unit { id: ours.fresh(21), building: ours.office, entrance: ours.office_entrance, number: label("9") };
        assert!(store.sites().insert_units(&scope, &at(14), ours.office, &[unit], &[]).await.unwrap());

        let told = heard(&db, &ours, all).await;
        assert_eq!(kinds(&told), ["person.created", "membership.began", "membership.began", "person.suspended",
            "membership.ended", "unit.created"]);
        assert!(told.is_sorted_by_key(|waiting| (waiting.seq, waiting.event.at)));
        assert_eq!(told[0].event.person, Some(new.id));
        assert_eq!((told[1].event.unit, told[1].event.building), (Some(ours.unit), Some(ours.house)));
        assert_eq!(told[3].event.building, None, "in two buildings");
        assert_eq!(told[4].event.at, at(13).at);
        let in_house = heard(&db, &ours, house).await;
        assert_eq!(kinds(&in_house), ["person.created", "membership.began", "person.suspended", "membership.ended"]);
        assert!(in_house.iter().all(|waiting| waiting.event.building == Some(ours.house)));
        assert_eq!(kinds(&heard(&db, &ours, office).await), ["membership.began", "person.suspended", "unit.created"]);
        assert_eq!(kinds(&heard(&db, &ours, few).await), ["person.suspended"]);
        assert_eq!(heard(&db, &ours, off).await, []);
        assert_eq!(store.gate().due_webhooks(far(), 9).await.unwrap(), [], "and nobody else's");
        let mut ids: Vec<_> = told.iter().chain(&in_house).map(|waiting| waiting.event.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), told.len() + in_house.len(), "every message has its own id");
    }

    async fn what_did_not_happen_is_not_told(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        assert!(store.webhooks().add_webhook(&scope, &at(1), new_webhook(id, None)).await.unwrap());
        let taken = ours.person(ours.kari, "Kari again");
        assert!(store.people().add_person(&scope, &at(2), taken, &[(ours.unit, false)]).await.is_err());
        let nowhere = ours.person(ours.fresh(20), "Nowhere");
        assert!(!store.people().add_person(&scope, &at(3), nowhere, &[(ours.fresh(99), false)]).await.unwrap());
        assert!(store.people().suspend_person(&scope, &at(4), ours.gone, true).await.unwrap().is_some());
        assert_eq!(store.gate().due_webhooks(far(), 9).await.unwrap(), []);
    }

    async fn a_move_tells_of_everybody_who_left_and_came(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        assert!(store.webhooks().add_webhook(&scope, &at(1), new_webhook(id, Some(ours.house))).await.unwrap());
        let new = NewMove {
            id: ours.fresh(70), unit: ours.unit, last_day: 1, ends_at: at(2).at,
            out: vec![ours.kari, ours.ola], to: None, into: vec![(ours.person(ours.fresh(71), "Ny"), false)],
        };
        assert!(store.moves().plan_move(&scope, &at(2), new).await.unwrap());
        assert_eq!(heard(&db, &ours, id).await, [], "planned is not moved");
        assert!(store.moves().carry_out_move(&scope, &at(3), ours.fresh(70)).await.unwrap().is_some());
        let told = heard(&db, &ours, id).await;
        let count = |kind| told.iter().filter(|waiting| waiting.event.kind == kind).count();
        assert_eq!(count(EventKind::MembershipEnded), 2);
        assert_eq!(count(EventKind::MembershipBegan), 1);
        assert!(count(EventKind::PersonSuspended) > 0, "who has nothing left here");
        assert!(told.iter().all(|waiting| waiting.event.unit == Some(ours.unit)));
    }

    async fn who_vanishes_with_a_move_and_what_goes_with_a_building_is_told(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        assert!(store.webhooks().add_webhook(&scope, &at(1), new_webhook(id, None)).await.unwrap());
        let new = NewMove {
            id: ours.fresh(70), unit: ours.unit, last_day: 1, ends_at: at(9).at,
            out: vec![ours.kari], to: None, into: vec![(ours.person(ours.fresh(71), "Ny"), false)],
        };
        assert!(store.moves().plan_move(&scope, &at(2), new).await.unwrap());
        assert!(store.moves().cancel_move(&scope, &at(3), ours.fresh(70)).await.unwrap());
        let told = heard(&db, &ours, id).await;
        assert_eq!(kinds(&told), ["person.created", "person.deleted"]);
        assert_eq!((told[1].event.person, told[1].event.at), (Some(ours.fresh(71)), at(3).at));

        assert_eq!(store.parts().remove_building(&scope, &at(4), ours.office).await.unwrap(), Removed::Done);
        let told = heard(&db, &ours, id).await;
        assert_eq!(kinds(&told), ["unit.removed"]);
        assert_eq!((told[0].event.unit, told[0].event.building), (Some(ours.office_unit), Some(ours.office)));
    }

    async fn what_residents_change_of_themselves_and_their_home_is_told(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        assert!(store.webhooks().add_webhook(&scope, &at(1), new_webhook(id, Some(ours.house))).await.unwrap());
        let kari = ours.as_person(ours.kari);
        let language = klinke_model::contact::Language::Sv;
        assert!(matches!(store.people().change_me(&kari, 1, None, None, language).await.unwrap(), Changed::Done(_)));
        assert!(matches!(store.people().change_me(&kari, 1, None, None, language).await.unwrap(), Changed::Conflict(_)));
        assert!(store.people().insert_account(&scope, ours.account(ours.ola, "ola")).await.unwrap());
        assert_eq!(store.households().hand_on(&kari, ours.unit, ours.ola).await.unwrap(), Joined::Done);
        let told = heard(&db, &ours, id).await;
        assert_eq!(kinds(&told), ["person.changed", "membership.changed", "membership.changed"]);
        let who: Vec<_> = told.iter().map(|waiting| waiting.event.person.unwrap()).collect();
        assert_eq!(who, [ours.kari, ours.ola, ours.kari]);
    }

    async fn failures_wait_keep_the_order_and_are_given_up_and_gone_is_gone(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        let webhooks = store.webhooks();
        assert!(webhooks.add_webhook(&scope, &at(1), new_webhook(id, None)).await.unwrap());
        for n in [2, 3] {
            let new = ours.person(ours.fresh(20 + n), "New");
            assert!(store.people().add_person(&scope, &at(n), new, &[]).await.unwrap());
        }
        let due = store.gate().due_webhooks(at(4).at, 9).await.unwrap();
        let [one] = due.as_slice() else { panic!("{due:?}") };
        assert!(webhooks.take_webhook(&scope, one, at(24).at).await.unwrap());
        assert!(!webhooks.take_webhook(&scope, one, at(24).at).await.unwrap(), "taken once");
        assert_eq!(store.gate().due_webhooks(at(23).at, 9).await.unwrap(), [], "while it is taken");
        let first = webhooks.next_message(&scope, id).await.unwrap().unwrap();
        let failed = |give_up| Tried::Failed { why: "http_503".to_owned(), next: at(100).at, give_up };
        assert!(webhooks.settle(&scope, &at(10), &first, at(24).at, failed(false)).await.unwrap());
        let now = webhooks.webhook(&scope, id).await.unwrap().unwrap();
        assert_eq!((now.failing_since, now.failure.as_deref()), (Some(at(10).at), Some("http_503")));
        assert_eq!((now.attempts, now.waiting, now.lost), (1, 2, 0));
        assert_eq!(store.gate().due_webhooks(at(99).at, 9).await.unwrap(), []);
        let again = webhooks.next_message(&scope, id).await.unwrap().unwrap();
        assert_eq!((again.seq, again.event.id), (first.seq, first.event.id), "the oldest first, under the same id");

        let due = DueWebhook { run_at: at(100).at, ..*one };
        assert!(webhooks.take_webhook(&scope, &due, at(120).at).await.unwrap());
        assert!(!webhooks.settle(&scope, &at(101), &again, at(24).at, failed(false)).await.unwrap(), "of the time before");
        assert!(webhooks.settle(&scope, &at(101), &again, at(120).at, failed(true)).await.unwrap());
        let now = webhooks.webhook(&scope, id).await.unwrap().unwrap();
        assert_eq!((now.attempts, now.waiting, now.lost, now.failing_since), (2, 1, 1, Some(at(10).at)));

        let second = webhooks.next_message(&scope, id).await.unwrap().unwrap();
        assert_ne!(second.event.id, first.event.id);
        assert!(webhooks.take_webhook(&scope, &due, at(140).at).await.unwrap());
        assert!(webhooks.settle(&scope, &at(130), &second, at(140).at, Tried::Gone).await.unwrap());
        let now = webhooks.webhook(&scope, id).await.unwrap().unwrap();
        assert_eq!((now.enabled, now.waiting, now.failure.as_deref()), (false, 0, Some("gone")));
        assert_eq!(webhooks.next_message(&scope, id).await.unwrap(), None);
        assert!(!webhooks.take_webhook(&scope, &due, at(160).at).await.unwrap(), "switched off");
        let on = WebhookChange { version: now.version, enabled: Some(true), ..WebhookChange::default() };
        let WebhookChanged::Done(on) = webhooks.change_webhook(&scope, &at(150), id, on).await.unwrap() else { panic!() };
        assert_eq!((on.enabled, on.failing_since, on.failure, on.attempts), (true, None, None, 0));
        let due = DueWebhook { run_at: at(150).at, ..due };
        assert!(!webhooks.take_webhook(&scope, &due, at(170).at).await.unwrap(), "nothing waits");
        let entries = store.audit().audit_entries(&scope, AuditQuery { limit: 9, ..AuditQuery::default() }).await.unwrap();
        let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).filter(|action| action.starts_with("webhook")).collect();
        assert_eq!(actions, ["webhook.changed", "webhook.switched_off", "webhook.made"]);
    }

    async fn secrets_change_versions_count_and_what_is_removed_is_gone(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, admin, id) = (&db.store, ours.as_person(ours.admin), ours.fresh(1));
        let webhooks = store.webhooks();
        assert!(!webhooks.add_webhook(&admin, &stamp(1), new_webhook(id, None)).await.unwrap(), "of one building only");
        assert!(!webhooks.add_webhook(&admin, &stamp(1), new_webhook(id, Some(ours.office))).await.unwrap());
        assert!(webhooks.add_webhook(&admin, &stamp(1), new_webhook(id, Some(ours.house))).await.unwrap());
        let rotated = webhooks.rotate_webhook(&admin, &stamp(2), id, far()).await.unwrap().unwrap();
        assert_eq!((rotated.secret, rotated.before_until, rotated.version), (2, Some(far()), 2));
        let old = WebhookChange { version: 1, url: Some("https://else".to_owned()), ..WebhookChange::default() };
        let refused = webhooks.change_webhook(&admin, &stamp(3), id, old).await.unwrap();
        assert_eq!(refused, WebhookChanged::Conflict(rotated));
        let new = ours.person(ours.fresh(20), "New");
        assert!(store.people().add_person(&admin, &at(4), new, &[(ours.unit, false)]).await.unwrap());
        assert!(webhooks.remove_webhook(&admin, &stamp(5), id).await.unwrap());
        assert!(!webhooks.remove_webhook(&admin, &stamp(6), id).await.unwrap());
        assert_eq!(webhooks.webhooks(&ours.system()).await.unwrap(), []);
        assert_eq!(store.gate().due_webhooks(far(), 9).await.unwrap(), []);
    }
}
