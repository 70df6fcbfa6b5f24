//! Mails that tell administrators of alarms: one for each building, with all that began within a minute.

use crate::Result;
use crate::entity::{alarm, alarm_mail, building, person, role_grant};
use crate::record::{AlarmMail, DueAlarmMail};
use crate::repo::alarms::{self, Alarms};
use crate::repo::convert::At;
use crate::repo::reach;
use crate::tx::{self, Isolation};
use klinke_model::contact::Email;
use klinke_model::ids::AlarmId;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Timestamp;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// The most alarms that one mail names; the page has the others.
const MOST: u64 = 50;

impl Alarms<'_> {
    /// Takes a mail that is due until then. For the service; `false` when somebody else took it.
    pub async fn take_alarm_mail(&self, scope: &Scope, due: &DueAlarmMail, until: Timestamp) -> Result<bool> {
        if scope.principal != Principal::System {
            return Ok(false);
        }
        tx::write(self.0, Isolation::Serializable, |tx| async move {
            let attempts = i32::try_from(due.attempts.saturating_add(1)).unwrap_or(i32::MAX);
            let taken = alarm_mail::Entity::update_many()
                .col_expr(alarm_mail::Column::RunAt, Expr::val(until.as_millis()))
                .col_expr(alarm_mail::Column::Attempts, Expr::val(attempts))
                .filter(alarm_mail::Column::Tenant.eq(scope.tenant.0))
                .filter(alarm_mail::Column::Building.eq(due.building.0))
                .filter(alarm_mail::Column::RunAt.eq(due.run_at.as_millis()))
                .exec(&*tx)
                .await?;
            Ok(taken.rows_affected > 0)
        })
        .await
    }

    /// What a mail says, and to whom: those who can do something about it at the scope's moment and have an address. For the
    /// service.
    pub async fn alarm_mail(&self, scope: &Scope, due: &DueAlarmMail) -> Result<Option<AlarmMail>> {
        if scope.principal != Principal::System {
            return Ok(None);
        }
        tx::read(self.0, |tx| async move {
            let found = building::Entity::find_by_id((scope.tenant.0, due.building.0)).one(&*tx).await?;
            let Some(house) = found else { return Ok(None) };
            let rows = alarm::Entity::find()
                .filter(alarm::Column::Tenant.eq(scope.tenant.0))
                .filter(alarm::Column::Building.eq(due.building.0))
                .filter(alarm::Column::Mail.eq(true))
                .order_by_asc(alarm::Column::BeganAt)
                .limit(MOST)
                .all(&*tx)
                .await?;
            let here = Condition::any()
                .add(role_grant::Column::Building.is_null())
                .add(role_grant::Column::Building.eq(due.building.0));
            let able = Query::select()
                .column(role_grant::Column::Person)
                .from(role_grant::Entity)
                .cond_where(reach::counting(scope, Right::Devices, reach::holder_is_bound(scope)).add(here))
                .take();
            let people = person::Entity::find()
                .filter(person::Column::Tenant.eq(scope.tenant.0))
                .filter(person::Column::Active.eq(true))
                .filter(person::Column::Email.is_not_null())
                .filter(person::Column::Id.in_subquery(able))
                .order_by_asc(person::Column::Id)
                .all(&*tx)
                .await?;
            let mut to = Vec::new();
            for row in people {
                let Some(email) = row.email else { continue };
                let email = Email::new(&email).map_err(|_| At("person", "email").corrupt())?;
                to.push((Pii::new(email), At("person", "language").choice(&row.language)?));
            }
            Ok(Some(AlarmMail {
                building_name: At("building", "name").label(&house.name)?,
                time_zone: house.time_zone,
                alarms: alarms::whole(&*tx, scope, due.building, rows).await?,
                to,
            }))
        })
        .await
    }

    /// A mail with these alarms went, or is given up; the next goes when there are more. For the service.
    pub async fn alarm_mailed(&self, scope: &Scope, due: &DueAlarmMail, alarms: &[AlarmId]) -> Result<()> {
        if scope.principal != Principal::System {
            return Ok(());
        }
        tx::write(self.0, Isolation::Serializable, |tx| async move {
            alarm::Entity::update_many()
                .col_expr(alarm::Column::Mail, Expr::val(false))
                .filter(alarm::Column::Tenant.eq(scope.tenant.0))
                .filter(alarm::Column::Id.is_in(alarms.iter().map(|alarm| alarm.0)))
                .exec(&*tx)
                .await?;
            let waits = alarm::Entity::find()
                .filter(alarm::Column::Tenant.eq(scope.tenant.0))
                .filter(alarm::Column::Building.eq(due.building.0))
                .filter(alarm::Column::Mail.eq(true))
                .one(&*tx)
                .await?;
            let next = waits.map(|_| due.run_at.as_millis());
            alarm_mail::Entity::update_many()
                .col_expr(alarm_mail::Column::RunAt, Expr::val(next))
                .col_expr(alarm_mail::Column::Attempts, Expr::val(0))
                .filter(alarm_mail::Column::Tenant.eq(scope.tenant.0))
                .filter(alarm_mail::Column::Building.eq(due.building.0))
                .exec(&*tx)
                .await?;
            Ok(())
        })
        .await
    }
}
