//! Who was before which door of a commercial building.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub building: Uuid,
    pub policy_began: i64,
    pub door: Uuid,
    pub person: Option<Uuid>,
    pub guest: Option<Uuid>,
    pub at: i64,
    pub about: bool,
    pub outcome: String,
    pub reason: Option<String>,
    pub forget_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
