//! Pictures on buttons (R11): put there by those whose button it is, or an administrator, where the building's policy allows
//! them; given to whoever may see the button, by an id that is new with every picture.
//!
//! While the policy allows none, none is told of and none is given out. A picture that a resident put there goes when they
//! no longer live there (see the table's foreign key); any goes with its button.

use crate::Result;
use crate::entity::{bell, bell_picture};
use crate::record::{NewPicture, PictureSet, Stamp};
use crate::repo::audit::{self, Change};
use crate::repo::convert::{At, Word};
use crate::repo::households::Households;
use crate::repo::intercom::{Intercom, Who, members_of, on_its_panel, policy_in};
use crate::repo::my_bells::{is_mine, mine};
use crate::repo::reach;
use crate::tx::{self, Isolation, Tx};
use klinke_model::ids::{BellId, PersonId, PictureId};
use klinke_model::intercom::{Listing, Moderation, Picture, PictureState};
use klinke_model::policy::{Asking, BellChange, BuildingPolicy, DecidedBy, Effect};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

impl Households<'_> {
    /// Puts a picture on a button of the person who asks, or takes it away. After an administrator took one away, the next
    /// waits for them.
    pub async fn set_my_picture(
        &self,
        scope: &Scope,
        bell: BellId,
        picture: Option<NewPicture>,
    ) -> Result<PictureSet> {
        let Some(who) = scope.person() else { return Ok(PictureSet::NotThere) };
        let picture = &picture;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(before) = mine(&*tx, scope, who, Expr::val(true), Some(bell)).await?.pop() else {
                return Ok(PictureSet::NotThere);
            };
            let removed = before.moderation == Moderation::Removed;
            let wish = if picture.is_some() { BellChange::Picture } else { BellChange::NoPicture };
            let effect = match before.policy.resident_may(wish, Asking { owner: before.owner, removed }) {
                Ok(effect) => effect,
                Err(decided) => return Ok(PictureSet::Decided(decided)),
            };
            let mut set = bell::Entity::update_many()
                .col_expr(bell::Column::Version, Expr::col(bell::Column::Version).add(1))
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Id.eq(bell.0));
            if let Some(picture) = picture {
                let waits = effect == Effect::AfterApproval || before.picture_reason.is_some();
                let state = if waits { PictureState::Waits } else { PictureState::New };
                put(&tx, scope, bell, before.unit.0, Some(who), state, picture).await?;
                set = set.col_expr(bell::Column::Moderation, Expr::val(Moderation::Pending.word()));
            } else {
                bell_picture::Entity::delete_by_id((scope.tenant.0, bell.0)).exec(&*tx).await?;
            }
            set.exec(&*tx).await?;
            Ok(PictureSet::Done(before.building))
        })
        .await
    }
}

impl Intercom<'_> {
    /// An administrator puts a picture on a button. It stands at once.
    pub async fn put_picture(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        bell: BellId,
        picture: NewPicture,
    ) -> Result<PictureSet> {
        let picture = &picture;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let found = bell::Entity::find_by_id((scope.tenant.0, bell.0))
                .filter(reach::may(scope, Right::ChangeBuilding, bell::Column::Building))
                .one(&*tx)
                .await?;
            let Some(row) = found else { return Ok(PictureSet::NotThere) };
            if !policy_in(&*tx, scope, row.building).await?.pictures {
                return Ok(PictureSet::Decided(DecidedBy::Administrator));
            }
            put(&tx, scope, bell, row.unit, None, PictureState::Seen, picture).await?;
            bell::Entity::update_many()
                .col_expr(bell::Column::Version, Expr::col(bell::Column::Version).add(1))
                .col_expr(bell::Column::PictureReason, Expr::val(None::<String>))
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Id.eq(bell.0))
                .exec(&*tx)
                .await?;
            let members = members_of(&*tx, scope, [row.id], Who::All).await?.remove(&row.id);
            let change = Change {
                building: Some(row.building.into()),
                action: "bell.picture_put",
                persons: members.unwrap_or_default().iter().map(|member| member.person).collect(),
                before: None,
                after: Some(json!({ "panel": row.panel, "unit": row.unit, "text": row.label })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(PictureSet::Done(row.building.into()))
        })
        .await
    }

    /// A picture, while the policy allows pictures: for the panel that shows it, those whose button it is, and who sees the
    /// building's people.
    pub async fn picture(&self, scope: &Scope, picture: PictureId) -> Result<Option<Vec<u8>>> {
        let people = reach::may(scope, Right::SeePeople, bell::Column::Building);
        let seen = &match scope.principal {
            Principal::Controller(_) => return Ok(None),
            Principal::Panel(panel) => bell::Column::Panel
                .eq(panel.0)
                .and(bell::Column::Listing.ne(Listing::DialOnly.word()))
                .and(bell_picture::Column::State.ne(PictureState::Waits.word()))
                .and(on_its_panel(scope)),
            Principal::Person { person, .. } => people.or(is_mine(scope, person)),
            Principal::System | Principal::Token { .. } => people,
        };
        tx::read(self.0, |tx| async move {
            let found = bell_picture::Entity::find()
                .filter(bell_picture::Column::Tenant.eq(scope.tenant.0))
                .filter(bell_picture::Column::Id.eq(picture.0))
                .find_both_related(bell::Entity)
                .filter(seen.clone())
                .one(&*tx)
                .await?;
            let Some((picture, bell)) = found else { return Ok(None) };
            let allowed = policy_in(&*tx, scope, bell.building).await?.pictures;
            Ok(allowed.then_some(picture.content))
        })
        .await
    }
}

/// Puts a picture in the place of the one before.
async fn put(
    tx: &Tx,
    scope: &Scope,
    bell: BellId,
    unit: Uuid,
    person: Option<PersonId>,
    state: PictureState,
    picture: &NewPicture,
) -> Result<()> {
    bell_picture::Entity::delete_by_id((scope.tenant.0, bell.0)).exec(&**tx).await?;
    let row = bell_picture::ActiveModel {
        tenant: Set(scope.tenant.0),
        bell: Set(bell.0),
        id: Set(picture.id.0),
        unit: Set(unit),
        person: Set(person.map(|person| person.0)),
        content: Set(picture.content.reveal().clone()),
        state: Set(state.word().to_owned()),
    };
    bell_picture::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// The pictures of these buttons, as far as the policy allows any.
pub(super) async fn pictures_of(
    db: &impl ConnectionTrait,
    scope: &Scope,
    policy: &BuildingPolicy,
    bells: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Picture>> {
    if !policy.pictures {
        return Ok(HashMap::new());
    }
    // not the pictures themselves
    let rows: Vec<(Uuid, Uuid, String)> = bell_picture::Entity::find()
        .select_only()
        .columns([bell_picture::Column::Bell, bell_picture::Column::Id, bell_picture::Column::State])
        .filter(bell_picture::Column::Tenant.eq(scope.tenant.0))
        .filter(bell_picture::Column::Bell.is_in(bells))
        .into_tuple()
        .all(db)
        .await?;
    let picture = |(bell, id, state): (Uuid, Uuid, String)| {
        let state = At("bell_picture", "state").choice(&state)?;
        Ok((bell, Picture { id: id.into(), state }))
    };
    rows.into_iter().map(picture).collect()
}

/// What an administrator's look makes of a button's picture: what they saw may stand, what they refused is gone.
pub(super) async fn looked_at(tx: &Tx, scope: &Scope, bell: Uuid, verdict: PictureVerdict) -> Result<bool> {
    let of = bell_picture::Column::Tenant.eq(scope.tenant.0).and(bell_picture::Column::Bell.eq(bell));
    let unseen = |states: &[PictureState]| {
        bell_picture::Column::State.is_in(states.iter().map(|state| state.word()).collect::<Vec<_>>())
    };
    let (gone, stands): (&[PictureState], &[PictureState]) = match verdict {
        PictureVerdict::Stands => (&[], &[PictureState::New, PictureState::Waits]),
        PictureVerdict::BackToOld => (&[PictureState::New, PictureState::Waits], &[]),
        PictureVerdict::OnlyWhatStood => (&[PictureState::Waits], &[PictureState::New]),
        PictureVerdict::Gone => (&[PictureState::Seen, PictureState::New, PictureState::Waits], &[]),
    };
    let mut changed = 0;
    if !gone.is_empty() {
        let deleted =
            bell_picture::Entity::delete_many().filter(of.clone()).filter(unseen(gone)).exec(&**tx).await?;
        changed += deleted.rows_affected;
    }
    if !stands.is_empty() {
        let seen = bell_picture::Entity::update_many()
            .col_expr(bell_picture::Column::State, Expr::val(PictureState::Seen.word()))
            .filter(of)
            .filter(unseen(stands))
            .exec(&**tx)
            .await?;
        changed += seen.rows_affected;
    }
    Ok(changed > 0)
}

/// What becomes of a button's picture.
#[derive(Clone, Copy)]
pub(super) enum PictureVerdict {
    /// It may stand; what waited stands from now on.
    Stands,
    /// What nobody had looked at is gone.
    BackToOld,
    /// What waited is gone; what was on the panel is not new any more.
    OnlyWhatStood,
    /// It is gone.
    Gone,
}

/// Whether a button has a picture that no administrator has looked at.
pub(super) async fn is_unseen(db: &impl ConnectionTrait, scope: &Scope, bell: Uuid) -> Result<bool> {
    let row: Option<String> = bell_picture::Entity::find_by_id((scope.tenant.0, bell))
        .select_only()
        .column(bell_picture::Column::State)
        .into_tuple()
        .one(db)
        .await?;
    Ok(row.is_some_and(|state| state != PictureState::Seen.word()))
}
