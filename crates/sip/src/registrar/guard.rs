//! What strangers may cost us: messages, answers and guesses, each within a budget that fills up again.
//!
//! Only somebody who was sent a nonce can make a wrong guess with it, so nobody uses up the guesses of an address that is
//! not theirs. Devices that are registered have a budget of their own, and none of a stranger's doing touches it.

use klinke_model::time::Mono;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages a second of all strangers together; twice as many at once.
    pub strangers: u32,
    /// Messages a second of one address that is no device's; four times as many at once.
    pub stranger: u32,
    /// Messages a second of one registered device; twice as many at once.
    pub device: u32,
    /// The longest message of a stranger, in bytes.
    pub longest: usize,
    /// Wrong guesses of one address at once, and at one account.
    pub guesses: u32,
    /// After how long one more is allowed.
    pub guess_every: Duration,
    /// How long an address is not heard that has used up its guesses.
    pub silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            strangers: 200,
            stranger: 10,
            device: 50,
            longest: 8192,
            guesses: 10,
            guess_every: Duration::from_secs(20),
            silence: Duration::from_secs(60),
        }
    }
}

/// Addresses and accounts that are remembered, at most.
const KEPT: usize = 8192;

/// What is used up by taking and fills up again by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// How much there is, in milliseconds of filling.
    filled: u64,
    full: u64,
    each: u64,
    at: Mono,
}

impl Bucket {
    /// Full, with room for `room`, one more after each `every`.
    pub(crate) fn new(room: u32, every: Duration, now: Mono) -> Self {
        let each = u64::try_from(every.as_millis()).unwrap_or(u64::MAX).max(1);
        let full = each.saturating_mul(room.into());
        Self { filled: full, full, each, at: now }
    }

    fn fill(&mut self, now: Mono) {
        let passed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        self.filled = self.filled.saturating_add(passed).min(self.full);
        self.at = now;
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Mono) -> bool {
        self.fill(now);
        let is = self.filled >= self.each;
        if is {
            self.filled -= self.each;
        }
        is
    }

    fn is_full(&mut self, now: Mono) -> bool {
        self.fill(now);
        self.filled == self.full
    }

    fn is_empty(&mut self, now: Mono) -> bool {
        self.fill(now);
        self.filled < self.each
    }
}

struct Address {
    messages: Bucket,
    guesses: Bucket,
    silent_until: Option<Mono>,
}

pub(crate) struct Guard {
    limits: Limits,
    all: Bucket,
    addresses: HashMap<IpAddr, Address>,
    accounts: HashMap<String, Bucket>,
    next_look: Mono,
}

const LOOK: Duration = Duration::from_secs(10);

/// So many a second, `times` as many at once.
fn per_second(count: u32, times: u32, now: Mono) -> Bucket {
    let count = count.clamp(1, 1000);
    Bucket::new(count.saturating_mul(times), Duration::from_secs(1) / count, now)
}

impl Guard {
    pub(crate) fn new(limits: Limits, now: Mono) -> Self {
        let all = per_second(limits.strangers, 2, now);
        Self { limits, all, addresses: HashMap::new(), accounts: HashMap::new(), next_look: now + LOOK }
    }

    pub(crate) fn of_device(&self, now: Mono) -> Bucket {
        per_second(self.limits.device, 2, now)
    }

    /// Whether a message of somebody who is not registered is looked at.
    pub(crate) fn hears_stranger(&mut self, from: IpAddr, length: usize, now: Mono) -> bool {
        if length > self.limits.longest {
            return false;
        }
        let Some(address) = self.address(from, now) else { return false };
        if address.silent_until.is_some_and(|until| now < until) || !address.messages.take(now) {
            return false;
        }
        address.silent_until = None;
        self.all.take(now)
    }

    /// A wrong guess was made.
    pub(crate) fn failed(&mut self, from: IpAddr, account: Option<&str>, now: Mono) {
        let Limits { guesses, guess_every, silence, .. } = self.limits;
        if let Some(address) = self.address(from, now) {
            address.guesses.take(now);
            if address.guesses.is_empty(now) {
                address.silent_until = Some(now + silence);
            }
        }
        let Some(account) = account else { return };
        if self.accounts.len() < KEPT || self.accounts.contains_key(account) {
            let fresh = || Bucket::new(guesses, guess_every, now);
            self.accounts.entry(account.to_owned()).or_insert_with(fresh).take(now);
        }
    }

    /// Whether an address has used up its guesses, and the silence after that is not over.
    pub(crate) fn is_silent(&self, from: IpAddr, now: Mono) -> bool {
        let address = self.addresses.get(&network(from));
        address.and_then(|address| address.silent_until).is_some_and(|until| now < until)
    }

    /// Whether an account was not guessed at too often.
    pub(crate) fn account_is_open(&mut self, account: &str, now: Mono) -> bool {
        self.accounts.get_mut(account).is_none_or(|bucket| !bucket.is_empty(now))
    }

    fn address(&mut self, from: IpAddr, now: Mono) -> Option<&mut Address> {
        let from = network(from);
        if self.addresses.len() >= KEPT && !self.addresses.contains_key(&from) {
            self.forget(now);
            // a crowd of strangers: no more of them are remembered, so no more are heard
            if self.addresses.len() >= KEPT {
                return None;
            }
        }
        let Limits { stranger, guesses, guess_every, .. } = self.limits;
        Some(self.addresses.entry(from).or_insert_with(|| Address {
            messages: per_second(stranger, 4, now),
            guesses: Bucket::new(guesses, guess_every, now),
            silent_until: None,
        }))
    }

    /// How many addresses and accounts are remembered.
    #[cfg(test)]
    pub(crate) fn remembers(&self) -> usize {
        self.addresses.len() + self.accounts.len()
    }

    /// Drops who has done nothing for long enough to be a new stranger.
    pub(crate) fn forget(&mut self, now: Mono) {
        if now < self.next_look {
            return;
        }
        self.next_look = now + LOOK;
        self.addresses.retain(|_, address| {
            let silent = address.silent_until.is_some_and(|until| now < until);
            silent || !address.messages.is_full(now) || !address.guesses.is_full(now)
        });
        self.accounts.retain(|_, bucket| !bucket.is_full(now));
    }
}

/// Who counts as one: an address, or the 64 leading bits of one of IPv6, which are somebody's own network.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}
