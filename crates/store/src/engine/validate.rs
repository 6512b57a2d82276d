//! Checks of records and queries before they reach the database. Invalid values are errors of the caller.

use std::collections::HashSet;

use crate::{Captions, Failure, Payload, Record, RecordId, StoreError};

/// Tolerance for the norm of a vector: the error of a round trip through half precision.
const NORM_TOLERANCE: f64 = 1e-3;

/// Whether records can be stored: valid vectors and payloads, no id twice.
///
/// # Errors
/// [`StoreError::Invalid`] if not.
pub fn records(records: &[Record], dim: usize) -> Result<(), StoreError> {
    let mut seen = HashSet::new();
    records.iter().try_for_each(|found| record(found, dim, &mut seen))
}

/// Whether a record can be stored, given the ids before it; adds its own.
///
/// # Errors
/// [`StoreError::Invalid`] if not.
pub fn record(record: &Record, dim: usize, seen: &mut HashSet<RecordId>) -> Result<(), StoreError> {
    let Record { id, vector: numbers, payload: metadata, .. } = record;
    vector(&metadata.path, numbers, dim)?;
    payload(metadata)?;
    if seen.insert(*id) {
        return Ok(());
    }
    Err(StoreError::invalid(metadata.path.as_str(), format!("two records with the id {id}")))
}

/// Whether a vector is finite, of length `dim` and of unit norm.
///
/// # Errors
/// [`StoreError::Invalid`] if not.
pub fn vector(subject: &str, vector: &[f32], dim: usize) -> Result<(), StoreError> {
    if vector.len() != dim {
        let reason = format!("expected a vector of {dim} numbers, found {}", vector.len());
        return Err(StoreError::invalid(subject, reason));
    }
    // In f64: an f32 sum could overflow, and its rounding grows with the dimension.
    let square: f64 = vector.iter().map(|x| f64::from(*x).powi(2)).sum();
    // Written so that NaN fails too.
    let is_unit = (square.sqrt() - 1.0).abs() <= NORM_TOLERANCE;
    if is_unit {
        return Ok(());
    }
    let found =
        if square.is_finite() { format!("norm {:.4}", square.sqrt()) } else { "nan or infinity".into() };
    Err(StoreError::invalid(subject, format!("expected a vector of norm 1, found {found}")))
}

/// Whether a payload can be stored.
///
/// # Errors
/// [`StoreError::Invalid`] if not.
pub fn payload(payload: &Payload) -> Result<(), StoreError> {
    path(&payload.path)?;
    let refuse = |reason: String| Err(StoreError::invalid(payload.path.as_str(), reason));
    for (what, count) in [
        ("bytes", payload.bytes),
        ("vertices", payload.vertices),
        ("triangles", payload.triangles),
        ("points", payload.points),
    ] {
        if i64::try_from(count).is_err() {
            return refuse(format!("expected {what} below 2^63, found {count}"));
        }
    }
    if !payload.extents.iter().all(|extent| extent.is_finite()) {
        return refuse(format!("expected finite extents, found {:?}", payload.extents));
    }
    captions(&payload.path, payload.captions.as_ref())
}

/// Whether captions can be stored.
///
/// # Errors
/// [`StoreError::Invalid`] if not.
pub fn captions(subject: &str, captions: Option<&Captions>) -> Result<(), StoreError> {
    let is_complete = |captions: &Captions| !captions.captioner.is_empty() && !captions.texts.is_empty();
    if captions.is_none_or(is_complete) {
        return Ok(());
    }
    Err(StoreError::invalid(subject, "expected captions with sentences and a captioner"))
}

/// Whether a path can be stored.
///
/// # Errors
/// [`StoreError::Invalid`] if not.
pub fn path(path: &str) -> Result<(), StoreError> {
    // Placeholders of renamed records begin with NUL in SQLite, and PostgreSQL has no such text.
    if path.is_empty() || path.contains('\0') {
        return Err(StoreError::invalid("path", format!("expected a path without NUL, found {path:?}")));
    }
    Ok(())
}

/// Whether failures can be stored.
///
/// # Errors
/// [`StoreError::Invalid`] if not.
pub fn failures(failures: &[Failure]) -> Result<(), StoreError> {
    for Failure { path, bytes, .. } in failures {
        self::path(path)?;
        if i64::try_from(*bytes).is_err() {
            let reason = format!("expected bytes below 2^63, found {bytes}");
            return Err(StoreError::invalid(path.as_str(), reason));
        }
    }
    Ok(())
}
