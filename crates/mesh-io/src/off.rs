//! Object File Format ([OFF]): OFF, COFF, NOFF, STOFF and their combinations, as text.
//!
//! [OFF]: http://www.geomview.org/docs/html/OFF.html

use glam::{DVec3, Vec2, Vec3, Vec4};

use crate::{
    ReadError,
    builder::{MeshBuilder, PointCloudBuilder, Polygons, Triangles, to_single_precision},
    color,
    source::Source,
    text,
};
use lexiform_geometry::Scene;

/// Reads the vertices and faces; face colors become vertex colors.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let mut lines = Lines::new(source);
    let header = Header::parse(source, &mut lines)?;
    let mut scene = Scene::default();
    let vertices = read_vertices(source, &header, &mut lines)?;
    let faces = read_faces(source, &header, &mut lines, &mut scene.notes)?;
    if faces.polygons.ends.is_empty() {
        let colors = vertices.linear_colors().unwrap_or_default().iter().map(|c| c.truncate()).collect();
        let builder = PointCloudBuilder { positions: vertices.positions, colors, normals: vertices.normals };
        let cloud = builder.build(source, &mut scene.notes)?;
        scene.clouds.push(cloud);
        return Ok(scene);
    }
    let positions = to_single_precision(&vertices.positions, &mut scene.notes);
    let triangles = Triangles::triangulate(source, &faces.polygons, &positions)?;
    triangles.report(source, &mut scene.notes)?;
    let builder = match (vertices.linear_colors(), faces.linear_colors()) {
        (None, Some(colors)) => colored_faces(&positions, &faces, &triangles, &colors),
        (colors, _) => {
            let corner = |c: u32| faces.polygons.corners[c as usize] as u32;
            MeshBuilder {
                faces: triangles.triangles.iter().map(|(t, _)| t.map(corner)).collect(),
                normals: (!vertices.normals.is_empty()).then_some(vertices.normals),
                uvs: (!vertices.uvs.is_empty()).then_some(vertices.uvs),
                positions,
                colors,
            }
        }
    };
    let mesh = builder.build(source, &mut scene.notes)?;
    scene.meshes.push(mesh);
    Ok(scene)
}

/// Non-empty lines without comments.
struct Lines<'a> {
    lines: Box<dyn Iterator<Item = (usize, &'a [u8])> + 'a>,
    left: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(source: &Source<'a>) -> Self {
        let lines = text::lines(source.bytes).filter_map(|(number, line)| {
            let end = line.iter().position(|&b| b == b'#').unwrap_or(line.len());
            let line = line[..end].trim_ascii();
            (!line.is_empty()).then_some((number, line))
        });
        Self { lines: Box::new(lines), left: source.bytes.len(), number: 0 }
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let (number, line) = self.lines.next()?;
        self.number = number;
        self.left = self.left.saturating_sub(line.len());
        Some(line)
    }
}

/// The header before the vertices.
#[derive(Default)]
struct Header {
    uvs: bool,
    colors: bool,
    normals: bool,
    homogeneous: bool,
    vertices: usize,
    faces: usize,
}

impl Header {
    fn parse(source: &Source, lines: &mut Lines) -> Result<Self, ReadError> {
        let first = lines.next().ok_or_else(|| source.invalid("the file is empty"))?;
        let mut header = Self::default();
        let mut rest = first;
        match text::find(&first[..first.len().min(9)], b"OFF") {
            Some(at) => {
                let prefix = &first[..at];
                header = Self {
                    uvs: prefix.windows(2).any(|w| w == b"ST"),
                    colors: prefix.contains(&b'C'),
                    normals: prefix.contains(&b'N'),
                    homogeneous: prefix.contains(&b'4'),
                    ..Self::default()
                };
                if prefix.contains(&b'n') {
                    return Err(source.unsupported("vertices in n dimensions (nOFF)"));
                }
                rest = first[at + 3..].trim_ascii();
            }
            // Files without the keyword begin with the counts.
            None if text::fields(first).next().and_then(text::integer).is_some() => {}
            None => {
                return Err(
                    source.invalid(format!("line 1: expected \"OFF\", found {}", text::excerpt(first)))
                );
            }
        }
        if rest.starts_with(b"BINARY") {
            return Err(source.unsupported("the binary variant of OFF"));
        }
        // The counts are on the line of the keyword or on the next one.
        if rest.is_empty() {
            rest = lines.next().unwrap_or_default();
        }
        let counts: Vec<u64> =
            text::fields(rest).map_while(text::integer).map_while(|n| u64::try_from(n).ok()).collect();
        let [vertices, faces, ..] = counts[..] else {
            let number = lines.number;
            return Err(source.invalid(format!(
                "line {number}: expected the counts of vertices and faces, found {}",
                text::excerpt(rest)
            )));
        };
        header.vertices = source.check_vertices(vertices)?;
        header.faces = source.check_faces(faces)?;
        // Six bytes per vertex: three digits with separators.
        source.check_bytes(&format!("{vertices} vertices"), vertices.saturating_mul(6), lines.left + 1)?;
        source.check_bytes(&format!("{faces} faces"), faces.saturating_mul(2), lines.left + 1)?;
        Ok(header)
    }
}

#[derive(Default)]
struct Vertices {
    positions: Vec<DVec3>,
    normals: Vec<Vec3>,
    uvs: Vec<Vec2>,
    colors: Vec<Vec4>,
}

impl Vertices {
    fn linear_colors(&self) -> Option<Vec<Vec4>> {
        linear(&self.colors)
    }
}

/// Converts display colors, all in bytes or all in `0..=1`, to linear.
fn linear(colors: &[Vec4]) -> Option<Vec<Vec4>> {
    let largest = colors.iter().map(|c| c.truncate().max_element()).reduce(f32::max)?;
    let scale = color::full_scale(f64::from(largest)) as f32;
    // An alpha of 1 next to byte colors is opaque too.
    let alpha = |w: f32| if w == 1.0 { 1.0 } else { w / scale };
    Some(colors.iter().map(|c| color::from_unit_alpha((c.truncate() / scale).extend(alpha(c.w)))).collect())
}

fn read_vertices(source: &Source, header: &Header, lines: &mut Lines) -> Result<Vertices, ReadError> {
    let mut vertices = Vertices::default();
    let mut row = Vec::new();
    for vertex in 0..header.vertices {
        let ends =
            || source.invalid(format!("expected {} vertices, the file ends after {vertex}", header.vertices));
        let line = lines.next().ok_or_else(ends)?;
        row.clear();
        row.extend(text::fields(line).map_while(text::number).take(32));
        let mut values = row.iter().copied();
        let mut vec3 = |missing: f64| {
            DVec3::new(
                values.next().unwrap_or(missing),
                values.next().unwrap_or(missing),
                values.next().unwrap_or(missing),
            )
        };
        if row.len() < 3 {
            let number = lines.number;
            return Err(
                source.invalid(format!("line {number}: expected a vertex, found {}", text::excerpt(line)))
            );
        }
        let mut position = vec3(f64::NAN);
        if header.normals {
            vertices.normals.push(vec3(0.0).as_vec3());
        }
        if header.homogeneous {
            position /= values.next().unwrap_or(1.0);
        }
        vertices.positions.push(position);
        // COFF may leave alpha out, and texture coordinates come last.
        let end = row.len() - if header.uvs { 2.min(row.len()) } else { 0 };
        if header.colors {
            let start = row.len() - values.len();
            let color = row.get(start..end.max(start)).unwrap_or_default();
            let channel = |i: usize, missing: f64| color.get(i).copied().unwrap_or(missing) as f32;
            vertices.colors.push(Vec4::new(
                channel(0, 0.0),
                channel(1, 0.0),
                channel(2, 0.0),
                channel(3, 1.0),
            ));
        }
        if header.uvs {
            let at = |i: usize| row.get(end + i).copied().unwrap_or(0.0) as f32;
            vertices.uvs.push(Vec2::new(at(0), 1.0 - at(1)));
        }
    }
    Ok(vertices)
}

#[derive(Default)]
struct Faces {
    polygons: Polygons,
    /// NaN for faces without a color.
    colors: Vec<Vec4>,
}

impl Faces {
    fn linear_colors(&self) -> Option<Vec<Vec4>> {
        let some: Vec<Vec4> = self.colors.iter().copied().filter(|c| !c.is_nan()).collect();
        let mut given = linear(&some)?.into_iter();
        Some(
            self.colors
                .iter()
                .map(|c| if c.is_nan() { Vec4::ONE } else { given.next().unwrap_or(Vec4::ONE) })
                .collect(),
        )
    }
}

fn read_faces(
    source: &Source,
    header: &Header,
    lines: &mut Lines,
    notes: &mut Vec<String>,
) -> Result<Faces, ReadError> {
    let mut faces = Faces::default();
    for face in 0..header.faces {
        let Some(line) = lines.next() else {
            // A truncated file is read as far as it goes, unless nothing is left.
            if face == 0 {
                return Err(source.invalid(format!("expected {} faces, found none", header.faces)));
            }
            notes.push(format!("expected {} faces, the file ends after {face}", header.faces));
            break;
        };
        let mut fields = text::fields(line);
        let number = lines.number;
        let wrong =
            || source.invalid(format!("line {number}: expected a face, found {}", text::excerpt(line)));
        let n =
            fields.next().and_then(text::integer).and_then(|n| usize::try_from(n).ok()).ok_or_else(wrong)?;
        let before = faces.polygons.corners.len();
        faces.polygons.push(fields.by_ref().take(n).map_while(text::integer));
        if faces.polygons.corners.len() - before < n {
            return Err(wrong());
        }
        let rest: Vec<f32> = fields.map_while(text::number).map(|v| v as f32).take(4).collect();
        faces.colors.push(match rest[..] {
            [r, g, b] => Vec4::new(r, g, b, 1.0),
            [r, g, b, a] => Vec4::new(r, g, b, a),
            // A single number is an index into a color map that the file does not hold.
            _ => Vec4::NAN,
        });
    }
    Ok(faces)
}

/// Every face gets its own vertices, which have its color.
fn colored_faces(positions: &[Vec3], faces: &Faces, triangles: &Triangles, colors: &[Vec4]) -> MeshBuilder {
    let corner = |c: u32| positions[faces.polygons.corners[c as usize] as usize];
    MeshBuilder {
        positions: triangles.triangles.iter().flat_map(|(t, _)| t.map(corner)).collect(),
        faces: (0..triangles.triangles.len() as u32).map(|f| [3 * f, 3 * f + 1, 3 * f + 2]).collect(),
        colors: Some(triangles.triangles.iter().flat_map(|(_, f)| [colors[*f as usize]; 3]).collect()),
        ..MeshBuilder::default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read_text(text: &str) -> Result<Scene, ReadError> {
        read(&Source { path: Path::new("test.off"), bytes: text.as_bytes(), format: "OFF" })
    }

    #[test]
    fn counts_may_be_glued_to_the_word() {
        let scene = read_text("OFF3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n").unwrap();
        assert_eq!((scene.n_vertices(), scene.n_faces()), (3, 1));
    }

    #[test]
    fn colors_of_vertices_and_faces() {
        let coff =
            read_text("COFF\n3 1 0\n0 0 0 255 0 0 255\n1 0 0 0 0 0 255\n0 1 0 0 0 0 255\n3 0 1 2\n").unwrap();
        assert_eq!(coff.meshes[0].colors().unwrap()[0], Vec4::new(1.0, 0.0, 0.0, 1.0));
        let face =
            read_text("OFF\n4 2 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n3 0 1 2 0 1.0 0\n3 0 2 3 1 0 0\n").unwrap();
        assert_eq!(face.n_vertices(), 6);
        assert_eq!(face.meshes[0].colors().unwrap()[0], Vec4::new(0.0, 1.0, 0.0, 1.0));
    }

    #[test]
    fn binary_and_impossible_counts_are_refused() {
        assert!(matches!(read_text("OFF BINARY\n"), Err(ReadError::Unsupported { .. })));
        let error = read_text("OFF\n1000000 1 0\n0 0 0\n").unwrap_err().to_string();
        assert!(error.starts_with("test.off: invalid OFF: 1000000 vertices need 6000000 bytes"), "{error}");
    }
}
