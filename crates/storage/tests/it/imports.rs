//! Lists of people: applied all at once, undone all at once.

use crate::database::on_both;
use crate::town::{NOW, Town, label, stamp, two_towns};
use klinke_model::contact::{Email, Language};
use klinke_model::ids::{ImportId, PersonId};
use klinke_model::people::Membership;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use klinke_storage::Store;
use klinke_storage::record::{
    Details, House, ImportDone, ImportFailure, ImportOutcome, ImportPlan, ImportState, ImportWish, JobKind,
    NewHome, NewImport, PeopleQuery, Wished,
};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

/// So many milliseconds after now.
fn at(millis: u64) -> Timestamp {
    NOW.plus(Duration::from_millis(millis))
}

pub fn draft(ours: &Town, id: ImportId) -> NewImport {
    let content = Pii::new("the rows".to_owned());
    NewImport { id, building: ours.house, content, ends_at: at(1_000_000) }
}

pub const APPLY: ImportWish = ImportWish::Apply { leave_out_errors: true };

fn job(n: u64) -> klinke_model::ids::JobId {
    uuid::Uuid::from_bytes(stamp(n).salt).into()
}

/// Nobody looks how far it is.
pub fn untold(_: usize, _: usize) {}

/// Wishes it and does it.
pub async fn apply(
    store: &Store,
    scope: &Scope,
    n: u64,
    id: ImportId,
    decide: impl Fn(&House, String) -> Option<ImportPlan>,
) -> klinke_storage::Result<ImportOutcome> {
    let asked = store.imports().ask_import(scope, &stamp(n), id, APPLY, job(n)).await?;
    assert_eq!(asked, ImportOutcome::Done(0));
    store.imports().apply_import(scope, &stamp(n), id, at(2_000_000), decide, &untold).await
}

async fn undo(store: &Store, scope: &Scope, n: u64, id: ImportId) -> ImportOutcome {
    let asked = store.imports().ask_import(scope, &stamp(n), id, ImportWish::Undo, job(n)).await.unwrap();
    assert_eq!(asked, ImportOutcome::Done(0));
    store.imports().undo_import(scope, &stamp(n), id, &untold).await.unwrap()
}

async fn state(store: &Store, scope: &Scope, id: ImportId) -> (ImportState, Option<ImportFailure>) {
    let list = store.imports().import_standing(scope, id, at(1)).await.unwrap().unwrap();
    (list.state, list.failed)
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
        homes: Vec::new(),
        people: vec![(new, details("Åse Ny", "ase@example.org"))],
        places: vec![(new, ours.neighbour_unit, true)],
        changes: vec![(ours.lone, lone.details.clone(), details("Lone Annerledes", "lone@example.org"))],
        owners: vec![(ours.ola, ours.unit, true)],
    }
}

fn home(ours: &Town, n: u64, number: &str) -> NewHome {
    NewHome { id: ours.fresh(n), entrance: ours.entrance, number: label(number) }
}

/// The doors that the people of every home behind our entrance may open.
async fn doors_of_all(store: &Store, ours: &Town, house: &House) -> BTreeSet<klinke_model::ids::DoorId> {
    let mut common: Option<BTreeSet<_>> = None;
    for unit in house.units.iter().filter(|unit| unit.entrance == ours.entrance) {
        let part = store.parts().unit_part(&ours.system(), unit.id).await.unwrap().unwrap();
        let doors: BTreeSet<_> = part.value.doors.into_iter().collect();
        common = Some(common.map_or(doors.clone(), |common| common.intersection(&doors).copied().collect()));
    }
    common.unwrap()
}

on_both! {
    async fn a_list_is_applied_once_and_undone_to_the_row(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        let imports = store.imports();
        assert!(imports.insert_import(&scope, draft(&ours, id)).await.unwrap());
        let before = imports.house(&scope, ours.house).await.unwrap().unwrap();
        let undone = imports.undo_import(&scope, &stamp(1), id, &untold).await.unwrap();
        assert_eq!(undone, ImportOutcome::Is(ImportState::Draft), "nothing was done yet");
        let decide = |house: &House, content: String| {
            assert_eq!(content, "the rows");
            Some(plan(&ours, house))
        };
        let unasked = imports.apply_import(&scope, &stamp(2), id, at(9), decide, &untold).await.unwrap();
        assert_eq!(unasked, ImportOutcome::Is(ImportState::Draft), "nobody wished it");
        assert_eq!(apply(store, &scope, 2, id, decide).await.unwrap(), ImportOutcome::Done(0));
        let again = imports.apply_import(&scope, &stamp(3), id, at(2_000_000), decide, &untold).await.unwrap();
        assert_eq!(again, ImportOutcome::Is(ImportState::Applied));
        let kept = imports.import(&scope, id, at(1_500_000)).await.unwrap().unwrap();
        assert_eq!((kept.state, kept.content.reveal().as_str()), (ImportState::Applied, "the rows"));
        assert_eq!(kept.done, Some(ImportDone::from(plan(&ours, &before))));

        let found = async |text: &str| {
            let query = PeopleQuery { text: text.to_owned(), limit: 10, ..PeopleQuery::default() };
            store.people().page(&scope, &query).await.unwrap().people.len()
        };
        assert_eq!((found("åse").await, found("annerledes").await, found("ase@example.org").await), (1, 1, 1));
        let house = imports.house(&scope, ours.house).await.unwrap().unwrap();
        assert_eq!(house.residents.len(), before.residents.len() + 1);
        let ola = house.residents.iter().find(|resident| resident.place.person == ours.ola).unwrap();
        assert!(ola.place.owner);

        assert_eq!(undo(store, &scope, 4, id).await, ImportOutcome::Done(0));
        assert_eq!(imports.house(&scope, ours.house).await.unwrap().unwrap(), before);
        assert_eq!((found("åse").await, found("annerledes").await), (0, 0));
        assert_eq!(imports.import(&scope, id, at(1)).await.unwrap(), None, "its rows are gone");
        assert_eq!(state(store, &scope, id).await, (ImportState::Undone, None));
    }

    async fn a_wish_is_kept_until_it_is_carried_out_or_given_up(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, admin, system, id) = (&db.store, ours.as_person(ours.admin), ours.system(), ours.fresh(1));
        let imports = store.imports();
        assert!(imports.insert_import(&admin, draft(&ours, id)).await.unwrap());
        let ask = async |n: u64, wish| imports.ask_import(&admin, &stamp(n), id, wish, ours.fresh(50 + n)).await.unwrap();
        assert_eq!(ask(1, ImportWish::Undo).await, ImportOutcome::Is(ImportState::Draft));
        assert_eq!(ask(2, APPLY).await, ImportOutcome::Done(0));
        assert_eq!(ask(3, APPLY).await, ImportOutcome::Is(ImportState::Applying), "a second wish meanwhile");
        assert_eq!(imports.edit_import(&admin, id, at(1), |_| Some(String::new())).await.unwrap(), ImportOutcome::Is(ImportState::Applying));
        assert_eq!(imports.discard_import(&admin, id, at(1)).await.unwrap(), ImportOutcome::Is(ImportState::Applying));
        let wished = imports.wished(&system, id).await.unwrap();
        assert_eq!(wished, Some(Wished { by: admin.principal, wish: APPLY }));
        let [job] = store.gate().due_jobs(JobKind::Import, at(9), 10).await.unwrap()[..] else { panic!("one job") };
        assert_eq!((job.tenant, job.subject), (ours.tenant, id.0));
        assert_eq!(store.gate().due_jobs(JobKind::Invite, at(9), 10).await.unwrap(), []);

        assert!(imports.give_up_import(&system, id, ImportFailure::Interrupted).await.unwrap());
        assert_eq!(state(store, &admin, id).await, (ImportState::Draft, Some(ImportFailure::Interrupted)));
        assert_eq!(imports.wished(&system, id).await.unwrap(), None);
        assert!(!imports.give_up_import(&system, id, ImportFailure::Interrupted).await.unwrap());
        assert_eq!(imports.edit_import(&admin, id, at(1), |was| Some(was.to_owned())).await.unwrap(), ImportOutcome::Done(0));
        assert_eq!(state(store, &admin, id).await, (ImportState::Draft, None), "what failed before is no news");
        let nothing = |_: &House, _: String| Some(ImportPlan::default());
        assert_eq!(apply(store, &admin, 4, id, nothing).await.unwrap(), ImportOutcome::Done(0));
        assert_eq!(ask(5, APPLY).await, ImportOutcome::Is(ImportState::Applied));
        assert_eq!(ask(6, ImportWish::Undo).await, ImportOutcome::Done(0));
        assert!(imports.give_up_import(&system, id, ImportFailure::NotAllowed).await.unwrap());
        assert_eq!(state(store, &admin, id).await, (ImportState::Applied, Some(ImportFailure::NotAllowed)));
    }

    async fn what_a_process_left_is_due_at_once_where_it_was_the_only_one(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        assert!(store.imports().insert_import(&scope, draft(&ours, id)).await.unwrap());
        assert_eq!(store.imports().ask_import(&scope, &stamp(1), id, APPLY, ours.fresh(2)).await.unwrap(), ImportOutcome::Done(0));
        let due = async |now| store.gate().due_jobs(JobKind::Import, now, 10).await.unwrap();
        let [job] = due(at(9)).await[..] else { panic!("one job") };
        assert!(store.jobs().take(&scope, &job, at(100)).await.unwrap());
        assert_eq!(due(at(50)).await, []);
        store.gate().orphaned_imports(at(50)).await.unwrap();
        let found = due(at(50)).await.first().map(|job| job.attempts);
        // another server may be at work on a PostgreSQL
        assert_eq!(found, db.url.starts_with("sqlite:").then_some(1));
        assert_eq!(due(at(100)).await[0].attempts, 1);
    }

    async fn a_list_that_fails_half_way_changes_nothing(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (store, imports, scope, id) = (&db.store, db.store.imports(), ours.system(), ours.fresh(1));
        assert!(imports.insert_import(&scope, draft(&ours, id)).await.unwrap());
        let before = imports.house(&scope, ours.house).await.unwrap().unwrap();
        // the last place is in a unit of another property manager
        let half = |house: &House, _: String| {
            let mut plan = plan(&ours, house);
            plan.homes.push(home(&ours, 90, "New"));
            plan.places.push((ours.fresh(70), theirs.unit, false));
            Some(plan)
        };
        assert!(apply(store, &scope, 1, id, half).await.is_err());
        assert_eq!(imports.house(&scope, ours.house).await.unwrap().unwrap(), before);
        assert_eq!(state(store, &scope, id).await, (ImportState::Applying, None), "for whoever carries it out to give up");
    }

    async fn more_rows_than_one_statement_takes_are_counted_and_all_there(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        assert!(store.imports().insert_import(&scope, draft(&ours, id)).await.unwrap());
        let before = store.imports().house(&scope, ours.house).await.unwrap().unwrap();
        let people: Vec<PersonId> = (0..1_203).map(|n| ours.fresh(1_000 + n)).collect();
        let many = |_: &House, _: String| {
            let person = |(n, id): (usize, &PersonId)| (*id, details(&format!("Many {n}"), &format!("m{n}@example.org")));
            Some(ImportPlan {
                people: people.iter().enumerate().map(person).collect(),
                places: people.iter().map(|id| (*id, ours.unit, false)).collect(),
                ..ImportPlan::default()
            })
        };
        let steps = Mutex::new(Vec::new());
        let told = |rows, all| steps.lock().unwrap().push((rows, all));
        assert_eq!(store.imports().ask_import(&scope, &stamp(1), id, APPLY, ours.fresh(2)).await.unwrap(), ImportOutcome::Done(0));
        store.imports().apply_import(&scope, &stamp(1), id, at(2_000_000), many, &told).await.unwrap();
        let steps = steps.into_inner().unwrap();
        assert!(steps.is_sorted() && steps.len() > 4, "{steps:?}");
        assert_eq!((steps[0], steps.last()), ((0, 0), Some(&(2_406, 2_406))));
        let query = |text: &str| PeopleQuery { text: text.to_owned(), limit: 10, ..PeopleQuery::default() };
        for n in [0, 499, 500, 999, 1_202] {
            assert_eq!(store.people().page(&scope, &query(&format!("m{n}@example.org"))).await.unwrap().people.len(), 1, "{n}");
        }
        let house = store.imports().house(&scope, ours.house).await.unwrap().unwrap();
        assert_eq!(house.residents.len(), before.residents.len() + 1_203);
        assert_eq!(undo(store, &scope, 2, id).await, ImportOutcome::Done(0));
        assert_eq!(store.imports().house(&scope, ours.house).await.unwrap().unwrap(), before);
    }

    async fn homes_that_a_list_makes_open_what_all_others_there_open_and_go_with_it(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, admin, id) = (&db.store, ours.as_person(ours.admin), ours.fresh(1));
        let imports = store.imports();
        assert!(imports.insert_import(&admin, draft(&ours, id)).await.unwrap());
        let before = imports.house(&admin, ours.house).await.unwrap().unwrap();
        assert!(before.makes_homes);
        let common = doors_of_all(store, &ours, &before).await;
        let new: PersonId = ours.fresh(70);
        let decide = |_: &House, _: String| {
            Some(ImportPlan {
                homes: vec![home(&ours, 90, "901"), home(&ours, 91, "902"), home(&ours, 92, "903")],
                people: vec![(new, details("Åse Ny", "ase@example.org"))],
                places: vec![(new, ours.fresh(90), true)],
                ..ImportPlan::default()
            })
        };
        assert_eq!(apply(store, &admin, 1, id, decide).await.unwrap(), ImportOutcome::Done(0));
        let part = store.parts().unit_part(&admin, ours.fresh(91)).await.unwrap().unwrap();
        assert_eq!((part.value.unit.number.as_str(), part.value.unit.entrance), ("902", ours.entrance));
        assert_eq!(part.value.doors.into_iter().collect::<BTreeSet<_>>(), common);
        // somebody else moves into the second; the third is renamed
        let place = Membership { person: ours.lone, unit: ours.fresh(91), owner: false };
        assert!(store.people().add_membership(&ours.system(), place).await.unwrap());
        let mut third = store.parts().unit_part(&admin, ours.fresh(92)).await.unwrap().unwrap().value;
        third.unit.number = label("904");
        store.parts().change_unit(&admin, &stamp(2), 1, third).await.unwrap();
        assert_eq!(undo(store, &admin, 3, id).await, ImportOutcome::Done(0));
        let left: Vec<_> = imports.house(&admin, ours.house).await.unwrap().unwrap().units;
        let left: BTreeSet<_> = left.iter().map(|unit| unit.number.as_str().to_owned()).collect();
        let mut wanted: BTreeSet<_> = before.units.iter().map(|unit| unit.number.as_str().to_owned()).collect();
        wanted.extend(["902".to_owned(), "904".to_owned()]);
        assert_eq!(left, wanted);
    }

    async fn who_may_not_change_the_building_makes_no_homes(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, id) = (&db.store, ours.fresh(1));
        let new = crate::tokens::new_token(&ours, 7, Some(ours.house), &[Right::ChangePeople]);
        let manager = ours.as_person(ours.manager);
        let principal = Principal::Token { token: new.id, issuer: ours.manager };
        store.tokens().make_token(&manager, &stamp(1), new).await.unwrap();
        let token = Scope { principal, ..manager };
        assert!(store.imports().insert_import(&token, draft(&ours, id)).await.unwrap());
        assert!(!store.imports().house(&token, ours.house).await.unwrap().unwrap().makes_homes);
        let decide = |_: &House, _: String| Some(ImportPlan { homes: vec![home(&ours, 90, "901")], ..ImportPlan::default() });
        assert_eq!(apply(store, &token, 2, id, decide).await.unwrap(), ImportOutcome::Refused);
        assert_eq!(store.parts().unit_part(&manager, ours.fresh(90)).await.unwrap(), None);
    }

    async fn who_signed_in_since_stays_and_what_changed_since_stays_changed(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        let imports = store.imports();
        assert!(imports.insert_import(&scope, draft(&ours, id)).await.unwrap());
        let before = imports.house(&scope, ours.house).await.unwrap().unwrap();
        apply(store, &scope, 1, id, |house: &House, _: String| Some(plan(&ours, house))).await.unwrap();
        let new: PersonId = ours.fresh(70);
        assert!(store.people().insert_account(&scope, ours.account(new, "ase")).await.unwrap());
        assert_eq!(undo(store, &scope, 2, id).await, ImportOutcome::Done(1));
        assert_eq!(imports.import_standing(&scope, id, at(1)).await.unwrap().unwrap().kept, 1);
        assert!(store.people().person(&scope, new).await.unwrap().is_some());
        assert_eq!(imports.house(&scope, ours.house).await.unwrap().unwrap(), before, "without a home");
    }

    async fn a_list_is_edited_and_forgotten(db) {
        let (ours, _) = two_towns(&db).await;
        let (imports, scope, id) = (db.store.imports(), ours.system(), ours.fresh(1));
        assert!(imports.insert_import(&scope, draft(&ours, id)).await.unwrap());
        let edited = imports.edit_import(&scope, id, at(1), |was| Some(format!("{was}!"))).await.unwrap();
        let refused = imports.edit_import(&scope, id, at(1), |_| None).await.unwrap();
        assert_eq!((edited, refused), (ImportOutcome::Done(0), ImportOutcome::Refused));
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
