//! Records of use, from the tap and the reader to who reads them: in a commercial building that keeps them, and in no other.

use crate::guests::{present, resident};
use crate::support::door::told;
use crate::support::house::House;
use crate::world::Browser;
use klinke_model::ids::{DoorId, JournalId, v4};
use klinke_model::news::{News, NewsEntry, TaggedUse, UseOutcome};
use klinke_model::people::{Role, RoleGrant};
use klinke_model::reason::Reason;
use klinke_model::time::Timestamp;
use klinke_storage::record::NewRole;
use klinke_wire::common::OpeningState;
use klinke_wire::controller::{ControllerEvent, ControllerRequest};
use klinke_wire::panel::PresentedPass;
use serde_json::{Value, json};
use std::time::Duration;

const PURPOSE: &str = "Thefts from the store room";

fn at(house: &House, rest: &str) -> String {
    format!("/api/v1/buildings/{}/records{rest}", house.plan.building)
}

/// Per administers the house too.
async fn second(house: &House) -> Browser {
    let (store, scope, person) = (&house.node().store, house.scope(), house.plan.person("per"));
    let ends_at = Some(house.node().clock.now().plus(Duration::from_hours(24 * 30)));
    let grant = RoleGrant { role: Role::BuildingAdministrator, building: Some(house.plan.building), ends_at };
    let new = NewRole { id: house.node().random.v4(), person, grant };
    assert!(store.people().grant_role(&scope, &house.node().stamp(), new).await.unwrap());
    assert!(store.people().accept_confidentiality(&scope, &house.node().stamp(), person).await.unwrap());
    resident(house, "per").await
}

pub async fn becomes(house: &House, kind: &str) {
    let building = format!("/api/v1/buildings/{}", house.plan.building);
    let version = house.manager.get(&building).await.json()["version"].clone();
    let changed = house.manager.patch(&building, json!({ "version": version, "kind": kind })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
}

/// The house becomes commercial, the manager asks and Per agrees.
pub async fn keeps(house: &House) -> Browser {
    becomes(house, "commercial").await;
    let wish = json!({ "version": 0, "purpose": PURPOSE, "days": 14, "told_on": "2020-01-01" });
    let asked = house.manager.put(&at(house, "/policy"), wish).await;
    assert_eq!(asked.json()["kept"]["state"], "waits_for_second", "{asked:?}");
    let per = second(house).await;
    let version = json!({ "version": asked.json()["version"] });
    let agreed = per.post(&at(house, "/policy/confirm"), version).await;
    assert_eq!(agreed.json()["kept"]["state"], "on", "{agreed:?}");
    per
}

/// The list, once it has so many.
pub async fn listed(house: &House, count: usize) -> Vec<Value> {
    let found = async {
        loop {
            let answer = house.manager.get(&at(house, "")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let items = answer.json()["items"].as_array().unwrap().clone();
            if items.len() == count {
                break items;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found).await.expect("so many records")
}

/// Who was where, and what came of it.
pub fn told_of(record: &Value) -> [String; 5] {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    [
        word(&record["who"]["kind"]),
        word(&record["who"]["name"]),
        word(&record["door"]["name"]),
        word(&record["outcome"]),
        word(&record["reason"]),
    ]
}

#[tokio::test]
async fn an_opening_is_kept_after_its_outcome_and_its_people_see_it_and_who_read_it() {
    let house = House::new().await;
    let controller = house.controller().await;
    let mut kari = house.app("kari").await;
    let open = OpeningState::Open { for_ms: 1_000 };
    assert_eq!(kari.open_door(house.plan.front, None).await, open, "before anything is kept");
    let per = keeps(&house).await;
    assert_eq!(listed(&house, 0).await, Vec::<Value>::new(), "nothing from before");
    assert_eq!(kari.open_door(house.plan.front, None).await, open);
    listed(&house, 1).await;
    kari.open_door(house.plan.boiler, None).await;
    let records = listed(&house, 2).await;
    assert_eq!(told_of(&records[0]), ["person", "kari", "Boiler room", "refused", "no_right"]);
    assert_eq!(told_of(&records[1]), ["person", "kari", "Front", "opened", ""]);
    // a code at the panel is its person's, and a guest's link the guest's
    let guest = json!({ "name": "Cleaner", "doors": [house.plan.front],
        "starts_at": house.node().clock.now().as_millis() - 1_000,
        "ends_at": house.node().clock.now().as_millis() + 3_600_000, "once": false });
    let made = house.manager.post(&format!("/api/v1/buildings/{}/guests", house.plan.building), guest).await;
    assert_eq!(made.status, 201, "{made:?}");
    let mut panel = house.panel().await;
    let digits = made.json()["code"].as_str().unwrap().to_owned();
    let opened = present(&mut panel, PresentedPass::Code { digits }).await.unwrap();
    assert_eq!(opened.1, open);
    let records = listed(&house, 3).await;
    assert_eq!(told_of(&records[0]), ["guest", "Cleaner", "Front", "opened", ""]);

    // herself: her own two, and that they were read; her neighbour nothing
    let browser = resident(&house, "kari").await;
    let mine = browser.get("/api/v1/me/records").await.json();
    assert_eq!(mine["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&mine["items"][1]["building"], &mine["items"][1]["outcome"]),
        (&json!("Storgata 12"), &json!("opened"))
    );
    assert_eq!((&mine["kept"][0]["purpose"], &mine["kept"][0]["days"]), (&json!(PURPOSE), &json!(14)));
    assert_eq!(browser.get("/api/v1/me/data").await.json()["records"].as_array().unwrap().len(), 2);
    let read = browser.get("/api/v1/me/records/readings").await.json();
    assert!(read["items"].as_array().unwrap().len() > 2, "{read}");
    assert_eq!(read["items"][0]["building"], "Storgata 12");
    assert!(
        resident(&house, "linh").await.get("/api/v1/me/records").await.json()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    // a file says what for, in the audit too
    let csv =
        |purpose: &str| at(&house, &format!(".csv?person={}&purpose={purpose}", house.plan.person("kari")));
    assert_eq!(per.get(&csv("short")).await.status, 422);
    let file = per.get(&csv("The%20theft%20on%20Monday")).await;
    assert_eq!(file.status, 200);
    assert_eq!(file.text.matches("kari").count(), 2, "{}", file.text);
    let readings = house.manager.get(&at(&house, "/readings")).await.json();
    let last = &readings["items"][0];
    assert_eq!(
        (&last["file"], &last["purpose"], &last["by"]["name"]),
        (&json!(true), &json!("The theft on Monday"), &json!("per"))
    );
    assert_eq!(last["person"]["name"], "kari");
    let audit = house.manager.get("/api/v1/audit?action=records.read&limit=1").await.json();
    assert_eq!(audit["items"][0]["after"]["purpose"], "The theft on Monday");

    // off: gone in the same moment, and the next opening is not kept
    assert_eq!(house.manager.delete(&at(&house, "/policy")).await.status, 204);
    assert_eq!(kari.open_door(house.plan.front, None).await, open);
    controller.locked().await;
    assert_eq!(browser.get("/api/v1/me/records").await.json(), json!({ "items": [], "kept": [] }));
    controller.stop().await;
}

#[tokio::test]
async fn what_a_controller_tells_by_tags_is_its_peoples_once_and_nobodys_where_nothing_is_kept() {
    let house = House::new().await;
    let card =
        json!({ "person": house.plan.person("kari"), "name": "Card", "kind": "wiegand26", "number": "1-9" });
    let given = house.manager.post(&format!("/api/v1/buildings/{}/cards", house.plan.building), card).await;
    assert_eq!(given.status, 201, "{given:?}");
    let controllers = house.node().store.doors().controllers(&house.scope(), house.plan.building).await;
    let key = house.node().rights.hash_key(house.plan.tenant, controllers.unwrap()[0].id);
    let (kari, linh) = (key.person(house.plan.person("kari")), key.person(house.plan.person("linh")));
    let now = || house.node().clock.now();
    let used = |seq: u64, door: DoorId, person, outcome, at: Timestamp| {
        let what = News::Use(TaggedUse { door, person, outcome });
        NewsEntry { seq, at, trusted: true, what }
    };
    let journal = JournalId(v4([3; 16]));
    let mut mute = house.plan.controller.mute(house.running.controllers).await;
    let mut tell = async |entries: &[NewsEntry]| {
        mute.send(&ControllerRequest::News { journal, entries: entries.to_vec() }).await.unwrap();
        let noted = told(&mut mute).await;
        assert!(matches!(noted, ControllerEvent::Noted { .. }), "{noted:?}");
    };
    let early = used(1, house.plan.front, kari, UseOutcome::Opened, now());
    tell(&[early]).await;
    keeps(&house).await;
    tell(&[early]).await;
    assert_eq!(listed(&house, 0).await, Vec::<Value>::new(), "what was noted while nothing was kept");
    let late = UseOutcome::Refused(Reason::OutsideHours);
    let entries = [
        used(2, house.plan.front, kari, late, now()),
        // nobody with a card, and a tag of another controller's key
        used(3, house.plan.front, linh, UseOutcome::Opened, now()),
        used(4, house.plan.front, klinke_model::news::PersonTag(7), UseOutcome::Opened, now()),
    ];
    for part in [&entries[..1], &entries[..], &entries[..]] {
        tell(part).await;
    }
    let records = listed(&house, 1).await;
    assert_eq!(told_of(&records[0]), ["person", "kari", "Front", "refused", "outside_hours"]);
    // residential again: nothing stays, and nothing more is taken
    becomes(&house, "mixed").await;
    tell(&[used(5, house.plan.front, kari, UseOutcome::Opened, now())]).await;
    becomes(&house, "commercial").await;
    assert_eq!(listed(&house, 0).await, Vec::<Value>::new());
    let policy = house.manager.get(&at(&house, "/policy")).await.json();
    assert_eq!(
        (policy.get("kept"), &policy["needs_second"], &policy["version"]),
        (None, &json!(true), &json!(0))
    );
}

#[tokio::test]
async fn a_wish_is_looked_at_and_a_page_goes_on_unnoticed_by_nobody() {
    let house = House::new().await;
    let policy = at(&house, "/policy");
    let wish = |version: &Value, purpose: &str, days: u8, told_on: &str| json!({ "version": version, "purpose": purpose, "days": days, "told_on": told_on });
    let zero = &json!(0);
    let good = wish(zero, PURPOSE, 14, "2020-01-01");
    assert_eq!(house.manager.put(&policy, good.clone()).await.code(), "not_commercial");
    assert_eq!(house.manager.get(&policy).await.json()["may_keep"], false);
    becomes(&house, "commercial").await;
    for (wrong, pointer) in [
        (wish(zero, "Security", 14, "2020-01-01"), "/purpose"),
        (wish(zero, PURPOSE, 0, "2020-01-01"), "/days"),
        (wish(zero, PURPOSE, 91, "2020-01-01"), "/days"),
        (wish(zero, PURPOSE, 14, "2999-01-01"), "/told_on"),
        (wish(zero, PURPOSE, 14, "yesterday"), "/told_on"),
    ] {
        let answer = house.manager.put(&policy, wrong).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
    let asked = house.manager.put(&policy, good.clone()).await.json();
    assert_eq!(house.manager.put(&policy, good).await.code(), "conflict", "an older version");
    let version = json!({ "version": asked["version"] });
    assert_eq!(house.manager.post(&at(&house, "/policy/confirm"), version).await.code(), "same_person");
    let cursor = at(&house, "?cursor=nonsense");
    assert_eq!(house.manager.get(&cursor).await.status, 422);
    for query in ["?limit=0", "?limit=201", "?from=x"] {
        assert_eq!(house.manager.get(&at(&house, query)).await.status, 422, "{query}");
    }
    assert_eq!(house.manager.get(&at(&house, "/readings?limit=0")).await.status, 422);
    // a resident has nothing to look for here
    let linh = resident(&house, "linh").await;
    for rest in ["", "/policy", "/readings", ".csv?purpose=The%20theft%20on%20Monday"] {
        assert_eq!(linh.get(&at(&house, rest)).await.code(), "not_found", "{rest}");
    }
}
