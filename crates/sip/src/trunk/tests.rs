//! A trunk in virtual time: hours of waiting in a few milliseconds.

use super::*;
use crate::client::Pace;
use crate::dial::Countries;
use crate::digest::Account;
use crate::leg::HOPS;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5060);

struct World {
    trunk: Trunk,
    now: Mono,
    events: Vec<Event>,
    sent: Vec<Message>,
}

fn ms(millis: u64) -> Mono {
    Mono::from_millis(millis)
}

impl World {
    /// A trunk that has answered our first look at it.
    fn new() -> Self {
        let pace = Pace { t1: Duration::from_millis(500), reliable: false };
        let account = Some(Account { user: "klinke".into(), password: "x".into() });
        let ground = Ground::new(String::new(), String::new(), pace, account, [7; 32]);
        let trunk = Trunk::new(ground, "trunk.test", "+4721600001", None, ms(0));
        let mut world = Self { trunk, now: ms(0), events: Vec::new(), sent: Vec::new() };
        world.trunk.way_opened("SIP/2.0/UDP 10.0.0.1:5060".into(), "<sip:k@10.0.0.1:5060>".into(), ms(0));
        world.pass(0);
        assert_eq!(*world.trunk.state(), State::Ready);
        world
    }

    fn dial(&mut self, ring: u64, talk: u64) -> Request {
        let dial = Dial {
            to: Countries::default().read("+4721600000").unwrap(),
            offer: "v=0".into(),
            ring: Duration::from_secs(ring),
            talk: Duration::from_secs(talk),
            hops: HOPS,
            reoffer: Arc::new(|offer| (offer != Some("no")).then(|| "ours".to_owned())),
            encrypted: None,
        };
        self.trunk.call(1, dial, self.now);
        self.drain();
        self.take(Method::Invite).remove(0)
    }

    /// A call that somebody answered with these headers in the 200.
    fn talking(&mut self, headers: &[(&str, &str)]) -> Request {
        let invite = self.dial(60, 100_000);
        self.answer(&invite, 200, "a", headers, "theirs");
        assert_eq!(self.events, [Event::Answered { sdp: "theirs".into() }]);
        self.events.clear();
        assert_eq!(self.take(Method::Ack).len(), 1);
        invite
    }

    fn drain(&mut self) {
        while let Some(out) = self.trunk.out() {
            self.sent.push(message::read(&out.bytes).expect("we write what can be read"));
        }
        while let Some((_, event)) = self.trunk.event() {
            self.events.push(event);
        }
    }

    /// Lets time pass until this many milliseconds after the beginning, waking up when the trunk wants to.
    fn pass(&mut self, until: u64) {
        let mut still = 0;
        while let Some(due) = self.trunk.due().filter(|due| *due <= ms(until)) {
            // what is due and not done would be due for ever
            still = if due > self.now { 0 } else { still + 1 };
            assert!(still < 100, "due at {due:?}, and nothing comes of it");
            self.now = self.now.max(due);
            self.trunk.tick(self.now);
            self.drain();
        }
        self.now = ms(until);
        // looks at the trunk itself are answered, so that they do not disturb
        for look in self.take(Method::Options) {
            self.answer(&look, 200, "", &[], "");
        }
    }

    /// The requests with this method that were sent since the last look; the others stay.
    fn take(&mut self, method: Method) -> Vec<Request> {
        let (taken, rest) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|message| matches!(message, Message::Request(request) if request.method == method));
        self.sent = rest;
        let taken: Vec<Message> = taken;
        taken.into_iter().filter_map(|m| if let Message::Request(r) = m { Some(r) } else { None }).collect()
    }

    /// The statuses that we answered with since the last look.
    fn replies(&mut self) -> Vec<u16> {
        let (taken, rest): (Vec<Message>, Vec<Message>) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|message| matches!(message, Message::Response(_)));
        self.sent = rest;
        taken
            .into_iter()
            .filter_map(|m| if let Message::Response(r) = m { Some(r.status) } else { None })
            .collect()
    }

    fn answer(&mut self, request: &Request, status: u16, tag: &str, headers: &[(&str, &str)], sdp: &str) {
        let mut response = Response::to(request, status, Some(tag).filter(|tag| !tag.is_empty()));
        for (name, value) in headers {
            response.headers.push(name, *value);
        }
        if !sdp.is_empty() {
            response.headers.push("Content-Type", "application/sdp");
            response.body = sdp.as_bytes().to_vec();
        }
        self.trunk.received(&response.write(), PEER, self.now);
        self.drain();
    }

    /// A request of the other side within the call of this INVITE.
    fn ask(
        &mut self,
        invite: &Request,
        method: Method,
        cseq: u32,
        tag: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        let of = &invite.headers;
        let from = format!("{};tag={tag}", of.get("To").unwrap());
        let mut asked =
            Ground::headers(&from, of.get("From").unwrap(), of.get("Call-ID").unwrap(), cseq, method);
        asked.set("Via", format!("SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{}{cseq}{tag}", method.name()));
        for (name, value) in headers {
            asked.push(name, *value);
        }
        let request =
            Request { method, uri: "sip:k@10.0.0.1".into(), headers: asked, body: body.as_bytes().to_vec() };
        self.trunk.received(&request.write(), PEER, self.now);
        self.drain();
    }

    fn ended(&self) -> Vec<Why> {
        self.events.iter().filter_map(|e| if let Event::Ended(why) = e { Some(*why) } else { None }).collect()
    }
}

#[test]
fn the_limit_counts_from_the_answer() {
    let mut world = World::new();
    let invite = world.dial(60, 120);
    world.answer(&invite, 180, "a", &[], "");
    world.pass(30_000);
    world.answer(&invite, 200, "a", &[], "theirs");
    world.pass(149_999);
    assert_eq!((world.take(Method::Bye).len(), world.ended()), (0, vec![]));
    world.pass(150_000);
    assert_eq!((world.take(Method::Bye).len(), world.ended()), (1, vec![Why::Limit]));
    // nobody answers the BYE: it is repeated, and then it is over all the same
    world.pass(181_999);
    assert_eq!((world.take(Method::Bye).len(), world.trunk.dialogs()), (10, 1));
    world.pass(182_000);
    assert_eq!((world.take(Method::Bye).len(), world.trunk.dialogs()), (0, 0));
    assert_eq!(world.ended(), [Why::Limit]);
}

#[test]
fn a_silent_trunk_is_given_up_after_four_seconds() {
    let mut world = World::new();
    let invite = world.dial(60, 120);
    world.pass(3_999);
    assert_eq!(world.ended(), []);
    world.pass(4_000);
    assert_eq!(world.ended(), [Why::Unreachable]);
    // before its first word there is nothing to cancel; with it there is
    assert_eq!(world.take(Method::Cancel).len(), 0);
    world.answer(&invite, 180, "a", &[], "");
    let cancel = world.take(Method::Cancel).remove(0);
    assert_eq!(cancel.headers.branch(), invite.headers.branch());
    world.answer(&cancel, 200, "", &[], "");
    world.answer(&invite, 487, "a", &[], "");
    assert_eq!(world.take(Method::Ack).len(), 1);
    assert_eq!((world.trunk.dialogs(), world.ended()), (0, vec![Why::Unreachable]));
}

#[test]
fn a_trunk_that_never_says_a_word_leaves_nothing() {
    let mut world = World::new();
    world.dial(60, 120);
    world.pass(36_000);
    assert_eq!((world.trunk.dialogs(), world.ended()), (0, vec![Why::Unreachable]));
    // once given up it is not repeated: it would ring a phone for nobody
    assert_eq!(world.take(Method::Invite).len(), 3);
}

#[test]
fn whoever_answers_a_call_that_is_forgotten_is_hung_up_on() {
    let mut world = World::new();
    let invite = world.dial(60, 120);
    world.pass(100_000);
    assert_eq!(world.trunk.dialogs(), 0);
    world.answer(&invite, 200, "late", &[("Contact", "<sip:late@127.0.0.1:5062>")], "theirs");
    assert_eq!(world.take(Method::Ack).len(), 1);
    let bye = world.take(Method::Bye).remove(0);
    assert_eq!((bye.uri.as_str(), bye.headers.tag("To")), ("sip:late@127.0.0.1:5062", Some("late")));
    assert_eq!(world.trunk.dialogs(), 1);
    world.answer(&bye, 200, "", &[], "");
    assert_eq!((world.trunk.dialogs(), world.ended()), (0, vec![Why::Unreachable]));
}

#[test]
fn a_session_that_is_ours_to_refresh_is_refreshed_by_update() {
    let mut world = World::new();
    world.talking(&[("Session-Expires", "90;refresher=uac"), ("Allow", "INVITE, UPDATE")]);
    for round in 1..=3_u64 {
        world.pass(45_000 * round);
        let update = world.take(Method::Update).remove(0);
        assert_eq!(update.headers.get("Session-Expires"), Some("90;refresher=uac"));
        assert!(update.body.is_empty() && update.headers.get("Content-Type").is_none());
        world.answer(&update, 200, "", &[("Session-Expires", "90;refresher=uac")], "");
    }
    assert_eq!(world.ended(), []);
    // and when nobody answers, the call is lost before the session is over
    world.pass(135_000 + 45_000 + 32_000);
    assert_eq!((world.ended(), world.take(Method::Bye).len()), (vec![Why::Lost], 1));
}

#[test]
fn without_update_a_session_is_refreshed_by_the_same_offer() {
    let mut world = World::new();
    world.talking(&[("Session-Expires", "90;refresher=uac")]);
    world.pass(45_000);
    let invite = world.take(Method::Invite).remove(0);
    assert_eq!((invite.body.as_slice(), invite.headers.tag("To")), (&b"v=0"[..], Some("a")));
    world.answer(&invite, 200, "", &[("Session-Expires", "90;refresher=uac")], "theirs");
    let ack = world.take(Method::Ack).remove(0);
    assert_eq!(ack.headers.cseq().map(|c| c.0), invite.headers.cseq().map(|c| c.0));
    // that ACK was lost
    world.answer(&invite, 200, "", &[("Session-Expires", "90;refresher=uac")], "theirs");
    assert_eq!(world.take(Method::Ack), [ack]);
    // both sides at once: a little later
    world.pass(90_000);
    let invite = world.take(Method::Invite).remove(0);
    world.answer(&invite, 491, "", &[], "");
    world.pass(92_100);
    assert_eq!(world.take(Method::Invite).len(), 1);
    assert_eq!(world.ended(), []);
}

#[test]
fn a_session_that_they_do_not_refresh_is_over() {
    let mut world = World::new();
    let invite = world.talking(&[("Session-Expires", "90;refresher=uas")]);
    world.pass(50_000);
    world.ask(&invite, Method::Update, 1, "a", &[("Session-Expires", "90;refresher=uac")], "");
    assert_eq!(world.replies(), [200]);
    world.pass(109_999);
    assert_eq!(world.ended(), []);
    world.pass(110_000);
    assert_eq!((world.ended(), world.take(Method::Bye).len()), (vec![Why::Lost], 1));
}

#[test]
fn a_session_interval_below_the_standards_is_refused() {
    let mut world = World::new();
    let invite = world.talking(&[]);
    world.ask(&invite, Method::Update, 1, "a", &[("Session-Expires", "30")], "");
    assert_eq!(world.replies(), [422]);
}

#[test]
fn only_who_is_in_the_call_ends_it() {
    let mut world = World::new();
    let invite = world.talking(&[]);
    world.ask(&invite, Method::Bye, 1, "somebody", &[], "");
    world.ask(&invite, Method::Info, 2, "somebody", &[], "Signal=5");
    assert_eq!((world.replies(), world.events.len()), (vec![481, 481], 0));
    world.ask(&invite, Method::Bye, 3, "a", &[], "");
    assert_eq!((world.replies(), world.ended()), (vec![200], vec![Why::TheyHungUp]));
    // its answer was lost: the same again, although the call is forgotten
    world.ask(&invite, Method::Bye, 3, "a", &[], "");
    assert_eq!((world.replies(), world.trunk.dialogs()), (vec![200], 0));
    assert_eq!(world.ended().len(), 1);
}

#[test]
fn a_key_counts_after_the_answer_and_once() {
    let mut world = World::new();
    let invite = world.dial(60, 120);
    world.answer(&invite, 183, "a", &[], "");
    world.ask(&invite, Method::Info, 1, "a", &[("Content-Type", "application/dtmf-relay")], "Signal=5");
    world.answer(&invite, 200, "a", &[], "theirs");
    world.events.clear();
    for _ in 0..3 {
        world.ask(&invite, Method::Info, 2, "a", &[("Content-Type", "application/dtmf-relay")], "Signal=5");
    }
    // an older number than the last is no new request
    world.ask(&invite, Method::Info, 1, "a", &[("X", "other")], "Signal=8");
    assert_eq!(world.replies(), [200, 200, 200, 200, 200]);
    assert_eq!(
        world.events,
        [Event::Info { kind: "application/dtmf-relay".into(), body: b"Signal=5".to_vec() }]
    );
}

#[test]
fn an_offer_that_is_refused_leaves_the_call_as_it_is() {
    let mut world = World::new();
    let invite = world.talking(&[]);
    world.ask(&invite, Method::Invite, 1, "a", &[("Content-Type", "application/sdp")], "no");
    assert_eq!((world.replies(), world.ended()), (vec![488], vec![]));
    // without an offer they want ours; their answer comes in the ACK
    world.ask(&invite, Method::Invite, 2, "a", &[], "");
    world.ask(&invite, Method::Ack, 2, "a", &[("Content-Type", "application/sdp")], "other");
    assert_eq!((world.replies(), &world.events), (vec![200], &vec![Event::Changed { sdp: "other".into() }]));
}

#[test]
fn a_200_that_nobody_acknowledges_is_repeated_and_then_the_call_is_lost() {
    let mut world = World::new();
    let invite = world.talking(&[]);
    world.ask(&invite, Method::Invite, 1, "a", &[("Content-Type", "application/sdp")], "yes");
    world.pass(31_999);
    assert_eq!((world.replies().len(), world.ended()), (11, vec![]));
    world.pass(32_000);
    assert_eq!((world.ended(), world.take(Method::Bye).len()), (vec![Why::Lost], 1));
}

#[test]
fn a_stranger_learns_nothing() {
    let mut world = World::new();
    for (method, to, status) in [
        (Method::Invite, "<sip:100@10.0.0.1>", vec![403]),
        (Method::Invite, "<sip:100@10.0.0.1>;tag=x", vec![481]),
        (Method::Register, "<sip:100@10.0.0.1>", vec![405]),
        (Method::Other("SUBSCRIBE"), "<sip:100@10.0.0.1>", vec![405]),
        (Method::Options, "<sip:100@10.0.0.1>", vec![200]),
        (Method::Bye, "<sip:100@10.0.0.1>", vec![481]),
        (Method::Ack, "<sip:100@10.0.0.1>", vec![]),
    ] {
        let mut headers = Ground::headers("<sip:x@y>;tag=1", to, "foreign", 1, method);
        headers.set("Via", format!("SIP/2.0/UDP h;branch=z9hG4bK{}{}", method.name(), to.len()));
        let request = Request { method, uri: "sip:100@10.0.0.1".into(), headers, body: Vec::new() };
        world.trunk.received(&request.write(), PEER, world.now);
        world.drain();
        assert_eq!(world.replies(), status, "{method:?} {to}");
        assert_eq!((world.trunk.dialogs(), world.events.len()), (0, 0));
    }
}

#[test]
fn a_password_that_is_refused_is_not_tried_again() {
    let mut world = World::new();
    let ask = ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"");
    let first = world.dial(60, 120);
    world.answer(&first, 401, "a", &[ask], "");
    let second = world.take(Method::Invite).remove(0);
    assert!(second.headers.get("Authorization").unwrap().contains("nonce=\"n\""));
    assert_ne!(second.headers.branch(), first.headers.branch());
    assert_eq!(second.headers.cseq(), Some((2, "INVITE")));
    // the nonce was too old: that is no refusal; but not for ever
    let stale = ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"m\", qop=\"auth\", stale=true");
    let mut last = second;
    for _ in 0..3 {
        world.answer(&last, 401, "a", &[stale], "");
        last = world.take(Method::Invite).remove(0);
        assert_eq!(last.headers.all("Authorization").count(), 1);
    }
    world.answer(&last, 401, "a", &[stale], "");
    assert_eq!((world.take(Method::Invite).len(), world.ended()), (0, vec![Why::Refused]));
    assert_eq!(world.trunk.dialogs(), 0);
    // the refusal comes again: it is acknowledged again
    world.take(Method::Ack);
    world.answer(&last, 401, "a", &[stale], "");
    assert_eq!(world.take(Method::Ack).len(), 1);
}

#[test]
fn a_challenge_that_comes_again_means_a_wrong_password() {
    let mut world = World::new();
    let ask = ("Proxy-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"");
    let first = world.dial(60, 120);
    world.answer(&first, 407, "a", &[ask], "");
    let second = world.take(Method::Invite).remove(0);
    world.answer(&second, 407, "a", &[ask], "");
    assert_eq!((world.take(Method::Invite).len(), world.ended()), (0, vec![Why::Refused]));
}

#[test]
fn a_way_that_breaks_ends_what_rings_and_not_what_talks() {
    let mut world = World::new();
    world.talking(&[]);
    world.trunk.way_lost(world.now);
    world.drain();
    assert_eq!((world.ended(), world.trunk.dialogs()), (vec![], 1));
    assert_eq!(*world.trunk.state(), State::Unreachable);
    // it is looked for again after 2 s, and asked at once when it is there
    world.pass(2_000);
    assert!(world.trunk.wants_way());
    world.trunk.way_opened("SIP/2.0/UDP 10.0.0.1:5070".into(), "<sip:k@10.0.0.1:5070>".into(), world.now);
    world.pass(2_001);
    assert_eq!(*world.trunk.state(), State::Ready);
    let mut world = World::new();
    world.dial(60, 120);
    world.trunk.way_lost(world.now);
    world.drain();
    assert_eq!(world.ended(), [Why::Unreachable]);
    world.pass(40_000);
    assert_eq!(world.trunk.dialogs(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever order of answers, requests, hang-ups and waits: the end is told once, nothing after it, and nothing is left
    /// 64 T1 after everything is over.
    #[test]
    fn every_history_ends(steps in proptest::collection::vec((0u8..9, 0u16..7, 0u32..6, 0u64..20_000), 0..30)) {
        let mut world = World::new();
        let invite = world.dial(60, 120);
        let statuses = [100, 180, 183, 200, 401, 486, 503];
        for (kind, which, number, wait) in steps {
            let status = statuses[usize::from(which)];
            let tag = ["a", "b", "c"][usize::from(which % 3)];
            let rseq = number.to_string();
            match kind {
                0..=2 => world.answer(&invite, status, tag, &[("Require", "100rel"), ("RSeq", rseq.as_str())], "sdp"),
                3 => world.answer(&invite, status, tag, &[("Session-Expires", "90;refresher=uac")], ""),
                4 => world.trunk.hang_up(1, world.now),
                5 => world.ask(&invite, Method::Invite, number, tag, &[], "x"),
                6 => world.ask(&invite, [Method::Bye, Method::Ack, Method::Info][usize::from(which % 3)], number, tag, &[], "x"),
                7 => {
                    if let Some(Message::Request(request)) = world.sent.pop() {
                        world.answer(&request, if status < 200 { 200 } else { status }, "", &[], "sdp");
                    }
                }
                _ => {}
            }
            world.drain();
            let until = world.now.as_millis() + wait;
            world.pass(until);
        }
        let until = world.now.as_millis() + 60_000 + 120_000 + 2 * 32_000 + 4_000;
        world.pass(until);
        world.drain();
        prop_assert_eq!(world.trunk.dialogs(), 0);
        prop_assert_eq!(world.ended().len(), 1);
        prop_assert!(matches!(world.events.last(), Some(Event::Ended(_))));
    }

    #[test]
    fn any_bytes_change_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut world = World::new();
        world.talking(&[]);
        world.trunk.received(&bytes, PEER, world.now);
        world.drain();
        prop_assert_eq!((world.trunk.dialogs(), world.ended().len()), (1, 0));
    }
}
