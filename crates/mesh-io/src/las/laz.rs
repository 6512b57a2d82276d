//! The compressed records of LAZ files.
//!
//! The decoder of the `laz` crate trusts the sizes it reads, so they are checked against the file first: the length of the chunk
//! table, and of each layer of the chunks of point formats 6 and above. Its decoder of GPS times recurses without limit, and is
//! replaced: see [`gps_times`](super::gps_times).

use std::{
    io::{Cursor, Read},
    panic::{AssertUnwindSafe, catch_unwind},
};

use ::laz::{
    DecompressionSelection, LasZipDecompressor, LasZipError, LazItem, LazItemType, LazVlr,
    laszip::ChunkTable,
    record::{RecordDecompressor as _, SequentialPointRecordDecompressor},
};

use super::{gps_times::GpsTimes, header::Header};
use crate::{ReadError, source::Source};

/// Largest point record; each extra byte costs some kilobytes of models.
const MAX_RECORD_BYTES: u64 = 1024;
/// Every chunk costs a new set of models.
const MAX_CHUNKS: usize = 100_000;
/// More points per compressed byte than in any real scene.
const MAX_POINTS_PER_BYTE: usize = 64;

/// Compressor ids in the LASzip record.
const CHUNKED: u16 = 2;
const LAYERED: u16 = 3;

/// Decompresses all points.
pub(super) fn read_records(
    source: &Source,
    header: &Header,
    mut push: impl FnMut(&[u8]),
) -> Result<(), ReadError> {
    let (compressor, settings) = laszip_settings(source, header)?;
    let data = source.bytes.get(header.data_start..).unwrap_or_default();
    if settings.items_size() != header.record as u64 || settings.items_size() > MAX_RECORD_BYTES {
        return Err(source.invalid(format!(
            "compressed points have {} bytes, the header says {}",
            settings.items_size(),
            header.record
        )));
    }
    if header.points > data.len().saturating_mul(MAX_POINTS_PER_BYTE) {
        return Err(source.invalid(format!("{} bytes cannot hold {} points", data.len(), header.points)));
    }
    check_chunks(source, header, compressor, &settings).map_err(|message| source.invalid(message))?;
    let mut cursor = Cursor::new(source.bytes);
    cursor.set_position(header.data_start as u64);
    // The decoder may panic on invalid data, which must not take down the caller.
    let decoded = catch_unwind(AssertUnwindSafe(|| match compressor {
        LAYERED => read_layered(cursor, settings, header, &mut push),
        _ => read_sequential(cursor, &settings, compressor, header, &mut push),
    }));
    match decoded {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(source.invalid(error.to_string())),
        Err(_) => Err(source.invalid("invalid compressed points")),
    }
}

/// Point formats 6 and above: every field has its own stream, and only those with a use are decoded.
fn read_layered(
    cursor: Cursor<&[u8]>,
    settings: LazVlr,
    header: &Header,
    push: &mut impl FnMut(&[u8]),
) -> Result<(), LasZipError> {
    let wanted = DecompressionSelection::xy_returns_channel().decompress_z().decompress_rgb();
    let mut decoder = LasZipDecompressor::selective(cursor, settings, wanted)?;
    let mut record = vec![0; header.record];
    for _ in 0..header.points {
        decoder.decompress_one(&mut record)?;
        push(&record);
    }
    Ok(())
}

/// Point formats up to 5: all fields of all points of a chunk are one stream.
fn read_sequential(
    mut cursor: Cursor<&[u8]>,
    settings: &LazVlr,
    compressor: u16,
    header: &Header,
    push: &mut impl FnMut(&[u8]),
) -> Result<(), LasZipError> {
    let mut chunks = Vec::new();
    if compressor == CHUNKED && settings.uses_variable_size_chunks() {
        let table = ChunkTable::read_from(&mut cursor, settings)?;
        chunks.extend(table.as_ref().iter().map(|chunk| chunk.point_count));
    } else if compressor == CHUNKED {
        // Chunks of equal size follow each other, after the 8-byte offset of the table.
        cursor.set_position(header.data_start as u64 + 8);
        let size = u64::from(settings.chunk_size()).max(1);
        chunks.resize((header.points as u64).div_ceil(size) as usize, size);
    } else {
        chunks.push(header.points as u64);
    }
    let mut record = vec![0; header.record];
    let mut left = header.points as u64;
    for points in chunks {
        let mut decoder = sequential_decoder(&mut cursor, settings.items())?;
        // The last chunk may declare more points than the header.
        for _ in 0..points.min(left) {
            decoder.decompress_next(&mut record)?;
            push(&record);
        }
        left -= points.min(left);
    }
    if left == 0 { Ok(()) } else { Err(LasZipError::MissingChunkTable) }
}

/// The fields of the `laz` crate, except for GPS times.
fn sequential_decoder<'c, R: Read + Send + Sync + 'c>(
    source: R,
    items: &[LazItem],
) -> Result<SequentialPointRecordDecompressor<'c, R>, LasZipError> {
    let mut decoder = SequentialPointRecordDecompressor::new(source);
    for item in items {
        match (item.item_type(), item.version()) {
            (LazItemType::GpsTime, 2) => decoder.add_field_decompressor(GpsTimes::new()),
            _ => decoder.set_fields_from(&vec![*item])?,
        }
    }
    Ok(decoder)
}

/// The LASzip record, which describes the compression.
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

/// Checks all sizes that the decoder allocates by.
fn check_chunks(source: &Source, header: &Header, compressor: u16, settings: &LazVlr) -> Result<(), String> {
    let bytes = source.bytes;
    let u32_at = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk()).map(|b| u32::from_le_bytes(*b));
    let i64_at = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk()).map(|b| i64::from_le_bytes(*b));
    if compressor != CHUNKED && compressor != LAYERED {
        return Ok(());
    }
    let start = header.data_start;
    let mut table = i64_at(start).ok_or("the data is truncated")?;
    if table <= start as i64 {
        // Writers that cannot seek back put the offset of the table at the end.
        table = i64_at(bytes.len().saturating_sub(8)).ok_or("the data is truncated")?;
    }
    let table = usize::try_from(table).ok().filter(|t| *t > start).ok_or("the chunk table is missing")?;
    let chunks = u32_at(table + 4).ok_or("the chunk table is beyond the end of the file")?;
    if chunks as usize > header.points.clamp(1, MAX_CHUNKS) {
        return Err(format!("the chunk table declares {chunks} chunks for {} points", header.points));
    }
    if compressor == CHUNKED {
        let fewest = header.points as u64 / u64::from(settings.chunk_size().max(1));
        return if fewest <= MAX_CHUNKS as u64 {
            Ok(())
        } else {
            Err(format!("{fewest} chunks are too many"))
        };
    }
    // A chunk: its first point, the number of points, the size of each layer, the layers.
    let layers: usize = settings.items().iter().map(layers).sum();
    let (mut at, mut points, mut walked) = (start + 8, 0_u64, 0);
    while points < header.points as u64 {
        walked += 1;
        if walked > MAX_CHUNKS {
            return Err(format!("more than {MAX_CHUNKS} chunks"));
        }
        let sizes = at + header.record + 4;
        points += u64::from(u32_at(sizes - 4).ok_or("a chunk is truncated")?.max(1));
        at = sizes + 4 * layers;
        for layer in 0..layers {
            at = at.saturating_add(u32_at(sizes + 4 * layer).ok_or("a chunk is truncated")? as usize);
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
