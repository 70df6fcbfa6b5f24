//! Phone legs: calls over SIP to ordinary phones, desk phones and door stations. This crate knows legs, not calls and not
//! doors: who is rung, and what a key means, is the server's.

pub mod agent;
mod client;
pub mod dial;
pub mod digest;
pub mod dtmf;
#[cfg(test)]
mod fuzz;
mod ground;
pub mod leg;
mod message;
pub mod registrar;
pub mod rtp;
pub mod sdp;
mod standing;
pub mod stations;
mod trunk;
pub mod video;
pub mod why;
mod wire;
