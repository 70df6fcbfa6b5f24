//! Somebody who may come for a while.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "guest")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub building: Uuid,
    pub host: Option<Uuid>,
    pub unit: Option<Uuid>,
    pub name: String,
    pub starts_at: i64,
    pub ends_at: i64,
    pub hours: Option<String>,
    pub once: bool,
    pub taken: bool,
    pub link_number: i64,
    pub code_number: i64,
    pub code_hash: Vec<u8>,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
