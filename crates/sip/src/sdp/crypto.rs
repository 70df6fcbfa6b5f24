//! Keys in the description (RFC 4568): `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…`.
//!
//! They are worth what the signalling is worth: over TLS only those on the way see them, in the open everybody does. So
//! `agent` gives an offer with keys to a trunk over TLS only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Whether the sound of a trunk's calls is encrypted. Of use over TLS only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// In the open.
    #[default]
    Off,
    /// Where the phone can; in the open where it can not.
    Offered,
    /// Encrypted or no call.
    Required,
}

/// How packets are encrypted and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// AES with 256 bits in Galois/counter mode, a tag of 128 bits (RFC 7714).
    Gcm256,
    /// The same with 128 bits.
    Gcm128,
    /// AES in counter mode, a tag of 80 bits (RFC 4568 §6.2.1).
    Sha1_80,
    /// The same with a tag of 32 bits on RTP (RFC 4568 §6.2.2).
    Sha1_32,
}

impl Suite {
    /// All of them, best first.
    pub const ALL: [Self; 4] = [Self::Gcm256, Self::Gcm128, Self::Sha1_80, Self::Sha1_32];

    const fn name(self) -> &'static str {
        match self {
            Self::Gcm256 => "AEAD_AES_256_GCM",
            Self::Gcm128 => "AEAD_AES_128_GCM",
            Self::Sha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Sha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// Length of the master key, bytes.
    pub const fn key_length(self) -> usize {
        match self {
            Self::Gcm256 => 32,
            Self::Gcm128 | Self::Sha1_80 | Self::Sha1_32 => 16,
        }
    }

    /// Length of the master salt, bytes.
    pub const fn salt_length(self) -> usize {
        match self {
            Self::Gcm256 | Self::Gcm128 => 12,
            Self::Sha1_80 | Self::Sha1_32 => 14,
        }
    }

    const fn length(self) -> usize {
        self.key_length() + self.salt_length()
    }
}

/// One side's keys. Prints without them; what memory they had is overwritten.
#[derive(Clone, PartialEq, Eq)]
pub struct Crypto {
    /// Which of the lines it is.
    pub tag: u32,
    /// How.
    pub suite: Suite,
    /// Master key, then master salt.
    secret: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Crypto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crypto").field("tag", &self.tag).field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl Crypto {
    /// Keys of this suite; `None` when master key and salt together are not as long as it wants them.
    pub fn new(tag: u32, suite: Suite, secret: &[u8]) -> Option<Self> {
        (secret.len() == suite.length()).then(|| Self { tag, suite, secret: Zeroizing::new(secret.to_vec()) })
    }

    /// Master key and master salt.
    pub fn key_and_salt(&self) -> (&[u8], &[u8]) {
        self.secret.split_at(self.suite.key_length())
    }

    /// Whether both encrypt the same way: the line's number apart.
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.suite == other.suite && self.secret == other.secret
    }

    /// Reads the value of `a=crypto`; `None` for a suite or a parameter that we do not have.
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?;
        let is_tag = (1..=9).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_digit());
        let tag = tag.parse().ok().filter(|_| is_tag)?;
        let suite = words.next()?;
        let suite = Suite::ALL.into_iter().find(|one| one.name() == suite)?;
        let inline = words.next()?.strip_prefix("inline:")?;
        // a window is a hint; all others change what is sent (RFC 4568 §6.3), and are not supported
        if words.any(|parameter| !parameter.starts_with("WSH=")) || inline.contains(';') {
            return None;
        }
        let mut parts = inline.split('|');
        let secret = Zeroizing::new(STANDARD.decode(parts.next()?).ok()?);
        // a lifetime is longer than any call; a key identifier would be in every packet
        if parts.any(|part| part.contains(':')) {
            return None;
        }
        Self::new(tag, suite, &secret)
    }

    /// The value of `a=crypto`.
    pub fn write(&self) -> String {
        format!("{} {} inline:{}", self.tag, self.suite.name(), STANDARD.encode(&self.secret))
    }
}

/// Our keys for one leg, one of each suite, for all descriptions of the leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OurKeys {
    /// Without encryption there is no sound; else it is in the open where the other side has no keys.
    pub is_required: bool,
    lines: Vec<Crypto>,
}

impl OurKeys {
    /// How much randomness they are made of, bytes.
    pub const RANDOM: usize =
        Suite::Gcm256.length() + Suite::Gcm128.length() + Suite::Sha1_80.length() + Suite::Sha1_32.length();

    /// Makes keys; none where encryption is off.
    pub fn new(encryption: Encryption, random: &[u8; Self::RANDOM]) -> Option<Self> {
        if encryption == Encryption::Off {
            return None;
        }
        let mut rest = random.as_slice();
        let lines = (1..).zip(Suite::ALL).map_while(|(tag, suite)| {
            let (secret, after) = rest.split_at_checked(suite.length())?;
            rest = after;
            Crypto::new(tag, suite, secret)
        });
        Some(Self { is_required: encryption == Encryption::Required, lines: lines.collect() })
    }

    /// As they are offered: best first.
    pub fn lines(&self) -> &[Crypto] {
        &self.lines
    }

    /// What answers this line of theirs (RFC 4568 §5.1.2): the same suite under the same number.
    pub(super) fn answer(&self, theirs: &Crypto) -> Option<Crypto> {
        let ours = self.lines.iter().find(|ours| ours.suite == theirs.suite)?;
        Some(Crypto { tag: theirs.tag, ..ours.clone() })
    }

    /// Which of ours this answer of theirs is for.
    pub(super) fn answered(&self, theirs: &Crypto) -> Option<Crypto> {
        self.lines.iter().find(|ours| (ours.tag, ours.suite) == (theirs.tag, theirs.suite)).cloned()
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
            format!("3 AEAD_AES_128_GCM inline:{}", STANDARD.encode([7; 28])),
            format!("4 AEAD_AES_256_GCM inline:{}", STANDARD.encode([7; 44])),
        ];
        for line in &taken {
            assert!(Crypto::parse(line).is_some(), "{line}");
        }
        let refused = [
            String::new(),
            format!("x {suite} inline:{KEY}"),
            format!("+1 {suite} inline:{KEY}"),
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AEAD_AES_128_GCM inline:{KEY}"),
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
        let crypto = Crypto::new(1, Suite::Sha1_80, &[65; 30]).unwrap();
        assert_eq!(Crypto::parse(&crypto.write()), Some(crypto.clone()));
        assert_eq!(format!("{crypto:?}"), "Crypto { tag: 1, suite: Sha1_80, .. }");
        let ours = OurKeys::new(Encryption::Offered, &[65; OurKeys::RANDOM]).unwrap();
        assert!(!format!("{ours:?}").contains("65"), "{ours:?}");
    }

    #[test]
    fn each_suite_has_a_key_of_its_own() {
        let mut random = [0; OurKeys::RANDOM];
        random.iter_mut().zip(0_u8..).for_each(|(byte, at)| *byte = at);
        let ours = OurKeys::new(Encryption::Required, &random).unwrap();
        let told: Vec<(u32, Suite)> = ours.lines().iter().map(|line| (line.tag, line.suite)).collect();
        let wanted = [(1, Suite::Gcm256), (2, Suite::Gcm128), (3, Suite::Sha1_80), (4, Suite::Sha1_32)];
        assert_eq!(told, wanted);
        // together they are all of the randomness, each byte once
        let secrets: Vec<u8> = ours.lines().iter().flat_map(|line| line.secret.to_vec()).collect();
        assert_eq!(secrets, random);
        assert_eq!(OurKeys::new(Encryption::Off, &random), None);
    }

    proptest! {
        #[test]
        fn any_line_is_keys_or_none(line in "[ -~]{0,120}") {
            let _ = Crypto::parse(&line);
        }
    }
}
