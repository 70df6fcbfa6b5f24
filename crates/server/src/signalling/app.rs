//! A device's connection: the resident's app or an apartment station, proven by its session cookie.

use super::socket::{self, Closing, Line, Peer};
use crate::app::open_door::{self, Ask, By};
use crate::app::standing;
use crate::auth::session::SignedIn;
use crate::calls::driver::Message;
use crate::doors::openings::Asker;
use crate::http::problem::Problem;
use crate::node::Node;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use klinke_access::decide::Cause;
use klinke_calls::call::Input;
use klinke_calls::plan::Leg;
use klinke_model::ids::{CallId, DoorId, RequestId};
use klinke_wire::app::{AppDoor, AppEvent, AppRequest};
use klinke_wire::common::{ErrorCode, ErrorNews, OpeningNews};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long an app may take to say hello.
const HELLO: Duration = Duration::from_secs(10);

/// The name shown for doors that our own controllers drive (R21).
const OWN_SYSTEM: &str = "Klinke";

/// `GET /api/v1/app/socket`.
pub async fn upgrade(
    State(node): State<Arc<Node>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    // a cookie goes with a WebSocket from any page: only our own may open one
    node.origins.check_socket(&headers)?;
    Ok(socket::limited(upgrade)?.on_upgrade(move |socket| async move {
        connection(&node, &signed_in, socket).await;
    }))
}

async fn connection(node: &Arc<Node>, who: &SignedIn, mut socket: WebSocket) {
    let hello = tokio::time::timeout(HELLO, socket::first_text(&mut socket)).await.ok().flatten();
    match hello.and_then(|text| serde_json::from_str(&text).ok()) {
        Some(AppRequest::Hello { protocol }) if protocol >= klinke_wire::SIGNALLING => {}
        Some(AppRequest::Hello { .. }) => return socket::refuse(socket, Closing::Version).await,
        _ => return socket::refuse(socket, Closing::NotProven).await,
    }
    let doors = match doors(node, who).await {
        Ok(doors) => doors,
        Err(error) => {
            tracing::error!(%error, "could not read a person's doors");
            return socket::refuse(socket, Closing::Stopping).await;
        }
    };
    let (line, outgoing) = socket::line();
    // from here on events queue up; the welcome below is sent before any of them and is never older
    let doors = node.exchange.device_connected(who.device, line.clone(), doors);
    // and a sign-out finds this connection; one that came earlier did not
    match is_signed_in(node, who).await {
        Ok(true) => {
            let calls = node.exchange.device_calls(who.device).await;
            let welcome =
                AppEvent::Welcome { protocol: klinke_wire::SIGNALLING, device: who.device, calls, doors };
            if socket::send(&mut socket, &welcome).await.is_ok() {
                node.exchange.device_back(who.device, who.person).await;
                let mut peer = AppPeer { node, who };
                socket::converse(socket, &mut peer, &line, outgoing).await;
            }
        }
        Ok(false) => socket::refuse(socket, Closing::SignedOut).await,
        Err(error) => {
            tracing::error!(%error, "could not read a person's devices");
            socket::refuse(socket, Closing::Stopping).await;
        }
    }
    node.exchange.device_away(who.device, &line).await;
}

/// Whether the device is still signed in, long after its request was let in.
async fn is_signed_in(node: &Node, who: &SignedIn) -> Result<bool, klinke_storage::StorageError> {
    let devices = node.store.devices().list(&who.scope, who.person).await?;
    Ok(devices.iter().any(|device| device.id == who.device))
}

/// The doors this person may open, without their state.
async fn doors(node: &Node, who: &SignedIn) -> Result<Vec<AppDoor>, klinke_storage::StorageError> {
    let mut listed = Vec::new();
    for (door, building) in node.store.doors().openable(&who.scope, who.person).await? {
        let facts = node.store.doors().facts(&who.scope, who.person, door.id).await?;
        listed.push(AppDoor {
            door: door.id,
            name: door.name,
            building,
            kind: door.kind,
            system: OWN_SYSTEM.to_owned(),
            state: None,
            hours: facts.and_then(|facts| standing::hours(&facts, node.clock.now())),
        });
    }
    Ok(listed)
}

struct AppPeer<'n> {
    node: &'n Arc<Node>,
    who: &'n SignedIn,
}

impl Peer for AppPeer<'_> {
    type Request = AppRequest;
    type Event = AppEvent;
    const SILENCE: Duration = Duration::from_secs(60);

    async fn hear(&mut self, request: AppRequest, line: &Line<AppEvent>) -> Result<(), Closing> {
        let leg = Leg::Device(self.who.device);
        let (call, message) = match request {
            AppRequest::Hello { .. } => return Err(Closing::NotProven),
            AppRequest::Ping => {
                line.send(AppEvent::Pong);
                return Ok(());
            }
            AppRequest::Open { request, door, call } => {
                // repeated, it is the same opening, also when its call is over
                match (self.node.openings.follow(Asker::Device(self.who.device), request), call) {
                    (Some(news), _) => self.pass_on(call, news, line),
                    (None, None) => self.open_from_list(request, door, line),
                    (None, Some(call)) => {
                        let input = Input::LegOpens { leg, request, door };
                        self.tell(call, Message::Input(input), line).await;
                    }
                }
                return Ok(());
            }
            AppRequest::Ringing { call } => (call, Message::Input(Input::LegRinging(leg))),
            AppRequest::Offer { call, join, sdp } => {
                (call, Message::LegOffer { device: self.who.device, join, sdp })
            }
            AppRequest::Accept { call } => (call, Message::Input(Input::LegAccepted(leg))),
            AppRequest::Decline { call } => (call, Message::Input(Input::LegDeclined(leg))),
            AppRequest::HangUp { call } => (call, Message::Input(Input::LegHungUp(leg))),
            AppRequest::Video { call, on } => (call, Message::Video { device: self.who.device, on }),
        };
        self.tell(call, message, line).await;
        Ok(())
    }
}

fn not_found() -> AppEvent {
    ErrorNews::new(None, ErrorCode::NotFound).into()
}

impl AppPeer<'_> {
    /// To a call that rings or holds this device; any other call does not exist for it.
    async fn tell(&self, call: CallId, message: Message, line: &Line<AppEvent>) {
        if !self.node.exchange.tell_from_device(self.who.device, call, message).await {
            line.send(not_found());
        }
    }

    fn open_from_list(&self, request: RequestId, door: DoorId, line: &Line<AppEvent>) {
        let ask = Ask {
            scope: self.who.scope,
            by: By::Person { person: self.who.person, device: self.who.device },
            request,
            door,
            cause: Cause::List,
            call_offers_door: false,
        };
        self.pass_on(None, open_door::open_door(self.node, ask), line);
    }

    /// Tells the device how its opening goes, to its end.
    fn pass_on(&self, call: Option<CallId>, mut news: watch::Receiver<OpeningNews>, line: &Line<AppEvent>) {
        let line = line.clone();
        self.node.tasks.spawn(async move {
            loop {
                let now = *news.borrow_and_update();
                line.send(AppEvent::Opening { call, news: now });
                if news.changed().await.is_err() {
                    return;
                }
            }
        });
    }
}
