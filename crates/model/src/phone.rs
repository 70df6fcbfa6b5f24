//! Ordinary phones: numbers that may be rung, how it is known whose they are, how often, and the trunks that lead there.
//!
//! Invariants: an [`E164`] is a whole number in international form, and never guessed from a national one; a
//! [`CallingCode`] is one that the world uses, so that a list of countries can not let in more than it names. Which numbers
//! of an allowed country cost extra is known where calls are made, in the crate `sip`.

use serde::{Deserialize, Serialize};

/// Why a text is none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number, or not a calling code")]
pub struct PhoneError;

/// A number in international form (E.164): `+`, then 8 to 15 digits of which the first is not 0. That of a person belongs
/// into a [`Pii`](crate::privacy::Pii).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(String);

impl E164 {
    /// Takes a number that is written in no other way than this.
    ///
    /// # Errors
    /// When it is not such a number.
    pub fn new(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError)?;
        let fits = (8..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if fits { Ok(Self(text.to_owned())) } else { Err(PhoneError) }
    }

    /// `+4721600000`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for E164 {
    type Error = PhoneError;
    fn try_from(text: String) -> Result<Self, PhoneError> {
        Self::new(&text)
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0
    }
}

/// The calling code of a country (E.164): 1 to 3 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "u16", into = "u16")]
pub struct CallingCode(u16);

impl CallingCode {
    /// Takes a code that some country has. What begins other codes (`35`) is none, and neither is what belongs to no
    /// country: satellites, and services that are the same everywhere.
    ///
    /// # Errors
    /// When it is not such a code.
    pub fn new(code: u16) -> Result<Self, PhoneError> {
        let known = match code {
            1 | 7 => true,
            // zones in which codes have two digits, but for those that begin longer ones
            20
            | 27
            | 30..=34
            | 36
            | 39..=41
            | 43..=49
            | 51..=58
            | 60..=66
            | 81
            | 82
            | 84
            | 86
            | 90..=95
            | 98 => true,
            211..=269 | 290..=299 | 350..=359 | 370..=389 | 420..=429 | 500..=509 | 590..=599 | 670..=699 => {
                true
            }
            850..=859 | 880 | 886 | 960..=978 | 992..=998 => true,
            _ => false,
        };
        if known { Ok(Self(code)) } else { Err(PhoneError) }
    }

    /// As a number: 47.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for CallingCode {
    type Error = PhoneError;
    fn try_from(code: u16) -> Result<Self, PhoneError> {
        Self::new(code)
    }
}

impl From<CallingCode> for u16 {
    fn from(code: CallingCode) -> Self {
        code.0
    }
}

/// How it is known that a number is a person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// An administrator vouches for it.
    Vouched,
    /// It was called, and whoever answered knew what only the person's own app showed.
    Called,
}

/// When the ordinary phones of a button's people are rung.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phones {
    /// Never.
    Off,
    /// Who has no device that is signed in.
    #[default]
    WithoutDevice,
    /// Also who has one, when none of theirs says that it rings.
    WhenSilent,
    /// Together with the devices.
    Both,
}

/// How a trunk is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrunkWay {
    /// SIP over UDP.
    Udp,
    /// SIP over TCP.
    Tcp,
    /// SIP over TLS.
    Tls,
}

/// How the keys that somebody presses come over a trunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrunkKeys {
    /// As events of their own (RFC 4733), or by SIP INFO.
    #[default]
    Rfc4733,
    /// Also as tones in the sound. Weaker: what sounds like a tone may be none of a key.
    Tones,
}

/// Whether the sound of a trunk's calls is encrypted (SRTP with keys in the description, RFC 4568). The keys are worth what
/// SIP is worth on the way: anything but [`Self::Off`] takes [`TrunkWay::Tls`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrunkEncryption {
    /// In the open.
    #[default]
    Off,
    /// Where the other side can; in the open where it can not.
    Offered,
    /// Encrypted, or no call.
    Required,
}

/// How often may be called, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneLimits {
    /// The countries whose numbers may be called, each once.
    pub countries: Vec<CallingCode>,
    /// Calls to one number within an hour.
    pub number_hour: u16,
    /// Calls of one building within an hour.
    pub building_hour: u16,
    /// Calls of the property manager within 24 hours.
    pub tenant_day: u16,
}

impl Default for PhoneLimits {
    /// Norway, Sweden, Denmark, Finland and Iceland.
    fn default() -> Self {
        let countries = [47, 46, 45, 358, 354].map(CallingCode).to_vec();
        Self { countries, number_hour: 6, building_hour: 60, tenant_day: 500 }
    }
}

impl PhoneLimits {
    /// The most countries that can be allowed.
    pub const COUNTRIES: usize = 20;

    /// The first field that is out of its range: 1 to 60, 600 and 5,000 calls, and 1 to [`Self::COUNTRIES`] countries.
    pub fn wrong(&self) -> Option<&'static str> {
        let once = self.countries.iter().enumerate().all(|(at, code)| {
            let before = self.countries.iter().take(at);
            before.filter(|other| *other == code).count() == 0
        });
        if self.countries.is_empty() || self.countries.len() > Self::COUNTRIES || !once {
            return Some("countries");
        }
        let ranges = [
            ("number_hour", self.number_hour, 60),
            ("building_hour", self.building_hour, 600),
            ("tenant_day", self.tenant_day, 5_000),
        ];
        let wrong = ranges.into_iter().find(|(_, calls, most)| *calls == 0 || calls > most);
        wrong.map(|(field, ..)| field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_one_way() {
        assert_eq!(E164::new("+4721600000").unwrap().as_str(), "+4721600000");
        for wrong in ["4721600000", "+47 21600000", "+0721600000", "+4721600", "+1234567890123456", "", "+"] {
            assert_eq!(E164::new(wrong), Err(PhoneError), "{wrong}");
        }
        assert!(serde_json::from_str::<E164>("\"0047216\"").is_err());
    }

    #[test]
    fn no_code_lets_in_more_than_one_country_and_none_belongs_to_no_country() {
        let known: Vec<u16> = (0..=u16::MAX).filter(|code| CallingCode::new(*code).is_ok()).collect();
        assert!(PhoneLimits::default().countries.iter().all(|code| known.contains(&code.number())));
        let begins = |one: u16, other: u16| other.to_string().starts_with(&one.to_string());
        let prefixes =
            known.iter().filter(|one| known.iter().any(|other| *one != other && begins(**one, *other)));
        assert_eq!(prefixes.collect::<Vec<_>>(), Vec::<&u16>::new());
        for wrong in [0, 2, 3, 4, 35, 37, 42, 80, 800, 808, 870, 878, 881, 882, 883, 888, 979, 991, 1000] {
            assert!(!known.contains(&wrong), "{wrong}");
        }
    }

    #[test]
    fn limits_that_are_none_are_named() {
        let limits = PhoneLimits::default;
        assert_eq!(limits().wrong(), None);
        let twice = [47, 47].map(|code| CallingCode::new(code).unwrap()).to_vec();
        assert_eq!(PhoneLimits { countries: twice, ..limits() }.wrong(), Some("countries"));
        assert_eq!(PhoneLimits { countries: vec![], ..limits() }.wrong(), Some("countries"));
        assert_eq!(PhoneLimits { number_hour: 61, ..limits() }.wrong(), Some("number_hour"));
        assert_eq!(PhoneLimits { building_hour: 0, ..limits() }.wrong(), Some("building_hour"));
        assert_eq!(PhoneLimits { tenant_day: 5_001, ..limits() }.wrong(), Some("tenant_day"));
    }
}
