//! Whether a door opens, and what its lock does then.
//!
//! ```text
//!   schedule, zone, holidays ──▶ standing ─┐  (and ahead: when they hold next)
//!   snapshot (cards, codes, passes) ───────┼──▶ decide ──▶ door_cycle ──▶ the lock
//!   order (airlocks, sequences) ───────────┘       ▲
//!   open_command (from the server, at most once) ──┘      lockout (keypads) · clock (what time it is)
//! ```
//!
//! Security-critical. Deny by default; every denial has one stable reason; nothing here reads a clock, and the same
//! functions decide at the server and at the door.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod ahead;
pub mod clock;
pub mod decide;
pub mod door_cycle;
pub mod holidays;
pub mod lockout;
pub mod open_command;
pub mod order;
pub mod schedule;
pub mod snapshot;
pub mod standing;
pub mod zone;
