//! What is wrong now: told to the journal when it begins and when it ends, and not again in between.
//!
//! - It is told how things *are* (on or off) as often as somebody likes; only a change becomes an entry. So what stood when the
//!   process before ended goes on standing, and ends when it is known to be over, whoever saw it begin.
//! - Something that begins for the third time within [`FLAPS_WITHIN`] is gathered: its end is noted only once it was quiet for
//!   [`QUIET`]. What only happens is noted three times in that time, and then not again. Duress is always noted.
//! - No person, card or unit: see [`klinke_model::alarm`].

use crate::journal::Journal;
use klinke_access::clock::DoorClock;
use klinke_access::standing::ClockTrust;
use klinke_model::alarm::AlarmKind;
use klinke_model::ids::DoorId;
use klinke_model::news::Raised;
use klinke_model::time::{Mono, Timestamp};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// Three beginnings within this are flapping.
pub const FLAPS_WITHIN: Duration = Duration::from_secs(600);

/// What flaps has ended when it was quiet for this long.
pub const QUIET: Duration = Duration::from_secs(300);

/// A clock that is not believed is an alarm after this: at a start the server tells the time within moments.
pub const CLOCK_GRACE: Duration = Duration::from_secs(60);

const FLAPS: usize = 3;

/// What is wrong now.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    journal: Journal,
    clock: Option<DoorClock>,
    standing: BTreeMap<About, Standing>,
    /// When it last began or happened, oldest first.
    recent: HashMap<About, VecDeque<Mono>>,
    /// When the clock is looked at.
    clock_due: Option<Mono>,
}

/// Which alarm: a part of the controller when it has one, else a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct About {
    kind: AlarmKind,
    part: Option<u16>,
    door: Option<DoorId>,
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    seq: u64,
    door: Option<DoorId>,
    /// It has ended, and is noted as ended at this moment when it does not begin again.
    ends: Option<(Mono, Timestamp, bool)>,
}

impl About {
    const fn of(alarm: Raised) -> Self {
        let door = if alarm.part.is_some() { None } else { alarm.door };
        Self { kind: alarm.kind, part: alarm.part, door }
    }
}

impl Alarms {
    /// With a journal, and what stood when the process before ended.
    pub(super) fn with(journal: Journal, clock: DoorClock, now: Mono) -> Self {
        let standing = journal
            .standing()
            .into_iter()
            .map(|(seq, alarm)| (About::of(alarm), Standing { seq, door: alarm.door, ends: None }));
        Self {
            standing: standing.collect(),
            journal,
            clock: Some(clock),
            recent: HashMap::new(),
            clock_due: Some(now + CLOCK_GRACE),
        }
    }

    /// The clock was set.
    pub(super) fn set_clock(&mut self, clock: DoorClock, now: Mono) {
        self.clock = Some(clock);
        self.look_at_clock(now);
    }

    fn look_at_clock(&mut self, now: Mono) {
        let is_believed = self.clock.is_none_or(|clock| clock.trust() == ClockTrust::Trusted);
        if is_believed || self.clock_due.is_some_and(|due| due <= now) {
            self.clock_due = None;
            self.set(Raised { kind: AlarmKind::Clock, door: None, part: None }, !is_believed, now);
        }
    }

    /// Something lasting is wrong, or is not.
    pub(super) fn set(&mut self, alarm: Raised, is_on: bool, now: Mono) {
        let about = About::of(alarm);
        let (at, trusted) = self.wall(now);
        match (is_on, self.standing.get_mut(&about)) {
            (true, Some(standing)) => standing.ends = None,
            (true, None) => {
                self.began(about, now);
                let seq = self.journal.raise(alarm, at, trusted);
                self.standing.insert(about, Standing { seq, door: alarm.door, ends: None });
            }
            (false, Some(Standing { ends: Some(_), .. }) | None) => {}
            (false, Some(standing)) => {
                let flaps = self.recent.get(&about).is_some_and(|recent| flaps(recent, now));
                if flaps {
                    standing.ends = Some((now + QUIET, at, trusted));
                } else {
                    let seq = standing.seq;
                    self.standing.remove(&about);
                    self.journal.end(seq, at, trusted);
                }
            }
        }
    }

    /// Something happened that does not last.
    pub(super) fn happened(&mut self, alarm: Raised, now: Mono) {
        let about = About::of(alarm);
        if alarm.kind != AlarmKind::Duress && self.recent.get(&about).is_some_and(|recent| flaps(recent, now))
        {
            return;
        }
        self.began(about, now);
        let (at, trusted) = self.wall(now);
        self.journal.raise(alarm, at, trusted);
    }

    /// Doors that are not driven here any more have no alarms.
    pub(super) fn keep_doors(&mut self, is_driven: impl Fn(DoorId) -> bool, now: Mono) {
        let (at, trusted) = self.wall(now);
        let Self { standing, journal, .. } = self;
        standing.retain(|about, standing| {
            let is_of_doors = about.part.is_none() || about.kind == AlarmKind::OutputFault;
            let stays = !is_of_doors || standing.door.is_none_or(&is_driven);
            if !stays {
                journal.end(standing.seq, at, trusted);
            }
            stays
        });
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Mono) {
        let Self { standing, journal, .. } = self;
        standing.retain(|_, standing| match standing.ends {
            Some((due, at, trusted)) if due <= now => {
                journal.end(standing.seq, at, trusted);
                false
            }
            _ => true,
        });
        if self.clock_due.is_some_and(|due| due <= now) {
            self.look_at_clock(now);
        }
    }

    /// When to call [`Alarms::tick`].
    pub(super) fn wakes_at(&self) -> Option<Mono> {
        let ends = self.standing.values().filter_map(|standing| Some(standing.ends?.0));
        ends.chain(self.clock_due).min()
    }

    fn began(&mut self, about: About, now: Mono) {
        let recent = self.recent.entry(about).or_default();
        if recent.len() >= FLAPS {
            recent.pop_front();
        }
        recent.push_back(now);
    }

    fn wall(&self, now: Mono) -> (Timestamp, bool) {
        let unknown = (Timestamp::from_millis(0), false);
        self.clock.map_or(unknown, |clock| (clock.now(now), clock.trust() == ClockTrust::Trusted))
    }
}

fn flaps(recent: &VecDeque<Mono>, now: Mono) -> bool {
    recent.len() >= FLAPS && recent.front().is_some_and(|first| now.since(*first) < FLAPS_WITHIN)
}
