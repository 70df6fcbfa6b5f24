use super::*;
use crate::import::read;
use klinke_model::contact::{Email, Language};
use klinke_model::ids::UnitId;
use klinke_model::people::Membership;
use klinke_model::privacy::Pii;
use klinke_storage::record::{Details, HouseResident, HouseUnit, NewHome};
use uuid::Uuid;

fn person(number: u128) -> PersonId {
    Uuid::from_u128(number).into()
}

fn entrance(number: u128) -> EntranceId {
    Uuid::from_u128(number).into()
}

fn unit(number: u128) -> UnitId {
    Uuid::from_u128(number).into()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

/// 101 and 102 behind A, 101 behind B. Kari lives in 101 A.
fn house() -> House {
    let home =
        |id, number, behind| HouseUnit { id: unit(id), number: label(number), entrance: entrance(behind) };
    let kari = Details {
        name: Some(Pii::new(label("Kari Haugen"))),
        email: Some(Pii::new(Email::new("kari@example.org").unwrap())),
        phone: None,
        language: Language::Nb,
    };
    let place = Membership { person: person(1), unit: unit(1), owner: false };
    House {
        entrances: vec![(entrance(1), label("Storgata 12 A")), (entrance(2), label("Storgata 12 B"))],
        makes_homes: true,
        units: vec![home(1, "101", 1), home(2, "102", 1), home(3, "101", 2)],
        residents: vec![HouseResident { place, details: kari, changeable: true }],
    }
}

fn list(csv: &str) -> Content {
    Content::new(read::read(csv.as_bytes()).unwrap())
}

/// The id of the nth new thing.
fn new(index: usize) -> Uuid {
    Uuid::from_u128(100 + u128::try_from(index).unwrap())
}

fn judge(csv: &str) -> Checked {
    check(&list(csv), &house(), new)
}

fn states(checked: &Checked) -> Vec<Status> {
    checked.rows.iter().map(|row| row.status).collect()
}

fn codes(checked: &Checked) -> Vec<Vec<(usize, CellCode)>> {
    let of = |row: &Judged| row.errors.iter().map(|error| (error.column, error.code)).collect();
    checked.rows.iter().map(of).collect()
}

#[test]
fn rows_are_new_changed_or_the_same() {
    let checked = judge(
        "Navn;E-post;Mobil;Leilighet;Oppgang;Eier\n\
         kari haugen;KARI@example.org;;101;A;\n\
         Ola Haugen;;915 00 123;101;Storgata 12 A;ja\n\
         Per Olsen;per@example.org;;102;;\n\
         Per Olsen;per@example.org;;101;B;x\n",
    );
    assert_eq!(states(&checked), [Status::Changed, Status::New, Status::New, Status::New]);
    let [kari] = checked.plan.changes.as_slice() else { panic!("one person changes") };
    assert_eq!(kari.0, person(1));
    assert_eq!(kari.2.name.as_ref().unwrap().reveal().as_str(), "kari haugen");
    assert_eq!(kari.2.email.as_ref().unwrap().reveal().as_str(), "KARI@example.org");
    assert_eq!(checked.plan.people.len(), 2, "Per is one person with two homes");
    let places = [(person(100), unit(1), true), (person(101), unit(2), false), (person(101), unit(3), true)];
    assert_eq!(checked.plan.places, places);
    assert_eq!(checked.not_named, 0);
}

#[test]
fn a_second_time_changes_nothing() {
    let csv = "Navn;E-post;Leilighet;Oppgang;Eier\nKari Haugen;;101;A;\nOla;ola@example.org;102;;ja\nOla;ola@example.org;101;B;\n";
    let first = judge(csv);
    assert_eq!(states(&first), [Status::Same, Status::New, Status::New]);
    let mut house = house();
    for (person, unit, owner) in &first.plan.places {
        let (_, details) = first.plan.people.iter().find(|(id, _)| id == person).unwrap();
        let place = Membership { person: *person, unit: *unit, owner: *owner };
        house.residents.push(HouseResident { place, details: details.clone(), changeable: true });
    }
    let second = check(&list(csv), &house, |_| unreachable!("nobody is new"));
    assert_eq!(states(&second), [Status::Same; 3]);
    assert!(second.plan.is_empty());
}

#[test]
fn every_wrong_cell_is_named() {
    let checked = judge(&format!(
        "Navn;E-post;Mobil;Leilighet;Oppgang;Eier;Språk\n\
         ;a;b;101;;kanskje;klingon\n\
         =HYPERLINK(1);@x;;999;;;\n\
         {};;;;;;\n\
         Nora;;;101;C;;\n\
         Nora;;;102;A;;\n\
         nora;;;102;A;;\n",
        "å".repeat(81)
    ));
    use CellCode::*;
    assert_eq!(
        codes(&checked),
        [
            vec![
                (0, Empty),
                (1, NotAnAddress),
                (2, NotANumber),
                (6, UnknownLanguage),
                (5, NotYesOrNo),
                (3, WhichEntrance)
            ],
            vec![(0, Formula), (1, Formula), (3, UnknownUnit)],
            vec![(0, TooLong), (3, Empty)],
            vec![(4, UnknownUnit)],
            vec![],
            vec![(3, Twice)],
        ]
    );
    assert_eq!(checked.plan.people.len(), 1, "the good row is good whatever the others are");
    assert_eq!(checked.not_named, 1, "Kari is not in the list, and stays");
}

#[test]
fn without_a_unit_column_nothing_can_be_done() {
    let checked = judge("Navn;Notat\nKari;x\n");
    assert_eq!(checked.missing, [Column::Unit]);
    assert_eq!(states(&checked), [Status::Error]);
    assert!(checked.plan.is_empty());
}

#[test]
fn a_row_that_is_left_out_does_nothing() {
    let mut content = list("Navn;Leilighet\nOla;102\nPer;999\n");
    content.left_out.insert(1);
    let checked = check(&content, &house(), new);
    assert_eq!(states(&checked), [Status::New, Status::LeftOut]);
}

#[test]
fn what_is_known_of_somebody_who_is_not_ours_alone_stays_as_it_is() {
    let mut house = house();
    house.residents[0].changeable = false;
    let judge = |csv: &str| check(&list(csv), &house, new);
    let taken = judge("Navn;E-post;Leilighet;Oppgang\nKari Haugen;thief@example.org;101;A\n");
    assert_eq!(codes(&taken), [vec![(1, CellCode::NotYours)]]);
    assert!(taken.plan.is_empty(), "{:?}", taken.plan);
    let named = judge("Navn;E-post;Leilighet;Oppgang\nKari Haugen;kari@example.org;101;A\n");
    assert_eq!(states(&named), [Status::Same]);
    let second_home = judge("Navn;E-post;Leilighet\nKari Haugen;kari@example.org;102\n");
    assert_eq!(states(&second_home), [Status::Changed]);
    assert!(second_home.plan.changes.is_empty());
}

#[test]
fn a_person_who_is_named_twice_changes_once() {
    let checked = judge(
        "Navn;E-post;Mobil;Leilighet;Oppgang\n\
         Kari Haugen;kari@example.org;915 00 123;101;A\n\
         Kari H. Haugen;kari@example.org;;102;\n\
         Ola;ola@example.org;;102;\n\
         Ola Nordmann;ola@example.org;915 00 124;101;B\n",
    );
    assert_eq!(states(&checked), [Status::Changed, Status::Changed, Status::New, Status::New]);
    let [(kari, before, after)] = checked.plan.changes.as_slice() else { panic!("one change") };
    assert_eq!((*kari, before.phone.is_none()), (person(1), true));
    assert_eq!(after.name.as_ref().unwrap().reveal().as_str(), "Kari H. Haugen");
    assert!(after.phone.is_some(), "what the first row said stays");
    let [(_, ola)] = checked.plan.people.as_slice() else { panic!("one new person") };
    assert_eq!(ola.name.as_ref().unwrap().reveal().as_str(), "Ola Nordmann");
    assert!(ola.phone.is_some());
}

const HOMES: &str = "Navn;E-post;Leilighet;Oppgang\n\
     Ola;;103;A\n\
     Per;;103;Storgata 12 A\n\
     Nora;;102;B\n\
     Emil;x;104;A\n\
     Liv;;105;\n\
     Siv;;106;C\n\
     Eva;;=1;A\n";

fn counted(checked: &Checked) -> Vec<(EntranceId, usize)> {
    checked.homes.iter().map(|homes| (homes.entrance, homes.count)).collect()
}

#[test]
fn homes_that_are_missing_are_counted_and_stay_errors_until_somebody_says_otherwise() {
    let checked = judge(HOMES);
    use CellCode::*;
    assert_eq!(
        codes(&checked),
        [
            vec![(2, UnknownUnit)],
            vec![(2, UnknownUnit)],
            vec![(3, UnknownUnit)],
            vec![(1, NotAnAddress), (2, UnknownUnit)],
            vec![(2, UnknownUnit)],
            vec![(3, UnknownUnit)],
            vec![(2, Formula)],
        ]
    );
    assert_eq!(
        counted(&checked),
        [(entrance(1), 1), (entrance(2), 1)],
        "103 A and 102 B: the others have errors"
    );
    assert!(checked.plan.is_empty());
}

#[test]
fn homes_that_are_missing_are_made_once_where_there_is_no_doubt() {
    let mut content = list(HOMES);
    content.make_homes = true;
    let checked = check(&content, &house(), new);
    let [new_state, error] = [Status::New, Status::Error];
    assert_eq!(states(&checked), [new_state, new_state, new_state, error, error, error, error]);
    let home =
        |id, behind, number| NewHome { id: unit(id), entrance: entrance(behind), number: label(number) };
    assert_eq!(checked.plan.homes, [home(100, 1, "103"), home(103, 2, "102")]);
    let places =
        [(person(101), unit(100), false), (person(102), unit(100), false), (person(104), unit(103), false)];
    assert_eq!(checked.plan.places, places);
    assert_eq!(counted(&checked), [(entrance(1), 1), (entrance(2), 1)]);
    let may_not = House { makes_homes: false, ..house() };
    assert_eq!(check(&content, &may_not, new).plan.homes, []);
}

#[test]
fn behind_the_only_entrance_a_list_need_not_name_it() {
    let mut one = house();
    one.entrances.truncate(1);
    one.units.truncate(2);
    let mut content = list("Navn;Leilighet\nOla;103\n");
    assert_eq!(counted(&check(&content, &one, new)), [(entrance(1), 1)]);
    content.make_homes = true;
    assert_eq!(states(&check(&content, &one, new)), [Status::New]);
}

#[test]
fn a_home_that_only_a_wrong_row_names_is_not_made() {
    let mut house = house();
    house.residents[0].changeable = false;
    let mut content =
        list("Navn;E-post;Leilighet;Oppgang\nAnother Name;kari@example.org;107;A\nOla;;107;A\n");
    content.make_homes = true;
    let checked = check(&content, &house, new);
    assert_eq!(states(&checked), [Status::Error, Status::New]);
    assert_eq!((checked.plan.homes.len(), checked.plan.places.len()), (1, 1));
    assert_eq!(checked.plan.places[0].1, checked.plan.homes[0].id);
    content.left_out.insert(1);
    let checked = check(&content, &house, new);
    assert_eq!((checked.plan.homes.len(), counted(&checked)), (0, vec![]));
}
