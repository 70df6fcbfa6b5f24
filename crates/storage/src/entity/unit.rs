//! A unit.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub building: Uuid,
    pub entrance: Uuid,
    pub number: String,
    pub version: i64,
    pub folded: Vec<u8>,
    pub sort_number: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::entrance::Entity",
        from = "(Column::Tenant, Column::Entrance)",
        to = "(super::entrance::Column::Tenant, super::entrance::Column::Id)"
    )]
    Entrance,
}

impl Related<super::entrance::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Entrance.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
