//! Which phones a button may ring: as the building decided, at the numbers that are known to be its people's.

use klinke_calls::plan::PhoneRule;
use klinke_model::contact::Language;
use klinke_model::ids::{PersonId, TenantId};
use klinke_model::privacy::Pii;
use klinke_sip::dial::{Countries, Number};
use klinke_storage::record::RingFacts;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Which ordinary phones may be rung.
#[derive(Clone, Debug)]
pub struct RingPhones {
    /// When they are.
    pub when: PhoneRule,
    /// The numbers of people.
    pub numbers: Vec<RingNumber>,
    /// Where to.
    pub countries: Countries,
}

/// A number that may be rung.
#[derive(Clone, Debug)]
pub struct RingNumber {
    /// Whose.
    pub person: PersonId,
    /// Where they are rung.
    pub number: Pii<String>,
    /// What they are spoken to in.
    pub language: Language,
}

/// Who is called, and in which language they are spoken to.
#[derive(Clone, Debug)]
pub struct Callee {
    /// Where.
    pub number: Number,
    /// In which language.
    pub language: Language,
}

/// The numbers that are known, by property manager.
#[derive(Default)]
pub struct Known(Mutex<HashMap<TenantId, RingPhones>>);

impl Known {
    /// From now on these.
    pub fn set(&self, tenant: TenantId, phones: RingPhones) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, phones);
    }
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
pub fn phones_of(known: &Known, tenant: TenantId, facts: &RingFacts) -> Option<Reachable> {
    let known = known.0.lock().unwrap_or_else(PoisonError::into_inner);
    let phones = known.get(&tenant)?;
    let is_member = |person| facts.bell.members.iter().any(|member| member.person == person);
    let callees: HashMap<_, _> = phones
        .numbers
        .iter()
        .filter(|one| is_member(one.person))
        .filter_map(|one| {
            let number = phones.countries.read(one.number.reveal()).ok()?;
            Some((one.person, Callee { number, language: one.language }))
        })
        .collect();
    (!callees.is_empty()).then_some(Reachable { when: phones.when, callees })
}
