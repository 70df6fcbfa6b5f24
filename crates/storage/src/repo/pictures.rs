//! Pictures on buttons (R11): put there by those whose button it is, where the building's policy allows them.
//!
//! A picture is asked for by the hash of its content, without a session: whoever stands before the panel sees it anyway.
//! While the policy does not allow pictures none is told of and none is given out.

use crate::entity::{bell, bell_picture, building_policy};
use crate::record::{Picture, PictureSet, PictureState};
use crate::repo::convert::{At, Word};
use crate::repo::households::{Households, policy_of};
use crate::repo::{Gate, my_bells};
use crate::tx::{self, Isolation};
use crate::{Result, StorageError};
use klinke_model::ids::BellId;
use klinke_model::intercom::Moderation;
use klinke_model::policy::{Asking, BellChange, BuildingPolicy, Effect};
use klinke_model::scope::Scope;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;
use uuid::Uuid;

impl Households<'_> {
    /// Puts a picture (with its SHA-256) on a button of the person who asks, or takes it away.
    pub async fn set_my_picture(
        &self,
        scope: &Scope,
        bell: BellId,
        picture: Option<([u8; 32], Vec<u8>)>,
    ) -> Result<PictureSet> {
        let Some(who) = scope.person() else { return Ok(PictureSet::NotThere) };
        let picture = &picture;
        tx::write(self.0, Isolation::Serializable, |tx| async move {
            let Some(before) = my_bells::mine(&*tx, scope, who, Some(bell)).await?.pop() else {
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
            if let Some((hash, content)) = picture {
                let state = match effect {
                    Effect::AtOnce => PictureState::New,
                    Effect::AfterApproval => PictureState::Waits,
                };
                let row = bell_picture::ActiveModel {
                    tenant: Set(scope.tenant.0),
                    bell: Set(bell.0),
                    hash: Set(hash.to_vec()),
                    content: Set(content.clone()),
                    state: Set(state.word().to_owned()),
                };
                let instead = OnConflict::columns([bell_picture::Column::Tenant, bell_picture::Column::Bell])
                    .update_columns([
                        bell_picture::Column::Hash,
                        bell_picture::Column::Content,
                        bell_picture::Column::State,
                    ])
                    .to_owned();
                bell_picture::Entity::insert(row).on_conflict(instead).exec_without_returning(&*tx).await?;
                set = set.col_expr(bell::Column::Moderation, Expr::val(Moderation::Pending.word()));
                if before.moderation == Moderation::None {
                    // should they write something too before somebody looks
                    set = set.col_expr(bell::Column::TextBefore, Expr::col(bell::Column::Label));
                }
            } else {
                bell_picture::Entity::delete_by_id((scope.tenant.0, bell.0)).exec(&*tx).await?;
            }
            set.exec(&*tx).await?;
            Ok(PictureSet::Done(before.building))
        })
        .await
    }
}

impl Gate<'_> {
    /// A picture by the SHA-256 of its content, while a building's policy lets one button have it.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn picture(&self, hash: [u8; 32]) -> Result<Option<Vec<u8>>> {
        tx::read(self.0, |tx| async move {
            let rows = bell_picture::Entity::find()
                .filter(bell_picture::Column::Hash.eq(hash.to_vec()))
                .find_both_related(bell::Entity)
                .all(&*tx)
                .await?;
            for (picture, bell) in rows {
                let key = (picture.tenant, bell.building);
                let policy = building_policy::Entity::find_by_id(key).one(&*tx).await?;
                if policy_of(policy.as_ref())?.pictures {
                    return Ok(Some(picture.content));
                }
            }
            Ok(None)
        })
        .await
    }
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
    let rows: Vec<(Uuid, Vec<u8>, String)> = bell_picture::Entity::find()
        .select_only()
        .columns([bell_picture::Column::Bell, bell_picture::Column::Hash, bell_picture::Column::State])
        .filter(bell_picture::Column::Tenant.eq(scope.tenant.0))
        .filter(bell_picture::Column::Bell.is_in(bells))
        .into_tuple()
        .all(db)
        .await?;
    rows.into_iter()
        .map(|(bell, hash, state)| {
            let corrupt = StorageError::Corrupt { table: "bell_picture", column: "hash" };
            let hash = hash.try_into().map_err(|_| corrupt)?;
            Ok((bell, Picture { hash, state: At("bell_picture", "state").choice(&state)? }))
        })
        .collect()
}
