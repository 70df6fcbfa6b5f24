//! Something that is, or was, wrong at the doors.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alarm")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub building: Uuid,
    pub controller: Uuid,
    pub journal: Uuid,
    pub seq: i64,
    pub kind: String,
    pub door: Option<Uuid>,
    pub part: Option<i32>,
    pub began_at: i64,
    pub began_about: bool,
    pub ended_at: Option<i64>,
    pub ended_about: bool,
    pub over_at: Option<i64>,
    pub seen_at: Option<i64>,
    pub mail: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
