//! Ordinary telephones in a call: who waits for silence, and what the panel is told of it.

use super::messages::Output;
use super::party::{Opening, Party, Stage};
use super::{Call, Phase};
use crate::plan::Leg;
use klinke_model::ids::PersonId;
use klinke_model::time::Mono;

impl Call {
    /// A device that is rung has said something: its person's telephone is not needed.
    pub(super) fn hear(&mut self, leg: Leg) {
        if !leg.is_phone()
            && self.is_offered(leg)
            && let Some(party) = self.party_mut(leg)
        {
            party.heard = true;
        }
    }

    /// Rings the telephones whose people's devices are silent, and lets go of those that are not needed. `since` is when
    /// their step began.
    pub(super) fn end_holding(&mut self, since: Mono) {
        let is_over = self.now >= since + self.limits.silent;
        let of = |person: PersonId| move |party: &&Party| party.person == person && !party.leg.is_phone();
        let after = |party: &Party| {
            if party.stage != Stage::Held {
                return None;
            }
            let mut devices = self.parties.iter().filter(of(party.person));
            let mut silent = self.parties.iter().filter(of(party.person));
            if devices.any(|device| device.heard) {
                Some(Stage::Spared)
            } else if is_over || !silent.any(|device| matches!(device.stage, Stage::Ringing { .. })) {
                Some(Stage::Ringing { offered: true })
            } else {
                None
            }
        };
        let changes: Vec<Option<Stage>> = self.parties.iter().map(after).collect();
        for (party, stage) in self.parties.iter_mut().zip(changes) {
            let Some(stage) = stage else { continue };
            party.stage = stage;
            self.outputs.extend((stage != Stage::Spared).then_some(Output::Offer(party.leg)));
        }
    }

    /// Tells the panel when a telephone has begun or ceased to ring, if it was not told so with something else.
    pub(super) fn tell_of_phone(&mut self) {
        if matches!(self.phase, Phase::Ringing { .. }) && self.told_phone != self.rings_phone() {
            self.tell_panel();
        }
    }

    pub(super) fn rings_phone(&self) -> bool {
        let rings = |party: &Party| party.leg.is_phone() && matches!(party.stage, Stage::Ringing { .. });
        self.parties.iter().any(rings)
    }

    /// A telephone is opening a door or has done so.
    pub(super) fn phone_has_opened(&self) -> bool {
        let under_way = |opening: &Opening| opening.until.is_some_and(|until| until > self.now);
        let mut of_phones = self.openings.iter().filter(|opening| opening.leg.is_phone());
        of_phones.any(|opening| opening.came_true || under_way(opening))
    }
}
