use super::*;
use crate::testing::TestClock;
use std::net::Ipv4Addr;

const PANEL: fn(&Device) -> bool = |device| matches!(device, Device::Panel { .. });
const CONTROLLER: fn(&Device) -> bool = |device| matches!(device, Device::Controller(_));

fn pairings() -> (Arc<TestClock>, Pairings) {
    let clock = TestClock::new();
    (clock.clone(), Pairings::new(clock, Arc::new(Random::seeded(1))))
}

fn client(last: u8) -> Prefix {
    std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into()
}

fn person(byte: u8) -> PersonId {
    PersonId(klinke_model::ids::v4([byte; 16]))
}

#[test]
fn a_code_is_claimed_once() {
    let (_, pairings) = pairings();
    let opened = pairings.open_panel(client(1), vec![1]).unwrap();
    let panel = PanelId(klinke_model::ids::v4([9; 16]));
    let reserved = pairings.reserve(person(1), opened.code, PANEL).unwrap().unwrap();
    assert!(pairings.reserve(person(2), opened.code, PANEL).unwrap().is_none(), "it is being claimed");
    assert_eq!(pairings.standing(opened.pairing, &opened.secret), Some(Standing::Waiting));
    reserved.settle_panel(panel);
    assert_eq!(pairings.standing(opened.pairing, &opened.secret), Some(Standing::Claimed(panel)));
    assert!(pairings.reserve(person(1), opened.code, PANEL).unwrap().is_none());
}

#[test]
fn a_claim_that_fails_leaves_the_code_standing() {
    let (_, pairings) = pairings();
    let opened = pairings.open_panel(client(1), vec![1]).unwrap();
    drop(pairings.reserve(person(1), opened.code, PANEL).unwrap().unwrap());
    assert!(pairings.reserve(person(1), opened.code, PANEL).unwrap().is_some());
}

#[test]
fn a_code_dies_after_ten_minutes_and_is_forgotten_after_twenty() {
    let (clock, pairings) = pairings();
    let opened = pairings.open_panel(client(1), vec![1]).unwrap();
    clock.advance(LIFE);
    assert_eq!(pairings.standing(opened.pairing, &opened.secret), Some(Standing::Expired));
    assert!(pairings.reserve(person(1), opened.code, PANEL).unwrap().is_none());
    clock.advance(LIFE);
    pairings.open_panel(client(1), vec![1]).unwrap();
    assert_eq!(pairings.standing(opened.pairing, &opened.secret), None);
}

#[test]
fn only_the_panel_that_opened_it_is_told() {
    let (_, pairings) = pairings();
    let opened = pairings.open_panel(client(1), vec![1]).unwrap();
    let other = pairings.open_panel(client(1), vec![2]).unwrap();
    assert_eq!(pairings.standing(opened.pairing, &other.secret), None);
    assert!(pairings.reserve_own(opened.pairing, &other.secret).is_none());
    assert!(pairings.reserve_own(opened.pairing, &opened.secret).is_some());
}

#[test]
fn there_is_room_for_a_hundred_and_a_few_from_each_address() {
    let (clock, pairings) = pairings();
    for address in 0..10 {
        for _ in 0..10 {
            pairings.open_panel(client(address), vec![]).unwrap();
        }
        assert!(matches!(
            pairings.open_panel(client(address), vec![]),
            Err(OpenError::TooMany(_) | OpenError::Full)
        ));
    }
    assert_eq!(pairings.open_panel(client(200), vec![]).err(), Some(OpenError::Full));
    clock.advance(LIFE);
    assert!(pairings.open_panel(client(200), vec![]).is_ok());
}

#[test]
fn an_administrator_can_not_try_all_codes() {
    let (_, pairings) = pairings();
    let code = PairingCode::parse("00000000").unwrap();
    for _ in 0..10 {
        assert!(pairings.reserve(person(1), code, PANEL).unwrap().is_none());
    }
    assert!(pairings.reserve(person(1), code, PANEL).is_err());
    assert!(pairings.reserve(person(2), code, PANEL).is_ok());
}

#[test]
fn a_controller_is_told_who_it_is_and_is_not_a_panel() {
    let (_, pairings) = pairings();
    let (code, mut told) = pairings.open_controller(client(1), "csr".into(), "0.1".into(), 4).unwrap();
    assert!(pairings.reserve(person(1), code, PANEL).unwrap().is_none());
    let claimed = Claimed {
        controller: ControllerId(klinke_model::ids::v4([1; 16])),
        certificate: "c".into(),
        authority: "a".into(),
    };
    pairings.reserve(person(1), code, CONTROLLER).unwrap().unwrap().settle_controller(claimed.clone());
    assert_eq!(told.try_recv(), Ok(claimed));
}

#[test]
fn a_controller_that_hung_up_waits_no_more() {
    let (_, pairings) = pairings();
    let (code, told) = pairings.open_controller(client(1), "csr".into(), "0.1".into(), 4).unwrap();
    drop(told);
    assert!(pairings.reserve(person(1), code, CONTROLLER).unwrap().is_none());
}

#[test]
fn a_ticket_is_used_once() {
    let (_, pairings) = pairings();
    let stands_for = (TenantId(klinke_model::ids::v4([1; 16])), PanelId(klinke_model::ids::v4([2; 16])));
    let ticket = pairings.issue_ticket(stands_for.0, stands_for.1, TicketUse::Once);
    assert_eq!(pairings.use_ticket(&Token::new(&Random::seeded(99))), None);
    assert_eq!(pairings.use_ticket(&ticket), Some(stands_for));
    assert_eq!(pairings.use_ticket(&ticket), None);
}

#[test]
fn codes_are_typed_as_people_type() {
    let code = PairingCode(40_719_936);
    assert_eq!(code.to_string(), "4071 9936");
    assert_eq!(PairingCode(7).to_string(), "0000 0007");
    for typed in ["4071 9936", "40719936", "4071-9936", " 4071\u{a0}9936 "] {
        assert_eq!(PairingCode::parse(typed), Some(code), "{typed}");
    }
    for wrong in ["", "4071993", "407199367", "4071993x", "+4071993", "４０７１９９３６"] {
        assert_eq!(PairingCode::parse(wrong), None, "{wrong}");
    }
}
