//! The decision whether a door opens ([`decide`]) and what its lock does then ([`door_cycle`]).
//!
//! Security-critical. Deny by default; every denial has one stable reason; nothing here reads a clock.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
