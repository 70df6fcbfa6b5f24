//! Calls: who is rung in which order ([`plan`]), one call from tap to end ([`call`]), and the rules between
//! calls ([`lines`]).
//!
//! Sans-IO. The one invariant a driver keeps: **one input, then drain [`call::Call::poll`] until it says
//! [`call::Poll::Wait`], then the next input.** Nothing here reads a clock, draws an id or sends anything.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod call;
pub mod lines;
pub mod plan;

#[cfg(test)]
mod testing;
