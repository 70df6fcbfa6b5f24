//! Rules between calls, for the server to hold in one mutex: never across an await.
//!
//! Invariants
//! - A panel has at most one live call. A second tap is that call when it repeats the request or the name, else
//!   busy; a repeated request whose call is over is answered with that end, it does not ring again.
//! - A leg has answered at most one call. Who answers a second one hangs up the first.
//! - A leg may be rung by any number of calls (a resident at whose two panels somebody stands).
//! - An ended call is nowhere but as the last one of its panel, and no late output brings it back.
//!
//! ```text
//! tap ──▶ New ──▶ expect(legs) ──▶ follow(every output) ──▶ end
//!           │                         │
//!           │                         └─ Some(first): send `first` a LegHungUp
//!           └─ no plan (storage failed): end
//! ```

use crate::call::Output;
use crate::plan::Leg;
use klinke_model::ids::{BellId, CallId, PanelId, PersonId, RequestId};
use klinke_model::intercom::EndReason;
use std::collections::{BTreeMap, HashMap};

/// A visitor taps a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Where.
    pub panel: PanelId,
    /// The panel's own id for it.
    pub request: RequestId,
    /// Which button.
    pub bell: BellId,
    /// Which member of a family button.
    pub chosen: Option<PersonId>,
}

/// What a tap means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tapped {
    /// A new call, under the id that was given. The panel's line is taken from now on.
    New,
    /// It is this call, which lives: the same request again, or the same name tapped again.
    Same(CallId),
    /// The same request again, and its call is over.
    Over(CallId, EndReason),
    /// The panel is in another call.
    Busy,
}

/// How a leg stands in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its turn has not come.
    Planned,
    /// It is rung.
    Ringing,
    /// It has answered and holds the call.
    Answered,
}

/// All live calls of a server, and the last one of every panel.
#[derive(Debug, Default)]
pub struct Lines {
    panels: HashMap<PanelId, Latest>,
    calls: BTreeMap<CallId, Line>,
    /// What [`Line::legs`] stand for; without the legs that a call has cancelled.
    legs: HashMap<Leg, BTreeMap<CallId, Standing>>,
}

/// The latest call of a panel.
#[derive(Debug)]
struct Latest {
    tap: Tap,
    call: CallId,
    /// `None` while it lives.
    over: Option<EndReason>,
}

#[derive(Debug)]
struct Line {
    panel: PanelId,
    legs: Vec<Leg>,
}

impl Lines {
    /// A tap: takes the panel's line for `call` when it is free. Follow with [`Lines::expect`] when the plan is
    /// made, or with [`Lines::end`] when none can be made.
    pub fn tap(&mut self, tap: Tap, call: CallId) -> Tapped {
        if let Some(latest) = self.panels.get_mut(&tap.panel) {
            let repeated = latest.tap.request == tap.request;
            let same_name = (latest.tap.bell, latest.tap.chosen) == (tap.bell, tap.chosen);
            match latest.over {
                None if repeated => return Tapped::Same(latest.call),
                None if same_name => {
                    latest.tap = tap;
                    return Tapped::Same(latest.call);
                }
                None => return Tapped::Busy,
                Some(reason) if repeated => return Tapped::Over(latest.call, reason),
                Some(_) => {}
            }
        }
        self.panels.insert(tap.panel, Latest { tap, call, over: None });
        self.calls.insert(call, Line { panel: tap.panel, legs: Vec::new() });
        Tapped::New
    }

    /// The legs that a call may ring (`RingPlan::legs`).
    pub fn expect(&mut self, call: CallId, legs: impl IntoIterator<Item = Leg>) {
        let Some(line) = self.calls.get_mut(&call) else { return };
        for leg in legs {
            line.legs.push(leg);
            self.legs.entry(leg).or_default().insert(call, Standing::Planned);
        }
    }

    /// Keeps step with a call: give it every output of the call, in order. `Some(first)`: this leg has answered
    /// while it held the call `first`; send that call [`crate::call::Input::LegHungUp`] for this leg.
    #[must_use = "the earlier call at this device has to be hung up"]
    pub fn follow(&mut self, call: CallId, output: &Output) -> Option<CallId> {
        match *output {
            Output::Offer(leg) => self.stand(call, leg, Standing::Ringing),
            Output::Bridge(leg) => return self.answer(call, leg),
            Output::Cancel(leg, _) => self.leave(call, leg),
            Output::Ended(reason) => self.end(call, reason),
            _ => {}
        }
        None
    }

    /// A call is over, also when it never began or its driver failed; idempotent. `follow` does it for
    /// [`Output::Ended`].
    pub fn end(&mut self, call: CallId, reason: EndReason) {
        let Some(line) = self.calls.remove(&call) else { return };
        for leg in line.legs {
            self.leave(call, leg);
        }
        if let Some(latest) = self.panels.get_mut(&line.panel) {
            latest.over = Some(reason);
        }
    }

    /// The live call of a panel.
    pub fn at_panel(&self, panel: PanelId) -> Option<CallId> {
        self.panels.get(&panel).filter(|latest| latest.over.is_none()).map(|latest| latest.call)
    }

    /// The live calls that ring, will ring or are held at a leg: whom to tell that it is away, back or gone.
    pub fn at_leg(&self, leg: Leg) -> Vec<(CallId, Standing)> {
        self.legs.get(&leg).into_iter().flatten().map(|(call, standing)| (*call, *standing)).collect()
    }

    /// The panel of a live call.
    pub fn panel_of(&self, call: CallId) -> Option<PanelId> {
        self.calls.get(&call).map(|line| line.panel)
    }

    /// The legs that a live call rings, will ring or is held at, in the order of its plan.
    pub fn legs_of(&self, call: CallId) -> Vec<(Leg, Standing)> {
        let legs = self.calls.get(&call).into_iter().flat_map(|line| &line.legs);
        legs.filter_map(|leg| Some((*leg, *self.legs.get(leg)?.get(&call)?))).collect()
    }

    /// All live calls.
    pub fn calls(&self) -> impl Iterator<Item = CallId> + '_ {
        self.calls.keys().copied()
    }

    fn stand(&mut self, call: CallId, leg: Leg, new: Standing) {
        if let Some(standing) = self.legs.get_mut(&leg).and_then(|calls| calls.get_mut(&call)) {
            *standing = new;
        }
    }

    fn answer(&mut self, call: CallId, leg: Leg) -> Option<CallId> {
        let calls = self.legs.get_mut(&leg).filter(|calls| calls.contains_key(&call))?;
        let first =
            calls.iter().find(|(other, standing)| **other != call && **standing == Standing::Answered);
        let first = first.map(|(first, _)| *first);
        calls.insert(call, Standing::Answered);
        if let Some(first) = first {
            calls.remove(&first);
        }
        first
    }

    fn leave(&mut self, call: CallId, leg: Leg) {
        if let Some(calls) = self.legs.get_mut(&leg) {
            calls.remove(&call);
            if calls.is_empty() {
                self.legs.remove(&leg);
            }
        }
    }
}

#[cfg(test)]
mod tests;
