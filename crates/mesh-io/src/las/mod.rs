//! ASPRS LAS, versions 1.0 to 1.4, plain and compressed (LAZ).

mod gps_times;
mod header;
mod laz;

use glam::{DVec3, Vec3};

use crate::{
    ReadError,
    builder::PointCloudBuilder,
    color, limits,
    source::Source,
    thinning::{PointTable, Record, is_kept, thinning_note},
};

use self::header::Header;
use lexiform_geometry::Scene;

/// Reads positions and colors.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let header = Header::parse(source)?;
    let mut scene = Scene::default();
    let mut cloud = Cloud { header: &header, builder: PointCloudBuilder::default(), largest: 0 };
    if header.compressed {
        let every = points_per_kept(source, &header)?;
        let mut index = 0;
        laz::read_records(source, &header, |record| {
            if is_kept(index, every) {
                cloud.push(record);
            }
            index += 1;
        })?;
        if every > 1 {
            scene.notes.push(thinning_note(cloud.builder.positions.len() as u64, index, every));
        }
    } else {
        source.check_vertices(header.points as u64)?;
        let data = source.bytes.get(header.data_start..).unwrap_or_default();
        let records = data.chunks_exact(header.record).take(header.points);
        if records.len() < header.points {
            scene.notes.push(format!(
                "the header declares {} points, the file holds {}",
                header.points,
                records.len()
            ));
        }
        records.for_each(|record| cloud.push(record));
    }
    let builder = cloud.finish();
    if !builder.positions.is_empty() {
        let cloud = builder.build(source, &mut scene.notes)?;
        scene.clouds.push(cloud);
    }
    Ok(scene)
}

/// The points of a file that is not compressed.
pub(super) fn point_table(source: &Source) -> Option<PointTable> {
    let header =
        Header::parse(source).ok().filter(|h| !h.compressed && h.data_start <= source.bytes.len())?;
    Some(PointTable {
        start: header.data_start,
        count: Some(header.points as u64),
        record: Record::Bytes(header.record),
        with_count: header::with_count,
    })
}

/// How many compressed points one is kept of. A scan takes bytes for each of its points; a file that declares more of them is not
/// decompressed, which would take minutes.
fn points_per_kept(source: &Source, header: &Header) -> Result<u64, ReadError> {
    if header.points <= limits::VERTICES || header.points > source.bytes.len() {
        source.check_vertices(header.points as u64)?;
        return Ok(1);
    }
    Ok(header.points.div_ceil(limits::KEPT_POINTS) as u64)
}

struct Cloud<'h> {
    header: &'h Header,
    builder: PointCloudBuilder,
    largest: u16,
}

impl Cloud<'_> {
    fn push(&mut self, record: &[u8]) {
        let coordinate = |at: usize| record[at..].first_chunk().map_or(0, |b| i32::from_le_bytes(*b));
        let raw = DVec3::new(coordinate(0).into(), coordinate(4).into(), coordinate(8).into());
        self.builder.positions.push(raw * self.header.scale + self.header.offset);
        if let Some(at) = self.header.color {
            let channel = |i: usize| u16::from_le_bytes([record[at + 2 * i], record[at + 2 * i + 1]]);
            let rgb = [channel(0), channel(1), channel(2)];
            self.largest = rgb.into_iter().fold(self.largest, u16::max);
            self.builder.colors.push(Vec3::from(rgb.map(f32::from)));
        }
    }

    /// Colors are defined as 16 bits wide, but many writers store bytes, or zeros.
    fn finish(mut self) -> PointCloudBuilder {
        let full = if self.largest > 255 { 65535.0 } else { 255.0 };
        match self.largest {
            0 => self.builder.colors.clear(),
            _ => self.builder.colors.iter_mut().for_each(|c| *c = color::from_unit(*c / full)),
        }
        self.builder
    }
}
