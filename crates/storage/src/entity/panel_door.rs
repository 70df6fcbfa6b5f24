//! A door that a call at a panel offers.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "panel_door")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub panel: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub door: Uuid,
    pub building: Uuid,
    pub position: i32,
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
