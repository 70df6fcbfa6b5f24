//! Who asks: passwords, session tokens, and how often somebody may try.
//!
//! Nothing here is written when it is used: a session holds the day it ends, tries are counted in memory.

pub mod caller;
pub mod expired;
pub mod limit;
pub mod panel_pass;
pub mod password;
pub mod session;
pub mod token;
