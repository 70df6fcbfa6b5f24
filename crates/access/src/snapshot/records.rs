//! Whether the uses of the doors are kept: only in a commercial building whose owner wants it, and for so many days.
//!
//! ```text
//!   Site<Commercial> ──▶ Plan.records ── build, sign ──▶ Manifest.records_days ── compile ──▶ KeepsRecords, of those rights alone
//! ```
//!
//! The server can not say it of a residential building, and the controller can not note a use without having been told.

use klinke_model::privacy::{Commercial, Site};
use std::marker::PhantomData;
use std::ops::RangeInclusive;

/// That the uses of a building's doors are kept.
///
/// Not those of a residential one:
/// ```compile_fail
/// use klinke_access::snapshot::Records;
/// use klinke_model::privacy::{Residential, Site};
/// fn keep(site: Site<Residential>) -> Records {
///     Records { site, days: 14 }
/// }
/// ```
/// Those of a commercial one:
/// ```
/// use klinke_access::snapshot::Records;
/// use klinke_model::privacy::{Commercial, Site};
/// fn keep(site: Site<Commercial>) -> Records {
///     Records { site, days: 14 }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Records {
    /// Which building.
    pub site: Site<Commercial>,
    /// For how many days, within [`Records::DAYS`].
    pub days: u8,
}

impl Records {
    /// For how many days uses may be kept.
    pub const DAYS: RangeInclusive<u8> = 1..=90;
}

/// Proof that the rights in force keep records of use. It lives as long as they do; [`super::compile`] of a manifest that says so
/// is its only maker.
///
/// ```compile_fail
/// let keeps = klinke_access::snapshot::KeepsRecords { days: 14, rights: std::marker::PhantomData };
/// ```
#[derive(Clone, Copy, Debug)]
pub struct KeepsRecords<'r> {
    days: u8,
    rights: PhantomData<&'r super::Rights>,
}

impl KeepsRecords<'_> {
    /// For how many days.
    pub const fn days(self) -> u8 {
        self.days
    }
}

impl super::Rights {
    /// Whether they keep records of use.
    pub fn keeps_records(&self) -> Option<KeepsRecords<'_>> {
        self.records_days().map(|days| KeepsRecords { days, rights: PhantomData })
    }
}
