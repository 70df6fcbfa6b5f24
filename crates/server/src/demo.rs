//! `klinke demo`: not built yet.

/// Serves a seeded town.
///
/// # Errors
/// Always, until it is built.
pub async fn run() -> Result<(), &'static str> {
    Err("the demo is not built yet")
}
