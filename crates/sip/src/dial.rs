//! Which numbers may be rung, and how often (trust.md, T14). Every call of this crate goes to a [`Number`], and there is
//! no other way to make one than [`Countries::read`]: what is not an allowed number can't be dialled.
//!
//! Invariants: a `Number` is `+`, then 8 to 15 digits, of an allowed country and of no premium range. Nothing here is
//! stored or logged; counters know numbers only as hashes that the caller makes.

use klinke_model::time::Mono;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::Duration;

/// A number in E.164 that may be rung. `Debug` does not tell it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(String);

impl Number {
    /// `+4721600000`: for the wire and for hashing, never for a log.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number(…)")
    }
}

/// Why a number is not rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barred {
    /// Not a number in international form, or with something in it that numbers do not have.
    NotANumber,
    /// A country (or a service that is none, as satellites) that is not allowed.
    Country,
    /// Costs the caller extra, or is rung to make somebody money.
    Premium,
}

/// The countries whose numbers may be rung, by calling code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countries(Vec<String>);

impl Default for Countries {
    /// Norway, Sweden, Denmark, Finland and Iceland.
    fn default() -> Self {
        Self(["47", "46", "45", "358", "354"].map(str::to_owned).to_vec())
    }
}

/// What is in no country: global services, satellites, and premium rate among them. Never allowed.
const NO_COUNTRY: &[&str] = &["800", "808", "870", "878", "881", "882", "883", "888", "979", "991"];

/// The world's other calling codes that begin with the digits of a shorter one do not exist (E.164 is prefix-free), but
/// a list may hold what is none: a code is one to three digits and begins with 1 to 9.
fn is_code(code: &str) -> bool {
    (1..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit()) && !code.starts_with('0')
}

/// Ranges of extra cost, after the calling code.
const PREMIUM: &[(&str, &[&str])] = &[
    // Norway: 820 and 829 pay services, 810 to 815 shared cost; nothing of eight digits begins with 0 or 1
    ("47", &["82", "810", "811", "812", "813", "814", "815", "0", "1"]),
    // Sweden: 900, 939, 944 pay services, 99 mass calls, 77 shared cost; 118 is not here, it is Norrköping too
    ("46", &["900", "939", "944", "99", "77", "0"]),
    // Denmark: 90 pay services; 1xx are short codes
    ("45", &["90", "1", "0"]),
    // Finland: 600, 606, 700 and 75 pay services, 118 directories
    ("358", &["600", "606", "700", "75", "118", "0"]),
    // Iceland: 90x pay services, 1xx short codes
    ("354", &["90", "1", "0"]),
    // North America: 900 and 976, and the islands that share the code and are rung to make somebody money
    (
        "1",
        &[
            "900", "976", "242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721",
            "758", "767", "784", "809", "829", "849", "868", "869", "876",
        ],
    ),
    ("44", &["9", "87", "84", "70", "118", "0"]),
    ("49", &["900", "137", "180", "118", "0"]),
];

impl Countries {
    /// Countries by calling code (`"47"`); codes of no country and what is no code at all are left out.
    pub fn new<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        let codes = codes.into_iter().filter(|code| is_code(code) && !NO_COUNTRY.contains(code));
        Self(codes.map(str::to_owned).collect())
    }

    /// Reads a number as people write it: `+47 21 60 00 00`, `0047 21600000`, `+46 (8) 123-456 78`.
    ///
    /// # Errors
    /// When it may not be rung. National numbers without a country are not guessed at.
    pub fn read(&self, typed: &str) -> Result<Number, Barred> {
        let digits = international(typed).ok_or(Barred::NotANumber)?;
        if NO_COUNTRY.iter().any(|code| digits.starts_with(code)) {
            return Err(Barred::Country);
        }
        let code = self.0.iter().find(|code| digits.starts_with(code.as_str())).ok_or(Barred::Country)?;
        let rest = digits.get(code.len()..).unwrap_or_default();
        let premium = PREMIUM.iter().find(|(of, _)| of == code).map_or(&[][..], |(_, ranges)| ranges);
        if premium.iter().any(|range| rest.starts_with(range)) {
            return Err(Barred::Premium);
        }
        if rest.len() < shortest(code) {
            return Err(Barred::NotANumber);
        }
        Ok(Number(format!("+{digits}")))
    }
}

/// The digits of the shortest number of a person, after the calling code.
fn shortest(code: &str) -> usize {
    match code {
        "47" | "45" => 8,
        "46" | "354" => 7,
        "358" => 5,
        _ => 6,
    }
}

/// The digits after `+` or `00`, at most 15 and at least 8; `None` for all else.
fn international(typed: &str) -> Option<String> {
    let typed = typed.trim();
    // room for separators, not for a letter
    if typed.len() > 40 {
        return None;
    }
    let rest = typed.strip_prefix('+').or_else(|| typed.strip_prefix("00"))?;
    let mut digits = String::with_capacity(16);
    for letter in rest.chars() {
        match letter {
            '0'..='9' => digits.push(letter),
            ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '/' => {}
            _ => return None,
        }
    }
    // no calling code begins with 0: what remains of `+00…` and `0000…` is a trick or a slip
    ((8..=15).contains(&digits.len()) && !digits.starts_with('0')).then_some(digits)
}

/// How often may be rung. Kept in memory only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One number within an hour.
    pub number_hour: usize,
    /// All numbers of one building within an hour.
    pub building_hour: usize,
    /// All numbers of all buildings within 24 hours.
    pub day: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { number_hour: 6, building_hour: 60, day: 500 }
    }
}

/// Which limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capped {
    /// This number was rung often enough within the hour.
    Number,
    /// This building rang often enough within the hour.
    BuildingHour,
    /// All buildings together rang often enough within the day.
    Day,
}

/// A number as a keyed hash; whoever counts does not know it.
pub type NumberHash = [u8; 32];

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Counts the calls of the last hour and day, in windows that slide. `B` is what buildings are told apart by.
#[derive(Debug)]
pub struct Caps<B> {
    limits: Limits,
    numbers: HashMap<NumberHash, VecDeque<Mono>>,
    buildings: HashMap<B, VecDeque<Mono>>,
    all: VecDeque<Mono>,
    swept: Mono,
}

impl<B: Eq + std::hash::Hash> Caps<B> {
    /// Nothing rung yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            numbers: HashMap::new(),
            buildings: HashMap::new(),
            all: VecDeque::new(),
            swept: Mono::default(),
        }
    }

    /// From now on these limits; what was rung counts on.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Whether this number may be rung now; if so it counts as rung. What is refused does not count: somebody who presses
    /// on and on does not put off the end of the wait.
    ///
    /// # Errors
    /// With the limit that is reached.
    pub fn may(&mut self, number: NumberHash, building: B, now: Mono) -> Result<(), Capped> {
        if now.since(self.swept) >= HOUR {
            self.sweep(now);
        }
        let of_number = self.numbers.entry(number).or_default();
        let of_building = self.buildings.entry(building).or_default();
        forget(of_number, now, HOUR);
        forget(of_building, now, HOUR);
        forget(&mut self.all, now, DAY);
        if of_number.len() >= self.limits.number_hour {
            return Err(Capped::Number);
        }
        if of_building.len() >= self.limits.building_hour {
            return Err(Capped::BuildingHour);
        }
        if self.all.len() >= self.limits.day {
            return Err(Capped::Day);
        }
        of_number.push_back(now);
        of_building.push_back(now);
        self.all.push_back(now);
        Ok(())
    }

    /// Forgets whom nobody rang lately, so that memory does not grow with every number that was ever rung.
    fn sweep(&mut self, now: Mono) {
        self.swept = now;
        self.numbers.retain(|_, rung| {
            forget(rung, now, HOUR);
            !rung.is_empty()
        });
        self.buildings.retain(|_, rung| {
            forget(rung, now, HOUR);
            !rung.is_empty()
        });
    }
}

fn forget(rung: &mut VecDeque<Mono>, now: Mono, window: Duration) {
    while rung.front().is_some_and(|at| now.since(*at) >= window) {
        rung.pop_front();
    }
}

#[cfg(test)]
#[path = "dial/tests.rs"]
mod tests;
