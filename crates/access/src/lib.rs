//! The decision whether a door opens ([`decide`]), the guard that runs an open command at most once
//! ([`open_command`]), and what the door's lock does then ([`door_cycle`]).
//!
//! Security-critical. Deny by default; every denial has one stable reason; nothing here reads a clock.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod decide;
pub mod door_cycle;
pub mod holidays;
pub mod open_command;
pub mod schedule;
pub mod snapshot;
pub mod standing;
pub mod zone;
