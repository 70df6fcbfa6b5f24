//! Keys in the description (RFC 4568): `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…`.
//!
//! They are worth what the signalling is worth: over TLS only those on the way see them, in the open everybody does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Master key and salt, bytes.
pub const KEY_AND_SALT: usize = 30;

/// How packets are encrypted and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// AES in counter mode, a tag of 80 bits.
    Sha1_80,
    /// The same with a tag of 32 bits on RTP.
    Sha1_32,
}

impl Suite {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Sha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }
}

/// One side's keys. Prints without them.
#[derive(Clone, PartialEq, Eq)]
pub struct Crypto {
    /// Which of the lines it is.
    pub tag: u32,
    /// How.
    pub suite: Suite,
    /// Master key, 16 bytes, and master salt, 14 bytes.
    pub key: [u8; KEY_AND_SALT],
}

impl std::fmt::Debug for Crypto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crypto").field("tag", &self.tag).field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl Crypto {
    /// Reads the value of `a=crypto`; `None` for a suite or a parameter that we do not have.
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?;
        let is_tag = (1..=9).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_digit());
        let tag = tag.parse().ok().filter(|_| is_tag)?;
        let suite = words.next()?;
        let suite = [Suite::Sha1_80, Suite::Sha1_32].into_iter().find(|one| one.name() == suite)?;
        let inline = words.next()?.strip_prefix("inline:")?;
        // a window is a hint; all others change what is sent (RFC 4568 §6.3), and are not supported
        if words.any(|parameter| !parameter.starts_with("WSH=")) || inline.contains(';') {
            return None;
        }
        let mut parts = inline.split('|');
        let key = STANDARD.decode(parts.next()?).ok()?.try_into().ok()?;
        // a lifetime is longer than any call; a key identifier would be in every packet
        if parts.any(|part| part.contains(':')) {
            return None;
        }
        Some(Self { tag, suite, key })
    }

    /// The value of `a=crypto`.
    pub fn write(&self) -> String {
        format!("{} {} inline:{}", self.tag, self.suite.name(), STANDARD.encode(self.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    #[test]
    fn lines_of_the_standard_are_read_and_others_refused() {
        let suite = "AES_CM_128_HMAC_SHA1_80";
        let taken = [
            format!("1 {suite} inline:{KEY}"),
            format!("1 {suite} inline:{KEY}|2^20"),
            format!("1 {suite} inline:{KEY}|1048576 WSH=128"),
            format!("2 AES_CM_128_HMAC_SHA1_32 inline:{KEY}"),
        ];
        for line in &taken {
            assert!(Crypto::parse(line).is_some(), "{line}");
        }
        let refused = [
            String::new(),
            format!("x {suite} inline:{KEY}"),
            format!("+1 {suite} inline:{KEY}"),
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 {suite} inline:{}", &KEY[4..]),
            format!("1 {suite} inline:{KEY}|2^20|1:4"),
            format!("1 {suite} inline:{KEY};inline:{KEY}"),
            format!("1 {suite} inline:{KEY} UNENCRYPTED_SRTP"),
            format!("1 {suite} inline:{KEY} KDR=1"),
            format!("1 {suite} uri:{KEY}"),
            format!("1 {suite}"),
        ];
        for line in &refused {
            assert!(Crypto::parse(line).is_none(), "{line}");
        }
    }

    #[test]
    fn it_prints_without_its_key() {
        let crypto = Crypto { tag: 1, suite: Suite::Sha1_80, key: [65; KEY_AND_SALT] };
        assert_eq!(Crypto::parse(&crypto.write()), Some(crypto.clone()));
        assert_eq!(format!("{crypto:?}"), "Crypto { tag: 1, suite: Sha1_80, .. }");
    }

    proptest! {
        #[test]
        fn any_line_is_keys_or_none(line in "[ -~]{0,120}") {
            let _ = Crypto::parse(&line);
        }
    }
}
