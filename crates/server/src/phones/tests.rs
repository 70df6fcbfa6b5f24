//! What is decided before a phone is rung.

use super::*;
use klinke_model::ids::v4;
use klinke_sip::dial::Countries;
use std::sync::Arc;
use std::time::Duration;

fn phones() -> Phones {
    let config = config::Phones { listen: Some(IpAddr::from([127, 0, 0, 1])), ..config::Phones::default() };
    Phones::open(&config, [7; 32]).unwrap()
}

/// Nobody is there.
fn trunk() -> Trunk {
    Trunk {
        id: TrunkId(v4([9; 16])),
        host: "127.0.0.1".into(),
        port: 9,
        way: TrunkWay::Udp,
        domain: None,
        caller: E164::new("+4721600001").unwrap(),
        registers: false,
        account: None,
        tones: false,
        encryption: TrunkEncryption::Off,
    }
}

fn dial(number: &str) -> Dial {
    Dial {
        to: Countries::default().read(number).unwrap(),
        offer: String::new(),
        ring: Duration::from_secs(1),
        talk: Duration::from_secs(1),
        hops: klinke_sip::agent::HOPS,
        reoffer: Arc::new(|_| None),
        encrypted: None,
    }
}

fn tenant(n: u8) -> TenantId {
    TenantId(v4([n; 16]))
}

fn building(n: u8) -> BuildingId {
    BuildingId(v4([n; 16]))
}

const ONE: &str = "+4721600000";
const OTHER: &str = "+4721600002";

/// Whether a phone was rung at this second.
fn rings(phones: &Phones, of: u8, at: u8, number: &str, second: u64) -> Result<(), NotRung> {
    phones
        .call(tenant(of), (Some(building(at)), None), dial(number), Mono::from_millis(second * 1_000))
        .map(drop)
}

#[tokio::test]
async fn limits_are_kept_over_new_trunks_and_are_each_property_managers_own() {
    let phones = phones();
    assert_eq!(rings(&phones, 1, 1, ONE, 0), Err(NotRung::NoTrunk));
    let limits = Limits { number_hour: 2, building_hour: 3, day: 10 };
    for of in [1, 2] {
        phones.stand(tenant(of), vec![trunk()], limits).await.unwrap();
    }
    assert_eq!([0, 1].map(|second| rings(&phones, 1, 1, ONE, second)), [Ok(()); 2]);
    assert_eq!(rings(&phones, 1, 1, ONE, 2), Err(NotRung::Capped), "this number");
    assert_eq!(rings(&phones, 1, 2, ONE, 2), Err(NotRung::Capped), "from wherever it is rung");
    assert_eq!(rings(&phones, 1, 1, OTHER, 2), Ok(()));
    assert_eq!(rings(&phones, 1, 1, OTHER, 3), Err(NotRung::Capped), "this building");
    assert_eq!(rings(&phones, 1, 2, OTHER, 3), Ok(()));
    assert_eq!(rings(&phones, 2, 1, ONE, 3), Ok(()), "another property manager's");
    phones.stand(tenant(1), vec![trunk()], limits).await.unwrap();
    assert_eq!(rings(&phones, 1, 3, ONE, 4), Err(NotRung::Capped), "new trunks forget nothing");
    let more = Limits { number_hour: 3, ..limits };
    phones.stand(tenant(1), vec![trunk()], more).await.unwrap();
    assert_eq!(rings(&phones, 1, 3, ONE, 5), Ok(()));
    assert_eq!(rings(&phones, 1, 3, ONE, 6), Err(NotRung::Capped));
    assert_eq!(rings(&phones, 1, 3, ONE, 3_602), Ok(()), "an hour later");
    phones.stand(tenant(1), Vec::new(), more).await.unwrap();
    assert!(!phones.has_trunk(tenant(1)) && phones.has_trunk(tenant(2)));
    phones.stop().await;
    assert_eq!(rings(&phones, 2, 1, ONE, 9), Err(NotRung::NoTrunk), "stopped");
}

#[tokio::test]
async fn without_an_address_nothing_stands() {
    let phones = Phones::open(&config::Phones::default(), [7; 32]).unwrap();
    phones.stand(tenant(1), vec![trunk()], Limits::default()).await.unwrap();
    assert!(!phones.has_trunk(tenant(1)));
    assert!(phones.ports().await.is_err());
}

#[tokio::test]
async fn a_port_is_told_at_the_address_that_others_reach() {
    let config = config::Phones {
        listen: Some(IpAddr::from([127, 0, 0, 1])),
        announce: Some(IpAddr::from([203, 0, 113, 7])),
        ..config::Phones::default()
    };
    let (ports, address) = Phones::open(&config, [7; 32]).unwrap().ports().await.unwrap();
    assert_eq!(address, SocketAddr::from(([203, 0, 113, 7], ports.port().unwrap())));
    assert!((7_500..=7_899).contains(&address.port()));
}

#[test]
fn authorities_that_can_not_be_read_are_told_by_their_path() {
    let roots = Some(PathBuf::from("/nowhere/ca.pem"));
    let listen = Some(IpAddr::from([127, 0, 0, 1]));
    let config = config::Phones { listen, roots, ..config::Phones::default() };
    let error = Phones::open(&config, [7; 32]).err().unwrap();
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}

#[test]
fn what_is_counted_is_no_number_and_another_one_for_each_property_manager() {
    let phones = phones();
    let number = |typed| Countries::default().read(typed).unwrap();
    let hashes = [(1, ONE), (1, OTHER), (2, ONE)].map(|(of, typed)| phones.hash(tenant(of), &number(typed)));
    assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2] && hashes[0] != [0; 32]);
    assert_eq!(hashes[0], phones.hash(tenant(1), &number(ONE)));
}
