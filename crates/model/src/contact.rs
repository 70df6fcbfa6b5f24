//! How a person is reached: addresses that people typed, checked once where they enter.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Why a text is not an address of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address of this kind")]
pub struct ContactError;

/// An e-mail address: something before and after one `@`, no white space, no control characters, at most 254 bytes.
/// Whether somebody reads it only a mail can tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// A phone number: an optional `+` and 3 to 15 digits (E.164). Spaces, hyphens, dots and brackets are dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

impl Email {
    /// Checks a text.
    ///
    /// # Errors
    /// When it is not such an address.
    pub fn new(text: &str) -> Result<Self, ContactError> {
        let text: String = text.trim().nfc().collect();
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]".contains(c);
        let (before, after) = text.split_once('@').ok_or(ContactError)?;
        let host = !after.starts_with('.') && !after.ends_with('.') && !after.contains("..");
        if before.is_empty() || after.is_empty() || after.contains('@') || !host {
            return Err(ContactError);
        }
        if text.len() > 254 || before.len() > 64 || text.chars().any(odd) {
            return Err(ContactError);
        }
        Ok(Self(text))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Phone {
    /// Checks a text.
    ///
    /// # Errors
    /// When it is not such a number.
    pub fn new(text: &str) -> Result<Self, ContactError> {
        let mut number = String::new();
        for letter in text.trim().chars() {
            match letter {
                '+' if number.is_empty() => number.push('+'),
                digit if digit.is_ascii_digit() => number.push(digit),
                ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '/' => {}
                _ => return Err(ContactError),
            }
        }
        let digits = number.trim_start_matches('+').len();
        if (3..=15).contains(&digits) { Ok(Self(number)) } else { Err(ContactError) }
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! typed {
    ($($name:ident),+) => {$(
        impl TryFrom<String> for $name {
            type Error = ContactError;
            fn try_from(text: String) -> Result<Self, ContactError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(typed: $name) -> Self {
                typed.0
            }
        }
    )+};
}
typed!(Email, Phone);

/// A language that Klinke writes to people in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Norwegian Bokmål.
    #[default]
    Nb,
    /// Norwegian Nynorsk.
    Nn,
    /// Swedish.
    Sv,
    /// Danish.
    Da,
    /// English.
    En,
}

impl Language {
    /// The one spoken to whoever stands there, where a time zone of the IANA database is kept: nobody knows who it is.
    pub fn of_time_zone(name: &str) -> Self {
        match name {
            "Europe/Oslo" | "Arctic/Longyearbyen" => Self::Nb,
            "Europe/Stockholm" => Self::Sv,
            "Europe/Copenhagen" => Self::Da,
            _ => Self::En,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_tells_the_language() {
        for (zone, language) in [
            ("Europe/Oslo", Language::Nb),
            ("Arctic/Longyearbyen", Language::Nb),
            ("Europe/Stockholm", Language::Sv),
            ("Europe/Copenhagen", Language::Da),
            ("Europe/Berlin", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(Language::of_time_zone(zone), language, "{zone}");
        }
    }

    #[test]
    fn addresses_are_checked_where_they_enter() {
        assert_eq!(
            Email::new(" Kari.Haugen+bolig@example.org ").unwrap().as_str(),
            "Kari.Haugen+bolig@example.org"
        );
        for wrong in
            ["", "kari", "@example.org", "kari@", "a@b@c", "ka ri@example.org", "a@b..c", "a@b\r\nBcc: x"]
        {
            assert_eq!(Email::new(wrong), Err(ContactError), "{wrong}");
        }
        assert_eq!(Email::new(&format!("a@{}", "b".repeat(253))), Err(ContactError));
        assert_eq!(Phone::new("+47 (915) 00-123").unwrap().as_str(), "+4791500123");
        assert_eq!(Phone::new("00 47.91500123").unwrap().as_str(), "004791500123");
        for wrong in ["", "12", "+", "4+7915", "=1+1", "call me", &"1".repeat(16)] {
            assert_eq!(Phone::new(wrong), Err(ContactError), "{wrong}");
        }
    }
}
