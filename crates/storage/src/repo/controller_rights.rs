//! What one controller decides by: its doors, who of those with a card or a code of their own may open them, and which guests
//! may.
//!
//! Who reaches a door is said where it is said for a decision of the server: [`reaching`] by living somewhere,
//! [`rule_reach`] by a rule. Nothing is asked person by person.

use crate::entity::{
    access_rule, access_rule_door, access_rule_door_group, building, card, controller, door, door_group_door,
    door_setting, membership, person, person_code, schedule, unit, unit_door,
};
use crate::record::{ControllerRights, Guest, RightsCard, RightsGuest, RightsHolder};
use crate::repo::convert::{self, At};
use crate::repo::doors::{Doors, reaching};
use crate::repo::{guests, own_codes, policy, record_policy, rule_reach, schedules};
use crate::{Result, tx};
use klinke_access::decide::HolderClass;
use klinke_access::snapshot::{After, DOORS, DoorPlan, DoorRight, Records};
use klinke_access::zone::Zone;
use klinke_model::ids::ControllerId;
use klinke_model::schedule::Schedule;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement, UnionType};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

impl Doors<'_> {
    /// What a controller decides by when it is alone. For the controller itself.
    pub async fn controller_rights(
        &self,
        scope: &Scope,
        controller: ControllerId,
    ) -> Result<Option<ControllerRights>> {
        if scope.principal != Principal::Controller(controller) {
            return Ok(None);
        }
        tx::read(self.0, |tx| async move { read(&*tx, scope, controller).await }).await
    }
}

async fn read(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: ControllerId,
) -> Result<Option<ControllerRights>> {
    let found = controller::Entity::find_by_id((scope.tenant.0, id.0)).one(db).await?;
    let Some(found) = found else { return Ok(None) };
    let site = building::Entity::find_by_id((scope.tenant.0, found.building)).one(db).await?;
    let Some(site) = site else { return Ok(None) };
    let mut driven = door::Entity::find()
        .filter(door::Column::Tenant.eq(scope.tenant.0))
        .filter(door::Column::Controller.eq(id.0))
        .order_by_asc(door::Column::Output)
        .all(db)
        .await?;
    let left_out = driven.len().saturating_sub(DOORS);
    driven.truncate(DOORS);
    let places: HashMap<Uuid, u8> = driven.iter().map(|door| door.id).zip(0..).collect();
    let settings = door_setting::Entity::find()
        .filter(door_setting::Column::Tenant.eq(scope.tenant.0))
        .filter(door_setting::Column::Door.is_in(places.keys().copied()))
        .all(db)
        .await?;
    let settings: HashMap<Uuid, door_setting::Model> =
        settings.into_iter().map(|setting| (setting.door, setting)).collect();
    // a door that comes after one of another controller can not know who went through that: nobody opens it alone
    let comes_after_none_of_ours = |door: &Uuid| {
        let before = settings.get(door).and_then(|setting| setting.after_door);
        before.is_some_and(|before| !places.contains_key(&before))
    };
    let opened: HashMap<Uuid, u8> = places
        .iter()
        .filter(|(door, _)| !comes_after_none_of_ours(door))
        .map(|(door, place)| (*door, *place))
        .collect();
    let rules = rules(db, scope, found.building, &opened).await?;
    let hours = Hours::read(db, scope, found.building, &rules, settings.values()).await?;
    let doors = driven.iter().map(|door| plan(door, settings.get(&door.id), &places, &hours));
    let doors = doors.collect::<Result<Vec<_>>>()?;
    let zone = Zone::named(&site.time_zone);
    let of_rule: HashMap<Uuid, DoorRight> =
        rules.iter().filter_map(|rule| Some((rule.id, rule.right(zone.as_ref(), &hours)?))).collect();
    let rights = rights(db, scope, found.building, &opened, &of_rule).await?;
    let (holders, cards) = holders(db, scope, found.building, rights).await?;
    let codes = own_codes::of_holders(db, scope, found.building, &holders).await?;
    let (_, policy) = policy::current(db, scope, found.building.into()).await?;
    let mut schedules = hours.schedules;
    let coming = guests::coming(db, scope, found.building).await?;
    let guests = coming.into_iter().filter_map(|guest| with_right(guest, &opened, &mut schedules)).collect();
    let keeping = record_policy::keeping(db, scope, &site, scope.at).await?;
    Ok(Some(ControllerRights {
        building: found.building.into(),
        records: keeping.map(|keeping| Records { site: keeping.site, days: keeping.days }),
        site_mode: At("building", "mode").choice(&site.mode)?,
        holidays: At("building", "holidays").choice(&site.holidays)?,
        time_zone: site.time_zone,
        doors,
        left_out,
        schedules,
        holders,
        cards,
        codes,
        duress_codes: policy.duress_codes,
        guests,
    }))
}

/// A guest with what they may open of these doors, if anything; their hours come after those that have a name. What their
/// host does not have they do not have either.
fn with_right(
    guest: Guest,
    places: &HashMap<Uuid, u8>,
    schedules: &mut Vec<Schedule>,
) -> Option<RightsGuest> {
    let held = guest.doors.iter().filter(|one| one.held);
    let doors = held.fold(0, |doors, one| doors | bit(places, one.door.id.0));
    if doors == 0 {
        return None;
    }
    let schedule = match &guest.hours {
        None => None,
        Some(hours) => {
            let place = u16::try_from(schedules.len()).ok()?;
            schedules.push(hours.clone());
            Some(place)
        }
    };
    let right = DoorRight { doors, schedule, from: Some(guest.starts_at), until: Some(guest.ends_at) };
    Some(RightsGuest { guest, right })
}

/// A rule that opens a door of the controller.
struct Rule {
    id: Uuid,
    doors: u64,
    schedule: Option<Uuid>,
    first_day: Option<i64>,
    last_day: Option<i64>,
}

impl Rule {
    /// The right that it gives. Days that no clock knows, in a zone that nobody knows, are none.
    fn right(&self, zone: Option<&Zone>, hours: &Hours) -> Option<DoorRight> {
        let start_of = |day: Option<i64>| match day {
            None => Some(None),
            Some(day) => zone.and_then(|zone| zone.start_of(day)).map(Some),
        };
        let (from, until): (Option<Timestamp>, Option<Timestamp>) =
            (start_of(self.first_day)?, start_of(self.last_day.map(|day| day.saturating_add(1)))?);
        let schedule = match self.schedule {
            None => None,
            Some(id) => Some(hours.place(id)?),
        };
        Some(DoorRight { doors: self.doors, schedule, from, until })
    }
}

/// The rules of the building that are not put aside and open one of these doors.
async fn rules(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: Uuid,
    places: &HashMap<Uuid, u8>,
) -> Result<Vec<Rule>> {
    let rows = access_rule::Entity::find()
        .filter(access_rule::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule::Column::Building.eq(building))
        .filter(access_rule::Column::Active.eq(true))
        .all(db)
        .await?;
    let named = access_rule_door::Entity::find()
        .filter(access_rule_door::Column::Tenant.eq(scope.tenant.0))
        .filter(access_rule_door::Column::Door.is_in(places.keys().copied()))
        .all(db)
        .await?;
    let mut doors: HashMap<Uuid, u64> = HashMap::new();
    for row in named {
        *doors.entry(row.rule).or_default() |= bit(places, row.door);
    }
    let by_group = Query::select()
        .expr_as(Expr::col((access_rule_door_group::Entity, access_rule_door_group::Column::Rule)), "rule")
        .expr_as(Expr::col((door_group_door::Entity, door_group_door::Column::Door)), "door")
        .from(access_rule_door_group::Entity)
        .join(JoinType::InnerJoin, door_group_door::Entity, rule_reach::of_named_group())
        .and_where(access_rule_door_group::Column::Tenant.eq(scope.tenant.0))
        .and_where(door_group_door::Column::Door.is_in(places.keys().copied()))
        .take();
    for row in db.query_all(&by_group).await? {
        *doors.entry(row.try_get("", "rule")?).or_default() |= bit(places, row.try_get("", "door")?);
    }
    let every = places.keys().fold(0, |all, door| all | bit(places, *door));
    let rules = rows.into_iter().map(|row| Rule {
        id: row.id,
        doors: if row.all_doors { every } else { doors.get(&row.id).copied().unwrap_or_default() },
        schedule: row.schedule,
        first_day: row.first_day,
        last_day: row.last_day,
    });
    Ok(rules.filter(|rule| rule.doors != 0).collect())
}

/// The bit of a door; none for one of another controller.
fn bit(places: &HashMap<Uuid, u8>, door: Uuid) -> u64 {
    places.get(&door).map_or(0, |place| 1 << place)
}

/// The hours that are named, in the order of their ids, which is that of their making: a new one moves no other.
struct Hours {
    ids: Vec<Uuid>,
    schedules: Vec<Schedule>,
}

impl Hours {
    async fn read<'a>(
        db: &impl ConnectionTrait,
        scope: &Scope,
        building: Uuid,
        rules: &[Rule],
        settings: impl Iterator<Item = &'a door_setting::Model>,
    ) -> Result<Self> {
        let mut named: BTreeSet<Uuid> = rules.iter().filter_map(|rule| rule.schedule).collect();
        named.extend(settings.filter_map(|setting| setting.unlocked));
        let mut rows = schedule::Entity::find()
            .filter(schedule::Column::Tenant.eq(scope.tenant.0))
            .filter(schedule::Column::Building.eq(building))
            .all(db)
            .await?;
        rows.retain(|row| named.contains(&row.id));
        rows.sort_by_key(|row| row.id);
        let schedules = rows.iter().map(|row| schedules::read(&row.hours)).collect::<Result<_>>()?;
        Ok(Self { ids: rows.into_iter().map(|row| row.id).collect(), schedules })
    }

    fn place(&self, id: Uuid) -> Option<u16> {
        u16::try_from(self.ids.binary_search(&id).ok()?).ok()
    }
}

/// A door with what is special about it. One that comes after a door of another controller stands unlocked at no hours, as
/// nobody has a right to it either.
fn plan(
    door: &door::Model,
    setting: Option<&door_setting::Model>,
    places: &HashMap<Uuid, u8>,
    hours: &Hours,
) -> Result<DoorPlan> {
    let door = convert::door(door)?;
    let plain = DoorPlan {
        door: door.id,
        times: door.times,
        refuses_copyable: false,
        two_people_within_s: None,
        after: None,
        airlock: None,
        unlocked: None,
        first_person_in: false,
    };
    let Some(setting) = setting else { return Ok(plain) };
    let at = |column| At("door_setting", column);
    let before = setting.after_door.and_then(|door| places.get(&door)).zip(setting.after_s);
    let is_whole = before.is_some() || setting.after_door.is_none();
    let after = match before {
        Some((door, within)) => Some(After { door: *door, within_s: at("after_s").number(within)? }),
        None => None,
    };
    Ok(DoorPlan {
        refuses_copyable: setting.refuses_copyable,
        two_people_within_s: setting.two_people_s.map(|s| at("two_people_s").number(s)).transpose()?,
        after,
        airlock: setting.airlock.map(|number| at("airlock").number(number)).transpose()?,
        unlocked: setting.unlocked.filter(|_| is_whole).and_then(|id| hours.place(id)),
        first_person_in: setting.first_person_in,
        ..plain
    })
}

/// The people who have a card or a code of their own in the building.
fn with_something(scope: &Scope, building: Uuid) -> SelectStatement {
    let with_code = Query::select()
        .column(person_code::Column::Person)
        .from(person_code::Entity)
        .and_where(person_code::Column::Tenant.eq(scope.tenant.0))
        .and_where(person_code::Column::Building.eq(building))
        .take();
    Query::select()
        .column(card::Column::Person)
        .from(card::Entity)
        .and_where(card::Column::Tenant.eq(scope.tenant.0))
        .and_where(card::Column::Building.eq(building))
        .union(UnionType::Distinct, with_code)
        .take()
}

/// Who of them has which rights.
async fn rights(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: Uuid,
    places: &HashMap<Uuid, u8>,
    of_rule: &HashMap<Uuid, DoorRight>,
) -> Result<BTreeMap<Uuid, Vec<DoorRight>>> {
    let mut rights: BTreeMap<Uuid, Vec<DoorRight>> = BTreeMap::new();
    let by_home = reaching(scope)
        .expr_as(Expr::col((membership::Entity, membership::Column::Person)), "person")
        .expr_as(Expr::col((unit_door::Entity, unit_door::Column::Door)), "door")
        .and_where(Expr::col((unit_door::Entity, unit_door::Column::Door)).is_in(places.keys().copied()))
        .and_where(membership::Column::Person.in_subquery(with_something(scope, building)))
        .take();
    let mut homes: HashMap<Uuid, u64> = HashMap::new();
    for row in db.query_all(&by_home).await? {
        *homes.entry(row.try_get("", "person")?).or_default() |= bit(places, row.try_get("", "door")?);
    }
    for (person, doors) in homes {
        rights.insert(person, vec![DoorRight { doors, schedule: None, from: None, until: None }]);
    }
    if of_rule.is_empty() {
        return Ok(rights);
    }
    let of_building = Query::select()
        .column(access_rule::Column::Id)
        .from(access_rule::Entity)
        .and_where(access_rule::Column::Tenant.eq(scope.tenant.0))
        .and_where(access_rule::Column::Building.eq(building))
        .and_where(access_rule::Column::Active.eq(true))
        .take();
    let by_rule = rule_reach::allowed(scope, |select, rule, whom| {
        select
            .expr_as(rule.clone(), "rule")
            .expr_as(whom.clone(), "person")
            .and_where(rule.in_subquery(of_building.clone()))
            .and_where(whom.in_subquery(with_something(scope, building)));
    });
    for row in db.query_all(&by_rule).await? {
        if let Some(right) = of_rule.get(&row.try_get("", "rule")?) {
            rights.entry(row.try_get("", "person")?).or_default().push(*right);
        }
    }
    Ok(rights)
}

/// Those who have a right, and their cards.
async fn holders(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: Uuid,
    mut rights: BTreeMap<Uuid, Vec<DoorRight>>,
) -> Result<(Vec<RightsHolder>, Vec<RightsCard>)> {
    let of_unit = Condition::all()
        .add(
            Expr::col((unit::Entity, unit::Column::Tenant))
                .equals((membership::Entity, membership::Column::Tenant)),
        )
        .add(
            Expr::col((unit::Entity, unit::Column::Id))
                .equals((membership::Entity, membership::Column::Unit)),
        );
    let here = Query::select()
        .expr_as(Expr::col((membership::Entity, membership::Column::Person)), "person")
        .from(membership::Entity)
        .join(JoinType::InnerJoin, unit::Entity, of_unit)
        .and_where(membership::Column::Tenant.eq(scope.tenant.0))
        .and_where(unit::Column::Building.eq(building))
        .and_where(membership::Column::Person.in_subquery(with_something(scope, building)))
        .take();
    let mut residents: HashSet<Uuid> = HashSet::new();
    for row in db.query_all(&here).await? {
        residents.insert(row.try_get("", "person")?);
    }
    let people: Vec<(Uuid, bool, bool)> = person::Entity::find()
        .select_only()
        .columns([person::Column::Id, person::Column::Active, person::Column::NeedsLonger])
        .filter(person::Column::Tenant.eq(scope.tenant.0))
        .filter(person::Column::Id.in_subquery(with_something(scope, building)))
        .order_by_asc(person::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let (mut holders, mut place) = (Vec::with_capacity(people.len()), HashMap::new());
    for (id, active, needs_longer) in people {
        // who has something and no right is nobody to this controller
        let Some(mut rights) = rights.remove(&id) else { continue };
        rights.sort_unstable();
        let class = if residents.contains(&id) { HolderClass::Resident } else { HolderClass::Passing };
        place.insert(id, holders.len());
        holders.push(RightsHolder { person: id.into(), active, class, needs_longer, rights });
    }
    let rows = card::Entity::find()
        .filter(card::Column::Tenant.eq(scope.tenant.0))
        .filter(card::Column::Building.eq(building))
        .order_by_asc(card::Column::Id)
        .all(db)
        .await?;
    let mut cards = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(holder) = place.get(&row.person) {
            let card = convert::card(row)?;
            let blocked = card.blocked.is_some();
            cards.push(RightsCard { key: card.key, holder: *holder, blocked, tier: card.tier });
        }
    }
    Ok((holders, cards))
}
