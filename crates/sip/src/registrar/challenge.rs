//! Digest authentication as a server: the challenge, and whether an answer to it is right.

use super::nonce::{Kind, Nonces};
use super::{Accounts, REALM, Secret};
use crate::digest::{Algorithm, Parameters};
use crate::message::{Request, Response};
use klinke_model::time::Mono;
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// Which digests devices are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digests {
    /// SHA-256 and MD5, each in a challenge of its own, the stronger first (RFC 8760).
    Both,
    /// MD5 alone: devices from before RFC 8760 give up when they see another one, in whatever order.
    Md5,
}

/// What credentials come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This device, beyond doubt.
    Device(String),
    /// None, or none that were made for a challenge of ours to this address: no guess.
    None,
    /// The password was right, the nonce is used up or too old.
    Stale,
    /// A guess; the account, where there is one.
    Wrong(Option<String>),
}

pub(super) struct Challenger {
    nonces: Nonces,
    digests: Digests,
    /// Stands for an account that is not there.
    nobody: Secret,
}

/// Compared in the same time wherever they differ.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

impl Challenger {
    pub(super) fn new(key: [u8; 32], digests: Digests) -> Self {
        let nobody = Secret::new("nobody", &crate::digest::hex(&key));
        Self { nonces: Nonces::new(key), digests, nobody }
    }

    pub(super) fn forget(&mut self, now: Mono) {
        self.nonces.forget(now);
    }

    /// 401. It depends on nothing that the request names.
    pub(super) fn challenge(&mut self, request: &Request, from: IpAddr, stale: bool, now: Mono) -> Response {
        let headers = &request.headers;
        let call = headers.get("Call-ID").unwrap_or_default();
        // the same tag each time that the request comes again (section 8.2.7)
        let tag = self.nonces.seal(&format!("{call} {}", headers.branch().unwrap_or_default()), from);
        let mut response = Response::to(request, 401, Some(&tag));
        let nonce = self.nonces.fresh(from, now);
        let stale = if stale { ", stale=true" } else { "" };
        let algorithms: &[&str] = match self.digests {
            Digests::Both => &["SHA-256", "MD5"],
            Digests::Md5 => &["MD5"],
        };
        for algorithm in algorithms {
            response.headers.push(
                "WWW-Authenticate",
                format!(
                    r#"Digest realm="{REALM}", nonce="{nonce}", opaque="0", algorithm={algorithm}, qop="auth"{stale}"#
                ),
            );
        }
        response
    }

    pub(super) fn check(
        &mut self,
        request: &Request,
        from: IpAddr,
        accounts: &Accounts,
        now: Mono,
    ) -> Verdict {
        let Some(answer) = request.headers.all("Authorization").find_map(Answer::read) else {
            return Verdict::None;
        };
        let kind = self.nonces.kind(&answer.nonce, from, now);
        if kind == Kind::Foreign || answer.realm != REALM {
            return Verdict::None;
        }
        // the work is the same whether the account is there or not
        let account = accounts.get(&answer.user);
        let secret = account.unwrap_or(&self.nobody);
        let wanted = answer.wanted(request, secret);
        let right = same(&answer.response, &wanted) & account.is_some() & (answer.uri == request.uri);
        let is_offered = self.digests == Digests::Both || answer.algorithm == Algorithm::Md5;
        if !right || !is_offered {
            return Verdict::Wrong(account.map(|_| answer.user));
        }
        match kind {
            Kind::Good(name) if self.nonces.uses(name, answer.count, now) => Verdict::Device(answer.user),
            _ => Verdict::Stale,
        }
    }
}

/// `Authorization: Digest …` with `qop=auth`.
struct Answer {
    user: String,
    realm: String,
    nonce: String,
    uri: String,
    response: String,
    algorithm: Algorithm,
    count: u32,
    /// As it was sent: it is part of what is hashed.
    nc: String,
    cnonce: String,
}

impl Answer {
    fn read(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let all: Vec<(String, String)> = Parameters(rest).take(24).collect();
        let get = |name: &str| {
            let mut found = all.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            // twice the same would let one read what another does not
            let first = found.next();
            first.filter(|_| found.next().is_none()).cloned()
        };
        let algorithm = match get("algorithm").map(|token| token.to_ascii_lowercase()).as_deref() {
            None | Some("md5") => Algorithm::Md5,
            Some("sha-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let nc = get("nc")?;
        let auth = get("qop")?.eq_ignore_ascii_case("auth");
        let count = u32::from_str_radix(&nc, 16).ok().filter(|_| nc.len() == 8 && auth)?;
        Some(Self {
            user: get("username")?,
            realm: get("realm")?,
            nonce: get("nonce")?,
            uri: get("uri")?,
            response: get("response")?.to_ascii_lowercase(),
            algorithm,
            count,
            nc,
            cnonce: get("cnonce")?,
        })
    }

    fn wanted(&self, request: &Request, secret: &Secret) -> String {
        let secret = match self.algorithm {
            Algorithm::Md5 => &secret.md5,
            Algorithm::Sha256 => &secret.sha256,
        };
        let of_request = self.algorithm.hex(&format!("{}:{}", request.method.name(), self.uri));
        let Self { nonce, nc, cnonce, .. } = self;
        self.algorithm.hex(&format!("{secret}:{nonce}:{nc}:{cnonce}:auth:{of_request}"))
    }
}
