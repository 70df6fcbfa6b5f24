//! What goes wrong at the doors, from the wire to the administrator: the real server, the real link, the real doors; with the
//! link cut and the controller killed in between.

use crate::support::door::{Controller, told};
use crate::support::house::House;
use crate::support::until;
use crate::testing::TestClock;
use crate::world::PASSWORD;
use klinke_model::alarm::AlarmKind;
use klinke_model::door::DoorPosition;
use klinke_model::ids::{DoorId, JournalId, v4};
use klinke_model::news::{News, NewsEntry, Raised};
use klinke_model::time::Timestamp;
use klinke_server::config::{Mail, MailTls};
use klinke_server::jobs;
use klinke_server::random::Random;
use klinke_wire::controller::{ControllerEvent, ControllerRequest, StandingAlarms};
use serde_json::{Value, json};
use std::time::Duration;

/// The house's front door.
const FRONT: u16 = 0;

async fn alarms(house: &House) -> Value {
    let answer = house.manager.get(&format!("/api/v1/buildings/{}/alarms", house.plan.building)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}
fn kinds(page: &Value) -> Vec<(&str, bool)> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|alarm| (alarm["kind"].as_str().unwrap(), alarm.get("ended").is_none())).collect()
}
/// Waits until nothing waits for the server any more.
async fn noted(controller: &Controller) {
    until("everything is noted", || controller.journal.waiting().is_empty()).await;
}
fn raised(seq: u64, kind: AlarmKind, door: Option<DoorId>) -> NewsEntry {
    let at = Timestamp::from_millis(1_700_000_000_000);
    NewsEntry { seq, at, trusted: false, what: News::Raised(Raised { kind, door, part: None }) }
}

#[tokio::test]
async fn a_door_that_is_forced_while_the_link_is_down_is_one_alarm_whatever_dies_in_between() {
    let house = House::new().await;
    let mut controller = house.controller().await;
    controller.leaf(FRONT, DoorPosition::Closed).await;
    controller.cut().await;
    controller.leaf(FRONT, DoorPosition::Open).await;
    until("it is journalled", || controller.journal.waiting().len() == 1).await;
    controller.journal.settled().await;
    assert_eq!(kinds(&alarms(&house).await), []);
    // killed, and started where nobody is to be dialled
    drop(controller);
    let nobody = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let alone = house.plan.controller.start(nobody);
    assert_eq!(alone.journal.waiting().len(), 1);
    alone.leaf(FRONT, DoorPosition::Open).await;
    drop(alone);

    for _ in 0..3 {
        let controller = house.controller().await;
        noted(&controller).await;
        assert_eq!(kinds(&alarms(&house).await), [("forced_open", true)]);
        // killed in the middle of everything
        drop(controller);
    }
    let page = alarms(&house).await;
    assert_eq!((&page["standing"], &page["unseen"]), (&json!(1), &json!(0)));
    assert_eq!(page["items"][0]["door"]["name"], "Front");
    assert_eq!(page["items"][0]["began"]["about"], false);

    let controller = house.controller().await;
    controller.leaf(FRONT, DoorPosition::Closed).await;
    // with a link it may be noted before anybody can see it in the journal
    let over = async {
        loop {
            let page = alarms(&house).await;
            if kinds(&page) == [("forced_open", false)] {
                break page;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let page = tokio::time::timeout(Duration::from_secs(20), over).await.expect("it is over");
    assert_eq!((&page["standing"], &page["unseen"]), (&json!(0), &json!(1)));

    let seen = format!("/api/v1/alarms/{}/seen", page["items"][0]["id"].as_str().unwrap());
    let seen = house.manager.post(&seen, json!({})).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert!(seen.json()["seen_by"].is_string(), "{seen:?}");
    assert_eq!(alarms(&house).await["unseen"], 0);
    controller.stop().await;
}

#[tokio::test]
async fn an_alarm_whose_end_a_restored_backup_forgot_is_over_when_its_controller_comes_back() {
    let house = House::new().await;
    let (controller, server) = (&house.plan.controller, house.running.controllers);
    let journal = JournalId(v4([3; 16]));
    let entries = vec![raised(1, AlarmKind::Mains, None), raised(2, AlarmKind::Fire, None)];
    let mut mute = controller.mute(server).await;
    mute.send(&ControllerRequest::News { journal, entries }).await.unwrap();
    told(&mut mute).await;
    let standing = async || {
        let page = alarms(&house).await;
        let items = page["items"].as_array().unwrap().iter().filter(|alarm| alarm.get("ended").is_none());
        let mut kinds: Vec<String> = items.map(|alarm| alarm["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    };
    // one that does not say what stands ends nothing
    drop(controller.mute(server).await);
    assert_eq!(standing().await, ["fire", "mains"]);
    // the rest of the journal, with the end of the first, was noted by the server that was
    let there = StandingAlarms { journal, noted: 3, alarms: vec![2] };
    drop(controller.mute_with(server, None, Some(there)).await);
    assert_eq!(standing().await, ["fire"]);
}

#[tokio::test]
async fn news_by_hand_are_kept_once_however_often_they_come_and_other_doors_are_refused() {
    let house = House::new().await;
    let (_, foreign, _) = house.neighbours().await;
    let mut mute = house.plan.controller.mute(house.running.controllers).await;
    let journal = JournalId(v4([3; 16]));
    let entries = [
        raised(1, AlarmKind::ForcedOpen, Some(house.plan.front)),
        raised(2, AlarmKind::ForcedOpen, Some(foreign)),
        raised(3, AlarmKind::WrongCodes, Some(house.plan.gate)),
    ];
    for _ in 0..3 {
        for part in [&entries[..1], &entries[..], &entries[1..2], &entries[2..]] {
            mute.send(&ControllerRequest::News { journal, entries: part.to_vec() }).await.unwrap();
            let noted = told(&mut mute).await;
            assert!(
                matches!(noted, ControllerEvent::Noted { journal: of, .. } if of == journal),
                "{noted:?}"
            );
        }
    }
    let page = alarms(&house).await;
    assert_eq!(kinds(&page), [("forced_open", true), ("wrong_codes", false)]);
    assert_eq!(page["items"][0]["began"], json!({ "at": 1_700_000_000_000_i64, "about": true }));
    let by_page = format!("/api/v1/buildings/{}/alarms?limit=1", house.plan.building);
    let first = house.manager.get(&by_page).await.json();
    let next = format!("{by_page}&cursor={}", first["next"].as_str().unwrap());
    let second = house.manager.get(&next).await.json();
    assert_eq!((kinds(&second), second.get("next")), (vec![("wrong_codes", false)], None));
    assert_eq!(house.manager.get(&format!("{by_page}&cursor=nonsense")).await.status, 422);
}

#[tokio::test]
async fn one_mail_tells_of_all_that_began_within_a_minute_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, mails) = (TestClock::new(), folder.path().to_owned());
    let mail = Mail {
        host: String::new(),
        port: None,
        tls: MailTls::None,
        user: None,
        password: None,
        from: "Klinke <klinke@klinke.example>".into(),
        authority: None,
        folder: Some(mails.clone()),
    };
    let house =
        House::build(|config| config.mail = Some(mail), clock.clone(), Random::system(), str::to_owned).await;
    let version = house.manager.get("/api/v1/me").await.json()["version"].clone();
    let reached = json!({ "version": version, "email": "manager@example.org", "password": PASSWORD });
    assert_eq!(house.manager.patch("/api/v1/me", reached).await.status, 200);
    let switch = format!("/api/v1/buildings/{}/alarm-mail", house.plan.building);
    assert_eq!(house.manager.put(&switch, json!({ "mail": true })).await.status, 200);
    assert_eq!(alarms(&house).await["mail"], true);

    let mut mute = house.plan.controller.mute(house.running.controllers).await;
    let journal = JournalId(v4([3; 16]));
    for entry in [
        raised(1, AlarmKind::ForcedOpen, Some(house.plan.garage)),
        raised(2, AlarmKind::HeldOpen, Some(house.plan.gate)),
    ] {
        mute.send(&ControllerRequest::News { journal, entries: vec![entry] }).await.unwrap();
        told(&mut mute).await;
    }
    jobs::round(house.node()).await.unwrap();
    assert_eq!(std::fs::read_dir(&mails).unwrap().count(), 0, "it gathers for a minute");
    clock.advance(Duration::from_secs(61));
    for _ in 0..3 {
        jobs::round(house.node()).await.unwrap();
    }
    let sent: Vec<_> = std::fs::read_dir(&mails).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(sent.len(), 1);
    let text = std::fs::read_to_string(&sent[0]).unwrap();
    for said in ["Garage: ", "Gate: ", "manager@example.org", "Storgata 12", "/alarms"] {
        assert!(text.contains(said), "{said} in {text}");
    }
}
