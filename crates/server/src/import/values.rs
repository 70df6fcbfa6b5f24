//! Cells into values, and what is wrong with them.

use super::check::CellCode;
use klinke_model::contact::{Email, Language, Phone};
use klinke_model::text::{Label, LabelError};
use unicode_normalization::UnicodeNormalization;

pub fn name(text: &str) -> Result<Label, CellCode> {
    // a list that is opened in a spreadsheet again must not run what a name says
    if text.starts_with(['=', '@', '+', '-']) {
        return Err(CellCode::Formula);
    }
    Label::new(text).map_err(|error| match error {
        LabelError::Empty => CellCode::Empty,
        LabelError::TooLong => CellCode::TooLong,
        LabelError::Control => CellCode::Control,
    })
}

pub fn email(text: &str) -> Result<Email, CellCode> {
    if text.starts_with(['=', '@', '+', '-']) {
        return Err(CellCode::Formula);
    }
    Email::new(text).map_err(|_| CellCode::NotAnAddress)
}

pub fn phone(text: &str) -> Result<Phone, CellCode> {
    Phone::new(text).map_err(|_| CellCode::NotANumber)
}

pub fn owner(text: &str) -> Result<bool, CellCode> {
    match text.to_lowercase().as_str() {
        "1" | "x" | "ja" | "j" | "yes" | "y" | "true" | "sann" | "sant" | "eier" | "eigar" | "ägare"
        | "ejer" | "owner" => Ok(true),
        "0" | "" | "-" | "nei" | "nej" | "n" | "no" | "false" | "usann" | "falskt" => Ok(false),
        _ => Err(CellCode::NotYesOrNo),
    }
}

pub fn language(text: &str) -> Result<Language, CellCode> {
    match text.to_lowercase().as_str() {
        "nb" | "no" | "norsk" | "bokmål" | "norwegian" | "norska" => Ok(Language::Nb),
        "nn" | "nynorsk" => Ok(Language::Nn),
        "sv" | "se" | "svensk" | "svenska" | "swedish" => Ok(Language::Sv),
        "da" | "dk" | "dansk" | "danska" | "danish" => Ok(Language::Da),
        "en" | "engelsk" | "engelska" | "english" => Ok(Language::En),
        _ => Err(CellCode::UnknownLanguage),
    }
}

/// What two texts are compared by: case, white space and how accents are written do not matter.
pub fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase().nfc().collect()
}
