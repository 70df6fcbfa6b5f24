//! Pairing over real TLS, with honest and dishonest servers.

use crate::server::{ALIVE, Authority, Peer, Server, Setup, controller_id, within};
use klinke_controller::pairing::{PairError, PairingCode, pair};
use klinke_controller::state::{StateDir, StateError};
use klinke_controller::tls::{Fingerprint, dial, link_config};
use klinke_model::ids::ControllerId;
use klinke_wire::controller::{ControllerEvent, ControllerRequest};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn state() -> (TempDir, StateDir) {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::open(&folder.path().join("state")).unwrap();
    (folder, state)
}

async fn try_pair(server: &Server, pinned: Fingerprint, state: &StateDir) -> Result<ControllerId, PairError> {
    within(pair(&server.address(), pinned, state, 4, |_| Ok(()))).await
}

/// Takes `pair` and sends a code.
async fn answer(peer: &mut Peer) -> String {
    let Some(ControllerRequest::Pair { csr, outputs: 4, .. }) = peer.receive().await else {
        panic!("no pair")
    };
    peer.send(&ControllerEvent::PairingCode { code: "4071 9936".into(), expires_s: 600 }).await;
    csr
}

#[tokio::test]
async fn a_claimed_controller_keeps_its_identity_and_links_with_it() {
    let authority = Authority::new();
    let server = Server::start(Setup::of(&authority)).await;
    let (folder, state) = state();

    let mut shown = None;
    let (address, fingerprint) = (server.address(), authority.fingerprint());
    let pairing = pair(&address, fingerprint, &state, 4, |code| {
        shown = Some(code.clone());
        Ok(())
    });
    let serving = async {
        let mut peer = server.accept().await.unwrap();
        assert!(peer.certificate.is_none(), "there is none yet");
        let csr = answer(&mut peer).await;
        let certificate = authority.certify(&csr);
        peer.send(&ControllerEvent::Paired {
            controller: controller_id(),
            certificate: certificate.clone(),
            authority: authority.pem.clone(),
        })
        .await;
        CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()
    };
    let (paired, certificate) = tokio::join!(within(pairing), serving);
    assert_eq!(paired.unwrap(), controller_id());
    assert_eq!(shown, Some(PairingCode { code: "4071 9936".into(), life: Duration::from_secs(600) }));

    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("state"), mode("state/identity.pem")), (0o700, 0o600));

    let config = Arc::new(link_config(&state.load().unwrap()).unwrap());
    let (dialled, peer) = tokio::join!(dial(&address, config), server.accept());
    dialled.unwrap();
    assert_eq!(peer.unwrap().certificate, Some(certificate));

    let again = try_pair(&server, fingerprint, &state).await;
    assert!(matches!(again, Err(PairError::State(StateError::Paired))), "{again:?}");
}

#[tokio::test]
async fn only_a_server_of_the_pinned_authority_and_name_is_spoken_to() {
    let (authority, other) = (Authority::new(), Authority::new());
    let servers = [
        // another authority altogether
        Setup::of(&other),
        // the pinned authority is sent along, but did not sign
        Setup { signed_by: &other, ..Setup::of(&authority) },
        // the pinned authority signed, for another name
        Setup { name: "other.example", ..Setup::of(&authority) },
        // everything right, but TLS 1.2
        Setup { version: &rustls::version::TLS12, ..Setup::of(&authority) },
    ];
    for (row, setup) in servers.into_iter().enumerate() {
        let server = Server::start(setup).await;
        let (_folder, unpaired) = state();
        let (paired, accepted) =
            tokio::join!(try_pair(&server, authority.fingerprint(), &unpaired), server.accept());
        assert!(matches!(paired, Err(PairError::Dial(_))), "row {row}: {paired:?}");
        assert!(accepted.is_err(), "row {row}");
        assert!(!unpaired.is_paired());

        // and a paired controller is as careful
        let (_folder, paired) = state();
        authority.identity(&paired);
        let config = Arc::new(link_config(&paired.load().unwrap()).unwrap());
        let address = server.address();
        let (dialled, accepted) = tokio::join!(dial(&address, config), server.accept());
        assert!(dialled.is_err() && accepted.is_err(), "row {row}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_ours_is_not_kept() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = Server::start(Setup::of(&authority)).await;
    let foreign_key = {
        let (_folder, state) = state();
        authority.identity(&state);
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
        authority.certify(&csr.pem().unwrap())
    };
    for row in 0..3 {
        let (_folder, state) = state();
        let serving = async {
            let mut peer = server.accept().await.unwrap();
            let csr = answer(&mut peer).await;
            let (certificate, authority) = match row {
                0 => (foreign_key.clone(), authority.pem.clone()),
                1 => (other.certify(&csr), other.pem.clone()),
                _ => ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into(), String::new()),
            };
            peer.send(&ControllerEvent::Paired { controller: controller_id(), certificate, authority }).await;
            peer
        };
        let (paired, _peer) = tokio::join!(try_pair(&server, authority.fingerprint(), &state), serving);
        assert!(matches!(paired, Err(PairError::NotOurs)), "row {row}: {paired:?}");
        assert!(!state.is_paired());
    }
}

#[tokio::test]
async fn a_refusal_and_a_message_out_of_turn_end_the_pairing() {
    let authority = Authority::new();
    let server = Server::start(Setup::of(&authority)).await;
    let (_folder, state) = state();
    let serving = async {
        let mut peer = server.accept().await.unwrap();
        answer(&mut peer).await;
        peer.send(&ControllerEvent::Refused { reason: "the code has expired".into() }).await;
        peer
    };
    let (paired, _peer) = tokio::join!(try_pair(&server, authority.fingerprint(), &state), serving);
    assert!(matches!(paired, Err(PairError::Refused(_))), "{paired:?}");

    let serving = async {
        let mut peer = server.accept().await.unwrap();
        peer.send(&ALIVE).await;
        peer
    };
    let (paired, _peer) = tokio::join!(try_pair(&server, authority.fingerprint(), &state), serving);
    assert!(matches!(paired, Err(PairError::OutOfTurn)), "{paired:?}");
    assert!(!state.is_paired());
}
