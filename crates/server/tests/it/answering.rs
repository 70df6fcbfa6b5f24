//! A call from its answer to its end, on every screen.

use crate::support::app::App;
use crate::support::house::House;
use crate::support::panel::{Panel, request};
use crate::world::label;
use klinke_model::ids::CallId;
use klinke_model::intercom::EndReason;
use klinke_wire::app::{AppCallState, AppEvent};
use klinke_wire::common::ErrorCode;
use klinke_wire::panel::PanelCallState;

/// Both Nguyens are rung from the entrance.
async fn two_are_rung(house: &House) -> (Panel, App, App, CallId) {
    let (mut panel, mut linh, mut anh) =
        (house.panel().await, house.app("linh").await, house.app("anh").await);
    let call = panel.ring(house.plan.bell("Nguyen")).await.call;
    assert_eq!((linh.rung().await.call, anh.rung().await.call), (call, call));
    (panel, linh, anh, call)
}

/// Kari talks with the visitor at the entrance.
async fn kari_talks(house: &House) -> (Panel, App, CallId) {
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    kari.answer(call).await;
    panel.connected().await;
    (panel, kari, call)
}

#[tokio::test]
async fn the_others_are_told_who_answered_and_can_not_answer_too() {
    let house = House::new().await;
    let (mut panel, mut linh, mut anh, call) = two_are_rung(&house).await;
    linh.answer(call).await;
    let elsewhere = AppCallState::Elsewhere { by: label("linh"), opened: false };
    assert_eq!(anh.state(call).await, elsewhere);
    anh.accept(call).await;
    assert_eq!(anh.error().await, ErrorCode::NotFound, "the call is no more hers");
    let connected = panel.connected().await;
    assert!(
        matches!(connected.state, PanelCallState::Connected { left_ms: 100_000..=120_000 }),
        "{connected:?}"
    );
    let told = linh.socket.before_pong().await;
    assert!(told.is_empty(), "the first answer stands: {told:?}");
}

#[tokio::test]
async fn of_two_answers_at_once_one_counts() {
    let house = House::new().await;
    let (mut panel, mut linh, mut anh, call) = two_are_rung(&house).await;
    tokio::join!(linh.accept(call), anh.accept(call));
    let states = [linh.state(call).await, anh.state(call).await];
    let talking = states.iter().filter(|state| matches!(state, AppCallState::Connected { .. })).count();
    let elsewhere = states.iter().filter(|state| matches!(state, AppCallState::Elsewhere { .. })).count();
    assert_eq!((talking, elsewhere), (1, 1), "{states:?}");
    panel.connected().await;
}

#[tokio::test]
async fn when_all_decline_the_visitor_is_told() {
    let house = House::new().await;
    let (mut panel, mut linh, mut anh, call) = two_are_rung(&house).await;
    linh.decline(call).await;
    anh.decline(call).await;
    assert_eq!(panel.ended(call).await, EndReason::Declined);
}

#[tokio::test]
async fn nobody_answers() {
    let house = House::with(|config| config.calls.ring_s = 1).await;
    let (mut panel, mut linh, mut anh, call) = two_are_rung(&house).await;
    assert_eq!(panel.ended(call).await, EndReason::NoAnswer);
    assert_eq!((linh.ended(call).await, anh.ended(call).await), (EndReason::NoAnswer, EndReason::NoAnswer));
}

#[tokio::test]
async fn nobody_can_be_reached() {
    let house = House::new().await;
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert_eq!(call.state, PanelCallState::Ended { reason: EndReason::Unreachable });
}

#[tokio::test]
async fn the_time_to_talk_ends() {
    let house = House::with(|config| config.calls.talk_s = 1).await;
    let (mut panel, mut kari, call) = kari_talks(&house).await;
    assert_eq!(panel.ended(call).await, EndReason::TimeLimit);
    assert_eq!(kari.ended(call).await, EndReason::TimeLimit);
}

#[tokio::test]
async fn the_visitor_hangs_up_while_it_rings_and_while_they_talk() {
    let house = House::new().await;
    let (mut panel, mut linh, mut anh, call) = two_are_rung(&house).await;
    panel.hang_up(call).await;
    assert_eq!(panel.ended(call).await, EndReason::VisitorLeft);
    assert_eq!(
        (linh.ended(call).await, anh.ended(call).await),
        (EndReason::VisitorLeft, EndReason::VisitorLeft)
    );
    drop(panel);
    let (mut panel, mut kari, call) = kari_talks(&house).await;
    panel.hang_up(call).await;
    assert_eq!(
        (panel.ended(call).await, kari.ended(call).await),
        (EndReason::VisitorLeft, EndReason::VisitorLeft)
    );
}

#[tokio::test]
async fn the_resident_hangs_up() {
    let house = House::new().await;
    let (mut panel, mut kari, call) = kari_talks(&house).await;
    kari.hang_up(call).await;
    assert_eq!(kari.ended(call).await, EndReason::ResidentHungUp);
    assert_eq!(panel.ended(call).await, EndReason::ResidentHungUp);
    kari.hang_up(call).await;
    assert_eq!(kari.error().await, ErrorCode::NotFound, "it is over");
    panel.hang_up(call).await;
    assert_eq!(panel.error().await, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_phone_that_vanishes_while_talking_interrupts_the_call() {
    let house = House::new().await;
    let (mut panel, kari, call) = kari_talks(&house).await;
    drop(kari);
    assert_eq!(panel.ended(call).await, EndReason::Interrupted);
}

#[tokio::test]
async fn a_panel_that_vanishes_interrupts_the_call() {
    let house = House::new().await;
    let (panel, mut kari, call) = kari_talks(&house).await;
    drop(panel);
    assert_eq!(kari.ended(call).await, EndReason::Interrupted);
    let panel = house.panel().await;
    assert_eq!(panel.call, None, "no ghost");
}

#[tokio::test]
async fn a_panel_that_reloads_finds_its_call() {
    let house = House::new().await;
    let (panel, mut linh, mut anh, call) = two_are_rung(&house).await;
    drop(panel);
    let mut panel = house.panel().await;
    let shown = panel.call.clone().expect("the call goes on");
    assert_eq!((shown.call, shown.label.to_string()), (call, "Nguyen".into()));
    assert!(matches!(shown.state, PanelCallState::Calling { .. }), "{shown:?}");
    linh.answer(call).await;
    panel.connected().await;
    drop(panel);
    let mut panel = house.panel().await;
    let shown = panel.call.clone().expect("the call goes on");
    assert!(matches!(shown.state, PanelCallState::Connected { left_ms: 1.. }), "{shown:?}");
    panel.hang_up(call).await;
    assert_eq!(linh.ended(call).await, EndReason::VisitorLeft);
    assert!(matches!(anh.state(call).await, AppCallState::Elsewhere { .. }));
}

#[tokio::test]
async fn a_phone_that_reloads_finds_its_call_with_a_token_to_join() {
    let house = House::new().await;
    let (mut panel, phone) = (house.panel().await, house.phone("kari").await);
    let mut kari = phone.connect(house.at()).await;
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    let first = kari.rung().await;
    kari.offer(call, &first.join, "garbage").await;
    assert_eq!(kari.error().await, ErrorCode::BadOffer, "the token was taken");
    drop(kari);
    let mut kari = phone.connect(house.at()).await;
    let [ringing] = &kari.calls[..] else { panic!("{:?}", kari.calls) };
    assert!(matches!(ringing.state, AppCallState::Ringing { .. }), "{ringing:?}");
    assert!(ringing.call == call && ringing.join != first.join);
    kari.answer(call).await;
    panel.connected().await;
    drop(kari);
    let mut kari = phone.connect(house.at()).await;
    let [talking] = &kari.calls[..] else { panic!("{:?}", kari.calls) };
    assert!(matches!(talking.state, AppCallState::Connected { left_ms: 1.. }), "{talking:?}");
    let join = talking.join.clone();
    kari.offer(call, &join, "garbage").await;
    assert_eq!(kari.error().await, ErrorCode::BadOffer, "the token is good");
    kari.hang_up(call).await;
    assert_eq!(panel.ended(call).await, EndReason::ResidentHungUp);
}

#[tokio::test]
async fn who_answers_at_another_panel_hangs_up_at_the_first() {
    let house = House::new().await;
    let (mut entrance, mut kari, first) = kari_talks(&house).await;
    let mut gate = house.gate_panel().await;
    let second = gate.ring(house.plan.gate_bell("Dahl")).await.call;
    assert_eq!(kari.rung().await.call, second);
    kari.accept(second).await;
    gate.connected().await;
    assert_eq!(entrance.ended(first).await, EndReason::ResidentHungUp);
    assert!(matches!(kari.state(second).await, AppCallState::Connected { .. }));
}

#[tokio::test]
async fn a_panel_rings_one_name_at_a_time() {
    let house = House::new().await;
    let (mut panel, mut kari, mut nora) =
        (house.panel().await, house.app("kari").await, house.app("nora").await);
    let tap = request();
    let call = panel.ring_as(tap, house.plan.bell("Dahl"), None).await.call;
    panel.tap(request(), house.plan.bell("Berg"), None).await;
    assert_eq!(panel.error().await, ErrorCode::Busy);
    assert_eq!(panel.ring_as(tap, house.plan.bell("Dahl"), None).await.call, call, "repeated");
    assert_eq!(
        panel.ring_as(request(), house.plan.bell("Dahl"), None).await.call,
        call,
        "the same name again"
    );
    kari.rung().await;
    let told = kari.socket.before_pong().await;
    assert!(!told.iter().any(|event| matches!(event, AppEvent::Ring { .. })), "it rings once: {told:?}");
    assert!(nora.socket.before_pong().await.is_empty());
}

#[tokio::test]
async fn a_repeated_tap_whose_call_is_over_does_not_ring_again() {
    let house = House::new().await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let tap = request();
    let call = panel.ring_as(tap, house.plan.bell("Dahl"), None).await.call;
    kari.rung().await;
    kari.decline(call).await;
    assert_eq!(panel.ended(call).await, EndReason::Declined);
    let again = panel.ring_as(tap, house.plan.bell("Dahl"), None).await;
    assert_eq!((again.call, again.state), (call, PanelCallState::Ended { reason: EndReason::Declined }));
    let told = kari.socket.before_pong().await;
    assert!(!told.iter().any(|event| matches!(event, AppEvent::Ring { .. })), "{told:?}");
}

#[tokio::test]
async fn a_panel_rings_only_what_is_on_it() {
    let house = House::new().await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    panel.tap(request(), house.plan.gate_bell("Dahl"), None).await;
    assert_eq!(panel.error().await, ErrorCode::NotFound);
    assert!(kari.socket.before_pong().await.is_empty());
    panel.ring(house.plan.bell("Dahl")).await;
    kari.rung().await;
}
