//! An address that is told of changes. Its secret is made from the installation's key and `secret`, a number: nothing
//! secret is kept here.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub building: Option<Uuid>,
    pub url: String,
    pub events: String,
    pub enabled: bool,
    pub secret: i64,
    pub before_until: Option<i64>,
    pub version: i64,
    pub run_at: i64,
    pub attempts: i32,
    pub failing_since: Option<i64>,
    pub failure: Option<String>,
    pub lost: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
