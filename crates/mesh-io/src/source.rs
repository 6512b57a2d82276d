//! The bytes of a file, with the context for error messages.

use std::path::Path;

use crate::{ReadError, limits};

/// The input of a reader.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// Path of the file; sidecars are looked up in its folder.
    pub path: &'a Path,
    /// The whole file.
    pub bytes: &'a [u8],
    /// The format's name in error messages.
    pub format: &'static str,
}

impl Source<'_> {
    /// The content breaks the format's rules.
    pub fn invalid(&self, message: impl Into<String>) -> ReadError {
        ReadError::Invalid { path: self.path.to_owned(), format: self.format, message: message.into() }
    }

    /// Valid, but not read.
    pub fn unsupported(&self, feature: impl Into<String>) -> ReadError {
        ReadError::Unsupported { path: self.path.to_owned(), format: self.format, feature: feature.into() }
    }

    /// A count of vertices or points from a header, within the limit.
    pub fn check_vertices(&self, count: u64) -> Result<usize, ReadError> {
        self.check("number of vertices", count, limits::VERTICES)
    }

    /// A count of faces from a header, within the limit.
    pub fn check_faces(&self, count: u64) -> Result<usize, ReadError> {
        self.check("number of faces", count, limits::FACES)
    }

    /// Checks that the file has `need` bytes where `have` are left.
    pub fn check_bytes(&self, what: &str, need: u64, have: usize) -> Result<(), ReadError> {
        if need <= have as u64 {
            return Ok(());
        }
        Err(self.invalid(format!("{what} need {need} bytes, the file has {have} left")))
    }

    fn check(&self, what: &'static str, found: u64, limit: usize) -> Result<usize, ReadError> {
        if found > limit as u64 {
            return Err(ReadError::TooLarge { path: self.path.to_owned(), what, found, limit: limit as u64 });
        }
        Ok(found as usize)
    }
}
