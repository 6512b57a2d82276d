//! [STL]: triangles without shared vertices, as text or as 50-byte records.
//!
//! [STL]: https://en.wikipedia.org/wiki/STL_(file_format)

use glam::{DVec3, Vec3, Vec4};

use crate::{
    ReadError,
    builder::{MeshBuilder, pluralize, to_single_precision},
    color,
    corner_merger::CornerMerger,
    source::Source,
    text,
};
use lexiform_geometry::Scene;

/// 80 bytes of text and the number of triangles.
const HEADER_BYTES: usize = 84;
/// A normal, three corners, and an attribute of two bytes.
const RECORD_BYTES: usize = 50;
/// From this many triangles on, equal corners are merged: six times as many vertices would take gigabytes.
const MERGED_FROM: usize = 1 << 20;

/// Reads either kind. Vertices are merged in large binary files only; stored normals are ignored, because they follow from the corners.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    if is_text(source.bytes) { read_text(source) } else { read_binary(source) }
}

/// Binary files may begin with "solid" too, so that word alone does not decide.
fn is_text(bytes: &[u8]) -> bool {
    let trimmed = bytes.trim_ascii_start();
    let solid = trimmed.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"solid"));
    let exact =
        declared(bytes).is_some_and(|n| HEADER_BYTES as u64 + n * RECORD_BYTES as u64 == bytes.len() as u64);
    solid && !exact && !bytes[..bytes.len().min(1024)].contains(&0)
}

fn declared(bytes: &[u8]) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(*bytes.get(80..HEADER_BYTES)?.first_chunk()?)))
}

fn read_text(source: &Source) -> Result<Scene, ReadError> {
    let mut names = Vec::new();
    let mut solids: Vec<Vec<DVec3>> = vec![Vec::new()];
    let mut corners = Vec::new();
    let mut odd = 0;
    for (number, line) in text::lines(source.bytes) {
        // Some writers put several statements on one line, so keywords are looked for anywhere in it.
        let mut fields = text::fields(line);
        while let Some(word) = fields.next() {
            if word.eq_ignore_ascii_case(b"vertex") {
                let mut next = || fields.next().and_then(text::number);
                let (Some(x), Some(y), Some(z)) = (next(), next(), next()) else {
                    return Err(source.invalid(format!(
                        "line {number}: a vertex needs three numbers, found {}",
                        text::excerpt(line)
                    )));
                };
                corners.push(DVec3::new(x, y, z));
            } else if word.eq_ignore_ascii_case(b"endloop") || word.eq_ignore_ascii_case(b"endfacet") {
                odd += close_facet(&mut corners, solids.last_mut());
            } else if word.eq_ignore_ascii_case(b"solid") {
                names.push(text::decode(text::split_keyword(line).1));
                solids.push(Vec::new());
                break;
            } else if word.eq_ignore_ascii_case(b"endsolid") {
                break;
            }
        }
    }
    let mut scene = Scene::default();
    let cut_off = !corners.is_empty();
    // The last facet is incomplete.
    if cut_off {
        scene.notes.push("the file ends within a facet".to_owned());
    }
    if odd > 0 {
        scene.notes.push(format!("dropped {} without exactly three vertices", pluralize(odd, "facet")));
    }
    build_solids(source, &solids, &names, &mut scene)?;
    Ok(scene)
}

/// Moves a facet's corners to its solid; 1 where they are not a triangle.
fn close_facet(corners: &mut Vec<DVec3>, solid: Option<&mut Vec<DVec3>>) -> usize {
    let odd = !matches!(corners.len(), 0 | 3);
    if let (3, Some(solid)) = (corners.len(), solid) {
        solid.extend_from_slice(corners);
    }
    corners.clear();
    usize::from(odd)
}

fn build_solids(
    source: &Source,
    solids: &[Vec<DVec3>],
    names: &[String],
    scene: &mut Scene,
) -> Result<(), ReadError> {
    // All solids are converted together, so that their relative positions do not change.
    let all: Vec<DVec3> = solids.iter().flatten().copied().collect();
    source.check_faces(all.len() as u64 / 3)?;
    let mut positions = to_single_precision(&all, &mut scene.notes).into_iter();
    for (i, solid) in solids.iter().enumerate().filter(|(_, s)| !s.is_empty()) {
        let builder = MeshBuilder {
            positions: positions.by_ref().take(solid.len()).collect(),
            faces: consecutive(solid.len() / 3),
            ..MeshBuilder::default()
        };
        let name = i.checked_sub(1).and_then(|i| names.get(i)).filter(|n| !n.is_empty()).cloned();
        scene.meshes.push(builder.build(source, &mut scene.notes)?.with_name(name));
    }
    Ok(())
}

fn consecutive(faces: usize) -> Vec<[u32; 3]> {
    (0..faces as u32).map(|f| [3 * f, 3 * f + 1, 3 * f + 2]).collect()
}

fn read_binary(source: &Source) -> Result<Scene, ReadError> {
    let bytes = source.bytes;
    let Some(declared) = declared(bytes) else {
        return Err(
            source.invalid(format!("a header needs {HEADER_BYTES} bytes, the file has {}", bytes.len()))
        );
    };
    let (records, _) = bytes[HEADER_BYTES..].as_chunks::<RECORD_BYTES>();
    let faces = (declared as usize).min(records.len());
    let mut scene = Scene::default();
    // Streaming writers leave the count at zero if they cannot seek back.
    let faces = if declared == 0 { records.len() } else { faces };
    if declared != records.len() as u64 {
        scene
            .notes
            .push(format!("the header declares {declared} triangles, the file holds {}", records.len()));
    }
    source.check_faces(faces as u64)?;
    // A truncated last record is dropped.
    let records = &records[..faces];
    let colors = face_colors(&bytes[..80], records);
    let builder = match faces {
        0..MERGED_FROM => {
            let colors = colors.map(|c| c.iter().flat_map(|c| [*c; 3]).collect());
            let positions = records.iter().flat_map(corners).collect();
            MeshBuilder { positions, faces: consecutive(faces), colors, ..MeshBuilder::default() }
        }
        _ => merged(records, colors, &mut scene.notes),
    };
    let mesh = builder.build(source, &mut scene.notes)?;
    scene.meshes.push(mesh);
    Ok(scene)
}

/// Triangles that share the vertices at which they have equal corners.
fn merged(records: &[[u8; RECORD_BYTES]], colors: Option<Vec<Vec4>>, notes: &mut Vec<String>) -> MeshBuilder {
    let mut merger = CornerMerger::new(colors.is_some());
    let color = |i: usize| colors.as_ref().map_or(Vec4::ONE, |colors| colors[i]);
    let faces: Vec<[u32; 3]> = (records.iter().enumerate())
        .map(|(i, record)| corners(record).map(|corner| merger.vertex(corner, color(i))))
        .collect();
    let vertices = merger.positions.len();
    notes.push(format!("merged equal corners of {} triangles: {vertices} vertices", faces.len()));
    MeshBuilder { positions: merger.positions, faces, colors: merger.colors, ..MeshBuilder::default() }
}

/// The corners of a triangle.
fn corners(record: &[u8; RECORD_BYTES]) -> [Vec3; 3] {
    [12, 24, 36].map(|at| vec3(&record[at..at + 12]))
}

fn vec3(bytes: &[u8]) -> Vec3 {
    let float = |at: usize| bytes[at..].first_chunk().map_or(f32::NAN, |b| f32::from_le_bytes(*b));
    Vec3::new(float(0), float(4), float(8))
}

/// Colors with five bits per channel in the attribute. VisCAM marks valid colors with bit 15, and has blue in the lowest bits.
/// Materialise Magics has a default after `COLOR=` in the header, clears bit 15 if the facet has its own, and has red lowest.
fn face_colors(header: &[u8], records: &[[u8; RECORD_BYTES]]) -> Option<Vec<Vec4>> {
    let attributes = records.iter().map(|r| u16::from_le_bytes([r[48], r[49]]));
    let magics = text::find(header, b"COLOR=").and_then(|at| header.get(at + 6..at + 10));
    let channel =
        |attribute: u16, shift: u16| ((attribute >> shift & 31) as f32 * 255.0 / 31.0).round() as u8;
    if let Some(default) = magics {
        let whole = color::from_bytes([default[0], default[1], default[2]]).extend(1.0);
        return Some(
            attributes
                .map(|a| match a >> 15 {
                    0 => color::from_bytes([0, 5, 10].map(|shift| channel(a, shift))).extend(1.0),
                    _ => whole,
                })
                .collect(),
        );
    }
    // Other programs use the attribute for other things (all ones is "none"): it is color only where most facets
    // say so.
    // VisCAM: bit 15 is set where the color is valid.
    let marked = attributes.clone().filter(|a| a >> 15 == 1).count();
    if marked * 2 <= records.len() || attributes.clone().all(|a| a == u16::MAX) {
        return None;
    }
    let gray = color::from_bytes([192; 3]).extend(1.0);
    Some(
        attributes
            .map(|a| match a >> 15 {
                1 => color::from_bytes([10, 5, 0].map(|shift| channel(a, shift))).extend(1.0),
                _ => gray,
            })
            .collect(),
    )
}
