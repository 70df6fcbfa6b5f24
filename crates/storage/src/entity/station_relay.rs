//! A door that a door station opens by a relay of its own. Its password is encrypted by the server.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "station_relay")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub door: Uuid,
    pub building: Uuid,
    pub panel: Uuid,
    pub way: String,
    pub keys: Option<String>,
    pub https: Option<bool>,
    pub port: Option<i32>,
    pub path: Option<String>,
    pub account: Option<String>,
    pub password: Option<Vec<u8>>,
    pub basic: Option<bool>,
    pub certificate: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
