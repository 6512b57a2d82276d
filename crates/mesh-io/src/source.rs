//! The bytes of one file, with what an error about them must say.

use std::path::Path;

use crate::{ReadError, limits};

/// What a reader is given.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// Where the bytes come from; sidecars are looked up in its folder.
    pub path: &'a Path,
    /// The whole file.
    pub bytes: &'a [u8],
    /// The format's name as errors write it.
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

    /// That the file still holds `need` bytes where `have` are left.
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
