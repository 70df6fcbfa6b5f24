//! Stations in virtual time: a device that registers, is called, and calls.

use super::core::{Core, LONGEST_RING, News};
use super::*;
use crate::digest::{Account, strongest};
use crate::message::{self, Headers, Message, Method, Request, Response};
use crate::registrar::{Flow, Transport};
use crate::why::Why;
use klinke_model::time::Mono;
use proptest::prelude::*;
use std::collections::HashMap;

const DEVICE: &str = "k7m2q9x4w8zp";
const OTHER: &str = "p3n8c5v1b6tr";
const LIMIT: u64 = 120;

fn ms(millis: u64) -> Mono {
    Mono::from_millis(millis)
}

fn flow(port: u16) -> Flow {
    let peer = SocketAddr::from(([192, 0, 2, 7], port));
    Flow { way: Transport::Udp, connection: 0, peer, local: SocketAddr::from(([192, 0, 2, 1], 5060)) }
}

fn stream(connection: u64) -> Flow {
    Flow { way: Transport::Tcp, connection, ..flow(40_000) }
}

struct World {
    core: Core,
    now: Mono,
    cseq: u32,
    sent: Vec<(Flow, Message)>,
    asked: Vec<(u64, String, String, Option<String>)>,
    /// Of the newest call of theirs: how far what is made because of it may go, and whether it is the only one.
    newest: Option<(u8, bool)>,
    events: Vec<Event>,
}

impl World {
    fn new() -> Self {
        let mut core = Core::new([5; 32], &Settings::default(), ms(0));
        let accounts = [(DEVICE, "right horse"), (OTHER, "other horse")];
        core.accounts(accounts.map(|(name, word)| (name.to_owned(), Secret::new(name, word))).into(), ms(0));
        let (sent, asked, events) = (Vec::new(), Vec::new(), Vec::new());
        Self { core, now: ms(0), cseq: 0, sent, asked, newest: None, events }
    }

    /// With a device that is registered on this way.
    fn registered(flow: Flow) -> Self {
        let mut world = Self::new();
        let register = world.register(DEVICE, flow);
        let (status, _) = world.signed(register, DEVICE, "right horse", flow);
        assert_eq!(status, 200);
        world
    }

    fn register(&mut self, device: &str, flow: Flow) -> Request {
        let mut request = self.request(Method::Register, device, "");
        request.headers.push("Contact", format!("<sip:{device}@10.0.0.5:{}>", flow.peer.port()));
        request
    }

    fn request(&mut self, method: Method, device: &str, to: &str) -> Request {
        self.cseq += 1;
        let uri = if to.is_empty() { "sip:house".to_owned() } else { format!("sip:{to}@house") };
        let mut headers = Headers::default();
        headers.push("Via", format!("SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK{};rport", self.cseq));
        headers.push("From", format!("<sip:{device}@house>;tag=theirs"));
        let named = if to.is_empty() { device } else { to };
        headers.push("To", format!("<sip:{named}@house>"));
        let call = if method == Method::Register { "registration" } else { "a call" };
        headers.push("Call-ID", call);
        headers.push("CSeq", format!("{} {}", self.cseq, method.name()));
        Request { method, uri, headers, body: Vec::new() }
    }

    fn invite(&mut self, to: &str, offer: &str) -> Request {
        let mut request = self.request(Method::Invite, DEVICE, to);
        request.headers.push("Contact", "<sip:me@10.0.0.5:5060>");
        if !offer.is_empty() {
            request.headers.push("Content-Type", "application/sdp");
        }
        request.body = offer.as_bytes().to_vec();
        request
    }

    fn send(&mut self, request: &Request, flow: Flow) {
        self.core.received(&request.write(), flow, self.now);
        self.drain();
    }

    fn respond(&mut self, response: &Response, flow: Flow) {
        self.core.received(&response.write(), flow, self.now);
        self.drain();
    }

    /// Sends it, answers the challenge, and returns what came of that, with the request as it was sent then.
    fn signed(&mut self, mut request: Request, user: &str, password: &str, flow: Flow) -> (u16, Request) {
        self.send(&request, flow);
        let challenge = self.responses().remove(0);
        assert_eq!(challenge.status, 401);
        if request.method == Method::Invite {
            let ack = ack(&request, &challenge);
            self.send(&ack, flow);
            assert!(self.sent.is_empty());
        }
        let account = Account { user: user.into(), password: password.into() };
        let value = strongest(challenge.headers.all("WWW-Authenticate")).unwrap().answer(
            &account,
            request.method.name(),
            &request.uri,
            "c0ffee",
            1,
        );
        self.cseq += 1;
        request.headers.set("CSeq", format!("{} {}", self.cseq, request.method.name()));
        request.headers.set("Via", format!("SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK{};rport", self.cseq));
        request.headers.push("Authorization", value);
        self.send(&request, flow);
        let status = self.sent.iter().find_map(|(_, message)| match message {
            Message::Response(response) => Some(response.status),
            Message::Request(_) => None,
        });
        (status.unwrap(), request)
    }

    /// A door station that calls, and waits.
    fn asking(offer: &str) -> (Self, u64, Request) {
        let mut world = Self::registered(flow(5060));
        world.sent.clear();
        let invite = world.invite("bell-3", offer);
        let (status, invite) = world.signed(invite, DEVICE, "right horse", flow(5060));
        assert_eq!(status, 100);
        world.sent.clear();
        let (id, device, dialled, offered) = world.asked.remove(0);
        assert_eq!((device.as_str(), dialled.as_str()), (DEVICE, "bell-3"));
        assert_eq!(offered.as_deref().unwrap_or_default(), offer);
        (world, id, invite)
    }

    fn talking() -> (Self, u64, Request, Response) {
        let (mut world, id, invite) = Self::asking("theirs");
        world.accept(id);
        let answer = world.responses().remove(0);
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"ours".as_slice()));
        let ack = ack(&invite, &answer);
        world.send(&ack, flow(5060));
        assert!(world.sent.is_empty());
        // and no second time: it may come again
        world.send(&ack, flow(5060));
        assert_eq!(std::mem::take(&mut world.events), [Event::Acknowledged]);
        (world, id, invite, answer)
    }

    fn accept(&mut self, id: u64) {
        let reoffer: Reoffer = Arc::new(|offer| (offer != Some("no")).then(|| "again".to_owned()));
        let accept = Accept { sdp: "ours".into(), talk: Duration::from_secs(LIMIT), reoffer };
        self.core.accept(id, accept, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some((flow, bytes)) = self.core.out() {
            self.sent.push((flow, message::read(&bytes).expect("we write what can be read")));
        }
        while let Some(news) = self.core.news() {
            match news {
                News::Event(_, event) => self.events.push(event),
                News::Asked(asked) => {
                    self.newest = Some((asked.hops, asked.is_only));
                    self.asked.push((asked.id, asked.device, asked.dialled, asked.offer));
                }
            }
        }
    }

    /// Lets time pass until this many milliseconds after the beginning, waking up when the core wants to.
    fn pass(&mut self, until: u64) {
        let mut still = 0;
        while let Some(due) = self.core.due().filter(|due| *due <= ms(until)) {
            // what is due and not done would be due for ever
            still = if due > self.now { 0 } else { still + 1 };
            assert!(still < 100, "due at {due:?}, and nothing comes of it");
            self.now = self.now.max(due);
            self.core.tick(self.now);
            self.drain();
        }
        self.now = ms(until);
    }

    fn responses(&mut self) -> Vec<Response> {
        let all = std::mem::take(&mut self.sent).into_iter();
        all.filter_map(|(_, m)| if let Message::Response(r) = m { Some(r) } else { None }).collect()
    }

    fn statuses(&mut self) -> Vec<u16> {
        self.responses().iter().map(|response| response.status).collect()
    }

    fn requests(&mut self) -> Vec<(Flow, Request)> {
        let all = std::mem::take(&mut self.sent).into_iter();
        all.filter_map(|(f, m)| if let Message::Request(r) = m { Some((f, r)) } else { None }).collect()
    }

    fn ring(&mut self, device: &str) -> Option<(Flow, Request)> {
        let ring = Ring {
            device: device.into(),
            caller: "Storgatan \"12\" A".into(),
            offer: Arc::new(|over_tls| if over_tls { "with keys" } else { "ours" }.into()),
            ring: Duration::from_secs(60),
            talk: Duration::from_secs(LIMIT),
            hops: 69,
            reoffer: Arc::new(|_| Some("again".into())),
        };
        self.core.call(1, ring, self.now);
        self.drain();
        self.requests().pop()
    }

    /// A request of theirs within the call that they began.
    fn within(&mut self, method: Method, invite: &Request, answer: &Response) -> Request {
        let mut request = self.request(method, DEVICE, "bell-3");
        for name in ["From", "Call-ID"] {
            request.headers.set(name, invite.headers.get(name).unwrap());
        }
        request.headers.set("To", answer.headers.get("To").unwrap());
        request
    }
}

fn ack(invite: &Request, answer: &Response) -> Request {
    let mut headers = invite.headers.without("Content-Type").without("Authorization");
    headers.set("To", answer.headers.get("To").unwrap());
    let (number, _) = invite.headers.cseq().unwrap();
    headers.set("CSeq", format!("{number} ACK"));
    Request { method: Method::Ack, uri: invite.uri.clone(), headers, body: Vec::new() }
}

#[test]
fn strangers_are_challenged_or_not_answered_and_nothing_is_kept_of_them() {
    let mut world = World::new();
    for method in [
        Method::Register,
        Method::Invite,
        Method::Options,
        Method::Other("SUBSCRIBE"),
        Method::Info,
        Method::Bye,
    ] {
        for device in [DEVICE, "100"] {
            let request = world.request(method, device, device);
            world.send(&request, flow(5060));
            assert_eq!(world.statuses(), [401], "{method:?}");
        }
    }
    for method in [Method::Ack, Method::Cancel] {
        let request = world.request(method, DEVICE, DEVICE);
        world.send(&request, flow(5060));
        assert!(world.sent.is_empty(), "{method:?}");
    }
    assert_eq!((world.core.dialogs(), world.asked.len()), (0, 0));
    // answers to nothing
    let request = world.request(Method::Invite, DEVICE, DEVICE);
    world.respond(&Response::to(&request, 200, Some("x")), flow(5060));
    world.core.received(b"\r\n\r\n", flow(5060), ms(0));
    world.core.received(b"OPTIONS sip:x SIP/2.0\r\n\r\n", flow(5060), ms(0));
    world.drain();
    assert!(world.sent.is_empty(), "{:?}", world.sent);
}

#[test]
fn an_answer_says_where_the_request_came_from() {
    let mut world = World::new();
    let request = world.register(DEVICE, flow(7777));
    world.send(&request, flow(7777));
    let (to, Message::Response(response)) = world.sent.remove(0) else { panic!() };
    assert_eq!(to, flow(7777));
    let via = response.headers.get("Via").unwrap();
    assert!(via.ends_with(";received=192.0.2.7;rport=7777"), "{via}");
    assert!(response.headers.tag("To").is_some());
}

#[test]
fn a_registration_that_comes_again_is_answered_again() {
    let mut world = World::new();
    let register = world.register(DEVICE, flow(5060));
    let (status, register) = world.signed(register, DEVICE, "right horse", flow(5060));
    let first = world.responses();
    world.send(&register, flow(5060));
    assert_eq!((status, world.responses()), (200, first));
    // the same from elsewhere is nobody's: the credentials are used up
    world.send(&register, flow(9999));
    let again = world.responses().remove(0);
    assert_eq!(again.status, 401);
    assert!(again.headers.get("WWW-Authenticate").unwrap().ends_with("stale=true"));
    assert_eq!(world.core.registered().1.len(), 1);
}

#[test]
fn a_device_is_called_where_it_is() {
    let mut world = World::registered(flow(5060));
    world.sent.clear();
    let (to, invite) = world.ring(DEVICE).unwrap();
    assert_eq!((to, invite.uri.as_str()), (flow(5060), "sip:k7m2q9x4w8zp@10.0.0.5:5060"));
    let from = invite.headers.get("From").unwrap();
    assert!(from.starts_with("\"Storgatan 12 A\" <sip:door@192.0.2.1>;tag="), "{from}");
    world.respond(&Response::to(&invite, 180, Some("t")), flow(5060));
    let mut answer = Response::to(&invite, 200, Some("t"));
    // an address that is somebody else's: nothing goes there
    answer.headers.push("Contact", "<sip:me@203.0.113.9:5060>");
    answer.headers.push("Content-Type", "application/sdp");
    answer.body = b"theirs".to_vec();
    // nor is somebody else's answer heard
    let stranger = Flow { peer: SocketAddr::from(([203, 0, 113, 9], 5060)), ..flow(5060) };
    world.respond(&answer, stranger);
    assert_eq!(world.events, [Event::Ringing]);
    world.respond(&answer, flow(5060));
    assert_eq!(world.events, [Event::Ringing, Event::Answered { sdp: "theirs".into() }]);
    assert_eq!(world.requests().pop().map(|(to, ack)| (to, ack.method)), Some((flow(5060), Method::Ack)));
    // after its limit it is ended by us
    let at = world.now.as_millis() + LIMIT * 1000;
    world.pass(at - 1);
    assert!(world.requests().is_empty());
    world.pass(at);
    let (to, bye) = world.requests().pop().unwrap();
    assert_eq!(
        (to, bye.method, world.events.pop()),
        (flow(5060), Method::Bye, Some(Event::Ended(Why::Limit)))
    );
    world.respond(&Response::to(&bye, 200, None), flow(5060));
    assert_eq!(world.core.dialogs(), 0);
}

#[test]
fn keys_are_offered_on_an_encrypted_way_and_on_no_other() {
    let over = |way| Flow { way, ..stream(1) };
    for (way, offer) in
        [(flow(5060), "ours"), (over(Transport::Tcp), "ours"), (over(Transport::Tls), "with keys")]
    {
        let mut world = World::registered(way);
        world.sent.clear();
        assert_eq!(world.ring(DEVICE).unwrap().1.body, offer.as_bytes(), "{way:?}");
    }
}

#[test]
fn who_is_not_registered_is_not_reached() {
    let mut world = World::new();
    assert!(world.ring(DEVICE).is_none());
    assert_eq!(world.events, [Event::Ended(Why::Unreachable)]);
    let mut world = World::registered(flow(5060));
    world.pass(300_000);
    world.sent.clear();
    assert!(world.ring(DEVICE).is_none());
}

#[test]
fn a_connection_that_breaks_ends_what_rings_and_the_registration() {
    let mut world = World::registered(stream(1));
    world.sent.clear();
    world.ring(DEVICE).unwrap();
    assert!(world.core.uses(&stream(1)) && !world.core.uses(&stream(2)));
    world.core.lost(&stream(1), world.now);
    world.drain();
    assert_eq!(world.events, [Event::Ended(Why::Unreachable)]);
    assert!(world.core.registered().1.is_empty());
}

#[test]
fn a_call_goes_along_when_its_device_registers_elsewhere() {
    let (mut world, id, ..) = World::talking();
    let register = world.register(DEVICE, flow(6060));
    assert_eq!(world.signed(register, DEVICE, "right horse", flow(6060)).0, 200);
    world.sent.clear();
    world.core.hang_up(id, world.now);
    world.drain();
    assert_eq!(world.requests().pop().map(|(to, _)| to), Some(flow(6060)));
}

#[test]
fn a_door_station_is_answered() {
    let (mut world, id, invite) = World::asking("theirs");
    world.core.ring(id, None, world.now);
    world.drain();
    assert_eq!(world.statuses(), [180]);
    // the INVITE again: what was said last
    world.send(&invite, flow(5060));
    assert_eq!(world.statuses(), [180]);
    world.accept(id);
    let answer = world.responses().remove(0);
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"ours".as_slice()));
    assert!(answer.headers.get("Contact").unwrap().starts_with("<sip:door@192.0.2.1:5060>"));
    // without their ACK it is said again and again, and the INVITE again brings it too
    world.pass(3600);
    assert_eq!(world.statuses(), [200, 200, 200]);
    world.send(&invite, flow(5060));
    assert_eq!(world.statuses(), [200]);
    let ack = ack(&invite, &answer);
    world.send(&ack, flow(5060));
    world.pass(60_000);
    assert!(world.sent.is_empty());
    assert_eq!(std::mem::take(&mut world.events), [Event::Acknowledged], "and they have it");
    // their keys, from themselves only
    let mut info = world.within(Method::Info, &invite, &answer);
    info.headers.push("Content-Type", "application/dtmf-relay");
    info.body = b"Signal=5".to_vec();
    world.send(&info, Flow { peer: SocketAddr::from(([192, 0, 2, 8], 5060)), ..flow(5060) });
    assert_eq!((world.statuses(), world.events.len()), (vec![401], 0));
    world.send(&info, flow(5060));
    assert_eq!((world.statuses(), world.events.len()), (vec![200], 1));
    let bye = world.within(Method::Bye, &invite, &answer);
    world.send(&bye, flow(5060));
    assert_eq!(world.statuses(), [200]);
    assert_eq!(world.events.pop(), Some(Event::Ended(Why::TheyHungUp)));
    assert_eq!(world.core.dialogs(), 0);
    // after that it is nobody's call
    let bye = world.within(Method::Bye, &invite, &answer);
    world.send(&bye, flow(5060));
    assert_eq!(world.statuses(), [481]);
}

#[test]
fn a_call_that_comes_two_ways_or_comes_back_is_no_second_call() {
    // a proxy forked it: another branch, the same number
    let (mut world, id, mut other) = World::asking("theirs");
    other.headers.set("Via", "SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKother;rport");
    world.send(&other, flow(5060));
    assert_eq!(world.statuses(), [482]);
    assert!(world.asked.is_empty());
    world.accept(id);
    world.send(&other, flow(5060));
    assert!(world.statuses().contains(&482));
    assert_eq!(world.core.dialogs(), 1);

    // a device sends our own back to us
    let mut world = World::registered(flow(5060));
    world.sent.clear();
    let (_, mut ours) = world.ring(DEVICE).unwrap();
    world.send(&ours, flow(5060));
    assert_eq!(world.statuses(), [482]);
    // and by a proxy behind it
    ours.headers.set("Via", "SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKother;rport");
    world.send(&ours, flow(5060));
    assert_eq!(world.statuses(), [482]);
    assert!(world.asked.is_empty());
    assert_eq!(world.core.dialogs(), 1);
}

#[test]
fn what_is_made_because_of_a_call_may_go_one_hop_less() {
    for (said, hops) in [
        (None, Some(69)),
        (Some("70"), Some(69)),
        (Some("255"), Some(69)),
        (Some("4000000000"), Some(69)),
        (Some("99999999999999"), Some(69)),
        (Some("17"), Some(16)),
        (Some("1"), Some(0)),
        (Some("0"), None),
    ] {
        let mut world = World::registered(flow(5060));
        let mut invite = world.invite("bell-3", "theirs");
        said.into_iter().for_each(|said| invite.headers.push("Max-Forwards", said));
        world.sent.clear();
        let (status, _) = world.signed(invite, DEVICE, "right horse", flow(5060));
        assert_eq!(status, if hops.is_some() { 100 } else { 483 }, "{said:?}");
        assert_eq!(world.newest.map(|(hops, _)| hops), hops, "{said:?}");
    }
    let mut world = World::registered(flow(5060));
    world.sent.clear();
    let (_, invite) = world.ring(DEVICE).unwrap();
    assert_eq!(invite.headers.all("Max-Forwards").collect::<Vec<_>>(), ["69"]);
}

#[test]
fn a_call_is_the_only_one_once_the_one_before_it_is_over_on_the_wire() {
    let (mut world, id, _) = World::asking("theirs");
    assert_eq!(world.newest, Some((69, true)));
    let again = |world: &mut World, call: &str| {
        let mut invite = world.invite("bell-3", "theirs");
        invite.headers.set("Call-ID", call);
        world.signed(invite, DEVICE, "right horse", flow(5060));
        world.newest.unwrap().1
    };
    assert!(!again(&mut world, "another"));
    let (another, ..) = world.asked.pop().unwrap();
    // refused: over, though their acknowledgement is not there yet
    for id in [another, id] {
        world.core.refuse(id, Refusal::Busy, world.now);
    }
    world.drain();
    world.sent.clear();
    assert_eq!(world.core.dialogs(), 2);
    assert!(again(&mut world, "a third"));
}

#[test]
fn a_picture_before_the_answer_has_the_description_of_the_answer() {
    let (mut world, id, _) = World::asking("theirs");
    world.core.ring(id, Some("early".into()), world.now);
    world.drain();
    let shown = world.responses().remove(0);
    assert_eq!((shown.status, shown.body.as_slice()), (183, b"early".as_slice()));
    world.accept(id);
    let answer = world.responses().remove(0);
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"early".as_slice()));
    assert_eq!(shown.headers.get("To"), answer.headers.get("To"));
}

#[test]
fn who_offers_nothing_is_offered_something() {
    let (mut world, id, invite) = World::asking("");
    world.accept(id);
    let answer = world.responses().remove(0);
    let mut ack = ack(&invite, &answer);
    ack.headers.push("Content-Type", "application/sdp");
    ack.body = b"theirs".to_vec();
    world.send(&ack, flow(5060));
    assert_eq!(world.events, [Event::Acknowledged, Event::Changed { sdp: "theirs".into() }]);
}

#[test]
fn a_call_is_refused_for_a_reason() {
    for (refusal, status) in [
        (Refusal::Busy, 486),
        (Refusal::NotFound, 404),
        (Refusal::Unavailable, 480),
        (Refusal::Declined, 603),
        (Refusal::NotAcceptable, 488),
    ] {
        let (mut world, id, invite) = World::asking("theirs");
        world.core.refuse(id, refusal, world.now);
        world.drain();
        let answer = world.responses().remove(0);
        assert_eq!((answer.status, &world.events), (status, &vec![Event::Ended(Why::WeHungUp)]));
        world.pass(600);
        assert_eq!(world.statuses(), [status]);
        let ack = ack(&invite, &answer);
        world.send(&ack, flow(5060));
        assert_eq!(world.core.dialogs(), 0);
        world.accept(id);
        world.pass(60_000);
        assert!(world.sent.is_empty());
    }
    // without an ACK it is over all the same
    let (mut world, id, _) = World::asking("theirs");
    world.core.refuse(id, Refusal::Busy, world.now);
    world.pass(32_000);
    assert_eq!(world.core.dialogs(), 0);
}

#[test]
fn a_call_is_taken_back_before_the_answer_and_not_after() {
    let (mut world, id, invite) = World::asking("theirs");
    let mut cancel = invite.clone();
    cancel.method = Method::Cancel;
    let (number, _) = invite.headers.cseq().unwrap();
    cancel.headers.set("CSeq", format!("{number} CANCEL"));
    cancel.body.clear();
    // somebody else's CANCEL is not heard
    world.send(&cancel, Flow { peer: SocketAddr::from(([192, 0, 2, 8], 5060)), ..flow(5060) });
    assert!(world.sent.is_empty() && world.events.is_empty());
    world.send(&cancel, flow(5060));
    assert_eq!(world.statuses(), [200, 487]);
    assert_eq!(world.events, [Event::Ended(Why::TheyHungUp)]);
    world.accept(id);
    assert!(world.sent.is_empty());

    let (mut world, id, invite) = World::asking("theirs");
    world.accept(id);
    world.sent.clear();
    let mut cancel = invite.clone();
    cancel.method = Method::Cancel;
    let (number, _) = invite.headers.cseq().unwrap();
    cancel.headers.set("CSeq", format!("{number} CANCEL"));
    cancel.body.clear();
    world.send(&cancel, flow(5060));
    assert_eq!((world.statuses(), world.events.len()), (vec![200], 0));
}

#[test]
fn nobody_rings_for_ever() {
    let (mut world, ..) = World::asking("theirs");
    let at = u64::try_from(LONGEST_RING.as_millis()).unwrap();
    world.pass(at - 1);
    assert!(world.sent.is_empty());
    world.pass(at);
    assert_eq!((world.statuses(), world.events.pop()), (vec![480], Some(Event::Ended(Why::NoAnswer))));
}

#[test]
fn a_call_of_theirs_ends_at_its_limit_by_our_bye() {
    let (mut world, ..) = World::talking();
    world.pass(LIMIT * 1000 - 1);
    assert!(world.sent.is_empty());
    world.pass(LIMIT * 1000);
    let (to, bye) = world.requests().pop().unwrap();
    assert_eq!((to, bye.method, bye.uri.as_str()), (flow(5060), Method::Bye, "sip:me@10.0.0.5:5060"));
    assert_eq!(world.events.pop(), Some(Event::Ended(Why::Limit)));
    // and it is over whether they answer or not
    world.pass(LIMIT * 1000 + 32_000);
    assert_eq!(world.core.dialogs(), 0);
}

#[test]
fn a_bye_waits_for_their_ack() {
    let (mut world, id, invite) = World::asking("theirs");
    world.accept(id);
    let answer = world.responses().remove(0);
    world.core.hang_up(id, world.now);
    world.drain();
    assert_eq!(world.events, [Event::Ended(Why::WeHungUp)]);
    assert!(world.sent.is_empty());
    let ack = ack(&invite, &answer);
    world.send(&ack, flow(5060));
    assert_eq!(world.requests().pop().map(|(_, bye)| bye.method), Some(Method::Bye));

    // who never acknowledges is hung up on in the end
    let (mut world, id, _) = World::asking("theirs");
    world.accept(id);
    world.pass(32_000);
    assert_eq!(world.events, [Event::Ended(Why::Lost)]);
    assert_eq!(world.requests().pop().map(|(_, bye)| bye.method), Some(Method::Bye));
}

#[test]
fn a_call_may_change_and_has_a_timer() {
    let (mut world, _, invite, answer) = World::talking();
    let mut change = world.within(Method::Invite, &invite, &answer);
    change.headers.push("Contact", "<sip:me@10.0.0.5:5060>");
    change.headers.push("Content-Type", "application/sdp");
    change.headers.push("Session-Expires", "90;refresher=uac");
    change.body = b"new".to_vec();
    world.send(&change, flow(5060));
    let said = world.responses().remove(0);
    assert_eq!((said.status, said.body.as_slice()), (200, b"again".as_slice()));
    assert_eq!(said.headers.get("Session-Expires"), Some("90;refresher=uac"));
    let ack = ack(&change, &said);
    world.send(&ack, flow(5060));
    // they do not refresh: 30 s before the end it is over (a third, at most 32 s)
    world.pass(60_000);
    assert_eq!(world.events, [Event::Ended(Why::Lost)]);
}

#[test]
fn only_a_device_that_is_there_may_call_and_not_too_often() {
    let mut world = World::new();
    let invite = world.invite("bell-3", "theirs");
    assert_eq!(world.signed(invite, DEVICE, "right horse", flow(5060)).0, 403);
    world.sent.clear();
    let invite = world.invite("bell-3", "theirs");
    assert_eq!(world.signed(invite, DEVICE, "wrong horse", flow(5060)).0, 401);
    let mut world = World::registered(flow(5060));
    for n in 0..5 {
        world.sent.clear();
        let mut invite = world.invite("bell-3", "theirs");
        invite.headers.set("Call-ID", format!("call {n}"));
        let (status, _) = world.signed(invite, DEVICE, "right horse", flow(5060));
        assert_eq!(status, if n < 4 { 100 } else { 486 });
    }
}

#[test]
fn an_invite_that_asks_for_what_we_do_not_know_is_refused() {
    for (name, value, status) in [
        ("Require", "100rel", 420),
        ("Require", "timer, nonsense", 420),
        ("Session-Expires", "30", 422),
        ("Contact", "<tel:+47>", 400),
        ("Content-Type", "text/plain", 488),
    ] {
        let mut world = World::registered(flow(5060));
        world.sent.clear();
        let mut invite = world.invite("bell-3", "theirs");
        invite.headers.set(name, value);
        assert_eq!(world.signed(invite, DEVICE, "right horse", flow(5060)).0, status, "{name}: {value}");
        assert!(world.asked.is_empty());
    }
}

#[test]
fn who_loses_the_account_loses_the_call() {
    let (mut world, ..) = World::talking();
    world.core.accounts(HashMap::from([(OTHER.to_owned(), Secret::new(OTHER, "other horse"))]), world.now);
    world.drain();
    assert_eq!(world.requests().pop().map(|(_, bye)| bye.method), Some(Method::Bye));
    assert_eq!(world.events, [Event::Ended(Why::WeHungUp)]);
    assert!(world.core.registered().1.is_empty());
}

#[test]
fn one_device_is_not_in_the_call_of_another() {
    let (mut world, _, invite, answer) = World::talking();
    let neighbour = Flow { peer: SocketAddr::from(([192, 0, 2, 8], 5060)), ..flow(5060) };
    let register = world.register(OTHER, neighbour);
    assert_eq!(world.signed(register, OTHER, "other horse", neighbour).0, 200);
    world.sent.clear();
    let bye = world.within(Method::Bye, &invite, &answer);
    world.send(&bye, neighbour);
    assert_eq!((world.statuses(), world.events.len()), (vec![481], 0));
}

proptest! {
    /// Whatever a device sends, in whatever order: no panic, one end for each call, and nothing is left after 5 min.
    #[test]
    fn any_history_ends(steps in proptest::collection::vec((0_u8..9, 0_u64..20_000), 0..25)) {
        let (mut world, id, invite) = World::asking("theirs");
        let mut answer = Response::to(&invite, 200, None);
        for (step, wait) in steps {
            let until = world.now.as_millis() + wait;
            world.pass(until);
            match step {
                0 => world.accept(id),
                1 => world.core.ring(id, Some("early".into()), world.now),
                2 => world.core.refuse(id, Refusal::Busy, world.now),
                3 => world.core.hang_up(id, world.now),
                4 => world.core.info(id, "x", Vec::new(), world.now),
                5 => {
                    let ack = ack(&invite, &answer);
                    world.send(&ack, flow(5060));
                }
                6 => world.send(&invite, flow(5060)),
                other => {
                    let method = if other == 7 { Method::Bye } else { Method::Cancel };
                    let mut request = world.within(method, &invite, &answer);
                    if other == 8 {
                        request.headers = invite.headers.clone();
                        let (number, _) = invite.headers.cseq().unwrap();
                        request.headers.set("CSeq", format!("{number} CANCEL"));
                    }
                    world.send(&request, flow(5060));
                }
            }
            world.drain();
            if let Some(said) = world.responses().into_iter().find(|said| said.headers.tag("To").is_some()) {
                answer = said;
            }
        }
        let until = world.now.as_millis() + 400_000;
        world.pass(until);
        prop_assert_eq!(world.core.dialogs(), 0);
        let ends = world.events.iter().filter(|event| matches!(event, Event::Ended(_))).count();
        prop_assert!(ends >= 1);
        prop_assert!(matches!(world.events.last(), Some(Event::Ended(_))));
    }
}
