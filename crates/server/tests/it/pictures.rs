//! Pictures on buttons: sent by residents and administrators, made small, and given to who sees the button.

use crate::support::house::House;
use crate::support::panel::{Panel, PanelKey};
use crate::support::socket::Socket;
use crate::world::{Answer, Browser};
use axum::http::Method;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use klinke_model::ids::{BellId, PictureId};
use klinke_wire::panel::{Directory, PanelEvent};
use serde_json::{Value, json};
use std::io::Cursor;

fn picture(format: ImageFormat) -> Vec<u8> {
    let drawn =
        RgbImage::from_fn(300, 200, |x, _| if x < 150 { Rgb([200, 20, 20]) } else { Rgb([20, 20, 200]) });
    let mut written = Cursor::new(Vec::new());
    DynamicImage::from(drawn).write_to(&mut written, format).unwrap();
    written.into_inner()
}

async fn send(browser: &Browser, path: &str, file: Vec<u8>) -> Answer {
    let request = browser.http.put(browser.url(path)).header("origin", &browser.base);
    let request = request.header("content-type", "application/octet-stream").body(file);
    browser.send(request, Method::PUT, path).await
}

fn mine(bell: BellId) -> String {
    format!("/api/v1/me/bells/{bell}/picture")
}

async fn policy(house: &House, sentence: &str, value: Value) {
    let path = format!("/api/v1/buildings/{}/policy", house.plan.building);
    let mut policy = house.manager.get(&path).await.json();
    policy["policy"][sentence] = value;
    let set = house.manager.put(&path, policy).await;
    assert_eq!(set.status, 200, "{set:?}");
}

fn on(directory: &Directory, bell: BellId) -> Option<PictureId> {
    directory.bells.iter().find(|one| one.bell == bell).and_then(|one| one.picture)
}

/// Asks for a picture with a cookie and nothing else.
async fn fetch(house: &House, cookie: &str, picture: PictureId) -> reqwest::Response {
    let browser = Browser::at([127, 0, 0, 1], house.at());
    let request = browser.http.get(browser.url(&format!("/api/v1/pictures/{picture}")));
    request.header("cookie", cookie).send().await.unwrap()
}

fn cookie(panel: &Panel) -> String {
    panel.socket.cookie.as_ref().unwrap().split(';').next().unwrap().to_owned()
}

async fn moderate(house: &House, bell: BellId, verdict: &str, reason: Option<&str>) -> Answer {
    let path = format!("/api/v1/buildings/{}/bells", house.plan.building);
    let bells = house.manager.get(&path).await.json();
    let found =
        bells["items"].as_array().unwrap().iter().find(|row| row["id"] == json!(bell)).unwrap().clone();
    let mut look = json!({ "version": found["version"], "verdict": verdict });
    if let Some(reason) = reason {
        look["reason"] = reason.into();
    }
    house.manager.post(&format!("/api/v1/bells/{bell}/moderation"), look).await
}

#[tokio::test]
async fn a_picture_is_on_the_panel_at_once_and_seen_by_it_and_nobody_else() {
    let house = House::new().await;
    let (dahl, kari, nora) = (house.plan.bell("Dahl"), house.phone("kari").await, house.phone("nora").await);
    let refused = send(&kari.browser, &mine(dahl), picture(ImageFormat::Png)).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "decided_by_administrator"));
    policy(&house, "pictures", json!(true)).await;
    let (mut panel, gate) = (house.panel().await, house.gate_panel().await);
    let put = send(&kari.browser, &mine(dahl), picture(ImageFormat::Png)).await;
    assert_eq!((put.status.as_u16(), &put.json()["picture"]["state"]), (200, &json!("new")), "{put:?}");
    let directory = panel.shows("the picture", |directory| on(directory, dahl).is_some()).await;
    let id = on(&directory, dahl).unwrap();

    let given = fetch(&house, &cookie(&panel), id).await;
    assert_eq!(given.status(), 200);
    assert_eq!(given.headers()["content-type"], "image/jpeg");
    assert_eq!(given.headers()["x-content-type-options"], "nosniff");
    assert!(given.headers()["cache-control"].to_str().unwrap().starts_with("private, max-age="));
    let tag = given.headers()["etag"].clone();
    let seen = image::load_from_memory_with_format(&given.bytes().await.unwrap(), ImageFormat::Jpeg).unwrap();
    assert_eq!((seen.width(), seen.height()), (320, 320));
    let again = kari.browser.http.get(kari.browser.url(&format!("/api/v1/pictures/{id}")));
    assert_eq!(again.header("if-none-match", tag).send().await.unwrap().status(), 304);

    // nobody, another panel, another resident, a panel that did not prove itself
    assert_eq!(fetch(&house, "", id).await.status(), 401);
    assert_eq!(fetch(&house, &cookie(&gate), id).await.status(), 404);
    assert_eq!(nora.browser.get(&format!("/api/v1/pictures/{id}")).await.status, 404);
    let given =
        house.manager.http.get(house.manager.url(&format!("/api/v1/pictures/{id}"))).send().await.unwrap();
    assert_eq!(given.status(), 200);
    let (socket, _) = PanelKey::challenged(house.at()).await;
    let unproven = socket.cookie.as_ref().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(fetch(&house, &unproven, id).await.status(), 401);
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(socket.cookie.as_ref().unwrap().contains(attribute), "{attribute}");
    }
    // one's own data tells of it
    let kept = kari.browser.get("/api/v1/me/data").await;
    assert!(kept.text.contains(&id.to_string()));
    house.running.stop().await;
}

#[tokio::test]
async fn a_panels_cookie_stands_for_it_as_long_as_it_has_its_key() {
    let house = House::new().await;
    policy(&house, "pictures", json!(true)).await;
    let dahl = house.plan.bell("Dahl");
    let put =
        send(&house.manager, &format!("/api/v1/bells/{dahl}/picture"), picture(ImageFormat::Jpeg)).await;
    assert_eq!((put.status.as_u16(), &put.json()["picture"]["state"]), (200, &json!("seen")), "{put:?}");
    let panel = house.panel().await;
    let (id, sent) = (on(&panel.directory, dahl).unwrap(), cookie(&panel));
    assert_eq!(fetch(&house, &sent, id).await.status(), 200);
    // it comes back with the cookie that it has, and keeps it
    let open = async |cookie: &str| {
        let headers = [("cookie", cookie)];
        Socket::<PanelEvent>::open("a panel", house.at(), "/api/v1/panel/socket", &headers).await.unwrap()
    };
    assert!(open(&sent).await.cookie.unwrap().starts_with(&sent));
    assert_eq!(fetch(&house, &sent, id).await.status(), 200);
    // one that it did not get from here is not taken
    let odd = open("klinke-panel=a-cookie-of-mine").await.cookie.unwrap();
    assert!(!odd.contains("a-cookie-of-mine"), "{odd}");
    // another window of the panel: the cookie before ends
    let other = house.panel().await;
    assert_eq!(fetch(&house, &sent, id).await.status(), 401);
    assert_eq!(fetch(&house, &cookie(&other), id).await.status(), 200);
    // another device is the panel now
    let (_, public) = PanelKey::fresh(house.plan.entrance_panel.id);
    let store = &house.node().store;
    let changed = store
        .intercom()
        .set_panel_key(&house.scope(), &house.node().stamp(), house.plan.entrance_panel.id, public)
        .await;
    assert!(changed.unwrap());
    assert_eq!(fetch(&house, &cookie(&other), id).await.status(), 401);
    house.running.stop().await;
}

#[tokio::test]
async fn an_administrator_takes_a_picture_away_and_the_resident_reads_why() {
    let house = House::new().await;
    policy(&house, "pictures", json!(true)).await;
    let (dahl, kari, mut panel) = (house.plan.bell("Dahl"), house.phone("kari").await, house.panel().await);
    send(&kari.browser, &mine(dahl), picture(ImageFormat::WebP)).await;
    let directory = panel.shows("the picture", |directory| on(directory, dahl).is_some()).await;
    let id = on(&directory, dahl).unwrap();
    let without = moderate(&house, dahl, "take_picture", None).await;
    assert_eq!((without.status.as_u16(), &without.json()["errors"][0]["pointer"]), (422, &json!("/reason")));
    let taken = moderate(&house, dahl, "take_picture", Some("It shows a neighbour")).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    panel.shows("no picture", |directory| on(directory, dahl).is_none()).await;
    assert_eq!(fetch(&house, &cookie(&panel), id).await.status(), 404);
    let bells = kari.browser.get("/api/v1/me/bells").await.json();
    let bell = bells.as_array().unwrap().iter().find(|bell| bell["id"] == json!(dahl)).unwrap().clone();
    assert_eq!((&bell["picture_reason"], bell.get("picture")), (&json!("It shows a neighbour"), None));
    // the next one waits; the panel may not even ask for it
    let next = send(&kari.browser, &mine(dahl), picture(ImageFormat::Png)).await.json();
    assert_eq!(next["picture"]["state"], "waits");
    let waiting: PictureId = next["picture"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(fetch(&house, &cookie(&panel), waiting).await.status(), 404);
    assert_eq!(moderate(&house, dahl, "approve", None).await.status, 200);
    panel.shows("the approved one", |directory| on(directory, dahl) == Some(waiting)).await;
    // by themselves
    let path = mine(dahl);
    let away = kari.browser.delete(&path).await;
    assert_eq!((away.status.as_u16(), away.json().get("picture")), (200, None));
    panel.shows("no picture again", |directory| on(directory, dahl).is_none()).await;
    house.running.stop().await;
}

#[tokio::test]
async fn hostile_files_are_refused_and_nothing_of_a_file_gets_through() {
    let house = House::new().await;
    let (dahl, kari) = (house.plan.bell("Dahl"), house.phone("kari").await);
    let admins = format!("/api/v1/bells/{dahl}/picture");
    let off = send(&house.manager, &admins, picture(ImageFormat::Png)).await;
    assert_eq!((off.status.as_u16(), off.code().as_str()), (409, "no_pictures"));
    policy(&house, "pictures", json!(true)).await;
    let png = picture(ImageFormat::Png);
    // a PNG of 40,000 × 40,000 points: what it says of itself, with its checksum
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0x9c, 0x40, 0, 0, 0x9c, 0x40]);
    let sum = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
    for (what, file, wanted) in [
        ("nothing", Vec::new(), (422, "not_a_picture")),
        ("svg", svg, (422, "not_a_picture")),
        ("truncated", png[..png.len() / 3].to_vec(), (422, "not_a_picture")),
        ("html", b"<!doctype html><script>alert(1)</script>".to_vec(), (422, "not_a_picture")),
        ("bomb", bomb, (422, "picture_too_large")),
        ("20 MB", vec![0; 20 << 20], (413, "too_large")),
    ] {
        for (browser, path) in [(&kari.browser, mine(dahl)), (&house.manager, admins.clone())] {
            let answer = send(browser, &path, file.clone()).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), wanted, "{what} {path}");
        }
    }
    // a JPEG with a place in it and a page behind it: drawn anew
    let mut polyglot = picture(ImageFormat::Jpeg);
    polyglot.splice(2..2, [0xff, 0xfe, 0, 15].into_iter().chain(*b"canary-place!"));
    polyglot.extend(b"<script>canary</script>PK\x03\x04canary");
    let put = send(&kari.browser, &mine(dahl), polyglot).await;
    assert_eq!(put.status, 200, "{put:?}");
    let id = put.json()["picture"]["id"].as_str().unwrap().to_owned();
    let given =
        kari.browser.http.get(kari.browser.url(&format!("/api/v1/pictures/{id}"))).send().await.unwrap();
    let given = given.bytes().await.unwrap();
    assert!(given.len() > 100 && !given.windows(6).any(|part| part == b"canary"));
    house.running.stop().await;
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}
