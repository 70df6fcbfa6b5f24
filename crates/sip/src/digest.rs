//! Digest access authentication, as a client (RFC 7616, RFC 8760; RFC 2617 for what still asks without `qop`).
//!
//! A server may offer several challenges. We answer the strongest that we know: SHA-256, else MD5. What we do not know
//! (`SHA-512-256`, `auth-int` alone) is passed over, as if it had not been offered.

use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Who we are for a registrar or trunk. `Debug` does not tell the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The name within the digest.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(…)")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    // in order of strength
    Md5,
    Sha256,
}

impl Algorithm {
    /// The digest of a text, in lower case.
    pub(crate) fn hex(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // writing to a String does not fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One challenge that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    algorithm: Algorithm,
    session: bool,
    token: Option<String>,
    /// Whose password is asked for.
    pub realm: String,
    nonce: String,
    opaque: Option<String>,
    qop: bool,
    /// The nonce was too old, the password right.
    pub stale: bool,
}

/// The strongest of the challenges in these header values (`Digest realm="…", …`) that we can answer.
pub fn strongest<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Challenge> {
    let challenges = values.into_iter().filter_map(Challenge::read);
    // the first of the strongest: the order of the server breaks ties
    challenges.fold(None, |best: Option<Challenge>, next| match best {
        Some(best) if best.algorithm >= next.algorithm => Some(best),
        _ => Some(next),
    })
}

impl Challenge {
    /// Reads one header value; `None` for what is no challenge, or none that we can answer.
    fn read(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let (mut realm, mut nonce, mut opaque, mut qop, mut stale, mut token) =
            (None, None, None, None, false, None);
        for (name, value) in Parameters(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "nonce" => nonce = Some(value),
                "opaque" => opaque = Some(value),
                "qop" => qop = Some(value),
                "stale" => stale = value.eq_ignore_ascii_case("true"),
                "algorithm" => token = Some(value),
                _ => {}
            }
        }
        let (algorithm, session) = match token.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("md5") => (Algorithm::Md5, false),
            Some("md5-sess") => (Algorithm::Md5, true),
            Some("sha-256") => (Algorithm::Sha256, false),
            Some("sha-256-sess") => (Algorithm::Sha256, true),
            Some(_) => return None,
        };
        let qop = match qop {
            None => false,
            Some(offered) if offered.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None,
        };
        let (realm, nonce) = (realm?, nonce?);
        // a nonce is made of what may stand in quotes; what is not would break out of the header
        let clean = |text: &String| !text.contains(['\r', '\n']);
        (clean(&realm) && clean(&nonce) && opaque.as_ref().is_none_or(clean)).then_some(Self {
            algorithm,
            session,
            token,
            realm,
            nonce,
            opaque,
            qop,
            stale,
        })
    }

    /// The value of `Authorization` or `Proxy-Authorization` for one request. `cnonce` is random text of hex digits,
    /// `count` how often this nonce was answered, beginning with 1.
    pub fn answer(&self, account: &Account, method: &str, uri: &str, cnonce: &str, count: u32) -> String {
        let hash = |text: &str| self.algorithm.hex(text);
        let Account { user, password } = account;
        let (realm, nonce) = (&self.realm, &self.nonce);
        let mut secret = hash(&format!("{user}:{realm}:{password}"));
        if self.session {
            secret = hash(&format!("{secret}:{nonce}:{cnonce}"));
        }
        let request = hash(&format!("{method}:{uri}"));
        let response = match self.qop {
            true => hash(&format!("{secret}:{nonce}:{count:08x}:{cnonce}:auth:{request}")),
            false => hash(&format!("{secret}:{nonce}:{request}")),
        };
        let mut value = format!(
            r#"Digest username="{}", realm="{}", nonce="{}", uri="{uri}", response="{response}""#,
            quoted(user),
            quoted(realm),
            quoted(nonce),
        );
        if let Some(token) = &self.token {
            let _ = write!(value, ", algorithm={token}");
        }
        if self.qop {
            let _ = write!(value, r#", qop=auth, nc={count:08x}, cnonce="{cnonce}""#);
        } else if self.session {
            let _ = write!(value, r#", cnonce="{cnonce}""#);
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(value, r#", opaque="{}""#, quoted(opaque));
        }
        value
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// `name=value` and `name="value"`, separated by commas.
pub(crate) struct Parameters<'a>(pub(crate) &'a str);

impl Iterator for Parameters<'_> {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start_matches([',', ' ', '\t']);
        let (name, rest) = rest.split_once('=')?;
        let rest = rest.trim_start();
        let (value, rest) = match rest.strip_prefix('"') {
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (value, rest) = rest.split_at(end);
                (value.trim().to_owned(), rest)
            }
            Some(quoted) => {
                let (mut value, mut escaped, mut end) = (String::new(), false, None);
                for (at, letter) in quoted.char_indices() {
                    match letter {
                        _ if escaped => {
                            value.push(letter);
                            escaped = false;
                        }
                        '\\' => escaped = true,
                        '"' => {
                            end = Some(at + 1);
                            break;
                        }
                        _ => value.push(letter),
                    }
                }
                (value, quoted.get(end?..)?)
            }
        };
        self.0 = rest;
        Some((name.trim().to_owned(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 7616, section 3.9.1: the same request answered with both algorithms.
    #[test]
    fn the_vectors_of_rfc_7616() {
        let account = Account { user: "Mufasa".into(), password: "Circle of Life".into() };
        let ask = |algorithm: &str| {
            let value = format!(
                r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
            );
            strongest([value.as_str()]).unwrap().answer(
                &account,
                "GET",
                "/dir/index.html",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                1,
            )
        };
        let md5 = ask("MD5");
        assert!(md5.contains(r#"response="8ca523f5e9506fed4657c9700eebdbec""#), "{md5}");
        let sha = ask("SHA-256");
        assert!(
            sha.contains(r#"response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1""#),
            "{sha}"
        );
        assert!(sha.contains("algorithm=SHA-256, qop=auth, nc=00000001, cnonce="), "{sha}");
        assert!(sha.ends_with(r#"opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#), "{sha}");
    }

    /// RFC 2069 form, as RFC 2617 keeps it: no qop, no algorithm. Values worked out with Python's hashlib.
    #[test]
    fn without_qop_the_old_form() {
        let account = Account { user: "bob".into(), password: "zanzibar".into() };
        let challenge = strongest([r#"Digest realm="biloxi.com", nonce="dcd98b""#]).unwrap();
        let answer = challenge.answer(&account, "REGISTER", "sip:biloxi.com", "0a4f113b", 1);
        assert!(
            !answer.contains("qop") && !answer.contains("nc=") && !answer.contains("algorithm"),
            "{answer}"
        );
        assert!(answer.contains(r#"response="ccbb505b8c0a051ca7b0330cf175363e""#), "{answer}");
    }

    #[test]
    fn the_count_is_hex_of_eight_digits() {
        let account = Account { user: "a".into(), password: "b".into() };
        let challenge = strongest([r#"Digest realm="r", nonce="n", qop="auth""#]).unwrap();
        assert!(challenge.answer(&account, "BYE", "sip:x", "c", 26).contains("nc=0000001a,"));
    }

    #[test]
    fn the_strongest_that_we_know_is_answered() {
        let md5 = r#"Digest realm="r", nonce="m", algorithm=MD5, qop="auth""#;
        let plain = r#"Digest realm="r", nonce="p""#;
        let sha = r#"Digest realm="r", nonce="s", algorithm=SHA-256, qop="auth""#;
        let longer = r#"Digest realm="r", nonce="l", algorithm=SHA-512-256, qop="auth""#;
        let only_int = r#"Digest realm="r", nonce="i", algorithm=SHA-256, qop="auth-int""#;
        for (offered, nonce) in [
            (vec![md5, sha], Some("s")),
            (vec![sha, md5], Some("s")),
            (vec![longer, md5], Some("m")),
            (vec![only_int, plain], Some("p")),
            (vec![plain, md5], Some("p")),
            (vec![longer, only_int], None),
            (vec!["Basic realm=\"r\"", "Digest", "", "Digest realm=\"r\""], None),
        ] {
            assert_eq!(strongest(offered.clone()).map(|c| c.nonce).as_deref(), nonce, "{offered:?}");
        }
    }

    #[test]
    fn quotes_and_odd_spacing_are_read_and_written() {
        let value = r#"digest  nonce = "a\"b" ,realm="x, y=z",STALE=TRUE ,  qop=auth"#;
        let challenge = strongest([value]).unwrap();
        assert_eq!((challenge.nonce.as_str(), challenge.realm.as_str()), ("a\"b", "x, y=z"));
        assert!(challenge.stale && challenge.qop);
        let account = Account { user: "a".into(), password: "b".into() };
        assert!(challenge.answer(&account, "BYE", "sip:x", "c", 1).contains(r#"nonce="a\"b""#));
    }

    #[test]
    fn an_account_tells_nobody_its_password() {
        let account = Account { user: "anna".into(), password: "hemlig".into() };
        assert_eq!(format!("{account:?}"), "Account(…)");
    }

    proptest! {
        #[test]
        fn whatever_is_offered_is_read_without_a_panic(value in "(Digest )?[ -~]{0,80}") {
            if let Some(challenge) = strongest([value.as_str()]) {
                let account = Account { user: "a".into(), password: "b".into() };
                prop_assert!(!challenge.answer(&account, "BYE", "sip:x", "c", 1).contains(['\r', '\n']));
            }
        }
    }
}
