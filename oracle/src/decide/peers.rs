//! The same house in Cedar's policies and in casbin's.

use super::house::{DOORS, House, Question};
use crate::Result;
use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression,
};
use std::collections::HashSet;
use std::fmt::Write;

/// Cedar with one permit a level.
pub struct Cedar {
    policies: PolicySet,
    entities: Entities,
    authorizer: Authorizer,
    action: EntityUid,
}

fn uid(kind: &str, number: impl std::fmt::Display) -> Result<EntityUid> {
    Ok(format!("{kind}::\"{number}\"").parse()?)
}

impl Cedar {
    pub fn new(house: &House) -> Result<Self> {
        let mut text = String::new();
        for (level, (_, from, until)) in house.levels.iter().enumerate() {
            writeln!(
                text,
                "permit (principal in Level::\"{level}\", action, resource in Doors::\"{level}\") \
                 when {{ context.minute >= {from} && context.minute < {until} }};"
            )?;
        }
        let mut entities = Vec::new();
        for level in 0..house.levels.len() {
            entities.push(Entity::new_no_attrs(uid("Level", level)?, HashSet::new()));
            entities.push(Entity::new_no_attrs(uid("Doors", level)?, HashSet::new()));
        }
        for door in 0..DOORS {
            let levels = house.levels.iter().enumerate().filter(|(_, (doors, ..))| doors >> door & 1 == 1);
            let parents: Result<HashSet<_>> = levels.map(|(level, _)| uid("Doors", level)).collect();
            entities.push(Entity::new_no_attrs(uid("Door", door)?, parents?));
        }
        for (person, levels) in house.people.iter().enumerate() {
            let parents: Result<HashSet<_>> = levels.iter().map(|level| uid("Level", level)).collect();
            entities.push(Entity::new_no_attrs(uid("Person", person)?, parents?));
        }
        Ok(Self {
            policies: text.parse()?,
            entities: Entities::from_entities(entities, None)?,
            authorizer: Authorizer::new(),
            action: uid("Action", "open")?,
        })
    }

    pub fn opens(&self, question: &Question) -> Result<bool> {
        let minute = RestrictedExpression::new_long(question.minute.into());
        let request = Request::new(
            uid("Person", question.person)?,
            self.action.clone(),
            uid("Door", question.door)?,
            Context::from_pairs([("minute".to_owned(), minute)])?,
            None,
        )?;
        let answer = self.authorizer.is_authorized(&request, &self.policies, &self.entities);
        Ok(answer.decision() == Decision::Allow)
    }
}

/// casbin's roles: a level opens doors, a person has levels. It knows no hours.
pub async fn casbin(house: &House) -> Result<Enforcer> {
    let model = DefaultModel::from_str(
        "[request_definition]\nr = sub, obj\n[policy_definition]\np = sub, obj\n[role_definition]\ng = _, _\n\
         [policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = r.obj == p.obj && g(r.sub, p.sub)\n",
    )
    .await?;
    let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
    let doors = house.levels.iter().enumerate().flat_map(|(level, (doors, ..))| {
        (0..DOORS)
            .filter(move |door| doors >> door & 1 == 1)
            .map(move |door| vec![format!("level{level}"), format!("door{door}")])
    });
    enforcer.add_policies(doors.collect()).await?;
    let people = house.people.iter().enumerate().flat_map(|(person, levels)| {
        let mut levels = levels.to_vec();
        levels.sort_unstable();
        levels.dedup();
        levels.into_iter().map(move |level| vec![format!("person{person}"), format!("level{level}")])
    });
    enforcer.add_grouping_policies(people.collect()).await?;
    Ok(enforcer)
}

pub fn opens(enforcer: &Enforcer, question: &Question) -> Result<bool> {
    Ok(enforcer.enforce((format!("person{}", question.person), format!("door{}", question.door)))?)
}
