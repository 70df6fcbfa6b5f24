//! Nonces that are not stored: a moment, a number and a keyed hash over these and the address that they are for. Of the
//! counts of a nonce, those that were used up are kept, once somebody with an account has used one.

use hmac::{Hmac, KeyInit, Mac};
use klinke_model::time::Mono;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// How long a nonce is believed. Then devices get another one, without asking anybody for the password again.
pub const NONCE_LIFE: Duration = Duration::from_secs(60);

/// Nonces whose counts are kept, at most.
const KEPT: usize = 4096;

/// What a nonce is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not ours, or made for another address.
    Foreign,
    /// Ours, and too old.
    Old,
    /// Ours; its name.
    Good(u64),
}

pub(super) struct Nonces {
    key: [u8; 32],
    count: u64,
    /// The highest count of a nonce, which of the 64 below it were used, and when it ends.
    used: BTreeMap<u64, (u32, u64, Mono)>,
}

impl Nonces {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key, count: 0, used: BTreeMap::new() }
    }

    /// 64 hexadecimal digits: the moment, the number, and half of the hash.
    pub(super) fn fresh(&mut self, from: IpAddr, now: Mono) -> String {
        self.count += 1;
        let head = format!("{:016x}{:016x}", now.as_millis(), self.count);
        format!("{head}{}", self.seal(&head, from))
    }

    /// What nobody guesses for this text.
    pub(super) fn seal(&self, text: &str, from: IpAddr) -> String {
        // HMAC takes a key of any length
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::new() };
        mac.update(text.as_bytes());
        mac.update(from.to_canonical().to_string().as_bytes());
        crate::digest::hex(mac.finalize().into_bytes().get(..16).unwrap_or_default())
    }

    pub(super) fn kind(&self, nonce: &str, from: IpAddr, now: Mono) -> Kind {
        let (Some(head), Some(seal)) = (nonce.get(..32), nonce.get(32..)) else { return Kind::Foreign };
        if !super::challenge::same(seal, &self.seal(head, from)) {
            return Kind::Foreign;
        }
        let read = |part: Option<&str>| part.and_then(|part| u64::from_str_radix(part, 16).ok());
        match (read(head.get(..16)), read(head.get(16..))) {
            (Some(made), Some(name)) if now < Mono::from_millis(made) + NONCE_LIFE => Kind::Good(name),
            _ => Kind::Old,
        }
    }

    /// Uses up one count of a nonce; false if it was, or may have been, used before.
    pub(super) fn uses(&mut self, name: u64, count: u32, now: Mono) -> bool {
        if !self.used.contains_key(&name) && self.used.len() >= KEPT {
            return false;
        }
        let (highest, window, _) = self.used.entry(name).or_insert((0, 0, now + NONCE_LIFE));
        if count > *highest {
            let by = count - *highest;
            *window = window.checked_shl(by).unwrap_or(0);
            // the one that was the highest is now below the new one
            if *highest > 0 && by <= 64 {
                *window |= 1 << (by - 1);
            }
            *highest = count;
            return true;
        }
        let below = *highest - count;
        if count == 0 || below == 0 || below > 64 {
            return false;
        }
        let bit = 1 << (below - 1);
        let fresh = *window & bit == 0;
        *window |= bit;
        fresh
    }

    pub(super) fn forget(&mut self, now: Mono) {
        self.used.retain(|_, (_, _, until)| now < *until);
    }
}
