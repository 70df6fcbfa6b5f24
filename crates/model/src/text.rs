//! Text that people typed, checked once where it enters.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Longest label, in characters.
pub const LABEL_MAX: usize = 80;

/// A name or a button's text: 1 to [`LABEL_MAX`] characters, NFC, one line, no control or direction-override
/// characters, no white space at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// Why a text is not a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Nothing but white space.
    #[error("the text is empty")]
    Empty,
    /// Over [`LABEL_MAX`] characters.
    #[error("the text is longer than {LABEL_MAX} characters")]
    TooLong,
    /// A control or direction-override character.
    #[error("the text has a control character")]
    Control,
}

impl Label {
    /// Checks a text.
    ///
    /// # Errors
    /// When it is empty, too long, or has a control or direction-override character.
    pub fn new(text: &str) -> Result<Self, LabelError> {
        let text: String = text.trim().nfc().collect();
        if text.is_empty() {
            return Err(LabelError::Empty);
        }
        if text.chars().count() > LABEL_MAX {
            return Err(LabelError::TooLong);
        }
        let overrides = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        if text.chars().any(|c| c.is_control() || overrides(c) || c == '\u{2028}' || c == '\u{2029}') {
            return Err(LabelError::Control);
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;
    fn try_from(text: String) -> Result<Self, LabelError> {
        Self::new(&text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_are_trimmed_composed_and_one_line() {
        assert_eq!(Label::new("  A\u{30a}kesson ").unwrap().as_str(), "Åkesson");
        assert_eq!(Label::new("  "), Err(LabelError::Empty));
        assert_eq!(Label::new("a\nb"), Err(LabelError::Control));
        assert_eq!(Label::new("a\u{202e}b"), Err(LabelError::Control));
        assert_eq!(Label::new(&"å".repeat(81)), Err(LabelError::TooLong));
        assert!(Label::new(&"å".repeat(80)).is_ok());
    }

    proptest! {
        #[test]
        fn a_label_is_a_fixed_point(text in any::<String>()) {
            if let Ok(label) = Label::new(&text) {
                prop_assert_eq!(Label::new(label.as_str()), Ok(label));
            }
        }
    }
}
