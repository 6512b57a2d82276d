//! The header of a LAS file, versions 1.0 to 1.4.

use glam::DVec3;

use crate::{ReadError, source::Source};

/// The header fields about points.
pub(super) struct Header {
    pub compressed: bool,
    /// Offset and number of the variable-length records.
    pub records_start: usize,
    pub records: u32,
    pub data_start: usize,
    /// Size of a point record in bytes.
    pub record: usize,
    pub points: usize,
    pub scale: DVec3,
    pub offset: DVec3,
    /// Offset of red, green and blue in a point.
    pub color: Option<usize>,
}

/// Minimum size of a point record, and the offset of its color, by point format.
const POINT_FORMATS: [(usize, Option<usize>); 11] = [
    (20, None),
    (28, None),
    (26, Some(20)),
    (34, Some(28)),
    (57, None),
    (63, Some(28)),
    (30, None),
    (36, Some(30)),
    (38, Some(30)),
    (59, None),
    (67, Some(30)),
];

impl Header {
    pub fn parse(source: &Source) -> Result<Self, ReadError> {
        let bytes = source.bytes;
        let head: &[u8; 227] = bytes.first_chunk().ok_or_else(|| {
            source.invalid(format!("a header needs 227 bytes, the file has {}", bytes.len()))
        })?;
        if !head.starts_with(b"LASF") {
            return Err(source.invalid("expected the magic \"LASF\""));
        }
        let u16_at = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let u32_at = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let f64_at = |at: usize| head[at..].first_chunk().map_or(f64::NAN, |b| f64::from_le_bytes(*b));
        let vec3 = |at: usize| DVec3::new(f64_at(at), f64_at(at + 8), f64_at(at + 16));
        let format = head[104];
        // LASzip sets the upper two bits of the point format.
        let compressed = format & 0xC0 != 0;
        let (least, color) = *POINT_FORMATS
            .get(usize::from(format & 0x3F))
            .ok_or_else(|| source.unsupported(format!("point format {}", format & 0x3F)))?;
        let record = usize::from(u16_at(105));
        if record < least {
            return Err(source.invalid(format!(
                "point format {} needs {least} bytes a point, the header says {record}",
                format & 0x3F
            )));
        }
        // Version 1.4 counts in 64 bits, and leaves the old count at zero where that is too narrow.
        let wide = bytes.get(247..255).filter(|_| head[25] >= 4).and_then(|b| b.first_chunk());
        let points = match (u32_at(107), wide) {
            (0, Some(wide)) => u64::from_le_bytes(*wide),
            (points, _) => u64::from(points),
        };
        Ok(Self {
            compressed,
            records_start: usize::from(u16_at(94)),
            records: u32_at(100),
            data_start: u32_at(96) as usize,
            record,
            points: usize::try_from(points).unwrap_or(usize::MAX),
            scale: vec3(131),
            offset: vec3(155),
            color,
        })
    }
}

/// A header with another number of points, with all that lies between it and the points.
pub(super) fn with_count(header: &[u8], count: u64) -> Vec<u8> {
    let mut changed = header.to_vec();
    // Zero where 32 bits are too few: then the count in 64 bits holds. Fewer than that are kept.
    changed[107..111].copy_from_slice(&(count as u32).to_le_bytes());
    if header[25] >= 4 && header.len() >= 255 {
        changed[247..255].copy_from_slice(&count.to_le_bytes());
    }
    changed
}
