//! Addresses that are told of changes, and the messages that wait for them.
//!
//! ```text
//! change ──▶ message (same transaction) ──▶ taken for a while ──▶ sent ──▶ gone
//!                                                           └──▶ failed: the address waits, longer each time
//! ```
//!
//! Messages of one address go in order: the oldest is tried until it is taken or given up.

use crate::entity::{webhook, webhook_delivery};
use crate::error::absent_is_false;
use crate::record::{DueWebhook, NewWebhook, Stamp, Tried, Waiting, Webhook, WebhookChange, WebhookChanged};
use crate::repo::audit::{self, Change};
use crate::repo::convert::At;
use crate::repo::{news, reach};
use crate::tx::{self, Isolation, Tx};
use crate::{Result, StorageError, Store};
use klinke_model::events::{Event, EventKind};
use klinke_model::ids::WebhookId;
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};

/// Addresses that are told of changes: for who may change the building they are told of; of all buildings, for who may
/// change them all.
///
/// Every function fails only when the database can not do its work; what is not the principal's is empty or `None`.
#[derive(Debug)]
pub struct Webhooks<'a>(pub(crate) &'a Store);

impl Webhooks<'_> {
    /// All that the principal may change, in the order they were made.
    pub async fn webhooks(&self, scope: &Scope) -> Result<Vec<Webhook>> {
        tx::read(self.0, |tx| async move {
            let rows = webhook::Entity::find()
                .filter(webhook::Column::Tenant.eq(scope.tenant.0))
                .filter(reach::may(scope, Right::ChangeBuilding, webhook::Column::Building))
                .order_by_asc(webhook::Column::Id)
                .all(&*tx)
                .await?;
            let mut all = Vec::with_capacity(rows.len());
            for row in rows {
                all.push(whole(&*tx, row).await?);
            }
            Ok(all)
        })
        .await
    }

    /// One of them.
    pub async fn webhook(&self, scope: &Scope, id: WebhookId) -> Result<Option<Webhook>> {
        tx::read(self.0, |tx| async move {
            match found(&*tx, scope, id).await? {
                Some(row) => Ok(Some(whole(&*tx, row).await?)),
                None => Ok(None),
            }
        })
        .await
    }

    /// Adds one, with its first secret. `false` when the building is not there or not the principal's.
    pub async fn add_webhook(&self, scope: &Scope, stamp: &Stamp, new: NewWebhook) -> Result<bool> {
        let new = &new;
        let added = tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let may = match new.building {
                Some(building) => reach::building(&*tx, scope, Right::ChangeBuilding, building).await?,
                None => reach::holds(&*tx, reach::may_everywhere(scope, Right::ChangeBuilding)).await?,
            };
            if !may {
                return Ok(false);
            }
            let row = webhook::ActiveModel {
                tenant: Set(scope.tenant.0),
                id: Set(new.id.0),
                building: Set(new.building.map(|building| building.0)),
                url: Set(new.url.clone()),
                events: Set(words(&new.events)),
                enabled: Set(true),
                secret: Set(1),
                before_until: Set(None),
                version: Set(1),
                run_at: Set(stamp.at.as_millis()),
                attempts: Set(0),
                failing_since: Set(None),
                failure: Set(None),
                lost: Set(0),
            };
            webhook::Entity::insert(row).exec_without_returning(&*tx).await?;
            let after = json!({ "webhook": new.id, "url": new.url, "events": new.events });
            let change = Change {
                building: new.building,
                action: "webhook.made",
                persons: Vec::new(),
                before: None,
                after: Some(after),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(true)
        });
        absent_is_false(added.await)
    }

    /// Changes one. It is tried at once, whatever failed before.
    pub async fn change_webhook(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: WebhookId,
        change: WebhookChange,
    ) -> Result<WebhookChanged> {
        let wanted = &change;
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(row) = found(&*tx, scope, id).await? else { return Ok(WebhookChanged::NotFound) };
            let before = whole(&*tx, row).await?;
            if before.version != wanted.version {
                return Ok(WebhookChanged::Conflict(before));
            }
            let url = wanted.url.clone().unwrap_or_else(|| before.url.clone());
            let events = wanted.events.clone().unwrap_or_else(|| before.events.clone());
            let enabled = wanted.enabled.unwrap_or(before.enabled);
            one(scope, id)
                .col_expr(webhook::Column::Url, Expr::val(url.clone()))
                .col_expr(webhook::Column::Events, Expr::val(words(&events)))
                .col_expr(webhook::Column::Enabled, Expr::val(enabled))
                .col_expr(webhook::Column::Version, Expr::col(webhook::Column::Version).add(1))
                .col_expr(webhook::Column::RunAt, Expr::val(stamp.at.as_millis()))
                .col_expr(webhook::Column::Attempts, Expr::val(0))
                .col_expr(webhook::Column::FailingSince, Expr::val(None::<i64>))
                .col_expr(webhook::Column::Failure, Expr::val(None::<String>))
                .exec(&*tx)
                .await?;
            if !enabled {
                forget(&tx, scope, id).await?;
            }
            let told = |webhook: &Webhook| {
                json!({ "webhook": id, "url": webhook.url, "events": webhook.events, "enabled": webhook.enabled })
            };
            let row = found(&*tx, scope, id).await?.ok_or(StorageError::Contended)?;
            let after = whole(&*tx, row).await?;
            append(&tx, scope, stamp, &after, "webhook.changed", (Some(told(&before)), Some(told(&after)))).await?;
            Ok(WebhookChanged::Done(after))
        })
        .await
    }

    /// Gives one a new secret; the one before is good until then.
    pub async fn rotate_webhook(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        id: WebhookId,
        before_until: Timestamp,
    ) -> Result<Option<Webhook>> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if found(&*tx, scope, id).await?.is_none() {
                return Ok(None);
            }
            one(scope, id)
                .col_expr(webhook::Column::Secret, Expr::col(webhook::Column::Secret).add(1))
                .col_expr(webhook::Column::BeforeUntil, Expr::val(before_until.as_millis()))
                .col_expr(webhook::Column::Version, Expr::col(webhook::Column::Version).add(1))
                .exec(&*tx)
                .await?;
            let row = found(&*tx, scope, id).await?.ok_or(StorageError::Contended)?;
            let after = whole(&*tx, row).await?;
            let told = json!({ "webhook": id, "url": after.url });
            append(&tx, scope, stamp, &after, "webhook.rotated", (None, Some(told))).await?;
            Ok(Some(after))
        })
        .await
    }

    /// Removes one, with what waits for it.
    pub async fn remove_webhook(&self, scope: &Scope, stamp: &Stamp, id: WebhookId) -> Result<bool> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let Some(row) = found(&*tx, scope, id).await? else { return Ok(false) };
            let before = whole(&*tx, row).await?;
            webhook::Entity::delete_by_id((scope.tenant.0, id.0)).exec(&*tx).await?;
            let told = json!({ "webhook": id, "url": before.url, "events": before.events });
            append(&tx, scope, stamp, &before, "webhook.removed", (Some(told), None)).await?;
            Ok(true)
        })
        .await
    }

    /// Takes one for which something waits until then: nobody else sends to it meanwhile. `false` when somebody else has it,
    /// or nothing waits. What waits is read after this: what was read before may have been sent meanwhile by who had it.
    /// For the service.
    pub async fn take_webhook(&self, scope: &Scope, due: &DueWebhook, until: Timestamp) -> Result<bool> {
        if scope.principal != Principal::System {
            return Ok(false);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let taken = one(scope, due.id)
                .col_expr(webhook::Column::RunAt, Expr::val(until.as_millis()))
                .filter(webhook::Column::RunAt.eq(due.run_at.as_millis()))
                .filter(webhook::Column::Enabled.eq(true))
                .filter(reach::exists(webhook_delivery::Entity, waits()))
                .exec(&*tx)
                .await?;
            Ok(taken.rows_affected > 0)
        })
        .await
    }

    /// The oldest message that waits for one that is switched on. For the service.
    pub async fn next_message(&self, scope: &Scope, id: WebhookId) -> Result<Option<Waiting>> {
        if scope.principal != Principal::System {
            return Ok(None);
        }
        tx::read(self.0, |tx| async move {
            let Some(address) = found(&*tx, scope, id).await?.filter(|row| row.enabled) else {
                return Ok(None);
            };
            let row = webhook_delivery::Entity::find()
                .filter(webhook_delivery::Column::Tenant.eq(scope.tenant.0))
                .filter(webhook_delivery::Column::Webhook.eq(id.0))
                .order_by_asc(webhook_delivery::Column::Seq)
                .one(&*tx)
                .await?;
            let Some(row) = row else { return Ok(None) };
            Ok(Some(Waiting {
                webhook: whole(&*tx, address).await?,
                seq: At("webhook_delivery", "seq").number(row.seq)?,
                event: Event {
                    id: row.id.into(),
                    kind: news::kind(&row.event)?,
                    at: Timestamp::from_millis(row.at),
                    building: row.building.map(Into::into),
                    unit: row.unit.map(Into::into),
                    person: row.person.map(Into::into),
                    import: row.import.map(Into::into),
                    alarm: row.alarm.map(Into::into),
                },
            }))
        })
        .await
    }

    /// Keeps what became of a try with a webhook that was taken until then. `false` when that time was over and somebody
    /// else has it: only the message itself is settled. For the service.
    pub async fn settle(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        waiting: &Waiting,
        taken_until: Timestamp,
        tried: Tried,
    ) -> Result<bool> {
        if scope.principal != Principal::System {
            return Ok(false);
        }
        let (id, tried) = (waiting.webhook.id, &tried);
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            let mine = one(scope, id).filter(webhook::Column::RunAt.eq(taken_until.as_millis()));
            let settled = match tried {
                Tried::Taken => mine
                    .col_expr(webhook::Column::RunAt, Expr::val(stamp.at.as_millis()))
                    .col_expr(webhook::Column::Attempts, Expr::val(0))
                    .col_expr(webhook::Column::FailingSince, Expr::val(None::<i64>))
                    .col_expr(webhook::Column::Failure, Expr::val(None::<String>)),
                Tried::Failed { why, next, give_up } => mine
                    .col_expr(webhook::Column::RunAt, Expr::val(next.as_millis()))
                    .col_expr(webhook::Column::Attempts, Expr::col(webhook::Column::Attempts).add(1))
                    .col_expr(
                        webhook::Column::FailingSince,
                        Expr::col(webhook::Column::FailingSince).if_null(stamp.at.as_millis()),
                    )
                    .col_expr(webhook::Column::Failure, Expr::val(why.clone()))
                    .col_expr(
                        webhook::Column::Lost,
                        Expr::col(webhook::Column::Lost).add(i64::from(*give_up)),
                    ),
                Tried::Gone => mine
                    .col_expr(webhook::Column::Enabled, Expr::val(false))
                    .col_expr(webhook::Column::Version, Expr::col(webhook::Column::Version).add(1))
                    .col_expr(webhook::Column::Failure, Expr::val("gone")),
            };
            let settled = settled.exec(&*tx).await?.rows_affected > 0;
            match tried {
                Tried::Taken | Tried::Failed { give_up: true, .. } => {
                    webhook_delivery::Entity::delete_many()
                        .filter(webhook_delivery::Column::Tenant.eq(scope.tenant.0))
                        .filter(webhook_delivery::Column::Webhook.eq(id.0))
                        .filter(webhook_delivery::Column::Id.eq(waiting.event.id.0))
                        .exec(&*tx)
                        .await?;
                }
                Tried::Gone if settled => {
                    forget(&tx, scope, id).await?;
                    let told = |enabled: bool| {
                        Some(json!({ "webhook": id, "url": waiting.webhook.url, "enabled": enabled }))
                    };
                    let change = (told(true), told(false));
                    append(&tx, scope, stamp, &waiting.webhook, "webhook.switched_off", change).await?;
                }
                _ => {}
            }
            Ok(settled)
        })
        .await
    }
}

/// Something waits for the address of the query around it.
pub(super) fn waits() -> Condition {
    let same = |ours: webhook_delivery::Column, theirs: webhook::Column| {
        Expr::col((webhook_delivery::Entity, ours)).equals((webhook::Entity, theirs))
    };
    Condition::all()
        .add(same(webhook_delivery::Column::Tenant, webhook::Column::Tenant))
        .add(same(webhook_delivery::Column::Webhook, webhook::Column::Id))
}

async fn found(db: &impl ConnectionTrait, scope: &Scope, id: WebhookId) -> Result<Option<webhook::Model>> {
    let row = webhook::Entity::find_by_id((scope.tenant.0, id.0))
        .filter(reach::may(scope, Right::ChangeBuilding, webhook::Column::Building))
        .one(db)
        .await?;
    Ok(row)
}

fn one(scope: &Scope, id: WebhookId) -> sea_orm::UpdateMany<webhook::Entity> {
    webhook::Entity::update_many()
        .filter(webhook::Column::Tenant.eq(scope.tenant.0))
        .filter(webhook::Column::Id.eq(id.0))
}

async fn forget(tx: &Tx, scope: &Scope, id: WebhookId) -> Result<()> {
    webhook_delivery::Entity::delete_many()
        .filter(webhook_delivery::Column::Tenant.eq(scope.tenant.0))
        .filter(webhook_delivery::Column::Webhook.eq(id.0))
        .exec(&**tx)
        .await?;
    Ok(())
}

async fn append(
    tx: &Tx,
    scope: &Scope,
    stamp: &Stamp,
    webhook: &Webhook,
    action: &'static str,
    (before, after): (Option<Value>, Option<Value>),
) -> Result<()> {
    let change = Change { building: webhook.building, action, persons: Vec::new(), before, after };
    audit::append(tx, scope, stamp, change).await
}

async fn whole(db: &impl ConnectionTrait, row: webhook::Model) -> Result<Webhook> {
    let waiting = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::Tenant.eq(row.tenant))
        .filter(webhook_delivery::Column::Webhook.eq(row.id))
        .count(db)
        .await?;
    Ok(Webhook {
        id: row.id.into(),
        building: row.building.map(Into::into),
        events: kinds(&row.events)?,
        url: row.url,
        enabled: row.enabled,
        secret: At("webhook", "secret").number(row.secret)?,
        before_until: row.before_until.map(Timestamp::from_millis),
        version: At("webhook", "version").number(row.version)?,
        failing_since: row.failing_since.map(Timestamp::from_millis),
        failure: row.failure,
        lost: At("webhook", "lost").number(row.lost)?,
        waiting,
        attempts: At("webhook", "attempts").number(row.attempts.into())?,
    })
}

fn words(events: &[EventKind]) -> String {
    serde_json::to_string(events).unwrap_or_default()
}

pub(super) fn kinds(words: &str) -> Result<Vec<EventKind>> {
    serde_json::from_str(words).map_err(|_| At("webhook", "events").corrupt())
}
