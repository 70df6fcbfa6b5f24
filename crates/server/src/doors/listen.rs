//! Takes controllers' connections: TLS 1.3 on a port of its own.
//!
//! A connection with a certificate of this installation's authority *that the database knows* is a link; one
//! without a certificate can only pair; any other does not get past the handshake or the first look.

use super::link::{self, Framed, LinkError};
use crate::http::client::Prefix;
use crate::node::Node;
use crate::pairing;
use klinke_model::scope::{Principal, Scope};
use klinke_wire::controller::{ControllerEvent, ControllerRequest};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake and a first message may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at once. A town has some thousands of controllers.
const CONNECTIONS: usize = 8_192;
/// Connections without a certificate at once: they wait for an administrator, and anybody can open one.
const PAIRING: usize = 32;

/// Takes connections until the node stops.
pub async fn listen(node: Arc<Node>, listener: TcpListener, tls: TlsAcceptor) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let pairing = Arc::new(Semaphore::new(PAIRING));
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "could not take a controller's connection");
                    // out of file descriptors: the next accept would fail at once, so let others end first
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = node.stop.cancelled() => return,
        };
        let Ok(place) = Arc::clone(&connections).try_acquire_owned() else { continue };
        let (task_node, tls, pairing) = (Arc::clone(&node), tls.clone(), Arc::clone(&pairing));
        node.tasks.spawn(async move {
            let _place = place;
            if let Err(error) = connection(&task_node, stream, address, &tls, &pairing).await {
                tracing::info!(%error, "a controller's connection ended");
            }
        });
    }
}

async fn connection(
    node: &Arc<Node>,
    stream: TcpStream,
    address: SocketAddr,
    tls: &TlsAcceptor,
    pairing: &Semaphore,
) -> Result<(), LinkError> {
    stream.set_nodelay(true)?;
    let timed_out = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    let stream = tokio::time::timeout(PATIENCE, tls.accept(stream)).await.map_err(|_| timed_out())??;
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    match certificate.map(Sha256::digest) {
        Some(fingerprint) => {
            let Some(found) = node.store.gate().controller(fingerprint.into()).await? else {
                let reason = "this controller was removed; pair it again".to_owned();
                return Framed::new(stream).send(&ControllerEvent::Refused { reason }).await;
            };
            let principal = Principal::Controller(found.controller);
            let scope = Scope { tenant: found.tenant, principal, at: node.clock.now(), view: None };
            Box::pin(link::carry(node, scope, found.controller, Framed::new(stream))).await
        }
        None => match pairing.try_acquire() {
            Ok(_place) => pair(node, address, Framed::new(stream)).await,
            Err(_) => {
                let reason = "too many controllers wait for pairing; try again in ten minutes".to_owned();
                Framed::new(stream).send(&ControllerEvent::Refused { reason }).await
            }
        },
    }
}

async fn pair(
    node: &Arc<Node>,
    address: SocketAddr,
    mut framed: Framed<TlsStream<TcpStream>>,
) -> Result<(), LinkError> {
    let first = tokio::time::timeout(PATIENCE, framed.next()).await.map_err(|_| LinkError::Silent)??;
    let Some(ControllerRequest::Pair { csr, version, outputs, .. }) = first else {
        return Err(LinkError::NoHello);
    };
    let opened = node.pairings.open_controller(Prefix::from(address.ip()), csr, version, outputs);
    let (code, claimed) = match opened {
        Ok(opened) => opened,
        Err(error) => return framed.send(&ControllerEvent::Refused { reason: error.to_string() }).await,
    };
    let expires_s = u32::try_from(pairing::LIFE.as_secs()).unwrap_or(u32::MAX);
    framed.send(&ControllerEvent::PairingCode { code: code.to_string(), expires_s }).await?;
    let answer = tokio::select! {
        claimed = tokio::time::timeout(pairing::LIFE, claimed) => match claimed {
            Ok(Ok(claimed)) => ControllerEvent::Paired {
                controller: claimed.controller,
                certificate: claimed.certificate,
                authority: claimed.authority,
            },
            Ok(Err(_)) | Err(_) => ControllerEvent::Refused { reason: "the code has expired; pair again".to_owned() },
        },
        // a controller that goes away gives its place back; one that speaks while it waits is not one of ours
        _ = framed.next() => return Ok(()),
        () = node.stop.cancelled() => return Ok(()),
    };
    framed.send(&answer).await
}
