//! How much there is in a building: figures that pages show without reading the lists.

use crate::Result;
use crate::entity::{bell, device, membership, person, unit};
use crate::record::{BuildingCounts, PeopleCounts};
use crate::repo::convert::Word;
use crate::repo::{Sites, reach};
use crate::tx;
use klinke_model::ids::BuildingId;
use klinke_model::intercom::Moderation;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter};

impl Sites<'_> {
    /// How much there is in a building.
    pub async fn counts(&self, scope: &Scope, building: BuildingId) -> Result<Option<BuildingCounts>> {
        tx::read(self.0, |tx| async move {
            if !reach::building(&*tx, scope, Right::SeeBuilding, building).await? {
                return Ok(None);
            }
            let units = unit::Entity::find()
                .filter(unit::Column::Tenant.eq(scope.tenant.0))
                .filter(unit::Column::Building.eq(building.0));
            let bells = bell::Entity::find()
                .filter(bell::Column::Tenant.eq(scope.tenant.0))
                .filter(bell::Column::Building.eq(building.0));
            let mut counts = BuildingCounts { units: units.clone().count(&*tx).await?, people: None };
            if reach::building(&*tx, scope, Right::SeePeople, building).await? {
                let has_button = reach::exists(
                    bell::Entity,
                    Condition::all().add(bell::Column::Tenant.eq(scope.tenant.0)).add(
                        Expr::col((bell::Entity, bell::Column::Unit))
                            .equals((unit::Entity, unit::Column::Id)),
                    ),
                );
                let pending = bell::Column::Moderation.eq(Moderation::Pending.word());
                counts.people = Some(PeopleCounts {
                    residents: membership::Entity::find()
                        .filter(membership::Column::Tenant.eq(scope.tenant.0))
                        .filter(membership::Column::Unit.in_subquery(units_of(scope, building)))
                        .count(&*tx)
                        .await?,
                    reachable: reach::holds(&*tx, somebody_rings(scope, building)).await?,
                    bells: bells.clone().count(&*tx).await?,
                    pending: bells.filter(pending).count(&*tx).await?,
                    without_button: units.filter(has_button.not()).count(&*tx).await?,
                });
            }
            Ok(Some(counts))
        })
        .await
    }
}

fn units_of(scope: &Scope, building: BuildingId) -> SelectStatement {
    Query::select()
        .column(unit::Column::Id)
        .from(unit::Entity)
        .and_where(unit::Column::Tenant.eq(scope.tenant.0))
        .and_where(unit::Column::Building.eq(building.0))
        .take()
}

/// Whether a device is signed in of anybody who lives there and is not suspended.
fn somebody_rings(scope: &Scope, building: BuildingId) -> Expr {
    let rings = reach::exists(
        device::Entity,
        Condition::all().add(device::Column::Tenant.eq(scope.tenant.0)).add(
            Expr::col((device::Entity, device::Column::Person))
                .equals((membership::Entity, membership::Column::Person)),
        ),
    );
    let active = reach::exists(
        person::Entity,
        Condition::all()
            .add(person::Column::Tenant.eq(scope.tenant.0))
            .add(person::Column::Active.eq(true))
            .add(
                Expr::col((person::Entity, person::Column::Id))
                    .equals((membership::Entity, membership::Column::Person)),
            ),
    );
    reach::exists(
        membership::Entity,
        Condition::all()
            .add(membership::Column::Tenant.eq(scope.tenant.0))
            .add(membership::Column::Unit.in_subquery(units_of(scope, building)))
            .add(rings)
            .add(active),
    )
}
