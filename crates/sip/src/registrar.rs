//! Who registers with us (RFC 3261, section 10.3, with digest by RFC 7616 and 8760). Without IO; `stations` is what it is
//! for.
//!
//! Invariants:
//! - Nobody is bound, or heard at all, without the digest of an account. We hold digests, never passwords.
//! - Who has no account learns nothing: every request of a stranger gets the same 401, whatever account it names or guesses
//!   at, and after too many guesses nothing at all. The same work is done for an account that is there and one that is not.
//! - A nonce is believed from the address that it was made for, for [`NONCE_LIFE`], and each of its counts once.
//! - One device has one binding, the newest; it ends by itself.

mod challenge;
mod guard;
mod nonce;
#[cfg(test)]
mod tests;

pub use challenge::Digests;
pub(crate) use challenge::Verdict;
pub use guard::Limits;
use guard::{Bucket, Guard};
pub use nonce::NONCE_LIFE;

use crate::digest::Algorithm;
use crate::message::{Request, Response, address, parameter, split_list};
use challenge::Challenger;
use klinke_model::time::Mono;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What devices are asked for in challenges, and [`Secret`]s are made with. It names neither us nor the house.
pub const REALM: &str = "sip";

/// For how long a registration holds at least and at most, and without a wish of the device, in seconds.
const SHORTEST: u32 = 60;
const LONGEST: u32 = 600;
const USUAL: u32 = 300;

/// The longest address of a device, in bytes.
const LONGEST_CONTACT: usize = 512;

/// What an account is checked with: digests of user, realm and password (HA1, RFC 7616 section 3.4.2). Whoever has them can
/// register, but not read the password from them. `Debug` does not tell them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// By MD5, 32 hexadecimal digits in lower case.
    pub md5: String,
    /// By SHA-256, 64 hexadecimal digits in lower case.
    pub sha256: String,
}

impl Secret {
    /// Of a device's name and its password.
    pub fn new(device: &str, password: &str) -> Self {
        let text = format!("{device}:{REALM}:{password}");
        Self { md5: Algorithm::Md5.hex(&text), sha256: Algorithm::Sha256.hex(&text) }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Who may register, by the device's name: at least 12 random letters and digits, which the owner gives out with the
/// password.
pub type Accounts = HashMap<String, Secret>;

/// On which way a device is reached: the address it spoke from, or the connection that it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Flow {
    pub way: Transport,
    /// Which connection; 0 for datagrams.
    pub connection: u64,
    pub peer: SocketAddr,
    pub local: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// Where a device is, until when.
pub(crate) struct Binding {
    pub flow: Flow,
    /// Its own address for itself: what calls to it ask for.
    pub contact: String,
    /// Its registration, the same each time that it is refreshed.
    pub call: String,
    cseq: u32,
    until: Mono,
    pace: Bucket,
    /// What was answered to the request of this hash, for when that comes again.
    answered: Option<([u8; 32], Vec<u8>)>,
}

pub(crate) struct Registrar {
    challenger: Challenger,
    accounts: Arc<Accounts>,
    bindings: BTreeMap<String, Binding>,
    /// Who speaks on a way: several where one box has several accounts.
    flows: HashMap<Flow, BTreeSet<String>>,
    guard: Guard,
    /// One more each time that somebody is bound or no longer is.
    pub changes: u64,
}

impl Registrar {
    pub(crate) fn new(key: [u8; 32], digests: Digests, limits: Limits, now: Mono) -> Self {
        Self {
            challenger: Challenger::new(key, digests),
            accounts: Arc::default(),
            bindings: BTreeMap::new(),
            flows: HashMap::new(),
            guard: Guard::new(limits, now),
            changes: 0,
        }
    }

    /// From now on these may register. Who is no longer among them, or has another secret, is out at once: their names.
    pub(crate) fn accounts(&mut self, accounts: Accounts) -> Vec<String> {
        let before = std::mem::replace(&mut self.accounts, Arc::new(accounts));
        let same = |device: &String| before.get(device) == self.accounts.get(device);
        let out: Vec<String> = before.keys().filter(|device| !same(device)).cloned().collect();
        for device in &out {
            self.unbind(device);
        }
        out
    }

    /// Who speaks on this way, if they are registered there.
    pub(crate) fn on(&self, flow: &Flow) -> Option<&str> {
        self.flows.get(flow)?.first().map(String::as_str)
    }

    pub(crate) fn binding(&self, device: &str) -> Option<&Binding> {
        self.bindings.get(device)
    }

    /// Who is registered.
    pub(crate) fn registered(&self) -> BTreeSet<String> {
        self.bindings.keys().cloned().collect()
    }

    /// Whether a message on this way is to be heard at all, by its length in bytes and by how many came before.
    pub(crate) fn hears(&mut self, flow: &Flow, length: usize, now: Mono) -> bool {
        let device = self.flows.get(flow).and_then(BTreeSet::first);
        match device.and_then(|device| self.bindings.get_mut(device)) {
            Some(binding) => binding.pace.take(now),
            None => self.guard.hears_stranger(flow.peer.ip(), length, now),
        }
    }

    /// Whether the request is from who it says. It is not said to strangers why not.
    pub(crate) fn verdict(&mut self, request: &Request, from: IpAddr, now: Mono) -> Verdict {
        let bound_here =
            |device: &str| self.bindings.get(device).is_some_and(|binding| binding.flow.peer.ip() == from);
        let verdict = self.challenger.check(request, from, &self.accounts, now);
        match verdict {
            // an account that is guessed at from elsewhere stays open to its own device
            Verdict::Device(device)
                if bound_here(&device)
                    || self.guard.account_is_open(&device, now) && !self.guard.is_silent(from, now) =>
            {
                Verdict::Device(device)
            }
            Verdict::Device(_) => Verdict::Wrong(None),
            Verdict::Wrong(device) => {
                self.guard.failed(from, device.as_deref(), now);
                Verdict::Wrong(None)
            }
            other => other,
        }
    }

    /// The one answer to whoever is not let in.
    pub(crate) fn challenge(
        &mut self,
        request: &Request,
        from: SocketAddr,
        stale: bool,
        now: Mono,
    ) -> Response {
        self.challenger.challenge(request, from.ip(), stale, now)
    }

    /// The answer to these very bytes, if they were answered already.
    pub(crate) fn repeats(&self, flow: &Flow, hash: [u8; 32]) -> Option<Vec<u8>> {
        let answers = self.flows.get(flow)?.iter().filter_map(|device| self.bindings.get(device));
        let mut answers = answers.filter_map(|binding| binding.answered.as_ref());
        answers.find(|(of, _)| *of == hash).map(|(_, answer)| answer.clone())
    }

    /// Remembers what was answered to these bytes of a device.
    pub(crate) fn answered(&mut self, device: &str, hash: [u8; 32], answer: Vec<u8>) {
        if let Some(binding) = self.bindings.get_mut(device) {
            binding.answered = Some((hash, answer));
        }
    }

    /// A REGISTER of a device that is known to be itself.
    pub(crate) fn register(&mut self, device: &str, request: &Request, flow: Flow, now: Mono) -> Response {
        let headers = &request.headers;
        // one account registers itself, nobody else
        let of = headers.get("To").and_then(address).and_then(user);
        if of != Some(device) {
            return Response::to(request, 403, None);
        }
        let call = headers.get("Call-ID").unwrap_or_default();
        let cseq = headers.cseq().map_or(0, |(number, _)| number);
        // an older wish that comes late changes nothing (section 10.3, step 7)
        if self.bindings.get(device).is_some_and(|binding| binding.call == call && binding.cseq >= cseq) {
            return Response::to(request, 500, None);
        }
        let contacts = headers.list("Contact");
        let wishes = headers.number("Expires");
        if contacts.iter().any(|contact| contact.trim() == "*") {
            return match (contacts.len(), wishes) {
                (1, Some(0)) => {
                    self.unbind(device);
                    Response::to(request, 200, None)
                }
                _ => Response::to(request, 400, None),
            };
        }
        let wish = |contact: &str| {
            let own = parameter(after(contact), "expires").and_then(|text| text.parse().ok());
            own.or(wishes).unwrap_or(USUAL)
        };
        // nothing to register: only asks what is
        if let Some(last) = contacts.iter().rev().find(|contact| wish(contact) > 0) {
            if wish(last) < SHORTEST {
                let mut response = Response::to(request, 423, None);
                response.headers.push("Min-Expires", SHORTEST.to_string());
                return response;
            }
            let Some(contact) = address(last).filter(|contact| is_address(contact)) else {
                return Response::to(request, 400, None);
            };
            let until = now + Duration::from_secs(wish(last).min(LONGEST).into());
            self.unbind(device);
            let binding = Binding {
                flow,
                contact: contact.to_owned(),
                call: call.to_owned(),
                cseq,
                until,
                pace: self.guard.of_device(now),
                answered: None,
            };
            self.flows.entry(flow).or_default().insert(device.to_owned());
            self.bindings.insert(device.to_owned(), binding);
            self.changes += 1;
        } else if !contacts.is_empty() {
            // takes back what is bound, and nothing that has come since: the address is the same
            let bound = self.bindings.get(device).map(|binding| binding.contact.as_str());
            if contacts.iter().any(|contact| address(contact) == bound) {
                self.unbind(device);
            }
        }
        let mut response = Response::to(request, 200, None);
        if let Some(binding) = self.bindings.get(device) {
            let left = binding.until.since(now).as_secs();
            response.headers.push("Contact", format!("<{}>;expires={left}", binding.contact));
        }
        response
    }

    /// A connection is gone, and who was on it.
    pub(crate) fn lost(&mut self, flow: &Flow) {
        for device in self.flows.remove(flow).unwrap_or_default() {
            self.bindings.remove(&device);
            self.changes += 1;
        }
    }

    fn unbind(&mut self, device: &str) {
        let Some(binding) = self.bindings.remove(device) else { return };
        self.changes += 1;
        if let Entry::Occupied(mut on_it) = self.flows.entry(binding.flow) {
            on_it.get_mut().remove(device);
            if on_it.get().is_empty() {
                on_it.remove();
            }
        }
    }

    pub(crate) fn due(&self) -> Option<Mono> {
        self.bindings.values().map(|binding| binding.until).min()
    }

    pub(crate) fn tick(&mut self, now: Mono) {
        let over = self.bindings.iter().filter(|(_, binding)| now >= binding.until);
        for device in over.map(|(device, _)| device.clone()).collect::<Vec<_>>() {
            self.unbind(&device);
        }
        self.challenger.forget(now);
        self.guard.forget(now);
    }
}

/// The user part of `sip:user@host`.
pub(crate) fn user(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("sips:").or_else(|| uri.strip_prefix("sip:"))?;
    let (user, _) = rest.split_once('@')?;
    user.split([';', ':']).next()
}

/// The parameters behind an address, not those within it.
fn after(contact: &str) -> &str {
    match (contact.rfind('>'), split_list(contact).first()) {
        (Some(at), _) => contact.get(at..).unwrap_or_default(),
        (None, _) => contact,
    }
}

/// Whether an address may stand in a request line and between angle brackets.
fn is_address(contact: &str) -> bool {
    contact.len() <= LONGEST_CONTACT
        && contact.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b','))
}
