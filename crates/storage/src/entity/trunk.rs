//! A way to ordinary phones. Its password is encrypted by the server: nothing secret is kept here.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trunk")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub position: i32,
    pub name: String,
    pub host: String,
    pub port: i32,
    pub way: String,
    pub domain: Option<String>,
    pub caller: String,
    pub registers: bool,
    pub account: Option<String>,
    pub password: Option<Vec<u8>>,
    pub keys: String,
    pub enabled: bool,
    pub version: i64,
    pub encryption: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
