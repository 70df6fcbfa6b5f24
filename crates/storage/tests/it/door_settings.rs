//! What is special about doors, and how they are held.

use crate::database::on_both;
use crate::rules::office_hours;
use crate::town::{stamp, two_towns};
use klinke_model::door_settings::{DoorBefore, DoorHold, DoorSettings};
use klinke_model::scope::{Principal, Scope};
use klinke_storage::StorageError;
use klinke_storage::record::{AuditQuery, Edited, Removed};

on_both! {
    async fn settings_of_a_door_are_kept_and_its_controller_hears_of_it(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (parts, admin) = (db.store.parts(), ours.as_person(ours.admin));
        let revision = async || db.store.doors().doors_of_controller(&ours.system(), ours.controller).await.unwrap().unwrap().0;
        let seen = parts.door_settings(&admin, ours.garage).await.unwrap().unwrap();
        assert_eq!((seen.value.settings, seen.value.held), (DoorSettings::default(), None));
        let hours = office_hours(&ours, 1);
        assert!(db.store.rules().insert_schedule(&admin, &stamp(1), hours.clone()).await.unwrap());
        let wanted = DoorSettings {
            refuses_copyable: true,
            two_people_within_s: Some(10),
            after: Some(DoorBefore { door: ours.front, within_s: 30 }),
            airlock: Some(2),
            unlocked: Some(hours.id),
            first_person_in: true,
        };
        let before = revision().await;
        let change = async |version, wanted| parts.change_door_settings(&admin, &stamp(1), version, ours.garage, wanted).await;
        let done = change(seen.version, wanted).await.unwrap();
        let Edited::Done(done) = done else { panic!("{done:?}") };
        assert_eq!((done.version, done.value.settings), (seen.version + 1, wanted));
        assert_eq!(revision().await, before + 1);
        assert_eq!(change(seen.version, DoorSettings::default()).await.unwrap(), Edited::Conflict(done.clone()));
        assert_eq!(change(done.version, wanted).await.unwrap(), Edited::Done(done.clone()), "nothing changed");
        let query = AuditQuery { building: Some(ours.house), limit: 1, ..AuditQuery::default() };
        assert_eq!(db.store.audit().audit_page(&admin, query).await.unwrap().entries[0].action, "door.settings");

        // what it names stays as long as it does
        let in_use = db.store.rules().remove_schedule(&admin, &stamp(1), hours.id).await.unwrap();
        assert!(matches!(in_use, Removed::InUse(uses) if uses.doors == 1), "{in_use:?}");
        let first = parts.remove_door(&admin, &stamp(1), ours.front).await.unwrap();
        assert!(matches!(first, Removed::InUse(uses) if uses.doors == 1), "{first:?}");
        for wrong in [
            DoorSettings { after: Some(DoorBefore { door: theirs.front, within_s: 30 }), ..wanted },
            DoorSettings { after: Some(DoorBefore { door: ours.office_door, within_s: 30 }), ..wanted },
            DoorSettings { unlocked: Some(theirs.fresh(1)), ..wanted },
            DoorSettings { two_people_within_s: Some(1), ..wanted },
        ] {
            let refused = change(done.version, wrong).await;
            assert!(matches!(refused, Err(StorageError::Invalid(_))), "{refused:?}");
        }
        assert!(matches!(change(done.version, DoorSettings::default()).await.unwrap(), Edited::Done(_)));
        assert_eq!(parts.remove_door(&admin, &stamp(1), ours.front).await.unwrap(), Removed::Done);
    }

    async fn a_held_door_is_told_to_its_controller_alone(db) {
        let (ours, _) = two_towns(&db).await;
        let (parts, caretaker) = (db.store.parts(), ours.as_person(ours.caretaker));
        let itself = Scope { principal: Principal::Controller(ours.controller), ..ours.system() };
        let held = async || parts.held_doors(&itself, ours.controller).await.unwrap();
        assert_eq!(held().await, []);
        let seen = parts.hold_door(&caretaker, &stamp(1), ours.front, Some(DoorHold::Unlocked)).await.unwrap().unwrap();
        assert_eq!(seen.value.held, Some(DoorHold::Unlocked));
        assert_eq!(held().await, [(ours.front, DoorHold::Unlocked)]);
        assert_eq!(parts.held_doors(&itself, ours.spare).await.unwrap(), [], "another controller");
        // settings and hold do not touch each other
        let admin = ours.as_person(ours.admin);
        let wanted = DoorSettings { airlock: Some(1), ..DoorSettings::default() };
        let changed = parts.change_door_settings(&admin, &stamp(1), seen.version, ours.front, wanted).await.unwrap();
        assert!(matches!(changed, Edited::Done(part) if part.value.held == Some(DoorHold::Unlocked)));
        let let_go = parts.hold_door(&caretaker, &stamp(1), ours.front, None).await.unwrap().unwrap();
        assert_eq!((let_go.value.held, let_go.value.settings), (None, wanted));
        assert_eq!(held().await, []);
        let auditor = ours.as_person(ours.auditor);
        assert_eq!(parts.hold_door(&auditor, &stamp(1), ours.front, None).await.unwrap(), None);
    }
}
