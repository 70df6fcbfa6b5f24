//! A reader in the car of a lift: one card enables every floor that its holder may go to now, each by its own decision, in
//! one step.
//!
//! - It moves floors only. A door that was put on one of its outputs by mistake stays as it is.
//! - Whoever may go to one floor is let in. The reader shows one answer: green with the first output that says it is enabled,
//!   red when none does. Where uses are kept, each floor that was enabled is one; when none was, the first floor stands for all.

use super::driven::{Asker, Driven};
use super::entry::Refused;
use super::uses::Before;
use super::{Doors, Reports};
use crate::reader::Feedback;
use klinke_model::credential::CredentialKey;
use klinke_model::door::DoorKind;
use klinke_model::time::Mono;
use klinke_wire::controller::Outcome;

/// A card at a reader in a car, until each output has answered.
#[derive(Debug)]
pub(super) struct Ride {
    reader: u16,
    /// Which reading at it.
    number: u32,
    /// How many outputs have not answered.
    waiting: usize,
    is_shown: bool,
}

/// The rides that wait for outputs: one at most at each reader.
#[derive(Debug, Default)]
pub(super) struct Rides {
    last: u32,
    rides: Vec<Ride>,
}

impl Rides {
    /// A reading that so many outputs answer. What was read before at the same reader is shown no more.
    fn begin(&mut self, reader: u16, waiting: usize) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.rides.retain(|ride| ride.reader != reader);
        self.rides.push(Ride { reader, number: self.last, waiting, is_shown: false });
        self.last
    }

    /// An output has answered; what is to be shown at the reader now, if anything.
    pub(super) fn answered(&mut self, reader: u16, number: u32, outcome: Outcome) -> Option<Feedback> {
        let is_this = |ride: &Ride| (ride.reader, ride.number) == (reader, number);
        let ride = self.rides.iter_mut().find(|ride| is_this(ride))?;
        ride.waiting = ride.waiting.saturating_sub(1);
        let is_open = matches!(outcome, Outcome::Opened { .. } | Outcome::Sent);
        let shows = match (is_open, ride.waiting) {
            _ if ride.is_shown => None,
            (true, _) => Some(Feedback::Granted),
            (false, 0) => Some(Feedback::Denied),
            (false, _) => None,
        };
        ride.is_shown |= shows.is_some();
        if ride.waiting == 0 {
            self.rides.retain(|ride| !is_this(ride));
        }
        shows
    }
}

impl Doors {
    /// Enables the floors of a car that this lets somebody go to, or says why none.
    pub(super) fn judge_floors(
        &mut self,
        reader: u16,
        outputs: &[u16],
        key: &CredentialKey,
        now: Mono,
    ) -> Result<(), Refused> {
        let Self { entry, driven, board, reports, .. } = self;
        let is_floor = |driven: &&Driven| driven.kind == DoorKind::Floor && outputs.contains(&driven.output);
        let floors: Vec<_> =
            driven.iter().filter(is_floor).map(|floor| (floor.door, floor.report().state.mode)).collect();
        let states = |door| driven.iter().find(|driven| driven.door == door).map(Driven::secured);
        let (person, let_in) = entry.present_floors(&floors, key, states, now);
        let first = floors.first().map(|(door, _)| *door);
        reports.noticed(entry, first, now);
        let before = |door| person.map(|person| Before { door, person });
        let let_in = let_in.inspect_err(|why| reports.uses.refused(first.and_then(before), *why))?;
        let is_used_up = let_in.iter().any(|(_, one)| one.is_used_up);
        let number = reports.rides.begin(reader, let_in.len());
        for (door, let_in) in let_in {
            if let Some(floor) = driven.iter_mut().find(|driven| driven.door == door) {
                floor.let_in(
                    Asker::Car { reader, number, by: before(door) },
                    let_in.hold,
                    &mut **board,
                    reports,
                    now,
                );
            }
        }
        if is_used_up {
            self.tell_used();
        }
        // they may be the first, with whom the hours begin
        self.keep_hours(now);
        Ok(())
    }
}

impl Reports {
    /// What became of one floor of a ride.
    pub(super) fn floor(&mut self, reader: u16, number: u32, outcome: Outcome) {
        if let Some(feedback) = self.rides.answered(reader, number, outcome) {
            self.lamps.show(reader, feedback);
        }
    }
}
