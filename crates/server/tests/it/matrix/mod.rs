//! Who may do what, from outside: every operation × everybody × every place (trust.md T1).
//!
//! `matrix.txt` says what is answered. It is held against the rights ([`rules`]), against the document (an operation that is
//! not in the file fails), and against a real server, cell by cell, each on a store as it was in the beginning. Besides:
//! what is done leaves the entries and messages that `changes.txt` says ([`changes`]), what is refused changes nothing, a refusal does not tell what is there from what is not, and no answer names what is in
//! a place that the asker does not reach.

mod changes;
mod file;
mod requests;
mod rules;
mod town;

use crate::world::{Browser, operation, operations};
use axum::http::Method;
use file::Expected;
use requests::{Asked, Body};
use rules::{OPERATIONS, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use town::{Place, Town, Who};

const SOCKETS: [&str; 2] = ["GET /api/v1/app/socket", "GET /api/v1/panel/socket"];

fn expected() -> Expected {
    let mut expected =
        file::parse(include_str!("matrix.txt")).unwrap_or_else(|wrong| panic!("matrix.txt, {wrong}"));
    file::with_programs(&mut expected);
    expected
}

#[test]
fn matrix_file_names_every_operation_and_no_other() {
    let of_document = operations().into_iter().map(|(method, path)| format!("{method} {path}"));
    let there: BTreeSet<String> = of_document.chain(SOCKETS.map(str::to_owned)).collect();
    let in_file: BTreeSet<String> = expected().into_keys().collect();
    let in_rules: BTreeSet<String> = OPERATIONS.iter().map(|operation| operation.head.to_owned()).collect();
    for (what, known) in [("matrix.txt", in_file), ("rules.rs", in_rules)] {
        let missing: Vec<_> = there.difference(&known).collect();
        let gone: Vec<_> = known.difference(&there).collect();
        assert!(missing.is_empty() && gone.is_empty(), "{what} lacks {missing:#?}, and names {gone:#?}");
    }
}

#[test]
fn matrix_no_program_is_let_in_where_access_is_given() {
    let mut open = 0;
    for operation in OPERATIONS {
        let path = operation.head.split_once(' ').unwrap().1;
        let lets_in = rules::is_open_to_tokens(operation.head);
        let for_people = rules::FOR_PEOPLE.iter().any(|begin| path.starts_with(begin));
        assert!(!(lets_in && for_people), "{}", operation.head);
        open += u32::from(lets_in);
    }
    assert!(open > 30, "only {open} operations are open to programs");
}

#[test]
fn matrix_file_says_what_follows_from_the_rights() {
    let expected = expected();
    let mut faults = Vec::new();
    for operation in OPERATIONS {
        let lines = &expected[operation.head];
        let rows: BTreeSet<Row> = operation.rows().into_iter().collect();
        assert_eq!(lines.keys().copied().collect::<BTreeSet<_>>(), rows, "{}", operation.head);
        for row in rows {
            let derived = operation.expected(row);
            for (who, said) in &lines[&row] {
                if *said != derived[who] {
                    let (row, who) = (row.name(), who.name());
                    let right = &derived[&Who::ALL.into_iter().find(|one| one.name() == who).unwrap()];
                    faults.push(format!("{} | {row} | {who}: {said}, by right {right}", operation.head));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} cells:\n{}", faults.len(), faults.join("\n"));
}

/// An answer as it is compared.
struct Got {
    /// `ok`, or the problem's code.
    word: String,
    body: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_every_cell_is_answered_as_the_file_says() {
    let (expected, town) = (expected(), Town::build().await);
    let browser = town.world.browser();
    let (changes, beginning) = (changes::Changes::read(), town.left().await);
    let (mut faults, mut cells, mut address) = (Vec::new(), 0, 0_u32);
    let mut version = town.version().await;
    for (head, lines) in &expected {
        // by principal and code: all bodies are one
        let mut refusals: BTreeMap<(Who, String), (Row, String)> = BTreeMap::new();
        for (row, answers) in lines {
            for (who, said) in answers {
                cells += 1;
                // whoever has no name is counted by address: each asks from one of their own
                let fresh = who.signed_in() == (said == "not_signed_in") || said == "ok";
                let alone = fresh && !head.contains("socket") && LIMITED.contains(&head.as_str());
                address += u32::from(alone);
                let own = alone.then(|| {
                    let address = Ipv4Addr::from(Ipv4Addr::new(127, 1, 0, 0).to_bits() + address * 256 + 1);
                    Browser::at(address.octets(), town.world.running.address)
                });
                let got = ask(own.as_ref().unwrap_or(&browser), head, *row, *who, &town).await;
                town.settled().await;
                let cell = format!("{head} | {} | {}", row.name(), who.name());
                if got.word != *said {
                    faults.push(format!("{cell}: expected {said}, got {}: {:.200}", got.word, got.body));
                }
                let now = town.version().await;
                let left =
                    if now == version { town::Left::default() } else { town.left().await.since(&beginning) };
                if got.word == "ok" {
                    let wrong = changes.faults(head, *who, &town, &left);
                    faults.extend(wrong.into_iter().map(|what| format!("{cell}: {what}")));
                }
                if now != version {
                    if got.word != "ok" {
                        faults.push(format!("{cell}: refused, and the store changed"));
                    }
                    town.put_back().await;
                    version = town.version().await;
                }
                // who holds a link becomes the person, and a guest's link says which doors it opens
                if !["POST /api/v1/invitations/accept", "POST /api/v1/guest/look"].contains(&head.as_str()) {
                    faults
                        .extend(leaks(&town, *who, &got.body).map(|what| format!("{cell}: tells of {what}")));
                }
                if got.word == "ok" {
                    continue;
                }
                match refusals.get(&(*who, got.word.clone())) {
                    Some((before, body))
                        if *body != got.body && !["invalid", "in_use"].contains(&got.word.as_str()) =>
                    {
                        let before = before.name();
                        faults.push(format!("{cell}: says otherwise than {before}: {body} | {}", got.body));
                    }
                    Some(_) => {}
                    None => drop(refusals.insert((*who, got.word), (*row, got.body))),
                }
            }
        }
    }
    assert!(cells > 2_000, "only {cells} cells");
    assert!(faults.is_empty(), "{} of {cells} cells:\n{}", faults.len(), faults.join("\n"));
    town.world.running.stop().await;
}

/// What is limited for each address.
const LIMITED: [&str; 5] = [
    "POST /api/v1/session",
    "POST /api/v1/setup/claim",
    "POST /api/v1/invitations/look",
    "POST /api/v1/invitations/accept",
    "POST /api/v1/panel-pairings",
];

async fn ask(browser: &Browser, head: &str, row: Row, who: Who, town: &Town) -> Got {
    let Asked { method, path, body } = requests::of(head, row, town);
    let mut request = browser.http.request(method.clone(), browser.url(&path));
    for (name, value) in requests::proof(who, town) {
        request = request.header(name, value);
    }
    if SOCKETS.contains(&head) {
        request = request.header("connection", "upgrade").header("upgrade", "websocket");
        request = request
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "MDEyMzQ1Njc4OWFiY2RlZg==");
    }
    if method != Method::GET || SOCKETS.contains(&head) {
        request = request.header("origin", &browser.base);
    }
    request = match body {
        Body::Nothing => request,
        Body::Json(body) => request.json(&body),
        Body::File(text) => request.header("content-type", "application/octet-stream").body(text),
    };
    if SOCKETS.contains(&head) {
        let answer = request.send().await.unwrap();
        if answer.status() == 101 {
            return Got { word: "ok".into(), body: String::new() };
        }
        let body = answer.text().await.unwrap();
        return Got { word: code(&body), body };
    }
    let template = path.split('?').next().unwrap_or_default();
    let answer = request.send().await.unwrap();
    let (status, problem) = (
        answer.status(),
        answer.headers().get("content-type").is_some_and(|kind| kind == "application/problem+json"),
    );
    let body = answer.text().await.unwrap();
    let documented = &operation(&method, template).unwrap()["responses"][status.as_str()];
    let word = match (documented.is_object(), status.is_success(), problem) {
        (false, ..) => format!("{status}, not documented"),
        (_, true, false) => "ok".to_owned(),
        (_, false, true) => code(&body),
        _ => format!("{status}, another content type"),
    };
    Got { word, body }
}

fn code(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    body["code"].as_str().unwrap_or("no problem").to_owned()
}

/// Ids in an answer of what the asker does not reach.
fn leaks<'a>(town: &'a Town, who: Who, body: &'a str) -> impl Iterator<Item = String> + 'a {
    let reached: &[Place] = match who {
        Who::Manager | Who::FullToken => &[Place::A, Place::B],
        Who::Neighbour => &[Place::Other],
        Who::Anonymous | Who::Operator | Who::Ended | Who::Unbound | Who::OrphanToken => &[],
        _ => &[Place::A],
    };
    let hidden = Place::ALL.into_iter().filter(|place| *place != Place::None && !reached.contains(place));
    hidden.flat_map(move |place| {
        let there = town.places[&place].iter().filter(|(_, id)| body.contains(&id.to_string()));
        there.map(move |(name, _)| format!("the {name} in {}", place.name()))
    })
}
