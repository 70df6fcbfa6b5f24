//! The door controller: the part of Klinke that sits on the inside of the wall and moves locks.
//!
//! ```text
//!   server ◀── TLS 1.3, dialled by us ──▶ link ──Open, Configure──▶ doors ──release, lock──▶ output
//!                                           ◀──Outcome, Door, Applied──   ◀──done, not done── output
//!                                                                         ◀──contact, exit──── input
//!                                                                         ◀──card, keys ────── reader
//!                                                                         ──granted, denied──▶ reader
//! ```
//!
//! - [`link`] keeps one mutually authenticated connection and reconnects; its loss or return never moves a lock.
//! - [`doors`] owns every door. One task, one mutation point: guard ([`klinke_access::open_command`]), lock
//!   ([`klinke_access::door_cycle`]) and [`output`] in one synchronous step; what an output over a network answers is
//!   the next one.
//! - [`hardware`] reads what is wired where; [`output`], [`input`] and [`reader`] are those wires.
//! - [`output`] takes *leases* only: what it releases it locks again by itself, whether we live or not.
//! - [`reader`] is what tells the doors of cards and keys, and shows what they answer; [`doors`] decides by the rights
//!   that it holds, whether the server is there or not. [`kept`] is what it remembers over a power cut for that.
//! - [`keying`] gives a reader its key, which never leaves this machine either.
//! - [`journal`] keeps what went wrong at the doors until the server has it, and who used them where that is allowed.
//! - [`rights`] are fetched over the link, checked, kept on the disk, and then in force; also with the server gone.
//! - [`pairing`] makes the key, which never leaves [`state`], and gets it certified by an administrator.
//!
//! Nothing here logs that a door was opened, and nothing keeps it: in a small house a door and a time name a person. The log
//! speaks of the link, the configuration and faults. In a commercial building whose owner keeps records of use, and only by rights
//! that say so, a use is in the journal ([`doors`], `uses`) until the server has it.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod address;
pub mod backoff;
pub mod commissioning;
pub mod connection;
pub mod doors;
pub mod file;
pub mod hardware;
pub mod input;
pub mod journal;
pub mod kept;
pub mod keying;
pub mod link;
pub mod modbus;
pub mod network;
pub mod output;
pub mod pairing;
pub mod reader;
pub mod rights;
pub mod secret;
pub mod state;
pub mod status;
pub mod tls;
pub mod wanted;

/// The software version that the controller tells the server.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
