//! What a change leaves behind: its entries in the audit, by whom and from which role, and its messages to other systems.
//!
//! `changes.txt` says it for every operation. The matrix holds each answer `ok` against it ([`Changes::faults`]); here are
//! the operations that the matrix can not bring to success, and those of which it says "only when it was not so before".

use super::rules::OPERATIONS;
use super::town::{Entry, Left, Place, Town, Who};
use crate::world::{Browser, World};
use axum::http::Method;
use klinke_model::ids::{PersonId, v4};
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_server::http::client::Prefix;
use klinke_server::pairing::TicketUse;
use klinke_server::presence::ControllerPresence;
use klinke_storage::record::NewAccount;
use klinke_wire::enrolment::{ReaderKind, ReaderReport};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What one operation leaves.
pub struct Line {
    entries: Vec<(String, Must)>,
    messages: Vec<(String, Must)>,
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    Be,
    /// Unless it was so before.
    MayBe,
}

/// The file.
pub struct Changes(BTreeMap<String, Line>);

impl Changes {
    pub fn read() -> Self {
        let words = |part: &str| -> Vec<_> {
            let words = part.split_whitespace().filter(|word| *word != "-");
            words
                .map(|word| match word.strip_suffix('?') {
                    Some(word) => (word.to_owned(), Must::MayBe),
                    None => (word.to_owned(), Must::Be),
                })
                .collect()
        };
        let mut lines = BTreeMap::new();
        for line in include_str!("changes.txt").lines() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let parts: Vec<_> = line.split('|').map(str::trim).collect();
            let [head, entries, messages, rest @ ..] = parts.as_slice() else {
                panic!("changes.txt: {line}")
            };
            let reason = rest.first().map(|reason| (*reason).to_owned());
            let new = Line { entries: words(entries), messages: words(messages), reason };
            assert!(lines.insert((*head).to_owned(), new).is_none(), "changes.txt: {head} twice");
        }
        Self(lines)
    }

    /// What is wrong with what a successful request left.
    pub fn faults(&self, head: &str, who: Who, town: &Town, left: &Left) -> Vec<String> {
        let nothing = Line { entries: Vec::new(), messages: Vec::new(), reason: None };
        let line = self.0.get(head).unwrap_or(&nothing);
        let mut faults = Vec::new();
        // what a property manager is begun with stands in its own chain, and is the service's
        let ours: Vec<&Entry> = left.entries.iter().filter(|entry| !entry.elsewhere).collect();
        let actions: Vec<&str> = ours.iter().map(|entry| entry.action.as_str()).collect();
        for (what, got, said) in [
            ("entries", actions, &line.entries),
            ("messages", left.messages.iter().map(String::as_str).collect(), &line.messages),
        ] {
            let all: Vec<_> = said.iter().map(|(word, _)| word.as_str()).collect();
            let least: Vec<_> =
                said.iter().filter(|(_, must)| *must == Must::Be).map(|(word, _)| word.as_str()).collect();
            if got != all && got != least {
                faults.push(format!("leaves the {what} {got:?}, not {all:?}"));
            }
        }
        for entry in ours {
            let role = match who.role() {
                _ if Who::TOKENS.contains(&who) => "token".to_owned(),
                Some((role, _)) => serde_json::to_value(role).unwrap().as_str().unwrap().to_owned(),
                None if who == Who::Unbound => "manager".to_owned(),
                None => "service".to_owned(),
            };
            let said = (&entry.content["actor"], &entry.content["token"], &entry.content["role"]);
            let (actor, token) = town.actor(who);
            if said != (&actor, &token, &json!(role)) {
                faults.push(format!("{} says it was {said:?}", entry.action));
            }
        }
        faults
    }
}

fn changes(head: &str) -> bool {
    !head.starts_with("GET ")
}

#[test]
fn matrix_changes_names_every_operation_that_changes_something() {
    let Changes(lines) = Changes::read();
    let there: BTreeSet<&str> =
        OPERATIONS.iter().map(|operation| operation.head).filter(|head| changes(head)).collect();
    let named: BTreeSet<&str> = lines.keys().map(String::as_str).collect();
    let (missing, gone): (Vec<_>, Vec<_>) =
        (there.difference(&named).collect(), named.difference(&there).collect());
    assert!(missing.is_empty() && gone.is_empty(), "changes.txt lacks {missing:#?}, and names {gone:#?}");
    for (head, line) in &lines {
        let why = line.reason.as_deref().unwrap_or_default();
        assert_eq!(line.entries.is_empty(), !why.is_empty(), "{head}: either an entry or a reason for none");
        let (path, own) = (
            head.split_once(' ').unwrap().1,
            ["/me", "/session", "/invitations/", "/imports", "/panel-pairings", "/guest/", "/card-readings"],
        );
        // administrators' own operations leave an entry; what only asks or drafts is said here once more
        let only_asks = [
            "POST /api/v1/webhooks/{webhook}/test",
            "POST /api/v1/buildings/{building}/why",
            "DELETE /api/v1/trunks/{trunk}/test-call",
        ]
        .contains(&head.as_str());
        let may_leave_none = only_asks || own.iter().any(|part| path.contains(part));
        assert!(may_leave_none || why.is_empty(), "{head} leaves no entry");
    }
}

#[test]
fn matrix_every_entry_has_its_words_in_every_language() {
    let Changes(lines) = Changes::read();
    for (language, texts) in [
        ("da", include_str!("../../../../../web/src/locales/da.ftl")),
        ("en", include_str!("../../../../../web/src/locales/en.ftl")),
        ("nb", include_str!("../../../../../web/src/locales/nb.ftl")),
        ("nn", include_str!("../../../../../web/src/locales/nn.ftl")),
        ("sv", include_str!("../../../../../web/src/locales/sv.ftl")),
    ] {
        for (action, _) in lines.values().flat_map(|line| &line.entries) {
            let key = format!("\nadmin-audit-{} = ", action.replace(['.', '_'], "-"));
            assert!(texts.contains(&key), "{language} lacks {}", key.trim());
        }
    }
}

/// What a request is sent with.
struct Asks<'a> {
    town: &'a Town,
    browser: Browser,
}

impl Asks<'_> {
    async fn answer(&self, who: Who, method: Method, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.browser.http.request(method, self.browser.url(path));
        for (name, value) in super::requests::proof(who, self.town) {
            request = request.header(name, value);
        }
        request = request.header("origin", &self.browser.base);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        self.town.settled().await;
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Something that must succeed on the way.
    async fn does(&self, who: Who, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.answer(who, method.clone(), path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// The operation that is looked at: from a town as it was in the beginning, but for what was done on the way.
    async fn last(
        &self,
        seen: &mut BTreeSet<&'static str>,
        head: &'static str,
        who: Who,
        path: &str,
        body: Value,
    ) {
        let before = self.town.left().await;
        let method: Method = head.split_once(' ').unwrap().0.parse().unwrap();
        self.does(who, method, path, body).await;
        let left = self.town.left().await.since(&before);
        let faults = Changes::read().faults(head, who, self.town, &left);
        assert!(faults.is_empty(), "{head}: {faults:?}");
        assert!(seen.insert(head), "{head} twice");
        self.town.put_back().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one after another, each on its own")]
async fn matrix_what_needs_something_first_leaves_what_the_file_says() {
    let town = Town::build().await;
    let asks = Asks { town: &town, browser: town.world.browser() };
    let node = town.world.node();
    let a = &town.places[&Place::A];
    let (house, unit, person) = (a["building"], a["unit"], a["person"]);
    let (manager, owner, none) = (Who::Manager, Who::Owner, Value::Null);
    let seen = &mut BTreeSet::new();

    let opened = node.pairings.open_panel(Prefix::V4([10, 0, 0, 2]), vec![2]).unwrap();
    let new = json!({ "code": opened.code.to_string(), "name": "New", "entrance": a["entrance"], "doors": [a["door"]] });
    let panels = format!("/api/v1/buildings/{house}/panels");
    asks.last(seen, "POST /api/v1/buildings/{building}/panels", Who::Caretaker, &panels, new).await;

    let stations = format!("/api/v1/buildings/{house}/door-stations");
    let made = asks.does(manager, Method::POST, &stations, json!({ "name": "Gate", "doors": [] })).await;
    let renew = format!("/api/v1/panels/{}/door-station", made["panel"]["id"].as_str().unwrap());
    let head = "POST /api/v1/panels/{panel}/door-station";
    asks.last(seen, head, Who::Caretaker, &renew, none.clone()).await;

    let made = asks.does(manager, Method::POST, &stations, json!({ "name": "Gate", "doors": [] })).await;
    let bell = json!({ "panel": made["panel"]["id"], "unit": unit, "label": "Reception", "kind": "family" });
    let bell = asks.does(manager, Method::POST, &format!("/api/v1/buildings/{house}/bells"), bell).await;
    let set = format!("/api/v1/panels/{}/door-station", made["panel"]["id"].as_str().unwrap());
    let head = "PUT /api/v1/panels/{panel}/door-station";
    asks.last(seen, head, Who::Caretaker, &set, json!({ "any_number": bell["id"] })).await;

    let made = asks.does(manager, Method::POST, &stations, json!({ "name": "Gate", "doors": [] })).await;
    let (doors, door) =
        (format!("/api/v1/buildings/{house}/doors"), json!({ "name": "Gate", "everybody": false }));
    let door = asks.does(manager, Method::POST, &doors, door).await;
    let relay = format!("/api/v1/doors/{}/station-relay", door["id"].as_str().unwrap());
    let keys = json!({ "panel": made["panel"]["id"], "told": { "way": "keys", "keys": "1*" } });
    let head = "PUT /api/v1/doors/{door}/station-relay";
    asks.last(seen, head, Who::Caretaker, &relay, keys).await;
    let made = asks.does(manager, Method::POST, &stations, json!({ "name": "Gate", "doors": [] })).await;
    let door = asks.does(manager, Method::POST, &doors, json!({ "name": "Gate", "everybody": false })).await;
    let relay = format!("/api/v1/doors/{}/station-relay", door["id"].as_str().unwrap());
    let keys = json!({ "panel": made["panel"]["id"], "told": { "way": "keys", "keys": "1*" } });
    asks.does(manager, Method::PUT, &relay, keys).await;
    let head = "DELETE /api/v1/doors/{door}/station-relay";
    asks.last(seen, head, Who::Caretaker, &relay, none.clone()).await;

    let ours = node.store.gate().account(crate::world::MANAGER).await.unwrap().unwrap().tenant;
    let ticket = node.pairings.issue_ticket(ours, a["panel"].into(), TicketUse::Once);
    let redeem = format!("/api/v1/panel-pairings/{}/ticket", a["pairing"]);
    let ticket = json!({ "ticket": ticket.text() });
    asks.last(seen, "POST /api/v1/panel-pairings/{pairing}/ticket", Who::Panel, &redeem, ticket).await;

    let pair = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&pair).unwrap().pem().unwrap();
    let (code, _told) =
        node.pairings.open_controller(Prefix::V4([10, 0, 0, 3]), csr, "1.0".into(), 2).unwrap();
    let new =
        json!({ "code": code.to_string(), "name": "New", "doors": [{ "door": a["door"], "output": 1 }] });
    let controllers = format!("/api/v1/buildings/{house}/controllers");
    asks.last(seen, "POST /api/v1/buildings/{building}/controllers", Who::HouseToken, &controllers, new)
        .await;

    let turned = json!({ "trunks": [town.places[&Place::B]["trunk"], a["trunk"]] });
    asks.last(seen, "POST /api/v1/trunks/order", manager, "/api/v1/trunks/order", turned).await;

    let entrances = format!("/api/v1/buildings/{house}/entrances");
    let made = asks.does(manager, Method::POST, &entrances, json!({ "name": "Empty" })).await;
    let empty = format!("/api/v1/entrances/{}", made["id"].as_str().unwrap());
    asks.last(seen, "DELETE /api/v1/entrances/{entrance}", manager, &empty, none.clone()).await;

    town.moves_out().await;
    let home = format!("/api/v1/units/{unit}");
    asks.last(seen, "DELETE /api/v1/units/{unit}", Who::Admin, &home, none.clone()).await;
    town.moves_out().await;
    let whole = format!("/api/v1/buildings/{house}?name=House");
    asks.last(seen, "DELETE /api/v1/buildings/{building}", manager, &whole, none.clone()).await;

    // records of use: a commercial building, which was residential before
    let (building, kept) =
        (format!("/api/v1/buildings/{house}"), format!("/api/v1/buildings/{house}/records/policy"));
    let (agreed, keep_head) = (format!("{kept}/confirm"), "PUT /api/v1/buildings/{building}/records/policy");
    let wish =
        json!({ "version": 0, "purpose": "Thefts from the store room", "days": 7, "told_on": "2020-01-01" });
    let becomes_commercial = async || {
        let (_, seen) = asks.answer(manager, Method::GET, &building, Value::Null).await;
        let kind = json!({ "version": seen["version"], "kind": "commercial" });
        asks.does(manager, Method::PATCH, &building, kind).await;
    };
    becomes_commercial().await;
    asks.last(seen, keep_head, manager, &kept, wish.clone()).await;
    becomes_commercial().await;
    let asked = asks.does(manager, Method::PUT, &kept, wish.clone()).await;
    let version = json!({ "version": asked["version"] });
    let head = "POST /api/v1/buildings/{building}/records/policy/confirm";
    asks.last(seen, head, Who::Admin, &agreed, version).await;
    becomes_commercial().await;
    asks.does(manager, Method::PUT, &kept, wish).await;
    let head = "DELETE /api/v1/buildings/{building}/records/policy";
    asks.last(seen, head, Who::Admin, &kept, none.clone()).await;

    let import = format!("/api/v1/imports/{}", a["import"]);
    let (apply, undo) = (format!("{import}/apply"), format!("{import}/undo"));
    asks.does(manager, Method::POST, &apply, json!({ "leave_out_errors": true })).await;
    asks.last(seen, "POST /api/v1/imports/{import}/undo", manager, &undo, none.clone()).await;

    let made =
        asks.does(manager, Method::POST, "/api/v1/people", json!({ "name": "New", "homes": [] })).await;
    let gone = format!("/api/v1/people/{}", made["id"].as_str().unwrap());
    asks.last(seen, "DELETE /api/v1/people/{person}", manager, &gone, none.clone()).await;

    let suspension = format!("/api/v1/people/{person}/suspension");
    asks.does(manager, Method::PUT, &suspension, none.clone()).await;
    asks.last(seen, "DELETE /api/v1/people/{person}/suspension", manager, &suspension, none.clone()).await;

    // they do not remember it any more
    town.unbind().await;
    let version = json!({ "version": 1 });
    asks.last(seen, "POST /api/v1/confidentiality", manager, "/api/v1/confidentiality", version).await;

    let policy = |policy: Value| json!({ "version": 1, "policy": policy });
    let policies = format!("/api/v1/buildings/{house}/policy");
    let approval = policy(json!({ "edit_text": true }));
    asks.does(manager, Method::PUT, &policies, approval).await;
    let mine = format!("/api/v1/me/bells/{}", a["bell"]);
    asks.does(owner, Method::PATCH, &mine, json!({ "version": 2, "label": "Changed" })).await;
    let look = format!("/api/v1/bells/{}/moderation", a["bell"]);
    let verdict = json!({ "version": 3, "verdict": "approve" });
    asks.last(seen, "POST /api/v1/bells/{bell}/moderation", manager, &look, verdict).await;

    let theirs = crate::world::second_tenant_id();
    let tenant = format!("/api/v1/tenants/{theirs}");
    let renamed = json!({ "version": 1, "name": "Changed" });
    asks.last(seen, "PATCH /api/v1/tenants/{tenant}", Who::Operator, &tenant, renamed).await;

    let members = format!("/api/v1/me/household/{unit}/members");
    let may = policy(json!({ "add_members": true }));
    let takes_in = async || {
        asks.does(manager, Method::PUT, &policies, may.clone()).await;
        asks.does(owner, Method::POST, &members, json!({ "name": "New" })).await;
        let homes = asks.does(owner, Method::GET, "/api/v1/me/household", Value::Null).await;
        let there = homes[0]["members"].as_array().unwrap();
        let new = there.iter().find(|member| member["name"] == "New").unwrap();
        format!("{members}/{}", new["person"].as_str().unwrap())
    };
    asks.does(manager, Method::PUT, &policies, may.clone()).await;
    let new = json!({ "name": "New" });
    asks.last(seen, "POST /api/v1/me/household/{unit}/members", owner, &members, new).await;
    let member = takes_in().await;
    asks.last(seen, "DELETE /api/v1/me/household/{unit}/members/{person}", owner, &member, none.clone())
        .await;
    let link = format!("{}/invitation", takes_in().await);
    asks.last(
        seen,
        "POST /api/v1/me/household/{unit}/members/{person}/invitation",
        owner,
        &link,
        none.clone(),
    )
    .await;
    asks.does(manager, Method::PUT, &policies, policy(json!({ "own_cards": true, "own_codes": true }))).await;
    let card = json!({ "unit": unit, "name": "New", "kind": "wiegand26", "number": "1-9" });
    asks.last(seen, "POST /api/v1/me/cards", owner, "/api/v1/me/cards", card).await;
    // a reader at the door of the home, that can be reached
    let door = format!("/api/v1/doors/{}", a["door"]);
    let wiring = json!({ "version": 1, "wiring": { "controller": a["controller"], "output": 0 } });
    let reader = json!({ "controller": a["controller"], "reader": 0 });
    let (controller, boot, now) = (a["controller"].into(), v4([1; 16]).into(), node.clock.mono());
    let _orders = node.links.connect(controller, boot, now, now);
    let told = ReaderReport { reader: 0, output: Some(0), kind: ReaderKind::Osdp, has_keypad: false };
    let arrives = |reader| {
        let (version, arrived) = ("1.0".to_owned(), node.clock.now());
        let presence =
            ControllerPresence { version, arrived, wired: vec![], readers: vec![reader], rights: None };
        node.presence.controller_arrives(controller, presence);
    };
    arrives(told);
    let readings = format!("/api/v1/buildings/{house}/card-readings");
    asks.last(seen, "POST /api/v1/buildings/{building}/card-readings", manager, &readings, reader.clone())
        .await;
    asks.does(manager, Method::PUT, &policies, policy(json!({ "own_cards": true }))).await;
    asks.does(manager, Method::PATCH, &door, wiring).await;
    // another reader than the administrator's
    arrives(ReaderReport { reader: 1, ..told });
    let mine = json!({ "controller": a["controller"], "reader": 1 });
    asks.last(seen, "POST /api/v1/me/card-readings", owner, "/api/v1/me/card-readings", mine).await;
    let account = NewAccount {
        person: PersonId(person),
        user_name: Pii::new("resident".to_owned()),
        password_hash: Pii::new("!".to_owned()),
    };
    assert!(node.store.people().insert_account(&Scope::system(ours), account).await.unwrap());
    let next = json!({ "person": person });
    let owners = format!("/api/v1/me/household/{unit}/owner");
    asks.last(seen, "PUT /api/v1/me/household/{unit}/owner", owner, &owners, next).await;

    let (world, _) = World::claimed().await;
    let town = Left::of(&world).await;
    let claimed: Vec<_> = town.entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(claimed, ["installation.claimed", "confidentiality.accepted"]);
    assert_eq!(town.entries[0].content["after"]["role"], json!(["operator", "manager"]));
    assert!(seen.insert("POST /api/v1/setup/claim"));
    // it takes a password: see the phones' own tests
    assert!(seen.insert("PUT /api/v1/me/phone-number"));
    // it takes a trunk that stands: see the phones' own tests
    assert!(seen.insert("POST /api/v1/trunks/{trunk}/test-call"));
    // it takes a mail server: see the guests' own tests
    assert!(seen.insert("POST /api/v1/me/guests/{guest}/mail"));

    // nothing that could leave something is left out
    let Changes(lines) = Changes::read();
    for operation in OPERATIONS.iter().filter(|operation| changes(operation.head)) {
        let line = &lines[operation.head];
        let unsure = line.entries.iter().chain(&line.messages).any(|(_, must)| *must == Must::MayBe);
        let reached = operation.done == "ok" && !matches!(operation.rule, super::rules::Rule::Home(&[]));
        assert_eq!(seen.contains(operation.head), unsure || !reached, "{}", operation.head);
    }
}
