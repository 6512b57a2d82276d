//! Builders of meshes and point clouds from unchecked data: invalid parts are dropped with a note, and it is an error only if
//! nothing is left.

use glam::{DVec3, Vec2, Vec3, Vec4};

use crate::{ReadError, polygon, source::Source};
use lexiform_geometry::{Mesh, PointCloud};

/// A shape farther from the origin than this many times its own size is moved to the origin: single precision would round
/// its surface visibly (map coordinates are the usual case).
const FAR_FROM_ORIGIN: f64 = 1024.0;

/// Converts to single precision; a shape far from the origin is moved to it, with a note.
pub(super) fn to_single_precision(positions: &[DVec3], notes: &mut Vec<String>) -> Vec<Vec3> {
    let (mut min, mut max) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    for p in positions.iter().filter(|p| p.is_finite()) {
        min = min.min(*p);
        max = max.max(*p);
    }
    let (center, extents) = (min * 0.5 + max * 0.5, max - min);
    let far = extents.is_finite()
        && extents.max_element() > 0.0
        && center.abs().max_element() > FAR_FROM_ORIGIN * extents.max_element();
    if !far {
        return positions.iter().map(|p| p.as_vec3()).collect();
    }
    // A whole number of units, so that the note is readable and the fraction of coordinates is kept.
    let origin = center.round();
    notes.push(format!(
        "moved by ({}, {}, {}) to the origin: too far away for single precision",
        -origin.x, -origin.y, -origin.z
    ));
    positions.iter().map(|p| (*p - origin).as_vec3()).collect()
}

/// "1 face", "2 faces".
pub(super) fn pluralize(n: usize, what: &str) -> String {
    let plural = match what.strip_suffix("entity") {
        Some(kind) => format!("{kind}entities"),
        None if what == "vertex" => "vertices".to_owned(),
        None => format!("{what}s"),
    };
    if n == 1 { format!("1 {what}") } else { format!("{n} {plural}") }
}

/// Polygons over vertices, one flat list of corners.
#[derive(Default)]
pub(super) struct Polygons {
    /// Corners of all polygons, one after the other. A negative number never names a vertex.
    pub corners: Vec<i64>,
    /// Where each polygon ends in `corners`.
    pub ends: Vec<usize>,
}

impl Polygons {
    /// Adds a polygon.
    pub fn push(&mut self, corners: impl IntoIterator<Item = i64>) {
        self.corners.extend(corners);
        self.ends.push(self.corners.len());
    }

    /// The polygons with their ranges of corners.
    pub fn iter(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends.iter().copied()).map(|(start, end)| start..end)
    }
}

/// Triangulated polygons; invalid ones are counted.
#[derive(Default)]
pub(super) struct Triangles {
    /// Corner numbers into [`Polygons::corners`], and the polygon each triangle was part of.
    pub triangles: Vec<([u32; 3], u32)>,
    out_of_range: usize,
    not_finite: usize,
    too_few_corners: usize,
}

impl Triangles {
    /// Triangulates all polygons, except those with missing or non-finite vertices or fewer than three corners.
    pub fn triangulate(source: &Source, polygons: &Polygons, positions: &[Vec3]) -> Result<Self, ReadError> {
        let mut triangles = Self::default();
        let (mut ring, mut local) = (Vec::new(), Vec::new());
        // Corner numbers below are 32 bits wide; no mesh within the limits comes near.
        source.check_vertices(polygons.corners.len() as u64 / 8)?;
        for (polygon, range) in polygons.iter().enumerate() {
            let corners = &polygons.corners[range.clone()];
            // Buffers are reused: most polygons are triangles and quads.
            ring.clear();
            ring.extend(corners.iter().map_while(|&v| positions.get(usize::try_from(v).ok()?).copied()));
            if ring.len() < corners.len() {
                triangles.out_of_range += 1;
            } else if corners.len() < 3 {
                triangles.too_few_corners += 1;
            } else if !ring.iter().all(|p| p.is_finite()) {
                triangles.not_finite += 1;
            } else {
                local.clear();
                polygon::triangulate(&ring, &mut local);
                let start = range.start as u32;
                triangles.triangles.extend(local.iter().map(|t| (t.map(|i| start + i), polygon as u32)));
            }
        }
        source.check_faces(triangles.triangles.len() as u64)?;
        Ok(triangles)
    }

    /// Notes what was left out; an error if that was everything.
    pub fn report(&self, source: &Source, notes: &mut Vec<String>) -> Result<(), ReadError> {
        let dropped = [
            (self.out_of_range, "names a vertex that does not exist"),
            (self.not_finite, "has a vertex that is not finite"),
            (self.too_few_corners, "has fewer than three corners"),
        ];
        for (n, why) in dropped.into_iter().filter(|(n, _)| *n > 0) {
            if self.triangles.is_empty() && self.too_few_corners == 0 {
                return Err(source.invalid(format!("each of {} {why}", pluralize(n, "face"))));
            }
            notes.push(format!("dropped {}: {why}", pluralize(n, "face")));
        }
        Ok(())
    }
}

/// A mesh with valid indices whose vertices may still be non-finite.
#[derive(Default)]
pub(super) struct MeshBuilder {
    /// Vertex positions.
    pub positions: Vec<Vec3>,
    /// Triangles.
    pub faces: Vec<[u32; 3]>,
    /// As [`Mesh::normals`].
    pub normals: Option<Vec<Vec3>>,
    /// As [`Mesh::uvs`].
    pub uvs: Option<Vec<Vec2>>,
    /// As [`Mesh::colors`].
    pub colors: Option<Vec<Vec4>>,
}

impl MeshBuilder {
    /// Builds the mesh. Vertices that are not finite are moved to the origin, and their faces are dropped.
    pub fn build(mut self, source: &Source, notes: &mut Vec<String>) -> Result<Mesh, ReadError> {
        let broken = self.positions.iter().filter(|p| !p.is_finite()).count();
        if broken > 0 {
            let before = self.faces.len();
            let positions = &self.positions;
            self.faces
                .retain(|f| f.iter().all(|&v| positions.get(v as usize).is_some_and(|p| p.is_finite())));
            if self.faces.is_empty() && before > 0 {
                return Err(source.invalid("every face has a vertex that is not finite"));
            }
            let lost = pluralize(before - self.faces.len(), "face");
            notes.push(format!("dropped {lost} with {} that are not finite", pluralize(broken, "vertex")));
            self.positions.iter_mut().filter(|p| !p.is_finite()).for_each(|p| *p = Vec3::ZERO);
        }
        // Invalid texture coordinates cost the texture, not the mesh.
        for uv in self.uvs.iter_mut().flatten().filter(|uv| !uv.is_finite()) {
            *uv = Vec2::ZERO;
        }
        let wrong = |e: lexiform_geometry::MeshError| source.invalid(e.to_string());
        let mut mesh = Mesh::new(self.positions, self.faces).map_err(wrong)?;
        if let Some(normals) = self.normals {
            mesh = mesh.with_normals(normals).map_err(wrong)?;
        }
        if let Some(uvs) = self.uvs {
            mesh = mesh.with_uvs(uvs).map_err(wrong)?;
        }
        match self.colors {
            Some(colors) => mesh.with_colors(colors).map_err(wrong),
            None => Ok(mesh),
        }
    }
}

/// Points as read; lists are empty or as long as `positions`.
#[derive(Default)]
pub(super) struct PointCloudBuilder {
    /// Positions.
    pub positions: Vec<DVec3>,
    /// Linear colors.
    pub colors: Vec<Vec3>,
    /// Normals.
    pub normals: Vec<Vec3>,
}

impl PointCloudBuilder {
    /// Keeps the points whose number `wanted` accepts.
    pub fn retain(&mut self, wanted: impl Fn(usize) -> bool) {
        filter(&mut self.positions, &wanted);
        filter(&mut self.colors, &wanted);
        filter(&mut self.normals, &wanted);
    }

    /// Builds the cloud without non-finite points.
    pub fn build(mut self, source: &Source, notes: &mut Vec<String>) -> Result<PointCloud, ReadError> {
        self.drop_non_finite(source, notes)?;
        let positions = to_single_precision(&self.positions, notes);
        self.with_positions(source, positions)
    }

    /// As [`build`](Self::build), for positions that were narrowed together with other shapes: they keep their place among those.
    pub fn build_in_place(
        mut self,
        source: &Source,
        notes: &mut Vec<String>,
    ) -> Result<PointCloud, ReadError> {
        self.drop_non_finite(source, notes)?;
        let positions = self.positions.iter().map(|p| p.as_vec3()).collect();
        self.with_positions(source, positions)
    }

    fn drop_non_finite(&mut self, source: &Source, notes: &mut Vec<String>) -> Result<(), ReadError> {
        let all = self.positions.len();
        if self.positions.iter().any(|p| !p.as_vec3().is_finite()) {
            let finite: Vec<bool> = self.positions.iter().map(|p| p.as_vec3().is_finite()).collect();
            self.retain(|i| finite[i]);
            if self.positions.is_empty() {
                return Err(source.invalid(format!("none of {} is finite", pluralize(all, "point"))));
            }
            notes.push(format!(
                "dropped {} that are not finite",
                pluralize(all - self.positions.len(), "point")
            ));
        }
        Ok(())
    }

    /// The cloud with these positions instead of its own.
    fn with_positions(self, source: &Source, positions: Vec<Vec3>) -> Result<PointCloud, ReadError> {
        let wrong = |e: lexiform_geometry::PointCloudError| source.invalid(e.to_string());
        let mut cloud = PointCloud::new(positions).map_err(wrong)?;
        if !self.colors.is_empty() {
            cloud = cloud.with_colors(self.colors).map_err(wrong)?;
        }
        if self.normals.is_empty() { Ok(cloud) } else { cloud.with_normals(self.normals).map_err(wrong) }
    }
}

fn filter<T>(items: &mut Vec<T>, wanted: impl Fn(usize) -> bool) {
    let mut i = 0;
    items.retain(|_| {
        i += 1;
        wanted(i - 1)
    });
}
