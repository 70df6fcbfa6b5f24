//! Long lists of a building: their orders and filters, and that paging through them while they change leaves nothing out.

use crate::database::{Db, on_both};
use crate::town::{Town, label, stamp, two_towns};
use klinke_model::ids::{BellId, EntranceId};
use klinke_model::intercom::{Bell, BellKind, Moderation};
use klinke_model::people::Membership;
use klinke_model::privacy::Pii;
use klinke_model::site::{Entrance, Unit};
use klinke_storage::record::{
    ButtonsOrder, ButtonsQuery, Look, MoveState, MovesQuery, NewMove, PeopleOrder, PeopleQuery, Removed,
    UnitsQuery,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Numbers that are the same at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A list whose rows come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    PeopleByName,
    PeopleByHome,
    Units,
    BellsByPlace,
    BellsByLabel,
    BellsByUnit,
    Moves,
}

const LISTS: [List; 7] = [
    List::PeopleByName,
    List::PeopleByHome,
    List::Units,
    List::BellsByPlace,
    List::BellsByLabel,
    List::BellsByUnit,
    List::Moves,
];

/// Walks through pages; `loose` rows may go between two of them.
macro_rules! walk {
    ($house:ident, $list:ident, $loose:ident, $query:ident, |$store:ident, $asked:ident| $page:block) => {{
        let (mut seen, mut query) = (Vec::new(), $query);
        loop {
            let (ids, next) = {
                let ($store, $asked) = (&$house.db.store, query.clone());
                $page
            };
            assert!(ids.len() == usize::from(query.limit) || next.is_none(), "a short page is the last");
            seen.extend(ids);
            let Some(next) = next else { break seen };
            query.after = Some(next);
            if !$loose.is_empty() {
                for _ in 0..$house.dice.below(3) {
                    let added = $house.add($list).await;
                    $loose.push(added);
                }
                for _ in 0..$house.dice.below(4) {
                    if $loose.len() > 1 {
                        let gone = $loose.swap_remove($house.dice.below($loose.len() as u64) as usize);
                        $house.remove($list, gone).await;
                    }
                }
            }
        }
    }};
}

struct House<'a> {
    db: &'a Db,
    ours: Town,
    dice: Dice,
    next: u64,
}

impl House<'_> {
    /// Adds a row at some place of the list; its number.
    async fn add(&mut self, list: List) -> u64 {
        let (store, ours, scope) = (&self.db.store, self.ours, self.ours.system());
        self.next += 1;
        let n = self.next;
        let word = format!(
            "{} {}",
            ["Åse", "Bo", "Bo", "Øyvind", "Zoe"][self.dice.below(5) as usize],
            self.dice.below(30)
        );
        match list {
            List::PeopleByName | List::PeopleByHome => {
                let person = ours.person(ours.fresh(n), &word);
                assert!(store.people().insert_person(&scope, person).await.unwrap());
                let mut homes = BTreeSet::from([self.dice.below(6)]);
                if self.dice.below(3) == 0 {
                    homes.insert(self.dice.below(6));
                }
                for home in homes {
                    let place =
                        Membership { person: ours.fresh(n), unit: ours.fresh(900 + home), owner: false };
                    assert!(store.people().add_membership(&scope, place).await.unwrap());
                }
            }
            List::Units => {
                let unit = Unit {
                    id: ours.fresh(n),
                    building: ours.house,
                    entrance: ours.entrance,
                    number: label(&word),
                };
                assert!(
                    store.sites().insert_units(&scope, &stamp(1), ours.house, &[unit], &[]).await.unwrap()
                );
            }
            List::BellsByPlace | List::BellsByLabel | List::BellsByUnit => {
                let panel = if self.dice.below(2) == 0 { ours.panel } else { ours.garage_panel };
                let unit = ours.fresh(900 + self.dice.below(6));
                let bell =
                    Bell { panel, unit, ..ours.bell(ours.fresh(n), &word, BellKind::Parallel, vec![]) };
                let position = Some(i32::try_from(self.dice.below(20)).unwrap());
                assert!(store.intercom().insert_bell(&scope, &stamp(1), bell, position).await.unwrap());
            }
            List::Moves => {
                let into = vec![(ours.person(ours.fresh(5_000 + n), &word), true)];
                let ends_at = stamp(100 + self.dice.below(30)).at;
                let (id, unit) = (ours.fresh(n), ours.fresh(900));
                let new = NewMove { id, unit, last_day: 1, ends_at, out: vec![], to: None, into };
                assert!(store.moves().plan_move(&scope, &stamp(1), new).await.unwrap());
            }
        }
        n
    }

    async fn remove(&self, list: List, n: u64) {
        let (store, ours, scope) = (&self.db.store, self.ours, self.ours.system());
        match list {
            List::PeopleByName | List::PeopleByHome => {
                for home in 0..6 {
                    store
                        .people()
                        .remove_membership(&scope, ours.fresh(n), ours.fresh(900 + home))
                        .await
                        .unwrap();
                }
            }
            List::Units => {
                let gone = store.parts().remove_unit(&scope, &stamp(1), ours.fresh(n)).await.unwrap();
                assert_eq!(gone, Removed::Done);
            }
            List::BellsByPlace | List::BellsByLabel | List::BellsByUnit => {
                assert!(
                    store.intercom().remove_bell(&scope, &stamp(1), ours.fresh(n)).await.unwrap().is_some()
                );
            }
            List::Moves => {
                assert!(store.moves().cancel_move(&scope, &stamp(1), ours.fresh(n)).await.unwrap());
            }
        }
    }

    /// The numbers of all rows, a page of this length at a time; between two pages some come and some of `loose` go.
    async fn walk(&mut self, list: List, descending: bool, limit: u16, loose: &mut Vec<u64>) -> Vec<Uuid> {
        match list {
            List::PeopleByName | List::PeopleByHome => {
                let order = if list == List::PeopleByHome { PeopleOrder::Home } else { PeopleOrder::Name };
                let building = Some(self.ours.house);
                let query = PeopleQuery { building, order, descending, limit, ..PeopleQuery::default() };
                walk!(self, list, loose, query, |store, query| {
                    let page = store.people().page(&self.ours.system(), &query).await.unwrap();
                    (page.people.iter().map(|row| row.person.id.0).collect::<Vec<_>>(), page.next)
                })
            }
            List::Units => {
                let query = UnitsQuery { descending, limit, ..UnitsQuery::default() };
                walk!(self, list, loose, query, |store, query| {
                    let page =
                        store.sites().units_page(&self.ours.system(), self.ours.house, &query).await.unwrap();
                    (page.units.iter().map(|row| row.unit.id.0).collect::<Vec<_>>(), page.next)
                })
            }
            List::BellsByPlace | List::BellsByLabel | List::BellsByUnit => {
                let order = match list {
                    List::BellsByLabel => ButtonsOrder::Label,
                    List::BellsByUnit => ButtonsOrder::Unit,
                    _ => ButtonsOrder::Place,
                };
                let query = ButtonsQuery { order, descending, limit, ..ButtonsQuery::default() };
                walk!(self, list, loose, query, |store, query| {
                    let page =
                        store.intercom().buttons(&self.ours.system(), self.ours.house, &query).await.unwrap();
                    (page.buttons.iter().map(|row| row.bell.id.0).collect::<Vec<_>>(), page.next)
                })
            }
            List::Moves => {
                let query = MovesQuery { limit, ..MovesQuery::default() };
                walk!(self, list, loose, query, |store, query| {
                    let page =
                        store.moves().moves(&self.ours.system(), self.ours.house, &query).await.unwrap();
                    (page.moves.iter().map(|row| row.id.0).collect::<Vec<_>>(), page.next)
                })
            }
        }
    }
}

async fn house(db: &Db, seed: u64) -> House<'_> {
    let (ours, _) = two_towns(db).await;
    let mut house = House { db, ours, dice: Dice(seed), next: 0 };
    let homes: Vec<_> = (0..6)
        .map(|n| Unit {
            id: ours.fresh(900 + n),
            building: ours.house,
            entrance: ours.entrance,
            number: label(&format!("H{}", house.dice.below(12))),
        })
        .collect();
    assert!(db.store.sites().insert_units(&ours.system(), &stamp(1), ours.house, &homes, &[]).await.unwrap());
    house
}

on_both! {
    async fn what_does_not_change_is_on_exactly_one_page_whatever_comes_and_goes_between_them(db) {
        let mut house = house(&db, 0x5eed).await;
        for list in LISTS {
            let fixed: BTreeSet<Uuid> = {
                let mut fixed = BTreeSet::new();
                for _ in 0..12 {
                    let n = house.add(list).await;
                    fixed.insert(house.ours.fresh::<BellId>(n).0);
                }
                fixed
            };
            for round in 0..4_u16 {
                let mut loose = Vec::new();
                for _ in 0..8 {
                    loose.push(house.add(list).await);
                }
                let descending = round % 2 == 1;
                let seen = house.walk(list, descending, 1 + round, &mut loose).await;
                let kept: Vec<_> = seen.iter().filter(|id| fixed.contains(id)).copied().collect();
                let whole = house.walk(list, descending, 200, &mut Vec::new()).await;
                let expected: Vec<_> = whole.iter().filter(|id| fixed.contains(id)).copied().collect();
                assert_eq!(expected.len(), fixed.len());
                assert_eq!(kept, expected, "{list:?}, descending: {descending}");
                assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{list:?}: twice");
                // the other way round is the same list
                if list != List::Moves {
                    let mut back = house.walk(list, !descending, 7, &mut Vec::new()).await;
                    back.reverse();
                    assert_eq!(back, whole, "{list:?}");
                }
                for n in loose {
                    house.remove(list, n).await;
                }
            }
        }
    }

    async fn units_are_listed_by_number_with_figures_by_their_value_by_entrance_and_by_what_was_typed(db) {
        let (ours, _) = two_towns(&db).await;
        let (sites, admin) = (db.store.sites(), ours.as_person(ours.admin));
        let side: EntranceId = ours.fresh(1);
        let entrance = Entrance { id: side, building: ours.house, name: label("Åpning B") };
        assert!(sites.insert_entrance(&admin, &stamp(1), entrance.clone()).await.unwrap());
        let unit = |n, number, entrance| Unit { id: ours.fresh(n), building: ours.house, entrance, number: label(number) };
        let units = [unit(2, "9", side), unit(3, "10", side), unit(4, "Ø 2", ours.entrance), unit(5, "ø 10", side), unit(6, "Ås", side)];
        assert!(sites.insert_units(&admin, &stamp(1), ours.house, &units, &[]).await.unwrap());
        let numbers = async |query: UnitsQuery| {
            let page = sites.units_page(&admin, ours.house, &UnitsQuery { limit: 50, ..query }).await.unwrap();
            page.units.iter().map(|row| row.unit.number.to_string()).collect::<Vec<_>>()
        };
        let mut all = vec!["9", "10", "101", "102", "Ø 2", "ø 10", "Ås"];
        assert_eq!(numbers(UnitsQuery::default()).await, all);
        all.reverse();
        assert_eq!(numbers(UnitsQuery { descending: true, ..UnitsQuery::default() }).await, all);
        assert_eq!(numbers(UnitsQuery { entrance: Some(side), ..UnitsQuery::default() }).await, ["9", "10", "ø 10", "Ås"]);
        let typed = |text: &str| UnitsQuery { text: text.to_owned(), ..UnitsQuery::default() };
        assert_eq!(numbers(typed(" 10")).await, ["10", "101", "102"]);
        assert_eq!(numbers(typed("o ")).await, ["Ø 2", "ø 10"]);
        assert_eq!(numbers(typed("%")).await, Vec::<String>::new());
        assert_eq!(numbers(UnitsQuery { entrance: Some(side), ..typed("10") }).await, ["10"]);
        let counted = sites.counted_entrances(&admin, ours.house).await.unwrap();
        let counted: Vec<_> = counted.iter().map(|(entrance, units)| (entrance.id, *units)).collect();
        assert_eq!(counted, [(ours.entrance, 3), (side, 4)]);
        // a changed number takes its place
        let part = db.store.parts().unit_part(&admin, ours.fresh(2)).await.unwrap().unwrap();
        let mut wanted = part.value;
        wanted.unit.number = label("1000");
        db.store.parts().change_unit(&admin, &stamp(2), part.version, wanted).await.unwrap();
        assert_eq!(numbers(typed("10")).await, ["10", "101", "102", "1000"]);
    }

    async fn people_are_listed_once_by_the_first_of_their_homes_in_the_building(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        // kari lives in 101; lone in 102, now in 101 too, and in the office
        for unit in [ours.unit, ours.office_unit] {
            let place = Membership { person: ours.lone, unit, owner: false };
            assert!(people.add_membership(&ours.system(), place).await.unwrap());
        }
        let names = async |query: PeopleQuery| {
            let query = PeopleQuery { order: PeopleOrder::Home, limit: 50, ..query };
            let page = people.page(&ours.system(), &query).await.unwrap();
            page.people.iter().map(|row| (row.person.id, row.homes.len())).collect::<Vec<_>>()
        };
        let house = PeopleQuery { building: Some(ours.house), ..PeopleQuery::default() };
        let in_order = [(ours.gone, 1), (ours.kari, 1), (ours.lone, 3), (ours.ola, 1)];
        assert_eq!(names(house.clone()).await, in_order);
        let of_unit = PeopleQuery { unit: Some(ours.neighbour_unit), ..house.clone() };
        assert_eq!(names(of_unit).await, [(ours.lone, 3)]);
        let found = PeopleQuery { text: "haug".to_owned(), descending: true, ..house.clone() };
        assert_eq!(names(found).await, [(ours.ola, 1), (ours.kari, 1), (ours.gone, 1)]);
        let office = PeopleQuery { building: Some(ours.office), ..PeopleQuery::default() };
        assert!(names(office).await.contains(&(ours.lone, 3)), "with the homes of every building");
        assert!(people.remove_membership(&ours.system(), ours.lone, ours.unit).await.unwrap());
        assert_eq!(names(house).await, [(ours.gone, 1), (ours.kari, 1), (ours.ola, 1), (ours.lone, 2)]);
    }

    async fn buttons_are_listed_by_place_text_or_unit_and_narrowed(db) {
        let (ours, _) = two_towns(&db).await;
        let (intercom, admin) = (db.store.intercom(), ours.as_person(ours.admin));
        let next_door = Bell {
            unit: ours.neighbour_unit,
            ..ours.bell(ours.fresh(1), "Ågot", BellKind::Parallel, vec![ours.member(ours.lone, "Lone")])
        };
        let garage = Bell { panel: ours.garage_panel, ..ours.bell(ours.fresh(2), "zebra", BellKind::Parallel, vec![]) };
        for bell in [next_door, garage] {
            assert!(intercom.insert_bell(&admin, &stamp(1), bell, None).await.unwrap());
        }
        let texts = async |query: ButtonsQuery| {
            let page = intercom.buttons(&admin, ours.house, &ButtonsQuery { limit: 50, ..query }).await.unwrap();
            page.buttons.iter().map(|row| row.bell.label.reveal().to_string()).collect::<Vec<_>>()
        };
        let by = |order| ButtonsQuery { order, ..ButtonsQuery::default() };
        let mut labels = texts(by(ButtonsOrder::Place)).await;
        labels.sort_by_key(|text| klinke_model::alphabet::Alphabet::Norwegian.key(text));
        assert_eq!(texts(by(ButtonsOrder::Label)).await, labels);
        assert_eq!(labels.last().map(String::as_str), Some("Ågot"));
        assert_eq!(texts(by(ButtonsOrder::Unit)).await.last().map(String::as_str), Some("Ågot"), "102 is the last unit");
        let on = ButtonsQuery { panel: Some(ours.garage_panel), ..ButtonsQuery::default() };
        assert_eq!(texts(on).await, ["zebra"]);
        let of = ButtonsQuery { unit: Some(ours.neighbour_unit), ..ButtonsQuery::default() };
        assert_eq!(texts(of).await, ["Ågot"]);
        let typed = |text: &str| ButtonsQuery { text: text.to_owned(), ..ButtonsQuery::default() };
        for (text, found) in [("ÅGO", &["Ågot"][..]), ("lone", &["Ågot"]), ("102", &["Ågot"]), ("102 lon", &["Ågot"]), ("zeb", &["zebra"]), ("bra", &[]), ("%", &[])] {
            assert_eq!(texts(typed(text)).await, found, "{text}");
        }
        // whoever changes a text changes its place
        let (_, button) = intercom.button(&admin, ours.fresh(1)).await.unwrap().unwrap();
        let edit = klinke_storage::record::ButtonEdit {
            label: Pii::new(label("Øst")),
            alias: None,
            kind: button.bell.kind,
            members: button.bell.members,
            listing: button.listing,
            dial_code: None,
            hidden: false,
        };
        intercom.change_bell(&admin, &stamp(2), ours.fresh(1), button.version, &edit, false).await.unwrap();
        assert_eq!(texts(typed("øst")).await, ["Øst"]);
        let look = Look::Remove(label("why"));
        intercom.moderate_bell(&admin, &stamp(3), ours.fresh(1), button.version + 1, &look).await.unwrap();
        let removed = ButtonsQuery { moderation: Some(Moderation::Removed), ..ButtonsQuery::default() };
        assert_eq!(texts(removed).await, ["Øst"]);
    }

    async fn moves_to_come_are_listed_from_the_next_and_done_ones_from_the_last(db) {
        let (ours, _) = two_towns(&db).await;
        let (moves, scope) = (db.store.moves(), ours.system());
        for (n, at) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
            let into = vec![(ours.person(ours.fresh(50 + n), "New"), true)];
            let (id, unit, ends_at) = (ours.fresh(n), ours.unit, stamp(at).at);
            let new = NewMove { id, unit, last_day: 1, ends_at, out: vec![], to: None, into };
            assert!(moves.plan_move(&scope, &stamp(1), new).await.unwrap());
        }
        for n in [2, 3] {
            assert!(moves.carry_out_move(&scope, &stamp(25), ours.fresh(n)).await.unwrap().is_some());
        }
        let listed = async |state| {
            let page = moves.moves(&scope, ours.house, &MovesQuery { state, limit: 9, after: None }).await.unwrap();
            page.moves.iter().map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(MoveState::Scheduled).await, [ours.fresh(1), ours.fresh(4)]);
        assert_eq!(listed(MoveState::Done).await, [ours.fresh(3), ours.fresh(2)]);
        let first = moves.moves(&scope, ours.house, &MovesQuery { state: MoveState::Done, limit: 1, after: None }).await.unwrap();
        let rest = MovesQuery { state: MoveState::Done, limit: 1, after: first.next };
        assert_eq!(moves.moves(&scope, ours.house, &rest).await.unwrap().moves[0].id, ours.fresh(2));
    }
}
