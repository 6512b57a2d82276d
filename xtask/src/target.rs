//! Where cargo puts what it compiles.

use std::path::PathBuf;

use anyhow::Result;

/// The folder of compiled code, absolute.
///
/// # Errors
///
/// If there is no working folder.
pub fn folder() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(std::path::absolute(target)?)
}
