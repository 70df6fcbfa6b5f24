//! HTTP Digest Access Authentication (RFC 7616) with SHA-256 and `qop=auth`, and nothing weaker.

use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// What a device asks to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// How many requests were signed for this nonce.
    count: u32,
}

impl Challenge {
    /// Reads a `WWW-Authenticate`. `None` when it is no digest challenge with SHA-256 and `qop=auth`.
    pub fn read(header: &str) -> Option<Self> {
        let fields = fields(header.trim().strip_prefix("Digest ")?)?;
        let is = |name: &str, wanted: &str| {
            let value = fields.get(name)?;
            value.split(',').any(|one| one.trim().eq_ignore_ascii_case(wanted)).then_some(())
        };
        is("algorithm", "SHA-256")?;
        is("qop", "auth")?;
        let opaque = fields.get("opaque").cloned();
        Some(Self {
            realm: fields.get("realm")?.clone(),
            nonce: fields.get("nonce")?.clone(),
            opaque,
            count: 0,
        })
    }

    /// The `Authorization` of one POST. `cnonce` is fresh randomness.
    pub fn sign(&mut self, user: &str, password: &str, path: &str, cnonce: &str) -> String {
        self.count = self.count.saturating_add(1);
        let Self { realm, nonce, opaque, count } = self;
        let who = hex(&format!("{user}:{realm}:{password}"));
        let what = hex(&format!("POST:{path}"));
        let response = hex(&format!("{who}:{nonce}:{count:08x}:{cnonce}:auth:{what}"));
        let opaque = opaque.as_ref().map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
        format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{path}\", \
             algorithm=SHA-256, qop=auth, nc={count:08x}, cnonce=\"{cnonce}\", response=\"{response}\"{opaque}"
        )
    }
}

/// `name=value, name="value"`. `None` when it is not that, or a value could not be sent back as it is.
fn fields(text: &str) -> Option<HashMap<String, String>> {
    let mut fields = HashMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        if value.contains(['\\', '\r', '\n']) {
            return None;
        }
        fields.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(fields)
}

/// SHA-256 in lower-case hexadecimal.
fn hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_the_example_of_the_standard() {
        // RFC 7616, 3.9.1, for GET; ours is a POST, so what is compared is made with the same parts
        let header = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, \
                      nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                      opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let mut challenge = Challenge::read(header).unwrap();
        assert_eq!(challenge.realm, "http-auth@example.org");
        assert_eq!(challenge.opaque.as_deref(), Some("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"));
        let who = hex("Mufasa:http-auth@example.org:Circle of Life");
        let what = hex("GET:/dir/index.html");
        let nonce = &challenge.nonce;
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let response = hex(&format!("{who}:{nonce}:00000001:{cnonce}:auth:{what}"));
        assert_eq!(response, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
        let first = challenge.sign("Mufasa", "Circle of Life", "/rpc", cnonce);
        let second = challenge.sign("Mufasa", "Circle of Life", "/rpc", cnonce);
        assert!(first.contains("nc=00000001") && second.contains("nc=00000002"), "{second}");
        assert!(!first.contains("Circle"));
    }

    #[test]
    fn what_is_weaker_or_broken_is_not_signed() {
        let good = "Digest qop=\"auth\", realm=\"shelly\", nonce=\"12ab\", algorithm=SHA-256";
        assert!(Challenge::read(good).is_some());
        let rows = [
            good.replace("SHA-256", "MD5"),
            good.replace(", algorithm=SHA-256", ""),
            good.replace("qop=\"auth\", ", ""),
            good.replace("Digest", "Basic"),
            good.replace("nonce=\"12ab\"", "nonce=\"12ab"),
            good.replace("12ab", "12\\ab"),
        ];
        for row in rows {
            assert_eq!(Challenge::read(&row), None, "{row}");
        }
    }
}
