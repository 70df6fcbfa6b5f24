//! A button.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bell")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub building: Uuid,
    pub panel: Uuid,
    pub unit: Uuid,
    pub label: String,
    pub kind: String,
    pub position: i32,
    pub alias: Option<String>,
    pub listing: String,
    pub hidden: bool,
    pub dial_code: Option<String>,
    pub version: i64,
    pub moderation: String,
    pub text_before: Option<String>,
    pub text_asked: Option<String>,
    pub removed_reason: Option<String>,
    pub sort_label: Vec<u8>,
    pub picture_reason: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::panel::Entity",
        from = "(Column::Tenant, Column::Panel)",
        to = "(super::panel::Column::Tenant, super::panel::Column::Id)"
    )]
    Panel,
    #[sea_orm(
        belongs_to = "super::unit::Entity",
        from = "(Column::Tenant, Column::Unit)",
        to = "(super::unit::Column::Tenant, super::unit::Column::Id)"
    )]
    Unit,
}

impl Related<super::panel::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Panel.def()
    }
}

impl Related<super::unit::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Unit.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
