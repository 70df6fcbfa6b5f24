//! A person behind a button.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bell_member")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub bell: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    pub unit: Uuid,
    pub label: String,
    pub position: i32,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::person::Entity",
        from = "(Column::Tenant, Column::Person)",
        to = "(super::person::Column::Tenant, super::person::Column::Id)"
    )]
    Person,
    #[sea_orm(
        belongs_to = "super::bell::Entity",
        from = "(Column::Tenant, Column::Bell)",
        to = "(super::bell::Column::Tenant, super::bell::Column::Id)"
    )]
    Bell,
}

impl Related<super::bell::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Bell.def()
    }
}

impl Related<super::person::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Person.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
