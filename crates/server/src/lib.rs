//! The server of Klinke: use cases, their HTTP side, sign-in, signalling, and the node that holds them together.
//!
//! ```text
//! main ─▶ config ─▶ node ──▶ http ──▶ app (one use case a file) ──▶ storage
//!                     │        └────▶ signalling ──▶ calls, doors
//!                     └─▶ store · authority · pairings · presence · setup · passwords · limits
//! ```
//!
//! Invariants:
//! - who asks is proven once (a session's cookie, a panel's key, a controller's certificate) and becomes a
//!   `Scope`; no use case reads or writes without one, and what the scope does not reach is `not_found`;
//! - before the first claim nothing answers but the claim;
//! - limits, pairings and presence are in memory: nothing here records that something was used.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod apart;
pub mod app;
pub mod auth;
pub mod authority;
pub mod calendar;
pub mod calls;
pub mod config;
pub mod demo;
pub mod doors;
pub mod hours;
pub mod http;
pub mod import;
pub mod importing;
pub mod jobs;
pub mod mail;
pub mod moving;
pub mod node;
pub mod number_proofs;
pub mod open_files;
pub mod pairing;
pub mod passes;
pub mod phones;
pub mod picture;
pub mod presence;
pub mod random;
pub mod relays;
pub mod rounds;
pub mod secrets;
pub mod setup;
pub mod signalling;
pub mod spreadsheet;
pub mod stations;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod text;
pub mod told_passwords;
mod web;
pub mod webhooks;
