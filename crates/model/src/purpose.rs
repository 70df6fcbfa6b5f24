//! What personal data is kept or read for, in the words of whoever decides it.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// How many characters a purpose has.
pub const PURPOSE: std::ops::RangeInclusive<usize> = 10..=500;

/// A purpose: [`PURPOSE`] characters, NFC, one line, no control characters, no white space at either end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Purpose(String);

/// Why a text is no purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PurposeError {
    /// Under [`PURPOSE`]: too short to say anything.
    #[error("the purpose is too short")]
    TooShort,
    /// Over [`PURPOSE`].
    #[error("the purpose is too long")]
    TooLong,
    /// A control or direction-override character.
    #[error("the purpose has a control character")]
    Control,
}

impl Purpose {
    /// Checks a text. Lines that were broken are joined.
    ///
    /// # Errors
    /// When it is too short or too long, or has a control or direction-override character.
    pub fn new(text: &str) -> Result<Self, PurposeError> {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let text: String = lines.join(" ").nfc().collect();
        let length = text.chars().count();
        if length < *PURPOSE.start() {
            return Err(PurposeError::TooShort);
        }
        if length > *PURPOSE.end() {
            return Err(PurposeError::TooLong);
        }
        let is_control = |c: char| {
            c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
        };
        if text.chars().any(is_control) { Err(PurposeError::Control) } else { Ok(Self(text)) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Purpose {
    type Error = PurposeError;
    fn try_from(text: String) -> Result<Self, PurposeError> {
        Self::new(&text)
    }
}

impl From<Purpose> for String {
    fn from(purpose: Purpose) -> Self {
        purpose.0
    }
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_says_something_in_one_line() {
        let said = Purpose::new("  Thefts from\r\n\n the store room ").unwrap();
        assert_eq!(said.as_str(), "Thefts from the store room");
        assert_eq!(Purpose::new("Security"), Err(PurposeError::TooShort));
        assert_eq!(Purpose::new("          "), Err(PurposeError::TooShort));
        assert!(Purpose::new(&"å".repeat(500)).is_ok());
        assert_eq!(Purpose::new(&"å".repeat(501)), Err(PurposeError::TooLong));
        assert_eq!(Purpose::new("Thefts\u{202e} from"), Err(PurposeError::Control));
        assert_eq!(Purpose::new("Thefts\t from us"), Err(PurposeError::Control));
    }
}
