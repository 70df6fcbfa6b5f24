//! Cards read at readers to be given to somebody: the real server, the real link and the real doors.

use crate::support::door::DESK;
use crate::support::house::House;
use crate::support::until;
use crate::world::{Answer, Browser};
use klinke_model::card::CardView;
use klinke_model::credential::CredentialKey;
use klinke_model::people::{Role, RoleGrant};
use klinke_storage::record::NewRole;
use serde_json::{Value, json};
use std::time::Duration;

/// The house's front door, and the reader beside it.
const FRONT: u16 = 0;
const GATE: u16 = 1;
const GARAGE: u16 = 2;

fn card(number: u16) -> CredentialKey {
    CardView::Wiegand26.read(&format!("127-{number}")).unwrap()
}

/// A reader, as the form names it.
async fn reader_at(browser: &Browser, readers: &str, reader: u16) -> Value {
    let all = browser.get(readers).await.json();
    let found = all.as_array().unwrap().iter().find(|one| one["reader"] == reader).unwrap();
    json!({ "controller": found["controller"], "reader": reader })
}

async fn begins(browser: &Browser, at: &str, place: &Value) -> String {
    let begun = browser.post(at, place.clone()).await;
    assert_eq!((begun.status.as_u16(), &begun.json()["state"]), (201, &json!("waiting")), "{begun:?}");
    begun.json()["id"].as_str().unwrap().to_owned()
}

fn field(answer: &Answer) -> (u16, Value, Value) {
    let error = &answer.json()["errors"][0];
    (answer.status.as_u16(), error["pointer"].clone(), error["code"].clone())
}

/// Another administrator of the house.
async fn other_administrator(house: &House) -> Browser {
    let (node, scope) = (house.node(), house.scope());
    let kari = house.plan.person("kari");
    let grant =
        RoleGrant { role: Role::BuildingAdministrator, building: Some(house.plan.building), ends_at: None };
    let role = NewRole { id: node.random.v7(node.clock.now()), person: kari, grant };
    assert!(node.store.people().grant_role(&scope, &node.stamp(), role).await.unwrap());
    assert!(node.store.people().accept_confidentiality(&scope, &node.stamp(), kari).await.unwrap());
    house.phone("kari").await.browser
}

#[tokio::test]
async fn a_card_is_read_at_a_door_told_to_who_waits_for_it_and_given() {
    let house = House::new().await;
    let mut controller = house.controller().await;
    let (manager, other) = (&house.manager, other_administrator(&house).await);
    let of = format!("/api/v1/buildings/{}", house.plan.building);
    let (readers, begin, cards) =
        (format!("{of}/readers"), format!("{of}/card-readings"), format!("{of}/cards"));
    let all = manager.get(&readers).await.json();
    let doors: Vec<_> = all.as_array().unwrap().iter().map(|one| one["door"]["name"].clone()).collect();
    assert_eq!(doors, [json!(null), json!("Boiler room"), json!("Front"), json!("Garage"), json!("Gate")]);
    let (front, desk) = (reader_at(manager, &readers, FRONT).await, reader_at(manager, &readers, DESK).await);

    let reading = begins(manager, &begin, &front).await;
    let look = format!("/api/v1/card-readings/{reading}");
    assert_eq!(other.post(&begin, front.clone()).await.code(), "reader_busy");
    let on_desk = begins(&other, &begin, &desk).await;
    controller.windows(2).await;
    controller.present(FRONT, card(1)).await;
    controller.present(DESK, card(2)).await;
    let read = manager.get(&look).await.json();
    assert_eq!((&read["state"], &read["card"]["kind"]), (&json!("read"), &json!("wiegand26")), "{read}");
    assert_eq!((&read["card"]["number"], &read["card"]["tier"]), (&json!("127-1"), &json!("identifier")));
    assert!(read["card"].get("taken").is_none());
    assert_eq!(controller.releases.count(), 0);
    // nobody else's: neither looked at, nor cancelled, nor given
    assert_eq!(other.get(&look).await.code(), "not_found");
    assert_eq!(other.delete(&look).await.code(), "not_found");
    let new =
        |reading: &str| json!({ "person": house.plan.person("nora"), "name": "Blue", "reading": reading });
    let not_found = (422, json!("/reading"), json!("not_found"));
    assert_eq!(field(&other.post(&cards, new(&reading)).await), not_found);
    assert_eq!(field(&manager.post(&cards, new(&on_desk)).await), not_found);
    let seen = other.get(&format!("/api/v1/card-readings/{on_desk}")).await.json();
    assert_eq!(seen["card"]["number"], "127-2");

    let given = manager.post(&cards, new(&reading)).await;
    assert_eq!((given.status.as_u16(), &given.json()["number"]), (201, &json!("127-1")), "{given:?}");
    assert_eq!(manager.get(&look).await.code(), "not_found", "nobody needs it any more");
    assert_eq!(field(&manager.post(&cards, new(&reading)).await), not_found, "once");
    until("the card is known", || controller.in_force.refusal(house.plan.front, &card(1)).is_none()).await;
    // at the other reader, where nobody waits
    controller.present(GATE, card(1)).await;
    until("released", || controller.releases.of(GATE) == 1).await;
    controller.locked().await;

    // it is somebody's: whose is told, and it stays shut once more
    let reading = begins(manager, &begin, &front).await;
    controller.windows(3).await;
    controller.present(FRONT, card(1)).await;
    let look = format!("/api/v1/card-readings/{reading}");
    let read = manager.get(&look).await.json();
    assert_eq!(read["card"]["taken"]["holder"]["id"], json!(house.plan.person("nora")), "{read}");
    let taken = manager.post(&cards, new(&reading)).await;
    assert_eq!((taken.code().as_str(), &taken.json()["current"]["number"]), ("card_taken", &json!("127-1")));
    assert_eq!(controller.releases.of(FRONT), 0);
    // and after the window it is judged
    controller.present(FRONT, card(1)).await;
    until("released", || controller.releases.of(FRONT) == 1).await;
    controller.locked().await;

    // cancelled: it is judged again
    let reading = begins(manager, &begin, &front).await;
    controller.windows(4).await;
    assert_eq!(manager.delete(&format!("/api/v1/card-readings/{reading}")).await.status, 204);
    controller.ends(1).await;
    controller.present(FRONT, card(1)).await;
    until("released", || controller.releases.of(FRONT) == 2).await;
    controller.locked().await;
    assert_eq!(manager.get(&format!("/api/v1/card-readings/{reading}")).await.json()["state"], "over");

    // the line is cut meanwhile: judged, and told to nobody
    let reading = begins(manager, &begin, &front).await;
    controller.windows(5).await;
    controller.cut().await;
    controller.present(FRONT, card(1)).await;
    until("released", || controller.releases.of(FRONT) == 3).await;
    let look = format!("/api/v1/card-readings/{reading}");
    assert_eq!(manager.get(&look).await.json()["state"], "offline");
    assert_eq!(field(&manager.post(&cards, new(&reading)).await), not_found);
    assert_eq!(manager.get(&readers).await.json(), json!([]));
    assert_eq!(manager.post(&begin, front).await.code(), "reader_offline");
    controller.stop().await;
}

#[tokio::test]
async fn what_is_no_reader_or_no_card_is_refused() {
    let house = House::new().await;
    let controller = house.controller().await;
    let of = format!("/api/v1/buildings/{}", house.plan.building);
    let (begin, cards) = (format!("{of}/card-readings"), format!("{of}/cards"));
    let front = reader_at(&house.manager, &format!("{of}/readers"), FRONT).await;
    let no_reader = json!({ "controller": front["controller"], "reader": 77 });
    let refused = house.manager.post(&begin, no_reader).await;
    assert_eq!(field(&refused), (422, json!("/reader"), json!("not_found")));
    let nobodys = json!({ "controller": house.plan.front, "reader": 0 });
    let refused = house.manager.post(&begin, nobodys).await;
    assert_eq!(field(&refused), (422, json!("/controller"), json!("not_found")));
    let person = house.plan.person("nora");
    for (new, wrong) in [
        (json!({ "person": person, "name": "Blue" }), ["/kind", "/number"]),
        (json!({ "person": person, "name": " ", "kind": "serial" }), ["/name", "/number"]),
    ] {
        let refused = house.manager.post(&cards, new).await.json();
        let errors: Vec<_> =
            refused["errors"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
        assert_eq!(errors, wrong);
    }

    // one's role ends while the card is read
    let other = other_administrator(&house).await;
    let reading = begins(&other, &begin, &front).await;
    controller.windows(1).await;
    controller.present(FRONT, card(1)).await;
    let look = format!("/api/v1/card-readings/{reading}");
    assert_eq!(other.get(&look).await.json()["state"], "read");
    let kari = house.plan.person("kari");
    let roles = house.node().store.people().roles(&house.scope(), kari).await.unwrap();
    assert_eq!(roles.len(), 1);
    let suspended = house.manager.put(&format!("/api/v1/people/{kari}/suspension"), json!(null)).await;
    assert!(suspended.status.is_success(), "{suspended:?}");
    assert_ne!(other.get(&look).await.status, 200);
    controller.stop().await;
}

#[tokio::test]
async fn residents_read_their_own_cards_at_doors_that_they_may_open_where_the_policy_lets_them() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (kari, nora) = (house.phone("kari").await.browser, house.phone("nora").await.browser);
    let (readers, begin) = ("/api/v1/me/readers", "/api/v1/me/card-readings");
    assert_eq!(kari.get(readers).await.json(), json!([]), "cards are the administrators'");
    let of = format!("/api/v1/buildings/{}", house.plan.building);
    let front = reader_at(&house.manager, &format!("{of}/readers"), FRONT).await;
    assert_eq!(kari.post(begin, front.clone()).await.code(), "not_found");

    let path = format!("{of}/policy");
    let mut policy = house.manager.get(&path).await.json();
    policy["policy"]["own_cards"] = json!(true);
    assert_eq!(house.manager.put(&path, policy).await.status, 200);
    let all = kari.get(readers).await.json();
    let doors: Vec<_> = all.as_array().unwrap().iter().map(|one| one["door"].clone()).collect();
    assert_eq!(doors, ["Front", "Gate"], "not the garage, and no desk");
    let garage = json!({ "controller": front["controller"], "reader": GARAGE });
    assert_eq!(kari.post(begin, garage).await.code(), "not_found");
    let desk = json!({ "controller": front["controller"], "reader": DESK });
    assert_eq!(kari.post(begin, desk).await.code(), "not_found");

    let reading = begins(&kari, begin, &front).await;
    controller.windows(1).await;
    controller.present(FRONT, card(12_345)).await;
    let seen = kari.get(&format!("{begin}/{reading}")).await;
    assert_eq!((&seen.json()["state"], &seen.json()["ending"]), (&json!("read"), &json!("2345")));
    // and nothing else: no number, no format, whose it may be
    let told: Vec<_> = seen.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(told, ["ending", "expires_at", "id", "state"]);
    // not another resident's, nor an administrator's
    assert_eq!(nora.get(&format!("{begin}/{reading}")).await.code(), "not_found");
    assert_eq!(house.manager.get(&format!("/api/v1/card-readings/{reading}")).await.code(), "not_found");
    assert_eq!(kari.get(&format!("/api/v1/card-readings/{reading}")).await.code(), "not_found");
    let new = |unit: &str, reading: &str| json!({ "unit": house.plan.unit(unit), "name": "Mine", "reading": reading });
    let stolen = nora.post("/api/v1/me/cards", new("Berg", &reading)).await;
    assert_eq!(field(&stolen), (422, json!("/reading"), json!("not_found")));
    let added = kari.post("/api/v1/me/cards", new("Dahl", &reading)).await;
    assert_eq!((added.status.as_u16(), &added.json()["ending"]), (201, &json!("2345")), "{added:?}");
    until("it opens", || controller.in_force.refusal(house.plan.front, &card(12_345)).is_none()).await;

    // a neighbour's card is nobody else's to add, and is not told
    let reading = begins(&nora, begin, &front).await;
    controller.windows(2).await;
    controller.present(FRONT, card(12_345)).await;
    let seen = nora.get(&format!("{begin}/{reading}")).await.json();
    assert!(seen.get("taken").is_none() && seen.get("holder").is_none(), "{seen}");
    assert_eq!(nora.post("/api/v1/me/cards", new("Berg", &reading)).await.code(), "card_taken");
    assert_eq!(controller.releases.count(), 0);

    // nobody keeps a door from opening for long
    let tries = async {
        while nora.post(begin, front.clone()).await.status == 201 {}
        nora.post(begin, front.clone()).await.code()
    };
    let refused = tokio::time::timeout(Duration::from_secs(20), tries).await.unwrap();
    assert_eq!(refused, "too_many_tries");
    controller.stop().await;
}
