//! Lists of people: search, paging, filters.

use crate::database::{Db, on_both};
use crate::town::{Town, label, two_towns};
use klinke_model::contact::{Email, Phone};
use klinke_model::ids::PersonId;
use klinke_model::people::{Membership, Person};
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_storage::record::{PeopleQuery, Standing};

async fn names(db: &Db, scope: &Scope, query: PeopleQuery) -> Vec<String> {
    let page = db.store.people().page(scope, &PeopleQuery { limit: 50, ..query }).await.unwrap();
    assert_eq!(page.next, None);
    page.people.iter().map(|row| name(&row.person)).collect()
}

fn name(person: &Person) -> String {
    person.name.as_ref().map_or_else(String::new, |name| name.reveal().to_string())
}

fn text(text: &str) -> PeopleQuery {
    PeopleQuery { text: text.to_owned(), ..PeopleQuery::default() }
}

async fn add(db: &Db, ours: &Town, number: u64, name: Option<&str>) -> PersonId {
    let person =
        Person { name: name.map(|name| Pii::new(label(name))), ..ours.person(ours.fresh(number), "x") };
    assert!(db.store.people().insert_person(&ours.system(), person.clone()).await.unwrap());
    person.id
}

on_both! {
    async fn a_person_is_found_by_the_beginnings_of_folded_words_and_by_the_number_of_the_unit(db) {
        let (ours, _) = two_towns(&db).await;
        let scope = ours.system();
        let asa = Person {
            email: Some(Pii::new(Email::new("asa.post@example.org").unwrap())),
            phone: Some(Pii::new(Phone::new("+47 915 00 123").unwrap())),
            ..ours.person(ours.fresh(1), "Åse Sætre-Østby")
        };
        assert!(db.store.people().insert_person(&scope, asa).await.unwrap());
        for found in ["ås", "ase", "SÆT", "saetre", "ost ås", "post", "91500", "091500", "47915", "example"] {
            assert_eq!(names(&db, &scope, text(found)).await, ["Åse Sætre-Østby"], "{found}");
        }
        for none in ["tre", "asex", "ase kari", "91501"] {
            assert_eq!(names(&db, &scope, text(none)).await, Vec::<String>::new(), "{none}");
        }
        assert_eq!(names(&db, &scope, text("101")).await, ["Gone Haugen", "Kari Haugen", "Ola Haugen"]);
        assert_eq!(names(&db, &scope, text("10 kar")).await, ["Kari Haugen"]);
        assert_eq!(names(&db, &scope, text(" – ")).await.len(), 12);
        assert_eq!(names(&db, &scope, text("% _")).await.len(), 12, "nothing that was typed is a pattern");
    }

    async fn pages_follow_each_other_without_a_gap_or_a_double(db) {
        let (ours, _) = two_towns(&db).await;
        for number in 1..=5 {
            add(&db, &ours, number, Some("Same Name")).await;
        }
        add(&db, &ours, 6, None).await;
        add(&db, &ours, 7, Some("Ägir")).await;
        let scope = ours.system();
        for descending in [false, true] {
            let all = names(&db, &scope, PeopleQuery { descending, ..PeopleQuery::default() }).await;
            let mut expected = vec![
                "", "Adam Admin", "Aud Auditor", "Cato Caretaker", "Erik Expired", "Gone Haugen",
                "Kari Haugen", "Lone Lund", "Mona Manager", "Odd Office", "Ola Haugen", "Same Name", "Same Name",
                "Same Name", "Same Name", "Same Name", "Una Unbound", "Ägir",
            ];
            if descending {
                expected.reverse();
            }
            assert_eq!(all, expected);
            let (mut paged, mut ids, mut after) = (Vec::new(), Vec::new(), None);
            loop {
                let query = PeopleQuery { after: after.take(), descending, limit: 3, ..PeopleQuery::default() };
                let page = db.store.people().page(&scope, &query).await.unwrap();
                assert!(page.people.len() == 3 || page.next.is_none());
                after = page.next;
                ids.extend(page.people.iter().map(|row| row.person.id));
                paged.extend(page.people.iter().map(|row| name(&row.person)));
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(paged, all);
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), all.len());
        }
    }

    async fn a_row_tells_the_homes_that_the_asker_administers(db) {
        let (ours, _) = two_towns(&db).await;
        let office = Membership { person: ours.kari, unit: ours.office_unit, owner: false };
        assert!(db.store.people().add_membership(&ours.system(), office).await.unwrap());
        let of = async |scope: Scope| {
            let row = db.store.people().row(&scope, ours.kari).await.unwrap();
            row.map(|row| row.homes.iter().map(|home| (home.number.to_string(), home.owner)).collect::<Vec<_>>())
        };
        let (house, office) = (("101".to_owned(), true), ("Aker AS".to_owned(), false));
        assert_eq!(of(ours.as_person(ours.manager)).await, Some(vec![office.clone(), house.clone()]));
        assert_eq!(of(ours.as_person(ours.admin)).await, Some(vec![house]));
        assert_eq!(of(ours.as_person(ours.office_admin)).await, Some(vec![office]));
        assert_eq!(of(ours.as_person(ours.lone)).await, None);
        assert_eq!(of(ours.as_person(ours.gone)).await, None, "a suspended manager");
    }

    async fn a_list_is_filtered_by_building_unit_and_standing(db) {
        let (ours, _) = two_towns(&db).await;
        let scope = ours.system();
        let house = PeopleQuery { building: Some(ours.house), ..PeopleQuery::default() };
        assert_eq!(
            names(&db, &scope, house.clone()).await,
            ["Gone Haugen", "Kari Haugen", "Lone Lund", "Ola Haugen"]
        );
        let unit = PeopleQuery { unit: Some(ours.neighbour_unit), ..PeopleQuery::default() };
        assert_eq!(names(&db, &scope, unit).await, ["Lone Lund"]);
        let standing = |standing| PeopleQuery { standing: Some(standing), ..house.clone() };
        assert_eq!(names(&db, &scope, standing(Standing::Suspended)).await, ["Gone Haugen"]);
        assert_eq!(names(&db, &scope, standing(Standing::Unreachable)).await, ["Lone Lund"]);
        assert_eq!(names(&db, &scope, standing(Standing::Invited)).await, Vec::<String>::new());
        assert_eq!(
            names(&db, &scope, standing(Standing::NotInvited)).await,
            ["Kari Haugen", "Lone Lund", "Ola Haugen"]
        );
        let elsewhere = PeopleQuery { building: Some(ours.office), ..PeopleQuery::default() };
        assert_eq!(names(&db, &ours.as_person(ours.admin), elsewhere).await, Vec::<String>::new());
        let none = PeopleQuery { text: "kari".to_owned(), building: Some(ours.office), ..PeopleQuery::default() };
        assert_eq!(names(&db, &scope, none).await, Vec::<String>::new());
    }
}
