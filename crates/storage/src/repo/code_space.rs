//! Codes of a building, of guests and of residents' own: no two are the same, and each may be short only while there are
//! a thousand possible ones for each that is in use.

use crate::Result;
use crate::entity::{guest, person_code};
use klinke_model::ids::BuildingId;
use klinke_model::scope::Scope;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use std::collections::HashSet;

/// Short codes are given while there are a thousand for each that is in use: of six digits.
const SHORT: u64 = 1_000;

/// The codes of one building.
pub(super) struct CodeSpace {
    /// Another code has to be long.
    pub long: bool,
    taken: HashSet<Vec<u8>>,
}

impl CodeSpace {
    /// What is in use of these, and how long a new one has to be. Every hash that will be asked about is among `asked`.
    pub async fn read(
        db: &impl ConnectionTrait,
        scope: &Scope,
        building: BuildingId,
        asked: impl IntoIterator<Item = [u8; 32]>,
    ) -> Result<Self> {
        let asked: Vec<Vec<u8>> = asked.into_iter().map(|hash| hash.to_vec()).collect();
        let guests = || {
            guest::Entity::find()
                .filter(guest::Column::Tenant.eq(scope.tenant.0))
                .filter(guest::Column::Building.eq(building.0))
        };
        let people = || {
            person_code::Entity::find()
                .filter(person_code::Column::Tenant.eq(scope.tenant.0))
                .filter(person_code::Column::Building.eq(building.0))
        };
        // a code of one's own has one for duress beside it
        let in_use = guests().count(db).await?.saturating_add(2 * people().count(db).await?);
        let of_guests: Vec<Vec<u8>> = guests()
            .select_only()
            .column(guest::Column::CodeHash)
            .filter(guest::Column::CodeHash.is_in(asked.iter().cloned()))
            .into_tuple()
            .all(db)
            .await?;
        let either = Condition::any()
            .add(person_code::Column::Hash.is_in(asked.iter().cloned()))
            .add(person_code::Column::DuressHash.is_in(asked));
        let of_people: Vec<(Vec<u8>, Vec<u8>)> = people()
            .select_only()
            .columns([person_code::Column::Hash, person_code::Column::DuressHash])
            .filter(either)
            .into_tuple()
            .all(db)
            .await?;
        let mut taken: HashSet<Vec<u8>> = of_guests.into_iter().collect();
        taken.extend(of_people.into_iter().flat_map(|(hash, duress)| [hash, duress]));
        Ok(Self { long: is_long(in_use), taken })
    }

    /// Whether nobody has this code.
    pub fn is_free(&self, hash: &[u8; 32]) -> bool {
        !self.taken.contains(hash.as_slice())
    }
}

/// Whether another code has to be long, beside so many in use.
const fn is_long(in_use: u64) -> bool {
    in_use >= SHORT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_a_thousand_codes_for_each_in_use() {
        assert_eq!([0, 999, 1_000, u64::MAX].map(is_long), [false, false, true, true]);
    }
}
