//! A panel becomes one, over HTTP; a controller as far as HTTP goes.

use crate::world::{Browser, World};
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use klinke_server::pairing::{LIFE, ROOM, TicketUse};
use p256::pkcs8::EncodePublicKey;
use serde_json::{Value, json};

fn key(seed: u8) -> (String, Vec<u8>) {
    let secret = p256::SecretKey::from_slice(&[seed; 32]).unwrap();
    let der = secret.public_key().to_public_key_der().unwrap().into_vec();
    (STANDARD.encode(&der), der)
}

async fn open(browser: &Browser, seed: u8) -> Value {
    let answer = browser.post("/api/v1/panel-pairings", json!({ "public_key": key(seed).0 })).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

async fn standing(browser: &Browser, pairing: &Value, secret: &str) -> crate::world::Answer {
    let path = format!("/api/v1/panel-pairings/{}", pairing["pairing"].as_str().unwrap());
    let request = browser.http.get(browser.url(&path)).header("Klinke-Pairing-Secret", secret);
    browser.send(request, Method::GET, &path).await
}

#[tokio::test]
async fn a_panel_is_claimed_by_the_code_that_it_shows() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let panel = world.browser();
    let opened = open(&panel, 1).await;
    let (code, secret) = (opened["code"].as_str().unwrap(), opened["secret"].as_str().unwrap());
    assert_eq!((code.len(), &opened["expires_s"]), (9, &json!(600)));
    assert_eq!(standing(&panel, &opened, secret).await.json(), json!({ "state": "waiting" }));

    let path = format!("/api/v1/buildings/{}/panels", town.building);
    let new = json!({ "code": code, "name": "Entrance A", "entrance": town.entrance, "doors": [town.door] });
    let added = manager.post(&path, new.clone()).await;
    assert_eq!(added.status, 201, "{added:?}");
    let id = added.json()["id"].clone();
    let wanted = json!({ "id": id, "name": "Entrance A", "entrance": town.entrance, "doors": [town.door], "online": false, "paired": true, "door_station": false });
    assert_eq!(added.json(), wanted);
    assert_eq!(standing(&panel, &opened, secret).await.json(), json!({ "state": "claimed", "panel": id }));
    assert_eq!(manager.get(&path).await.json(), json!([wanted]));
    let id = id.as_str().unwrap().parse().unwrap();
    assert_eq!(world.node().store.gate().panel_key(id).await.unwrap().unwrap().public_key, key(1).1);
    assert_eq!(manager.post(&path, new).await.code(), "unknown_code", "a code is claimed once");
}

#[tokio::test]
async fn only_the_panel_itself_is_told() {
    let (world, _) = World::claimed().await;
    let browser = world.browser();
    let (opened, other) = (open(&browser, 1).await, open(&browser, 2).await);
    let unknown = json!({ "pairing": uuid::Uuid::from_u128(1) });
    let secret = opened["secret"].as_str().unwrap();
    let wanted = standing(&browser, &unknown, secret).await;
    assert_eq!((wanted.status.as_u16(), wanted.code().as_str()), (404, "not_found"));
    for wrong in [other["secret"].as_str().unwrap(), "", "x", &"A".repeat(43)] {
        let answer = standing(&browser, &opened, wrong).await;
        assert_eq!((answer.status, &answer.text), (wanted.status, &wanted.text));
    }
}

#[tokio::test]
async fn a_code_that_nobody_claimed_in_time_is_dead() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let panel = world.browser();
    let opened = open(&panel, 1).await;
    world.clock.advance(LIFE);
    assert_eq!(
        standing(&panel, &opened, opened["secret"].as_str().unwrap()).await.json(),
        json!({ "state": "expired" })
    );
    let new = json!({ "code": opened["code"], "name": "Late", "doors": [] });
    let answer = manager.post(&format!("/api/v1/buildings/{}/panels", town.building), new).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "unknown_code"));
}

#[tokio::test]
async fn what_is_not_a_key_is_refused() {
    let (world, _) = World::claimed().await;
    let browser = world.browser();
    let mut off_curve = key(1).1;
    *off_curve.last_mut().unwrap() ^= 1;
    for wrong in ["", "AAAA", "not base64!", &STANDARD.encode(off_curve), &key(1).0[..40]] {
        let answer = browser.post("/api/v1/panel-pairings", json!({ "public_key": wrong })).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "invalid"));
        assert_eq!(answer.json()["errors"], json!([{ "pointer": "/public_key", "code": "not_a_key" }]));
    }
}

#[tokio::test]
async fn an_address_opens_few_pairings_and_there_is_room_for_a_hundred() {
    let (world, _) = World::claimed().await;
    for address in 1..=u8::try_from(ROOM / 10).unwrap() {
        let browser = world.browser_at([127, 0, 1, address]);
        for _ in 0..10 {
            open(&browser, 1).await;
        }
        if usize::from(address) < ROOM / 10 {
            let answer = browser.post("/api/v1/panel-pairings", json!({ "public_key": key(1).0 })).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "too_many_tries"));
            assert!(answer.headers.contains_key("retry-after"));
        }
    }
    let late = world.browser_at([127, 0, 2, 1]);
    let answer = late.post("/api/v1/panel-pairings", json!({ "public_key": key(1).0 })).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "too_many_waiting"));
    world.clock.advance(LIFE);
    open(&late, 1).await;
}

#[tokio::test]
async fn a_panel_that_names_what_is_not_in_the_building_is_not_added_and_its_code_stands() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let neighbours = world.neighbours().await;
    let opened = open(&world.browser(), 1).await;
    let path = format!("/api/v1/buildings/{}/panels", town.building);
    let new = json!({ "code": opened["code"], "name": "", "entrance": neighbours.entrance, "doors": [town.door, neighbours.door, town.door] });
    let answer = manager.post(&path, new).await;
    let wanted = json!([
        { "pointer": "/name", "code": "empty" },
        { "pointer": "/entrance", "code": "not_found" },
        { "pointer": "/doors/1", "code": "not_found" },
        { "pointer": "/doors/2", "code": "taken" },
    ]);
    assert_eq!((answer.status.as_u16(), &answer.json()["errors"]), (422, &wanted));
    let fine = json!({ "code": opened["code"], "name": "A", "doors": [] });
    assert_eq!(manager.post(&path, fine).await.status, 201);
}

#[tokio::test]
async fn a_ticket_makes_a_device_the_panel_once() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let panel = world.browser();
    let first = open(&panel, 1).await;
    let new = json!({ "code": first["code"], "name": "A", "doors": [] });
    let added = manager.post(&format!("/api/v1/buildings/{}/panels", town.building), new).await.json();
    let id = added["id"].as_str().unwrap().parse().unwrap();
    let ticket = world.node().pairings.issue_ticket(town.tenant, id, TicketUse::Once).text();

    let redeem = async |opened: &Value, secret: &Value, ticket: &str| {
        let path = format!("/api/v1/panel-pairings/{}/ticket", opened["pairing"].as_str().unwrap());
        let request =
            panel.http.post(panel.url(&path)).header("klinke-pairing-secret", secret.as_str().unwrap());
        panel.send(request.json(&json!({ "ticket": ticket })), Method::POST, &path).await
    };
    let (second, third) = (open(&panel, 2).await, open(&panel, 3).await);
    assert_eq!(redeem(&second, &third["secret"], &ticket).await.code(), "not_found");
    assert_eq!(redeem(&second, &second["secret"], &"A".repeat(43)).await.code(), "unknown_ticket");
    let redeemed = redeem(&second, &second["secret"], &ticket).await;
    assert_eq!((redeemed.status.as_u16(), redeemed.json()), (200, json!({ "panel": added["id"] })));
    assert_eq!(world.node().store.gate().panel_key(id).await.unwrap().unwrap().public_key, key(2).1);
    assert_eq!(redeem(&third, &third["secret"], &ticket).await.code(), "unknown_ticket");
    assert_eq!(world.node().store.gate().panel_key(id).await.unwrap().unwrap().public_key, key(2).1);
}

#[tokio::test]
async fn a_controller_is_certified_by_the_code_that_it_shows() {
    let (world, manager) = World::claimed().await;
    let town = world.town().await;
    let pair = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&pair).unwrap().pem().unwrap();
    let client = std::net::IpAddr::from([127, 0, 0, 1]).into();
    let (code, mut told) = world.node().pairings.open_controller(client, csr, "1.0".into(), 2).unwrap();
    let path = format!("/api/v1/buildings/{}/controllers", town.building);
    let new = |output: u16| json!({ "code": code.to_string(), "name": "Cellar", "doors": [{ "door": town.door, "output": output }] });

    let answer = manager.post(&path, new(2)).await;
    assert_eq!(answer.json()["errors"], json!([{ "pointer": "/doors/0/output", "code": "out_of_range" }]));
    let added = manager.post(&path, new(1)).await;
    assert_eq!(added.status, 201, "{added:?}");
    let claimed = told.try_recv().unwrap();
    // since when it is away nobody can say: it never was there
    assert_eq!(
        added.json(),
        json!({ "id": claimed.controller, "name": "Cellar", "online": false, "alone_too_long": false })
    );
    assert_eq!(claimed.authority, world.node().authority.pem());
    let sha256 = {
        use rustls::pki_types::pem::PemObject;
        use sha2::Digest;
        let der = rustls::pki_types::CertificateDer::from_pem_slice(claimed.certificate.as_bytes()).unwrap();
        sha2::Sha256::digest(der).into()
    };
    let known = world.node().store.gate().controller(sha256).await.unwrap().unwrap();
    assert_eq!((known.tenant, known.controller), (town.tenant, claimed.controller));
    let door = manager.get(&format!("/api/v1/buildings/{}/doors", town.building)).await.json()[0].clone();
    assert_eq!((&door["controller"], &door["output"]), (&json!(claimed.controller), &json!(1)));
    let how = manager.get("/api/v1/controller-pairing").await.json();
    let address = format!("localhost:{}", world.running.controllers.port());
    assert_eq!(how, json!({ "address": address, "authority_sha256": world.node().authority.fingerprint() }));
}
