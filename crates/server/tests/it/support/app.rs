//! A resident's phone: signs in over HTTP, then holds a connection with its cookie.

use super::panel::request;
use super::socket::{Next, Socket};
use crate::world::{Browser, PASSWORD};
use klinke_model::ids::{CallId, DeviceId, DoorId, RequestId};
use klinke_model::intercom::EndReason;
use klinke_wire::SIGNALLING;
use klinke_wire::app::{AppCall, AppCallState, AppDoor, AppEvent, AppRequest};
use klinke_wire::common::{ErrorCode, OpeningNews, OpeningState, Sdp};
use serde_json::json;
use std::net::SocketAddr;

/// A signed-in phone.
pub struct Phone {
    pub name: String,
    pub browser: Browser,
    pub cookie: String,
    pub device: DeviceId,
}

impl Phone {
    pub async fn sign_in(server: SocketAddr, user_name: &str, device_name: &str) -> Self {
        let browser = Browser::at([127, 0, 0, 1], server);
        let typed = json!({ "user_name": user_name, "password": PASSWORD, "device_name": device_name });
        let answer = browser.post("/api/v1/session", typed).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let cookie = answer.cookie().split(';').next().unwrap().to_owned();
        let device = answer.json()["device"]["id"].as_str().unwrap().parse().unwrap();
        Self { name: user_name.to_owned(), browser, cookie, device }
    }

    /// A connection that has not said hello.
    pub async fn open(&self, server: SocketAddr) -> Result<Socket<AppEvent>, u16> {
        let origin = format!("http://{server}");
        let headers = [("cookie", self.cookie.as_str()), ("origin", origin.as_str())];
        Socket::open(&self.name, server, "/api/v1/app/socket", &headers).await
    }

    /// Connects.
    pub async fn connect(&self, server: SocketAddr) -> App {
        let mut socket = self.open(server).await.unwrap();
        socket.send(&AppRequest::Hello { protocol: SIGNALLING }).await;
        match socket.next().await {
            Next::Event(AppEvent::Welcome { protocol: SIGNALLING, device, calls, doors }) => {
                assert_eq!(device, self.device);
                App { socket, device, calls, doors }
            }
            other => panic!("{}: no welcome: {other:?}", self.name),
        }
    }
}

/// A connected phone.
pub struct App {
    pub socket: Socket<AppEvent>,
    pub device: DeviceId,
    /// As of its welcome.
    pub calls: Vec<AppCall>,
    /// As of its welcome.
    pub doors: Vec<AppDoor>,
}

impl App {
    /// Waits until it rings.
    pub async fn rung(&mut self) -> AppCall {
        self.socket
            .expect("a ring", |event| match event {
                AppEvent::Ring { call } => Some(call.clone()),
                _ => None,
            })
            .await
    }

    /// The next news of a call.
    pub async fn state(&mut self, of: CallId) -> AppCallState {
        self.socket
            .expect("news of the call", |event| match event {
                AppEvent::Call { call, state } if *call == of => Some(state.clone()),
                _ => None,
            })
            .await
    }

    /// Waits for the end of a call.
    pub async fn ended(&mut self, of: CallId) -> EndReason {
        match self.state(of).await {
            AppCallState::Ended { reason } => reason,
            other => panic!("not the end: {other:?}"),
        }
    }

    /// Answers, and waits until it talks.
    pub async fn answer(&mut self, call: CallId) {
        self.accept(call).await;
        let state = self.state(call).await;
        assert!(matches!(state, AppCallState::Connected { .. }), "{state:?}");
    }

    pub async fn accept(&mut self, call: CallId) {
        self.socket.send(&AppRequest::Accept { call }).await;
    }

    pub async fn decline(&mut self, call: CallId) {
        self.socket.send(&AppRequest::Decline { call }).await;
    }

    pub async fn hang_up(&mut self, call: CallId) {
        self.socket.send(&AppRequest::HangUp { call }).await;
    }

    pub async fn ringing(&mut self, call: CallId) {
        self.socket.send(&AppRequest::Ringing { call }).await;
    }

    pub async fn offer(&mut self, call: CallId, join: &str, sdp: &str) {
        self.socket.send(&AppRequest::Offer { call, join: join.to_owned(), sdp: Sdp(sdp.to_owned()) }).await;
    }

    /// Asks for a door; `call` is absent for the list.
    pub async fn open(&mut self, request: RequestId, door: DoorId, call: Option<CallId>) {
        self.socket.send(&AppRequest::Open { request, door, call }).await;
    }

    /// The next news of an opening.
    pub async fn opening(&mut self) -> OpeningNews {
        self.socket
            .expect("news of an opening", |event| match event {
                AppEvent::Opening { news, .. } => Some(*news),
                _ => None,
            })
            .await
    }

    /// Waits until the opening of this request is over, one way or the other.
    pub async fn opened(&mut self, request: RequestId) -> OpeningNews {
        loop {
            let news = self.opening().await;
            if news.request == Some(request) && news.state != OpeningState::Sending {
                return news;
            }
        }
    }

    /// Asks for a door and waits for what becomes of it.
    pub async fn open_door(&mut self, door: DoorId, call: Option<CallId>) -> OpeningState {
        let request = request();
        self.open(request, door, call).await;
        self.opened(request).await.state
    }

    /// The next error.
    pub async fn error(&mut self) -> ErrorCode {
        self.socket
            .expect("an error", |event| match event {
                AppEvent::Error(news) => Some(news.code),
                _ => None,
            })
            .await
    }
}
