//! Many calls over one trunk, whatever their phones say: late, twice, from two phones at once, damaged, to the wrong call.
//!
//! Each call ends once and in its time, nothing that is said in one is heard in another, and nothing is left at the end.

use super::*;
use crate::client::Pace;
use crate::dial::Countries;
use crate::digest::Account;
use crate::fuzz::mutate::Chance;
use crate::leg::HOPS;
use std::sync::Arc;
use std::time::Duration;

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5060);
/// How long all calls here ring and last.
const RING: Duration = Duration::from_secs(30);
const TALK: Duration = Duration::from_secs(60);

/// One call from outside: what was told of it.
struct Call {
    id: u64,
    begun: Mono,
    answered: Option<Mono>,
    ended: Option<(Mono, Why)>,
    /// What we sent in it, as its phones see it.
    sent: Vec<Request>,
    /// How often its phones asked something.
    asked: u32,
}

struct World {
    trunk: Trunk,
    now: Mono,
    calls: Vec<Call>,
    chance: Chance,
}

impl World {
    fn new(seed: u64) -> Self {
        let pace = Pace { t1: Duration::from_millis(500), reliable: seed.is_multiple_of(3) };
        let account = Some(Account { user: "klinke".into(), password: "x".into() });
        let ground = Ground::new(String::new(), String::new(), pace, account, [7; 32]);
        let trunk = Trunk::new(ground, "trunk.test", "+4721600001", None, Mono::default());
        let mut world = Self { trunk, now: Mono::default(), calls: Vec::new(), chance: Chance::new(seed) };
        let (via, contact) = ("SIP/2.0/UDP 10.0.0.1:5060".into(), "<sip:k@10.0.0.1:5060>".into());
        world.trunk.way_opened(via, contact, world.now);
        world
    }

    fn dial(&mut self) {
        let id = self.calls.len() as u64;
        let dial = Dial {
            to: Countries::default().read("+4721600000").unwrap(),
            offer: "v=0".into(),
            ring: RING,
            talk: TALK,
            hops: HOPS,
            reoffer: Arc::new(|offer| (offer != Some("no")).then(|| "ours".to_owned())),
            encrypted: None,
        };
        let (begun, sent) = (self.now, Vec::new());
        self.calls.push(Call { id, begun, answered: None, ended: None, sent, asked: 0 });
        self.trunk.call(id, dial, self.now);
        self.drain(Some(id));
    }

    /// Takes what the trunk says. With `only`, none of it may be of another call.
    fn drain(&mut self, only: Option<u64>) {
        while let Some(out) = self.trunk.out() {
            let Some(Message::Request(request)) = message::read(&out.bytes) else { continue };
            if request.method == Method::Options {
                let answer = Response::to(&request, 200, None).write();
                self.trunk.received(&answer, PEER, self.now);
                continue;
            }
            let call = request.headers.get("Call-ID").unwrap().to_owned();
            let of = self.trunk.calls.get(&call).copied();
            assert!(only.is_none() || of.is_none() || of == only, "{only:?} moves {of:?}");
            if let Some(call) = of.and_then(|id| self.calls.get_mut(id as usize)) {
                call.sent.push(request);
            }
        }
        while let Some((id, event)) = self.trunk.event() {
            assert!(only.is_none_or(|only| only == id), "{only:?} is heard in {id}: {event:?}");
            let call = &mut self.calls[id as usize];
            assert!(call.ended.is_none(), "{event:?} after the end of {id}");
            match event {
                Event::Answered { .. } => {
                    assert!(call.answered.replace(self.now).is_none(), "twice answered");
                }
                Event::Info { .. } | Event::Acknowledged | Event::Changed { .. } => {
                    assert!(call.answered.is_some(), "{event:?} too early");
                }
                Event::Ringing => assert!(call.answered.is_none()),
                Event::Ended(why) => {
                    let limit = call.answered.map_or(call.begun + RING, |answered| answered + TALK);
                    assert!(self.now <= limit, "{id} ended with {why:?} at {:?}, not by {limit:?}", self.now);
                    call.ended = Some((self.now, why));
                }
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        let mut still = 0;
        while let Some(due) = self.trunk.due().filter(|due| *due <= until) {
            // what is due and not done would be due for ever
            still = if due > self.now { 0 } else { still + 1 };
            assert!(still < 100, "due at {due:?}, and nothing comes of it");
            self.now = self.now.max(due);
            self.trunk.tick(self.now);
            self.drain(None);
        }
        self.now = until;
        self.trunk.tick(self.now);
        self.drain(None);
    }

    fn receive(&mut self, bytes: &[u8]) {
        let call = message::read(bytes).and_then(|message| {
            let headers = match &message {
                Message::Request(request) => &request.headers,
                Message::Response(response) => &response.headers,
            };
            self.trunk.calls.get(headers.get("Call-ID")?).copied()
        });
        // a number that is no call's: nothing may come of it
        let only = call.unwrap_or(u64::MAX);
        self.trunk.received(bytes, PEER, self.now);
        self.drain(Some(only));
    }

    /// What one of the phones of a call says at random.
    fn say(&mut self, at: usize) {
        let chance = &mut self.chance;
        let tag = *chance.one(&["a", "b", "c"]);
        let kind = chance.below(10);
        let Some(call) = self.calls.get_mut(at).filter(|call| !call.sent.is_empty()) else { return };
        let request = chance.one(&call.sent).clone();
        let mut bytes = if kind < 7 {
            let status = *chance
                .one(&[100, 180, 183, 200, 200, 200, 202, 302, 401, 407, 422, 481, 486, 491, 503, 699]);
            let mut response = Response::to(&request, status, Some(tag));
            let headers = [
                ("Require", "100rel"),
                ("RSeq", "1"),
                ("Contact", "<sip:phone@127.0.0.1:5062>"),
                ("Session-Expires", "90;refresher=uac"),
                ("Session-Expires", "90;refresher=uas"),
                ("Min-SE", "120"),
                ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\""),
                ("Record-Route", "<sip:127.0.0.1;lr>"),
                ("Allow", "INVITE, UPDATE"),
            ];
            for _ in 0..chance.below(4) {
                let (name, value) = *chance.one(&headers);
                response.headers.push(name, value);
            }
            if chance.below(4) > 0 {
                response.headers.push("Content-Type", "application/sdp");
                response.body = b"theirs".to_vec();
            }
            response.write()
        } else {
            let methods = [
                Method::Invite,
                Method::Ack,
                Method::Bye,
                Method::Info,
                Method::Update,
                Method::Cancel,
                Method::Options,
                Method::Prack,
                Method::Other("REFER"),
            ];
            let method = *chance.one(&methods);
            call.asked += u32::from(chance.below(4) > 0);
            let of = &request.headers;
            let from = format!("{};tag={tag}", of.get("To").unwrap().split(";tag").next().unwrap());
            let mut headers = Ground::headers(
                &from,
                of.get("From").unwrap(),
                of.get("Call-ID").unwrap(),
                call.asked,
                method,
            );
            headers.set("Via", format!("SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{}{at}{tag}", call.asked));
            let body = *chance.one(&[&b""[..], b"x", b"no"]);
            Request { method, uri: "sip:k@10.0.0.1".into(), headers, body: body.to_vec() }.write()
        };
        match chance.below(12) {
            // damaged, and perhaps another call's by now
            0 => bytes = chance.mutated(&[bytes]),
            // for a call that nobody knows
            1 => {
                let call = request.headers.get("Call-ID").unwrap();
                bytes = String::from_utf8_lossy(&bytes).replace(call, "nobodys").into_bytes();
            }
            _ => {}
        }
        let times = if chance.below(8) == 0 { 3 } else { 1 };
        for _ in 0..times {
            self.receive(&bytes);
        }
    }

    /// Time passes until nothing of any call is left.
    fn settles(&mut self) {
        let limit = self.now + RING + TALK + Duration::from_secs(2 * 32);
        while self.trunk.dialogs() > 0 {
            self.now = self.now.max(self.trunk.due().expect("what is left has an end"));
            assert!(self.now <= limit, "{} dialogs are left", self.trunk.dialogs());
            self.trunk.tick(self.now);
            self.drain(None);
        }
    }

    /// All calls over, and what reminds of them too.
    fn ends(&mut self) {
        // each ended at its limit at the latest, and 64 T1 later nothing is left; a stray hang-up may begin last
        self.pass(RING + TALK + Duration::from_secs(2 * 32 + 1));
        let open: Vec<u64> =
            self.calls.iter().filter(|call| call.ended.is_none()).map(|call| call.id).collect();
        assert_eq!(open, [0; 0], "calls without an end");
        assert_eq!(self.trunk.dialogs(), 0);
        assert!(self.trunk.legs.is_empty() && self.trunk.calls.is_empty() && self.trunk.strays.is_empty());
        assert!(self.trunk.out().is_none() && self.trunk.event().is_none());
    }
}

fn history(seed: u64) {
    let mut world = World::new(seed);
    world.pass(Duration::ZERO);
    for _ in 0..120 {
        match world.chance.below(16) {
            0 | 1 if world.calls.len() < 12 => world.dial(),
            2 if !world.calls.is_empty() => {
                let id = world.chance.below(world.calls.len()) as u64;
                world.trunk.hang_up(id, world.now);
                world.drain(Some(id));
            }
            3 if !world.calls.is_empty() => {
                let id = world.chance.below(world.calls.len()) as u64;
                world.trunk.info(id, "application/dtmf-relay", b"Signal=5".to_vec(), world.now);
                world.drain(Some(id));
            }
            4 => {
                let time = world.chance.below(20_000) as u64;
                world.pass(Duration::from_millis(time));
            }
            5 if world.chance.below(8) == 0 => {
                world.trunk.way_lost(world.now);
                world.drain(None);
                let (via, contact) = ("SIP/2.0/UDP 10.0.0.1:5070".into(), "<sip:k@10.0.0.1:5070>".into());
                world.trunk.way_opened(via, contact, world.now);
                world.drain(None);
            }
            _ if !world.calls.is_empty() => {
                // one of the last few: the others are long over
                let back = world.chance.below(4).min(world.calls.len() - 1);
                let at = world.calls.len() - 1 - back;
                world.say(at);
            }
            _ => world.dial(),
        }
    }
    world.ends();
}

#[test]
fn whatever_phones_say_each_call_ends_in_its_time_and_alone() {
    let is_long = std::env::var("KLINKE_FUZZ").is_ok();
    for seed in 0..if is_long { 20_000 } else { 250 } {
        // a history that fails names its seed
        let came = std::panic::catch_unwind(|| history(seed));
        assert!(came.is_ok(), "history {seed}");
    }
}

/// Ten thousand calls one after the other, of every kind of end: no call, no task of a call and no message stays.
#[test]
fn ten_thousand_calls_leave_nothing() {
    let mut world = World::new(1);
    world.pass(Duration::ZERO);
    let mut ends = BTreeMap::new();
    for n in 0..10_000_usize {
        world.dial();
        let invite = world.calls[n].sent[0].clone();
        let answer = |world: &mut World, status: u16, tag: &str, body: &str| {
            let mut response = Response::to(&invite, status, Some(tag));
            response.headers.push("Contact", "<sip:phone@127.0.0.1:5062>");
            response.headers.push("Content-Type", "application/sdp");
            response.body = body.as_bytes().to_vec();
            world.receive(&response.write());
        };
        match n % 8 {
            // nobody says a word
            0 => {}
            1 => answer(&mut world, 486, "a", ""),
            // rings on, and is taken when we have given up
            2 => {
                answer(&mut world, 180, "a", "");
                world.pass(RING);
                answer(&mut world, 200, "a", "theirs");
            }
            // two phones take it
            3 => {
                answer(&mut world, 200, "a", "theirs");
                answer(&mut world, 200, "b", "theirs");
            }
            4 => answer(&mut world, 200, "a", ""),
            5 => {
                answer(&mut world, 183, "a", "theirs");
                world.trunk.hang_up(n as u64, world.now);
                world.drain(None);
                answer(&mut world, 487, "a", "");
            }
            6 => {
                answer(&mut world, 200, "a", "theirs");
                world.trunk.hang_up(n as u64, world.now);
                world.drain(None);
                let bye = world.calls[n].sent.iter().find(|one| one.method == Method::Bye).cloned().unwrap();
                world.receive(&Response::to(&bye, 200, None).write());
            }
            _ => answer(&mut world, 200, "a", "theirs"),
        }
        world.settles();
        let (_, why) = world.calls[n].ended.unwrap();
        *ends.entry(format!("{why:?}")).or_insert(0) += 1;
        // only the end is asked for from now on
        world.calls[n].sent = Vec::new();
        assert!(world.trunk.ground.remembers() <= 256 && world.trunk.ground.out.is_empty());
    }
    world.ends();
    let wanted = [
        ("Broken", 1_250),
        ("Busy", 1_250),
        ("Limit", 2_500),
        ("NoAnswer", 1_250),
        ("Unreachable", 1_250),
        ("WeHungUp", 2_500),
    ];
    assert_eq!(ends, wanted.map(|(why, count)| (why.to_owned(), count)).into());
}
