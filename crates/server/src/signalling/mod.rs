//! What panels and apps say over their WebSockets: [`panel`], [`app`], and what both share: [`socket`].
//!
//! These modules translate: wire message in, use case or call input out. No rule of a call lives here.

pub mod app;
pub mod panel;
pub mod refresh;
pub mod socket;
