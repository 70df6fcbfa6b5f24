//! What a list of people is compared with. Read in pieces: a building of a town has tens of thousands of people, and only
//! what is compared is held.

use crate::Result;
use crate::entity::{entrance, membership, person, unit};
use crate::record::{House, HouseResident, HouseUnit};
use crate::repo::convert::{self, At};
use crate::repo::people_change::not_changeable;
use crate::repo::reach;
use klinke_model::ids::BuildingId;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// How many units are asked for their people at once.
const AT_ONCE: usize = 500;

/// Who lives there. The caller made sure that the principal administers the building.
pub async fn house(db: &impl ConnectionTrait, scope: &Scope, building: BuildingId) -> Result<House> {
    let entrances = entrance::Entity::find()
        .filter(entrance::Column::Tenant.eq(scope.tenant.0))
        .filter(entrance::Column::Building.eq(building.0))
        .all(db)
        .await?;
    let entrances = convert::sorted(&entrances, convert::entrance, |one| (one.name.clone(), one.id))?;
    let rows = unit::Entity::find()
        .select_only()
        .columns([unit::Column::Id, unit::Column::Entrance, unit::Column::Number])
        .filter(unit::Column::Tenant.eq(scope.tenant.0))
        .filter(unit::Column::Building.eq(building.0))
        .order_by_asc(unit::Column::Id)
        .into_tuple::<(Uuid, Uuid, String)>()
        .all(db)
        .await?;
    let mut house = House {
        entrances: entrances.into_iter().map(|one| (one.id, one.name)).collect(),
        units: Vec::with_capacity(rows.len()),
        residents: Vec::new(),
        makes_homes: reach::building(db, scope, Right::ChangeBuilding, building).await?,
    };
    for (id, entrance, number) in rows {
        let number = At("unit", "number").label(&number)?;
        house.units.push(HouseUnit { id: id.into(), number, entrance: entrance.into() });
    }
    for some in house.units.chunks(AT_ONCE) {
        let rows = membership::Entity::find()
            .filter(membership::Column::Tenant.eq(scope.tenant.0))
            .filter(membership::Column::Unit.is_in(some.iter().map(|unit| unit.id.0)))
            .find_both_related(person::Entity)
            .all(db)
            .await?;
        for (place, row) in &rows {
            let place = convert::membership(place);
            let details = convert::person(row)?.into();
            house.residents.push(HouseResident { place, details, changeable: true });
        }
    }
    let people = house.residents.iter().map(|resident| resident.place.person.0).collect();
    let fixed = not_changeable(db, scope, people).await?;
    for resident in &mut house.residents {
        resident.changeable = !fixed.contains(&resident.place.person.0);
    }
    // the same order in any database: what an import decides must not depend on it
    house.residents.sort_by_key(|resident| (resident.place.person, resident.place.unit));
    Ok(house)
}
