//! Cards over the API: given by number and by file, told as they were given, lost and found by those who have them.

use crate::support::house::House;
use crate::world::{Answer, Browser};
use axum::http::Method;
use serde_json::{Value, json};

/// Sends a file of cards.
async fn import(browser: &Browser, house: &House, asked: &str, file: &str) -> Answer {
    let path = format!("/api/v1/buildings/{}/cards/import?{asked}", house.plan.building);
    let request = browser.http.post(browser.url(&path)).header("origin", &browser.base);
    let request = request.header("content-type", "application/octet-stream").body(file.to_owned());
    browser.send(request, Method::POST, "/api/v1/buildings/{building}/cards/import").await
}

async fn own_cards(house: &House, may: bool) {
    let path = format!("/api/v1/buildings/{}/policy", house.plan.building);
    let mut policy = house.manager.get(&path).await.json();
    policy["policy"]["own_cards"] = json!(may);
    assert_eq!(house.manager.put(&path, policy).await.status, 200);
}

fn errors(answer: &Answer) -> Vec<String> {
    let all = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    let one =
        |error: &Value| format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap());
    all.iter().map(one).collect()
}

#[tokio::test]
async fn a_card_is_given_by_its_number_and_told_as_it_was_given() {
    let house = House::new().await;
    let cards = format!("/api/v1/buildings/{}/cards", house.plan.building);
    let (emil, nora) = (house.plan.person("emil"), house.plan.person("nora"));
    let new = |person, kind: &str, number: &str| json!({ "person": person, "name": "Blue", "kind": kind, "number": number });
    let made = house.manager.post(&cards, new(emil, "serial", "04a22b1c556080")).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let told = (&made["kind"], &made["number"], &made["tier"], &made["version"]);
    assert_eq!(told, (&json!("serial"), &json!("04:A2:2B:1C:55:60:80"), &json!("identifier"), &json!(1)));
    assert_eq!((&made["holder"]["id"], &made["holder"]["homes"]), (&json!(emil), &json!(["H0102"])));
    assert!(made.get("blocked_by").is_none());
    // facility and number, and the same bits typed as they come: told each as it was given
    for (kind, number, told) in
        [("wiegand26", "0008376543", "127-53471"), ("bits", "26:3F E8 6F 40", "26:3FE86F40")]
    {
        let made = house.manager.post(&cards, new(nora, kind, number)).await.json();
        assert_eq!((&made["kind"], &made["number"]), (&json!(kind), &json!(told)), "{made}");
    }
    let taken = house.manager.post(&cards, new(nora, "bits", "26:3FE86F80")).await;
    assert_eq!(
        (taken.status.as_u16(), taken.code().as_str()),
        (409, "card_taken"),
        "the bits are the card, not the view"
    );
    assert_eq!(taken.json()["current"]["number"], "127-53471");
    for (kind, number, wrong) in [
        ("serial", "04a2", "/number wrong_length"),
        ("serial", "04a2zz11", "/number not_hexadecimal"),
        ("serial", "08a22b1c", "/number changes_each_time"),
        ("wiegand26", "53471", "/number not_two_numbers"),
        ("wiegand26", "256-1", "/number out_of_range"),
    ] {
        assert_eq!(
            errors(&house.manager.post(&cards, new(nora, kind, number)).await),
            [wrong],
            "{kind} {number}"
        );
    }
    let stranger =
        house.manager.post(&cards, new(klinke_model::ids::v4([9; 16]).into(), "serial", "04112233")).await;
    assert_eq!(errors(&stranger), ["/person not_found"]);

    let found = async |asked: &str| {
        house.manager.get(&format!("{cards}?{asked}")).await.json()["items"].as_array().unwrap().len()
    };
    assert_eq!((found("text=emil").await, found("text=h0102").await, found("blocked=true").await), (1, 3, 0));
    let first = house.manager.get(&format!("{cards}?limit=1")).await.json();
    let next = first["next"].as_str().unwrap();
    let second = house.manager.get(&format!("{cards}?limit=2&cursor={next}")).await.json();
    assert_eq!((second["items"].as_array().unwrap().len(), second.get("next")), (2, None));
    assert_eq!(house.manager.get(&format!("{cards}?cursor=odd")).await.code(), "invalid");

    let card = format!("/api/v1/cards/{}", made["id"].as_str().unwrap());
    let blocked =
        house.manager.patch(&card, json!({ "version": 1, "blocked": true, "tier": "proven" })).await.json();
    assert_eq!(
        (&blocked["blocked_by"], &blocked["tier"], &blocked["version"]),
        (&json!("administrator"), &json!("proven"), &json!(2))
    );
    let late = house.manager.patch(&card, json!({ "version": 1, "name": "Late" })).await;
    assert_eq!((late.code().as_str(), &late.json()["current"]["version"]), ("conflict", &json!(2)));
    let of_person = house.manager.get(&format!("/api/v1/people/{emil}/cards")).await.json();
    assert_eq!(of_person, json!([blocked]));
    let given = house.manager.patch(&card, json!({ "version": 2, "person": nora })).await.json();
    assert_eq!(given["holder"]["id"], json!(nora));
    assert_eq!(house.manager.delete(&card).await.status, 204);
    assert_eq!(house.manager.delete(&card).await.code(), "not_found");
}

#[tokio::test]
async fn a_lost_card_is_blocked_by_who_has_it_and_its_number_stays_with_administrators() {
    let house = House::new().await;
    let cards = format!("/api/v1/buildings/{}/cards", house.plan.building);
    let emil = house.phone("emil").await;
    let new = json!({ "person": house.plan.person("emil"), "name": "Blue", "kind": "serial", "number": "04A22B1C556080" });
    let made = house.manager.post(&cards, new).await.json();
    let mine = emil.browser.get("/api/v1/me/cards").await;
    for part in ["04:A2", "04A2", "2B:1C", "wiegand", "serial"] {
        assert!(!mine.text.contains(part), "{part} is told: {}", mine.text);
    }
    let mine = mine.json();
    let one = &mine["items"][0];
    assert_eq!((&one["name"], &one["ending"], &one["you"]), (&json!("Blue"), &json!("6080"), &json!(true)));
    assert_eq!(mine["homes"], json!([]), "the policy leaves cards to administrators");

    let address = format!("/api/v1/me/cards/{}", one["id"].as_str().unwrap());
    let lost = emil.browser.patch(&address, json!({ "version": 1, "blocked": true })).await.json();
    assert_eq!(lost["blocked_by"], "holder");
    let seen = house.manager.get(&format!("{cards}?blocked=true")).await.json();
    assert_eq!(seen["items"][0]["blocked_by"], "holder");
    assert_eq!(
        emil.browser.patch(&address, json!({ "version": 1, "blocked": false })).await.code(),
        "conflict"
    );
    let found = emil.browser.patch(&address, json!({ "version": 2, "blocked": false })).await.json();
    assert!(found.get("blocked_by").is_none());
    // what an administrator blocked they let in again
    let card = format!("/api/v1/cards/{}", made["id"].as_str().unwrap());
    assert_eq!(house.manager.patch(&card, json!({ "version": 3, "blocked": true })).await.status, 200);
    let refused = emil.browser.patch(&address, json!({ "version": 4, "blocked": false })).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "decided_by_administrator"));
    // it is kept, and told to whom it is about
    let kept = emil.browser.get("/api/v1/me/data").await.json();
    assert_eq!(kept["cards"][0]["name"], "Blue");
    assert_eq!((&kept["cards"][0]["ending"], &kept["cards"][0]["blocked"]), (&json!("6080"), &json!(true)));
    // nobody else's
    let kari = house.phone("kari").await;
    assert_eq!(kari.browser.get("/api/v1/me/cards").await.json()["items"], json!([]));
    assert_eq!(
        kari.browser.patch(&address, json!({ "version": 4, "blocked": true })).await.code(),
        "not_found"
    );
}

#[tokio::test]
async fn residents_add_cards_where_they_may() {
    let house = House::new().await;
    let (kari, nora) = (house.phone("kari").await, house.phone("nora").await);
    let (unit, home) = (house.plan.unit("Dahl"), house.plan.unit("Berg"));
    let new =
        |unit, number: &str| json!({ "unit": unit, "name": "Mine", "kind": "wiegand26", "number": number });
    let refused = kari.browser.post("/api/v1/me/cards", new(unit, "1-1")).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "decided_by_administrator"));
    own_cards(&house, true).await;
    let made = kari.browser.post("/api/v1/me/cards", new(unit, "1-1")).await;
    assert_eq!((made.status.as_u16(), &made.json()["tier"]), (201, &json!("identifier")));
    let taken = nora.browser.post("/api/v1/me/cards", new(home, "1-1")).await;
    assert_eq!(
        (taken.code().as_str(), taken.json().get("current")),
        ("card_taken", None),
        "whose is not told"
    );
    assert_eq!(kari.browser.post("/api/v1/me/cards", new(home, "1-2")).await.code(), "not_found");
    // whether a number is taken is not to be found out one after the other
    for _ in 0..5 {
        assert_eq!(nora.browser.post("/api/v1/me/cards", new(home, "1-1")).await.code(), "card_taken");
    }
    let again = nora.browser.post("/api/v1/me/cards", new(home, "1-1")).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (429, "too_many_tries"));
}

#[tokio::test]
async fn a_file_of_cards_is_looked_at_and_then_given() {
    let house = House::new().await;
    let cards = format!("/api/v1/buildings/{}/cards", house.plan.building);
    let new =
        json!({ "person": house.plan.person("kari"), "name": "Blue", "kind": "wiegand26", "number": "1-1" });
    assert_eq!(house.manager.post(&cards, new).await.status, 201);
    let file = "Leilighet;Navn;Kortnummer\nH0101;kari;1-1\nH0102;nora;1-2\nH0102;emil;1-1\nH0102;Ukjent;1-3\nH0101;kari;99999\n";
    let looked = import(&house.manager, &house, "name=Brikke&kind=wiegand26", file).await;
    assert_eq!(looked.status, 200, "{looked:?}");
    let looked = looked.json();
    let rows: Vec<_> =
        looked["rows"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(rows, ["same", "new", "taken", "person_unknown", "not_a_number"]);
    assert_eq!((&looked["new"], &looked["same"], &looked["wrong"]), (&json!(1), &json!(1), &json!(3)));
    assert_eq!((&looked["rows"][4]["wrong"], looked.get("given")), (&json!("not_two_numbers"), None));
    let count = async || house.manager.get(&cards).await.json()["items"].as_array().unwrap().len();
    assert_eq!(count().await, 1, "it was only looked at");
    let given = import(&house.manager, &house, "name=Brikke&kind=wiegand26&apply=true", file).await.json();
    assert_eq!((&given["given"], count().await), (&json!(1), 2));
    let again = import(&house.manager, &house, "name=Brikke&kind=wiegand26&apply=true", file).await.json();
    assert_eq!((&again["given"], &again["same"], count().await), (&json!(0), &json!(2), 2));

    let refused = async |asked: &str, file: &str| import(&house.manager, &house, asked, file).await;
    assert_eq!(
        errors(&refused("name=x", "Navn;Notat\nkari;x\n").await),
        ["/columns/number required", "/columns/person required"]
    );
    assert_eq!(errors(&refused("name=%20", file).await), ["/name empty"]);
    assert_eq!(refused("name=x", "").await.code(), "empty_list");
    let many = format!("E-post;Kort\n{}", "a@example.org;1-1\n".repeat(5_001));
    assert_eq!(refused("name=x", &many).await.code(), "too_many_card_rows");
    let emil = house.phone("emil").await;
    assert_eq!(import(&emil.browser, &house, "name=x", file).await.code(), "not_found");
}
