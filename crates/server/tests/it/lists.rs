//! Long lists over HTTP: pages follow each other by what the server said, and nothing else is taken for a place in a list.

use crate::world::{Browser, World};
use serde_json::{Value, json};

/// All pages of a list, two rows each.
async fn walked(who: &Browser, path: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = who.get(&format!("{path}limit=2{cursor}")).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() == 2 || page.get("next").is_none());
        rows.extend(items.iter().cloned());
        let Some(next) = page["next"].as_str() else { return rows };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_in_every_order_and_a_place_of_another_order_is_refused() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let building = format!("/api/v1/buildings/{}", town.building);
    let added = json!({ "entrance": town.entrance, "numbers": "9,10,1,200", "doors": [] });
    assert_eq!(manager.post(&format!("{building}/units"), added).await.status, 201);
    let units = walked(&manager, &format!("{building}/units?")).await;
    let numbers: Vec<_> = units.iter().map(|unit| unit["number"].as_str().unwrap()).collect();
    assert_eq!(numbers.len(), 5);
    assert_eq!(numbers[..3], ["1", "9", "10"], "{numbers:?}");
    let mut back = walked(&manager, &format!("{building}/units?sort=-number&")).await;
    back.reverse();
    assert_eq!(back, units);
    for (n, unit) in units.iter().enumerate().rev() {
        // names in the other order than homes
        let new = json!({ "name": format!("Canary {}", 9 - n), "homes": [{ "unit": unit["id"] }] });
        assert_eq!(manager.post("/api/v1/people", new).await.status, 201);
    }
    let of_building = format!("/api/v1/people?building={}&text=canary&", town.building);
    let names = |people: &[Value]| {
        people.iter().filter_map(|person| person["name"].as_str()).map(str::to_owned).collect::<Vec<_>>()
    };
    let by_home = walked(&manager, &format!("{of_building}sort=home&")).await;
    let homes: Vec<_> = by_home.iter().map(|person| person["homes"][0]["number"].as_str().unwrap()).collect();
    assert_eq!(
        homes.iter().filter(|home| ["1", "9", "10", "200"].contains(home)).collect::<Vec<_>>(),
        [&"1", &"9", &"10", &"200"]
    );
    let mut by_name = names(&walked(&manager, &of_building).await);
    assert_eq!(by_name.len(), by_home.len());
    assert_ne!(by_name, names(&by_home));
    by_name.reverse();
    assert_eq!(names(&walked(&manager, &format!("{of_building}sort=-name&")).await), by_name);
    let file =
        manager.get(&format!("/api/v1/people.csv?building={}&text=canary&sort=-home", town.building)).await;
    let first = file.text.lines().nth(1).unwrap();
    assert!(first.starts_with(by_home.last().unwrap()["name"].as_str().unwrap()), "{first}");

    let next = manager.get(&format!("{of_building}sort=home&limit=1")).await.json()["next"].clone();
    let next = next.as_str().unwrap();
    for (path, pointer) in [
        (format!("{of_building}cursor={next}"), "/cursor"),
        (format!("{building}/units?cursor={next}"), "/cursor"),
        (format!("{building}/bells?sort=unit&cursor={next}"), "/cursor"),
        (format!("/api/v1/moves?building={}&cursor={next}", town.building), "/cursor"),
        (format!("{of_building}sort=home&cursor={}", &next[2..]), "/cursor"),
        ("/api/v1/people?sort=home".to_owned(), "/sort"),
        (format!("{of_building}sort=phone"), "/sort"),
        (format!("{building}/units?limit=201"), "/limit"),
        (format!("{building}/bells?limit=0"), "/limit"),
    ] {
        let refused = manager.get(&path).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["errors"][0]["pointer"].clone()),
            (422, json!(pointer)),
            "{path}"
        );
    }
    assert_eq!(manager.get(&format!("{building}/bells?moderation=maybe")).await.code(), "malformed");
}
