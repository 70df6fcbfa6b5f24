//! The rights that a controller decides by when it is alone: from a change in the database to the controller's disk, over
//! the real link between the real two.

use crate::support::door::Controller;
use crate::support::house::House;
use crate::support::until;
use klinke_access::decide::{Reason, SiteMode};
use klinke_access::snapshot::{Manifest, signed};
use klinke_controller::connection::Connection;
use klinke_model::card::CardView;
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::ids::{CardId, RuleId, v4};
use klinke_model::rule::{AccessRule, Which, Who};
use klinke_model::time::{Clock, SystemClock};
use klinke_storage::record::{CardChange, CardMade, Edited, NewCard, RuleMade};
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Digest, Held, PART};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

fn key(number: u64) -> CredentialKey {
    CardView::Serial.read(&format!("04{number:012X}")).unwrap()
}

fn card_id(number: u8) -> CardId {
    CardId(v4([number; 16]))
}

async fn give(house: &House, number: u8, person: &str) -> CredentialKey {
    let key = key(number.into());
    let card = NewCard {
        id: card_id(number),
        person: house.plan.person(person),
        name: crate::world::label("Blue key ring"),
        key,
        view: CardView::Serial,
        tier: CredentialTier::Identifier,
    };
    let (store, stamp) = (&house.node().store, house.node().stamp());
    let made = store.cards().insert_card(&house.scope(), &stamp, house.plan.building, card).await.unwrap();
    assert!(matches!(made, CardMade::Done(_)), "{made:?}");
    key
}

/// Waits for the first snapshot.
async fn first(controller: &Controller) {
    until("rights in force", || controller.in_force.times() > 0).await;
}

#[tokio::test]
async fn every_change_comes_into_force_at_the_controller() {
    let house = House::new().await;
    let (front, garage) = (house.plan.front, house.plan.garage);
    let controller = house.controller().await;
    first(&controller).await;
    let in_force = controller.in_force.clone();
    let (store, scope, building) = (&house.node().store, house.scope(), house.plan.building);
    let (kari, per) = (house.plan.person("kari"), house.plan.person("per"));
    let (clock, mut took) = (SystemClock::start(), Vec::<(&str, Duration)>::new());
    let mut becomes = async |what: &'static str, door, card: &CredentialKey, expected: Option<Reason>| {
        let begin = clock.mono();
        until(what, || in_force.refusal(door, card) == expected).await;
        took.push((what, clock.mono().since(begin)));
    };

    let card = give(&house, 1, "kari").await;
    becomes("a card is given", front, &card, None).await;
    assert_eq!(in_force.refusal(garage, &card), Some(Reason::NoRight));
    let rule = AccessRule {
        id: RuleId(v4([21; 16])),
        building,
        name: crate::world::label("Garage"),
        who: vec![Who::Person(kari)],
        doors: vec![Which::Door(garage)],
        schedule: None,
        first_day: None,
        last_day: None,
        active: true,
    };
    let made = store.rules().insert_rule(&scope, &house.node().stamp(), rule.clone()).await.unwrap();
    assert_eq!(made, RuleMade::Done);
    becomes("a rule is written", garage, &card, None).await;
    assert!(store.rules().remove_rule(&scope, &house.node().stamp(), rule.id).await.unwrap());
    becomes("a rule is removed", garage, &card, Some(Reason::NoRight)).await;

    let blocked = |blocked| CardChange { name: None, person: None, blocked: Some(blocked), tier: None };
    let cards = store.cards();
    let done = cards.change_card(&scope, &house.node().stamp(), card_id(1), 1, blocked(true)).await.unwrap();
    assert!(matches!(done, Edited::Done(_)));
    becomes("a card is blocked", front, &card, Some(Reason::CredentialBlocked)).await;
    let done = cards.change_card(&scope, &house.node().stamp(), card_id(1), 2, blocked(false)).await.unwrap();
    assert!(matches!(done, Edited::Done(_)));
    becomes("a card is let in again", front, &card, None).await;

    // through the API, as an administrator
    let suspend = format!("/api/v1/people/{kari}/suspension");
    let answer = house.manager.put(&suspend, serde_json::json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    becomes("a person is suspended", front, &card, Some(Reason::PersonSuspended)).await;
    let answer = house.manager.delete(&suspend).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    becomes("a suspension ends", front, &card, None).await;

    assert!(
        store.sites().set_mode(&scope, &house.node().stamp(), building, SiteMode::LockedDown).await.unwrap()
    );
    becomes("an emergency begins", front, &card, Some(Reason::SiteLockedDown)).await;
    assert!(store.sites().set_mode(&scope, &house.node().stamp(), building, SiteMode::Normal).await.unwrap());
    becomes("an emergency ends", front, &card, None).await;

    let others = give(&house, 2, "per").await;
    becomes("another card", garage, &others, None).await;
    assert!(store.people().remove_membership(&scope, per, house.plan.unit("Olsen")).await.unwrap());
    becomes("somebody moves out", garage, &others, Some(Reason::CredentialUnknown)).await;
    assert!(cards.remove_card(&scope, &house.node().stamp(), card_id(1)).await.unwrap());
    becomes("a card is taken back", front, &card, Some(Reason::CredentialUnknown)).await;

    for (what, took) in &took {
        println!("{what}: in force after {} ms", took.as_millis());
    }
    let revisions = in_force.times();
    // something that does not matter here makes no new snapshot
    house.phone("nora").await;
    tokio::time::timeout(Duration::from_millis(1_500), async {
        until("never", || in_force.times() != revisions).await;
    })
    .await
    .unwrap_err();
    controller.stop().await;
}

#[tokio::test]
async fn what_is_on_the_disk_is_in_force_before_the_first_dial_and_is_not_fetched_again() {
    let house = House::new().await;
    let card = give(&house, 1, "kari").await;
    let front = house.plan.front;
    let controller = house.controller().await;
    until("the card opens", || controller.in_force.refusal(front, &card).is_none()).await;
    let revision = controller.in_force.newest().unwrap().revision();
    controller.stop().await;

    let folder = house.plan.controller.state.join("rights");
    let files = [folder.join("manifest")]
        .into_iter()
        .chain(std::fs::read_dir(folder.join("shards")).unwrap().map(|file| file.unwrap().path()));
    for file in files {
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            file.display()
        );
    }

    // nobody is there to be dialled
    let nobody = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let alone = house.plan.controller.start(nobody);
    first(&alone).await;
    assert_eq!(alone.in_force.newest().unwrap().revision(), revision);
    assert_eq!(alone.in_force.refusal(front, &card), None);
    alone.stop().await;

    // with the server there it is the same, and stays as it is
    let again = house.controller().await;
    until("linked", || again.in_force.times() > 0).await;
    give(&house, 2, "per").await;
    until("the next", || again.in_force.times() == 2).await;
    let revisions = again.in_force.newest().unwrap().revision();
    assert!(revisions > revision);
    again.stop().await;

    // damaged: said, counted as none, and fetched again
    let mut manifest = std::fs::read(folder.join("manifest")).unwrap();
    let middle = manifest.len() / 2;
    manifest[middle] ^= 1;
    std::fs::write(folder.join("manifest"), manifest).unwrap();
    let damaged = house.plan.controller.start(nobody);
    tokio::time::timeout(Duration::from_millis(500), first(&damaged)).await.unwrap_err();
    damaged.stop().await;
    let mended = house.controller().await;
    until("fetched again", || mended.in_force.refusal(front, &card).is_none()).await;
    assert!(mended.in_force.newest().unwrap().revision() >= revisions, "numbers never go back");
    mended.stop().await;
}

/// Everything that is offered, by hand.
async fn fetch<S: AsyncRead + AsyncWrite + Unpin>(
    link: &mut Connection<S>,
    of: Digest,
) -> Result<Vec<u8>, Digest> {
    let mut whole = Vec::new();
    loop {
        let from = u32::try_from(whole.len()).unwrap();
        link.send(&ControllerRequest::Fetch { of, from }).await.unwrap();
        match answer(link).await {
            ControllerEvent::Part { of: is, from: at, total, bytes } => {
                assert_eq!((is, at), (of, from));
                assert!(bytes.len() <= PART);
                whole.extend(bytes);
                if whole.len() == usize::try_from(total).unwrap() {
                    return Ok(whole);
                }
            }
            ControllerEvent::Gone { of } => return Err(of),
            other => panic!("no part: {other:?}"),
        }
    }
}

/// The next that is not about the doors' configuration.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(link: &mut Connection<S>) -> ControllerEvent {
    loop {
        match tokio::time::timeout(crate::support::PATIENCE, link.receive()).await.unwrap().unwrap() {
            ControllerEvent::Configure { .. } => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn the_server_offers_what_it_signed_to_whom_it_is_for_and_only_what_is_new() {
    let house = House::new().await;
    give(&house, 1, "kari").await;
    let at = house.running.controllers;
    let mut link = house.plan.controller.mute(at).await;
    let ControllerEvent::Rights { revision, manifest, signature } = answer(&mut link).await else {
        panic!("no offer")
    };
    let bytes = fetch(&mut link, manifest.sha256).await.unwrap();
    assert_eq!(bytes.len(), usize::try_from(manifest.bytes).unwrap());
    let read: Manifest = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(read.revision, revision);
    let controllers =
        house.node().store.doors().controllers(&house.scope(), house.plan.building).await.unwrap();
    assert_eq!(read.controller, controllers[0].id);
    // by the installation's authority, checked by another library than signed it
    let (_, authority) = x509_parser::parse_x509_certificate(house.node().authority.der()).unwrap();
    let public = &authority.public_key().subject_public_key.data;
    let verify = |message: &[u8]| {
        use rustls::pki_types::alg_id;
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.all;
        let algorithm = algorithms
            .iter()
            .find(|one| {
                one.public_key_alg_id() == alg_id::ECDSA_P256
                    && one.signature_alg_id() == alg_id::ECDSA_SHA256
            })
            .unwrap();
        algorithm.verify_signature(public, message, &signature)
    };
    assert!(verify(&signed(&bytes)).is_ok());
    assert!(verify(&bytes).is_err(), "a manifest alone is not what is signed");
    for name in &read.shards {
        fetch(&mut link, name.parse().unwrap()).await.unwrap();
    }
    assert_eq!(fetch(&mut link, Digest([7; 32])).await, Err(Digest([7; 32])));
    link.send(&ControllerRequest::Holds { revision }).await.unwrap();
    assert!(fetch(&mut link, manifest.sha256).await.is_err(), "held, and not kept for it any longer");
    drop(link);

    // who holds it is offered nothing, until something changes
    let held = Held { revision, issued: read.issued, manifest: manifest.sha256 };
    let mut link = house.plan.controller.mute_with(at, Some(held), None).await;
    give(&house, 2, "per").await;
    let ControllerEvent::Rights { revision: next, .. } = answer(&mut link).await else { panic!("no offer") };
    assert!(next > revision);
    drop(link);

    // who comes from the future, or was told by a database that was restored since, is led on
    let ahead = Held { revision: revision + 1_000_000_000_000, ..held };
    let mut link = house.plan.controller.mute_with(at, Some(ahead), None).await;
    let ControllerEvent::Rights { revision: next, .. } = answer(&mut link).await else { panic!("no offer") };
    assert_eq!(next, ahead.revision + 1);
}
