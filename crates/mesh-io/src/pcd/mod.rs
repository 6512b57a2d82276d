//! Point Cloud Library files ([PCD]): text, binary and LZF-compressed.
//!
//! [PCD]: https://pointclouds.org/documentation/tutorials/pcd_file_format.html

mod lzf;

use glam::{DVec3, Vec3};

use crate::{
    ReadError,
    builder::PointCloudBuilder,
    color,
    source::Source,
    text,
    thinning::{PointTable, Record},
};
use lexiform_geometry::Scene;

/// Reads the points; invalid measurements (NaN) are dropped.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let header = Header::parse(source)?;
    source.check_vertices(header.points as u64)?;
    let data = &source.bytes[header.data_start..];
    let builder = match header.data {
        Encoding::Ascii => read_text(source, &header, data)?,
        Encoding::Binary => {
            let need = header.points as u64 * header.stride as u64;
            source.check_bytes(&format!("{} points", header.points), need, data.len())?;
            let at = |field: &Field, point: usize| point * header.stride + field.offset;
            header.collect(|field, point| field.kind.value(data, at(field, point)))
        }
        Encoding::Compressed => {
            let columns = decompress(source, &header, data)?;
            // Compressed files keep each field together: all x, all y, all z.
            let at =
                |field: &Field, point: usize| field.offset * header.points + point * field.size * field.count;
            header.collect(|field, point| field.kind.value(&columns, at(field, point)))
        }
    };
    let mut scene = Scene::default();
    let cloud = builder.build(source, &mut scene.notes)?;
    scene.clouds.push(cloud);
    Ok(scene)
}

/// The points of a file that is not compressed.
pub(super) fn point_table(source: &Source) -> Option<PointTable> {
    let header = Header::parse(source).ok()?;
    let record = match header.data {
        Encoding::Ascii => Record::Line,
        Encoding::Binary => Record::Bytes(header.stride),
        Encoding::Compressed => return None,
    };
    Some(PointTable { start: header.data_start, count: Some(header.points as u64), record, with_count })
}

/// A header with another number of points.
fn with_count(header: &[u8], count: u64) -> Vec<u8> {
    let lines = text::lines(header).flat_map(|(_, line)| {
        let mut changed = match text::split_keyword(line).0.to_ascii_uppercase().as_slice() {
            // One row of points instead of an image.
            b"HEIGHT" => b"HEIGHT 1".to_vec(),
            b"WIDTH" => format!("WIDTH {count}").into_bytes(),
            b"POINTS" => format!("POINTS {count}").into_bytes(),
            _ => line.to_vec(),
        };
        changed.push(b'\n');
        changed
    });
    lines.collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Ascii,
    Binary,
    Compressed,
}

/// The type of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ScalarType {
    Signed(usize),
    Unsigned(usize),
    Float(usize),
}

impl ScalarType {
    fn parse(kind: &[u8], size: usize) -> Option<Self> {
        match (kind.first()?.to_ascii_uppercase(), size) {
            (b'I', 1 | 2 | 4 | 8) => Some(Self::Signed(size)),
            (b'U', 1 | 2 | 4 | 8) => Some(Self::Unsigned(size)),
            (b'F', 4 | 8) => Some(Self::Float(size)),
            _ => None,
        }
    }

    /// The little-endian value at `at`; NaN beyond the end.
    fn value(self, bytes: &[u8], at: usize) -> f64 {
        macro_rules! value {
            ($type:ty) => {
                bytes
                    .get(at..)
                    .and_then(|b| b.first_chunk())
                    .map_or(f64::NAN, |b| <$type>::from_le_bytes(*b) as f64)
            };
        }
        match self {
            Self::Signed(1) => value!(i8),
            Self::Signed(2) => value!(i16),
            Self::Signed(4) => value!(i32),
            Self::Signed(_) => value!(i64),
            Self::Unsigned(1) => value!(u8),
            Self::Unsigned(2) => value!(u16),
            Self::Unsigned(4) => value!(u32),
            Self::Unsigned(_) => value!(u64),
            Self::Float(4) => value!(f32),
            Self::Float(_) => value!(f64),
        }
    }
}

struct Field {
    name: String,
    kind: ScalarType,
    size: usize,
    count: usize,
    /// Bytes before it in a point; in text, `column` values.
    offset: usize,
    column: usize,
}

struct Header {
    fields: Vec<Field>,
    points: usize,
    stride: usize,
    data: Encoding,
    data_start: usize,
}

impl Header {
    fn parse(source: &Source) -> Result<Self, ReadError> {
        let mut lines: std::collections::HashMap<Vec<u8>, &[u8]> = std::collections::HashMap::new();
        let mut at = 0;
        let data = loop {
            let rest = &source.bytes[at..];
            let Some(end) = rest.iter().position(|&b| b == b'\n') else {
                return Err(source.invalid("the header has no DATA line"));
            };
            at += end + 1;
            let (key, value) = text::split_keyword(&rest[..end]);
            let key = key.to_ascii_uppercase();
            match key.as_slice() {
                b"DATA" => break value,
                // Longer than any header.
                _ if lines.len() > 64 || at > 1 << 20 => {
                    return Err(source.invalid("the header has no DATA line"));
                }
                [] | [b'#', ..] => {}
                _ => {
                    lines.insert(key, value);
                }
            }
        };
        let data = match data.to_ascii_lowercase().as_slice() {
            b"ascii" => Encoding::Ascii,
            b"binary" => Encoding::Binary,
            b"binary_compressed" => Encoding::Compressed,
            _ => return Err(source.unsupported(format!("DATA {}", text::excerpt(data)))),
        };
        let line = |key: &str| lines.get(key.as_bytes()).copied().unwrap_or_default();
        let fields =
            fields(source, [line("FIELDS"), line("SIZE"), line("TYPE"), line("COUNT")], line("COLUMNS"))?;
        let whole = |key: &str| text::integer(line(key)).and_then(|n| u64::try_from(n).ok());
        let area = whole("WIDTH").zip(whole("HEIGHT")).map(|(w, h)| w.saturating_mul(h));
        // POINTS is optional in old versions.
        let points = whole("POINTS")
            .or(area)
            .ok_or_else(|| source.invalid("the header has neither POINTS nor WIDTH and HEIGHT"))?;
        let stride = fields.iter().map(|f| f.size * f.count).sum();
        let points = usize::try_from(points).unwrap_or(usize::MAX);
        Ok(Self { fields, points, stride, data, data_start: at })
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name.eq_ignore_ascii_case(name))
    }

    fn field_triple(&self, names: [&str; 3]) -> Option<[&Field; 3]> {
        let [a, b, c] = names.map(|name| self.field(name));
        Some([a?, b?, c?])
    }

    /// Builds the points from `value(field, point)`.
    fn collect(&self, value: impl Fn(&Field, usize) -> f64) -> PointCloudBuilder {
        let mut builder = PointCloudBuilder::default();
        let Some([x, y, z]) = self.field_triple(["x", "y", "z"]) else { return builder };
        let points = 0..self.points;
        builder.positions =
            points.clone().map(|p| DVec3::new(value(x, p), value(y, p), value(z, p))).collect();
        if let Some(normal) = self
            .field_triple(["normal_x", "normal_y", "normal_z"])
            .or_else(|| self.field_triple(["nx", "ny", "nz"]))
        {
            builder.normals =
                points.clone().map(|p| Vec3::from(normal.map(|f| value(f, p) as f32))).collect();
        }
        if let Some(packed) = self.field("rgb").or_else(|| self.field("rgba")).filter(|f| f.size == 4) {
            let bytes: Vec<[u8; 3]> = points.map(|p| unpack_rgb(packed.kind, value(packed, p))).collect();
            // All black means that the writer had no colors.
            if bytes.iter().any(|c| *c != [0; 3]) {
                builder.colors = bytes.into_iter().map(color::from_bytes).collect();
            }
        } else if let Some(rgb) =
            self.field_triple(["r", "g", "b"]).or_else(|| self.field_triple(["red", "green", "blue"]))
        {
            let raw: Vec<Vec3> = points.map(|p| Vec3::from(rgb.map(|f| value(f, p) as f32))).collect();
            let largest = raw.iter().map(|c| c.max_element()).fold(0.0, f32::max);
            let scale = color::full_scale(f64::from(largest)) as f32;
            builder.colors = raw.into_iter().map(|c| color::from_unit(c / scale)).collect();
        }
        builder
    }
}

/// Unpacks three bytes from one value, blue lowest. A float has them in its bits, but text files may also have the integer
/// itself, which is far larger than any packed color as a float.
fn unpack_rgb(kind: ScalarType, value: f64) -> [u8; 3] {
    let is_number = value.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&value);
    let bits = match kind {
        ScalarType::Float(_) if !is_number => (value as f32).to_bits(),
        ScalarType::Signed(_) => value as i64 as u32,
        _ => value as u32,
    };
    let [_, r, g, b] = bits.to_be_bytes();
    [r, g, b]
}

/// `[names, sizes, types, counts]`; old files call the names COLUMNS, and counts may be absent.
fn fields(source: &Source, lines: [&[u8]; 4], columns: &[u8]) -> Result<Vec<Field>, ReadError> {
    let [names, sizes, types, counts] = lines;
    // PCD before version 0.7.
    let names = if names.is_empty() { columns } else { names };
    let (mut sizes, mut types, mut counts) = (text::fields(sizes), text::fields(types), text::fields(counts));
    let (mut offset, mut column) = (0, 0);
    let mut fields = Vec::new();
    for name in text::fields(names) {
        let number =
            |field: Option<&[u8]>| field.and_then(text::integer).and_then(|n| usize::try_from(n).ok());
        let size = number(sizes.next());
        let kind = types.next().zip(size).and_then(|(t, s)| ScalarType::parse(t, s));
        let count = counts.next().map_or(Some(1), |c| number(Some(c))).filter(|c| *c <= 1 << 16);
        let (Some(size), Some(kind), Some(count)) = (size, kind, count) else {
            return Err(source.invalid(format!(
                "field {}: expected a SIZE, TYPE and COUNT that fit together",
                text::excerpt(name)
            )));
        };
        fields.push(Field { name: text::decode(name), kind, size, count, offset, column });
        offset += size * count;
        column += count;
        if fields.len() > 1024 {
            return Err(source.invalid("more than 1024 fields"));
        }
    }
    let has = |name: &str| fields.iter().any(|f| f.name.eq_ignore_ascii_case(name) && f.count > 0);
    if has("x") && has("y") && has("z") {
        Ok(fields)
    } else {
        Err(source.invalid("FIELDS: expected x, y and z"))
    }
}

fn read_text(source: &Source, header: &Header, data: &[u8]) -> Result<PointCloudBuilder, ReadError> {
    source.check_bytes(&format!("{} points", header.points), header.points as u64 * 6, data.len() + 1)?;
    let width: usize = header.fields.iter().map(|f| f.count).sum();
    let wanted = [
        "x", "y", "z", "rgb", "rgba", "r", "g", "b", "red", "green", "blue", "normal_x", "normal_y",
        "normal_z", "nx", "ny", "nz",
    ];
    // Only needed columns are kept: wide files would use too much memory otherwise.
    let mut keep = vec![None; width];
    let mut kept = 0;
    for field in
        header.fields.iter().filter(|f| f.count > 0 && wanted.iter().any(|w| f.name.eq_ignore_ascii_case(w)))
    {
        keep[field.column] = Some(kept);
        kept += 1;
    }
    // Missing values are NaN, which later drops the point.
    let mut table = vec![f64::NAN; header.points * kept];
    let mut rows = text::lines(data).filter(|(_, line)| !line.trim_ascii().is_empty());
    for point in 0..header.points {
        let Some((number, line)) = rows.next() else {
            return Err(
                source.invalid(format!("expected {} points, the file ends after {point}", header.points))
            );
        };
        for (field, slot) in text::fields(line).zip(&keep) {
            if let Some(slot) = slot {
                let value = text::number(field).ok_or_else(|| {
                    source.invalid(format!(
                        "line {number} of the data: expected a number, found {}",
                        text::excerpt(field)
                    ))
                })?;
                table[point * kept + slot] = value;
            }
        }
    }
    let slot = |field: &Field| keep.get(field.column).copied().flatten();
    Ok(header.collect(|field, point| slot(field).map_or(f64::NAN, |s| table[point * kept + s])))
}

fn decompress(source: &Source, header: &Header, data: &[u8]) -> Result<Vec<u8>, ReadError> {
    let sizes = data.split_first_chunk::<4>().and_then(|(a, rest)| Some((a, rest.split_first_chunk::<4>()?)));
    let Some((compressed, (full, rest))) = sizes else {
        return Err(source.invalid("compressed data without its two sizes"));
    };
    let (compressed, full) = (u32::from_le_bytes(*compressed), u32::from_le_bytes(*full));
    source.check_bytes("compressed data", u64::from(compressed), rest.len())?;
    let need = header.points as u64 * header.stride as u64;
    if u64::from(full) != need {
        return Err(
            source.invalid(format!("expected {need} bytes of points, the compressed data declares {full}"))
        );
    }
    lzf::decompress(&rest[..compressed as usize], full as usize).map_err(|message| source.invalid(message))
}
