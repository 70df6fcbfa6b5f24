//! Privacy by type.
//!
//! - [`Pii`] wraps a value that names or reaches a person; it never prints its content, so a log line that
//!   takes it by accident shows `‹redacted›`.
//! - A record of use, [`AccessRecord`], can only be built for a site whose marker is [`MayIdentify`]. That trait
//!   is sealed and [`Commercial`] is its only implementor: residential code can build [`Tally`] and tell of an
//!   [alarm](crate::alarm), which have no field for a person, unit, card, phone or session.

use crate::ids::{BuildingId, DoorId, GuestId, PersonId};
use crate::news::UseOutcome;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// A value that names or reaches a person. Prints redacted; [`Pii::reveal`] is where reading it is decided.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Wraps a personal value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one purpose at hand (a screen of somebody who may see it).
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹redacted›")
    }
}

impl<T> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹redacted›")
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Commercial {}
}

/// Marker of a site whose owner may log use for a stated purpose. Sealed: [`Commercial`] only.
pub trait MayIdentify: sealed::Sealed {}
impl MayIdentify for Commercial {}

/// Marker of a residential site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residential {}

/// Marker of a commercial site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commercial {}

/// A site with its privacy mode in the type.
///
/// A residential site can not make an access record:
/// ```compile_fail
/// use klinke_model::{ids::*, news::UseOutcome, privacy::*, time::Timestamp};
/// fn leak(site: Site<Residential>, door: DoorId, by: UsedBy, at: Timestamp) -> AccessRecord<Residential> {
///     AccessRecord::new(&site, door, by, at, UseOutcome::Opened)
/// }
/// ```
/// A commercial one can:
/// ```
/// use klinke_model::{ids::*, news::UseOutcome, privacy::*, time::Timestamp};
/// fn keep(site: Site<Commercial>, door: DoorId, by: UsedBy, at: Timestamp) -> AccessRecord<Commercial> {
///     AccessRecord::new(&site, door, by, at, UseOutcome::Opened)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site<P> {
    building: BuildingId,
    mode: PhantomData<P>,
}

impl<P> Site<P> {
    /// The building this site is.
    pub const fn building(&self) -> BuildingId {
        self.building
    }
}

/// A site whose mode was read from its building.
#[derive(Debug, Clone, Copy)]
pub enum AnySite {
    /// Nothing may be kept that tells who came or went.
    Residential(Site<Residential>),
    /// The owner may log use.
    Commercial(Site<Commercial>),
}

impl AnySite {
    /// The site of a building. A mixed building counts as residential: the stricter promise holds for all of it.
    pub const fn of(building: BuildingId, kind: crate::site::BuildingKind) -> Self {
        match kind {
            crate::site::BuildingKind::Commercial => Self::Commercial(Site { building, mode: PhantomData }),
            crate::site::BuildingKind::Residential | crate::site::BuildingKind::Mixed => {
                Self::Residential(Site { building, mode: PhantomData })
            }
        }
    }

    /// Whether its owner may log use.
    pub const fn keeps(&self) -> bool {
        matches!(self, Self::Commercial(_))
    }
}

/// Whose a use of a door was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsedBy {
    /// Somebody who lives or works there, or administers it.
    Person(PersonId),
    /// A guest.
    Guest(GuestId),
}

/// Who was before which door when, and whether it opened. Commercial sites only; there is no other constructor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRecord<P: MayIdentify> {
    /// The building.
    pub building: BuildingId,
    /// The door.
    pub door: DoorId,
    /// Who.
    pub by: Pii<UsedBy>,
    /// When.
    pub at: Timestamp,
    /// The clock that said so was not believed.
    pub about: bool,
    /// What came of it.
    pub outcome: UseOutcome,
    mode: PhantomData<P>,
}

impl<P: MayIdentify> AccessRecord<P> {
    /// A record for a site that may identify, by a clock that is believed.
    pub const fn new(site: &Site<P>, door: DoorId, by: UsedBy, at: Timestamp, outcome: UseOutcome) -> Self {
        Self { building: site.building, door, by: Pii::new(by), at, about: false, outcome, mode: PhantomData }
    }

    /// The same by a clock that may not have been believed.
    #[must_use]
    pub fn told(self, trusted: bool) -> Self {
        Self { about: !trusted, ..self }
    }
}

/// A count over a site and a period; has no field for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The building.
    pub building: BuildingId,
    /// Days since 1970, UTC.
    pub day: i64,
    /// How many.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_values_never_print() {
        let name = Pii::new("Kari Haugen".to_owned());
        assert_eq!(format!("{name} {name:?}"), "‹redacted› ‹redacted›");
        assert_eq!(name.reveal(), "Kari Haugen");
    }

    #[test]
    fn a_mixed_building_keeps_the_stricter_promise() {
        let id = BuildingId(crate::ids::v4([1; 16]));
        assert!(matches!(AnySite::of(id, crate::site::BuildingKind::Mixed), AnySite::Residential(_)));
        assert!(matches!(AnySite::of(id, crate::site::BuildingKind::Commercial), AnySite::Commercial(_)));
    }
}
