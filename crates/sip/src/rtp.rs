//! The sound of a phone leg: RTP (RFC 3550) both ways, without a socket or a clock.
//!
//! ```text
//!  datagrams ─▶ (srtp) ─▶ packet ─▶ session ─▶ playout (jitter ─▶ codec) ─▶ frames of 20 ms ─▶ bridge ─▶ panel
//!                                     └─▶ dtmf: a key was pressed
//! ```
//!
//! Invariants:
//! - whatever bytes come, nothing panics and nothing grows without bound;
//! - sound leaves in frames of exactly 20 ms, one for each tick, in the order in which it was spoken.

pub mod bridge;
pub mod codec;
pub mod jitter;
pub mod packet;
pub mod playout;
pub mod port;
pub mod rtcp;
pub mod session;
pub mod source;
pub mod srtp;

pub use session::{Output, Session, Start};

use std::time::Duration;

/// How much sound a frame holds, and how often one is due.
pub const FRAME: Duration = Duration::from_millis(20);
/// The same in milliseconds.
pub(crate) const FRAME_MS: u32 = 20;
