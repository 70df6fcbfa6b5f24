//! Who is signed out is gone at once: phones, and panels whose key was replaced.

use crate::support::house::House;
use crate::support::panel::PanelKey;
use klinke_model::intercom::EndReason;
use klinke_server::pairing::TicketUse;
use klinke_wire::SIGNALLING;
use klinke_wire::app::AppRequest;
use klinke_wire::panel::PanelRequest;

const SIGNED_OUT: u16 = 4002;
const NOT_PROVEN: u16 = 4003;

#[tokio::test]
async fn a_phone_that_is_signed_out_while_it_rings_stops_and_the_other_rings_on() {
    let house = House::new().await;
    let (kept, lost) = (house.phone("kari").await, house.phone("kari").await);
    let (mut ours, mut theirs) = (kept.connect(house.at()).await, lost.connect(house.at()).await);
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    assert_eq!((ours.rung().await.call, theirs.rung().await.call), (call, call));
    let gone = kept.browser.delete(&format!("/api/v1/me/devices/{}", lost.device)).await;
    assert_eq!(gone.status, 204);
    assert_eq!(theirs.socket.closed().await.0, Some(SIGNED_OUT));
    assert_eq!(lost.open(house.at()).await.err(), Some(401), "its cookie is dead");
    ours.answer(call).await;
    panel.connected().await;
}

#[tokio::test]
async fn a_phone_that_signs_itself_out_while_it_talks_interrupts_the_call() {
    let house = House::new().await;
    let phone = house.phone("kari").await;
    let (mut panel, mut kari) = (house.panel().await, phone.connect(house.at()).await);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    kari.answer(call).await;
    assert_eq!(phone.browser.delete("/api/v1/session").await.status, 204);
    assert_eq!(panel.ended(call).await, EndReason::Interrupted);
    assert_eq!(kari.socket.closed().await.0, Some(SIGNED_OUT));
}

#[tokio::test]
async fn the_last_phone_signed_out_ends_the_ringing() {
    let house = House::new().await;
    let phone = house.phone("kari").await;
    let (mut panel, mut kari) = (house.panel().await, phone.connect(house.at()).await);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    assert_eq!(phone.browser.delete("/api/v1/session").await.status, 204);
    assert_eq!(panel.ended(call).await, EndReason::Unreachable);
}

#[tokio::test]
async fn a_connection_that_says_hello_after_its_phone_was_signed_out_is_closed() {
    let house = House::new().await;
    let phone = house.phone("kari").await;
    let mut waiting = phone.open(house.at()).await.unwrap();
    assert_eq!(phone.browser.delete("/api/v1/session").await.status, 204);
    waiting.send(&AppRequest::Hello { protocol: SIGNALLING }).await;
    let (code, told) = waiting.closed().await;
    assert!(code == Some(SIGNED_OUT) && told.is_empty(), "{code:?} {told:?}");
}

#[tokio::test]
async fn a_panel_whose_key_was_replaced_is_closed_and_its_old_key_is_dead() {
    let house = House::new().await;
    let mut old = house.panel().await;
    let ticket = house.node().pairings.issue_ticket(house.plan.tenant, old.id, TicketUse::Once).text();
    let key = PanelKey::redeem(&house.manager, &ticket).await;
    assert_eq!(key.id, old.id);
    assert_eq!(old.socket.closed().await.0, Some(SIGNED_OUT));
    let (mut socket, nonce) = PanelKey::challenged(house.at()).await;
    let signature = house.plan.entrance_panel.sign(key.id, &nonce);
    socket.send(&PanelRequest::Hello { protocol: SIGNALLING, panel: key.id, signature }).await;
    assert_eq!(socket.closed().await.0, Some(NOT_PROVEN));
    let (mut panel, mut kari) = (key.connect(house.at()).await, house.app("kari").await);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    assert_eq!(kari.rung().await.call, call);
}
