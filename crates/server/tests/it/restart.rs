//! `kill -9` in the middle of a call and of an opening: the program comes back by itself, and so do its clients.

use crate::desk_phone::{give, id, registered};
use crate::support::app::Phone;
use crate::support::desk_phone::DeskPhone;
use crate::support::door::told;
use crate::support::house::House;
use crate::support::panel::{PanelKey, request};
use crate::support::process::Place;
use crate::support::trunk::free_port;
use crate::support::{PATIENCE, until};
use crate::world::{Browser, MANAGER, sign_in};
use klinke_model::intercom::EndReason;
use klinke_wire::common::{OpeningState, RefusalCode};
use klinke_wire::controller::ControllerEvent;
use klinke_wire::panel::PanelCallState;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

#[tokio::test]
async fn killed_while_it_rings_and_opens_it_comes_back_with_all_that_it_acknowledged() {
    let (folder, plan) = House::new().await.stop().await;
    let place = Place::new(&folder.path().join("data"), &folder.path().join("log"), "info");
    let server = place.serve().await;
    let at = server.at;

    // acknowledged: sign-ins and a pairing; the last of each right before the end
    let manager = Browser::at([127, 0, 0, 1], at);
    assert_eq!(manager.post("/api/v1/session", sign_in(MANAGER, crate::world::PASSWORD)).await.status, 201);
    let (kari, nora) = (Phone::sign_in(at, "kari", "Phone").await, Phone::sign_in(at, "nora", "Phone").await);
    let mut mute = plan.controller.mute(server.controllers).await;
    let (mut entrance, mut gate) = (plan.entrance_panel.connect(at).await, plan.gate_panel.connect(at).await);
    let (mut kari_app, mut nora_app) = (kari.connect(at).await, nora.connect(at).await);
    let ringing = entrance.ring(plan.bell("Berg")).await.call;
    nora_app.rung().await;
    let talking = gate.ring(plan.gate_bell("Dahl")).await.call;
    kari_app.rung().await;
    kari_app.answer(talking).await;
    let late = Phone::sign_in(at, "emil", "Phone").await;
    let garden = PanelKey::pair(&manager, plan.building, "Garden", &[plan.front]).await;
    // one opening is on its way to a controller that will not live to carry it out
    let tap = request();
    kari_app.open(tap, plan.gate, Some(talking)).await;
    assert!(matches!(told(&mut mute).await, ControllerEvent::Open { .. }));
    server.kill();
    drop(mute);
    for end in
        [entrance.socket.closed().await.0, gate.socket.closed().await.0, kari_app.socket.closed().await.0]
    {
        assert_eq!(end, None, "there was no goodbye");
    }

    let server = place.serve().await;
    println!("ready {} ms after its start", server.ready_after.as_millis());
    let controller = plan.controller.start(server.controllers);
    for (panel, call) in [(&plan.entrance_panel, ringing), (&plan.gate_panel, talking)] {
        let mut panel = panel.connect(at).await;
        assert_eq!(panel.call, None, "no ghost call");
        panel.hang_up(call).await;
        assert_eq!(panel.error().await, klinke_wire::common::ErrorCode::NotFound);
    }
    for phone in [&kari, &nora, &late] {
        let app = phone.connect(at).await;
        assert!(app.calls.is_empty(), "no ghost call: {:?}", app.calls);
    }
    garden.connect(at).await;
    assert_eq!(manager.get("/api/v1/session").await.status, 200);
    assert_eq!(controller.releases.count(), 0, "nothing opens by itself");

    // and life goes on
    let (mut panel, mut app) = (plan.entrance_panel.connect(at).await, kari.connect(at).await);
    let call = panel.ring(plan.bell("Dahl")).await.call;
    assert_eq!(app.rung().await.call, call);
    let opened = async {
        loop {
            // until the controller has dialled again
            match app.open_door(plan.front, Some(call)).await {
                OpeningState::Refused { reason: RefusalCode::Offline } => tokio::task::yield_now().await,
                done => return done,
            }
        }
    };
    let opened = tokio::time::timeout(PATIENCE, opened).await.unwrap();
    assert_eq!(opened, OpeningState::Open { for_ms: 1_000 });
    assert_eq!((controller.releases.of(0), controller.releases.count()), (1, 1));
    until("the lock locked", || {
        std::fs::read_to_string(plan.controller.state.join("outputs/0")).unwrap() == "locked\n"
    })
    .await;
}

/// A phone asks for its registration anew within this, as it is set up (60 s).
const ANEW: Duration = Duration::from_secs(100);

#[tokio::test]
async fn killed_it_knows_of_no_desk_phone_until_that_registers_anew_by_itself_and_rings() {
    let listen = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let house = House::with(|config| config.stations.listen = Some(listen)).await;
    let given = give(&house, "kari").await;
    let mut phone = DeskPhone::start("udp", &given).await;
    registered(&house, &given, true).await;
    let (folder, plan) = house.stop().await;
    // gone and back, and killed: it is told neither
    let place = Place::new(&folder.path().join("data"), &folder.path().join("log"), "info")
        .with([("KLINKE_STATIONS__LISTEN", listen.to_string()), ("KLINKE_STATIONS__DIGESTS", "md5".into())]);
    place.serve().await.kill();
    let server = place.serve().await;

    let manager = Browser::at([127, 0, 0, 1], server.at);
    assert_eq!(manager.post("/api/v1/session", sign_in(MANAGER, crate::world::PASSWORD)).await.status, 201);
    let path = format!("/api/v1/people/{}/sip-devices", plan.person("kari"));
    let is_registered = async || {
        let listed: Value = manager.get(&path).await.json();
        assert_eq!(listed[0]["id"], id(&given).to_string());
        listed[0]["registered"].as_bool().unwrap()
    };
    assert!(!is_registered().await, "nothing of who was there is kept");
    let mut panel = plan.entrance_panel.connect(server.at).await;
    let call = panel.ring(plan.bell("Dahl")).await;
    assert_eq!(call.state, PanelCallState::Ended { reason: EndReason::Unreachable });
    let again = async {
        while !is_registered().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(ANEW, again).await.expect("a registration anew");
    // who waited that long without a word was closed
    let mut panel = plan.entrance_panel.connect(server.at).await;
    let call = panel.ring(plan.bell("Dahl")).await.call;
    phone.rung().await;
    phone.pick_up().await;
    panel.connected().await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    phone.says("session closed").await;
}
