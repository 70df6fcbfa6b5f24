//! Phone legs: calls over SIP to ordinary phones, desk phones and door stations. This crate knows legs, not calls and not
//! doors: who is rung, and what a key means, is the server's.

pub mod dial;
pub mod digest;
mod message;
