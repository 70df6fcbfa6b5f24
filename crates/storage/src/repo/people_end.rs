//! What ends for a person by an administrator's hand: all their sign-ins, and all that is known of them.

use crate::Result;
use crate::entity::{job, membership, move_person, person};
use crate::record::{Deleted, Stamp, Suspended};
use crate::repo::audit::{self, Change};
use crate::repo::news::{self, News};
use crate::repo::people_change::{changeable, has_role, home_building, sign_everything_out};
use crate::repo::{People, cards, reach};
use crate::tx::{self, Isolation};
use klinke_model::events::EventKind;
use klinke_model::ids::PersonId;
use klinke_model::scope::Scope;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde_json::json;

impl People<'_> {
    /// Signs a person out of all their devices, so that a lost phone neither rings nor opens. Which devices it was; `None`
    /// when there is nobody whom the principal may change.
    pub async fn sign_out_everywhere(
        &self,
        scope: &Scope,
        stamp: &Stamp,
        person: PersonId,
    ) -> Result<Option<Suspended>> {
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if changeable(&*tx, scope, person).await?.is_none() {
                return Ok(None);
            }
            let devices = sign_everything_out(&*tx, scope, person).await?;
            // how many they were is nobody's business
            let change = Change {
                building: home_building(&*tx, scope, person).await?,
                action: "person.signed_out",
                persons: vec![person],
                before: None,
                after: Some(json!({ "person": person })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            Ok(Some(Suspended { devices }))
        })
        .await
    }

    /// Deletes a person with all that is known of them: name, words, sign-in, links, devices, roles that are over, and what
    /// the audit says of them. Only who has no home, no role and no planned move any more; nobody deletes themselves.
    pub async fn delete_person(&self, scope: &Scope, stamp: &Stamp, person: PersonId) -> Result<Deleted> {
        if scope.person() == Some(person) {
            return Ok(Deleted::NotThere);
        }
        tx::write(self.0, scope, Isolation::Serializable, |tx| async move {
            if changeable(&*tx, scope, person).await?.is_none() {
                return Ok(Deleted::NotThere);
            }
            let lives = Condition::all()
                .add(membership::Column::Tenant.eq(scope.tenant.0))
                .add(membership::Column::Person.eq(person.0));
            let moves = Condition::all()
                .add(move_person::Column::Tenant.eq(scope.tenant.0))
                .add(move_person::Column::Person.eq(person.0))
                .add(planned(scope));
            let here = reach::exists(membership::Entity, lives)
                .or(reach::exists(move_person::Entity, moves))
                .or(has_role(&scope.at(stamp.at), person));
            if reach::holds(&*tx, here).await? {
                return Ok(Deleted::StillHere);
            }
            let devices = sign_everything_out(&*tx, scope, person).await?;
            job::Entity::delete_many()
                .filter(job::Column::Tenant.eq(scope.tenant.0))
                .filter(job::Column::Subject.eq(person.0))
                .exec(&*tx)
                .await?;
            cards::end_all(&*tx, scope, person).await?;
            let news = [News::of_person(&tx, scope, EventKind::PersonDeleted, person).await?];
            person::Entity::delete_by_id((scope.tenant.0, person.0)).exec(&*tx).await?;
            audit::erase(&tx, scope, person).await?;
            let change = Change {
                building: None,
                action: "person.deleted",
                persons: Vec::new(),
                before: None,
                after: Some(json!({ "person": person })),
            };
            audit::append(&tx, scope, stamp, change).await?;
            news::tell(&tx, scope, stamp, &news).await?;
            Ok(Deleted::Done(devices))
        })
        .await
    }
}

/// The moves that are still to come.
fn planned(scope: &Scope) -> sea_orm::sea_query::Expr {
    use crate::entity::household_move;
    let scheduled = sea_orm::sea_query::Query::select()
        .column(household_move::Column::Id)
        .from(household_move::Entity)
        .and_where(household_move::Column::Tenant.eq(scope.tenant.0))
        .and_where(household_move::Column::State.eq("scheduled"))
        .take();
    move_person::Column::Moving.in_subquery(scheduled)
}
