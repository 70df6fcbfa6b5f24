//! Doors: who opens which, how often, and who hears of it.

use crate::support::app::App;
use crate::support::door::told;
use crate::support::house::House;
use crate::support::panel::{Panel, request};
use klinke_model::door::{DoorKind, DoorMode};
use klinke_model::ids::CallId;
use klinke_model::intercom::EndReason;
use klinke_wire::app::{AppCallState, AppEvent};
use klinke_wire::common::{ErrorCode, OpeningState, RefusalCode};
use klinke_wire::controller::ControllerEvent;

const fn refused(reason: RefusalCode) -> OpeningState {
    OpeningState::Refused { reason }
}

const OPEN: OpeningState = OpeningState::Open { for_ms: 1_000 };

/// Both Nguyens are rung from the entrance.
async fn two_are_rung(house: &House) -> (Panel, App, App, CallId) {
    let (mut panel, mut linh, mut anh) =
        (house.panel().await, house.app("linh").await, house.app("anh").await);
    let call = panel.ring(house.plan.bell("Nguyen")).await.call;
    assert_eq!((linh.rung().await.call, anh.rung().await.call), (call, call));
    (panel, linh, anh, call)
}

#[tokio::test]
async fn one_tap_opens_while_it_rings_and_ends_the_call() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (mut panel, mut linh, mut anh, call) = two_are_rung(&house).await;
    assert_eq!(linh.open_door(house.plan.front, Some(call)).await, OPEN);
    assert_eq!(panel.opened().await, OPEN);
    assert_eq!(panel.ended(call).await, EndReason::Opened);
    assert_eq!(linh.ended(call).await, EndReason::Opened);
    assert_eq!(
        anh.state(call).await,
        AppCallState::Elsewhere { by: crate::world::label("linh"), opened: true }
    );
    assert_eq!((controller.releases.of(0), controller.releases.count()), (1, 1));
    controller.stop().await;
}

#[tokio::test]
async fn who_talks_opens_and_goes_on_talking() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (mut panel, mut linh, mut anh, call) = two_are_rung(&house).await;
    linh.answer(call).await;
    anh.state(call).await;
    assert_eq!(linh.open_door(house.plan.front, Some(call)).await, OPEN);
    assert_eq!(panel.opened().await, OPEN);
    linh.hang_up(call).await;
    assert_eq!(panel.ended(call).await, EndReason::ResidentHungUp);
    anh.open(request(), house.plan.front, Some(call)).await;
    assert_eq!(anh.error().await, ErrorCode::NotFound, "she did not answer");
    assert_eq!(controller.releases.of(0), 1);
}

#[tokio::test]
async fn the_list_opens_what_is_on_it() {
    let house = House::new().await;
    let controller = house.controller().await;
    let mut ingrid = house.app("ingrid").await;
    let listed: Vec<_> = ingrid.doors.iter().map(|door| door.door).collect();
    for door in [house.plan.front, house.plan.gate, house.plan.garage] {
        assert!(listed.contains(&door));
        assert_eq!(ingrid.open_door(door, None).await, OPEN);
    }
    assert_eq!(listed.len(), 3);
    assert!(ingrid.doors.iter().all(|door| door.state.is_some_and(|state| state.mode == DoorMode::Locked)));
    assert_eq!([0, 1, 2, 3].map(|output| controller.releases.of(output)), [1, 1, 1, 0]);
}

#[tokio::test]
async fn a_repeated_tap_is_one_opening() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (mut panel, mut linh, _anh, call) = two_are_rung(&house).await;
    linh.answer(call).await;
    for in_call in [None, Some(call)] {
        let (before, tap) = (controller.releases.of(0), request());
        for _ in 0..3 {
            linh.open(tap, house.plan.front, in_call).await;
        }
        let first = linh.opened(tap).await;
        linh.open(tap, house.plan.front, in_call).await;
        let again = linh.opened(tap).await;
        assert_eq!((first.state, again.state), (OPEN, OPEN), "{in_call:?}");
        assert_eq!(first.opening, again.opening);
        assert_eq!(controller.releases.of(0), before + 1, "{in_call:?}");
    }
    assert_eq!(panel.opened().await, OPEN);
    assert_ne!(linh.open_door(house.plan.front, None).await, OpeningState::Sending);
    assert_eq!(controller.releases.of(0), 3, "another tap is another opening");
}

#[tokio::test]
async fn a_phone_that_reloads_hears_what_became_of_its_tap() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (mut panel, phone) = (house.panel().await, house.phone("kari").await);
    let mut kari = phone.connect(house.at()).await;
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    let tap = request();
    kari.open(tap, house.plan.front, Some(call)).await;
    assert_eq!(panel.ended(call).await, EndReason::Opened);
    drop(kari);
    let mut kari = phone.connect(house.at()).await;
    kari.open(tap, house.plan.front, Some(call)).await;
    assert_eq!(kari.opened(tap).await.state, OPEN);
    assert_eq!(controller.releases.count(), 1);
}

#[tokio::test]
async fn a_door_that_is_not_ones_own_is_refused() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (mut panel, mut linh, _anh, call) = two_are_rung(&house).await;
    let unknown = klinke_model::ids::DoorId(klinke_model::ids::v4([9; 16]));
    for door in [house.plan.garage, house.plan.boiler, unknown] {
        assert_eq!(linh.open_door(door, None).await, refused(RefusalCode::NotAllowed), "from the list");
    }
    linh.answer(call).await;
    // the boiler room is the panel's but not hers; the gate is hers but not the panel's
    for door in [house.plan.boiler, house.plan.gate, house.plan.garage, unknown] {
        assert_eq!(linh.open_door(door, Some(call)).await, refused(RefusalCode::NotAllowed), "from the call");
    }
    assert_eq!(controller.releases.count(), 0);
    assert_eq!(linh.open_door(house.plan.front, Some(call)).await, OPEN);
    // the panel heard of the boiler room, which it offers, and never that anything opened before the door did
    assert_eq!(panel.opened().await, refused(RefusalCode::NotAllowed));
    assert_eq!(panel.opened().await, OPEN);
}

#[tokio::test]
async fn another_household_opens_nothing_from_a_call_that_is_not_theirs() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (_panel, _linh, _anh, call) = two_are_rung(&house).await;
    let mut kari = house.app("kari").await;
    kari.open(request(), house.plan.front, Some(call)).await;
    assert_eq!(kari.error().await, ErrorCode::NotFound);
    assert_eq!(controller.releases.count(), 0);
}

#[tokio::test]
async fn a_suspended_person_opens_nothing_and_is_not_rung() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (mut panel, mut linh, mut anh, call) = two_are_rung(&house).await;
    linh.answer(call).await;
    let people = house.node().store.people();
    assert!(people.set_active(&house.scope(), house.plan.person("linh"), false).await.unwrap());
    for in_call in [None, Some(call)] {
        assert_eq!(linh.open_door(house.plan.front, in_call).await, refused(RefusalCode::Suspended));
    }
    assert_eq!(controller.releases.count(), 0);
    panel.hang_up(call).await;
    panel.ended(call).await;
    let next = panel.ring(house.plan.bell("Nguyen")).await.call;
    assert_eq!(anh.rung().await.call, next);
    linh.ended(call).await;
    let told = linh.socket.before_pong().await;
    assert!(!told.iter().any(|event| matches!(event, AppEvent::Ring { .. })), "{told:?}");
}

#[tokio::test]
async fn without_its_controller_a_door_does_not_open_later_either() {
    let house = House::new().await;
    let mut kari = house.app("kari").await;
    assert_eq!(kari.open_door(house.plan.front, None).await, refused(RefusalCode::Offline));
    let mut controller = house.controller().await;
    assert_eq!(controller.releases.count(), 0, "nothing waited for it");
    controller.cut().await;
    kari.socket
        .expect("a door without state", |event| match event {
            AppEvent::Door { door } if door.door == house.plan.front && door.state.is_none() => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(kari.open_door(house.plan.front, None).await, refused(RefusalCode::Offline));
    assert_eq!(controller.releases.count(), 0);
}

#[tokio::test]
async fn a_door_without_a_controller_says_so() {
    let house = House::new().await;
    let door = klinke_model::ids::DoorId(klinke_model::ids::v4([9; 16]));
    let cellar = klinke_model::door::Door {
        id: door,
        building: house.plan.building,
        name: crate::world::label("Cellar"),
        controller: None,
        output: 0,
        times: klinke_model::door::DoorTimes::default(),
        kind: DoorKind::Door,
    };
    let doors = house.node().store.doors();
    assert!(doors.insert_door(&house.scope(), &house.node().stamp(), cellar, false).await.unwrap());
    assert!(doors.give_unit_door(&house.scope(), house.plan.unit("Dahl"), door).await.unwrap());
    let mut kari = house.app("kari").await;
    assert_eq!(kari.open_door(door, None).await, refused(RefusalCode::NoController));
}

#[tokio::test]
async fn a_controller_that_never_answers_lets_the_command_die() {
    let house = House::new().await;
    let mut mute = house.plan.controller.mute(house.running.controllers).await;
    let (mut panel, mut linh, _anh, call) = two_are_rung(&house).await;
    let tap = request();
    linh.open(tap, house.plan.front, Some(call)).await;
    let command = told(&mut mute).await;
    assert!(matches!(command, ControllerEvent::Open { door, .. } if door == house.plan.front), "{command:?}");
    assert_eq!(panel.opening().await.state, OpeningState::Sending, "sent is not open");
    assert_eq!(linh.opened(tap).await.state, refused(RefusalCode::Expired));
    assert_eq!(panel.opened().await, refused(RefusalCode::Expired));
}

#[tokio::test]
async fn the_panel_is_told_of_an_opening_after_the_controller_only() {
    let house = House::new().await;
    let mut mute = house.plan.controller.mute(house.running.controllers).await;
    let (mut panel, mut linh, _anh, call) = two_are_rung(&house).await;
    linh.open(request(), house.plan.front, Some(call)).await;
    let ControllerEvent::Open { opening, not_after, .. } = told(&mut mute).await else {
        panic!("no command")
    };
    let heard = panel.socket.before_pong().await;
    let early = heard.iter().any(|event| format!("{event:?}").contains("state: Open"));
    assert!(!early, "{heard:?}");
    mute.send(&klinke_wire::controller::ControllerRequest::Outcome {
        mono: not_after,
        opening,
        outcome: klinke_wire::controller::Outcome::Opened { for_ms: 1_000 },
    })
    .await
    .unwrap();
    assert_eq!(panel.opened().await, OPEN);
}

#[tokio::test]
async fn nobody_is_shown_that_somebody_else_opened() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (mut ingrid, mut per, mut kari) =
        (house.app("ingrid").await, house.app("per").await, house.app("kari").await);
    assert_eq!(ingrid.open_door(house.plan.front, None).await, OPEN);
    controller.locked().await;
    // every report that this made has come by the time that the controller's next one is known
    assert_eq!(ingrid.open_door(house.plan.garage, None).await, OPEN);
    for other in [&mut per, &mut kari] {
        let told = other.socket.before_pong().await;
        assert!(told.is_empty(), "{told:?}");
    }
    let told = ingrid.socket.before_pong().await;
    assert!(!told.iter().any(|event| matches!(event, AppEvent::Door { .. })), "{told:?}");
}
