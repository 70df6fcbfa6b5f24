//! All devices that register with us and the calls with them: which message belongs to which. Without IO; `shell` gives it
//! sockets and the clock.
//!
//! Invariants: what a stranger sends changes nothing, and gets the registrar's one answer or none. Everything to a device goes
//! on the way that it came on itself, never to an address that a message names. A message is part of a call by the tag that we
//! gave it, and from the address of its device only.

use super::{Accept, Event, HOPS, Refusal, Ring, Settings};
use crate::client::Pace;
use crate::ground::{ALLOW, Ground, Tokens};
use crate::leg::{Leg, Start, Terms, invitation};
use crate::message::{self, Message, Method, Request, Response};
use crate::registrar::{Accounts, Flow, Registrar, Transport, Verdict, user};
use crate::why::Why;
use klinke_model::time::Mono;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// Calls that one device may make to us at a time.
const OF_DEVICE: usize = 4;

/// How long a door station waits for an answer at most; whoever rings people has shorter limits.
pub(super) const LONGEST_RING: Duration = Duration::from_secs(180);

/// What is told of calls.
pub(super) enum News {
    /// A door station calls.
    Asked(Asked),
    /// What becomes of a call.
    Event(u64, Event),
}

/// The call of a door station, as [`Incoming`](super::Incoming) has it.
pub(super) struct Asked {
    pub id: u64,
    pub device: String,
    pub dialled: String,
    pub offer: Option<String>,
    pub over_tls: bool,
    pub hops: u8,
    pub is_only: bool,
}

struct Call {
    leg: Leg,
    ground: Ground,
    device: String,
    flow: Flow,
    /// The registration that it began under: when that moves, the call moves with it.
    registration: String,
}

pub(super) struct Core {
    registrar: Registrar,
    calls: BTreeMap<u64, Call>,
    /// Which call a tag of ours is of.
    tags: HashMap<String, u64>,
    next: u64,
    tokens: Tokens,
    key: [u8; 32],
    t1: Duration,
    out: VecDeque<(Flow, Vec<u8>)>,
    news: VecDeque<News>,
}

/// Calls that come in have numbers from here on; those that go out have the numbers of whoever makes them.
const INCOMING: u64 = 1 << 63;

impl Core {
    pub(super) fn new(key: [u8; 32], settings: &Settings, now: Mono) -> Self {
        Self {
            registrar: Registrar::new(derived(&key, "nonces"), settings.digests, settings.limits, now),
            calls: BTreeMap::new(),
            tags: HashMap::new(),
            next: INCOMING,
            tokens: Tokens::new(derived(&key, "names")),
            key,
            t1: settings.t1,
            out: VecDeque::new(),
            news: VecDeque::new(),
        }
    }

    pub(super) fn accounts(&mut self, accounts: Accounts, now: Mono) {
        let out = self.registrar.accounts(accounts);
        let of_them = self.calls.iter().filter(|(_, call)| out.contains(&call.device)).map(|(id, _)| *id);
        for id in of_them.collect::<Vec<_>>() {
            self.hang_up(id, now);
        }
    }

    /// Who is registered, and a number that changes with it.
    pub(super) fn registered(&self) -> (u64, BTreeSet<String>) {
        (self.registrar.changes, self.registrar.registered())
    }

    /// From where a device speaks.
    pub(super) fn address(&self, device: &str) -> Option<IpAddr> {
        self.registrar.binding(device).map(|binding| binding.flow.peer.ip())
    }

    pub(super) fn changes(&self) -> u64 {
        self.registrar.changes
    }

    /// Whether a connection is of use: somebody is registered or called on it.
    pub(super) fn uses(&self, flow: &Flow) -> bool {
        self.registrar.on(flow).is_some() || self.calls.values().any(|call| call.flow == *flow)
    }

    pub(super) fn dialogs(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn call(&mut self, id: u64, ring: Ring, now: Mono) {
        let Some(binding) = self.registrar.binding(&ring.device) else {
            self.news.push_back(News::Event(id, Event::Ended(Why::Unreachable)));
            return;
        };
        let (flow, uri, registration) = (binding.flow, binding.contact.clone(), binding.call.clone());
        let mut ground = self.ground(flow, id);
        let host = flow.local.ip();
        let host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() };
        let start = Start {
            from: format!("\"{}\" <sip:door@{host}>", shown(&ring.caller)),
            to: format!("<sip:{}@{host}>", ring.device),
            uri,
            offer: (ring.offer)(flow.way == Transport::Tls),
            hops: ring.hops,
            terms: Terms { ring: ring.ring, talk: ring.talk, reoffer: ring.reoffer },
        };
        let leg = Leg::begin(start, &mut ground, now);
        self.add(id, Call { leg, ground, device: ring.device, flow, registration });
    }

    fn add(&mut self, id: u64, call: Call) {
        self.tags.insert(call.leg.tag().to_owned(), id);
        self.calls.insert(id, call);
        self.settle(id);
    }

    /// What all calls over one way have in common; each has its own, so that none is in another's way.
    fn ground(&self, flow: Flow, id: u64) -> Ground {
        let (name, suffix) = match flow.way {
            Transport::Udp => ("UDP", ""),
            Transport::Tcp => ("TCP", ";transport=tcp"),
            Transport::Tls => ("TLS", ";transport=tls"),
        };
        let pace = Pace { t1: self.t1, reliable: flow.way != Transport::Udp };
        let contact = format!("<sip:door@{}{suffix}>", flow.local);
        let key = derived(&self.key, &id.to_string());
        Ground::new(format!("SIP/2.0/{name} {}", flow.local), contact, pace, None, key)
    }

    fn with(&mut self, id: u64, work: impl FnOnce(&mut Leg, &mut Ground)) {
        if let Some(Call { leg, ground, .. }) = self.calls.get_mut(&id) {
            work(leg, ground);
        }
        self.settle(id);
    }

    pub(super) fn hang_up(&mut self, id: u64, now: Mono) {
        self.with(id, |leg, ground| leg.hang_up(Why::WeHungUp, ground, now));
    }

    pub(super) fn completed_elsewhere(&mut self, id: u64, now: Mono) {
        self.with(id, |leg, ground| leg.completed_elsewhere(ground, now));
    }

    pub(super) fn info(&mut self, id: u64, kind: &str, body: Vec<u8>, now: Mono) {
        self.with(id, |leg, ground| leg.info(kind, body, ground, now));
    }

    pub(super) fn ring(&mut self, id: u64, early: Option<String>, now: Mono) {
        self.with(id, |leg, ground| leg.ring(early, ground, now));
    }

    pub(super) fn accept(&mut self, id: u64, accept: Accept, now: Mono) {
        self.with(id, |leg, ground| leg.accept(accept, ground, now));
    }

    pub(super) fn refuse(&mut self, id: u64, refusal: Refusal, now: Mono) {
        self.with(id, |leg, ground| leg.refuse_them(refusal, Why::WeHungUp, ground, now));
    }

    /// Ends every call.
    pub(super) fn leave(&mut self, now: Mono) {
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.hang_up(id, now);
        }
    }

    /// A connection is gone.
    pub(super) fn lost(&mut self, flow: &Flow, now: Mono) {
        self.registrar.lost(flow);
        let on_it = self.calls.iter().filter(|(_, call)| call.flow == *flow).map(|(id, _)| *id);
        for id in on_it.collect::<Vec<_>>() {
            self.with(id, |leg, ground| leg.way_lost(ground, now));
        }
    }

    /// A whole message, or what is none.
    pub(super) fn received(&mut self, bytes: &[u8], flow: Flow, now: Mono) {
        if !self.registrar.hears(&flow, bytes.len(), now) {
            return;
        }
        match message::read(bytes) {
            None => {}
            Some(Message::Response(response)) => self.response(&response, &flow, now),
            Some(Message::Request(request)) if is_whole(&request) => self.request(request, bytes, flow, now),
            Some(Message::Request(_)) => {}
        }
    }

    /// The call that a message with this tag of ours belongs to, if it came from its device.
    fn of_tag(&self, tag: Option<&str>, call_id: Option<&str>, flow: &Flow) -> Option<u64> {
        let id = *self.tags.get(tag?)?;
        let call = self.calls.get(&id)?;
        let is = Some(call.leg.call()) == call_id && call.flow.peer.ip() == flow.peer.ip();
        is.then_some(id)
    }

    fn response(&mut self, response: &Response, flow: &Flow, now: Mono) {
        let headers = &response.headers;
        // all our requests are within calls, and from us
        if let Some(id) = self.of_tag(headers.tag("From"), headers.get("Call-ID"), flow) {
            self.with(id, |leg, ground| {
                if !ground.repeats_refusal(response) {
                    leg.response(response, ground, now);
                }
            });
        }
    }

    fn request(&mut self, request: Request, bytes: &[u8], flow: Flow, now: Mono) {
        let headers = &request.headers;
        let call_id = headers.get("Call-ID");
        let begins = matches!(request.method, Method::Invite | Method::Cancel) && headers.tag("To").is_none();
        let id = match begins {
            true => self
                .calls
                .iter()
                .find(|(_, call)| call.flow.peer.ip() == flow.peer.ip() && call.leg.is_repeated(&request))
                .map(|(id, _)| *id),
            false => self.of_tag(headers.tag("To"), call_id, &flow),
        };
        if let Some(id) = id {
            self.with(id, |leg, ground| {
                if request.method == Method::Ack || !ground.repeats(&request) {
                    leg.request(&request, flow.peer, ground, now);
                }
            });
            return;
        }
        if begins && self.loops(&request, &flow) {
            self.say(Response::to(&request, 482, None), flow);
            return;
        }
        let is_known = self.registrar.on(&flow).is_some();
        let outside = headers.tag("To").is_none();
        match request.method {
            // nothing answers an ACK, and a CANCEL can not be challenged
            Method::Ack => {}
            Method::Cancel if !is_known => {}
            _ if is_known && (!outside || request.method == Method::Cancel) => {
                self.say(Response::to(&request, 481, None), flow);
            }
            Method::Register if outside => self.register(&request, bytes, flow, now),
            Method::Invite if outside => {
                if let Some(device) = self.is_from(&request, flow, now) {
                    self.invited(device, request, flow, now);
                }
            }
            method if is_known || self.is_from(&request, flow, now).is_some() => {
                let status = if method == Method::Options { 200 } else { 405 };
                let mut response = Response::to(&request, status, None);
                response.headers.push("Allow", ALLOW);
                self.say(response, flow);
            }
            _ => {}
        }
    }

    /// Whether a request that begins a call is part of one that there is: our own INVITE that a device sent back to us, or an
    /// INVITE of a device that came another way before.
    fn loops(&self, request: &Request, flow: &Flow) -> bool {
        let here = self.calls.values().filter(|call| call.flow.peer.ip() == flow.peer.ip());
        here.into_iter().any(|call| call.leg.comes_back(request) || call.leg.is_merged(request))
    }

    /// Which device a request is from. Who it is not from has been answered.
    fn is_from(&mut self, request: &Request, flow: Flow, now: Mono) -> Option<String> {
        let stale = match self.registrar.verdict(request, flow.peer.ip(), now) {
            Verdict::Device(device) => return Some(device),
            verdict => verdict == Verdict::Stale,
        };
        let response = self.registrar.challenge(request, flow.peer, stale, now);
        self.say(response, flow);
        None
    }

    /// Answers a request that is not part of a call, and keeps nothing of it.
    fn say(&mut self, response: Response, flow: Flow) -> Vec<u8> {
        let response = response.tagged(&self.tokens.fresh());
        let bytes = Ground::response(&response, flow.peer).bytes;
        self.out.push_back((flow, bytes.clone()));
        bytes
    }

    fn register(&mut self, request: &Request, bytes: &[u8], flow: Flow, now: Mono) {
        let hash = Sha256::digest(bytes).into();
        if let Some(answer) = self.registrar.repeats(&flow, hash) {
            self.out.push_back((flow, answer));
            return;
        }
        let Some(device) = self.is_from(request, flow, now) else { return };
        let response = self.registrar.register(&device, request, flow, now);
        let answer = self.say(response, flow);
        self.registrar.answered(&device, hash, answer);
        // the calls of a device go where it is now
        if let Some(binding) = self.registrar.binding(&device) {
            for call in self.calls.values_mut().filter(|call| call.device == device) {
                if call.registration == binding.call {
                    call.flow = binding.flow;
                }
            }
        }
    }

    fn invited(&mut self, device: String, request: Request, flow: Flow, now: Mono) {
        let here = |binding: &&crate::registrar::Binding| binding.flow.peer.ip() == flow.peer.ip();
        let Some(binding) = self.registrar.binding(&device).filter(here) else {
            // whoever calls has to be where we could call it
            self.say(Response::to(&request, 403, None), flow);
            return;
        };
        let registration = binding.call.clone();
        // whoever is rung for it is one hop more (sections 16.3 and 16.6); who does not say is no proxy, and begins
        let left = u8::try_from(request.headers.number("Max-Forwards").unwrap_or_else(|| HOPS.into()));
        let Some(hops) = left.unwrap_or(HOPS).min(HOPS).checked_sub(1) else {
            self.say(Response::to(&request, 483, None), flow);
            return;
        };
        let of_device = self.calls.values().filter(|call| call.device == device);
        let (count, goes_on) =
            of_device.fold((0, 0), |(all, on), call| (all + 1, on + usize::from(call.leg.goes_on())));
        if count >= OF_DEVICE {
            self.say(Response::to(&request, 486, None), flow);
            return;
        }
        let offer = match invitation(&request, &self.tokens.fresh()) {
            Ok(offer) => offer,
            Err(response) => {
                self.say(response, flow);
                return;
            }
        };
        let dialled = user(&request.uri).unwrap_or_default();
        let dialled = dialled.chars().filter(char::is_ascii_graphic).take(64).collect();
        self.next += 1;
        let id = self.next;
        let mut ground = self.ground(flow, id);
        let leg = Leg::asked(request, flow.peer, LONGEST_RING, &mut ground, now);
        let over_tls = flow.way == Transport::Tls;
        let asked =
            Asked { id, device: device.clone(), dialled, offer, over_tls, hops, is_only: goes_on == 0 };
        self.news.push_back(News::Asked(asked));
        self.add(id, Call { leg, ground, device, flow, registration });
    }

    /// Takes out of a call what it has to say, and forgets it when it is over.
    fn settle(&mut self, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        while let Some(out) = call.ground.out.pop_front() {
            self.out.push_back((call.flow, out.bytes));
        }
        while let Some(event) = call.leg.event() {
            self.news.push_back(News::Event(id, event));
        }
        if call.leg.is_over() {
            self.tags.remove(call.leg.tag());
            self.calls.remove(&id);
        }
    }

    pub(super) fn due(&self) -> Option<Mono> {
        self.calls.values().filter_map(|call| call.leg.due()).chain(self.registrar.due()).min()
    }

    pub(super) fn tick(&mut self, now: Mono) {
        self.registrar.tick(now);
        let due = |call: &Call| call.leg.due().is_none_or(|due| now >= due);
        let ids = self.calls.iter().filter(|(_, call)| due(call)).map(|(id, _)| *id).collect::<Vec<_>>();
        for id in ids {
            self.with(id, |leg, ground| {
                ground.forget(now);
                leg.tick(ground, now);
            });
        }
    }

    pub(super) fn out(&mut self) -> Option<(Flow, Vec<u8>)> {
        self.out.pop_front()
    }

    pub(super) fn news(&mut self) -> Option<News> {
        self.news.pop_front()
    }
}

/// Whether a request has what every one has to have (section 8.1.1).
fn is_whole(request: &Request) -> bool {
    let has = |name| request.headers.get(name).is_some_and(|value| !value.is_empty());
    let own = request.headers.cseq().is_some_and(|(_, method)| method == request.method.name());
    ["Via", "From", "To", "Call-ID"].into_iter().all(has) && own
}

/// Randomness for one purpose, from one draw.
fn derived(key: &[u8; 32], purpose: &str) -> [u8; 32] {
    Sha256::new().chain_update(key).chain_update(purpose.as_bytes()).finalize().into()
}

/// What may stand between quotes on a display.
fn shown(caller: &str) -> String {
    let plain = caller.chars().filter(|letter| !letter.is_control() && !matches!(letter, '"' | '\\'));
    plain.take(60).collect()
}
