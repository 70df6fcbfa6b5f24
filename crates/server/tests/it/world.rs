//! An installation for one test, and the browsers that use it.

use crate::testing::TestClock;
use axum::http::{HeaderMap, Method, StatusCode};
use klinke_model::door::{Door, DoorKind, DoorTimes};
use klinke_model::ids::{BuildingId, DoorId, EntranceId, PersonId, TenantId, UnitId, v4};
use klinke_model::people::{Membership, Person};
use klinke_model::privacy::Pii;
use klinke_model::schedule::HolidayCalendar;
use klinke_model::scope::Scope;
use klinke_model::site::{Building, BuildingKind, Entrance, Unit};
use klinke_model::text::Label;
use klinke_server::config::{Config, Digests};
use klinke_server::http::document::document;
use klinke_server::node::{self, Node, Running};
use klinke_server::random::Random;
use klinke_storage::record::NewAccount;
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

/// The administrator's password in every world, and the resident's.
pub const PASSWORD: &str = "canary-password-8c1f";
/// The administrator.
pub const MANAGER: &str = "canary-manager@klinke.example";
/// A resident of the first tenant's building.
pub const RESIDENT: &str = "canary-resident@klinke.example";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(document()).unwrap());

/// A running installation.
pub struct World {
    pub folder: tempfile::TempDir,
    pub clock: Arc<TestClock>,
    pub running: Running,
}

/// What a town has in it.
pub struct Town {
    pub tenant: TenantId,
    pub building: BuildingId,
    pub entrance: EntranceId,
    pub door: DoorId,
}

impl World {
    /// A first start.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let running = start(folder.path(), &clock).await;
        Self { folder, clock, running }
    }

    /// An installation that somebody owns, and their browser.
    pub async fn claimed() -> (Self, Browser) {
        let world = Self::new().await;
        let browser = world.browser();
        let answer = browser.post("/api/v1/setup/claim", claim(&world.node().setup.code())).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let bound = browser.post("/api/v1/confidentiality", serde_json::json!({ "version": 1 })).await;
        assert_eq!(bound.status, StatusCode::NO_CONTENT, "{bound:?}");
        (world, browser)
    }

    pub fn node(&self) -> &Arc<Node> {
        &self.running.node
    }

    /// A new browser on this machine.
    pub fn browser(&self) -> Browser {
        self.browser_at([127, 0, 0, 1])
    }

    /// A new browser at another address. All of 127/8 is this machine.
    pub fn browser_at(&self, address: [u8; 4]) -> Browser {
        Browser::at(address, self.running.address)
    }

    /// Homes for the first tenant, with a resident who can sign in.
    pub async fn town(&self) -> Town {
        let tenant = self.node().store.gate().account(MANAGER).await.unwrap().unwrap().tenant;
        let town = self.build(tenant, 1).await;
        let scope = Scope::system(tenant);
        let (person, unit) = (PersonId(v4([7; 16])), UnitId(v4([8; 16])));
        let store = &self.node().store;
        let apartment =
            Unit { id: unit, building: town.building, entrance: town.entrance, number: label("H0101") };
        assert!(
            store
                .sites()
                .insert_units(&scope, &self.node().stamp(), apartment.building, &[apartment], &[])
                .await
                .unwrap()
        );
        let resident = Person::named(person, label("Canary Resident"));
        assert!(store.people().insert_person(&scope, resident).await.unwrap());
        let password_hash = self.node().passwords.hash(Pii::new(PASSWORD.to_owned())).await.unwrap();
        let account = NewAccount { person, user_name: Pii::new(RESIDENT.to_owned()), password_hash };
        assert!(store.people().insert_account(&scope, account).await.unwrap());
        assert!(
            store.people().add_membership(&scope, Membership { person, unit, owner: true }).await.unwrap()
        );
        town
    }

    /// Homes of another tenant.
    pub async fn neighbours(&self) -> Town {
        self.build(second_tenant(self.node()).await, 201).await
    }

    async fn build(&self, tenant: TenantId, base: u8) -> Town {
        let (sites, doors) = (self.node().store.sites(), self.node().store.doors());
        let scope = Scope::system(tenant);
        let (building, entrance, door) =
            (BuildingId(v4([base; 16])), EntranceId(v4([base + 1; 16])), DoorId(v4([base + 2; 16])));
        let house = Building {
            id: building,
            name: label("Canary Court"),
            address: label("Canary Street 1"),
            kind: BuildingKind::Residential,
            time_zone: "Europe/Oslo".into(),
            holidays: HolidayCalendar::None,
        };
        assert!(sites.insert_building(&scope, &self.node().stamp(), house).await.unwrap());
        assert!(
            sites
                .insert_entrance(
                    &scope,
                    &self.node().stamp(),
                    Entrance { id: entrance, building, name: label("A") }
                )
                .await
                .unwrap()
        );
        let front = Door {
            id: door,
            building,
            name: label("Front"),
            controller: None,
            output: 0,
            times: DoorTimes::default(),
            kind: DoorKind::Door,
        };
        assert!(doors.insert_door(&scope, &self.node().stamp(), front, false).await.unwrap());
        Town { tenant, building, entrance, door }
    }
}

/// Who the other property manager is.
pub fn second_tenant_id() -> TenantId {
    TenantId(v4([200; 16]))
}

/// Another property manager. No use case makes a second one yet.
pub async fn second_tenant(node: &Node) -> TenantId {
    let tenant = second_tenant_id();
    let database = Database::connect(node.config.data.database_url().reveal()).await.unwrap();
    let id = tenant.0.simple();
    database
        .execute_unprepared(&format!("INSERT INTO tenant (tenant, name) VALUES (x'{id}', 'Neighbours')"))
        .await
        .unwrap();
    tenant
}

/// A configuration that keeps everything in this folder and takes any free ports of this machine.
pub fn config(folder: &std::path::Path) -> Config {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = Config::default();
    config.http.listen = free;
    config.controllers.listen = free;
    config.media.listen = free;
    config.media.shards = Some(1);
    // tests ask a lot while their clock stands still
    config.limits.per_second = 0;
    config.data.folder = folder.to_owned();
    // devices may register; those of tests know no other digest
    config.stations.listen = Some(free);
    config.stations.digests = Digests::Md5;
    // nothing listens there
    config.phones.trunk_hosts = vec!["127.9.9.9".to_owned(), "*.sip.example".to_owned()];
    config.webhooks.hosts = vec!["127.9.9.9".to_owned()];
    config.webhooks.allow_private = vec!["127.9.9.9/32".parse().unwrap()];
    config
}

/// Starts the installation of this folder.
pub async fn start(folder: &std::path::Path, clock: &Arc<TestClock>) -> Running {
    node::start(config(folder), clock.clone(), Random::system()).await.unwrap()
}

pub fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

pub fn claim(code: &str) -> Value {
    json!({ "code": code, "organisation": "Canary Homes", "name": "Canary Manager", "user_name": MANAGER, "password": PASSWORD })
}

pub fn sign_in(user_name: &str, password: &str) -> Value {
    json!({ "user_name": user_name, "password": password, "device_name": "Canary Phone" })
}

/// Somebody's browser: keeps its cookies.
pub struct Browser {
    pub http: reqwest::Client,
    pub base: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The cookie that it sets, with its attributes.
    pub fn cookie(&self) -> String {
        self.headers.get("set-cookie").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

impl Browser {
    /// A browser at one of this machine's addresses that looks at a server there.
    pub fn at(address: [u8; 4], server: SocketAddr) -> Self {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .no_proxy()
            .local_address(IpAddr::V4(Ipv4Addr::from(address)))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { http, base: format!("http://{server}") }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.url(path)), Method::GET, path).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.http.post(self.url(path)).header("origin", &self.base).json(&body), Method::POST, path)
            .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.http.delete(self.url(path)).header("origin", &self.base), Method::DELETE, path).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.http.put(self.url(path)).header("origin", &self.base).json(&body), Method::PUT, path)
            .await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        let request = self.http.patch(self.url(path)).header("origin", &self.base).json(&body);
        self.send(request, Method::PATCH, path).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sends a request and holds the answer against the document.
    pub async fn send(&self, request: reqwest::RequestBuilder, method: Method, path: &str) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let answer = Answer { status, headers, text: response.text().await.unwrap() };
        if let Some(operation) = operation(&method, path) {
            assert!(
                operation["responses"].get(status.as_str()).is_some(),
                "{method} {path} does not document {status}: {answer:?}"
            );
            if status.is_client_error() || status.is_server_error() {
                assert_eq!(answer.headers["content-type"], "application/problem+json");
                assert_eq!(answer.json()["status"], status.as_u16());
            }
        }
        answer
    }
}

/// Every operation: method, path template, whether it is open before the claim.
pub fn operations() -> Vec<(Method, String)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let every = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase().parse().unwrap(), path.clone()))
    });
    every.collect()
}

/// What the document says of an operation.
pub fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let wanted: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == wanted.len()
            && parts.iter().zip(&wanted).all(|(part, text)| part.starts_with('{') || part == text)
    };
    let (_, item) = DOCUMENT["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template))?;
    item.get(method.as_str().to_lowercase())
}
