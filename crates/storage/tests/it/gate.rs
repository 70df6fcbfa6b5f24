//! Who asks.

use crate::database::on_both;
use crate::town::{Town, hash, id, stamp, two_towns};
use klinke_model::ids::PanelId;
use klinke_model::people::{DeviceKind, Role, RoleGrant};
use klinke_storage::StorageError;
use klinke_storage::record::{Account, ControllerIdentity, NewDevice, PanelKey, SessionHolder};

on_both! {
    async fn the_first_claim_makes_the_owner_and_there_is_no_second(db) {
        let (ours, theirs) = (Town::plan(1_000), Town::plan(5_000));
        let gate = db.store.gate();
        assert!(!gate.is_claimed().await.unwrap());
        assert!(gate.claim(&stamp(1), ours.installation()).await.unwrap());
        assert!(gate.is_claimed().await.unwrap());
        assert!(!gate.claim(&stamp(1), theirs.installation()).await.unwrap());
        assert!(!gate.claim(&stamp(1), ours.installation()).await.unwrap());
        assert_eq!(gate.account("mona5000").await.unwrap(), None, "the loser left something");
        let manager = ours.as_person(ours.manager);
        let roles = db.store.people().roles(&manager, ours.manager).await.unwrap();
        let endless = |role| RoleGrant { role, building: None, ends_at: None };
        assert_eq!(roles, [endless(Role::Operator), endless(Role::Manager)]);
        assert_eq!(db.store.sites().buildings(&manager).await.unwrap(), []);
        let person = db.store.people().person(&manager, ours.manager).await.unwrap();
        assert_eq!(person, Some(ours.installation().administrator));
    }

    async fn a_claim_whose_account_is_not_the_administrators_is_refused(db) {
        let town = Town::plan(1_000);
        let mut new = town.installation();
        new.account.person = town.kari;
        assert!(matches!(db.store.gate().claim(&stamp(1), new).await, Err(StorageError::Invalid(_))));
        assert!(!db.store.gate().is_claimed().await.unwrap());
    }

    async fn an_account_is_found_by_its_user_name(db) {
        let (ours, _) = two_towns(&db).await;
        let gate = db.store.gate();
        let account = ours.installation().account;
        let expected = Account {
            tenant: ours.tenant,
            person: ours.manager,
            password_hash: account.password_hash,
            active: true,
        };
        assert_eq!(gate.account("mona1000").await.unwrap(), Some(expected.clone()));
        assert_eq!(gate.account("mona").await.unwrap(), None);
        db.store.people().set_active(&ours.system(), ours.manager, false).await.unwrap();
        assert_eq!(gate.account("mona1000").await.unwrap(), Some(Account { active: false, ..expected }));
    }

    async fn a_session_is_found_until_its_last_day_is_over(db) {
        let (ours, _) = two_towns(&db).await;
        let gate = db.store.gate();
        let kari = ours.as_person(ours.kari);
        let new = ours.new_device(ours.kari, 1);
        assert!(db.store.devices().sign_in(&kari, new.clone()).await.unwrap());
        let holder = SessionHolder {
            tenant: ours.tenant,
            session: new.session,
            device: new.device.id,
            device_kind: DeviceKind::App,
            person: ours.kari,
        };
        assert_eq!(gate.session(new.token_hash, 19_000).await.unwrap(), Some(holder.clone()));
        assert_eq!(gate.session(new.token_hash, 20_000).await.unwrap(), Some(holder));
        assert_eq!(gate.session(new.token_hash, 20_001).await.unwrap(), None);
        assert_eq!(gate.session(hash(77), 19_000).await.unwrap(), None);
    }

    async fn a_session_whose_last_day_is_over_is_gone_with_its_device_and_the_others_stay(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (devices, gate) = (db.store.devices(), db.store.gate());
        let (past, lasting) = (ours.new_device(ours.kari, 1), ours.new_device(ours.kari, 2));
        let lasting = NewDevice { expires_day: 20_001, ..lasting };
        let neighbours = theirs.new_device(theirs.kari, 3);
        for (scope, new) in
            [(ours.system(), &past), (ours.system(), &lasting), (theirs.system(), &neighbours)]
        {
            assert!(devices.sign_in(&scope, new.clone()).await.unwrap());
        }
        let before = devices.list(&ours.system(), ours.kari).await.unwrap().len();
        assert_eq!(gate.end_expired(20_000).await.unwrap(), [], "its last day is not over");
        let gone = gate.end_expired(20_001).await.unwrap();
        let expected = [past.device.id, neighbours.device.id];
        // The towns' own phones end on the same day.
        assert!(expected.iter().all(|device| gone.contains(device)), "{gone:?}");
        assert!(!gone.contains(&lasting.device.id));
        assert_eq!(gate.end_expired(20_001).await.unwrap(), [], "once");
        let left = devices.list(&ours.system(), ours.kari).await.unwrap();
        assert_eq!(left.iter().map(|device| device.id).collect::<Vec<_>>(), [lasting.device.id], "of {before}");
        assert_eq!(gate.session(past.token_hash, 0).await.unwrap(), None);
        assert!(gate.session(lasting.token_hash, 20_001).await.unwrap().is_some());
        assert!(db.store.people().person(&ours.system(), ours.kari).await.unwrap().is_some());
    }

    async fn signing_out_ends_the_session_of_that_device_only(db) {
        let (ours, _) = two_towns(&db).await;
        let kari = ours.as_person(ours.kari);
        let (one, other) = (ours.new_device(ours.kari, 1), ours.new_device(ours.kari, 2));
        assert!(db.store.devices().sign_in(&kari, one.clone()).await.unwrap());
        assert!(db.store.devices().sign_in(&kari, other.clone()).await.unwrap());
        assert!(db.store.devices().sign_out(&kari, ours.kari, one.device.id).await.unwrap());
        assert!(!db.store.devices().sign_out(&kari, ours.kari, one.device.id).await.unwrap());
        assert_eq!(db.store.gate().session(one.token_hash, 0).await.unwrap(), None);
        assert!(db.store.gate().session(other.token_hash, 0).await.unwrap().is_some());
    }

    async fn sessions_of_suspended_persons_are_not_found(db) {
        let (ours, _) = two_towns(&db).await;
        let new = ours.new_device(ours.kari, 1);
        let (people, gate, scope) = (db.store.people(), db.store.gate(), ours.system());
        assert!(db.store.devices().sign_in(&scope, new.clone()).await.unwrap());
        assert!(people.set_active(&scope, ours.kari, false).await.unwrap());
        assert_eq!(gate.session(new.token_hash, 0).await.unwrap(), None);
        assert!(people.set_active(&scope, ours.kari, true).await.unwrap());
        assert!(gate.session(new.token_hash, 0).await.unwrap().is_some());
    }

    async fn panels_and_controllers_are_found_by_what_they_prove(db) {
        let (ours, theirs) = two_towns(&db).await;
        let gate = db.store.gate();
        let key = PanelKey { tenant: ours.tenant, building: ours.house, public_key: vec![1, 2, 3] };
        assert_eq!(gate.panel_key(ours.panel).await.unwrap(), Some(key.clone()));
        assert_eq!(gate.panel_key(theirs.panel).await.unwrap().map(|key| key.tenant), Some(theirs.tenant));
        assert_eq!(gate.panel_key(ours.garage_panel).await.unwrap(), None, "it has no key");
        assert_eq!(gate.panel_key(id::<PanelId>(9)).await.unwrap(), None);
        let scope = ours.system();
        assert!(db.store.intercom().set_panel_key(&scope, &stamp(9), ours.panel, vec![9]).await.unwrap());
        assert_eq!(gate.panel_key(ours.panel).await.unwrap(), Some(PanelKey { public_key: vec![9], ..key }));
        let found = gate.controller(hash(1_001)).await.unwrap();
        assert_eq!(found, Some(ControllerIdentity { tenant: ours.tenant, controller: ours.controller }));
        assert_eq!(gate.controller(hash(4)).await.unwrap(), None);
    }
}
