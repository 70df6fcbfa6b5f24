//! Tokens of other programs: who makes them, and that they never do more than their maker may.

use crate::database::{Db, on_both};
use crate::town::{MONTH, NOW, Town, hash, label, stamp, two_towns};
use klinke_model::ids::{ApiTokenId, BuildingId, PersonId};
use klinke_model::people::{Membership, Role, RoleGrant};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use klinke_storage::StorageError;
use klinke_storage::record::{AuditQuery, Changed, NewApiToken, NewRole, TokenHolder};
use std::time::Duration;

pub fn new_token(town: &Town, number: u64, building: Option<BuildingId>, rights: &[Right]) -> NewApiToken {
    NewApiToken {
        id: town.fresh(number),
        name: label("Ledger"),
        token_hash: hash(town.base + number),
        building,
        rights: rights.to_vec(),
        ends_at: NOW.plus(MONTH),
    }
}

fn as_token(town: &Town, token: ApiTokenId, issuer: PersonId) -> Scope {
    Scope { tenant: town.tenant, principal: Principal::Token { token, issuer }, at: NOW, view: None }
}

/// A token made by this person.
async fn made(db: &Db, town: &Town, issuer: PersonId, new: NewApiToken) -> Scope {
    let id = new.id;
    assert!(db.store.tokens().make_token(&town.as_person(issuer), &stamp(1), new).await.unwrap());
    as_token(town, id, issuer)
}

async fn may(db: &Db, scope: &Scope, right: Right, building: BuildingId) -> bool {
    db.store.people().may_in(scope, right, building).await.unwrap()
}

on_both! {
    async fn a_token_may_what_it_was_given_where_it_was_given(db) {
        let (ours, theirs) = two_towns(&db).await;
        let new = new_token(&ours, 800, Some(ours.house), &[Right::SeeBuilding, Right::SeePeople]);
        let token = made(&db, &ours, ours.manager, new).await;
        assert!(may(&db, &token, Right::SeePeople, ours.house).await);
        assert!(!may(&db, &token, Right::ChangePeople, ours.house).await);
        assert!(!may(&db, &token, Right::SeePeople, ours.office).await);
        assert!(!may(&db, &token, Right::SeePeople, theirs.house).await);
        let people = db.store.people();
        assert!(people.may_somewhere(&token, Right::SeePeople).await.unwrap());
        assert!(!people.may_somewhere(&token, Right::Devices).await.unwrap());
        assert!(!people.may_everywhere(&token, Right::SeePeople).await.unwrap());
        assert_eq!(db.store.sites().buildings(&token).await.unwrap().len(), 1);
        let all = made(&db, &ours, ours.manager, new_token(&ours, 801, None, &Right::OF_TOKENS)).await;
        for right in Right::ALL {
            let given = Right::OF_TOKENS.contains(&right);
            assert_eq!(people.may_everywhere(&all, right).await.unwrap(), given, "{right:?}");
            assert_eq!(may(&db, &all, right, ours.office).await, given, "{right:?}");
        }
    }

    async fn a_token_ends_with_its_day_its_makers_role_and_their_suspension(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        let new = new_token(&ours, 800, Some(ours.house), &[Right::SeePeople]);
        let (hash, ends_at) = (new.token_hash, new.ends_at);
        let token = made(&db, &ours, ours.admin, new).await;
        let holder = TokenHolder { tenant: ours.tenant, token: ours.fresh(800), issuer: ours.admin };
        let gate = async |at| db.store.gate().api_token(hash, at).await.unwrap();
        assert_eq!(gate(NOW).await, Some(holder));
        assert_eq!(gate(Timestamp::from_millis(ends_at.as_millis() - 1)).await, Some(holder));
        assert_eq!(gate(ends_at).await, None);
        assert!(!may(&db, &token.at(ends_at), Right::SeePeople, ours.house).await);
        assert!(may(&db, &token, Right::SeePeople, ours.house).await);
        // their role ends, or is taken
        let role = ours.role(ours.admin, Role::BuildingAdministrator, Some(ours.house));
        let manager = ours.as_person(ours.manager);
        let sooner = RoleGrant { ends_at: Some(NOW.plus(Duration::from_secs(1))), ..role.grant };
        assert!(people.grant_role(&manager, &stamp(1), NewRole { grant: sooner, ..role }).await.unwrap());
        let later = token.at(NOW.plus(Duration::from_secs(1)));
        assert!(!may(&db, &later, Right::SeePeople, ours.house).await);
        assert!(may(&db, &token, Right::SeePeople, ours.house).await);
        // they are suspended, and are not any more
        assert!(people.set_active(&ours.system(), ours.admin, false).await.unwrap());
        assert_eq!(gate(NOW).await, None);
        assert!(!may(&db, &token, Right::SeePeople, ours.house).await);
        assert!(people.set_active(&ours.system(), ours.admin, true).await.unwrap());
        assert!(may(&db, &token, Right::SeePeople, ours.house).await);
        // and it is taken back
        assert!(db.store.tokens().revoke_token(&manager, &stamp(1), ours.fresh(800)).await.unwrap());
        assert_eq!(gate(NOW).await, None);
        assert!(!may(&db, &token, Right::SeePeople, ours.house).await);
    }

    async fn a_token_for_everything_of_who_has_less_by_now_reaches_the_less(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        let all = made(&db, &ours, ours.manager, new_token(&ours, 800, None, &[Right::SeePeople])).await;
        // somebody else stays, so that the manager's own role can be taken; a smaller one is left
        let system = ours.system();
        let other = ours.role(ours.lone, Role::Manager, None);
        assert!(people.grant_role(&system, &stamp(1), other).await.unwrap());
        let smaller = ours.role(ours.manager, Role::Auditor, Some(ours.house));
        assert!(people.grant_role(&system, &stamp(1), smaller).await.unwrap());
        people.revoke_role(&system, &stamp(1), ours.installation().roles.1).await.unwrap();
        assert!(may(&db, &all, Right::SeePeople, ours.house).await);
        assert!(!may(&db, &all, Right::SeePeople, ours.office).await);
        assert!(!people.may_everywhere(&all, Right::SeePeople).await.unwrap());
        assert!(people.may_somewhere(&all, Right::SeePeople).await.unwrap());
    }

    async fn a_token_for_one_building_and_a_role_for_another_are_nothing_together(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        let both = ours.role(ours.admin, Role::BuildingAdministrator, Some(ours.office));
        assert!(people.grant_role(&ours.system(), &stamp(1), both).await.unwrap());
        let token =
            made(&db, &ours, ours.admin, new_token(&ours, 800, Some(ours.office), &[Right::SeePeople])).await;
        assert!(people.may_somewhere(&token, Right::SeePeople).await.unwrap());
        people.revoke_role(&ours.system(), &stamp(1), both.id).await.unwrap();
        assert!(!people.may_somewhere(&token, Right::SeePeople).await.unwrap());
        assert!(!may(&db, &token, Right::SeePeople, ours.house).await);
    }

    async fn nobody_makes_a_token_that_may_more_than_they_or_that_does_not_end(db) {
        let (ours, theirs) = two_towns(&db).await;
        let tokens = db.store.tokens();
        let make = async |who: PersonId, new| tokens.make_token(&ours.as_person(who), &stamp(1), new).await;
        let see = [Right::SeePeople];
        assert!(!make(ours.admin, new_token(&ours, 800, None, &see)).await.unwrap());
        assert!(!make(ours.admin, new_token(&ours, 800, Some(ours.office), &see)).await.unwrap());
        assert!(!make(ours.admin, new_token(&ours, 800, Some(theirs.house), &see)).await.unwrap());
        for who in [ours.auditor, ours.caretaker, ours.kari, ours.unbound, ours.expired, ours.gone] {
            assert!(!make(who, new_token(&ours, 800, Some(ours.house), &see)).await.unwrap());
        }
        let new = |rights: &[Right], ends_at| {
            NewApiToken { ends_at, ..new_token(&ours, 800, Some(ours.house), rights) }
        };
        let year = NOW.plus(Duration::from_secs(366 * 86_400));
        let beyond = Timestamp::from_millis(year.as_millis() + 1);
        for odd in [
            new(&[], year),
            new(&[Right::Roles], year),
            new(&[Right::Tenants], year),
            new(&[Right::SeePeople, Right::SeePeople], year),
            new(&see, NOW),
            new(&see, beyond),
        ] {
            assert!(matches!(make(ours.admin, odd).await, Err(StorageError::Invalid(_))));
        }
        assert!(make(ours.admin, new(&see, year)).await.unwrap());
        // a token makes none
        let token = as_token(&ours, ours.fresh(800), ours.admin);
        assert!(!tokens.make_token(&token, &stamp(1), new(&see, year)).await.unwrap());
        assert!(!tokens.revoke_token(&token, &stamp(1), ours.fresh(800)).await.unwrap());
        assert_eq!(tokens.tokens(&token).await.unwrap(), []);
    }

    async fn a_token_does_not_touch_who_has_a_role_and_the_audit_names_it(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        let token = made(&db, &ours, ours.manager, new_token(&ours, 800, None, &Right::OF_TOKENS)).await;
        let renamed = |id| ours.person(id, "Renamed");
        let change = async |id| people.change_person(&token, &stamp(2), renamed(id)).await.unwrap();
        assert!(matches!(change(ours.kari).await, Changed::Done(_)));
        for with_role in [ours.manager, ours.admin, ours.auditor] {
            assert_eq!(change(with_role).await, Changed::NotFound);
            let suspended = people.suspend_person(&token, &stamp(2), with_role, true).await.unwrap();
            assert_eq!(suspended, None);
            let invitations = db.store.invitations();
            assert!(!invitations.invite(&token, &stamp(2), with_role, ours.fresh(5)).await.unwrap());
            let link = invitations.hand_over(&token, &stamp(2), with_role, hash(9), NOW.plus(MONTH)).await;
            assert!(!link.unwrap());
        }
        let query = AuditQuery { limit: 1, ..AuditQuery::default() };
        let told = db.store.audit().audit_entries(&ours.as_person(ours.manager), query).await.unwrap();
        let said = told[0].content.as_ref().unwrap().reveal();
        assert_eq!((told[0].action.as_str(), said.role.as_str()), ("person.changed", "token"));
        assert_eq!((said.actor, said.token), (None, Some(ours.fresh(800))));
        // it is nobody's home
        let home = Membership { person: ours.manager, unit: ours.unit, owner: true };
        assert!(people.person(&as_token(&ours, ours.fresh(999), ours.manager), home.person).await.unwrap().is_none());
    }

    async fn administrators_of_a_building_see_each_others_tokens_for_it(db) {
        let (ours, theirs) = two_towns(&db).await;
        let tokens = db.store.tokens();
        made(&db, &ours, ours.manager, new_token(&ours, 800, Some(ours.house), &[Right::Audit])).await;
        made(&db, &ours, ours.manager, new_token(&ours, 801, None, &[Right::Audit])).await;
        let seen = async |who| tokens.tokens(&ours.as_person(who)).await.unwrap().len();
        assert_eq!((seen(ours.manager).await, seen(ours.admin).await, seen(ours.office_admin).await), (2, 1, 0));
        assert_eq!(seen(ours.auditor).await, 0);
        assert_eq!(tokens.tokens(&theirs.as_person(theirs.manager)).await.unwrap(), []);
        let first = &tokens.tokens(&ours.as_person(ours.admin)).await.unwrap()[0];
        assert_eq!((first.rights.as_slice(), first.issuer), (&[Right::Audit][..], ours.manager));
        let revoke = async |who, n| tokens.revoke_token(&ours.as_person(who), &stamp(1), ours.fresh(n)).await;
        assert!(!revoke(ours.admin, 801).await.unwrap());
        assert!(revoke(ours.admin, 800).await.unwrap());
        assert!(!revoke(ours.admin, 800).await.unwrap());
    }
}
