//! WebSockets of panels and apps. Not built yet: both answer `not_implemented`.

use crate::http::problem::{Code, Problem};

/// A panel's WebSocket.
pub async fn panel() -> Problem {
    Code::NotImplemented.into()
}

/// An app's WebSocket.
pub async fn app() -> Problem {
    Code::NotImplemented.into()
}
