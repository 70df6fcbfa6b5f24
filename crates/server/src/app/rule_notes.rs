//! What an administrator may want to look at in the rules of a building: those that open nothing, and those that others make
//! pointless. Notes only; no rule is refused for them.

use klinke_access::schedule::of_day;
use klinke_model::ids::{DoorId, PersonId};
use klinke_model::rule::{AccessRule, NamedSchedule, Which, Who};
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_storage::record::{NamedRule, Part};
use serde::Serialize;
use utoipa::ToSchema;

/// Something about a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// It names nobody: who it named is gone, or its groups are empty.
    Nobody,
    /// It names no door: what it named is gone, or its groups are empty.
    NoDoor,
    /// Its last day is over.
    Over,
    /// Its hours have no hour within a year.
    Never,
    /// Another rule allows all of it already.
    Covered,
}

/// How far ahead hours are looked for.
const DAYS: i64 = 366;

/// The notes of each rule, in the order of the rules. `today` is none where no clock is known.
pub(super) fn notes(
    rules: &[Part<NamedRule>],
    schedules: &[Part<NamedSchedule>],
    calendar: HolidayCalendar,
    today: Option<i64>,
) -> Vec<Vec<Note>> {
    let hours_of = |rule: &AccessRule| {
        let found = schedules.iter().find(|one| Some(one.value.id) == rule.schedule);
        found.map(|found| &found.value.schedule)
    };
    let of_one = |named: &NamedRule| {
        let rule = &named.rule;
        let mut notes = Vec::new();
        if rule.who.iter().all(|who| members(named, who).is_some_and(<[_]>::is_empty)) {
            notes.push(Note::Nobody);
        }
        if rule.doors.iter().all(|which| doors(named, which).is_some_and(<[_]>::is_empty)) {
            notes.push(Note::NoDoor);
        }
        if rule.last_day.zip(today).is_some_and(|(last, today)| last < today) {
            notes.push(Note::Over);
        } else if hours_of(rule).zip(today).is_some_and(|(hours, today)| never(hours, calendar, today)) {
            notes.push(Note::Never);
        }
        let mut others = rules.iter().map(|other| &other.value).filter(|other| other.rule.id != rule.id);
        if notes.is_empty() && rule.active && others.any(|other| covers(other, named)) {
            notes.push(Note::Covered);
        }
        notes
    };
    rules.iter().map(|part| of_one(&part.value)).collect()
}

fn never(hours: &Schedule, calendar: HolidayCalendar, today: i64) -> bool {
    (today..today + DAYS).all(|day| of_day(hours, calendar, day).is_empty())
}

/// Who is in a group that a rule names; none for what is no group.
fn members<'a>(rule: &'a NamedRule, who: &Who) -> Option<&'a [PersonId]> {
    let Who::Group(id) = who else { return None };
    rule.people_groups.iter().find(|group| group.id == *id).map(|group| group.members.as_slice())
}

/// The doors of a group that a rule names; none for what is no group.
fn doors<'a>(rule: &'a NamedRule, which: &Which) -> Option<&'a [DoorId]> {
    let Which::Group(id) = which else { return None };
    rule.door_groups.iter().find(|group| group.id == *id).map(|group| group.doors.as_slice())
}

/// Whether a rule allows all that another does. Of two that are the same, the older one does.
fn covers(by: &NamedRule, named: &NamedRule) -> bool {
    let (other, rule) = (&by.rule, &named.rule);
    let everybody = other.who.contains(&Who::Everybody);
    let is_member = |person: &PersonId| {
        other.who.contains(&Who::Person(*person))
            || by.people_groups.iter().any(|group| group.members.contains(person))
    };
    let who = |who: &Who| {
        other.who.contains(who)
            || match who {
                Who::Person(person) => is_member(person),
                Who::Group(_) => members(named, who).is_some_and(|all| all.iter().all(is_member)),
                Who::Everybody | Who::UnitOwners | Who::Unit(_) => everybody,
            }
    };
    let is_opened = |door: &DoorId| {
        other.doors.contains(&Which::Door(*door))
            || by.door_groups.iter().any(|group| group.doors.contains(door))
    };
    let which = |which: &Which| {
        other.doors.contains(&Which::AllDoors)
            || other.doors.contains(which)
            || match which {
                Which::AllDoors => false,
                Which::Door(door) => is_opened(door),
                Which::Group(_) => doors(named, which).is_some_and(|all| all.iter().all(is_opened)),
            }
    };
    let begins = other.first_day.is_none() || other.first_day <= rule.first_day;
    let ends = other.last_day.is_none() || rule.last_day.is_some_and(|last| other.last_day >= Some(last));
    let same = (&other.who, &other.doors, other.first_day, other.last_day, other.schedule)
        == (&rule.who, &rule.doors, rule.first_day, rule.last_day, rule.schedule);
    other.active
        && (other.schedule.is_none() || other.schedule == rule.schedule)
        && begins
        && ends
        && rule.who.iter().all(who)
        && rule.doors.iter().all(which)
        && (!same || other.id < rule.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;
    use klinke_model::rule::{DoorGroup, PeopleGroup};
    use klinke_model::text::Label;
    use klinke_storage::record::Uses;

    const TODAY: i64 = 20_778;

    fn rule(id: u8, who: Vec<Who>, doors: Vec<Which>) -> Part<NamedRule> {
        let rule = AccessRule {
            id: v4([id; 16]).into(),
            building: v4([1; 16]).into(),
            name: Label::new("Rule").unwrap(),
            who,
            doors,
            schedule: None,
            first_day: None,
            last_day: None,
            active: true,
        };
        let value =
            NamedRule { rule, units: vec![], people: vec![], people_groups: vec![], door_groups: vec![] };
        Part { value, version: 1, uses: Uses::default() }
    }

    fn of(rules: &[Part<NamedRule>], schedules: &[Part<NamedSchedule>]) -> Vec<Vec<Note>> {
        notes(rules, schedules, HolidayCalendar::None, Some(TODAY))
    }

    #[test]
    fn what_opens_nothing_is_told() {
        let mut over = rule(2, vec![Who::Everybody], vec![Which::AllDoors]);
        over.value.rule.last_day = Some(TODAY - 1);
        let closed = NamedSchedule {
            id: v4([9; 16]).into(),
            building: v4([1; 16]).into(),
            name: Label::new("Closed").unwrap(),
            schedule: Schedule::default(),
        };
        let mut never = rule(3, vec![Who::UnitOwners], vec![Which::AllDoors]);
        never.value.rule.schedule = Some(closed.id);
        let closed = Part { value: closed, version: 1, uses: Uses::default() };
        assert_eq!(of(&[rule(1, vec![], vec![])], &[]), [[Note::Nobody, Note::NoDoor]]);
        assert_eq!(of(&[over, never], &[closed]), [[Note::Over], [Note::Never]]);
        let mut today = rule(2, vec![Who::Everybody], vec![Which::AllDoors]);
        today.value.rule.last_day = Some(TODAY);
        assert_eq!(of(&[today], &[]), [vec![]]);
    }

    #[test]
    fn what_another_rule_allows_is_told() {
        let (door, unit, person) =
            (Which::Door(v4([5; 16]).into()), Who::Unit(v4([6; 16]).into()), Who::Person(v4([7; 16]).into()));
        let all = rule(1, vec![Who::Everybody], vec![Which::AllDoors]);
        let one = rule(2, vec![unit], vec![door]);
        let somebody = rule(3, vec![person], vec![door]);
        let none: Vec<Note> = vec![];
        let found = of(&[all.clone(), one.clone(), somebody.clone()], &[]);
        assert_eq!(
            found,
            [none.clone(), vec![Note::Covered], none.clone()],
            "who lives elsewhere is not everybody"
        );
        let mut aside = all.clone();
        aside.value.rule.active = false;
        assert_eq!(of(&[aside, one.clone()], &[]), [none.clone(), none.clone()]);
        let mut short = all;
        short.value.rule.last_day = Some(TODAY + 3);
        assert_eq!(of(&[short.clone(), one.clone()], &[]), [none.clone(), none.clone()]);
        let mut shorter = one;
        shorter.value.rule.last_day = Some(TODAY + 2);
        assert_eq!(of(&[short, shorter], &[]), [none.clone(), vec![Note::Covered]]);
        let again = rule(4, vec![person], vec![door]);
        assert_eq!(of(&[again, somebody], &[]), [vec![Note::Covered], none], "one of two that are the same");
    }

    #[test]
    fn a_group_is_who_and_what_is_in_it() {
        let (group, cellars) = (v4([8; 16]).into(), v4([9; 16]).into());
        let (anna, bo): (PersonId, PersonId) = (v4([7; 16]).into(), v4([6; 16]).into());
        let (door, other): (DoorId, DoorId) = (v4([5; 16]).into(), v4([4; 16]).into());
        let grouped = |id, members: &[PersonId], doors: &[DoorId]| {
            let mut part = rule(id, vec![Who::Group(group)], vec![Which::Group(cellars)]);
            let (building, name) = (part.value.rule.building, Label::new("Group").unwrap());
            let people = PeopleGroup { id: group, building, name: name.clone(), members: members.to_vec() };
            part.value.people_groups = vec![people];
            part.value.door_groups = vec![DoorGroup { id: cellars, building, name, doors: doors.to_vec() }];
            part
        };
        assert_eq!(of(&[grouped(1, &[], &[])], &[]), [[Note::Nobody, Note::NoDoor]]);
        let none: Vec<Note> = vec![];
        let one = rule(2, vec![Who::Person(anna)], vec![Which::Door(door)]);
        let all = grouped(1, &[anna, bo], &[door, other]);
        assert_eq!(of(&[all, one.clone()], &[]), [none.clone(), vec![Note::Covered]]);
        let few = grouped(1, &[anna], &[door]);
        assert_eq!(of(&[few.clone(), one], &[]), [vec![Note::Covered], vec![Note::Covered]]);
        let both = rule(2, vec![Who::Person(anna), Who::Person(bo)], vec![Which::Door(door)]);
        assert_eq!(of(&[few, both], &[]), [vec![Note::Covered], none.clone()]);
        let elsewhere = rule(3, vec![Who::Everybody], vec![Which::AllDoors]);
        let found = of(&[grouped(1, &[anna], &[door]), elsewhere], &[]);
        assert_eq!(found, [none.clone(), none], "a group is not of the house");
    }
}
