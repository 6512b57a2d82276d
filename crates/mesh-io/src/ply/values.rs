//! The values after a PLY header, in text or either byte order.

use super::header::{Element, Encoding, Scalar};
use crate::{ReadError, source::Source, text};

/// The error for data that ends, or cannot be parsed, within a row.
pub(super) fn truncated_error(source: &Source, element: &Element, row: u64) -> ReadError {
    source.invalid(format!(
        "element \"{}\": expected {} rows, the data ends or breaks at row {row}",
        element.name, element.count
    ))
}

/// Reads the values after the header.
pub(super) struct Values<'a> {
    pub encoding: Encoding,
    pub rest: &'a [u8],
}

impl Values<'_> {
    /// The next value.
    pub fn next(&mut self, scalar: Scalar) -> Option<f64> {
        match self.encoding {
            Encoding::Ascii => {
                let start = self.rest.iter().position(|b| !b.is_ascii_whitespace())?;
                let rest = &self.rest[start..];
                let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                self.rest = &rest[end..];
                text::number(&rest[..end])
            }
            Encoding::BinaryLittleEndian => scalar.take(&mut self.rest, false),
            Encoding::BinaryBigEndian => scalar.take(&mut self.rest, true),
        }
    }

    /// Skips to the end of the line in text: some writers put more values on a line than declared.
    pub fn end_row(&mut self) {
        if self.encoding == Encoding::Ascii {
            let end = self.rest.iter().position(|&b| b == b'\n' || b == b'\r').unwrap_or(self.rest.len());
            self.rest = &self.rest[end..];
        }
    }

    /// The length of a list, if the file can hold that many items; 1 for a scalar property.
    pub fn length(&mut self, list: Option<Scalar>) -> Option<usize> {
        let Some(scalar) = list else { return Some(1) };
        let length = self.next(scalar)?;
        // Every item takes a byte at least, so a false length is found before memory is allocated.
        let fits = length >= 0.0 && length <= self.rest.len() as f64;
        fits.then_some(length as usize)
    }

    pub fn least_bytes(&self, scalar: Scalar) -> u64 {
        // A digit and a separator.
        if self.encoding == Encoding::Ascii { 2 } else { scalar.size() as u64 }
    }

    pub fn is_at_end(&self) -> bool {
        match self.encoding {
            Encoding::Ascii => self.rest.trim_ascii().is_empty(),
            _ => self.rest.is_empty(),
        }
    }
}
