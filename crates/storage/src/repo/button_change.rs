//! Changing a button, and what administrators say to what residents did with theirs (R10–R12, R16).

use crate::entity::{bell, bell_member, unit};
use crate::record::{Button, ButtonChanged, ButtonEdit, Look, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::intercom::{self, Intercom, Who, members_of, policy_in};
use crate::repo::pictures::{PictureVerdict, is_unseen, looked_at, pictures_of};
use crate::repo::reach;
use crate::tx::{self, Isolation, Tx};
use crate::{Result, StorageError};
use klinke_model::alphabet::Alphabet;
use klinke_model::ids::{BellId, BuildingId, PersonId};
use klinke_model::intercom::{BellKind, BellMember, DialCode, Moderation, Picture};
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

impl Intercom<'_> {
    /// One button, and the building it is in.
    pub async fn button(&self, scope: &Scope, bell: BellId) -> Result<Option<(BuildingId, Button)>> {
        tx::read(self.0, |tx| async move {
            let row = bell::Entity::find_by_id((scope.tenant.0, bell.0))
                .filter(reach::may(scope, Right::SeePeople, bell::Column::Building))
                .one(&*tx)
                .await?;
            let Some(row) = row else { return Ok(None) };
            let members = members_of(&*tx, scope, [row.id], Who::All).await?.remove(&row.id);
            let picture = pictures_in(&*tx, scope, row.building, [row.id]).await?.remove(&row.id);
            let unit = unit::Entity::find_by_id((scope.tenant.0, row.unit)).one(&*tx).await?;
            let number = unit.as_ref().map_or("", |unit| &unit.number);
            Ok(Some((row.building.into(), button(&row, members.unwrap_or_default(), picture, number)?)))
        })
        .await
    }

    /// Changes a button when it still has the version that the asker saw. `everywhere`: also the buttons with the same text
    /// that the same unit has on other panels. The members must live in the unit.
    ///
    /// # Errors
    /// [`StorageError::Invalid`] when an individual button has not exactly one member, or one that can only be dialled no
    /// code.
    pub async fn change_bell(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        bell: BellId,
        version: u64,
        edit: &ButtonEdit,
        everywhere: bool,
    ) -> Result<ButtonChanged> {
        if edit.kind == BellKind::Individual && edit.members.len() != 1 {
            return Err(StorageError::Invalid("an individual button has exactly one member"));
        }
        if edit.listing == klinke_model::intercom::Listing::DialOnly && edit.dial_code.is_none() {
            return Err(StorageError::Invalid("a button that can only be dialled has a code"));
        }
        let changed = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(found) = changeable(&*tx, scope, bell).await? else {
                return Ok(ButtonChanged::NotThere);
            };
            if u64::try_from(found.version) != Ok(version) {
                return Ok(ButtonChanged::Conflict);
            }
            let mut all = vec![found];
            if everywhere && let [found] = &all[..] {
                let same = bell::Entity::find()
                    .filter(bell::Column::Tenant.eq(scope.tenant.0))
                    .filter(bell::Column::Unit.eq(found.unit))
                    .filter(bell::Column::Label.eq(&found.label))
                    .filter(bell::Column::Panel.ne(found.panel))
                    .all(&*tx)
                    .await?;
                all.extend(same);
            }
            for row in all {
                write_edit(&tx, scope, stamp, row, edit).await?;
            }
            Ok(ButtonChanged::Done)
        });
        match changed.await {
            // the one thing of a button that two can not have
            Err(StorageError::Conflict) => Ok(ButtonChanged::CodeTaken),
            Err(StorageError::MissingReference) => Ok(ButtonChanged::NotThere),
            other => other,
        }
    }

    /// What an administrator says to a button, when it still has the version that they saw.
    pub async fn moderate_bell(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        bell: BellId,
        version: u64,
        look: &Look,
    ) -> Result<ButtonChanged> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(row) = changeable(&*tx, scope, bell).await? else { return Ok(ButtonChanged::NotThere) };
            if u64::try_from(row.version) != Ok(version) {
                return Ok(ButtonChanged::Conflict);
            }
            let members =
                members_of(&*tx, scope, [row.id], Who::All).await?.remove(&row.id).unwrap_or_default();
            let before = told(&row, &members);
            let mut set = row.clone();
            set.version = row.version.saturating_add(1);
            let action = match look {
                Look::Approve => {
                    set.label = row.text_asked.clone().unwrap_or(row.label);
                    "bell.approved"
                }
                Look::PutBack => {
                    set.label = row.text_before.clone().unwrap_or(row.label);
                    "bell.put_back"
                }
                Look::Remove(_) => "bell.taken_off",
                Look::BringBack => "bell.brought_back",
                Look::TakePicture(_) => "bell.picture_taken",
            };
            set.sort_label = Alphabet::Norwegian.key(&set.label).into_bytes();
            let verdict = match look {
                Look::Approve => PictureVerdict::Stands,
                Look::PutBack => PictureVerdict::BackToOld,
                Look::Remove(_) | Look::BringBack => PictureVerdict::OnlyWhatStood,
                Look::TakePicture(_) => PictureVerdict::Gone,
            };
            let pictured = looked_at(&tx, scope, row.id, verdict).await?;
            if let Look::TakePicture(reason) = look {
                if !pictured {
                    return Ok(ButtonChanged::NotThere);
                }
                set.picture_reason = Some(reason.as_str().to_owned());
                let waits = row.text_before.is_some() || row.text_asked.is_some();
                if row.moderation == Moderation::Pending.word() && !waits {
                    Moderation::None.word().clone_into(&mut set.moderation);
                }
            } else {
                set_verdict(&mut set, look, pictured);
            }
            set.clone().into_active_model().reset_all().update(&*tx).await?;
            let change = Change {
                building: Some(row.building.into()),
                action,
                persons: members.iter().map(|member| member.person).collect(),
                before: Some(before),
                after: Some(told(&set, &members)),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(ButtonChanged::Done)
        })
        .await
    }

    /// The button of a panel that a code rings. For that panel.
    pub async fn bell_by_code(&self, scope: &Scope, code: &DialCode) -> Result<Option<BellId>> {
        let klinke_model::scope::Principal::Panel(panel) = scope.principal else { return Ok(None) };
        tx::read(self.0, |tx| async move {
            let found = bell::Entity::find()
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Panel.eq(panel.0))
                .filter(bell::Column::DialCode.eq(code.as_str()))
                .filter(intercom::on_its_panel(scope))
                .one(&*tx)
                .await?;
            Ok(found.map(|row| row.id.into()))
        })
        .await
    }
}

/// What a look makes of the button's own words.
fn set_verdict(set: &mut bell::Model, look: &Look, pictured: bool) {
    let (moderation, reason) = match look {
        Look::Remove(reason) => (Moderation::Removed, Some(reason.as_str().to_owned())),
        _ => (Moderation::None, None),
    };
    moderation.word().clone_into(&mut set.moderation);
    set.removed_reason = reason;
    if !matches!(look, Look::BringBack) {
        set.text_before = None;
        set.text_asked = None;
    }
    if matches!(look, Look::Approve) && pictured {
        set.picture_reason = None;
    }
}

async fn changeable(db: &impl ConnectionTrait, scope: &Scope, bell: BellId) -> Result<Option<bell::Model>> {
    Ok(bell::Entity::find_by_id((scope.tenant.0, bell.0))
        .filter(reach::may(scope, Right::ChangeBuilding, bell::Column::Building))
        .one(db)
        .await?)
}

async fn write_edit(
    tx: &Tx,
    scope: &Scope,
    stamp: &Stamp,
    row: bell::Model,
    edit: &ButtonEdit,
) -> Result<()> {
    let members = members_of(&**tx, scope, [row.id], Who::All).await?.remove(&row.id).unwrap_or_default();
    let text = |text: &Pii<klinke_model::text::Label>| text.reveal().as_str().to_owned();
    let mut set = row.clone();
    set.version = row.version.saturating_add(1);
    set.label = text(&edit.label);
    set.sort_label = Alphabet::Norwegian.key(&set.label).into_bytes();
    set.alias = edit.alias.as_ref().map(text);
    edit.kind.word().clone_into(&mut set.kind);
    edit.listing.word().clone_into(&mut set.listing);
    set.hidden = edit.hidden;
    set.dial_code = edit.dial_code.as_ref().map(|code| code.reveal().as_str().to_owned());
    if set.label != row.label && row.moderation == Moderation::Pending.word() {
        // whoever writes it has looked at it, and not at a picture
        if !is_unseen(&**tx, scope, row.id).await? {
            Moderation::None.word().clone_into(&mut set.moderation);
        }
        set.text_before = None;
        set.text_asked = None;
    }
    set.clone().into_active_model().reset_all().update(&**tx).await?;
    if members != edit.members {
        bell_member::Entity::delete_many()
            .filter(bell_member::Column::Tenant.eq(scope.tenant.0))
            .filter(bell_member::Column::Bell.eq(row.id))
            .exec(&**tx)
            .await?;
        let rows = (0..).zip(&edit.members).map(|(position, member)| bell_member::ActiveModel {
            tenant: Set(scope.tenant.0),
            bell: Set(row.id),
            person: Set(member.person.0),
            unit: Set(row.unit),
            label: Set(text(&member.label)),
            position: Set(position),
        });
        bell_member::Entity::insert_many(rows).exec_without_returning(&**tx).await?;
    }
    let mut persons: Vec<PersonId> = members.iter().map(|member| member.person).collect();
    persons.extend(edit.members.iter().map(|member| member.person));
    let change = Change {
        building: Some(row.building.into()),
        action: "bell.changed",
        persons,
        before: Some(told(&row, &members)),
        after: Some(told(&set, &edit.members)),
    };
    audit::append(tx, scope, stamp, change).await
}

/// What the audit tells of a button. Its code is not told: whoever reads it can ring.
fn told(row: &bell::Model, members: &[BellMember]) -> Value {
    json!({
        "panel": row.panel,
        "unit": row.unit,
        "text": row.label,
        "alias": row.alias,
        "kind": row.kind,
        "members": members.iter().map(|member| member.label.reveal()).collect::<Vec<_>>(),
        "listing": row.listing,
        "hidden": row.hidden,
        "removed": row.removed_reason,
        "picture_taken": row.picture_reason,
    })
}

/// The pictures of these buttons of a building.
pub(super) async fn pictures_in(
    db: &impl ConnectionTrait,
    scope: &Scope,
    building: Uuid,
    bells: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Picture>> {
    pictures_of(db, scope, &policy_in(db, scope, building).await?, bells).await
}

pub(super) fn button(
    row: &bell::Model,
    members: Vec<BellMember>,
    picture: Option<Picture>,
    number: &str,
) -> Result<Button> {
    let text = |column, text: &Option<String>| {
        text.as_deref().map(|text| At("bell", column).label(text).map(Pii::new)).transpose()
    };
    let code = |code: &String| {
        DialCode::new(code).map_err(|_| StorageError::Corrupt { table: "bell", column: "dial_code" })
    };
    Ok(Button {
        bell: intercom::bell(row, members)?,
        number: At("unit", "number").label(number)?,
        version: At("bell", "version").number(row.version)?,
        alias: text("alias", &row.alias)?,
        listing: At("bell", "listing").choice(&row.listing)?,
        dial_code: row.dial_code.as_ref().map(code).transpose()?.map(Pii::new),
        hidden: row.hidden,
        moderation: At("bell", "moderation").choice(&row.moderation)?,
        removed_reason: text("removed_reason", &row.removed_reason)?.map(Pii::into_inner),
        before: text("text_before", &row.text_before)?,
        asked: text("text_asked", &row.text_asked)?,
        picture,
        picture_reason: text("picture_reason", &row.picture_reason)?.map(Pii::into_inner),
    })
}
