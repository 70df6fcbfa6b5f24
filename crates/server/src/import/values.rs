//! Cells into values, and what is wrong with them.

use super::check::CellCode;
use klinke_model::text::{Label, LabelError};
use unicode_normalization::UnicodeNormalization;

pub fn name(text: &str) -> Result<String, CellCode> {
    // a list that is opened in a spreadsheet again must not run what a name says
    if text.starts_with(['=', '@']) {
        return Err(CellCode::Formula);
    }
    match Label::new(text) {
        Ok(label) => Ok(label.into()),
        Err(LabelError::Empty) => Err(CellCode::Empty),
        Err(LabelError::TooLong) => Err(CellCode::TooLong),
        Err(LabelError::Control) => Err(CellCode::Control),
    }
}

pub fn email(text: &str) -> Result<String, CellCode> {
    let text: String = text.nfc().collect();
    let whole = text.chars().count() <= 254 && text.parse::<lettre::Address>().is_ok();
    // no host without a dot: it would be this machine's own
    let host = text.rsplit_once('@').is_some_and(|(_, host)| host.contains('.'));
    if whole && host && !text.starts_with(['=', '+', '-', '@']) { Ok(text) } else { Err(CellCode::NotAnAddress) }
}

pub fn phone(text: &str) -> Result<String, CellCode> {
    let plain: String = text.chars().filter(|c| !" -()./\u{a0}".contains(*c)).collect();
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    let fits = (3..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit());
    if fits { Ok(plain) } else { Err(CellCode::NotANumber) }
}

pub fn owner(text: &str) -> Result<bool, CellCode> {
    match text.to_lowercase().as_str() {
        "1" | "x" | "ja" | "j" | "yes" | "y" | "true" | "sann" | "sant" | "eier" | "eigar" | "ägare" | "ejer" | "owner" => Ok(true),
        "0" | "" | "-" | "nei" | "nej" | "n" | "no" | "false" | "usann" | "falskt" => Ok(false),
        _ => Err(CellCode::NotYesOrNo),
    }
}

pub fn language(text: &str) -> Result<&'static str, CellCode> {
    match text.to_lowercase().as_str() {
        "nb" | "no" | "norsk" | "bokmål" | "norwegian" | "norska" => Ok("nb"),
        "nn" | "nynorsk" => Ok("nn"),
        "sv" | "se" | "svensk" | "svenska" | "swedish" => Ok("sv"),
        "da" | "dk" | "dansk" | "danska" | "danish" => Ok("da"),
        "en" | "engelsk" | "engelska" | "english" => Ok("en"),
        _ => Err(CellCode::UnknownLanguage),
    }
}

/// What two texts are compared by: case, white space and how accents are written do not matter.
pub fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase().nfc().collect()
}
