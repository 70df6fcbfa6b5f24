//! The room with native peers over the loopback network.

#[path = "../support/mod.rs"]
mod support;

mod call;
mod many;
mod network;
mod station;
mod viewer;
