//! Lists of people over the API.

use crate::support::PATIENCE;
use crate::support::process::Place;
use crate::world::{Answer, Browser, MANAGER, PASSWORD, RESIDENT, World, sign_in};
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn upload(browser: &Browser, building: impl std::fmt::Display, file: Vec<u8>) -> Answer {
    let path = format!("/api/v1/buildings/{building}/imports");
    let request = browser.http.post(browser.url(&path)).header("origin", &browser.base);
    let request = request.header("content-type", "application/octet-stream").body(file);
    browser.send(request, Method::POST, &path).await
}

/// Waits until a list is no longer applied or undone; how it stands then.
pub async fn settled(browser: &Browser, path: &str) -> Value {
    let settling = async {
        loop {
            let told = browser.get(&format!("{path}/progress")).await;
            assert_eq!(told.status, 200, "{told:?}");
            let told = told.json();
            if told["state"] != "applying" && told["state"] != "undoing" {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE * 4, settling).await.unwrap()
}

async fn patch(browser: &Browser, path: &str, body: Value) -> Answer {
    let request = browser.http.patch(browser.url(path)).header("origin", &browser.base).json(&body);
    browser.send(request, Method::PATCH, path).await
}

#[tokio::test]
async fn five_thousand_people_with_fifty_bad_rows_come_in_without_those_or_not_at_all() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let mut csv = String::from("Navn;E-post;Leilighet\n");
    for number in 0..5_000 {
        let unit = if number % 100 == 99 { "NOPE" } else { "H0101" };
        csv += &format!("Person {number};p{number}@klinke.example;{unit}\n");
    }
    let read = upload(&manager, town.building, csv.clone().into_bytes()).await;
    assert_eq!(read.status, 201, "{}", read.text);
    let read = read.json();
    assert_eq!(
        read["counts"],
        json!({ "all": 5_000, "error": 50, "new": 4_950, "changed": 0, "same": 0, "left_out": 0 })
    );
    let path = format!("/api/v1/imports/{}", read["id"].as_str().unwrap());
    let apply = format!("{path}/apply");
    let asked = manager.post(&apply, json!({ "leave_out_errors": false })).await;
    assert_eq!((asked.status.as_u16(), &asked.json()["state"]), (202, &json!("applying")));
    let refused = settled(&manager, &path).await;
    assert_eq!((&refused["state"], &refused["failed"]), (&json!("draft"), &json!("has_errors")));
    let residents = async || {
        let units = manager.get(&format!("/api/v1/buildings/{}/units", town.building)).await.json();
        units["items"][0]["residents"].as_u64().unwrap()
    };
    assert_eq!(residents().await, 1, "nothing half");
    let errors = manager.get(&format!("{path}/errors.csv")).await;
    assert_eq!(errors.status, 200);
    assert_eq!(errors.text.lines().count(), 51);
    assert!(
        errors.text.contains("Person 99;p99@klinke.example;NOPE;Leilighet: The building has no such unit")
    );

    let asked = manager.post(&apply, json!({ "leave_out_errors": true })).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let meanwhile = [
        manager.post(&apply, json!({ "leave_out_errors": true })).await,
        manager.post(&format!("{path}/undo"), json!({})).await,
        patch(&manager, &path, json!({ "leave_out": [1] })).await,
        manager.delete(&path).await,
    ];
    // it takes long enough that none of these comes after its end
    assert_eq!(meanwhile.map(|answer| answer.code()), ["import_under_way"; 4]);
    let applied = settled(&manager, &path).await;
    assert_eq!((&applied["state"], applied.get("failed")), (&json!("applied"), None));
    let list = manager.get(&path).await.json();
    assert_eq!(
        (&list["state"], &list["made_people"], &list["made_homes"]),
        (&json!("applied"), &json!(4_950), &json!(0))
    );
    assert_eq!(list["people"].as_array().unwrap().len(), 200);
    assert_eq!(manager.post(&apply, json!({ "leave_out_errors": true })).await.code(), "import_applied");
    assert_eq!(residents().await, 4_951);
    let again = upload(&manager, town.building, csv.into_bytes()).await.json();
    assert_eq!((&again["counts"]["same"], &again["counts"]["new"]), (&json!(4_950), &json!(0)));
    let undone = manager.post(&format!("{path}/undo"), json!({})).await;
    assert_eq!((undone.status.as_u16(), &undone.json()["state"]), (202, &json!("undoing")));
    let undone = settled(&manager, &path).await;
    assert_eq!((&undone["state"], &undone["kept"]), (&json!("undone"), &json!(0)));
    assert_eq!(manager.get(&path).await.status, 404, "its rows are forgotten");
    assert_eq!(residents().await, 1);
}

#[tokio::test]
async fn a_server_that_is_killed_half_way_leaves_nothing_half_and_says_so() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    drop(manager);
    let World { folder, running, .. } = world;
    running.stop().await;
    let place = Place::new(folder.path(), &folder.path().join("log"), "info");
    let server = place.serve().await;
    let sign_in = async |at| {
        let manager = Browser::at([127, 0, 0, 1], at);
        assert_eq!(manager.post("/api/v1/session", sign_in(MANAGER, PASSWORD)).await.status, 201);
        manager
    };
    let manager = sign_in(server.at).await;
    let mut csv = String::from("Navn;E-post;Leilighet\n");
    (0..3_000).for_each(|number| csv += &format!("Person {number};p{number}@klinke.example;H0101\n"));
    let read = upload(&manager, town.building, csv.into_bytes()).await.json();
    let path = format!("/api/v1/imports/{}", read["id"].as_str().unwrap());
    let apply = format!("{path}/apply");
    assert_eq!(manager.post(&apply, json!({ "leave_out_errors": true })).await.status, 202);
    let half = async {
        loop {
            let told = manager.get(&format!("{path}/progress")).await.json();
            assert_eq!(told["state"], "applying", "it was over before it could be killed: {told}");
            let (written, all) = (told["written"].as_u64().unwrap(), told["all"].as_u64().unwrap());
            if written > 0 {
                break assert!(written < all && all == 6_000, "{told}");
            }
        }
    };
    tokio::time::timeout(PATIENCE, half).await.unwrap();
    server.kill();

    let server = place.serve().await;
    let manager = sign_in(server.at).await;
    let told = settled(&manager, &path).await;
    assert_eq!((&told["state"], &told["failed"]), (&json!("draft"), &json!("interrupted")));
    let residents = async || {
        let units = manager.get(&format!("/api/v1/buildings/{}/units", town.building)).await.json();
        units["items"][0]["residents"].as_u64().unwrap()
    };
    assert_eq!(residents().await, 1, "nothing half");
    assert_eq!(manager.get(&path).await.json()["counts"]["new"], 3_000);
    assert_eq!(manager.post(&apply, json!({ "leave_out_errors": true })).await.status, 202);
    let told = settled(&manager, &path).await;
    assert_eq!((&told["state"], told.get("failed")), (&json!("applied"), None));
    assert_eq!(residents().await, 3_001);
}

#[tokio::test]
async fn homes_that_are_missing_are_made_when_somebody_says_so_and_go_again() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let csv = "Navn;Leilighet\nKari;H0101\nOla;H0201\nPer;h0201\nNora;H0301\n";
    let read = upload(&manager, town.building, csv.into()).await.json();
    let behind = json!([{ "entrance": town.entrance, "name": "A", "count": 2 }]);
    assert_eq!((&read["counts"]["error"], &read["homes"]), (&json!(3), &behind));
    assert_eq!((&read["make_homes"], &read["may_make_homes"]), (&json!(false), &json!(true)));
    let path = format!("/api/v1/imports/{}", read["id"].as_str().unwrap());
    let made = patch(&manager, &path, json!({ "make_homes": true })).await.json();
    assert_eq!(
        (&made["counts"]["new"], &made["homes"], &made["make_homes"]),
        (&json!(4), &behind, &json!(true))
    );
    let units = async || {
        let units = manager.get(&format!("/api/v1/buildings/{}/units", town.building)).await.json();
        let of =
            |unit: &Value| (unit["number"].as_str().unwrap().to_owned(), unit["residents"].as_u64().unwrap());
        units["items"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let before = units().await;
    assert_eq!(
        manager.post(&format!("{path}/apply"), json!({ "leave_out_errors": false })).await.status,
        202
    );
    assert_eq!(settled(&manager, &path).await["state"], "applied");
    let there =
        [("H0101", 2), ("H0201", 2), ("H0301", 1)].map(|(number, people)| (number.to_owned(), people));
    assert_eq!(units().await, there);
    assert_eq!(manager.get(&path).await.json()["made_homes"], 2);
    assert_eq!(manager.post(&format!("{path}/undo"), json!({})).await.status, 202);
    assert_eq!(settled(&manager, &path).await["state"], "undone");
    assert_eq!(units().await, before);
}

#[tokio::test]
async fn rows_are_corrected_left_out_and_paged() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let csv = "Navn;Nr\nKari;H0101\nOla;H0102\nPer;H0101\n";
    let read = upload(&manager, town.building, csv.into()).await.json();
    assert_eq!(read["missing"], json!(["unit"]));
    let path = format!("/api/v1/imports/{}", read["id"].as_str().unwrap());
    let named = patch(&manager, &path, json!({ "columns": ["name", "unit"] })).await.json();
    assert_eq!((&named["counts"]["new"], &named["counts"]["error"]), (&json!(2), &json!(1)));
    let wrong = manager.get(&format!("{path}?status=error")).await;
    assert_eq!(wrong.json()["items"][0]["errors"], json!([{ "column": 1, "code": "unknown_unit" }]));
    let page = manager.get(&format!("{path}?limit=2")).await.json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (2, &json!(2)));
    let fixed = patch(
        &manager,
        &path,
        json!({ "cells": [{ "row": 1, "column": 1, "text": "h0101" }], "leave_out": [2] }),
    )
    .await;
    assert_eq!((&fixed.json()["counts"]["new"], &fixed.json()["counts"]["left_out"]), (&json!(2), &json!(1)));
    for wrong in [
        json!({ "columns": ["name"] }),
        json!({ "columns": ["unit", "unit"] }),
        json!({ "leave_out": [9] }),
        json!({ "cells": [{ "row": 0, "column": 9, "text": "x" }] }),
    ] {
        assert_eq!(patch(&manager, &path, wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(manager.delete(&path).await.status, 204);
    assert_eq!(manager.get(&path).await.status, 404);
}

#[tokio::test]
async fn lists_belong_to_who_administers_the_building_and_bad_files_are_named() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let neighbours = world.neighbours().await;
    let resident = world.browser();
    assert_eq!(resident.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    let csv = || "Navn;Leilighet\nKari;H0101\n".as_bytes().to_vec();
    for (who, building) in [(&manager, neighbours.building), (&resident, town.building)] {
        assert_eq!(upload(who, building, csv()).await.code(), "not_found");
    }
    let read = upload(&manager, town.building, csv()).await.json();
    let path = format!("/api/v1/imports/{}", read["id"].as_str().unwrap());
    assert_eq!(resident.get(&path).await.status, 404);
    assert_eq!(resident.get(&format!("{path}/errors.csv")).await.status, 404);
    assert_eq!(resident.get(&format!("{path}/progress")).await.status, 404);
    assert_eq!(resident.delete(&path).await.status, 404);
    assert_eq!(
        resident.post(&format!("{path}/apply"), json!({ "leave_out_errors": true })).await.status,
        404
    );
    assert_eq!(manager.post(&format!("{path}/undo"), json!({})).await.code(), "import_not_applied");
    for (file, status, code) in [
        (b"PK\x03\x04nothing".to_vec(), 422, "not_a_list"),
        (b"Navn;Leilighet\n".to_vec(), 422, "empty_list"),
        (vec![b'a'; 11 * 1024 * 1024], 413, "too_large"),
    ] {
        let refused = upload(&manager, town.building, file).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code));
    }
}
