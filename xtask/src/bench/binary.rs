//! How large the server's release binary is.

use super::Sample;
use crate::process::{Failure, Workshop, show};
use std::fs;

/// Builds (the first time) and looks.
///
/// # Errors
/// When it does not build.
pub fn size(workshop: &Workshop) -> Result<Sample, Failure> {
    crate::web::build_if_changed(workshop)?;
    show(workshop.cargo().args(["build", "--workspace", "--release", "--locked", "--quiet"]))?;
    let bytes = fs::metadata(workshop.binary("release", "klinke"))?.len();
    Ok(Sample { value: bytes as f64 / 1024.0 / 1024.0, peer: None })
}
