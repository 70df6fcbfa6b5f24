//! Each kind of doorbell rings as R4 says.

use crate::support::app::App;
use crate::support::house::House;
use crate::support::panel::request;
use klinke_model::intercom::EndReason;
use klinke_wire::app::{AppCallState, AppEvent};
use klinke_wire::panel::PanelCallState;

/// Nothing has rung on this phone.
async fn is_quiet(app: &mut App) {
    let told = app.socket.before_pong().await;
    assert!(
        !told.iter().any(|event| matches!(event, AppEvent::Ring { .. } | AppEvent::Call { .. })),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_individual_bell_rings_every_phone_of_its_one_resident() {
    let house = House::new().await;
    let (mut panel, mut one, mut two) =
        (house.panel().await, house.app("kari").await, house.app("kari").await);
    let mut nora = house.app("nora").await;
    let call = panel.ring(house.plan.bell("Dahl")).await;
    assert!(
        matches!(
            call.state,
            PanelCallState::Calling { step: 1, steps: 1, reached: false, phone: false, left_ms: 1.. }
        ),
        "{call:?}"
    );
    assert_eq!(call.label.to_string(), "Dahl");
    for app in [&mut one, &mut two] {
        let rung = app.rung().await;
        assert_eq!(rung.call, call.call);
        assert_eq!((rung.label.to_string(), rung.panel.to_string()), ("Dahl".into(), "Entrance A".into()));
        assert!(matches!(rung.state, AppCallState::Ringing { left_ms: 1.. }), "{rung:?}");
        let offered: Vec<_> = rung.doors.iter().map(|door| door.door).collect();
        assert_eq!(offered, [house.plan.front, house.plan.boiler]);
    }
    one.ringing(call.call).await;
    panel.until("reached", |state| matches!(state, PanelCallState::Calling { reached: true, .. })).await;
    is_quiet(&mut nora).await;
}

#[tokio::test]
async fn a_sequential_bell_goes_on_at_once_when_somebody_declines() {
    let house = House::new().await;
    let (mut panel, mut nora, mut emil) =
        (house.panel().await, house.app("nora").await, house.app("emil").await);
    let call = panel.ring(house.plan.bell("Berg")).await;
    assert!(matches!(call.state, PanelCallState::Calling { step: 1, steps: 2, .. }), "{call:?}");
    nora.rung().await;
    is_quiet(&mut emil).await;
    nora.decline(call.call).await;
    assert_eq!(nora.state(call.call).await, AppCallState::Stopped);
    assert_eq!(emil.rung().await.call, call.call);
    panel.until("the second step", |state| matches!(state, PanelCallState::Calling { step: 2, .. })).await;
    emil.answer(call.call).await;
    panel.connected().await;
}

#[tokio::test]
async fn a_sequential_bell_goes_on_after_its_time_and_ends_after_the_ring_time() {
    let house = House::with(|config| (config.calls.step_s, config.calls.ring_s) = (1, 3)).await;
    let (mut panel, mut nora, mut emil) =
        (house.panel().await, house.app("nora").await, house.app("emil").await);
    let call = panel.ring(house.plan.bell("Berg")).await.call;
    nora.rung().await;
    assert_eq!(nora.state(call).await, AppCallState::Stopped);
    assert_eq!(emil.rung().await.call, call);
    assert_eq!(emil.ended(call).await, EndReason::NoAnswer);
    assert_eq!(panel.ended(call).await, EndReason::NoAnswer);
}

#[tokio::test]
async fn a_sequential_bell_passes_over_who_can_not_be_reached() {
    let house = House::new().await;
    let (mut panel, mut emil) = (house.panel().await, house.app("emil").await);
    let call = panel.ring(house.plan.bell("Berg")).await;
    assert!(matches!(call.state, PanelCallState::Calling { step: 1, steps: 1, .. }), "{call:?}");
    assert_eq!(emil.rung().await.call, call.call);
}

#[tokio::test]
async fn a_parallel_bell_rings_all_at_once() {
    let house = House::new().await;
    let (mut panel, mut linh, mut anh) =
        (house.panel().await, house.app("linh").await, house.app("anh").await);
    let call = panel.ring(house.plan.bell("Nguyen")).await;
    assert!(matches!(call.state, PanelCallState::Calling { step: 1, steps: 1, .. }), "{call:?}");
    assert_eq!((linh.rung().await.call, anh.rung().await.call), (call.call, call.call));
    linh.decline(call.call).await;
    assert_eq!(linh.state(call.call).await, AppCallState::Stopped);
    anh.answer(call.call).await;
    panel.connected().await;
}

#[tokio::test]
async fn a_family_bell_opens_into_its_members_and_rings_one_or_all() {
    let house = House::new().await;
    let mut panel = house.panel().await;
    let (mut ingrid, mut per, mut liv) =
        (house.app("ingrid").await, house.app("per").await, house.app("liv").await);
    let bell = panel.directory.bells.iter().find(|bell| bell.bell == house.plan.bell("Olsen")).unwrap();
    let members: Vec<_> = bell.members.iter().map(|member| member.label.to_string()).collect();
    assert_eq!(members, ["ingrid", "per", "liv"]);
    assert!(panel.directory.bells.iter().filter(|bell| !bell.members.is_empty()).count() == 1);

    let to_per = panel.ring_as(request(), house.plan.bell("Olsen"), Some(house.plan.person("per"))).await;
    assert_eq!(to_per.label.to_string(), "per");
    assert_eq!(per.rung().await.call, to_per.call);
    is_quiet(&mut ingrid).await;
    is_quiet(&mut liv).await;
    panel.hang_up(to_per.call).await;
    assert_eq!(panel.ended(to_per.call).await, EndReason::VisitorLeft);
    assert_eq!(per.ended(to_per.call).await, EndReason::VisitorLeft);

    let to_all = panel.ring(house.plan.bell("Olsen")).await;
    assert_eq!(to_all.label.to_string(), "Olsen");
    for app in [&mut ingrid, &mut per, &mut liv] {
        assert_eq!(app.rung().await.call, to_all.call);
    }
}

#[tokio::test]
async fn only_a_family_bell_has_members_to_choose_and_only_its_own() {
    let house = House::new().await;
    let (mut panel, mut nora) = (house.panel().await, house.app("nora").await);
    for (bell, member) in [("Berg", "nora"), ("Olsen", "nora")] {
        panel.tap(request(), house.plan.bell(bell), Some(house.plan.person(member))).await;
        assert_eq!(panel.error().await, klinke_wire::common::ErrorCode::NotFound);
    }
    is_quiet(&mut nora).await;
    let call = panel.ring(house.plan.bell("Berg")).await;
    assert_eq!(nora.rung().await.call, call.call, "the line is free after a refused tap");
}
