//! Panels, buttons, and what a tap needs.

use crate::entity::{
    bell, bell_hours, bell_member, building, building_policy, device, door, entrance, panel, panel_door,
    person, unit,
};
use crate::error::absent_is_false;
use crate::record::{DirectoryBell, PanelDirectory, RingFacts, SeenPanel, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{self, At, Word};
use crate::repo::households::policy_of;
use crate::repo::pictures::pictures_of;
use crate::repo::{phone_numbers, reach, revision, sip_accounts, station_bells};
use crate::tx::{self, Isolation, Tx};
use crate::{Result, StorageError, Store};
use klinke_model::alphabet::Alphabet;
use klinke_model::ids::{BellId, BuildingId, PanelId};
use klinke_model::intercom::{Bell, BellKind, BellMember, Listing, Moderation, Panel, PictureState};
use klinke_model::policy::{BuildingPolicy, ButtonOrder};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::text::Label;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Panels and buttons: for who administers the building; a panel sees itself.
///
/// Every function fails only when the database can not do its work; what is not there, or not the principal's, is
/// `None`, `false` or empty. An id that is taken is [`StorageError::Conflict`].
#[derive(Debug)]
pub struct Intercom<'a>(pub(crate) &'a Store);

impl Intercom<'_> {
    /// Panels of a building, by name.
    pub async fn panels(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Panel>> {
        tx::read(self.0, |tx| async move {
            let rows = panel::Entity::find()
                .filter(panel::Column::Tenant.eq(scope.tenant.0))
                .filter(panel::Column::Building.eq(building.0))
                .filter(reach::may(scope, Right::SeeBuilding, panel::Column::Building))
                .all(&*tx)
                .await?;
            by_name(&*tx, scope, &rows).await
        })
        .await
    }

    /// Panels of a building, by name, each with what lets it in.
    pub async fn panels_seen(&self, scope: &Scope, building: BuildingId) -> Result<Vec<SeenPanel>> {
        self.seen(scope, panel::Column::Building.eq(building.0)).await
    }

    /// One panel, with what lets it in.
    pub async fn panel_seen(&self, scope: &Scope, panel: PanelId) -> Result<Option<SeenPanel>> {
        Ok(self.seen(scope, panel::Column::Id.eq(panel.0)).await?.pop())
    }

    /// However many panels there are, the database is asked for each kind of thing once.
    async fn seen(&self, scope: &Scope, which: Expr) -> Result<Vec<SeenPanel>> {
        let which = &which;
        tx::read(self.0, |tx| async move {
            let rows = panel::Entity::find()
                .filter(panel::Column::Tenant.eq(scope.tenant.0))
                .filter(which.clone())
                .filter(reach::may(scope, Right::SeeBuilding, panel::Column::Building))
                .all(&*tx)
                .await?;
            let ids = || rows.iter().map(|row| row.id);
            let paired: HashSet<Uuid> =
                rows.iter().filter(|row| row.public_key.is_some()).map(|row| row.id).collect();
            let stations = sip_accounts::door_stations(&*tx, scope, ids()).await?;
            let mut any_numbers = station_bells::any_numbers(&*tx, scope, ids()).await?;
            let seen = by_name(&*tx, scope, &rows).await?.into_iter().map(|panel| SeenPanel {
                paired: paired.contains(&panel.id.0),
                door_station: stations.contains(&panel.id.0),
                any_number: any_numbers.remove(&panel.id.0).map(Into::into),
                panel,
            });
            Ok(seen.collect())
        })
        .await
    }

    /// One panel. A panel sees itself.
    pub async fn panel(&self, scope: &Scope, panel: PanelId) -> Result<Option<Panel>> {
        tx::read(self.0, |tx| async move {
            let Some(row) = reached_panel(&*tx, scope, Right::SeeBuilding, panel).await? else {
                return Ok(None);
            };
            let doors = doors_of(&*tx, scope, [row.id]).await?.remove(&row.id).unwrap_or_default();
            self::panel(&row, &doors).map(Some)
        })
        .await
    }

    /// Adds a panel that an administrator gave its place; its entrance and doors must be in its building. The key (SPKI DER,
    /// P-256) may come later, with a ticket.
    pub async fn pair_panel(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        panel: Panel,
        public_key: Option<Vec<u8>>,
    ) -> Result<bool> {
        let (panel, public_key) = (&panel, &public_key);
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            add_panel(&tx, (scope, stamp), panel, public_key.clone()).await
        });
        absent_is_false(added.await)
    }

    /// Gives a panel a key; the one before ends with it. For who administers its building; the audit tells it, and not the
    /// key.
    pub async fn set_panel_key(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        panel: PanelId,
        public_key: Vec<u8>,
    ) -> Result<bool> {
        let public_key = &public_key;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = panel::Entity::find_by_id((scope.tenant.0, panel.0))
                .filter(reach::may(scope, Right::Devices, panel::Column::Building))
                .one(&*tx)
                .await?;
            let Some(row) = found else { return Ok(false) };
            panel::Entity::update_many()
                .col_expr(panel::Column::PublicKey, Expr::val(public_key.clone()))
                .filter(panel::Column::Tenant.eq(scope.tenant.0))
                .filter(panel::Column::Id.eq(panel.0))
                .exec(&*tx)
                .await?;
            let after = json!({ "panel": panel, "name": row.name });
            audit::append(&tx, scope, stamp, Change::made(row.building.into(), "panel.paired_anew", after))
                .await?;
            Ok(true)
        })
        .await
    }

    /// Buttons of a building, by panel and place, with all their members.
    pub async fn bells(&self, scope: &Scope, building: BuildingId) -> Result<Vec<Bell>> {
        tx::read(self.0, |tx| async move {
            let rows = bell::Entity::find()
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Building.eq(building.0))
                .filter(reach::may(scope, Right::SeePeople, bell::Column::Building))
                .order_by_asc(bell::Column::Panel)
                .order_by_asc(bell::Column::Position)
                .order_by_asc(bell::Column::Id)
                .all(&*tx)
                .await?;
            let mut members = members_of(&*tx, scope, rows.iter().map(|row| row.id), Who::All).await?;
            rows.into_iter()
                .map(|row| {
                    let members = members.remove(&row.id).unwrap_or_default();
                    self::bell(&row, members)
                })
                .collect()
        })
        .await
    }

    /// Adds a button at a place of its panel (lowest first), or after all the others. Panel and unit must be in the same building, and the
    /// members must live in the unit.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when an individual button has not exactly one member, [`StorageError::Conflict`] when
    /// somebody is named twice.
    pub async fn insert_bell(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        bell: Bell,
        position: Option<i32>,
    ) -> Result<bool> {
        let bell = &bell;
        if bell.kind == BellKind::Individual && bell.members.len() != 1 {
            return Err(StorageError::Invalid("an individual button has exactly one member"));
        }
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let panel = panel::Entity::find_by_id((scope.tenant.0, bell.panel.0))
                .filter(reach::may(scope, Right::ChangeBuilding, panel::Column::Building))
                .one(&*tx)
                .await?;
            let Some(panel) = panel else { return Ok(false) };
            let last = bell::Entity::find()
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Panel.eq(bell.panel.0))
                .order_by_desc(bell::Column::Position)
                .one(&*tx)
                .await?;
            let at_the_end = last.map_or(0, |last| last.position.saturating_add(1));
            let row = bell::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(bell.id.0),
                building: Set(panel.building),
                panel: Set(bell.panel.0),
                unit: Set(bell.unit.0),
                label: Set(bell.label.reveal().as_str().to_owned()),
                sort_label: Set(Alphabet::Norwegian.key(bell.label.reveal().as_str()).into_bytes()),
                kind: Set(bell.kind.word().to_owned()),
                position: Set(position.unwrap_or(at_the_end)),
                ..Default::default()
            };
            bell::Entity::insert(row).exec_without_returning(&*tx).await?;
            let members = (0..).zip(&bell.members).map(|(position, member)| bell_member::ActiveModel {
                tenant: Set(scope.tenant.0),
                bell: Set(bell.id.0),
                person: Set(member.person.0),
                unit: Set(bell.unit.0),
                label: Set(member.label.reveal().as_str().to_owned()),
                position: Set(position),
            });
            bell_member::Entity::insert_many(members).exec_without_returning(&*tx).await?;
            let text = bell.label.reveal();
            let change = Change {
                building: Some(panel.building.into()),
                action: "bell.made",
                persons: bell.members.iter().map(|member| member.person).collect(),
                before: None,
                after: Some(
                    json!({ "panel": bell.panel, "unit": bell.unit, "text": text, "kind": bell.kind }),
                ),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// All that a panel shows at rest. For the panel itself, and who administers its building.
    pub async fn directory(&self, scope: &Scope, panel: PanelId) -> Result<Option<PanelDirectory>> {
        tx::read(self.0, |tx| async move {
            let Some(panel) = reached_panel(&*tx, scope, Right::SeePeople, panel).await? else {
                return Ok(None);
            };
            let Some(building) = building_of(&*tx, scope, &panel).await? else { return Ok(None) };
            let rows = bell::Entity::find()
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Panel.eq(panel.id))
                .filter(on_its_panel(scope))
                .order_by_asc(bell::Column::Position)
                .order_by_asc(bell::Column::Id)
                .find_also_related(unit::Entity)
                .and_also_related(entrance::Entity)
                .all(&*tx)
                .await?;
            let twice = numbers_of_several_entrances(&rows);
            let families =
                rows.iter().map(|(bell, ..)| bell).filter(|bell| bell.kind == BellKind::Family.word());
            let mut members = members_of(&*tx, scope, families.map(|bell| bell.id), Who::Active).await?;
            let mut bells = Vec::with_capacity(rows.len());
            let policy = policy_in(&*tx, scope, building.id).await?;
            let mut pictures =
                pictures_of(&*tx, scope, &policy, rows.iter().map(|(bell, ..)| bell.id)).await?;
            pictures.retain(|_, picture| picture.state != PictureState::Waits);
            let dials = rows.iter().any(|(bell, ..)| bell.listing == Listing::DialOnly.word());
            for row in rows {
                // Foreign keys see to it that a bell has a unit and a unit an entrance.
                let (bell, Some(unit), Some(entrance)) = row else { continue };
                let listing: Listing = At("bell", "listing").choice(&bell.listing)?;
                if listing == Listing::DialOnly {
                    continue;
                }
                let alias =
                    bell.alias.as_deref().map(|alias| At("bell", "alias").label(alias)).transpose()?;
                bells.push(DirectoryBell {
                    bell: bell.id.into(),
                    label: Pii::new(At("bell", "label").label(&bell.label)?),
                    unit: number_on_a_panel(&unit, &entrance, &twice)?,
                    entrance: At("entrance", "name").label(&entrance.name)?,
                    alias: alias.map(Pii::new),
                    picture: pictures.get(&bell.id).map(|picture| picture.id),
                    search_only: listing == Listing::SearchOnly,
                    kind: At("bell", "kind").choice(&bell.kind)?,
                    members: members.remove(&bell.id).unwrap_or_default(),
                });
            }
            in_order(&mut bells, policy.button_order, Alphabet::of_time_zone(&building.time_zone));
            let building = convert::building(&building)?;
            let panel = At("panel", "name").label(&panel.name)?;
            Ok(Some(PanelDirectory {
                revision: revision::of(&building.name, &building.address, &panel, dials, &bells),
                building: building.name,
                address: building.address,
                panel,
                dials,
                bells,
            }))
        })
        .await
    }

    /// All that a tap on a button needs, as of one moment. For the panel that the button is on, and the service.
    pub async fn ring_facts(&self, scope: &Scope, bell: BellId) -> Result<Option<RingFacts>> {
        let at_this_panel = &match scope.principal {
            Principal::System => Expr::val(true),
            Principal::Panel(panel) => bell::Column::Panel.eq(panel.0).and(on_its_panel(scope)),
            Principal::Person { .. } | Principal::Token { .. } | Principal::Controller(_) => return Ok(None),
        };
        tx::read(self.0, |tx| async move {
            let found = bell::Entity::find_by_id((scope.tenant.0, bell.0))
                .filter(at_this_panel.clone())
                .find_both_related(panel::Entity)
                .one(&*tx)
                .await?;
            let Some((bell, panel)) = found else { return Ok(None) };
            let Some(building) = building_of(&*tx, scope, &panel).await? else { return Ok(None) };
            let members =
                members_of(&*tx, scope, [bell.id], Who::Active).await?.remove(&bell.id).unwrap_or_default();
            let devices = device::Entity::find()
                .filter(device::Column::Tenant.eq(scope.tenant.0))
                .filter(device::Column::Person.is_in(members.iter().map(|member| member.person.0)))
                .all(&*tx)
                .await?;
            let doors = doors_of(&*tx, scope, [panel.id]).await?.remove(&panel.id).unwrap_or_default();
            let policy = policy_in(&*tx, scope, building.id).await?;
            let people = members.iter().map(|member| member.person.0);
            let stations = sip_accounts::to_ring(&*tx, scope, &devices).await?;
            let phones = phone_numbers::to_ring(&*tx, scope, policy.phones, people).await?;
            Ok(Some(RingFacts {
                quiet_hours: policy.quiet_hours,
                phones,
                unit: bell.unit.into(),
                bell: self::bell(&bell, members)?,
                panel: self::panel(&panel, &doors)?,
                building: convert::building(&building)?,
                devices: devices.iter().map(convert::device).collect::<Result<_>>()?,
                stations,
                doors: doors.iter().map(convert::door).collect::<Result<_>>()?,
            }))
        })
        .await
    }
}

/// Numbers that units of several entrances on one panel have: a visitor must be able to tell them apart.
fn numbers_of_several_entrances(
    rows: &[(bell::Model, Option<unit::Model>, Option<entrance::Model>)],
) -> HashSet<String> {
    let mut seen: HashMap<&str, Uuid> = HashMap::new();
    let mut twice = HashSet::new();
    for unit in rows.iter().filter_map(|(_, unit, _)| unit.as_ref()) {
        if *seen.entry(&unit.number).or_insert(unit.entrance) != unit.entrance {
            twice.insert(unit.number.clone());
        }
    }
    twice
}

/// "Storgata 12 A · 1101" where another entrance has a 1101 too, else "1101".
fn number_on_a_panel(
    unit: &unit::Model,
    entrance: &entrance::Model,
    twice: &HashSet<String>,
) -> Result<Label> {
    let number = At("unit", "number").label(&unit.number)?;
    if !twice.contains(&unit.number) {
        return Ok(number);
    }
    // a name that fills the line alone leaves no room for the number: the panel groups by entrance as well
    Ok(Label::new(&format!("{} · {}", entrance.name, unit.number)).unwrap_or(number))
}

/// That a button is on its panel just now: nobody hid it, its timetable does not, and no administrator took it off.
pub(super) fn on_its_panel(scope: &Scope) -> Expr {
    let hidden_by_hours = Query::select()
        .column(bell_hours::Column::Bell)
        .from(bell_hours::Entity)
        .and_where(bell_hours::Column::Tenant.eq(scope.tenant.0))
        .and_where(bell_hours::Column::Hides.eq(true))
        .take();
    bell::Column::Hidden
        .eq(false)
        .and(bell::Column::Moderation.ne(Moderation::Removed.word()))
        .and(bell::Column::Id.not_in_subquery(hidden_by_hours))
}

/// What the people of a building may decide.
pub(super) async fn policy_in(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: Uuid,
) -> Result<BuildingPolicy> {
    let row = building_policy::Entity::find_by_id((scope.tenant.0, building)).one(db).await?;
    policy_of(row.as_ref())
}

/// Puts buttons in the order that the building wants; those of one text or unit stay as they were placed.
fn in_order(bells: &mut [DirectoryBell], order: ButtonOrder, alphabet: Alphabet) {
    let key = |label: &Label| alphabet.natural(label.as_str());
    match order {
        ButtonOrder::AsPlaced => {}
        ButtonOrder::ByText => bells.sort_by_cached_key(|bell| key(bell.label.reveal())),
        ButtonOrder::ByUnit => bells.sort_by_cached_key(|bell| (key(&bell.entrance), key(&bell.unit))),
    }
}

/// These panels by name, with their doors.
async fn by_name(db: &impl ConnectionTrait, scope: &Scope, rows: &[panel::Model]) -> Result<Vec<Panel>> {
    let mut doors = doors_of(db, scope, rows.iter().map(|row| row.id)).await?;
    let with_doors = |row: &panel::Model| panel(row, &doors.remove(&row.id).unwrap_or_default());
    let mut panels = rows.iter().map(with_doors).collect::<Result<Vec<_>>>()?;
    panels.sort_by_cached_key(|panel| (panel.name.clone(), panel.id));
    Ok(panels)
}

/// A panel that is there and is the principal, or in whose building the principal has a right.
async fn reached_panel(
    db: &impl ConnectionTrait,
    scope: &Scope,
    right: Right,
    panel: PanelId,
) -> Result<Option<panel::Model>> {
    let itself = scope.principal == Principal::Panel(panel);
    Ok(panel::Entity::find_by_id((scope.tenant.0, panel.0))
        .filter(Expr::val(itself).or(reach::may(scope, right, panel::Column::Building)))
        .one(db)
        .await?)
}

async fn building_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    panel: &panel::Model,
) -> Result<Option<building::Model>> {
    Ok(building::Entity::find_by_id((scope.tenant.0, panel.building)).one(db).await?)
}

/// The doors that calls at these panels offer, in the panels' order.
pub(super) async fn doors_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    panels: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Vec<door::Model>>> {
    let rows = panel_door::Entity::find()
        .filter(panel_door::Column::Tenant.eq(scope.tenant.0))
        .filter(panel_door::Column::Panel.is_in(panels))
        .order_by_asc(panel_door::Column::Position)
        .find_both_related(door::Entity)
        .all(db)
        .await?;
    let mut doors: HashMap<Uuid, Vec<door::Model>> = HashMap::new();
    for (offered, door) in rows {
        doors.entry(offered.panel).or_default().push(door);
    }
    Ok(doors)
}

/// Which members of a button.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Also those who are suspended.
    All,
    /// Those who can be rung.
    Active,
}

/// The members of these buttons, in the buttons' order.
pub(super) async fn members_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    bells: impl IntoIterator<Item = Uuid>,
    who: Who,
) -> Result<HashMap<Uuid, Vec<BellMember>>> {
    let rows = bell_member::Entity::find()
        .filter(bell_member::Column::Tenant.eq(scope.tenant.0))
        .filter(bell_member::Column::Bell.is_in(bells))
        .order_by_asc(bell_member::Column::Position)
        .find_both_related(person::Entity)
        .all(db)
        .await?;
    let mut members: HashMap<Uuid, Vec<BellMember>> = HashMap::new();
    for (member, person) in rows {
        if who == Who::All || person.active {
            members.entry(member.bell).or_default().push(convert::bell_member(&member)?);
        }
    }
    Ok(members)
}

pub(super) fn panel(row: &panel::Model, doors: &[door::Model]) -> Result<Panel> {
    Ok(Panel {
        id: row.id.into(),
        building: row.building.into(),
        entrance: row.entrance.map(Into::into),
        name: At("panel", "name").label(&row.name)?,
        doors: doors.iter().map(|door| door.id.into()).collect(),
    })
}

pub(super) fn bell(row: &bell::Model, members: Vec<BellMember>) -> Result<Bell> {
    Ok(Bell {
        id: row.id.into(),
        panel: row.panel.into(),
        unit: row.unit.into(),
        label: Pii::new(At("bell", "label").label(&row.label)?),
        kind: At("bell", "kind").choice(&row.kind)?,
        members,
    })
}

/// Adds a panel and tells it. `false` when it is not for the principal to add; an error when its entrance or a door is not
/// there.
pub(super) async fn add_panel(
    tx: &Tx,
    (scope, stamp): (&Scope, &Stamp),
    panel: &Panel,
    public_key: Option<Vec<u8>>,
) -> Result<bool> {
    if !insert_panel(tx, scope, panel, public_key).await? {
        return Ok(false);
    }
    let after =
        json!({ "panel": panel.id, "name": panel.name, "entrance": panel.entrance, "doors": panel.doors });
    audit::append(tx, scope, stamp, Change::made(panel.building, "panel.paired", after)).await?;
    Ok(true)
}

async fn insert_panel(tx: &Tx, scope: &Scope, panel: &Panel, public_key: Option<Vec<u8>>) -> Result<bool> {
    if !reach::building(&**tx, scope, Right::Devices, panel.building).await? {
        return Ok(false);
    }
    let row = panel::ActiveModel {
        tenant: Set(scope.tenant.0),
        id: Set(panel.id.0),
        building: Set(panel.building.0),
        entrance: Set(panel.entrance.map(|entrance| entrance.0)),
        name: Set(panel.name.as_str().to_owned()),
        public_key: Set(public_key),
        version: Set(1),
        wrong_codes: Set(0),
    };
    panel::Entity::insert(row).exec_without_returning(&**tx).await?;
    let doors = (0..).zip(&panel.doors).map(|(position, door)| panel_door::ActiveModel {
        tenant: Set(scope.tenant.0),
        panel: Set(panel.id.0),
        door: Set(door.0),
        building: Set(panel.building.0),
        position: Set(position),
    });
    panel_door::Entity::insert_many(doors).exec_without_returning(&**tx).await?;
    Ok(true)
}
