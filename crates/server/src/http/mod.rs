//! The HTTP side: routes, the rules that hold for every request, and the words of its refusals.
//!
//! A request passes, from the outside in: the access log, the security headers, the reader's language, the
//! time limit, the origin check, the set-up gate. What is left is a use case in [`crate::app`] that says who may
//! do it and what it answers.

pub mod access_log;
pub mod body;
pub mod client;
pub mod document;
pub mod gate;
pub mod headers;
pub mod idempotency;
pub mod limits;
pub mod origin;
pub mod probes;
pub mod problem;
pub mod router;
