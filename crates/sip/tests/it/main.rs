//! Calls to programs that others wrote: SIPp as a trunk, baresip as a phone.

mod calls;
mod encrypted;
mod flat;
mod peer;
mod phone;
