//! Property managers are made, renamed and suspended by an operator, and know nothing of each other.

use crate::database::on_both;
use crate::town::{NOW, Town, hash, label, stamp, two_towns};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::site::Tenant;
use klinke_storage::StorageError;
use klinke_storage::record::{AppRequirements, NewTenant, TenantChanged, TenantRow};
use std::time::Duration;

/// A property manager with a manager of its own.
pub fn new_tenant(ours: &Town, number: u64) -> NewTenant {
    let person = ours.person(ours.fresh(number), "Nina Ny");
    NewTenant {
        tenant: Tenant { id: ours.fresh(number), name: label("Nybygg") },
        role: ours.fresh(number),
        manager: person,
        ends_at: NOW.plus(Duration::from_secs(300 * 86_400)),
    }
}

on_both! {
    async fn a_new_property_manager_is_apart_and_its_manager_must_accept_first(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (tenants, operator) = (db.store.tenants(), ours.as_person(ours.manager));
        let new = new_tenant(&ours, 900);
        assert!(!tenants.make_tenant(&theirs.as_person(theirs.manager), &stamp(1), new.clone()).await.unwrap());
        let forever = NewTenant { ends_at: NOW.plus(Duration::from_secs(400 * 86_400)), ..new.clone() };
        assert!(matches!(tenants.make_tenant(&operator, &stamp(1), forever).await, Err(StorageError::Invalid(_))));
        assert!(tenants.make_tenant(&operator, &stamp(1), new.clone()).await.unwrap());
        assert_eq!(tenants.tenants(&operator).await.unwrap().len(), 3);
        assert_eq!(tenants.tenants(&theirs.as_person(theirs.manager)).await.unwrap(), []);
        let principal = Principal::Person { person: new.manager.id, device: ours.phone };
        let nina = Scope { tenant: new.tenant.id, principal, at: NOW, view: None };
        let people = db.store.people();
        assert!(!people.may_everywhere(&nina, Right::ChangeBuilding).await.unwrap(), "not bound yet");
        assert!(people.accept_confidentiality(&nina, &stamp(1), new.manager.id).await.unwrap());
        assert!(people.may_everywhere(&nina, Right::ChangeBuilding).await.unwrap());
        assert!(!people.may_everywhere(&nina.at(new.ends_at), Right::ChangeBuilding).await.unwrap(), "it ends");
        assert!(!people.may_everywhere(&nina, Right::Tenants).await.unwrap());
        assert_eq!(db.store.sites().buildings(&nina).await.unwrap(), []);
        // an operator sees nothing inside
        assert_eq!(people.person(&operator, new.manager.id).await.unwrap(), None);
        for chain in [operator, nina] {
            assert_eq!(db.store.audit().verify_audit(&chain).await.unwrap().unwrap().first_bad, None);
        }
    }

    async fn of_a_suspended_property_manager_nobody_signs_in_and_its_doors_go_on(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (tenants, gate, operator) = (db.store.tenants(), db.store.gate(), ours.as_person(ours.manager));
        assert!(db.store.people().insert_account(&theirs.system(), theirs.account(theirs.kari, "their-kari")).await.unwrap());
        let seen = async |id| tenants.tenants(&operator).await.unwrap().into_iter().find(|row| row.tenant.id == id).unwrap();
        let session = async || gate.session(hash(theirs.base + 50), 1).await.unwrap().is_some();
        let account = async || gate.account("their-kari").await.unwrap().unwrap().active;
        assert!(session().await && account().await);
        let before = seen(theirs.tenant).await;
        let suspend = TenantRow { suspended: true, ..before.clone() };
        assert!(matches!(tenants.change_tenant(&operator, &stamp(1), suspend.clone()).await.unwrap(), TenantChanged::Done(row) if row.version == 2));
        assert!(matches!(tenants.change_tenant(&operator, &stamp(1), before).await.unwrap(), TenantChanged::Conflict(_)));
        assert!(!session().await && !account().await && gate.is_suspended(theirs.tenant).await.unwrap());
        assert!(gate.session(hash(ours.base + 50), 1).await.unwrap().is_some(), "ours go on");
        assert!(gate.controller(hash(theirs.base + 1)).await.unwrap().is_some(), "its doors go on");
        let stopped = tenants.stopped(&theirs.system()).await.unwrap();
        assert!(stopped.panels.contains(&theirs.panel) && stopped.devices.contains(&theirs.phone) && !stopped.panels.contains(&ours.panel));
        let own = TenantRow { suspended: true, ..seen(ours.tenant).await };
        assert_eq!(tenants.change_tenant(&operator, &stamp(1), own).await.unwrap(), TenantChanged::NotThere);
        let resume = TenantRow { suspended: false, version: 2, ..suspend };
        assert!(matches!(tenants.change_tenant(&operator, &stamp(1), resume).await.unwrap(), TenantChanged::Done(_)));
        assert!(session().await && account().await);
    }

    async fn an_operator_says_what_the_app_needs(db) {
        let (ours, _) = two_towns(&db).await;
        let (tenants, operator) = (db.store.tenants(), ours.as_person(ours.manager));
        assert_eq!(db.store.gate().app_requirements().await.unwrap(), AppRequirements::default());
        let wanted = AppRequirements { ios: "17.1.2".to_owned(), android: "12".to_owned() };
        assert!(tenants.set_app_requirements(&operator, &stamp(1), wanted.clone()).await.unwrap());
        assert_eq!(db.store.gate().app_requirements().await.unwrap(), wanted);
        for odd in ["", "x", "1.", "1.2.3.4", "1000", "1 "] {
            let odd = AppRequirements { ios: odd.to_owned(), ..wanted.clone() };
            assert!(matches!(tenants.set_app_requirements(&operator, &stamp(1), odd).await, Err(StorageError::Invalid(_))));
        }
    }
}
