//! Messages to other systems: a receiver that is an HTTP server of others, signatures checked by the library of the
//! specification.

use crate::support::until;
use crate::testing::TestClock;
use crate::world::{Answer, Browser, PASSWORD, RESIDENT, Town, World, claim, config, label, sign_in};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use klinke_model::ids::{EntranceId, UnitId, v4};
use klinke_model::scope::Scope;
use klinke_model::site::Unit;
use klinke_server::config::Config;
use klinke_server::node;
use klinke_server::random::Random;
use klinke_server::webhooks::round;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// Somebody else's system.
#[derive(Clone, Default)]
struct Receiver {
    port: u16,
    heard: Arc<Mutex<Vec<Message>>>,
    /// What it answers next; 200 when nothing is left.
    answers: Arc<Mutex<VecDeque<u16>>>,
}

#[derive(Clone, Debug)]
struct Message {
    headers: HeaderMap,
    body: String,
    answered: u16,
}

impl Message {
    fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// How many of its signatures the specification's own library makes from this secret.
    fn signatures_by(&self, secret: &str) -> usize {
        let seconds = self.headers["webhook-timestamp"].to_str().unwrap().parse().unwrap();
        let theirs = standardwebhooks::Webhook::new(secret).unwrap();
        let good = theirs.sign(self.id(), seconds, self.body.as_bytes()).unwrap();
        self.headers["webhook-signature"].to_str().unwrap().split(' ').filter(|one| *one == good).count()
    }
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self { port: listener.local_addr().unwrap().port(), ..Self::default() };
        let app = Router::new().fallback(hear).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        receiver
    }

    fn url(&self) -> String {
        format!("http://localhost:{}/in", self.port)
    }

    fn answers(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    fn heard(&self) -> Vec<Message> {
        self.heard.lock().unwrap().clone()
    }

    /// What it took, by type.
    fn took(&self) -> Vec<String> {
        let taken = self.heard().into_iter().filter(|message| message.answered == 200);
        taken.map(|message| message.json()["type"].as_str().unwrap().to_owned()).collect()
    }
}

async fn hear(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    let answered = receiver.answers.lock().unwrap().pop_front().unwrap_or(200);
    receiver.heard.lock().unwrap().push(Message { headers, body, answered });
    StatusCode::from_u16(answered).unwrap()
}

fn allowing(folder: &Path) -> Config {
    let mut config = config(folder);
    config.webhooks.hosts = vec!["localhost".to_owned()];
    config.webhooks.allow_private = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    config
}

async fn world() -> (World, Browser) {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let running = node::start(allowing(folder.path()), clock.clone(), Random::system()).await.unwrap();
    let world = World { folder, clock, running };
    let browser = world.browser();
    assert_eq!(browser.post("/api/v1/setup/claim", claim(&world.node().setup.code())).await.status, 201);
    assert_eq!(browser.post("/api/v1/confidentiality", json!({ "version": 1 })).await.status, 204);
    (world, browser)
}

async fn add(browser: &Browser, body: Value) -> (String, String) {
    let added = browser.post("/api/v1/webhooks", body).await;
    assert_eq!(added.status, 201, "{added:?}");
    let added = added.json();
    (added["webhook"]["id"].as_str().unwrap().to_owned(), added["secret"].as_str().unwrap().to_owned())
}

fn of_all(receiver: &Receiver) -> Value {
    let events = ["person.created", "person.changed", "membership.began", "unit.created", "import.applied"];
    json!({ "url": receiver.url(), "events": events })
}

async fn add_person(browser: &Browser, unit: UnitId, name: &str) -> String {
    let body = json!({ "name": name, "email": "canary@klinke.example", "language": "nb",
        "homes": [{ "unit": unit, "owner": false }] });
    let added = browser.post("/api/v1/people", body).await;
    assert_eq!(added.status, 201, "{added:?}");
    added.json()["id"].as_str().unwrap().to_owned()
}

async fn patch(browser: &Browser, path: &str, body: Value) -> Answer {
    let request = browser.http.patch(browser.url(path)).header("origin", &browser.base).json(&body);
    browser.send(request, Method::PATCH, path).await
}

async fn only(browser: &Browser) -> Value {
    browser.get("/api/v1/webhooks").await.json()["items"][0].clone()
}

#[tokio::test]
async fn changes_are_told_signed_and_without_personal_data() {
    let (world, manager) = world().await;
    let town = world.town().await;
    let receiver = Receiver::start().await;
    let (id, first) = add(&manager, of_all(&receiver)).await;
    let unit = UnitId(v4([8; 16]));
    let person = add_person(&manager, unit, "Canary Kari").await;
    until("both messages", || receiver.heard().len() == 2).await;
    let heard = receiver.heard();
    let [created, began] = heard.as_slice() else { panic!("{heard:?}") };
    let expected = json!({ "type": "person.created", "timestamp": "2026-11-21T12:00:00Z",
        "data": { "person": person, "building": town.building } });
    assert_eq!(created.json(), expected);
    assert_eq!(began.json()["data"], json!({ "person": person, "unit": unit, "building": town.building }));
    assert_ne!(created.id(), began.id());
    for message in &heard {
        assert_eq!(message.signatures_by(&first), 1);
        assert!(first.starts_with("whsec_") && !message.body.to_lowercase().contains("canary"));
        assert_eq!(message.headers["content-type"], "application/json");
    }

    // the list does not tell the secret, and a new one lives beside the old for a day
    assert!(!manager.get("/api/v1/webhooks").await.text.contains("whsec_"));
    let rotated = manager.post(&format!("/api/v1/webhooks/{id}/secret"), json!({})).await;
    assert_eq!(rotated.status, 201);
    let second = rotated.json()["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    for (later, by_first, by_second) in [(HOUR * 23, 1, 1), (HOUR, 0, 1)] {
        world.clock.advance(later);
        let tested = manager.post(&format!("/api/v1/webhooks/{id}/test"), json!({})).await;
        assert_eq!(tested.json(), json!({ "delivered": true, "status": 200 }));
        let last = receiver.heard().pop().unwrap();
        assert_eq!(last.json()["type"], "webhook.test");
        assert_eq!((last.signatures_by(&first), last.signatures_by(&second)), (by_first, by_second));
    }
}

#[tokio::test]
async fn what_is_not_taken_comes_again_in_order_and_is_given_up_after_three_days() {
    let (world, manager) = world().await;
    world.town().await;
    let receiver = Receiver::start().await;
    add(&manager, of_all(&receiver)).await;
    let unit = UnitId(v4([8; 16]));
    receiver.answers(&[503, 302, 200]);
    add_person(&manager, unit, "Canary One").await;
    until("the first try", || receiver.heard().len() == 1).await;
    until_json(&manager, |hook| hook["failure"] == "http_503" && hook["waiting"] == 2).await;
    world.clock.advance(Duration::from_secs(4));
    round(world.node()).await.unwrap();
    assert_eq!(receiver.heard().len(), 1, "not before its time");
    world.clock.advance(Duration::from_secs(3));
    round(world.node()).await.unwrap();
    until_json(&manager, |hook| hook["failure"] == "http_302").await;
    world.clock.advance(Duration::from_secs(60));
    round(world.node()).await.unwrap();
    until_json(&manager, |hook| hook["waiting"] == 0 && hook.get("failing_since").is_none()).await;
    let heard = receiver.heard();
    assert_eq!(heard.len(), 4);
    assert!(heard[..3].iter().all(|message| message.id() == heard[0].id()), "the same message, the same id");
    assert_eq!(receiver.took(), ["person.created", "membership.began"]);

    receiver.answers(&[500; 200]);
    add_person(&manager, unit, "Canary Two").await;
    let mut tries = 0;
    while only(&manager).await["waiting"] != 0 {
        world.clock.advance(HOUR * 2);
        round(world.node()).await.unwrap();
        tries += 1;
        assert!(tries < 100, "it is never given up");
    }
    assert!(tries >= 36, "given up after {} hours", tries * 2);
    let hook = only(&manager).await;
    assert_eq!(
        (&hook["lost"], &hook["failure"], &hook["enabled"]),
        (&json!(2), &json!("http_500"), &json!(true))
    );
    assert!(hook["failing_since"].is_number());
}

async fn until_json(browser: &Browser, is_so: impl Fn(&Value) -> bool) {
    let looking = async {
        while !is_so(&only(browser).await) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let found = tokio::time::timeout(crate::support::PATIENCE, looking).await;
    assert!(found.is_ok(), "never came: {}", only(browser).await);
}

#[tokio::test]
async fn who_answers_gone_is_asked_no_more_until_an_administrator_says_so() {
    let (world, manager) = world().await;
    world.town().await;
    let receiver = Receiver::start().await;
    let (id, _) = add(&manager, of_all(&receiver)).await;
    let unit = UnitId(v4([8; 16]));
    receiver.answers(&[410]);
    add_person(&manager, unit, "Canary One").await;
    until_json(&manager, |hook| {
        hook["enabled"] == false && hook["failure"] == "gone" && hook["waiting"] == 0
    })
    .await;
    add_person(&manager, unit, "Canary Two").await;
    round(world.node()).await.unwrap();
    assert_eq!(receiver.heard().len(), 1);
    let version = only(&manager).await["version"].clone();
    let path = format!("/api/v1/webhooks/{id}");
    assert_eq!(patch(&manager, &path, json!({ "version": 1, "enabled": true })).await.code(), "conflict");
    let on = patch(&manager, &path, json!({ "version": version, "enabled": true })).await;
    assert_eq!((on.status.as_u16(), &on.json()["enabled"]), (200, &json!(true)));
    add_person(&manager, unit, "Canary Three").await;
    until("the messages of the third", || receiver.took().len() == 2).await;
    assert_eq!(manager.delete(&path).await.status, 204);
    assert_eq!(manager.delete(&path).await.status, 404);
}

fn twenty_units(town: &Town) -> Vec<Unit> {
    let unit = |n: u8| Unit {
        id: UnitId(v4([n; 16])),
        building: town.building,
        entrance: EntranceId(town.entrance.0),
        number: label(&n.to_string()),
    };
    (100..120).map(unit).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_who_send_at_the_same_moment_send_each_message_once_and_in_order() {
    let (world, manager) = world().await;
    let town = world.town().await;
    let receiver = Receiver::start().await;
    add(&manager, of_all(&receiver)).await;
    let (scope, node) = (Scope::system(town.tenant), world.node());
    let (sites, stamp, units) = (node.store.sites(), node.stamp(), twenty_units(&town));
    assert!(sites.insert_units(&scope, &stamp, town.building, &units, &[]).await.unwrap());
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let node = Arc::clone(node);
            tokio::spawn(async move { round(&node).await })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap().unwrap();
    }
    until_json(&manager, |hook| hook["waiting"] == 0).await;
    let heard: Vec<_> =
        receiver.heard().iter().map(|message| message.json()["data"]["unit"].clone()).collect();
    let expected: Vec<_> = units.iter().map(|unit| json!(unit.id.to_string())).collect();
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_restart_in_the_middle_of_the_queue_loses_nothing_and_keeps_the_secret() {
    let (world, manager) = world().await;
    let town = world.town().await;
    let receiver = Receiver::start().await;
    let (_, secret) = add(&manager, of_all(&receiver)).await;
    receiver.answers(&[200, 503]);
    let scope = Scope::system(town.tenant);
    let node = world.node();
    let (sites, stamp, twenty) = (node.store.sites(), node.stamp(), twenty_units(&town));
    assert!(sites.insert_units(&scope, &stamp, town.building, &twenty, &[]).await.unwrap());
    round(world.node()).await.unwrap();
    until_json(&manager, |hook| hook["waiting"] == 19 && hook["failure"] == "http_503").await;
    let World { folder, clock, running } = world;
    running.stop().await;
    clock.advance(HOUR);
    let running = node::start(allowing(folder.path()), clock.clone(), Random::system()).await.unwrap();
    round(&running.node).await.unwrap();
    until("all of them", || receiver.took().len() == 20).await;
    let units = twenty_units(&town);
    let taken: Vec<_> = receiver.heard().into_iter().filter(|message| message.answered == 200).collect();
    for (message, unit) in taken.iter().zip(&units) {
        assert_eq!(message.json()["data"]["unit"], unit.id.to_string());
        assert_eq!(message.signatures_by(&secret), 1);
    }
    running.stop().await;
}

#[tokio::test]
async fn only_hosts_of_the_operator_and_only_for_who_may() {
    let (world, manager) = world().await;
    world.town().await;
    let receiver = Receiver::start().await;
    let wrong = async |body: Value| {
        let refused = manager.post("/api/v1/webhooks", body).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        let error = refused.json()["errors"][0].clone();
        format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())
    };
    let to = |url: &str| json!({ "url": url, "events": ["person.created"] });
    assert_eq!(wrong(to("https://example.org/")).await, "/url host_not_allowed");
    assert_eq!(wrong(to("https://169.254.169.254/latest")).await, "/url host_not_allowed");
    assert_eq!(wrong(to("https://kari:hush@localhost/")).await, "/url not_an_address");
    assert_eq!(wrong(to("https://localhost:22/")).await, "/url not_an_address");
    assert_eq!(wrong(json!({ "url": receiver.url(), "events": [] })).await, "/events required");
    assert_eq!(
        manager
            .post("/api/v1/webhooks", json!({ "url": receiver.url(), "events": ["door.opened"] }))
            .await
            .status,
        400
    );

    let (id, _) = add(&manager, of_all(&receiver)).await;
    let resident = world.browser();
    assert_eq!(resident.post("/api/v1/session", sign_in(RESIDENT, PASSWORD)).await.status, 201);
    assert_eq!(resident.get("/api/v1/webhooks").await.status, 403);
    assert_eq!(resident.post("/api/v1/webhooks", of_all(&receiver)).await.status, 403);
    let path = format!("/api/v1/webhooks/{id}");
    assert_eq!(resident.delete(&path).await.status, 404);
    assert_eq!(patch(&resident, &path, json!({ "version": 1 })).await.status, 404);
    assert_eq!(resident.post(&format!("{path}/secret"), json!({})).await.status, 404);
    assert_eq!(resident.post(&format!("{path}/test"), json!({})).await.status, 404);
    assert!(receiver.heard().is_empty());

    // without hosts in the configuration nothing goes anywhere
    let World { folder, clock, running } = world;
    running.stop().await;
    let mut off = config(folder.path());
    off.webhooks = klinke_server::config::Webhooks::default();
    let running = node::start(off, clock, Random::system()).await.unwrap();
    let manager = Browser { base: format!("http://{}", running.address), ..manager };
    assert_eq!(manager.get("/api/v1/webhooks").await.json()["hosts"], json!([]));
    let tested = manager.post(&format!("{path}/test"), json!({})).await;
    assert_eq!(tested.json(), json!({ "delivered": false, "failure": "not_https" }));
    assert!(receiver.heard().is_empty());
    running.stop().await;
}
