//! A door that a door station of another maker opens by a relay of its own: how it is told to.
//!
//! Weaker than a controller: the relay hangs on the outside of the wall, and nobody reports that the lock moved. So such a
//! door has nothing that takes a controller, and a door has one of the two, never both.
//!
//! Invariants: what is told is told to the station itself, at the address from which it is registered, so there is no host in
//! here that somebody could type. [`RelayKeys`] open the door for whoever types them at some stations; they print as
//! `‹redacted›`.

use crate::privacy::Pii;

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
/// (RFC 3986, sections 3.3 and 3.4).
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
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>'));
        fits.then(|| Self(text.to_owned()))
    }

    /// Such as `/api/switch/ctrl?switch=1&action=trigger`.
    pub fn as_str(&self) -> &str {
        &self.0
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
    /// Over TLS, with a certificate that this machine trusts.
    pub https: bool,
    /// Of its web server.
    pub port: u16,
    /// What is asked for.
    pub path: RelayPath,
    /// The name to sign in with, where it asks.
    pub user: Option<String>,
    /// The password may go in the clear, where it asks for that (Basic, RFC 7617).
    pub basic: bool,
}

impl RelayHttp {
    /// Whether a password that was typed for `self` may be used for `other`: it goes to the same place and no less well kept.
    pub fn is_as_safe(&self, other: &Self) -> bool {
        self.user == other.user && self.https <= other.https && self.basic >= other.basic
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
    fn a_password_stays_where_it_is_as_well_kept() {
        let path = RelayPath::new("/").unwrap();
        let kept = RelayHttp { https: false, port: 80, path, user: Some("klinke".into()), basic: false };
        let better = RelayHttp { https: true, port: 443, ..kept.clone() };
        assert!(kept.is_as_safe(&kept) && kept.is_as_safe(&better));
        assert!(!better.is_as_safe(&kept), "into the clear");
        assert!(!kept.is_as_safe(&RelayHttp { basic: true, ..kept.clone() }), "as it is");
        assert!(!kept.is_as_safe(&RelayHttp { user: Some("root".into()), ..kept.clone() }));
    }
}
