//! That somebody read records of use.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record_reading")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub building: Uuid,
    pub at: i64,
    pub person: Option<Uuid>,
    pub door: Option<Uuid>,
    pub from_at: Option<i64>,
    pub until_at: Option<i64>,
    pub file: bool,
    pub purpose: Option<String>,
    pub forget_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
