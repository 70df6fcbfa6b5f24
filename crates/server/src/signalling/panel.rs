//! A panel's connection: challenge, proof, then what the visitor does.

use super::socket::{self, Closing, Line, Peer};
use crate::app::present_pass::{self, PresentError, Presented};
use crate::app::ring::{self, RingError, Tapped};
use crate::auth::panel_pass::Pass;
use crate::calls::driver::Message;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use klinke_calls::call::Input;
use klinke_model::ids::{PanelId, RequestId};
use klinke_model::privacy::Pii;
use klinke_model::scope::{Principal, Scope};
use klinke_sip::stations::HOPS;
use klinke_wire::common::{ErrorCode, ErrorNews, OpeningState, RefusalCode};
use klinke_wire::panel::{
    Directory, DirectoryBell, DirectoryMember, PanelEvent, PanelRequest, PresentedPass, challenge_text,
};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use std::sync::Arc;
use std::time::Duration;

/// How long a panel may take to prove itself.
const PROOF: Duration = Duration::from_secs(10);

/// `GET /api/v1/panel/socket`.
pub async fn upgrade(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let pass = Pass::of(&node, &headers);
    let cookie = pass.cookie(&node);
    let mut response = socket::limited(upgrade)?.on_upgrade(move |socket| async move {
        connection(&node, socket, &pass).await;
    });
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn connection(node: &Arc<Node>, mut socket: WebSocket, pass: &Pass) {
    let nonce = BASE64_STANDARD.encode(node.random.bytes::<32>());
    let challenge = PanelEvent::Challenge { protocol: klinke_wire::SIGNALLING, nonce: nonce.clone() };
    if socket::send(&mut socket, &challenge).await.is_err() {
        return;
    }
    let proven = tokio::time::timeout(PROOF, prove(node, &mut socket, &nonce)).await;
    let scope = match proven {
        Ok(Ok((scope, key))) => {
            if let Principal::Panel(panel) = scope.principal {
                node.panel_passes.prove(pass, scope.tenant, panel, key);
            }
            scope
        }
        Ok(Err(closing)) => return socket::refuse(socket, closing).await,
        Err(_) => return socket::refuse(socket, Closing::NotProven).await,
    };
    let Principal::Panel(panel) = scope.principal else { return };
    let (line, outgoing) = socket::line();
    // from here on events queue up; the welcome below is sent before any of them and is never older
    node.exchange.panel_connected(panel, line.clone());
    node.presence.panel_arrives(panel);
    match welcome(node, &scope, panel).await {
        Ok(Some(welcome)) => {
            if socket::send(&mut socket, &welcome).await.is_ok() {
                node.exchange.panel_back(panel).await;
                let mut peer = PanelPeer { node, scope, panel };
                socket::converse(socket, &mut peer, &line, outgoing).await;
            }
        }
        Ok(None) => socket::refuse(socket, Closing::SignedOut).await,
        Err(error) => {
            tracing::error!(%error, "could not read a panel's directory");
            socket::refuse(socket, Closing::Stopping).await;
        }
    }
    node.presence.panel_leaves(panel);
    node.exchange.panel_away(panel, &line).await;
}

/// Waits for `hello` and checks its signature against the panel's key: who it is, and that key.
async fn prove(node: &Node, socket: &mut WebSocket, nonce: &str) -> Result<(Scope, Vec<u8>), Closing> {
    let text = socket::first_text(socket).await.ok_or(Closing::NotProven)?;
    let Ok(PanelRequest::Hello { protocol, panel, signature }) = serde_json::from_str(&text) else {
        return Err(Closing::NotProven);
    };
    if protocol < klinke_wire::SIGNALLING {
        return Err(Closing::Version);
    }
    let known = node.store.gate().panel_key(panel).await.map_err(|error| {
        tracing::error!(%error, "could not read a panel's key");
        Closing::Stopping
    })?;
    let known = known.ok_or(Closing::NotProven)?;
    if !is_signed(&known.public_key, &challenge_text(panel, nonce), &signature) {
        return Err(Closing::NotProven);
    }
    // it shows that it is out of service, and comes back by itself
    if node.store.gate().is_suspended(known.tenant).await.unwrap_or(true) {
        return Err(Closing::Stopping);
    }
    let principal = Principal::Panel(panel);
    let scope = Scope { tenant: known.tenant, principal, at: node.clock.now(), view: None };
    Ok((scope, known.public_key))
}

fn is_signed(public_key: &[u8], text: &str, signature: &str) -> bool {
    let (Ok(key), Ok(signature)) =
        (VerifyingKey::from_public_key_der(public_key), BASE64_STANDARD.decode(signature))
    else {
        return false;
    };
    Signature::from_slice(&signature).is_ok_and(|signature| key.verify(text.as_bytes(), &signature).is_ok())
}

async fn welcome(
    node: &Arc<Node>,
    scope: &Scope,
    panel: PanelId,
) -> Result<Option<PanelEvent>, klinke_storage::StorageError> {
    let Some(directory) = directory(node, scope, panel).await? else { return Ok(None) };
    let call = node.exchange.panel_call(panel).await;
    Ok(Some(PanelEvent::Welcome { protocol: klinke_wire::SIGNALLING, directory, call }))
}

/// The panel's directory as it is now; `None` when the panel was removed.
///
/// # Errors
/// When the database fails.
pub async fn directory(
    node: &Node,
    scope: &Scope,
    panel: PanelId,
) -> Result<Option<Directory>, klinke_storage::StorageError> {
    let Some(stored) = node.store.intercom().directory(scope, panel).await? else { return Ok(None) };
    let bells = stored
        .bells
        .into_iter()
        .map(|bell| DirectoryBell {
            bell: bell.bell,
            label: bell.label.into_inner(),
            unit: bell.unit,
            entrance: bell.entrance,
            alias: bell.alias.map(Pii::into_inner),
            picture: bell.picture,
            search_only: bell.search_only,
            kind: bell.kind,
            members: bell
                .members
                .into_iter()
                .map(|member| DirectoryMember { member: member.person, label: member.label.into_inner() })
                .collect(),
        })
        .collect();
    Ok(Some(Directory {
        revision: stored.revision,
        building: stored.building,
        address: stored.address,
        panel: stored.panel,
        dials: stored.dials,
        bells,
    }))
}

struct PanelPeer<'n> {
    node: &'n Arc<Node>,
    scope: Scope,
    panel: PanelId,
}

impl Peer for PanelPeer<'_> {
    type Request = PanelRequest;
    type Event = PanelEvent;
    const SILENCE: Duration = Duration::from_secs(30);

    async fn hear(&mut self, request: PanelRequest, line: &Line<PanelEvent>) -> Result<(), Closing> {
        let exchange = &self.node.exchange;
        let error = |request, code| line.send(ErrorNews::new(request, code).into());
        match request {
            PanelRequest::Hello { .. } => return Err(Closing::NotProven),
            PanelRequest::Ping => line.send(PanelEvent::Pong),
            PanelRequest::Ring { request, bell, member } => {
                let tapped = Tapped { bell, member, typed: None, hops: HOPS };
                if let Err(cause) = ring::ring(self.node, &self.scope, self.panel, request, tapped).await {
                    error(Some(request), refusal(&cause));
                }
            }
            PanelRequest::Dial { request, code } => {
                if let Err(cause) =
                    ring::dial(self.node, &self.scope, self.panel, request, (&code, HOPS)).await
                {
                    error(Some(request), refusal(&cause));
                }
            }
            PanelRequest::Present { request, pass } => self.present(request, &pass, line).await,
            PanelRequest::Offer { call, sdp } => {
                if !exchange.tell_from_panel(self.panel, call, Message::PanelOffer(sdp)).await {
                    error(None, ErrorCode::NotFound);
                }
            }
            PanelRequest::HangUp { call } => {
                if !exchange.tell_from_panel(self.panel, call, Message::Input(Input::VisitorHungUp)).await {
                    error(None, ErrorCode::NotFound);
                }
            }
        }
        Ok(())
    }
}

impl PanelPeer<'_> {
    /// Opens a door with a pass, and tells the panel how it goes.
    async fn present(&self, request: RequestId, pass: &PresentedPass, line: &Line<PanelEvent>) {
        let scope = self.scope.at(self.node.clock.now());
        let presented = present_pass::present(self.node, &scope, self.panel, request, pass).await;
        let (door_name, mut news) = match presented {
            Ok(Presented::Door(name, news)) => (name, news),
            Ok(Presented::NoDoor) => {
                let state = OpeningState::Refused { reason: RefusalCode::NotAllowed };
                return line.send(PanelEvent::Pass { request, door_name: None, state });
            }
            Err(cause) => return line.send(not_presented(request, &cause).into()),
        };
        let line = line.clone();
        self.node.tasks.spawn(async move {
            loop {
                let state = news.borrow_and_update().state;
                line.send(PanelEvent::Pass { request, door_name: Some(door_name.clone()), state });
                if news.changed().await.is_err() {
                    return;
                }
            }
        });
    }
}

fn not_presented(request: RequestId, cause: &PresentError) -> ErrorNews {
    match cause {
        PresentError::NotFound => ErrorNews::new(Some(request), ErrorCode::NotFound),
        PresentError::SlowDown(wait) => ErrorNews {
            wait_ms: Some(u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)),
            ..ErrorNews::new(Some(request), ErrorCode::SlowDown)
        },
        PresentError::Storage(cause) => {
            tracing::error!(error = %cause, "could not look a pass up");
            ErrorNews::new(Some(request), ErrorCode::Internal)
        }
    }
}

fn refusal(cause: &RingError) -> ErrorCode {
    match cause {
        RingError::NotFound => ErrorCode::NotFound,
        RingError::Busy => ErrorCode::Busy,
        RingError::Overloaded => ErrorCode::Overloaded,
        RingError::Storage(cause) => {
            tracing::error!(error = %cause, "could not ring");
            ErrorCode::Internal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::Signer as _;
    use p256::pkcs8::EncodePublicKey as _;

    #[test]
    fn a_signature_counts_for_its_panel_and_its_connection_only() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let public = key.verifying_key().to_public_key_der().unwrap();
        let (panel, other) = (PanelId(ids::v4([1; 16])), PanelId(ids::v4([2; 16])));
        let signature: Signature = key.sign(challenge_text(panel, "nonce").as_bytes());
        let signature = BASE64_STANDARD.encode(signature.to_bytes());
        let signed = |text: &str| is_signed(public.as_bytes(), text, &signature);
        assert!(signed(&challenge_text(panel, "nonce")));
        assert!(!signed(&challenge_text(other, "nonce")));
        assert!(!signed(&challenge_text(panel, "older nonce")));
        assert!(!is_signed(public.as_bytes(), "x", "not base64"));
        assert!(!is_signed(b"no key", &challenge_text(panel, "nonce"), &signature));
    }
}
