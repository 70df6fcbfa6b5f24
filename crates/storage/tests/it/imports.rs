//! Lists of people: applied all at once, undone all at once.

use crate::database::on_both;
use crate::town::{NOW, Town, label, stamp, two_towns};
use klinke_model::contact::{Email, Language};
use klinke_model::ids::{ImportId, PersonId};
use klinke_model::people::Membership;
use klinke_model::privacy::Pii;
use klinke_model::time::Timestamp;
use klinke_storage::record::{Details, House, Import, ImportOutcome, ImportPlan, PeopleQuery};
use std::collections::BTreeSet;
use std::time::Duration;

/// So many milliseconds after now.
fn at(millis: u64) -> Timestamp {
    NOW.plus(Duration::from_millis(millis))
}

pub fn draft(ours: &Town, id: ImportId) -> Import {
    let content = Pii::new("the rows".to_owned());
    Import { id, building: ours.house, applied: false, content, ends_at: at(1_000_000) }
}

fn details(name: &str, email: &str) -> Details {
    let email = Some(Pii::new(Email::new(email).unwrap()));
    Details { name: Some(Pii::new(label(name))), email, phone: None, language: Language::Sv }
}

/// Somebody new in 102, Lone with another name, Ola the owner of 101.
fn plan(ours: &Town, house: &House) -> ImportPlan {
    let new: PersonId = ours.fresh(70);
    let lone = house.residents.iter().find(|resident| resident.place.person == ours.lone).unwrap();
    ImportPlan {
        people: vec![(new, details("Åse Ny", "ase@example.org"))],
        places: vec![(new, ours.neighbour_unit, true)],
        changes: vec![(ours.lone, lone.details.clone(), details("Lone Annerledes", "lone@example.org"))],
        owners: vec![(ours.ola, ours.unit, true)],
    }
}

on_both! {
    async fn a_list_is_applied_once_and_undone_to_the_row(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        let imports = store.imports();
        assert!(imports.insert_import(&scope, draft(&ours, id)).await.unwrap());
        let before = imports.house(&scope, ours.house).await.unwrap().unwrap();
        let undone = imports.undo_import(&scope, &stamp(1), id, |_| Some(ImportPlan::default())).await.unwrap();
        assert_eq!(undone, ImportOutcome::Refused, "nothing was done yet");
        let decide = |house: &House, content: &str| {
            assert_eq!(content, "the rows");
            Some((plan(&ours, house), "done".to_owned()))
        };
        let applied = imports.apply_import(&scope, &stamp(2), id, at(2_000_000), decide).await.unwrap();
        assert_eq!(applied, ImportOutcome::Done(0));
        let again = imports.apply_import(&scope, &stamp(3), id, at(2_000_000), decide).await.unwrap();
        assert_eq!(again, ImportOutcome::Refused);
        let kept = imports.import(&scope, id, at(1_500_000)).await.unwrap().unwrap();
        assert!(kept.applied && kept.content.reveal() == "done");

        let found = async |text: &str| {
            let query = PeopleQuery { text: text.to_owned(), limit: 10, ..PeopleQuery::default() };
            store.people().page(&scope, &query).await.unwrap().people.len()
        };
        assert_eq!((found("åse").await, found("annerledes").await, found("ase@example.org").await), (1, 1, 1));
        let house = imports.house(&scope, ours.house).await.unwrap().unwrap();
        assert_eq!(house.residents.len(), before.residents.len() + 1);
        let ola = house.residents.iter().find(|resident| resident.place.person == ours.ola).unwrap();
        assert!(ola.place.owner);

        let did = |content: &str| (content == "done").then(|| plan(&ours, &before));
        let undone = imports.undo_import(&scope, &stamp(4), id, did).await.unwrap();
        assert_eq!(undone, ImportOutcome::Done(0));
        assert_eq!(imports.house(&scope, ours.house).await.unwrap().unwrap(), before);
        assert_eq!((found("åse").await, found("annerledes").await), (0, 0));
        assert_eq!(imports.import(&scope, id, at(1)).await.unwrap(), None);
    }

    async fn a_list_that_fails_half_way_changes_nothing(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (imports, scope, id) = (db.store.imports(), ours.system(), ours.fresh(1));
        assert!(imports.insert_import(&scope, draft(&ours, id)).await.unwrap());
        let before = imports.house(&scope, ours.house).await.unwrap().unwrap();
        // the last place is in a unit of another property manager
        let half = |house: &House, _: &str| {
            let mut plan = plan(&ours, house);
            plan.places.push((ours.fresh(70), theirs.unit, false));
            Some((plan, String::new()))
        };
        assert!(imports.apply_import(&scope, &stamp(1), id, at(9), half).await.is_err());
        assert_eq!(imports.house(&scope, ours.house).await.unwrap().unwrap(), before);
        assert!(!imports.import(&scope, id, at(1)).await.unwrap().unwrap().applied);
    }

    async fn who_signed_in_since_stays_and_what_changed_since_stays_changed(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        let imports = store.imports();
        assert!(imports.insert_import(&scope, draft(&ours, id)).await.unwrap());
        let before = imports.house(&scope, ours.house).await.unwrap().unwrap();
        let decide = |house: &House, _: &str| Some((plan(&ours, house), String::new()));
        imports.apply_import(&scope, &stamp(1), id, at(9), decide).await.unwrap();
        let new: PersonId = ours.fresh(70);
        assert!(store.people().insert_account(&scope, ours.account(new, "ase")).await.unwrap());
        let undone = imports.undo_import(&scope, &stamp(2), id, |_| Some(plan(&ours, &before))).await.unwrap();
        assert_eq!(undone, ImportOutcome::Done(1));
        assert!(store.people().person(&scope, new).await.unwrap().is_some());
        assert_eq!(imports.house(&scope, ours.house).await.unwrap().unwrap(), before, "without a home");
    }

    async fn a_list_is_edited_and_forgotten(db) {
        let (ours, _) = two_towns(&db).await;
        let (imports, scope, id) = (db.store.imports(), ours.system(), ours.fresh(1));
        assert!(imports.insert_import(&scope, draft(&ours, id)).await.unwrap());
        assert!(imports.edit_import(&scope, id, at(1), |was| Some(format!("{was}!"))).await.unwrap());
        assert!(!imports.edit_import(&scope, id, at(1), |_| None).await.unwrap());
        assert_eq!(imports.import(&scope, id, at(1)).await.unwrap().unwrap().content.reveal(), "the rows!");
        assert_eq!(imports.import(&scope, id, at(1_000_000)).await.unwrap(), None, "its time is over");
        db.store.gate().forget_imports(at(999_999)).await.unwrap();
        assert!(imports.import(&scope, id, at(1)).await.unwrap().is_some());
        db.store.gate().forget_imports(at(1_000_000)).await.unwrap();
        assert_eq!(imports.import(&scope, id, at(1)).await.unwrap(), None);
    }

    async fn who_lives_elsewhere_too_or_has_a_role_is_changeable_for_managers_only(db) {
        let (ours, _) = two_towns(&db).await;
        let elsewhere = Membership { person: ours.ola, unit: ours.office_unit, owner: false };
        assert!(db.store.people().add_membership(&ours.system(), elsewhere).await.unwrap());
        let changeable = async |scope| {
            let house = db.store.imports().house(&scope, ours.house).await.unwrap().unwrap();
            let all = house.residents.iter().filter(|resident| resident.changeable);
            all.map(|resident| resident.place.person).collect::<BTreeSet<_>>()
        };
        let everybody = BTreeSet::from([ours.kari, ours.ola, ours.lone, ours.gone]);
        assert_eq!(changeable(ours.as_person(ours.manager)).await, everybody);
        assert_eq!(changeable(ours.system()).await, everybody);
        // gone is a manager, ola is in the office too
        assert_eq!(changeable(ours.as_person(ours.admin)).await, BTreeSet::from([ours.kari, ours.lone]));
    }
}
