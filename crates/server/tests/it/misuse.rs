//! Bad input on the WebSockets: each ends in its error or its close code, for that client alone.

use crate::support::app::{App, Phone};
use crate::support::house::House;
use crate::support::panel::{Panel, PanelKey, request};
use crate::support::socket::Socket;
use crate::support::until;
use klinke_model::ids::{BellId, CallId, DoorId, v4};
use klinke_model::intercom::EndReason;
use klinke_wire::app::{AppEvent, AppRequest};
use klinke_wire::common::{ErrorCode, OpeningState, RefusalCode, Sdp};
use klinke_wire::panel::{PanelEvent, PanelRequest};
use klinke_wire::{MAX_MESSAGE, SIGNALLING};
use tokio_tungstenite::tungstenite::Message;

const SLOW_OR_TOO_MANY: u16 = 1008;
const TOO_LARGE: u16 = 1009;
const REPLACED: u16 = 4001;
const NOT_PROVEN: u16 = 4003;
const VERSION: u16 = 4004;

/// A call that goes on while somebody misbehaves: Ingrid Olsen talks at the gate.
struct Bystanders {
    gate: Panel,
    ingrid: App,
    call: CallId,
}

impl Bystanders {
    async fn talk(house: &House) -> Self {
        let (mut gate, mut ingrid) = (house.gate_panel().await, house.app("ingrid").await);
        let call = gate.ring(house.plan.gate_bell("Olsen")).await.call;
        ingrid.rung().await;
        ingrid.answer(call).await;
        gate.connected().await;
        Self { gate, ingrid, call }
    }

    /// Nothing has disturbed them: they hear of nothing but their own goodbye.
    async fn are_undisturbed(mut self) {
        let told = self.gate.socket.before_pong().await;
        assert!(told.is_empty(), "{told:?}");
        let told = self.ingrid.socket.before_pong().await;
        assert!(told.is_empty(), "{told:?}");
        self.ingrid.hang_up(self.call).await;
        assert_eq!(self.gate.ended(self.call).await, EndReason::ResidentHungUp);
    }
}

fn unknown_call() -> CallId {
    CallId(v4([9; 16]))
}

#[tokio::test]
async fn what_can_not_be_understood_is_answered_and_the_connection_lives() {
    let house = House::new().await;
    let bystanders = Bystanders::talk(&house).await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let wrong = [
        "",
        "{",
        "null",
        "[]",
        "7",
        "\"ring\"",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"unheard_of"}"#,
        r#"{"type":"ring"}"#,
        r#"{"type":"accept","call":"x"}"#,
        r#"{"type":"hang_up","call":null}"#,
        r#"{"type":"ring","request":1,"bell":2}"#,
        "{\"type\":\"ping\"",
    ];
    let nested = "[".repeat(MAX_MESSAGE);
    for text in wrong.into_iter().chain([nested.as_str()]) {
        panel.socket.say(Message::text(text)).await;
        assert_eq!(panel.error().await, ErrorCode::Malformed, "{text:.60}");
        kari.socket.say(Message::text(text)).await;
        assert_eq!(kari.error().await, ErrorCode::Malformed, "{text:.60}");
    }
    panel.socket.say(Message::binary(vec![0; 100])).await;
    assert_eq!(panel.error().await, ErrorCode::Malformed);
    kari.socket.say(Message::binary(vec![0; 100])).await;
    assert_eq!(kari.error().await, ErrorCode::Malformed);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    assert_eq!(kari.rung().await.call, call, "both live on");
    bystanders.are_undisturbed().await;
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_connection_and_one_at_it_does_not() {
    let house = House::new().await;
    let bystanders = Bystanders::talk(&house).await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let ping = |length: usize| {
        let (head, tail) = (r#"{"type":"ping","x":""#, r#""}"#);
        Message::text(format!("{head}{}{tail}", "x".repeat(length - head.len() - tail.len())))
    };
    for socket in [&mut panel.socket as &mut dyn Ended, &mut kari.socket] {
        socket.say(ping(MAX_MESSAGE)).await;
        socket.is_alive().await;
        socket.say(ping(MAX_MESSAGE + 1)).await;
        assert_eq!(socket.code().await, Some(TOO_LARGE));
    }
    bystanders.are_undisturbed().await;
}

/// A connection of either kind, for tests that end both in the same way.
trait Ended {
    fn say(&mut self, message: Message) -> Done<'_, ()>;
    fn is_alive(&mut self) -> Done<'_, ()>;
    fn code(&mut self) -> Done<'_, Option<u16>>;
}

type Done<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + 'a>>;

impl<E: serde::de::DeserializeOwned + std::fmt::Debug> Ended for Socket<E> {
    fn say(&mut self, message: Message) -> Done<'_, ()> {
        Box::pin(Self::say(self, message))
    }
    fn is_alive(&mut self) -> Done<'_, ()> {
        Box::pin(async { drop(self.before_pong().await) })
    }
    fn code(&mut self) -> Done<'_, Option<u16>> {
        Box::pin(async { self.closed().await.0 })
    }
}

#[tokio::test]
async fn who_sends_too_much_is_closed() {
    let house = House::new().await;
    let bystanders = Bystanders::talk(&house).await;
    let floods: [Message; 4] = [
        Message::text(r#"{"type":"ping"}"#),
        Message::text("{"),
        Message::binary(vec![0; 8]),
        Message::Ping(vec![0; 8].into()),
    ];
    for flood in floods {
        let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
        for socket in [&mut panel.socket as &mut dyn Ended, &mut kari.socket] {
            for _ in 0..200 {
                socket.say(flood.clone()).await;
            }
            assert_eq!(socket.code().await, Some(SLOW_OR_TOO_MANY), "{flood:?}");
        }
    }
    bystanders.are_undisturbed().await;
}

#[tokio::test]
async fn messages_out_of_order_are_not_found_or_end_the_connection() {
    let house = House::new().await;
    let bystanders = Bystanders::talk(&house).await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    // an own call that is over, somebody else's that goes on, and none
    let over = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    kari.decline(over).await;
    panel.ended(over).await;
    let sdp = || Sdp("v=0".into());
    for call in [over, bystanders.call, unknown_call()] {
        for wrong in [PanelRequest::Offer { call, sdp: sdp() }, PanelRequest::HangUp { call }] {
            panel.socket.send(&wrong).await;
            assert_eq!(panel.error().await, ErrorCode::NotFound, "{wrong:?}");
        }
        for wrong in [
            AppRequest::Ringing { call },
            AppRequest::Offer { call, join: "x".into(), sdp: sdp() },
            AppRequest::Accept { call },
            AppRequest::Decline { call },
            AppRequest::HangUp { call },
            AppRequest::Video { call, on: false },
            AppRequest::Open { request: request(), door: house.plan.front, call: Some(call) },
        ] {
            kari.socket.send(&wrong).await;
            assert_eq!(kari.error().await, ErrorCode::NotFound, "{wrong:?}");
        }
    }
    let signature = house.plan.entrance_panel.sign(panel.id, "");
    panel.socket.send(&PanelRequest::Hello { protocol: SIGNALLING, panel: panel.id, signature }).await;
    assert_eq!(panel.socket.closed().await.0, Some(NOT_PROVEN), "hello twice");
    kari.socket.send(&AppRequest::Hello { protocol: SIGNALLING }).await;
    assert_eq!(kari.socket.closed().await.0, Some(NOT_PROVEN), "hello twice");
    bystanders.are_undisturbed().await;
}

#[tokio::test]
async fn before_hello_nothing_is_heard() {
    let house = House::new().await;
    let bystanders = Bystanders::talk(&house).await;
    let phone = house.phone("kari").await;
    for first in [r#"{"type":"ping"}"#, "{", r#"{"type":"hello"}"#] {
        let (mut socket, _) = PanelKey::challenged(house.at()).await;
        socket.say(Message::text(first)).await;
        let (code, told) = socket.closed().await;
        assert!(code == Some(NOT_PROVEN) && told.is_empty(), "{first}: {code:?} {told:?}");
        let mut socket = phone.open(house.at()).await.unwrap();
        socket.say(Message::text(first)).await;
        let (code, told) = socket.closed().await;
        assert!(code == Some(NOT_PROVEN) && told.is_empty(), "{first}: {code:?} {told:?}");
    }
    let ring = PanelRequest::Ring { request: request(), bell: house.plan.bell("Dahl"), member: None };
    let (mut socket, _) = PanelKey::challenged(house.at()).await;
    socket.send(&ring).await;
    assert_eq!(socket.closed().await.0, Some(NOT_PROVEN));
    bystanders.are_undisturbed().await;
}

#[tokio::test]
async fn a_panel_is_proven_by_its_own_key_on_this_connection_only() {
    let house = House::new().await;
    let bystanders = Bystanders::talk(&house).await;
    let (own, other) = (&house.plan.entrance_panel, &house.plan.gate_panel);
    let (_, older_nonce) = PanelKey::challenged(house.at()).await;
    for (what, signed) in [
        ("no signature", None),
        ("another panel's key", Some((other, own.id, None))),
        ("signed for another panel", Some((own, other.id, None))),
        ("signed for another connection", Some((own, own.id, Some(older_nonce.as_str())))),
    ] {
        let (mut socket, nonce) = PanelKey::challenged(house.at()).await;
        let signature =
            signed.map_or_else(String::new, |(key, of, older)| key.sign(of, older.unwrap_or(nonce.as_str())));
        socket.send(&PanelRequest::Hello { protocol: SIGNALLING, panel: own.id, signature }).await;
        let (code, told) = socket.closed().await;
        assert!(code == Some(NOT_PROVEN) && told.is_empty(), "{what}: {code:?} {told:?}");
    }
    let (mut socket, nonce) = PanelKey::challenged(house.at()).await;
    let unknown = klinke_model::ids::PanelId(v4([9; 16]));
    let signature = own.sign(unknown, &nonce);
    socket.send(&PanelRequest::Hello { protocol: SIGNALLING, panel: unknown, signature }).await;
    assert_eq!(socket.closed().await.0, Some(NOT_PROVEN), "a panel that is not there");
    bystanders.are_undisturbed().await;
}

#[tokio::test]
async fn who_speaks_an_older_version_is_told_so() {
    let house = House::new().await;
    let (mut socket, nonce) = PanelKey::challenged(house.at()).await;
    let panel = house.plan.entrance_panel.id;
    let signature = house.plan.entrance_panel.sign(panel, &nonce);
    socket.send(&PanelRequest::Hello { protocol: SIGNALLING - 1, panel, signature }).await;
    assert_eq!(socket.closed().await.0, Some(VERSION));
    let mut socket = house.phone("kari").await.open(house.at()).await.unwrap();
    socket.send(&AppRequest::Hello { protocol: SIGNALLING - 1 }).await;
    assert_eq!(socket.closed().await.0, Some(VERSION));
}

#[tokio::test]
async fn an_app_socket_takes_a_session_and_a_page_of_ours() {
    let house = House::new().await;
    let Phone { cookie, .. } = house.phone("kari").await;
    let ours = format!("http://{}", house.at());
    let path = "/api/v1/app/socket";
    for (headers, status) in [
        (vec![("origin", ours.as_str())], 401),
        (vec![("origin", ours.as_str()), ("cookie", "klinke=AAAA")], 401),
        (vec![("cookie", cookie.as_str())], 403),
        (vec![("cookie", cookie.as_str()), ("origin", "https://klinke.example")], 403),
        (vec![("cookie", cookie.as_str()), ("origin", "null")], 403),
    ] {
        let refused = Socket::<AppEvent>::open("kari", house.at(), path, &headers).await;
        assert_eq!(refused.err(), Some(status), "{headers:?}");
    }
    let headers = [("cookie", cookie.as_str()), ("origin", ours.as_str())];
    assert!(Socket::<AppEvent>::open("kari", house.at(), path, &headers).await.is_ok());
}

#[tokio::test]
async fn garbage_for_media_is_a_bad_offer() {
    let house = House::new().await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    let join = kari.rung().await.join;
    let nearly = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
    for sdp in ["", "garbage", "v=0", nearly, &"\0".repeat(2_000), &"a=x\r\n".repeat(5_000), "\u{1f6aa}"] {
        panel.offer(call, sdp).await;
        assert_eq!(panel.error().await, ErrorCode::BadOffer, "{sdp:.60}");
    }
    kari.offer(call, &join, nearly).await;
    assert_eq!(kari.error().await, ErrorCode::BadOffer);
    kari.answer(call).await;
    panel.connected().await;
}

#[tokio::test]
async fn a_call_is_joined_by_a_phone_that_it_rang_with_its_own_token_once() {
    let house = House::new().await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let (mut linh, mut anh) = (house.app("linh").await, house.app("anh").await);
    let call = panel.ring(house.plan.bell("Nguyen")).await.call;
    let (to_linh, to_anh) = (linh.rung().await.join, anh.rung().await.join);
    assert_ne!(to_linh, to_anh);
    for token in [to_linh.as_str(), "", "x"] {
        kari.offer(call, token, "garbage").await;
        assert_eq!(kari.error().await, ErrorCode::NotFound, "not rung, whatever the token");
    }
    for token in [to_linh.as_str(), "", "x"] {
        anh.offer(call, token, "garbage").await;
        assert_eq!(anh.error().await, ErrorCode::NotFound, "rung, but not with this token");
    }
    linh.offer(call, &to_linh, "garbage").await;
    assert_eq!(linh.error().await, ErrorCode::BadOffer, "hers gets as far as the media");
    linh.offer(call, &to_linh, "garbage").await;
    assert_eq!(linh.error().await, ErrorCode::NotFound, "used");
    anh.decline(call).await;
    anh.state(call).await;
    anh.offer(call, &to_anh, "garbage").await;
    assert_eq!(anh.error().await, ErrorCode::NotFound, "no more rung");
    linh.answer(call).await;
    linh.hang_up(call).await;
    linh.ended(call).await;
    linh.offer(call, &to_linh, "garbage").await;
    assert_eq!(linh.error().await, ErrorCode::NotFound, "over");
}

#[tokio::test]
async fn whose_turn_has_not_come_is_not_in_the_call() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (mut panel, mut nora, mut emil) =
        (house.panel().await, house.app("nora").await, house.app("emil").await);
    let call = panel.ring(house.plan.bell("Berg")).await.call;
    nora.rung().await;
    emil.accept(call).await;
    assert_eq!(emil.error().await, ErrorCode::NotFound);
    emil.open(request(), house.plan.front, Some(call)).await;
    assert_eq!(emil.error().await, ErrorCode::NotFound);
    assert_eq!(controller.releases.count(), 0);
    nora.answer(call).await;
}

/// What belongs to another tenant is answered exactly as what is not there.
#[tokio::test]
async fn another_tenants_things_are_not_there() {
    let house = House::new().await;
    let controller = house.controller().await;
    let (their_bell, their_door, their_panel) = house.neighbours().await;
    let (mut panel, mut kari) = (house.panel().await, house.app("kari").await);
    let mut theirs = their_panel.connect(house.at()).await;
    for bell in [their_bell, BellId(v4([9; 16]))] {
        panel.tap(request(), bell, None).await;
        assert_eq!(panel.error().await, ErrorCode::NotFound);
    }
    theirs.tap(request(), house.plan.bell("Dahl"), None).await;
    assert_eq!(theirs.error().await, ErrorCode::NotFound);
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    kari.rung().await;
    for of in [call, unknown_call()] {
        theirs.hang_up(of).await;
        assert_eq!(theirs.error().await, ErrorCode::NotFound);
        theirs.offer(of, "garbage").await;
        assert_eq!(theirs.error().await, ErrorCode::NotFound);
    }
    for door in [their_door, DoorId(v4([9; 16]))] {
        for in_call in [None, Some(call)] {
            let refused = OpeningState::Refused { reason: RefusalCode::NotAllowed };
            assert_eq!(kari.open_door(door, in_call).await, refused);
        }
    }
    assert_eq!(controller.releases.count(), 0);
    kari.answer(call).await;
}

#[tokio::test]
async fn a_phone_that_does_not_read_is_dropped_and_nobody_waits_for_it() {
    let house = House::new().await;
    let bystanders = Bystanders::talk(&house).await;
    let (lazy, mut kari) = (house.app("kari").await, house.app("kari").await);
    let mut panel = house.panel().await;
    // more than all buffers on the way can hold
    let news = AppEvent::Answer { call: unknown_call(), sdp: Sdp("x".repeat(60_000)) };
    for _ in 0..400 {
        house.node().exchange.to_device(lazy.device, news.clone());
        tokio::task::yield_now().await;
    }
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    assert_eq!(kari.rung().await.call, call);
    kari.answer(call).await;
    panel.connected().await;
    until("the lazy phone dropped", || house.node().exchange.connected([lazy.device].into_iter()).is_empty())
        .await;
    bystanders.are_undisturbed().await;
}

#[tokio::test]
async fn a_second_connection_takes_the_place_of_the_first() {
    let house = House::new().await;
    let phone = house.phone("kari").await;
    let (mut old, mut new) = (phone.connect(house.at()).await, phone.connect(house.at()).await);
    assert_eq!(old.socket.closed().await.0, Some(REPLACED));
    let (mut former, mut panel) = (house.panel().await, house.panel().await);
    let (code, told): (_, Vec<PanelEvent>) = former.socket.closed().await;
    assert!(code == Some(REPLACED) && told.is_empty(), "{code:?} {told:?}");
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    assert_eq!(new.rung().await.call, call);
}
