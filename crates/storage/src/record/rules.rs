//! Access rules, as they are read, and the rights that somebody has to a door.

use klinke_access::decide::SiteMode;
use klinke_model::door::Door;
use klinke_model::ids::{PersonId, RuleId, UnitId};
use klinke_model::privacy::Pii;
use klinke_model::rule::{AccessRule, DoorGroup, PeopleGroup};
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;

/// A rule with what to call those whom it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRule {
    /// The rule.
    pub rule: AccessRule,
    /// The units that it names, in the order of their numbers.
    pub units: Vec<(UnitId, Label)>,
    /// The people that it names, by name.
    pub people: Vec<RulePerson>,
    /// The groups of people that it names, by name.
    pub people_groups: Vec<PeopleGroup>,
    /// The groups of doors that it names, by name.
    pub door_groups: Vec<DoorGroup>,
}

/// A group of people with what to call them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedGroup {
    /// The group.
    pub group: PeopleGroup,
    /// Who is in it, by name.
    pub people: Vec<RulePerson>,
}

/// By which groups a rule gives somebody a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleThrough {
    /// Which rule.
    pub rule: RuleId,
    /// What its groups are called that they are in, and those that the door is in.
    pub groups: Vec<Label>,
}

/// Somebody whom a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePerson {
    /// Who.
    pub person: PersonId,
    /// What they are called; none for who goes without a name, and for who lives where the asker does not see people.
    pub name: Option<Pii<Label>>,
    /// The asker sees people where they live.
    pub shown: bool,
}

/// What became of writing a rule anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleMade {
    /// It is there.
    Done,
    /// The building is not there, or the principal may not.
    NotThere,
    /// Somebody or something that it names is not there, or not to be seen by the principal.
    Unknown,
}

/// What is stored about one person before one door: the facts that a decision is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFacts {
    /// The door.
    pub door: Door,
    /// The person is not suspended.
    pub person_active: bool,
    /// The person needs more time at doors.
    pub needs_longer: bool,
    /// Every right of theirs to this door, whether it holds now or not.
    pub rights: Vec<StoredRight>,
    /// The person administers the door's building.
    pub administers_building: bool,
    /// How the building's doors behave as a whole.
    pub site_mode: SiteMode,
    /// Where the building stands: IANA time zone.
    pub time_zone: String,
    /// Whose public holidays count there.
    pub holidays: HolidayCalendar,
}

/// One way in which somebody has a right to a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRight {
    /// Where it comes from.
    pub by: RightBy,
    /// The hours in which it holds, with their name; at any time without.
    pub schedule: Option<(Label, Schedule)>,
    /// The first moment at which it holds.
    pub from: Option<Timestamp>,
    /// The first moment at which it does not hold any more.
    pub until: Option<Timestamp>,
}

/// Where a right comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RightBy {
    /// They live in a unit whose door set holds the door.
    Home,
    /// A rule allows them.
    Rule {
        /// Which.
        rule: RuleId,
        /// Its name.
        name: Label,
    },
}
