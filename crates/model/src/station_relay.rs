//! A door that a door station of another maker opens by a relay of its own: how it is told to.
//!
//! Weaker than a controller: the relay hangs on the outside of the wall, and nobody reports that the lock moved. So such a
//! door has nothing that takes a controller, and a door has one of the two, never both.
//!
//! Invariants: what is told is told to the station itself, at the address from which it is registered, so there is no host in
//! here that somebody could type. [`RelayKeys`] open the door for whoever types them at some stations; they print as
//! `‹redacted›`.

use crate::privacy::Pii;
use std::fmt::{self, Write as _};

/// The keys that a station wants to hear in its call: 1 to 8 of `0` to `9`, `*` and `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayKeys(Pii<String>);

impl RelayKeys {
    /// The most keys.
    pub const MOST: usize = 8;

    /// Takes keys; `None` for none, too many, or another character.
    pub fn new(text: &str) -> Option<Self> {
        let is_key = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'*' | b'#');
        let fits = (1..=Self::MOST).contains(&text.len()) && text.bytes().all(is_key);
        fits.then(|| Self(Pii::new(text.to_owned())))
    }

    /// Such as `00*`.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

/// What is asked for over HTTP: a path with its query, `/` first, in visible ASCII without `#`, 200 letters at most
/// (RFC 3986, sections 3.3 and 3.4). `{user}` and `{password}` are places for the account: some stations (Akuvox) are signed in to
/// in that way only. Braces mean nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayPath(String);

impl RelayPath {
    /// The most letters.
    pub const LONGEST: usize = 200;

    /// Takes a path; `None` when it is none. `//` at its beginning would read as a host.
    pub fn new(text: &str) -> Option<Self> {
        let fits = text.len() <= Self::LONGEST
            && text.starts_with('/')
            && !text.starts_with("//")
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>'))
            && !text.replace(USER, "").replace(PASSWORD, "").contains(['{', '}']);
        fits.then(|| Self(text.to_owned()))
    }

    /// Such as `/api/switch/ctrl?switch=1&action=trigger`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has a place for the account: whoever is asked for it is told that at once, and in no other way.
    pub fn names_account(&self) -> bool {
        self.0.contains(USER) || self.0.contains(PASSWORD)
    }

    /// What is asked for, with the account in its places.
    pub fn filled(&self, user: &str, password: &str) -> Pii<String> {
        Pii::new(self.0.replace(USER, &encoded(user)).replace(PASSWORD, &encoded(password)))
    }
}

const USER: &str = "{user}";
const PASSWORD: &str = "{password}";

/// Everything that is not unreserved (RFC 3986, section 2.3) as `%` and two digits, so that it stays where it stands.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            // a string takes everything
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// A certificate that a station's web server shows, by the SHA-256 of its DER encoding. It prints as `AB:CD:…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateDigest(pub [u8; 32]);

impl CertificateDigest {
    /// Takes 32 bytes in hexadecimal, with or without colons; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.replace(':', "");
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for CertificateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let before = if at == 0 { "" } else { ":" };
            write!(f, "{before}{byte:02X}")?;
        }
        Ok(())
    }
}

/// How a station is told to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayWay {
    /// By keys in its call: it opens only while it is in one.
    Keys(RelayKeys),
    /// By a request to its web server: whenever it is registered.
    Http(RelayHttp),
}

/// A request to a station's web server. Its password is kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayHttp {
    /// Over TLS.
    pub https: bool,
    /// The certificate that counts over TLS; without one, those that an authority vouches for.
    pub certificate: Option<CertificateDigest>,
    /// Of its web server.
    pub port: u16,
    /// What is asked for.
    pub path: RelayPath,
    /// The name to sign in with, where it asks.
    pub user: Option<String>,
    /// The password may go in the clear, where it asks for that (Basic, RFC 7617) or the path has a place for it.
    pub basic: bool,
}

impl RelayHttp {
    /// Whether a password that was typed for `self` may be used for `other`: it goes to the same place and no less well kept.
    pub fn is_as_safe(&self, other: &Self) -> bool {
        let shown_to = !self.https || self.certificate == other.certificate;
        self.user == other.user && self.https <= other.https && self.basic >= other.basic && shown_to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_a_telephone_has() {
        for (text, fits) in [
            ("0", true),
            ("00*", true),
            ("12345678", true),
            ("*#", true),
            ("", false),
            ("123456789", false),
            ("12A", false),
            ("1 2", false),
            ("٣", false),
        ] {
            assert_eq!(RelayKeys::new(text).is_some(), fits, "{text}");
        }
        let keys = RelayKeys::new("4711*").unwrap();
        assert_eq!(keys.reveal(), "4711*");
        assert!(!format!("{keys:?}").contains("4711"));
    }

    #[test]
    fn a_path_names_no_host_and_breaks_out_of_no_line() {
        let long = format!("/{}", "a".repeat(RelayPath::LONGEST));
        for (text, fits) in [
            ("/api/switch/ctrl?switch=1&action=trigger", true),
            ("/fcgi/do?action=OpenDoor&UserName=a&Password=b&DoorNum=1", true),
            ("/fcgi/do?action=OpenDoor&UserName={user}&Password={password}&DoorNum=1", true),
            ("/open?{pasword}", false),
            ("/open?{us{user}er}", false),
            ("/open?{", false),
            ("/axis-cgi/io/port.cgi?action=1%3A%2F500%5C", true),
            ("/", true),
            ("", false),
            ("api", false),
            ("//evil.example/", false),
            ("http://evil.example/", false),
            ("/a b", false),
            ("/a\r\nHost: evil.example", false),
            ("/a#b", false),
            ("/å", false),
            (long.as_str(), false),
        ] {
            assert_eq!(RelayPath::new(text).is_some(), fits, "{text}");
        }
    }

    #[test]
    fn an_account_stays_in_its_place() {
        let path = RelayPath::new("/do?UserName={user}&Password={password}&DoorNum=1").unwrap();
        assert!(path.names_account() && !RelayPath::new("/do?DoorNum=1").unwrap().names_account());
        let filled = path.filled("klinke", "a&DoorNum=2#{user} å/%");
        assert_eq!(
            filled.reveal(),
            "/do?UserName=klinke&Password=a%26DoorNum%3D2%23%7Buser%7D%20%C3%A5%2F%25&DoorNum=1"
        );
        assert!(!format!("{filled:?}").contains("DoorNum%3D2"));
        assert_eq!(
            path.filled("{password}", "hush").reveal(),
            "/do?UserName=%7Bpassword%7D&Password=hush&DoorNum=1"
        );
    }

    #[test]
    fn a_certificate_is_32_bytes_in_hexadecimal() {
        let digest = CertificateDigest(std::array::from_fn(|at| at as u8 * 8));
        let text = digest.to_string();
        assert!(text.starts_with("00:08:10:") && text.ends_with(":F8"), "{text}");
        for same in [text.clone(), text.replace(':', ""), text.to_lowercase()] {
            assert_eq!(CertificateDigest::parse(&same), Some(digest), "{same}");
        }
        for wrong in [
            "",
            "00",
            &text[3..],
            &format!("{text}:00"),
            &text.replace("F8", "FG"),
            &text.replace("F8", "+8"),
        ] {
            assert_eq!(CertificateDigest::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_password_stays_where_it_is_as_well_kept() {
        let path = RelayPath::new("/").unwrap();
        let (user, certificate) = (Some("klinke".into()), None);
        let kept = RelayHttp { https: false, certificate, port: 80, path, user, basic: false };
        let better = RelayHttp { https: true, port: 443, ..kept.clone() };
        assert!(kept.is_as_safe(&kept) && kept.is_as_safe(&better));
        assert!(!better.is_as_safe(&kept), "into the clear");
        assert!(!kept.is_as_safe(&RelayHttp { basic: true, ..kept.clone() }), "as it is");
        assert!(!kept.is_as_safe(&RelayHttp { user: Some("root".into()), ..kept.clone() }));
        let taken = RelayHttp { certificate: Some(CertificateDigest([1; 32])), ..better.clone() };
        assert!(kept.is_as_safe(&taken) && taken.is_as_safe(&taken));
        let other = RelayHttp { certificate: Some(CertificateDigest([2; 32])), ..better.clone() };
        assert!(
            !taken.is_as_safe(&other) && !taken.is_as_safe(&better) && !better.is_as_safe(&taken),
            "to somebody else"
        );
    }
}
