//! Cards: given, blocked, lost and found, taken back, and ended with the reason for which they were given.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, label, stamp, two_towns};
use klinke_model::card::{BlockedBy, CardView};
use klinke_model::credential::CredentialTier;
use klinke_model::ids::{CardId, PersonId};
use klinke_model::people::{Membership, Role};
use klinke_model::policy::BuildingPolicy;
use klinke_model::rule::{AccessRule, Who};
use klinke_storage::StorageError;
use klinke_storage::record::{
    AuditQuery, CardAfter, CardChange, CardMade, CardRow, CardsQuery, Edited, MyCardChanged, MyCardMade,
    NewCard, NewMove, NewMyCard, Part,
};

/// A card with a number of its own.
pub fn new_card(ours: &Town, number: u64, person: PersonId) -> NewCard {
    NewCard {
        id: ours.fresh(number),
        person,
        name: label("Blue key ring"),
        key: CardView::Serial.read(&format!("04{number:012X}")).unwrap(),
        view: CardView::Serial,
        tier: CredentialTier::Identifier,
    }
}

async fn give(db: &Db, ours: &Town, number: u64, person: PersonId) -> CardId {
    let new = new_card(ours, number, person);
    let id = new.id;
    let made =
        db.store.cards().insert_card(&ours.as_person(ours.admin), &stamp(1), ours.house, new).await.unwrap();
    assert!(matches!(made, CardMade::Done(_)), "{made:?}");
    id
}

async fn card(db: &Db, ours: &Town, id: CardId) -> Option<Part<CardRow>> {
    db.store.cards().card(&ours.system(), id).await.unwrap()
}

async fn revision(db: &Db, ours: &Town) -> u64 {
    db.store.doors().doors_of_controller(&ours.system(), ours.controller).await.unwrap().unwrap().0
}

async fn own_cards(db: &Db, ours: &Town, may: bool) {
    let (version, policy) = db.store.sites().policy(&ours.system(), ours.house).await.unwrap().unwrap();
    let policy = BuildingPolicy { own_cards: may, ..policy };
    db.store.sites().set_policy(&ours.system(), &stamp(1), ours.house, version, policy).await.unwrap();
}

on_both! {
    async fn a_card_is_given_changed_and_taken_back(db) {
        let (ours, _) = two_towns(&db).await;
        let (cards, admin) = (db.store.cards(), ours.as_person(ours.admin));
        let before = revision(&db, &ours).await;
        let id = give(&db, &ours, 1, ours.kari).await;
        let found = card(&db, &ours, id).await.unwrap();
        assert_eq!((found.value.holder.unwrap().into_inner(), found.value.homes), (label("Kari Haugen"), vec![label("101")]));
        assert_eq!(revision(&db, &ours).await, before + 1, "its doors are told");
        // whose a card is, by what a reader read: in its own building
        let key = new_card(&ours, 1, ours.kari).key;
        let by_key = async |house, key| cards.card_by_key(&admin, house, &key).await.unwrap().map(|part| part.value.card.id);
        assert_eq!(by_key(ours.house, key).await, Some(id));
        assert_eq!(by_key(ours.office, key).await, None);
        assert_eq!(by_key(ours.house, new_card(&ours, 2, ours.kari).key).await, None);
        // the same number again: whose it is
        let again = NewCard { id: ours.fresh(2), person: ours.lone, ..new_card(&ours, 1, ours.lone) };
        let taken = cards.insert_card(&admin, &stamp(1), ours.house, again.clone()).await.unwrap();
        assert!(matches!(taken, CardMade::Taken(part) if part.value.card.person == ours.kari));
        let elsewhere = NewCard { person: ours.manager, ..again };
        let made = cards.insert_card(&ours.as_person(ours.manager), &stamp(1), ours.office, elsewhere).await.unwrap();
        assert!(matches!(made, CardMade::Done(_)), "another building has its own");

        let change = CardChange {
            name: Some(label("Brown")), person: Some(ours.ola), blocked: Some(true), tier: Some(CredentialTier::Proven),
        };
        let done = cards.change_card(&admin, &stamp(2), id, 1, change.clone()).await.unwrap();
        let Edited::Done(done) = done else { panic!("{done:?}") };
        let now = &done.value.card;
        assert_eq!((done.version, now.person, now.blocked), (2, ours.ola, Some(BlockedBy::Administrator)));
        assert_eq!((&now.name, now.tier), (&label("Brown"), CredentialTier::Proven));
        assert_eq!(revision(&db, &ours).await, before + 2);
        assert!(matches!(cards.change_card(&admin, &stamp(3), id, 1, change.clone()).await.unwrap(), Edited::Conflict(part) if part.version == 2));
        assert!(matches!(cards.change_card(&admin, &stamp(3), id, 2, change).await.unwrap(), Edited::Done(part) if part.version == 2), "it is so");
        let to_a_stranger = CardChange { person: Some(ours.office_admin), ..CardChange::default() };
        assert!(matches!(cards.change_card(&admin, &stamp(3), id, 2, to_a_stranger).await, Err(StorageError::MissingReference)));
        assert!(cards.remove_card(&admin, &stamp(4), id).await.unwrap());
        assert!(!cards.remove_card(&admin, &stamp(4), id).await.unwrap());
        assert_eq!(revision(&db, &ours).await, before + 3);
        // the audit tells whose it was, and never its number
        let query = AuditQuery { limit: 3, ..AuditQuery::default() };
        let entries = db.store.audit().audit_entries(&ours.system(), query).await.unwrap();
        let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert!(actions.contains(&"card.removed") && actions.contains(&"card.changed"), "{actions:?}");
        for entry in entries {
            let content = format!("{:?}", entry.content.map(klinke_model::privacy::Pii::into_inner));
            assert!(!content.contains("04:00") && !content.contains("0400") && !content.contains("raw"), "{content}");
        }
    }

    async fn a_card_is_for_who_has_to_do_with_the_building(db) {
        let (ours, _) = two_towns(&db).await;
        let (cards, admin) = (db.store.cards(), ours.as_person(ours.admin));
        let give = async |number: u64, person| {
            cards.insert_card(&admin, &stamp(1), ours.house, new_card(&ours, number, person)).await.unwrap()
        };
        assert!(matches!(give(1, ours.lone).await, CardMade::Done(_)), "lives there");
        assert!(matches!(give(2, ours.caretaker).await, CardMade::Done(_)), "looks after it");
        assert!(matches!(give(3, ours.manager).await, CardMade::Done(_)), "runs it");
        assert!(matches!(give(4, ours.office_admin).await, CardMade::Stranger));
        assert!(matches!(give(5, ours.expired).await, CardMade::Stranger), "was a manager");
        assert!(matches!(give(6, ours.fresh(99)).await, CardMade::Stranger));
        // who is named by a rule, and seen by who gives the card
        let rule = AccessRule { who: vec![Who::Person(ours.office_admin)], ..crate::rules::rule(&ours, 7, ours.lone, ours.garage) };
        db.store.rules().insert_rule(&ours.system(), &stamp(1), rule).await.unwrap();
        assert!(matches!(give(8, ours.office_admin).await, CardMade::Stranger), "not seen from here");
        let manager = ours.as_person(ours.manager);
        let made = cards.insert_card(&manager, &stamp(1), ours.house, new_card(&ours, 9, ours.office_admin)).await.unwrap();
        assert!(matches!(made, CardMade::Done(_)));
    }

    async fn the_list_is_found_by_holder_home_and_name(db) {
        let (ours, _) = two_towns(&db).await;
        let (cards, admin) = (db.store.cards(), ours.as_person(ours.admin));
        for (number, person) in [(1, ours.lone), (2, ours.kari), (3, ours.ola), (4, ours.kari)] {
            give(&db, &ours, number, person).await;
        }
        let change = CardChange { name: Some(label("Grønn brikke")), blocked: Some(true), ..CardChange::default() };
        cards.change_card(&admin, &stamp(2), ours.fresh(3), 1, change).await.unwrap();
        let find = async |query: CardsQuery| {
            let page = cards.cards(&admin, ours.house, &CardsQuery { limit: 50, ..query }).await.unwrap();
            page.cards.into_iter().map(|part| part.value.card.person).collect::<Vec<_>>()
        };
        let text = |text: &str| CardsQuery { text: text.to_owned(), ..CardsQuery::default() };
        let all = find(text("")).await;
        assert_eq!(all.len(), 4);
        assert_eq!(find(text("kari")).await, [ours.kari, ours.kari]);
        assert_eq!(find(text("102")).await, [ours.lone]);
        assert_eq!(find(text("gronn b")).await, [ours.ola]);
        assert_eq!(find(text("nobody")).await, []);
        assert_eq!(find(CardsQuery { blocked: Some(true), ..text("") }).await, [ours.ola]);
        assert_eq!(find(CardsQuery { blocked: Some(false), ..text("") }).await.len(), 3);
        // page by page, each card once
        let (mut paged, mut after) = (Vec::new(), None::<CardAfter>);
        loop {
            let query = CardsQuery { limit: 1, after, ..CardsQuery::default() };
            let page = cards.cards(&admin, ours.house, &query).await.unwrap();
            paged.extend(page.cards.into_iter().map(|part| part.value.card.person));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, all);
    }

    async fn a_lost_card_is_blocked_by_its_holder_and_by_who_decides_for_the_home(db) {
        let (ours, _) = two_towns(&db).await;
        let cards = db.store.cards();
        let (kari, ola, lone) = (ours.as_person(ours.kari), ours.as_person(ours.ola), ours.as_person(ours.lone));
        let id = give(&db, &ours, 1, ours.ola).await;
        let own = give(&db, &ours, 2, ours.kari).await;
        let seen = async |scope| {
            cards.my_cards(scope).await.unwrap().into_iter().map(|held| held.card.id).collect::<Vec<_>>()
        };
        assert_eq!(seen(&ola).await, [id]);
        assert_eq!(seen(&kari).await, [own, id], "one's own first, then the home's");
        assert_eq!(seen(&lone).await, []);
        let before = revision(&db, &ours).await;
        let set = async |scope, version, blocked| cards.change_my_card(scope, id, version, None, Some(blocked)).await.unwrap();
        assert!(matches!(set(&ola, 1, true).await, MyCardChanged::Done(held) if held.card.blocked == Some(BlockedBy::Holder)));
        assert_eq!(revision(&db, &ours).await, before + 1);
        assert!(matches!(set(&ola, 1, false).await, MyCardChanged::Conflict(held) if held.version == 2));
        assert!(matches!(set(&kari, 2, false).await, MyCardChanged::Done(held) if held.card.blocked.is_none()));
        assert!(matches!(set(&lone, 3, true).await, MyCardChanged::NotThere));
        // what an administrator blocked stays so
        let block = CardChange { blocked: Some(true), ..CardChange::default() };
        assert!(matches!(cards.change_card(&ours.system(), &stamp(2), id, 3, block).await.unwrap(), Edited::Done(_)));
        assert!(matches!(set(&ola, 4, false).await, MyCardChanged::Administrators));
        assert!(matches!(set(&kari, 4, false).await, MyCardChanged::Administrators));
        assert!(matches!(set(&ola, 4, true).await, MyCardChanged::Done(held) if held.card.blocked == Some(BlockedBy::Administrator)));
        let named = cards.change_my_card(&ola, id, 4, Some(label("Mine")), None).await.unwrap();
        assert!(matches!(named, MyCardChanged::Done(held) if held.card.name == label("Mine") && held.card.blocked == Some(BlockedBy::Administrator)));
        // suspended: nothing is theirs to see, and the card stays
        assert!(db.store.people().set_active(&ours.system(), ours.ola, false).await.unwrap());
        assert_eq!(seen(&ola).await, []);
        assert!(card(&db, &ours, id).await.is_some());
    }

    async fn residents_add_cards_where_the_policy_leaves_it_to_them(db) {
        let (ours, _) = two_towns(&db).await;
        let cards = db.store.cards();
        let add = async |who, unit, number, person| {
            let new = NewMyCard { unit, card: new_card(&ours, number, person) };
            cards.add_my_card(&ours.as_person(who), new).await.unwrap()
        };
        own_cards(&db, &ours, false).await;
        assert!(matches!(add(ours.kari, ours.unit, 1, ours.kari).await, MyCardMade::Administrators));
        own_cards(&db, &ours, true).await;
        assert!(matches!(add(ours.kari, ours.unit, 1, ours.kari).await, MyCardMade::Done(_)));
        assert!(matches!(add(ours.kari, ours.unit, 2, ours.ola).await, MyCardMade::Done(_)), "decides for the home");
        assert!(matches!(add(ours.ola, ours.unit, 3, ours.kari).await, MyCardMade::NotThere), "does not");
        assert!(matches!(add(ours.kari, ours.unit, 3, ours.lone).await, MyCardMade::NotThere));
        assert!(matches!(add(ours.kari, ours.neighbour_unit, 3, ours.kari).await, MyCardMade::NotThere));
        let same = NewMyCard { unit: ours.neighbour_unit, card: NewCard { id: ours.fresh(50), person: ours.lone, ..new_card(&ours, 1, ours.lone) } };
        assert!(matches!(cards.add_my_card(&ours.as_person(ours.lone), same).await.unwrap(), MyCardMade::Taken));
        for number in 10..19 {
            assert!(matches!(add(ours.kari, ours.unit, number, ours.kari).await, MyCardMade::Done(_)));
        }
        assert!(matches!(add(ours.kari, ours.unit, 20, ours.kari).await, MyCardMade::Full));
    }

    async fn cards_end_with_what_they_were_given_for(db) {
        let (ours, _) = two_towns(&db).await;
        let people = db.store.people();
        let id = give(&db, &ours, 1, ours.ola).await;
        let other = give(&db, &ours, 2, ours.kari).await;
        let place = Membership { unit: ours.neighbour_unit, person: ours.ola, owner: false };
        assert!(people.add_membership(&ours.system(), place).await.unwrap());
        assert!(people.remove_membership(&ours.system(), ours.ola, ours.unit).await.unwrap());
        assert!(card(&db, &ours, id).await.is_some(), "lives in the house still");
        let before = revision(&db, &ours).await;
        let out = vec![ours.ola];
        let new = NewMove { id: ours.fresh(70), unit: ours.neighbour_unit, last_day: 1, ends_at: NOW, out, to: None, into: vec![] };
        assert!(db.store.moves().plan_move(&ours.system(), &stamp(70), new).await.unwrap());
        assert!(card(&db, &ours, id).await.is_some(), "until the move is carried out");
        assert!(db.store.moves().carry_out_move(&ours.system(), &stamp(72), ours.fresh(70)).await.unwrap().is_some());
        assert!(card(&db, &ours, id).await.is_none());
        assert!(revision(&db, &ours).await > before, "its doors are told in the same moment");
        assert!(card(&db, &ours, other).await.is_some(), "nobody else's");
        // who has a role over the building keeps their card when they move out
        let role = ours.role(ours.kari, Role::Caretaker, Some(ours.house));
        assert!(people.grant_role(&ours.system(), &stamp(1), role).await.unwrap());
        assert!(people.remove_membership(&ours.system().at(NOW), ours.kari, ours.unit).await.unwrap());
        assert!(card(&db, &ours, other).await.is_some());
    }

    async fn a_deleted_person_leaves_no_card(db) {
        let (ours, _) = two_towns(&db).await;
        let person = ours.person(ours.fresh(40), "Guest");
        assert!(db.store.people().insert_person(&ours.system(), person.clone()).await.unwrap());
        let rule = AccessRule { who: vec![Who::Person(person.id)], ..crate::rules::rule(&ours, 7, ours.lone, ours.garage) };
        db.store.rules().insert_rule(&ours.system(), &stamp(1), rule).await.unwrap();
        let new = new_card(&ours, 1, person.id);
        let made = db.store.cards().insert_card(&ours.system(), &stamp(1), ours.house, new).await.unwrap();
        assert!(matches!(made, CardMade::Done(_)));
        let before = revision(&db, &ours).await;
        let gone = db.store.people().delete_person(&ours.system(), &stamp(2), person.id).await.unwrap();
        assert!(matches!(gone, klinke_storage::record::Deleted::Done(_)));
        assert!(card(&db, &ours, ours.fresh(1)).await.is_none());
        assert_eq!(revision(&db, &ours).await, before + 1);
    }

    async fn a_file_of_cards_is_given_at_once(db) {
        let (ours, _) = two_towns(&db).await;
        let (cards, admin) = (db.store.cards(), ours.as_person(ours.admin));
        give(&db, &ours, 1, ours.kari).await;
        let house = cards.card_house(&admin, ours.house).await.unwrap().unwrap();
        assert_eq!(house.cards.get(&new_card(&ours, 1, ours.kari).key), Some(&ours.kari));
        assert!(house.house.residents.iter().any(|one| one.place.person == ours.lone));
        let before = revision(&db, &ours).await;
        let rows = vec![
            new_card(&ours, 2, ours.lone),
            NewCard { id: ours.fresh(30), ..new_card(&ours, 2, ours.ola) },
            NewCard { id: ours.fresh(31), ..new_card(&ours, 1, ours.ola) },
            new_card(&ours, 3, ours.office_admin),
            new_card(&ours, 4, ours.ola),
        ];
        let given = cards.import_cards(&admin, &stamp(2), ours.house, |_| rows.clone()).await.unwrap();
        assert_eq!(given, Some(2), "twice, taken and for a stranger are left out");
        assert_eq!(revision(&db, &ours).await, before + 1);
        let query = AuditQuery { limit: 1, ..AuditQuery::default() };
        let last = db.store.audit().audit_entries(&ours.system(), query).await.unwrap().remove(0);
        assert_eq!((last.action.as_str(), last.persons.len()), ("card.imported", 2));
        let nothing = cards.import_cards(&admin, &stamp(3), ours.house, |_| rows.clone()).await.unwrap();
        assert_eq!(nothing, Some(0));
    }
}
