//! A door in a unit's door set.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unit_door")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub unit: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub door: Uuid,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::door::Entity",
        from = "(Column::Tenant, Column::Door)",
        to = "(super::door::Column::Tenant, super::door::Column::Id)"
    )]
    Door,
}

impl Related<super::door::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Door.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
