//! Which phones a button may ring: as the building decided, at the numbers that are known to be its people's.

use crate::app::phone_limits::countries;
use klinke_calls::plan::PhoneRule;
use klinke_model::contact::Language;
use klinke_model::ids::PersonId;
use klinke_model::phone;
use klinke_sip::dial::Number;
use klinke_storage::record::RingFacts;
use std::collections::HashMap;

/// Who is called, and in which language they are spoken to.
#[derive(Clone, Debug)]
pub struct Callee {
    /// Where.
    pub number: Number,
    /// In which language.
    pub language: Language,
}

/// Whom a tap may ring by phone, and when.
pub struct Reachable {
    /// When they are rung.
    pub when: PhoneRule,
    /// By person.
    pub callees: HashMap<PersonId, Callee>,
}

/// The one place where a tap learns which phones it may ring. Every number is read by the countries once more: what is not
/// allowed today is not called, whenever it was kept.
pub fn phones_of(facts: &RingFacts) -> Option<Reachable> {
    let phones = facts.phones.as_ref()?;
    let when = match phones.when {
        phone::Phones::Off => return None,
        phone::Phones::WithoutDevice => PhoneRule::WithoutDevice,
        phone::Phones::WhenSilent => PhoneRule::WhenSilent,
        phone::Phones::Both => PhoneRule::Both,
    };
    let countries = countries(&phones.limits);
    let callees: HashMap<_, _> = phones
        .numbers
        .iter()
        .filter_map(|one| {
            let number = countries.read(one.number.reveal().as_str()).ok()?;
            Some((one.person, Callee { number, language: one.language }))
        })
        .collect();
    (!callees.is_empty()).then_some(Reachable { when, callees })
}
