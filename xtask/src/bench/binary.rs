//! How large the server's release binary is.

use crate::process::{Failure, Workshop};
use serde_json::{Value, json};
use std::fs;

/// Looks.
///
/// # Errors
/// When it is not there.
pub fn size(workshop: &Workshop) -> Result<Value, Failure> {
    let bytes = fs::metadata(workshop.binary("release", "klinke"))?.len();
    Ok(json!({ "mib": bytes as f64 / 1024.0 / 1024.0 }))
}
