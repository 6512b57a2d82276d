//! Checks that shards exist, have a sidecar and have the recorded size.

use std::fmt;

use fs_err as fs;

use super::layout::sidecar_of;
use super::sidecar::Sidecar;
use super::{Layout, ShardEntry};
use crate::DataError;

/// Maximum number of shards listed in an error.
const MOST_NAMED: usize = 5;

/// Why a shard cannot be used.
enum Flaw {
    Missing,
    NoTable,
    Size { expected: u64, found: u64 },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::NoTable => f.write_str("has no .parquet sidecar"),
            Self::Size { expected, found } => write!(f, "has {found} bytes, expected {expected}"),
        }
    }
}

/// The entries that the sidecars of shards record.
///
/// # Errors
/// [`DataError::Unusable`] lists the shards that are missing, damaged or without a sidecar.
pub(crate) fn entries(layout: &Layout, names: &[String]) -> Result<Vec<ShardEntry>, DataError> {
    let (mut entries, mut flawed) = (Vec::new(), Vec::new());
    for name in names {
        let table = sidecar_of(&layout.shard(name));
        if !table.exists() {
            flawed.push((name.as_str(), Flaw::NoTable));
            continue;
        }
        let entry = Sidecar::open(&table)?.shard(name)?;
        flawed.extend(flaw(layout, &entry)?.map(|flaw| (name.as_str(), flaw)));
        entries.push(entry);
    }
    whole(layout, &flawed, names.len())?;
    Ok(entries)
}

/// Compares the shards that a partition or a manifest recorded with the files.
///
/// # Errors
/// [`DataError::Unusable`] lists the shards that are missing, damaged or without a sidecar.
pub(crate) fn check(layout: &Layout, recorded: &[ShardEntry]) -> Result<(), DataError> {
    let mut flawed = Vec::new();
    for entry in recorded {
        flawed.extend(flaw(layout, entry)?.map(|flaw| (entry.file.as_str(), flaw)));
    }
    whole(layout, &flawed, recorded.len())
}

fn flaw(layout: &Layout, entry: &ShardEntry) -> Result<Option<Flaw>, DataError> {
    let shard = layout.shard(&entry.file);
    if !shard.exists() {
        return Ok(Some(Flaw::Missing));
    }
    let (expected, found) = (entry.bytes, fs::metadata(&shard)?.len());
    if !sidecar_of(&shard).exists() {
        return Ok(Some(Flaw::NoTable));
    }
    Ok((expected != found).then_some(Flaw::Size { expected, found }))
}

fn whole(layout: &Layout, flawed: &[(&str, Flaw)], of: usize) -> Result<(), DataError> {
    if flawed.is_empty() {
        return Ok(());
    }
    let named = flawed.iter().take(MOST_NAMED).map(|(name, flaw)| format!("{name} {flaw}"));
    let named = named.collect::<Vec<_>>().join(", ");
    let more = if flawed.len() > MOST_NAMED { ", …" } else { "" };
    let message = format!("{} of {of} shards are missing or damaged: {named}{more}", flawed.len());
    let spoiled = flawed.iter().find(|(_, flaw)| !matches!(flaw, Flaw::Missing));
    let hint = match spoiled {
        Some((name, _)) => format!("delete {name} and its .parquet and run the same prepare again"),
        None => "restore them, or run the same prepare again to rebuild their shapes".to_owned(),
    };
    Err(DataError::unusable(&layout.shards(), message, hint))
}
