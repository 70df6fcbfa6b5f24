//! What is special about a door.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "door_setting")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub door: Uuid,
    pub building: Uuid,
    pub refuses_copyable: bool,
    pub two_people_s: Option<i64>,
    pub after_door: Option<Uuid>,
    pub after_s: Option<i64>,
    pub airlock: Option<i64>,
    pub unlocked: Option<Uuid>,
    pub first_person_in: bool,
    pub held: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::door::Entity",
        from = "(Column::Tenant, Column::Door)",
        to = "(super::door::Column::Tenant, super::door::Column::Id)"
    )]
    Door,
}

impl Related<super::door::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Door.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
