//! What the legs and the registration of one trunk have in common: how we are named on the wire, how fast things go, what
//! is to be sent, and what was answered already.

use crate::client::{Client, Pace};
use crate::digest::{self, Account};
use crate::leg::HOPS;
use crate::message::{self, Headers, Method, Request, Response};
use klinke_model::time::Mono;
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::net::SocketAddr;

/// Methods that we answer.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, UPDATE, INFO, OPTIONS";

/// What we call ourselves. Without a version: nothing for a scanner to learn.
const AGENT: &str = "Klinke";

/// Answers that are kept for requests that come again, at most.
const KEPT: usize = 256;

/// Bytes on their way out; to the trunk itself, or to this address of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Out {
    pub bytes: Vec<u8>,
    pub to: Option<SocketAddr>,
}

/// Names that nobody guesses, each once, from one draw of randomness.
pub(crate) struct Tokens {
    key: [u8; 32],
    count: u64,
}

impl Tokens {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key, count: 0 }
    }

    /// 128 bits as 32 hex digits.
    pub(crate) fn fresh(&mut self) -> String {
        self.count += 1;
        let hash = Sha256::new().chain_update(self.key).chain_update(self.count.to_be_bytes()).finalize();
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

pub(crate) struct Ground {
    /// `SIP/2.0/UDP 192.0.2.1:5060`.
    pub via: String,
    /// `<sip:klinke@192.0.2.1:5060>`.
    pub contact: String,
    pub pace: Pace,
    pub account: Option<Account>,
    pub tokens: Tokens,
    pub out: VecDeque<Out>,
    /// Acknowledgements of refusals and answers to requests, for when they come again, until when.
    kept: VecDeque<(String, Out, Mono)>,
}

impl Ground {
    pub(crate) fn new(
        via: String,
        contact: String,
        pace: Pace,
        account: Option<Account>,
        key: [u8; 32],
    ) -> Self {
        let (out, kept) = (VecDeque::new(), VecDeque::new());
        Self { via, contact, pace, account, tokens: Tokens::new(key), out, kept }
    }

    pub(crate) fn send(&mut self, bytes: Vec<u8>, to: Option<SocketAddr>) {
        self.out.push_back(Out { bytes, to });
    }

    /// A request of ours, sent, with a branch of its own.
    pub(crate) fn begin(&mut self, mut request: Request, now: Mono) -> Client {
        let branch = self.tokens.fresh();
        request.headers.set("Via", format!("{};branch=z9hG4bK{branch};rport", self.via));
        self.begin_as_is(request, now)
    }

    /// The same for a request that has its branch: CANCEL takes that of its INVITE.
    pub(crate) fn begin_as_is(&mut self, request: Request, now: Mono) -> Client {
        let hop = hop(&request);
        let client = Client::new(request, self.pace, now);
        self.send(client.bytes(), hop);
        client
    }

    /// The same request with the answer to a challenge, sent; `None` when we have no (other) answer to give.
    pub(crate) fn answer(
        &mut self,
        client: &Client,
        challenged: &Response,
        cseq: u32,
        now: Mono,
    ) -> Option<Client> {
        let account = self.account.clone()?;
        let (ask, reply) = match challenged.status {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return None,
        };
        let challenge = digest::strongest(challenged.headers.all(ask))?;
        let seen = client.realms.contains(&challenge.realm);
        if client.answered >= 4 || seen && !challenge.stale {
            return None;
        }
        let mut request = client.request.clone();
        let method = request.method.name();
        let cnonce = self.tokens.fresh();
        let value = challenge.answer(&account, method, &request.uri, &cnonce, 1);
        match seen {
            true => request.headers.set(reply, value),
            // proxy and registrar may both ask, each for its realm
            false => request.headers.push(reply, value),
        }
        request.headers.set("CSeq", format!("{cseq} {method}"));
        let mut again = self.begin(request, now);
        again.answered = client.answered + 1;
        again.realms.clone_from(&client.realms);
        again.realms.push(challenge.realm);
        Some(again)
    }

    /// The headers that every request outside and inside of calls begins with.
    pub(crate) fn headers(from: &str, to: &str, call: &str, cseq: u32, method: Method) -> Headers {
        let mut headers = Headers::default();
        // stands first; `begin` fills it in
        headers.push("Via", "");
        headers.push("Max-Forwards", HOPS.to_string());
        headers.push("From", from);
        headers.push("To", to);
        headers.push("Call-ID", call);
        headers.push("CSeq", format!("{cseq} {}", method.name()));
        headers.push("User-Agent", AGENT);
        headers
    }

    /// Answers a request, and the same again when it is repeated.
    pub(crate) fn reply(&mut self, request: &Request, response: &Response, from: SocketAddr, now: Mono) {
        let out = Self::response(response, from);
        if let Some(key) = key(&request.headers, request.method.name()) {
            self.keep(key, out.clone(), now);
        }
        self.out.push_back(out);
    }

    /// A response as it goes out: it says where its request came from.
    pub(crate) fn response(response: &Response, from: SocketAddr) -> Out {
        let mut response = response.clone();
        response.say_source(from);
        Out { bytes: response.write(), to: Some(from) }
    }

    /// Acknowledges the refusal of an INVITE, and again when it is repeated.
    pub(crate) fn acknowledge(&mut self, client: &Client, refusal: &Response, now: Mono) {
        let out = Out { bytes: client.ack(refusal), to: hop(&client.request) };
        if let Some(key) = key(&client.request.headers, "ack") {
            self.keep(key, out.clone(), now);
        }
        self.out.push_back(out);
    }

    fn keep(&mut self, key: String, out: Out, now: Mono) {
        self.forget(now);
        // a final answer takes the place of what was said before it
        self.kept.retain(|(kept, _, _)| *kept != key);
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        let until = now + self.pace.patience();
        self.kept.push_back((key, out, until));
    }

    /// Answers that are kept at present.
    #[cfg(test)]
    pub(crate) fn remembers(&self) -> usize {
        self.kept.len()
    }

    /// Drops what nobody repeats any more.
    pub(crate) fn forget(&mut self, now: Mono) {
        while self.kept.front().is_some_and(|(_, _, until)| now >= *until) {
            self.kept.pop_front();
        }
    }

    /// Says again what was said to this request; false when it is a new one.
    pub(crate) fn repeats(&mut self, request: &Request) -> bool {
        let key = key(&request.headers, request.method.name());
        self.say_again(key)
    }

    /// Acknowledges a repeated refusal; false when it is none.
    pub(crate) fn repeats_refusal(&mut self, response: &Response) -> bool {
        let refusal =
            response.status >= 300 && response.headers.cseq().is_some_and(|(_, method)| method == "INVITE");
        let key = key(&response.headers, "ack").filter(|_| refusal);
        self.say_again(key)
    }

    fn say_again(&mut self, key: Option<String>) -> bool {
        let found = key.and_then(|key| self.kept.iter().find(|(kept, _, _)| *kept == key));
        let Some((_, out, _)) = found else { return false };
        self.out.push_back(out.clone());
        true
    }
}

/// What tells one request from the next: branch, sender and method.
fn key(headers: &Headers, method: &str) -> Option<String> {
    Some(format!("{method} {} {}", headers.branch()?, headers.get("Call-ID")?))
}

/// Where a request within a call goes when its route or target names an address; else, and outside of calls, to the trunk
/// itself.
pub(crate) fn hop(request: &Request) -> Option<SocketAddr> {
    request.headers.tag("To")?;
    let route =
        request.headers.get("Route").and_then(|route| message::address(message::split_list(route).first()?));
    let uri = route.unwrap_or(&request.uri);
    let rest = uri.strip_prefix("sip:").or_else(|| uri.strip_prefix("sips:"))?;
    let host = rest.split([';', '?']).next()?;
    let host = host.rsplit('@').next()?;
    // an address without a port is the trunk's own: that port was right before
    host.parse().ok()
}
