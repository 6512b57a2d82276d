//! Checks that shards exist, have a sidecar and have the recorded size.

use fs_err as fs;

use super::layout::sidecar_of;
use super::sidecar::Sidecar;
use super::{Layout, ShardEntry};
use crate::DataError;

/// Maximum number of shards listed in an error.
const MAX_LISTED: usize = 5;

/// Why a shard cannot be used.
#[derive(Debug, thiserror::Error)]
enum ShardError {
    #[error("is missing")]
    Missing,
    #[error("has no .parquet sidecar")]
    NoSidecar,
    #[error("has {found} bytes, expected {expected}")]
    Size { expected: u64, found: u64 },
}

/// The entries that the sidecars of shards record.
///
/// # Errors
/// [`DataError::Unusable`] lists the shards that are missing, damaged or without a sidecar.
pub(crate) fn read_entries(layout: &Layout, names: &[String]) -> Result<Vec<ShardEntry>, DataError> {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    for name in names {
        let table = sidecar_of(&layout.shard(name));
        if !table.exists() {
            errors.push((name.as_str(), ShardError::NoSidecar));
            continue;
        }
        let entry = Sidecar::open(&table)?.shard(name)?;
        errors.extend(shard_error(layout, &entry)?.map(|shard_error| (name.as_str(), shard_error)));
        entries.push(entry);
    }
    report_errors(layout, &errors, names.len())?;
    Ok(entries)
}

/// Compares the shards that a partition or a manifest recorded with the files.
///
/// # Errors
/// [`DataError::Unusable`] lists the shards that are missing, damaged or without a sidecar.
pub(crate) fn check_entries(layout: &Layout, recorded: &[ShardEntry]) -> Result<(), DataError> {
    let mut errors = Vec::new();
    for entry in recorded {
        errors.extend(shard_error(layout, entry)?.map(|shard_error| (entry.file.as_str(), shard_error)));
    }
    report_errors(layout, &errors, recorded.len())
}

fn shard_error(layout: &Layout, entry: &ShardEntry) -> Result<Option<ShardError>, DataError> {
    let shard = layout.shard(&entry.file);
    if !shard.exists() {
        return Ok(Some(ShardError::Missing));
    }
    let (expected, found) = (entry.bytes, fs::metadata(&shard)?.len());
    if !sidecar_of(&shard).exists() {
        return Ok(Some(ShardError::NoSidecar));
    }
    Ok((expected != found).then_some(ShardError::Size { expected, found }))
}

fn report_errors(layout: &Layout, errors: &[(&str, ShardError)], of: usize) -> Result<(), DataError> {
    if errors.is_empty() {
        return Ok(());
    }
    let named = errors.iter().take(MAX_LISTED).map(|(name, shard_error)| format!("{name} {shard_error}"));
    let named = named.collect::<Vec<_>>().join(", ");
    let more = if errors.len() > MAX_LISTED { ", …" } else { "" };
    let message = format!("{} of {of} shards are missing or damaged: {named}{more}", errors.len());
    let damaged = errors.iter().find(|(_, shard_error)| !matches!(shard_error, ShardError::Missing));
    let hint = match damaged {
        Some((name, _)) => format!("delete {name} and its .parquet and run the same prepare again"),
        None => "restore them, or run the same prepare again to rebuild their shapes".to_owned(),
    };
    Err(DataError::unusable(&layout.shards(), message, hint))
}
