//! The picture on a button.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bell_picture")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub bell: Uuid,
    pub id: Uuid,
    pub unit: Uuid,
    pub person: Option<Uuid>,
    pub content: Vec<u8>,
    pub state: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
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

impl ActiveModelBehavior for ActiveModel {}
