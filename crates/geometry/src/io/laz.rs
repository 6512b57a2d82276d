//! The compressed records of LAZ files.
//!
//! The decoder believes the sizes it reads, so they are checked against the file before it sees them: the length of
//! the chunk table, and of each layer of the chunks of point formats 6 and above.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use ::laz::{LasZipDecompressor, LazItem, LazItemType, LazVlr};

use super::{ReadError, las::Header, source::Source};

/// Most bytes of a point; extra bytes cost some kilobytes of model each.
const MOST_RECORD: u64 = 1024;
/// More points in one compressed byte than any scene has.
const MOST_POINTS_PER_BYTE: usize = 64;

/// Kinds of compression, as the record names them.
const CHUNKED: u16 = 2;
const LAYERED: u16 = 3;

/// Decompresses point after point.
pub(super) fn read_records(
    source: &Source,
    header: &Header,
    mut push: impl FnMut(&[u8]),
) -> Result<(), ReadError> {
    let (compressor, settings) = laszip_settings(source, header)?;
    let data = source.bytes.get(header.data_start..).unwrap_or_default();
    if settings.items_size() != header.record as u64 || settings.items_size() > MOST_RECORD {
        return Err(source.invalid(format!(
            "compressed points have {} bytes, the header says {}",
            settings.items_size(),
            header.record
        )));
    }
    if header.points > data.len().saturating_mul(MOST_POINTS_PER_BYTE) {
        return Err(source.invalid(format!("{} bytes cannot hold {} points", data.len(), header.points)));
    }
    check_chunks(source, header, compressor, settings.items()).map_err(|message| source.invalid(message))?;
    let mut record = vec![0; header.record];
    let mut cursor = Cursor::new(source.bytes);
    cursor.set_position(header.data_start as u64);
    // The decoder indexes and adds without checks in places: a broken file must not take the caller down.
    let decoded = catch_unwind(AssertUnwindSafe(|| -> Result<(), String> {
        let mut decoder = LasZipDecompressor::new(cursor, settings).map_err(|e| e.to_string())?;
        for point in 0..header.points {
            decoder.decompress_one(&mut record).map_err(|e| format!("point {point}: {e}"))?;
            push(&record);
        }
        Ok(())
    }));
    decoded
        .unwrap_or_else(|_| Err("compressed points are broken".to_owned()))
        .map_err(|message| source.invalid(message))
}

/// The record that says how points are compressed.
fn laszip_settings(source: &Source, header: &Header) -> Result<(u16, LazVlr), ReadError> {
    let end = header.data_start.min(source.bytes.len());
    let mut rest = source.bytes.get(header.records_start..end).unwrap_or_default();
    for _ in 0..header.records {
        let Some((head, after)) = rest.split_first_chunk::<54>() else { break };
        let id = u16::from_le_bytes([head[18], head[19]]);
        let length = usize::from(u16::from_le_bytes([head[20], head[21]]));
        let Some(data) = after.get(..length) else { break };
        if id == 22204 && head[2..18].starts_with(b"laszip encoded") {
            let settings = LazVlr::from_buffer(data).map_err(|e| source.invalid(e.to_string()))?;
            let compressor = data.first_chunk().map_or(0, |b| u16::from_le_bytes(*b));
            let fits = |item: &LazItem| {
                item.size() == size(item) && (item.version() >= 3) == (compressor == LAYERED)
            };
            let sound = !settings.items().is_empty() && settings.items().iter().all(fits);
            let broken = || source.invalid("the fields of compressed points contradict each other");
            return if sound { Ok((compressor, settings)) } else { Err(broken()) };
        }
        rest = &after[length..];
    }
    Err(source.invalid("the record \"laszip encoded\" is missing"))
}

/// Checks every size the decoder will allocate by.
fn check_chunks(source: &Source, header: &Header, compressor: u16, items: &[LazItem]) -> Result<(), String> {
    let bytes = source.bytes;
    let u32_at = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk()).map(|b| u32::from_le_bytes(*b));
    let i64_at = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk()).map(|b| i64::from_le_bytes(*b));
    if compressor != CHUNKED && compressor != LAYERED {
        return Ok(());
    }
    let start = header.data_start;
    let mut table = i64_at(start).ok_or("the data is cut off")?;
    if table <= start as i64 {
        // Writers that cannot go back put the place of the table at the end.
        table = i64_at(bytes.len().saturating_sub(8)).ok_or("the data is cut off")?;
    }
    let table = usize::try_from(table).ok().filter(|t| *t > start).ok_or("the chunk table is missing")?;
    let chunks = u32_at(table + 4).ok_or("the chunk table lies behind the end of the file")?;
    if chunks as usize > header.points.max(1) {
        return Err(format!("the chunk table declares {chunks} chunks for {} points", header.points));
    }
    if compressor == CHUNKED {
        return Ok(());
    }
    // A chunk: its first point, the number of points, the size of each layer, the layers.
    let layers: usize = items.iter().map(layers).sum();
    let (mut at, mut points) = (start + 8, 0_u64);
    while points < header.points as u64 {
        let sizes = at + header.record + 4;
        points += u64::from(u32_at(sizes - 4).ok_or("a chunk is cut off")?.max(1));
        at = sizes + 4 * layers;
        for layer in 0..layers {
            at = at.saturating_add(u32_at(sizes + 4 * layer).ok_or("a chunk is cut off")? as usize);
        }
        if at > bytes.len() {
            return Err(format!("a chunk ends at byte {at}, the file has {}", bytes.len()));
        }
    }
    Ok(())
}

/// Bytes of a field in a point.
fn size(item: &LazItem) -> u16 {
    match item.item_type() {
        LazItemType::Point10 => 20,
        LazItemType::GpsTime | LazItemType::RGBNIR14 => 8,
        LazItemType::RGB12 | LazItemType::RGB14 => 6,
        LazItemType::WavePacket13 | LazItemType::WavePacket14 => 29,
        LazItemType::Point14 => 30,
        LazItemType::Byte(n) | LazItemType::Byte14(n) => n,
    }
}

/// Separately compressed layers of a field.
fn layers(item: &LazItem) -> usize {
    match item.item_type() {
        LazItemType::Point14 => 9,
        LazItemType::RGBNIR14 => 2,
        LazItemType::Byte14(n) => usize::from(n),
        _ => 1,
    }
}
