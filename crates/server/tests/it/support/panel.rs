//! A panel: a key of its own, paired through the API, and its connection.

use super::socket::{Next, Socket};
use crate::webrtc::{Numbers, Offering, Peer, Role, Via};
use crate::world::Browser;
use axum::http::Method;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use klinke_model::ids::{BellId, BuildingId, CallId, DoorId, PanelId, PersonId, RequestId, v4};
use klinke_model::intercom::EndReason;
use klinke_wire::SIGNALLING;
use klinke_wire::common::{ErrorCode, OpeningNews, OpeningState, Sdp};
use klinke_wire::panel::{Directory, PanelCall, PanelCallState, PanelEvent, PanelRequest, challenge_text};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use serde_json::json;
use std::net::SocketAddr;

/// What a panel is known by.
#[derive(Clone)]
pub struct PanelKey {
    pub id: PanelId,
    pub key: SigningKey,
}

/// A request id that nobody used before.
pub fn request() -> RequestId {
    let mut random = [0; 16];
    getrandom::fill(&mut random).unwrap();
    RequestId(v4(random))
}

/// A fresh key, and its public part (SPKI DER).
fn fresh_key() -> (SigningKey, Vec<u8>) {
    let mut random = [0; 32];
    getrandom::fill(&mut random).unwrap();
    let key = SigningKey::from_slice(&random).unwrap();
    let public = key.verifying_key().to_public_key_der().unwrap().into_vec();
    (key, public)
}

/// Opens a pairing for a fresh key: the key, the pairing's id, its secret and its code.
async fn open_pairing(browser: &Browser) -> (SigningKey, String, String, String) {
    let (key, public) = fresh_key();
    let public = BASE64_STANDARD.encode(public);
    let opened = browser.post("/api/v1/panel-pairings", json!({ "public_key": public })).await.json();
    let text = |field: &str| opened[field].as_str().unwrap().to_owned();
    (key, text("pairing"), text("secret"), text("code"))
}

impl PanelKey {
    /// A panel that nobody knows yet, and its public key.
    pub fn fresh(id: PanelId) -> (Self, Vec<u8>) {
        let (key, public) = fresh_key();
        (Self { id, key }, public)
    }

    /// The panel shows a code, and an administrator claims it.
    pub async fn pair(manager: &Browser, building: BuildingId, name: &str, doors: &[DoorId]) -> Self {
        let (key, _, _, code) = open_pairing(manager).await;
        let new = json!({ "code": code, "name": name, "doors": doors });
        let added = manager.post(&format!("/api/v1/buildings/{building}/panels"), new).await;
        assert_eq!(added.status, 201, "{added:?}");
        Self { id: added.json()["id"].as_str().unwrap().parse().unwrap(), key }
    }

    /// Another device becomes a panel by a ticket.
    pub async fn redeem(browser: &Browser, ticket: &str) -> Self {
        let (key, pairing, secret, _) = open_pairing(browser).await;
        let path = format!("/api/v1/panel-pairings/{pairing}/ticket");
        let request = browser.http.post(browser.url(&path)).header("klinke-pairing-secret", secret);
        let redeemed = browser.send(request.json(&json!({ "ticket": ticket })), Method::POST, &path).await;
        assert_eq!(redeemed.status, 200, "{redeemed:?}");
        Self { id: redeemed.json()["panel"].as_str().unwrap().parse().unwrap(), key }
    }

    /// What it proves itself with on the connection of this nonce.
    pub fn sign(&self, panel: PanelId, nonce: &str) -> String {
        let signature: Signature = self.key.sign(challenge_text(panel, nonce).as_bytes());
        BASE64_STANDARD.encode(signature.to_bytes())
    }

    /// A connection that has been challenged and has said nothing yet.
    pub async fn challenged(server: SocketAddr) -> (Socket<PanelEvent>, String) {
        let mut socket = Socket::open("a panel", server, "/api/v1/panel/socket", &[]).await.unwrap();
        let nonce = match socket.next().await {
            Next::Event(PanelEvent::Challenge { protocol: SIGNALLING, nonce }) => nonce,
            other => panic!("no challenge first: {other:?}"),
        };
        (socket, nonce)
    }

    /// Connects and proves itself.
    pub async fn connect(&self, server: SocketAddr) -> Panel {
        let (mut socket, nonce) = Self::challenged(server).await;
        let signature = self.sign(self.id, &nonce);
        socket.send(&PanelRequest::Hello { protocol: SIGNALLING, panel: self.id, signature }).await;
        match socket.next().await {
            Next::Event(PanelEvent::Welcome { protocol: SIGNALLING, directory, call }) => {
                Panel { id: self.id, socket, directory, call }
            }
            other => panic!("no welcome: {other:?}"),
        }
    }
}

/// A connected panel.
pub struct Panel {
    pub id: PanelId,
    pub socket: Socket<PanelEvent>,
    /// As of its welcome.
    pub directory: Directory,
    /// The call it was in when it was welcomed.
    pub call: Option<PanelCall>,
}

impl Panel {
    /// Waits until what it shows is such.
    pub async fn shows(&mut self, what: &str, is_so: impl Fn(&Directory) -> bool) -> Directory {
        self.socket
            .expect(what, |event| match event {
                PanelEvent::Directory { directory } if is_so(directory) => Some(directory.clone()),
                _ => None,
            })
            .await
    }

    /// The visitor taps a name.
    pub async fn ring(&mut self, bell: BellId) -> PanelCall {
        self.ring_as(request(), bell, None).await
    }

    /// The visitor taps a name, or one of those behind it.
    pub async fn ring_as(&mut self, request: RequestId, bell: BellId, member: Option<PersonId>) -> PanelCall {
        self.tap(request, bell, member).await;
        self.socket
            .expect("the answer to a tap", |event| match event {
                PanelEvent::Call { call, request: Some(answers) } if *answers == request => {
                    Some(call.clone())
                }
                _ => None,
            })
            .await
    }

    pub async fn tap(&mut self, request: RequestId, bell: BellId, member: Option<PersonId>) {
        self.socket.send(&PanelRequest::Ring { request, bell, member }).await;
    }

    pub async fn hang_up(&mut self, call: CallId) {
        self.socket.send(&PanelRequest::HangUp { call }).await;
    }

    pub async fn offer(&mut self, call: CallId, sdp: &str) {
        self.socket.send(&PanelRequest::Offer { call, sdp: Sdp(sdp.to_owned()) }).await;
    }

    /// Its camera and its microphone begin, in the room of this call at `media`. It speaks these packets of Opus over and
    /// over; without any, its mark.
    pub async fn films(&mut self, media: SocketAddr, call: CallId, says: Vec<Vec<u8>>) -> Peer {
        let mut browser = Offering::new(Role::Panel, Via::Udp, media, Numbers(111, 96, 98), 0x78).await;
        browser.says = says;
        self.offer(call, &browser.sdp).await;
        let answer = self
            .socket
            .expect("an answer", |event| match event {
                PanelEvent::Answer { sdp, .. } => Some(sdp.0.clone()),
                _ => None,
            })
            .await;
        browser.connect(&answer)
    }

    /// Waits until the call is in such a state.
    pub async fn until(&mut self, what: &str, is_so: impl Fn(&PanelCallState) -> bool) -> PanelCall {
        self.socket
            .expect(what, |event| match event {
                PanelEvent::Call { call, .. } if is_so(&call.state) => Some(call.clone()),
                _ => None,
            })
            .await
    }

    pub async fn connected(&mut self) -> PanelCall {
        self.until("connected", |state| matches!(state, PanelCallState::Connected { .. })).await
    }

    /// Waits for the end of a call.
    pub async fn ended(&mut self, of: CallId) -> EndReason {
        self.socket
            .expect("the end of the call", |event| match event {
                PanelEvent::Call {
                    call: PanelCall { call, state: PanelCallState::Ended { reason }, .. },
                    ..
                } if *call == of => Some(*reason),
                _ => None,
            })
            .await
    }

    /// The next news of an opening.
    pub async fn opening(&mut self) -> OpeningNews {
        self.socket
            .expect("news of an opening", |event| match event {
                PanelEvent::Opening { news, .. } => Some(*news),
                _ => None,
            })
            .await
    }

    /// Waits until an opening is over, one way or the other.
    pub async fn opened(&mut self) -> OpeningState {
        loop {
            match self.opening().await.state {
                OpeningState::Sending => {}
                done => return done,
            }
        }
    }

    /// The next error.
    pub async fn error(&mut self) -> ErrorCode {
        self.socket
            .expect("an error", |event| match event {
                PanelEvent::Error(news) => Some(news.code),
                _ => None,
            })
            .await
    }
}
