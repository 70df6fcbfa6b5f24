//! Who may give what to whom, and when it counts.

use crate::database::on_both;
use crate::town::{MONTH, NOW, stamp, two_towns};
use klinke_model::people::{Role, RoleGrant};
use klinke_model::rights::Right;
use klinke_model::scope::{Scope, ViewAs};
use klinke_model::time::Timestamp;
use klinke_storage::StorageError;
use klinke_storage::record::{AuditQuery, NewRole, Revoked, Stamp};
use std::time::Duration;

const YEAR: Duration = Duration::from_secs(366 * 86_400);

on_both! {
    async fn a_role_is_given_once_and_its_end_can_move(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, manager) = (db.store.people(), ours.as_person(ours.manager));
        let first = ours.role(ours.lone, Role::BuildingAdministrator, Some(ours.house));
        let longer = RoleGrant { ends_at: Some(NOW.plus(YEAR)), ..first.grant };
        for new in [first, first, NewRole { id: ours.fresh(1), grant: longer, ..first }] {
            assert!(people.grant_role(&manager, &stamp(1), new).await.unwrap());
        }
        assert_eq!(people.roles(&manager, ours.lone).await.unwrap(), [longer]);
        let query = AuditQuery { person: Some(ours.lone), limit: 9, ..AuditQuery::default() };
        let told = db.store.audit().audit_entries(&manager, query).await.unwrap();
        let actions: Vec<_> = told.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["role.changed", "role.given"]);
    }

    async fn a_role_with_access_to_people_ends_within_a_year(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, manager) = (db.store.people(), ours.as_person(ours.manager));
        let give = async |role, building, ends_at| {
            let new = NewRole {
                id: ours.role(ours.lone, role, building).id, person: ours.lone, grant: RoleGrant { role, building, ends_at },
            };
            people.grant_role(&manager, &stamp(1), new).await
        };
        let house = Some(ours.house);
        let too_late = Timestamp::from_millis(NOW.plus(YEAR).as_millis() + 1);
        for (role, building, ends_at) in [
            (Role::Auditor, house, None),
            (Role::Auditor, house, Some(too_late)),
            (Role::Auditor, house, Some(NOW)),
            (Role::Caretaker, house, Some(NOW)),
            (Role::Manager, None, None),
            (Role::Manager, house, Some(NOW.plus(MONTH))),
            (Role::BuildingAdministrator, None, Some(NOW.plus(MONTH))),
        ] {
            let odd = give(role, building, ends_at).await;
            assert!(matches!(odd, Err(StorageError::Invalid(_))), "{role:?} {building:?} {ends_at:?}: {odd:?}");
        }
        assert!(give(Role::Auditor, house, Some(NOW.plus(YEAR))).await.unwrap());
        assert!(give(Role::Caretaker, None, None).await.unwrap());
    }

    async fn nobody_gives_more_than_they_have_or_anything_to_themselves(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        let give = async |who, person, role, building| {
            people.grant_role(&ours.as_person(who), &stamp(1), ours.role(person, role, building)).await.unwrap()
        };
        assert!(!give(ours.admin, ours.lone, Role::Manager, None).await);
        assert!(!give(ours.admin, ours.lone, Role::Auditor, None).await);
        assert!(!give(ours.admin, ours.lone, Role::BuildingAdministrator, Some(ours.office)).await);
        assert!(!give(ours.manager, ours.lone, Role::Operator, None).await);
        assert!(!give(ours.admin, ours.admin, Role::BuildingAdministrator, Some(ours.house)).await);
        assert!(!give(ours.caretaker, ours.lone, Role::Caretaker, Some(ours.house)).await);
        assert!(give(ours.admin, ours.lone, Role::Caretaker, Some(ours.house)).await);
        let manager = ours.installation().roles.1;
        let revoke = async |who, id| people.revoke_role(&ours.as_person(who), &stamp(1), id).await.unwrap();
        assert_eq!(revoke(ours.admin, manager).await, Revoked::NotThere);
        assert_eq!(revoke(ours.manager, ours.installation().roles.0).await, Revoked::NotThere);
    }

    async fn the_last_manager_stays(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, manager) = (db.store.people(), ours.as_person(ours.manager));
        let (first, gone) = (ours.installation().roles.1, ours.role(ours.gone, Role::Manager, None));
        assert_eq!(people.revoke_role(&manager, &stamp(1), gone.id).await.unwrap(), Revoked::Done);
        assert_eq!(people.revoke_role(&manager, &stamp(1), first).await.unwrap(), Revoked::LastManager);
        let second = ours.role(ours.lone, Role::Manager, None);
        assert!(people.grant_role(&manager, &stamp(1), second).await.unwrap());
        assert_eq!(people.revoke_role(&manager, &stamp(1), first).await.unwrap(), Revoked::Done);
        assert!(!people.may_somewhere(&manager, Right::SeeBuilding).await.unwrap());
    }

    async fn a_role_ends_to_the_millisecond_and_counts_once_bound(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        let lone = ours.as_person(ours.lone);
        let new = ours.role(ours.lone, Role::BuildingAdministrator, Some(ours.house));
        assert!(people.grant_role(&ours.system(), &stamp(1), new).await.unwrap());
        let sees = async |at| !db.store.sites().buildings(&lone.at(at)).await.unwrap().is_empty();
        assert!(!sees(NOW).await, "not bound yet");
        let stamp = Stamp { at: NOW, ..stamp(1) };
        assert!(people.accept_confidentiality(&lone, &stamp, ours.lone).await.unwrap());
        assert!(people.accept_confidentiality(&lone, &stamp, ours.lone).await.unwrap(), "again");
        let end = NOW.plus(MONTH);
        assert!(sees(Timestamp::from_millis(end.as_millis() - 1)).await);
        assert!(!sees(end).await);
        let administers = async |at| {
            let facts = db.store.doors().facts(&lone.at(at), ours.lone, ours.front).await.unwrap();
            facts.unwrap().administers_building
        };
        assert!(administers(NOW).await && !administers(end).await);
    }

    async fn who_looks_as_a_role_sees_what_both_may(db) {
        let (ours, theirs) = two_towns(&db).await;
        let people = db.store.people();
        for who in [ours.manager, ours.admin, ours.office_admin, ours.caretaker, ours.auditor, ours.unbound, ours.kari, theirs.manager] {
            let own = ours.as_person(who);
            for (role, building) in Role::ALL.into_iter().flat_map(|role| [None, Some(ours.house), Some(ours.office)].map(|at| (role, at))) {
                let seen = Scope { view: Some(ViewAs { role, building }), ..own };
                for right in Right::ALL {
                    for house in [ours.house, ours.office, theirs.house] {
                        let wanted = people.may_in(&own, right, house).await.unwrap()
                            && role.allows(right)
                            && building.is_none_or(|building| building == house);
                        let got = people.may_in(&seen, right, house).await.unwrap();
                        assert_eq!(got, wanted, "{right:?} as {role:?} of {building:?}");
                    }
                    let everywhere = people.may_everywhere(&own, right).await.unwrap() && role.allows(right) && building.is_none();
                    assert_eq!(people.may_everywhere(&seen, right).await.unwrap(), everywhere, "{right:?} as {role:?} of {building:?}");
                }
            }
        }
        let as_caretaker = Scope { view: Some(ViewAs { role: Role::Caretaker, building: Some(ours.house) }), ..ours.as_person(ours.manager) };
        assert_eq!(db.store.sites().buildings(&as_caretaker).await.unwrap(), [ours.the_house()]);
        assert_eq!(db.store.intercom().bells(&as_caretaker, ours.house).await.unwrap(), []);
        assert_eq!(db.store.people().person(&as_caretaker, ours.kari).await.unwrap(), None);
        let query = AuditQuery { limit: 9, ..AuditQuery::default() };
        assert_eq!(db.store.audit().audit_entries(&as_caretaker, query).await.unwrap(), []);
    }

    async fn the_other_administrators_see_who_gave_what_to_whom(db) {
        let (ours, _) = two_towns(&db).await;
        let (people, admin) = (db.store.people(), ours.as_person(ours.admin));
        let new = ours.role(ours.lone, Role::Caretaker, Some(ours.house));
        let later = Stamp { at: NOW.plus(MONTH), ..stamp(1) };
        assert!(people.grant_role(&admin, &later, NewRole { grant: RoleGrant { ends_at: None, ..new.grant }, ..new }).await.unwrap());
        assert_eq!(people.revoke_role(&ours.as_person(ours.manager), &later, new.id).await.unwrap(), Revoked::Done);
        let seen = people.role_changes(&admin, later.at).await.unwrap();
        let told: Vec<_> = seen.iter().map(|one| (one.action.as_str(), one.by, one.person, one.role)).collect();
        assert_eq!(told, [
            ("role.taken", Some(ours.manager), ours.lone, Role::Caretaker),
            ("role.given", Some(ours.admin), ours.lone, Role::Caretaker),
        ]);
        assert_eq!(seen[0].by_name.as_ref().unwrap().reveal().as_str(), "Mona Manager");
        assert_eq!(people.role_changes(&ours.as_person(ours.office_admin), later.at).await.unwrap(), []);
        assert!(people.role_changes(&admin, NOW).await.unwrap().len() > 2);
    }

    async fn given_roles_show_to_the_other_administrators(db) {
        let (ours, _) = two_towns(&db).await;
        let seen = async |who| {
            let given = db.store.people().given_roles(&ours.as_person(who)).await.unwrap();
            given.into_iter().map(|given| (given.person, given.grant.role, given.bound)).collect::<Vec<_>>()
        };
        let all = seen(ours.manager).await;
        assert_eq!(all.len(), 9, "{all:?}");
        let of_house = seen(ours.admin).await;
        assert!(of_house.contains(&(ours.manager, Role::Manager, true)));
        assert!(of_house.contains(&(ours.unbound, Role::BuildingAdministrator, false)));
        assert!(!of_house.iter().any(|(person, ..)| *person == ours.office_admin));
        assert_eq!(seen(ours.caretaker).await, []);
    }
}
