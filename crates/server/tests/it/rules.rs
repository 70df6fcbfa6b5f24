//! Access rules: written through the API, obeyed by an opening, and told by "why".

use crate::support::app::App;
use crate::support::house::House;
use crate::world::World;
use klinke_access::zone::{Zone, weekday};
use klinke_model::ids::{PersonId, v4};
use klinke_model::rule::{AccessRule, NamedSchedule, Which, Who};
use klinke_model::schedule::Schedule;
use klinke_model::timetable::Hours;
use klinke_storage::record::{Edited, RuleMade};
use klinke_wire::app::DoorHours;
use klinke_wire::common::{OpeningState, RefusalCode};
use serde_json::{Value, json};

/// The resident of the world's town.
fn resident() -> PersonId {
    PersonId(v4([7; 16]))
}

/// UTC milliseconds of a moment.
fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

#[tokio::test]
async fn why_tells_one_reason_and_every_right_at_any_moment() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let house = format!("/api/v1/buildings/{}", town.building);
    let why = async |when: Option<&str>| -> Value {
        let mut asked = json!({ "person": resident(), "door": town.door });
        if let Some(when) = when {
            asked["at"] = json!(at(when));
        }
        manager.post(&format!("{house}/why"), asked).await.json()
    };
    let told = why(None).await;
    assert_eq!(
        (&told["opens"], &told["reason"], &told["rights"]),
        (&json!(false), &json!("no_right"), &json!([]))
    );

    let hours = json!({ "hours": [{ "days": [0, 1, 2, 3, 4], "from": 360, "until": 1320 }],
        "holidays": { "are": "closed" }, "exceptions": [] });
    let schedule =
        manager.post(&format!("{house}/schedules"), json!({ "name": "Day", "schedule": hours })).await.json();
    let rule = manager
        .post(
            &format!("{house}/rules"),
            json!({ "name": "Residents", "who": [{ "who": "everybody" }], "doors": [{ "which": "all_doors" }],
                "when": { "schedule": schedule["id"], "first_day": "2026-11-02", "last_day": "2027-05-14" } }),
        )
        .await
        .json();
    assert_eq!((&rule["version"], &rule["notes"]), (&json!(1), &json!([])), "{rule}");
    // Friday 20 November 2026 in Oslo, one hour ahead; 14 May 2027 is not a holiday, 6 May (Ascension) is
    let rows = [
        ("2026-11-20T05:00:00Z", None),
        ("2026-11-20T04:59:59Z", Some("outside_hours")),
        ("2026-11-21T10:00:00Z", Some("outside_hours")),
        ("2026-11-01T10:00:00Z", Some("right_not_yet")),
        ("2026-11-01T23:00:00Z", Some("outside_hours")),
        ("2027-05-06T10:00:00Z", None),
        ("2027-05-14T19:59:59Z", None),
        ("2027-05-14T22:00:00Z", Some("right_over")),
    ];
    for (when, reason) in rows {
        let told = why(Some(when)).await;
        assert_eq!(told["reason"].as_str(), reason, "{when}: {told}");
        assert_eq!(told["opens"], json!(reason.is_none()), "{when}");
        let standing = reason.map_or("in_force", |reason| reason.trim_start_matches("right_"));
        let right = &told["rights"][0];
        assert_eq!(
            (&right["name"], right["standing"].as_str()),
            (&json!("Residents"), Some(standing)),
            "{when}"
        );
        assert_eq!(right["hours"], "Day");
    }
    // the building's holidays close it
    let building = manager.get(&house).await.json();
    let change = json!({ "version": building["version"], "holidays": "norway" });
    assert_eq!(manager.patch(&house, change).await.json()["building"]["holidays"], "norway");
    assert_eq!(why(Some("2027-05-06T10:00:00Z")).await["reason"], "outside_hours");
    let week = manager
        .get(&format!("/api/v1/schedules/{}/week?from=2027-05-03", schedule["id"].as_str().unwrap()))
        .await
        .json();
    let days: Vec<_> = week["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| (day["holiday"] == true, day["spans"].as_array().unwrap().len()))
        .collect();
    let open = (false, 1);
    assert_eq!(days, [open, open, open, (true, 0), open, (false, 0), (false, 0)], "{week}");
    assert_eq!(week["days"][3]["holiday_name"], "ascension");
    // who has no name here, and what is not in the building
    for wrong in [
        json!({ "person": v4([9; 16]), "door": town.door }),
        json!({ "person": resident(), "door": v4([9; 16]) }),
    ] {
        assert_eq!(manager.post(&format!("{house}/why"), wrong).await.code(), "invalid");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_rule_is_named_and_who_came_first_wins() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let house = format!("/api/v1/buildings/{}", town.building);
    let errors = async |path: &str, body: Value| {
        let answer = manager.post(&format!("{house}/{path}"), body).await;
        assert_eq!(answer.status.as_u16(), 422, "{path}");
        let all = answer.json()["errors"].as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|one| format!("{} {}", one["pointer"].as_str().unwrap(), one["code"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let nothing = json!({ "name": " ", "who": [], "doors": [], "when": { "first_day": "x", "last_day": "2026-13-01" } });
    assert_eq!(
        errors("rules", nothing).await,
        [
            "/name empty",
            "/when/first_day not_a_day",
            "/when/last_day not_a_day",
            "/who required",
            "/doors required"
        ]
    );
    let whom = |id: Value| json!({ "name": "R", "who": [{ "who": "person", "id": id }], "doors": [{ "which": "all_doors" }] });
    assert_eq!(errors("rules", whom(json!(v4([9; 16])))).await, ["/who not_found"]);
    let backwards = json!({ "name": "R", "who": [{ "who": "everybody" }], "doors": [{ "which": "all_doors" }],
        "when": { "first_day": "2026-11-02", "last_day": "2026-11-01" } });
    assert_eq!(errors("rules", backwards).await, ["/when/last_day ends_first"]);
    let hours = |until: i64| {
        json!({ "name": "S", "schedule": { "hours": [{ "days": [0], "from": 0, "until": until }],
        "holidays": { "are": "as_usual" }, "exceptions": [] } })
    };
    assert_eq!(errors("schedules", hours(1441)).await, ["/schedule/hours/0 out_of_range"]);

    let schedule = manager.post(&format!("{house}/schedules"), hours(60)).await.json();
    let rule = manager.post(&format!("{house}/rules"), whom(json!(resident()))).await.json();
    let (rule_at, schedule_at) = (
        format!("/api/v1/rules/{}", rule["id"].as_str().unwrap()),
        format!("/api/v1/schedules/{}", schedule["id"].as_str().unwrap()),
    );
    let when = json!({ "version": 1, "when": { "schedule": schedule["id"] } });
    let changed = manager.patch(&rule_at, when.clone()).await.json();
    assert_eq!((&changed["version"], &changed["name"]), (&json!(2), &json!("R")));
    let late = manager.patch(&rule_at, when).await;
    assert_eq!((late.status.as_u16(), &late.json()["current"]["version"]), (409, &json!(2)));
    let used = manager.delete(&schedule_at).await;
    assert_eq!((used.code().as_str(), &used.json()["current"]["rules"]), ("in_use", &json!(1)));
    assert_eq!(manager.delete(&rule_at).await.status, 204);
    assert_eq!(manager.delete(&schedule_at).await.status, 204);
    assert_eq!(manager.delete(&rule_at).await.code(), "not_found");
}

async fn tries(app: &mut App, door: klinke_model::ids::DoorId) -> OpeningState {
    app.open_door(door, None).await
}

/// What an app was told of when a door opens for it.
fn hours_of(app: &App, door: klinke_model::ids::DoorId) -> Option<Vec<DoorHours>> {
    app.doors.iter().find(|listed| listed.door == door).unwrap().hours.clone()
}

/// A schedule of one day of the week, and when that day is: the day after tomorrow.
struct Soon {
    schedule: klinke_model::ids::ScheduleId,
    hours: DoorHours,
}

async fn soon(house: &House) -> Soon {
    let zone = Zone::named("Europe/Oslo").unwrap();
    let day = zone.wall(house.node().clock.now()).unwrap().day + 2;
    let schedule = NamedSchedule {
        id: v4([3; 16]).into(),
        building: house.plan.building,
        name: crate::world::label("Soon"),
        schedule: Schedule {
            hours: vec![Hours { days: vec![weekday(day)], from: 0, until: 1_440 }],
            ..Schedule::default()
        },
    };
    let hours = DoorHours { from: zone.start_of(day).unwrap(), until: zone.start_of(day + 1).unwrap() };
    let soon = Soon { schedule: schedule.id, hours };
    assert!(
        house
            .node()
            .store
            .rules()
            .insert_schedule(&house.scope(), &house.node().stamp(), schedule)
            .await
            .unwrap()
    );
    soon
}

#[tokio::test]
async fn an_opening_obeys_the_rule_of_this_moment() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (scope, stamp, boiler) = (house.scope(), house.node().stamp(), house.plan.boiler);
    let rules = house.node().store.rules();
    let mut ingrid = house.app("ingrid").await;
    let refused = |reason| OpeningState::Refused { reason };
    assert_eq!(tries(&mut ingrid, boiler).await, refused(RefusalCode::NotAllowed));

    let rule = AccessRule {
        id: v4([1; 16]).into(),
        building: house.plan.building,
        name: crate::world::label("Boiler"),
        who: vec![Who::Person(house.plan.person("ingrid"))],
        doors: vec![Which::Door(boiler)],
        schedule: None,
        first_day: None,
        last_day: None,
        active: true,
    };
    assert_eq!(rules.insert_rule(&scope, &stamp, rule.clone()).await.unwrap(), RuleMade::Done);
    assert_eq!(tries(&mut ingrid, boiler).await, OpeningState::Open { for_ms: 1_000 });
    assert_eq!(controller.releases.of(3), 1);
    // who needs longer gets the door's longer time
    let people = house.node().store.people();
    let known = people.person(&scope, house.plan.person("ingrid")).await.unwrap().unwrap();
    let slow = klinke_model::people::Person { needs_longer: true, ..known };
    people.change_person(&scope, &house.node().stamp(), slow).await.unwrap();
    assert_eq!(tries(&mut ingrid, boiler).await, OpeningState::Open { for_ms: 20_000 });
    let mut per = house.app("per").await;
    assert_eq!(tries(&mut per, boiler).await, refused(RefusalCode::NotAllowed), "the rule names one of them");
    // opened anew, the app has the door
    let again = house.app("ingrid").await;
    assert_eq!(hours_of(&again, boiler), None, "at any time");

    let never = NamedSchedule {
        id: v4([2; 16]).into(),
        building: house.plan.building,
        name: crate::world::label("Never"),
        schedule: Schedule::default(),
    };
    assert!(rules.insert_schedule(&scope, &stamp, never.clone()).await.unwrap());
    let releases = controller.releases.of(3);
    let change = async |version, wanted| {
        let done = rules.change_rule(&scope, &house.node().stamp(), version, wanted).await.unwrap();
        assert!(matches!(done, Edited::Done(_)));
    };
    change(1, AccessRule { schedule: Some(never.id), ..rule.clone() }).await;
    assert_eq!(tries(&mut ingrid, boiler).await, refused(RefusalCode::OutsideHours));
    assert_eq!(hours_of(&house.app("ingrid").await, boiler), Some(vec![]), "never");
    let day = soon(&house).await;
    change(2, AccessRule { schedule: Some(day.schedule), ..rule.clone() }).await;
    assert_eq!(tries(&mut ingrid, boiler).await, refused(RefusalCode::OutsideHours));
    assert_eq!(hours_of(&house.app("ingrid").await, boiler), Some(vec![day.hours]));
    change(3, AccessRule { last_day: Some(0), ..rule.clone() }).await;
    assert_eq!(tries(&mut ingrid, boiler).await, refused(RefusalCode::RightOver));
    change(4, AccessRule { first_day: Some(1_000_000), ..rule.clone() }).await;
    assert_eq!(tries(&mut ingrid, boiler).await, refused(RefusalCode::RightNotYet));
    change(5, AccessRule { active: false, ..rule }).await;
    assert_eq!(tries(&mut ingrid, boiler).await, refused(RefusalCode::NotAllowed));
    assert_eq!(controller.releases.of(3), releases);
    controller.stop().await;
}

#[tokio::test]
async fn groups_are_named_by_rules_and_told_by_why() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let house = format!("/api/v1/buildings/{}", town.building);
    let people = json!({ "name": "Cleaners", "members": [resident(), resident()] });
    let people = manager.post(&format!("{house}/people-groups"), people).await.json();
    assert_eq!(people["members"].as_array().unwrap().len(), 1, "{people}");
    let doors = json!({ "name": "Cellars", "doors": [town.door] });
    let doors = manager.post(&format!("{house}/door-groups"), doors).await.json();
    let rule = json!({ "name": "Cleaning", "who": [{ "who": "group", "id": people["id"] }],
        "doors": [{ "which": "group", "id": doors["id"] }] });
    let made = manager.post(&format!("{house}/rules"), rule.clone()).await.json();
    assert_eq!(
        made["who"],
        json!([{ "who": "group", "id": people["id"], "name": "Cleaners", "members": 1 }])
    );
    assert_eq!(made["doors"], json!([{ "which": "group", "id": doors["id"] }]));
    assert_eq!(made["notes"], json!([]));
    let why = async || {
        let asked = json!({ "person": resident(), "door": town.door });
        manager.post(&format!("{house}/why"), asked).await.json()
    };
    let told = why().await;
    assert_eq!(
        (&told["opens"], &told["rights"][0]["groups"]),
        (&json!(true), &json!(["Cleaners", "Cellars"])),
        "{told}"
    );

    // in use: nothing is lost by a slip
    let (of_people, of_doors) = (
        format!("/api/v1/people-groups/{}", people["id"].as_str().unwrap()),
        format!("/api/v1/door-groups/{}", doors["id"].as_str().unwrap()),
    );
    for path in [&of_people, &of_doors] {
        let refused = manager.delete(path).await;
        assert_eq!((refused.code(), refused.json()["current"]["rules"].clone()), ("in_use".into(), json!(1)));
    }
    let emptied = manager.patch(&of_people, json!({ "version": 1, "members": [] })).await.json();
    assert_eq!((&emptied["version"], &emptied["members"]), (&json!(2), &json!([])));
    let late = manager.patch(&of_people, json!({ "version": 1, "name": "Late" })).await;
    assert_eq!((late.code(), late.json()["current"]["version"].clone()), ("conflict".into(), json!(2)));
    assert_eq!(why().await["reason"], "no_right");
    let rules = manager.get(&format!("{house}/rules")).await.json();
    assert_eq!(rules[0]["notes"], json!(["nobody"]));
    assert_eq!(
        manager.delete(&format!("/api/v1/rules/{}", made["id"].as_str().unwrap())).await.status.as_u16(),
        204
    );
    for path in [&of_people, &of_doors] {
        assert_eq!(manager.delete(path).await.status.as_u16(), 204);
    }
    // what is gone, or never was of this building
    assert_eq!(manager.post(&format!("{house}/rules"), rule).await.code(), "invalid");
    let strange = json!({ "name": "Group", "members": [v4([9; 16])] });
    assert_eq!(manager.post(&format!("{house}/people-groups"), strange).await.code(), "invalid");
    let strange = json!({ "name": "Group", "doors": [v4([9; 16])] });
    assert_eq!(manager.post(&format!("{house}/door-groups"), strange).await.code(), "invalid");
}

#[tokio::test]
async fn a_floor_is_in_no_airlock_and_before_no_door() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let new = json!({ "name": "Fourth floor", "everybody": true, "kind": "floor" });
    let floor = manager.post(&format!("/api/v1/buildings/{}/doors", town.building), new).await.json();
    assert_eq!(floor["kind"], "floor");
    let plain = json!({ "refuses_copyable": false, "first_person_in": false });
    let set = async |door: &str, field: &str, value: Value| {
        let mut settings = plain.clone();
        settings[field] = value;
        let change = json!({ "version": 1, "settings": settings });
        manager.put(&format!("/api/v1/doors/{door}/settings"), change).await
    };
    let id = floor["id"].as_str().unwrap();
    assert_eq!(set(id, "airlock", json!(1)).await.code(), "invalid");
    let after = json!({ "door": id, "within_s": 30 });
    assert_eq!(set(&town.door.to_string(), "after", after).await.code(), "invalid");
    assert_eq!(set(id, "two_people_within_s", json!(30)).await.status.as_u16(), 200);
}
