//! The tables as the database has them; one file a table, column by column as in `migration/`. Never leave the crate.

pub mod account;
pub mod audit;
pub mod audit_person;
pub mod bell;
pub mod bell_member;
pub mod building;
pub mod building_policy;
pub mod confidentiality;
pub mod controller;
pub mod device;
pub mod door;
pub mod entrance;
pub mod installation;
pub mod membership;
pub mod panel;
pub mod panel_door;
pub mod person;
pub mod role_grant;
pub mod session;
pub mod tenant;
pub mod unit;
pub mod unit_door;
