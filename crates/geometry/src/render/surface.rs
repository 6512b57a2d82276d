//! What a scene looks like at one point of one triangle or splat: texture, normal, light.

use glam::{Affine2, Vec2, Vec3, Vec4};

use super::color::tables;
use super::config::Light;
use super::splat::Splats;
use super::texture::{FixedTexel, MipChain};
use crate::{AlphaMode, Material, Mesh, Scene, TextureUse};

/// Linear color of a mesh without a material and without vertex colors.
const PLAIN_GRAY: f32 = 0.55;
/// A blended surface fainter than this is not there.
const FAINTEST: f32 = 1.0 / 255.0;

/// A scene made ready for any number of views.
pub(crate) struct Stage<'a> {
    pub(crate) parts: Vec<Part<'a>>,
    pub(super) splats: Splats,
    textures: Vec<Option<MipChain<'a>>>,
    /// Number of triangles; ids of splats follow theirs.
    pub(super) n_faces: u32,
}

/// A mesh with the ids of its triangles.
pub(crate) struct Part<'a> {
    pub(crate) mesh: &'a Mesh,
    pub(crate) first_face: u32,
    corners: Vec<Corner>,
    /// Of a mesh with normals: each face's first one, in 1/127.
    facing: Vec<[i8; 4]>,
    pub(super) alpha: AlphaMode,
    base_color: Vec4,
    base_color_texture: Option<TextureUse>,
    emissive: Vec3,
    emissive_texture: Option<TextureUse>,
    metallic: f32,
    roughness: f32,
    unlit: bool,
}

/// What shading needs of a vertex, in one line of the cache; zeros where the mesh has no normals or coordinates.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Corner {
    position: Vec3,
    normal: Vec3,
    uv: Vec2,
}

/// A sight through one point of the grid.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    pub(super) eye: Vec3,
    /// One unit deep, not of unit length.
    pub(super) ray: Vec3,
    /// Area of a pixel at depth 1.
    pub(super) pixel_area: f32,
}

/// What a point of a surface looks like.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// Linear base color and emission.
    pub(crate) color: Vec3,
    /// Unit normal, on the side the face's winding says.
    pub(crate) normal: Vec3,
}

/// Where a sight meets a triangle.
struct Hit<'s> {
    vertices: [usize; 3],
    corners: [&'s Corner; 3],
    /// Weights of the corners, sum 1.
    weights: Vec3,
    /// Unit normal of the triangle, turned to the camera.
    face_normal: Vec3,
    /// Area in the world that a pixel covers, over twice the triangle's area.
    footprint: f32,
}

impl<'a> Stage<'a> {
    pub(super) fn new(scene: &'a Scene) -> Self {
        let textures = scene.textures.iter().map(MipChain::new).collect();
        Self { textures, splats: Splats::new(&scene.clouds), ..Self::near(scene) }
    }

    /// For looking at single points of meshes: without smaller textures, without splats.
    pub(crate) fn near(scene: &'a Scene) -> Self {
        let mut first_face = 0;
        let mut parts = Vec::with_capacity(scene.meshes.len());
        for mesh in &scene.meshes {
            parts.push(Part::new(mesh, mesh.material.and_then(|m| scene.materials.get(m)), first_face));
            first_face += mesh.faces().len() as u32;
        }
        let textures = scene.textures.iter().map(MipChain::largest).collect();
        Self { parts, splats: Splats::default(), textures, n_faces: first_face }
    }

    /// What a point of a triangle looks like without light; `None` where alpha says that nothing is there.
    pub(crate) fn look(&self, part: usize, face: usize, weights: Vec3) -> Option<Look> {
        let part = &self.parts[part];
        let (vertices, corners) = part.corners(face);
        let hit = Hit { vertices, corners, weights, face_normal: part.face_normal(face), footprint: 0.0 };
        let albedo = self.albedo(part, &hit);
        let color = albedo.truncate() + self.emission(part, &hit);
        (albedo.w >= part.least_alpha()).then(|| Look { color, normal: part.normal(&hit) })
    }

    /// A triangle in its bare base color.
    pub(crate) fn plain_look(&self, part: usize, face: usize) -> Look {
        let part = &self.parts[part];
        Look { color: part.base_color.truncate(), normal: part.face_normal(face) }
    }

    /// Index of the part a triangle belongs to.
    #[inline]
    pub(crate) fn part_of(&self, face: u32) -> usize {
        self.parts.partition_point(|p| p.first_face <= face) - 1
    }

    /// Linear color and alpha of a triangle or splat under a sight.
    pub(super) fn shade(&self, id: u32, sight: &Sight, lamps: &Lamps) -> Vec4 {
        if id >= self.n_faces {
            return self.splats.shade((id - self.n_faces) as usize, sight, lamps);
        }
        let part = &self.parts[self.part_of(id)];
        let hit = part.meet(id, sight);
        let albedo = self.albedo(part, &hit);
        let rgb = if part.unlit { albedo.truncate() } else { self.lit(part, &hit, albedo, sight, lamps) };
        Vec4::from((rgb, albedo.w))
    }

    /// Whether a triangle of a masked or blended part is there at all under a sight.
    pub(super) fn is_there(&self, part: &Part<'_>, id: u32, sight: &Sight) -> bool {
        self.albedo(part, &part.meet(id, sight)).w >= part.least_alpha()
    }

    /// Base color: factor × vertex color × texture.
    #[inline]
    fn albedo(&self, part: &Part<'_>, hit: &Hit<'_>) -> Vec4 {
        let mut color = part.base_color;
        if let Some(colors) = part.mesh.colors() {
            let [a, b, c] = hit.vertices.map(|v| colors[v]);
            color *= a * hit.weights.x + b * hit.weights.y + c * hit.weights.z;
        }
        if let Some(texel) = self.texel(part, part.base_color_texture, hit) {
            color *= texel;
        }
        color
    }

    #[inline]
    fn texel(&self, part: &Part<'_>, texture: Option<TextureUse>, hit: &Hit<'_>) -> Option<Vec4> {
        let use_ = texture.filter(|_| part.mesh.uvs().is_some())?;
        let chain = self.textures.get(use_.texture)?.as_ref()?;
        let [a, b, c] = hit.corners.map(|corner| corner.uv);
        let transform = use_.image_from_uv;
        let (a, b, c) = (apply(transform, a), apply(transform, b), apply(transform, c));
        let uv = a * hit.weights.x + b * hit.weights.y + c * hit.weights.z;
        let texels = chain.size();
        let area = ((b - a).perp_dot(c - a) * texels.x * texels.y).abs();
        Some(linear(chain.sample(uv, area * hit.footprint)))
    }

    fn lit(&self, part: &Part<'_>, hit: &Hit<'_>, albedo: Vec4, sight: &Sight, lamps: &Lamps) -> Vec3 {
        let normal = part.normal(hit);
        let view = -sight.ray.normalize();
        let base = albedo.truncate();
        let mut rgb = base * lamps.irradiance(normal, view);
        if part.metallic > 0.0 {
            rgb = rgb.lerp(base * lamps.reflected(normal, view, part.roughness), part.metallic);
        }
        rgb + self.emission(part, hit)
    }

    fn emission(&self, part: &Part<'_>, hit: &Hit<'_>) -> Vec3 {
        if part.emissive == Vec3::ZERO {
            return Vec3::ZERO;
        }
        part.emissive * self.texel(part, part.emissive_texture, hit).map_or(Vec3::ONE, Vec4::truncate)
    }
}

impl<'a> Part<'a> {
    fn new(mesh: &'a Mesh, material: Option<&Material>, first_face: u32) -> Self {
        let gray = if mesh.colors().is_some() { 1.0 } else { PLAIN_GRAY };
        let plain = Material { base_color: Vec4::new(gray, gray, gray, 1.0), ..Material::default() };
        let material = material.unwrap_or(&plain);
        let base_color = if material.base_color.is_finite() { material.base_color } else { plain.base_color };
        let emissive = if material.emissive.is_finite() { material.emissive } else { Vec3::ZERO };
        let finite = |v: f32, otherwise: f32| if v.is_finite() { v.clamp(0.0, 1.0) } else { otherwise };
        Self {
            mesh,
            first_face,
            corners: Corner::of(mesh),
            facing: facing(mesh),
            alpha: material.alpha,
            base_color,
            base_color_texture: material.base_color_texture,
            emissive,
            emissive_texture: material.emissive_texture,
            metallic: finite(material.metallic, 0.0),
            roughness: finite(material.roughness, 1.0),
            unlit: material.unlit,
        }
    }

    /// Below this alpha nothing is there.
    fn least_alpha(&self) -> f32 {
        match self.alpha {
            AlphaMode::Opaque => f32::NEG_INFINITY,
            AlphaMode::Mask { cutoff } => cutoff,
            AlphaMode::Blend => FAINTEST,
        }
    }

    fn face_normal(&self, face: usize) -> Vec3 {
        let [a, b, c] = self.mesh.triangle(face);
        (b - a).cross(c - a).try_normalize().unwrap_or(Vec3::Y)
    }

    /// Where the sight meets the plane of a triangle (Möller and Trumbore, 1997), in the mesh's own
    /// coordinates, so that the result does not depend on how the triangle was cut.
    #[inline]
    fn meet(&self, id: u32, sight: &Sight) -> Hit<'_> {
        let (vertices, corners) = self.corners((id - self.first_face) as usize);
        let [a, b, c] = corners.map(|corner| corner.position);
        let (ab, ac, from_a) = (b - a, c - a, sight.eye - a);
        let across = sight.ray.cross(ac);
        let determinant = ab.dot(across);
        let inverse = if determinant == 0.0 { 0.0 } else { 1.0 / determinant };
        let along = from_a.cross(ab);
        let (weight_b, weight_c) = (from_a.dot(across) * inverse, sight.ray.dot(along) * inverse);
        let depth = ac.dot(along) * inverse;
        let normal = ab.cross(ac);
        let normal = if normal.dot(sight.ray) > 0.0 { -normal } else { normal };
        Hit {
            vertices,
            corners,
            weights: Vec3::new(1.0 - weight_b - weight_c, weight_b, weight_c),
            face_normal: normal.try_normalize().unwrap_or(Vec3::Y),
            footprint: depth * depth * sight.pixel_area * inverse.abs(),
        }
    }

    /// The smooth normal where the mesh has one, turned to the side of the face that is seen.
    #[inline]
    fn normal(&self, hit: &Hit<'_>) -> Vec3 {
        let [a, b, c] = hit.corners.map(|corner| corner.normal);
        let mixed = a * hit.weights.x + b * hit.weights.y + c * hit.weights.z;
        let Some(normal) = mixed.try_normalize() else { return hit.face_normal };
        if normal.dot(hit.face_normal) < 0.0 { -normal } else { normal }
    }

    #[inline]
    fn corners(&self, face: usize) -> ([usize; 3], [&Corner; 3]) {
        let vertices = self.mesh.faces()[face].map(|v| v as usize);
        (vertices, vertices.map(|v| &self.corners[v]))
    }

    /// Whether two triangles belong to one smooth surface, as far as their normals tell: they differ by less than
    /// the angle of this cosine.
    #[inline]
    pub(super) fn is_smooth_between(&self, id: u32, other: u32, cosine: f32) -> bool {
        let facing = |id: u32| self.facing.get((id - self.first_face) as usize).copied().unwrap_or_default();
        let (a, b) = (facing(id), facing(other));
        let dot: i32 = (0..3).map(|i| i32::from(a[i]) * i32::from(b[i])).sum();
        dot as f32 > cosine * 127.0 * 127.0
    }
}

impl Corner {
    fn of(mesh: &Mesh) -> Vec<Self> {
        let (normals, uvs) = (mesh.normals(), mesh.uvs());
        let corner = |(i, &position): (usize, &Vec3)| Self {
            position,
            normal: normals.map_or(Vec3::ZERO, |normals| normals[i]),
            uv: uvs.map_or(Vec2::ZERO, |uvs| uvs[i]),
        };
        mesh.positions().iter().enumerate().map(corner).collect()
    }
}

fn facing(mesh: &Mesh) -> Vec<[i8; 4]> {
    let Some(normals) = mesh.normals() else { return Vec::new() };
    let packed = |[first, ..]: &[u32; 3]| {
        let normal = normals[*first as usize].normalize_or_zero() * 127.0;
        [normal.x as i8, normal.y as i8, normal.z as i8, 0]
    };
    mesh.faces().iter().map(packed).collect()
}

/// Lights ready for use.
pub(crate) struct Lamps {
    light: Light,
    /// Unit vector.
    towards_key: Vec3,
}

impl Lamps {
    pub(super) fn new(light: &Light) -> Self {
        let towards_key = Vec3::from(light.key_direction).try_normalize().unwrap_or(Vec3::Y);
        Self { light: *light, towards_key }
    }

    /// What a matte white surface sends back. `normal` and `view` are unit vectors, `view` points to the camera.
    #[inline]
    pub(super) fn irradiance(&self, normal: Vec3, view: Vec3) -> f32 {
        // Wrapped around the edge of shadow, as the light of a large lamp is.
        let key = (0.25 + 0.75 * normal.dot(self.towards_key)).max(0.0);
        self.ambient(normal.y) + self.light.key * key * key + self.light.headlight * normal.dot(view).abs()
    }

    /// What a metal mirrors: no picture of surroundings, but a sky that is brighter than the ground, the more sharply the
    /// smoother the metal.
    fn reflected(&self, normal: Vec3, view: Vec3, roughness: f32) -> f32 {
        let towards = normal * (2.0 * normal.dot(view)) - view;
        let sharpness = 2.5 - 1.5 * roughness;
        let key = towards.dot(self.towards_key).max(0.0);
        let highlight = key * key * key * key * self.light.key * (2.0 - roughness);
        self.ambient((towards.y * sharpness).clamp(-1.0, 1.0)) + highlight + 1.4 * self.light.headlight
    }

    #[inline]
    fn ambient(&self, up: f32) -> f32 {
        self.light.ground + (self.light.sky - self.light.ground) * (0.5 + 0.5 * up)
    }
}

#[inline]
fn linear(texel: FixedTexel) -> Vec4 {
    let table = tables();
    let [r, g, b] = [texel[0], texel[1], texel[2]].map(|c| table.linear_from_fixed(c));
    Vec4::new(r, g, b, f32::from(texel[3]) / 65_280.0)
}

#[inline]
fn apply(target_from_source: Affine2, point: Vec2) -> Vec2 {
    let [x, y, offset] =
        [target_from_source.x_axis, target_from_source.y_axis, target_from_source.translation];
    x * point.x + y * point.y + offset
}
