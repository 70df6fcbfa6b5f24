//! Links to set a password, and the work that sends them.

use crate::database::on_both;
use crate::town::{NOW, hash, stamp, two_towns};
use klinke_model::privacy::Pii;
use klinke_model::time::Timestamp;
use klinke_storage::record::{Followed, InvitationState, Stamp};
use std::time::Duration;

const HOUR: u64 = 3_600_000;

/// So many milliseconds after now.
fn at(millis: u64) -> Timestamp {
    NOW.plus(Duration::from_millis(millis))
}

fn asked(millis: u64) -> Stamp {
    Stamp { at: at(millis), ..stamp(millis) }
}

fn pii(text: &str) -> Pii<String> {
    Pii::new(text.to_owned())
}

on_both! {
    async fn a_link_is_good_once_and_until_its_end(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope) = (&db.store, ours.system());
        let ends = at(72 * HOUR);
        assert!(store.invitations().hand_over(&scope, &stamp(1), ours.lone, hash(1), ends).await.unwrap());
        let look = async |now: u64| store.gate().invitation(hash(1), at(now)).await.unwrap();
        assert!(matches!(look(72 * HOUR - 1_000).await, Followed::Good(invited) if invited.person == ours.lone));
        assert_eq!(look(72 * HOUR).await, Followed::Expired);
        assert_eq!(store.gate().invitation(hash(2), at(0)).await.unwrap(), Followed::Unknown);
        let accept = async |now: u64| {
            store.gate().accept_invitation(hash(1), at(now), &pii("lone"), &pii("a hash")).await.unwrap()
        };
        assert_eq!(accept(72 * HOUR).await, Followed::Expired);
        assert!(store.gate().account("lone").await.unwrap().is_none(), "too late is nothing");
        assert!(matches!(accept(72 * HOUR - 1).await, Followed::Good(set) if set.person == ours.lone));
        assert_eq!(accept(72 * HOUR - 1).await, Followed::Used);
        assert_eq!(look(1).await, Followed::Used);
        let account = store.gate().account("lone").await.unwrap().unwrap();
        assert_eq!((account.person, account.password_hash.reveal().as_str()), (ours.lone, "a hash"));
        let way_in = store.invitations().way_in(&scope, ours.lone, at(0)).await.unwrap().unwrap();
        assert_eq!((way_in.has_account, way_in.invitation), (true, Some(InvitationState::Used)));
    }

    async fn of_many_who_follow_a_link_at_once_one_sets_the_password(db) {
        let (ours, _) = two_towns(&db).await;
        let store = &db.store;
        let scope = ours.system();
        assert!(store.invitations().hand_over(&scope, &stamp(1), ours.lone, hash(1), at(HOUR)).await.unwrap());
        let mut tries = tokio::task::JoinSet::new();
        for number in 0..8 {
            let store = store.clone();
            tries.spawn(async move {
                let password = pii(&format!("hash {number}"));
                store.gate().accept_invitation(hash(1), at(1), &pii("lone"), &password).await.unwrap()
            });
        }
        let answers = tries.join_all().await;
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Followed::Good(_))).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Followed::Used).count(), 7);
    }

    async fn a_new_password_signs_every_device_out_and_keeps_the_user_name(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope) = (&db.store, ours.system());
        assert!(store.people().insert_account(&scope, ours.account(ours.kari, "kari")).await.unwrap());
        let devices = store.devices().list(&scope, ours.kari).await.unwrap().len();
        assert!(devices > 0);
        let (desk_phone, account) = crate::sip_accounts::desk_phone(&ours, 200, ours.kari);
        let given = store.sip_accounts().add_sip_device(&scope, &stamp(2), desk_phone.clone(), account).await;
        assert_eq!(given.unwrap(), klinke_storage::record::SipAdded::Done);
        assert!(store.invitations().hand_over(&scope, &stamp(1), ours.kari, hash(1), at(HOUR)).await.unwrap());
        let set = store.gate().accept_invitation(hash(1), at(1), &pii("other"), &pii("new")).await.unwrap();
        assert!(matches!(set, Followed::Good(set) if set.signed_out.len() == devices));
        let left = store.devices().list(&scope, ours.kari).await.unwrap();
        assert_eq!(left, [desk_phone], "it has a password of its own");
        assert!(store.gate().account("other").await.unwrap().is_none());
        assert_eq!(store.gate().account("kari").await.unwrap().unwrap().password_hash.reveal(), "new");
    }

    async fn a_suspended_person_and_a_replaced_link_get_nothing(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope) = (&db.store, ours.system());
        assert!(store.invitations().hand_over(&scope, &stamp(1), ours.gone, hash(1), at(HOUR)).await.unwrap());
        assert_eq!(store.gate().invitation(hash(1), at(1)).await.unwrap(), Followed::Expired);
        assert!(store.invitations().hand_over(&scope, &stamp(2), ours.lone, hash(2), at(HOUR)).await.unwrap());
        assert!(store.invitations().invite(&scope, &stamp(3), ours.lone, ours.fresh(9)).await.unwrap());
        assert_eq!(store.gate().invitation(hash(2), at(1)).await.unwrap(), Followed::Unknown);
        assert!(store.invitations().withdraw(&scope, &stamp(4), ours.lone).await.unwrap());
        assert!(!store.invitations().withdraw(&scope, &stamp(5), ours.lone).await.unwrap());
        assert_eq!(store.gate().jobs_waiting().await.unwrap(), 0, "what was withdrawn is not sent");
    }

    async fn nobody_makes_a_link_for_somebody_who_may_more(db) {
        let (ours, _) = two_towns(&db).await;
        let (invitations, admin) = (db.store.invitations(), ours.as_person(ours.admin));
        let mut made = Vec::new();
        // the manager and the administrator of the other building live in the house too
        for (number, person) in [ours.lone, ours.manager, ours.office_admin].into_iter().enumerate() {
            let place = klinke_model::people::Membership { person, unit: ours.neighbour_unit, owner: false };
            if person != ours.lone {
                assert!(db.store.people().add_membership(&ours.system(), place).await.unwrap());
            }
            let number = u64::try_from(number).unwrap();
            made.push(invitations.hand_over(&admin, &stamp(1), person, hash(number), at(HOUR)).await.unwrap());
            let seen = invitations.way_in(&admin, person, at(0)).await.unwrap().unwrap();
            assert_eq!(seen.may_invite, person == ours.lone);
        }
        assert_eq!(made, [true, false, false]);
        // who also lives where the administrator administers nothing
        let elsewhere = klinke_model::people::Membership { person: ours.lone, unit: ours.office_unit, owner: false };
        assert!(db.store.people().add_membership(&ours.system(), elsewhere).await.unwrap());
        assert!(!invitations.hand_over(&admin, &stamp(2), ours.lone, hash(9), at(HOUR)).await.unwrap());
    }

    async fn work_is_taken_by_one_and_comes_back_until_it_is_done(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope) = (&db.store, ours.system());
        assert!(store.invitations().invite(&scope, &asked(5), ours.lone, ours.fresh(1)).await.unwrap());
        let due = async |now: u64| store.gate().due_jobs(klinke_storage::record::JobKind::Invite, at(now), 10).await.unwrap();
        assert_eq!(due(4).await, [], "not before its time");
        let [job] = due(5).await[..] else { panic!("one job") };
        assert_eq!((job.tenant, job.subject, job.attempts), (ours.tenant, ours.lone.0, 0));
        assert!(store.jobs().take(&scope, &job, at(100)).await.unwrap());
        assert!(!store.jobs().take(&scope, &job, at(100)).await.unwrap(), "somebody has it");
        assert_eq!(due(99).await, []);
        let [again] = due(100).await[..] else { panic!("it comes back") };
        assert_eq!((again.id, again.attempts), (job.id, 1));
        assert!(store.jobs().take(&scope, &again, at(200)).await.unwrap());
        assert!(store.invitations().invite(&scope, &asked(150), ours.lone, ours.fresh(2)).await.unwrap());
        assert!(!store.jobs().done(&scope, job.id, at(200)).await.unwrap(), "it was asked for anew: it stays");
        let [anew] = due(150).await[..] else { panic!("once, not twice") };
        assert_eq!((anew.id, anew.attempts), (job.id, 0));
        assert!(store.jobs().take(&scope, &anew, at(300)).await.unwrap());
        assert!(store.jobs().done(&scope, job.id, at(300)).await.unwrap());
        assert_eq!(store.gate().jobs_waiting().await.unwrap(), 0);
    }
}
