//! Versioned messages: what panels and apps say to the server over a WebSocket ([`panel`], [`app`]), and what
//! door controllers and the server say to each other over mutual TLS ([`controller`]).
//!
//! Rules of every protocol here:
//! - one JSON object a message, tagged by `type`; unknown fields are ignored (an older peer may meet a newer
//!   one). An unknown `type` is an error for that message alone on a WebSocket, where people wait; on a
//!   controller's link it ends the connection, for a peer that can not be understood must not drive doors;
//! - moments are never absolute: a message says *how many milliseconds are left*, so clocks need not agree. The one
//!   exception is what a controller needs to know the time when it is alone;
//! - after a reconnect the server sends the whole state in `welcome`; nothing is replayed, and a request that
//!   the client repeats (same `request`) is answered again, not carried out again;
//! - a message is at most [`MAX_MESSAGE`] bytes.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod app;
pub mod common;
pub mod controller;
pub mod frame;
pub mod panel;

/// Largest message in bytes, either way, on every protocol of this crate.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// Version of the panel and app protocols.
pub const SIGNALLING: u16 = 1;

/// Version of the controller protocol.
pub const CONTROLLER: u16 = 3;
