//! The same house as policies of Cedar: one permit a right, one forbid a reason. Written from the documentation of the
//! decision, not from its code.

use crate::random::hash;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression,
};
use jiff::Timestamp as Moment;
use jiff::tz::TimeZone;
use klinke_access::decide::{HolderClass, Order, SiteMode};
use klinke_access::holidays::is_holiday;
use klinke_access::snapshot::{AtDoor, DoorRight, Plan, State};
use klinke_access::standing::ClockTrust;
use klinke_model::credential::CredentialTier;
use klinke_model::door::DoorMode;
use klinke_model::schedule::{OnHolidays, Schedule, Span};
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

/// What a forbid says, whatever is permitted.
const FORBIDS: &str = r#"
forbid (principal, action, resource) when { principal.blocked };
forbid (principal, action, resource) when { principal.suspended };
forbid (principal, action, resource) when { principal has from && !(context.second >= principal.from) };
forbid (principal, action, resource) when { principal has until && context.second >= principal.until };
forbid (principal, action, resource) when { (principal has from || principal has until) && !context.trusted };
forbid (principal, action, resource) when { principal.once && context.used };
forbid (principal, action, resource) when { principal.copyable && resource.refuses_copyable };
forbid (principal, action, resource) when { principal.passing && context.alone_s > 24 * 60 * 60 };
forbid (principal, action, resource) when { context.locked_down };
forbid (principal, action, resource) when { context.mode == "blocked" || context.mode == "locked_down" };
forbid (principal, action, resource) unless { context.in_order };
"#;

/// A house as Cedar knows it.
pub struct Cedar {
    policies: PolicySet,
    entities: Entities,
    authorizer: Authorizer,
    zone: TimeZone,
}

fn uid(kind: &str, number: usize) -> EntityUid {
    format!("{kind}::\"{number}\"").parse().unwrap()
}

impl Cedar {
    pub fn of(plan: &Plan) -> Self {
        let mut text = String::from(FORBIDS);
        for (number, holder) in plan.holders.iter().enumerate() {
            for right in &holder.rights {
                permit(&mut text, number, right, plan);
            }
        }
        Self {
            policies: text.parse().unwrap_or_else(|error| panic!("{error}\n{text}")),
            entities: Entities::from_entities(entities(plan), None).unwrap(),
            authorizer: Authorizer::new(),
            zone: TimeZone::get(&plan.zone).unwrap(),
        }
    }

    /// Whether the door opens.
    pub fn opens(&self, plan: &Plan, credential: usize, asked: &AtDoor) -> bool {
        let moment = Moment::from_millisecond(asked.at.as_millis()).unwrap();
        let local = moment.to_zoned(self.zone.clone());
        let yesterday = local.date().yesterday().unwrap();
        let day = |date: jiff::civil::Date| {
            i64::from(jiff::civil::date(1970, 1, 1).until(date).unwrap().get_days())
        };
        let (today, before) = (day(local.date()), day(yesterday));
        let long = RestrictedExpression::new_long;
        let bool = RestrictedExpression::new_bool;
        let mode = match asked.mode {
            DoorMode::Blocked => "blocked",
            DoorMode::LockedDown => "locked_down",
            _ => "other",
        };
        let context = Context::from_pairs([
            ("ms".into(), long(asked.at.as_millis())),
            ("second".into(), long(asked.at.as_millis().div_euclid(1_000))),
            ("minute".into(), long(i64::from(local.hour()) * 60 + i64::from(local.minute()))),
            ("day".into(), long(today)),
            ("weekday".into(), long(local.weekday().to_monday_zero_offset().into())),
            ("holiday".into(), bool(is_holiday(plan.holidays, today))),
            ("day_before".into(), long(before)),
            ("weekday_before".into(), long(yesterday.weekday().to_monday_zero_offset().into())),
            ("holiday_before".into(), bool(is_holiday(plan.holidays, before))),
            ("trusted".into(), bool(asked.clock == ClockTrust::Trusted)),
            ("alone_s".into(), long(i64::try_from(asked.rights_age.as_secs()).unwrap())),
            ("used".into(), bool(asked.used)),
            ("locked_down".into(), bool(plan.site_mode == SiteMode::LockedDown)),
            ("mode".into(), RestrictedExpression::new_string(mode.into())),
            ("in_order".into(), bool(asked.order == Order::Kept)),
        ]);
        let request = Request::new(
            uid("Card", credential),
            "Action::\"open\"".parse().unwrap(),
            uid("Door", usize::from(asked.door)),
            context.unwrap(),
            None,
        );
        let answer = self.authorizer.is_authorized(&request.unwrap(), &self.policies, &self.entities);
        let errors: Vec<_> = answer.diagnostics().errors().collect();
        // an unknown card is no entity, so the forbids have nothing to read of it; it is permitted nothing either
        assert!(errors.is_empty() || credential >= plan.credentials.len(), "{errors:?}");
        answer.decision() == Decision::Allow
    }
}

fn permit(text: &mut String, holder: usize, right: &DoorRight, plan: &Plan) {
    let doors: Vec<_> = (0..plan.doors.len()).filter(|door| right.doors >> door & 1 == 1).collect();
    let doors =
        doors.iter().map(|door| format!("resource == Door::\"{door}\"")).collect::<Vec<_>>().join(" || ");
    let doors = if doors.is_empty() { "false".into() } else { doors };
    let mut conditions = vec![format!("({doors})")];
    if let Some(from) = right.from {
        conditions.push(format!("context.ms >= {}", from.as_millis()));
    }
    if let Some(until) = right.until {
        conditions.push(format!("context.ms < {}", until.as_millis()));
    }
    if let Some(schedule) = right.schedule {
        let schedule = &plan.schedules[usize::from(schedule)];
        let tonight = of_day(schedule, "", &|span| {
            if span.until <= span.from {
                format!("context.minute >= {}", span.from)
            } else {
                format!("(context.minute >= {} && context.minute < {})", span.from, span.until)
            }
        });
        let last_night = of_day(schedule, "_before", &|span| {
            if span.until <= span.from { format!("context.minute < {}", span.until) } else { "false".into() }
        });
        conditions.push(format!("(({tonight}) || ({last_night}))"));
    }
    if right.from.is_some() || right.until.is_some() || right.schedule.is_some() {
        conditions.push("context.trusted".into());
    }
    writeln!(
        text,
        "permit (principal in Holder::\"{holder}\", action, resource) when {{ {} }};",
        conditions.join(" && ")
    )
    .unwrap();
}

/// The hours of a day as an expression: its exception, else its holiday, else its weekday.
fn of_day(schedule: &Schedule, which: &str, span: &dyn Fn(Span) -> String) -> String {
    let any = |spans: Vec<String>| if spans.is_empty() { "false".into() } else { spans.join(" || ") };
    let week = any(schedule
        .hours
        .iter()
        .map(|row| {
            let days: Vec<_> =
                row.days.iter().map(|day| format!("context.weekday{which} == {day}")).collect();
            format!("(({}) && {})", days.join(" || "), span(Span { from: row.from, until: row.until }))
        })
        .collect());
    let all = |spans: &[Span]| any(spans.iter().map(|one| span(*one)).collect());
    let mut text = match &schedule.holidays {
        OnHolidays::AsUsual => week,
        OnHolidays::Closed => format!("!context.holiday{which} && ({week})"),
        OnHolidays::Own { spans } => format!("if context.holiday{which} then ({}) else ({week})", all(spans)),
    };
    for exception in schedule.exceptions.iter().rev() {
        let (first, last, spans) = (exception.first, exception.last, all(&exception.spans));
        text = format!(
            "if context.day{which} >= {first} && context.day{which} <= {last} then ({spans}) else ({text})"
        );
    }
    text
}

fn entities(plan: &Plan) -> Vec<Entity> {
    let bool = RestrictedExpression::new_bool;
    let mut all = Vec::new();
    for (number, door) in plan.doors.iter().enumerate() {
        let attributes = HashMap::from([("refuses_copyable".into(), bool(door.refuses_copyable))]);
        all.push(Entity::new(uid("Door", number), attributes, HashSet::new()).unwrap());
    }
    for number in 0..plan.holders.len() {
        all.push(Entity::new_no_attrs(uid("Holder", number), HashSet::new()));
    }
    for (number, credential) in plan.credentials.iter().enumerate() {
        assert_eq!(credential.hash, hash(number));
        let holder = &plan.holders[credential.holder];
        let mut attributes = HashMap::from([
            ("blocked".into(), bool(credential.state == State::Blocked)),
            ("suspended".into(), bool(!holder.active)),
            ("once".into(), bool(credential.once)),
            ("copyable".into(), bool(credential.tier == CredentialTier::Identifier)),
            ("passing".into(), bool(holder.class == HolderClass::Passing)),
        ]);
        for (name, second) in [("from", credential.from_s), ("until", credential.until_s)] {
            if let Some(second) = second {
                attributes.insert(name.into(), RestrictedExpression::new_long(second.into()));
            }
        }
        let parents = HashSet::from([uid("Holder", credential.holder)]);
        all.push(Entity::new(uid("Card", number), attributes, parents).unwrap());
    }
    all
}
