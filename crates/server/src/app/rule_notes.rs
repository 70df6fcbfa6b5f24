//! What an administrator may want to look at in the rules of a building: those that open nothing, and those that others make
//! pointless. Notes only; no rule is refused for them.

use klinke_access::schedule::of_day;
use klinke_model::rule::{AccessRule, NamedSchedule, Which, Who};
use klinke_model::schedule::{HolidayCalendar, Schedule};
use klinke_storage::record::{NamedRule, Part};
use serde::Serialize;
use utoipa::ToSchema;

/// Something about a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// It names nobody: who it named is gone.
    Nobody,
    /// It names no door: what it named is gone.
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
    let of_one = |rule: &AccessRule| {
        let mut notes = Vec::new();
        if rule.who.is_empty() {
            notes.push(Note::Nobody);
        }
        if rule.doors.is_empty() {
            notes.push(Note::NoDoor);
        }
        if rule.last_day.zip(today).is_some_and(|(last, today)| last < today) {
            notes.push(Note::Over);
        } else if hours_of(rule).zip(today).is_some_and(|(hours, today)| never(hours, calendar, today)) {
            notes.push(Note::Never);
        }
        let others = rules.iter().map(|other| &other.value.rule).filter(|other| other.id != rule.id);
        if notes.is_empty() && rule.active && others.clone().any(|other| covers(other, rule)) {
            notes.push(Note::Covered);
        }
        notes
    };
    rules.iter().map(|part| of_one(&part.value.rule)).collect()
}

fn never(hours: &Schedule, calendar: HolidayCalendar, today: i64) -> bool {
    (today..today + DAYS).all(|day| of_day(hours, calendar, day).is_empty())
}

/// Whether a rule allows all that another does. Of two that are the same, the older one does.
fn covers(other: &AccessRule, rule: &AccessRule) -> bool {
    let everybody = other.who.contains(&Who::Everybody);
    let who = |who: &Who| other.who.contains(who) || (everybody && !matches!(who, Who::Person(_)));
    let all_doors = other.doors.contains(&Which::AllDoors);
    let begins = other.first_day.is_none() || other.first_day <= rule.first_day;
    let ends = other.last_day.is_none() || rule.last_day.is_some_and(|last| other.last_day >= Some(last));
    let same = (&other.who, &other.doors, other.first_day, other.last_day, other.schedule)
        == (&rule.who, &rule.doors, rule.first_day, rule.last_day, rule.schedule);
    other.active
        && (other.schedule.is_none() || other.schedule == rule.schedule)
        && begins
        && ends
        && rule.who.iter().all(who)
        && rule.doors.iter().all(|door| all_doors || other.doors.contains(door))
        && (!same || other.id < rule.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;
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
        Part { value: NamedRule { rule, units: vec![], people: vec![] }, version: 1, uses: Uses::default() }
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
}
