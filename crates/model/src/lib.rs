//! The vocabulary of Klinke: typed ids, what a house is made of, who lives there, and the types that
//! keep privacy promises by what they cannot hold.
//!
//! Invariants of this crate:
//! - nothing here reads a clock, draws randomness or does IO; time, randomness and ids are parameters;
//! - a value that names a person is wrapped in [`privacy::Pii`], which prints as `‹redacted›`;
//! - text that people typed is a [`text::Label`], checked once where it enters, trusted afterwards.
//!
//! The words are the field's (ONVIF for doors); the glossary in `ARCHITECTURE.md` says what each means.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod alarm;
pub mod alphabet;
pub mod card;
pub mod contact;
pub mod credential;
pub mod door;
pub mod door_settings;
pub mod events;
pub mod fold;
pub mod ids;
pub mod intercom;
pub mod news;
pub mod numbers;
pub mod people;
pub mod phone;
pub mod policy;
pub mod privacy;
pub mod purpose;
pub mod reason;
pub mod rights;
pub mod rule;
pub mod schedule;
pub mod scope;
pub mod site;
pub mod station_relay;
pub mod text;
pub mod time;
pub mod timetable;
