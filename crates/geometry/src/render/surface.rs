//! What a scene looks like at one point of one triangle or splat: texture, normal, light.

use std::borrow::Cow;
use std::ops::Range;

use glam::{Vec2, Vec3, Vec4};

use super::light::Lamps;
use super::meeting::{Corner, Hit, Meeting, Paint, Sight, face_normal};
use super::project::Places;
use super::splat::Splats;
use super::texture::MipChain;
use crate::{AlphaMode, Material, Mesh, Scene, TextureUse};

/// Linear color of a mesh without a material and without vertex colors.
const PLAIN_GRAY: f32 = 0.55;
/// A blended surface fainter than this is not there.
const FAINTEST: f32 = 1.0 / 255.0;

/// A scene made ready for any number of views. Triangles and vertices of all parts are numbered one after the other.
pub(crate) struct Stage<'a> {
    pub(crate) parts: Vec<Part<'a>>,
    pub(super) faces: Cow<'a, [[u32; 3]]>,
    pub(super) corners: Vec<Corner>,
    pub(super) places: Places,
    /// Each face's first normal, in 1/127; zero where its mesh has none.
    facing: Vec<[i8; 4]>,
    pub(super) splats: Splats,
    textures: Vec<Option<MipChain<'a>>>,
    /// Number of triangles; ids of splats follow theirs.
    pub(super) n_faces: u32,
}

/// A mesh with the numbers of its triangles and vertices.
pub(crate) struct Part<'a> {
    pub(crate) mesh: &'a Mesh,
    pub(crate) first_face: u32,
    first_vertex: u32,
    pub(super) alpha: AlphaMode,
    pub(super) base_color: Vec4,
    base_color_texture: Option<TextureUse>,
    pub(super) emissive: Vec3,
    emissive_texture: Option<TextureUse>,
    pub(super) metallic: f32,
    pub(super) roughness: f32,
    pub(super) unlit: bool,
}

/// What a point of a surface looks like.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// Linear base color and emission.
    pub(crate) color: Vec3,
    /// Unit normal, on the side the face's winding says.
    pub(crate) normal: Vec3,
}

impl<'a> Stage<'a> {
    pub(super) fn new(scene: &'a Scene) -> Self {
        let near = Self::near(scene);
        Self {
            textures: scene.textures.iter().map(MipChain::new).collect(),
            splats: Splats::new(&scene.clouds),
            places: Places::new(near.corners.iter().map(|corner| corner.position)),
            facing: near.faces.iter().map(|face| facing(near.corners[face[0] as usize].normal)).collect(),
            ..near
        }
    }

    /// For looking at single points of meshes: without smaller textures, without splats.
    pub(crate) fn near(scene: &'a Scene) -> Self {
        let mut parts = Vec::with_capacity(scene.meshes.len());
        let (mut first_face, mut first_vertex) = (0, 0);
        for mesh in &scene.meshes {
            let material = mesh.material.and_then(|m| scene.materials.get(m));
            parts.push(Part::new(mesh, material, [first_face, first_vertex]));
            first_face += mesh.faces().len() as u32;
            first_vertex += mesh.positions().len() as u32;
        }
        let renumbered = |p: &Part<'a>| {
            let first = p.first_vertex;
            p.mesh.faces().iter().map(move |face| face.map(|vertex| vertex + first))
        };
        let faces = match &scene.meshes[..] {
            [mesh] => Cow::Borrowed(mesh.faces()),
            _ => parts.iter().flat_map(renumbered).collect(),
        };
        Self {
            parts,
            faces,
            corners: scene.meshes.iter().flat_map(corners_of).collect(),
            places: Places::default(),
            facing: Vec::new(),
            splats: Splats::default(),
            textures: scene.textures.iter().map(MipChain::largest).collect(),
            n_faces: first_face,
        }
    }

    /// What a point of a triangle looks like without light; `None` where alpha says that nothing is there.
    pub(crate) fn look(&self, part: usize, face: usize, weights: Vec3) -> Option<Look> {
        let part = &self.parts[part];
        let (vertices, corners) = self.triangle(part.first_face + face as u32);
        let face_normal = face_normal(corners.map(|c| c.position));
        let hit = Hit { vertices, corners, meeting: Meeting { weights, face_normal, footprint: 0.0 } };
        let albedo = self.albedo(part, &hit);
        let color = albedo.truncate() + self.emission(part, &hit);
        (albedo.w >= part.least_alpha()).then(|| Look { color, normal: hit.normal() })
    }

    /// A triangle in its bare base color.
    pub(crate) fn plain_look(&self, part: usize, face: usize) -> Look {
        let part = &self.parts[part];
        let (_, corners) = self.triangle(part.first_face + face as u32);
        Look { color: part.base_color.truncate(), normal: face_normal(corners.map(|c| c.position)) }
    }

    /// Index of the part a triangle belongs to.
    #[inline]
    pub(crate) fn part_of(&self, face: u32) -> usize {
        self.parts.partition_point(|p| p.first_face <= face) - 1
    }

    /// The triangles of a part.
    #[inline]
    pub(super) fn faces_of(&self, part: usize) -> Range<u32> {
        let first = self.parts[part].first_face;
        first..first + self.parts[part].mesh.faces().len() as u32
    }

    /// Linear color and alpha of a triangle or splat under a sight.
    pub(super) fn shade(&self, id: u32, sight: &Sight, lamps: &Lamps) -> Vec4 {
        if id >= self.n_faces {
            return self.splats.shade((id - self.n_faces) as usize, sight, lamps);
        }
        let part = &self.parts[self.part_of(id)];
        let hit = self.meet(id, sight);
        let albedo = self.albedo(part, &hit);
        let rgb = if part.unlit { albedo.truncate() } else { self.lit(part, &hit, albedo, sight, lamps) };
        Vec4::from((rgb, albedo.w))
    }

    /// Unit normal of a triangle or splat under a sight, on the side that is seen.
    pub(super) fn normal(&self, id: u32, sight: &Sight) -> Vec3 {
        if id >= self.n_faces {
            return self.splats.normal((id - self.n_faces) as usize, sight);
        }
        self.meet(id, sight).normal()
    }

    /// Whether a triangle of a masked or blended part is there at all under a sight.
    pub(super) fn is_there(&self, part: &Part<'_>, id: u32, sight: &Sight) -> bool {
        self.albedo(part, &self.meet(id, sight)).w >= part.least_alpha()
    }

    /// Base color: factor × vertex color × texture.
    #[inline]
    fn albedo(&self, part: &Part<'_>, hit: &Hit<'_>) -> Vec4 {
        let mut color = part.base_color * part.vertex_color(hit.vertices, hit.meeting.weights);
        if let Some(texel) = self.paint(part).map(|paint| paint.texel(hit)) {
            color *= texel;
        }
        color
    }

    /// The texture of a part's base color.
    #[inline]
    pub(super) fn paint(&self, part: &Part<'_>) -> Option<Paint<'_>> {
        self.paint_of(part, part.base_color_texture)
    }

    #[inline]
    fn paint_of(&self, part: &Part<'_>, texture: Option<TextureUse>) -> Option<Paint<'_>> {
        let use_ = texture.filter(|_| part.mesh.uvs().is_some())?;
        let chain = self.textures.get(use_.texture)?.as_ref()?;
        Some(Paint { chain, image_from_uv: use_.image_from_uv })
    }

    fn lit(&self, part: &Part<'_>, hit: &Hit<'_>, albedo: Vec4, sight: &Sight, lamps: &Lamps) -> Vec3 {
        let normal = hit.normal();
        let view = -sight.ray.normalize();
        let base = albedo.truncate();
        let mut rgb = base * lamps.irradiance(normal, view);
        if part.metallic > 0.0 {
            rgb = rgb.lerp(base * lamps.reflected(normal, view, part.roughness), part.metallic);
        }
        rgb + self.emission(part, hit)
    }

    /// Light a part gives off by itself.
    pub(super) fn emission(&self, part: &Part<'_>, hit: &Hit<'_>) -> Vec3 {
        if part.emissive == Vec3::ZERO {
            return Vec3::ZERO;
        }
        let paint = self.paint_of(part, part.emissive_texture);
        part.emissive * paint.map_or(Vec3::ONE, |paint| paint.texel(hit).truncate())
    }

    #[inline]
    fn meet(&self, id: u32, sight: &Sight) -> Hit<'_> {
        let (vertices, corners) = self.triangle(id);
        Hit { vertices, corners, meeting: Meeting::new(corners.map(|corner| corner.position), sight) }
    }

    #[inline]
    pub(super) fn triangle(&self, id: u32) -> ([u32; 3], [&Corner; 3]) {
        let vertices = self.faces[id as usize];
        (vertices, vertices.map(|v| &self.corners[v as usize]))
    }

    /// Whether two triangles belong to one smooth surface, as far as their normals tell: they differ by less than
    /// the angle of this cosine.
    #[inline]
    pub(super) fn is_smooth_between(&self, id: u32, other: u32, cosine: f32) -> bool {
        let (a, b) = (self.facing[id as usize], self.facing[other as usize]);
        let dot: i32 = (0..3).map(|i| i32::from(a[i]) * i32::from(b[i])).sum();
        dot as f32 > cosine * 127.0 * 127.0
    }
}

impl<'a> Part<'a> {
    fn new(mesh: &'a Mesh, material: Option<&Material>, [first_face, first_vertex]: [u32; 2]) -> Self {
        let gray = if mesh.colors().is_some() { 1.0 } else { PLAIN_GRAY };
        let plain = Material { base_color: Vec4::new(gray, gray, gray, 1.0), ..Material::default() };
        let material = material.unwrap_or(&plain);
        let base_color = if material.base_color.is_finite() { material.base_color } else { plain.base_color };
        let emissive = if material.emissive.is_finite() { material.emissive } else { Vec3::ZERO };
        let finite = |v: f32, otherwise: f32| if v.is_finite() { v.clamp(0.0, 1.0) } else { otherwise };
        Self {
            mesh,
            first_face,
            first_vertex,
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

    pub(super) fn has_colors(&self) -> bool {
        self.mesh.colors().is_some()
    }

    /// The mixed vertex color; white where the mesh has none.
    #[inline]
    pub(super) fn vertex_color(&self, vertices: [u32; 3], weights: Vec3) -> Vec4 {
        let Some(colors) = self.mesh.colors() else { return Vec4::ONE };
        let [a, b, c] = vertices.map(|v| colors[(v - self.first_vertex) as usize]);
        a * weights.x + b * weights.y + c * weights.z
    }
}

fn corners_of(mesh: &Mesh) -> impl Iterator<Item = Corner> + '_ {
    let (normals, uvs) = (mesh.normals(), mesh.uvs());
    mesh.positions().iter().enumerate().map(move |(i, &position)| Corner {
        position,
        normal: normals.map_or(Vec3::ZERO, |normals| normals[i]),
        uv: uvs.map_or(Vec2::ZERO, |uvs| uvs[i]),
    })
}

fn facing(normal: Vec3) -> [i8; 4] {
    let normal = normal.normalize_or_zero() * 127.0;
    [normal.x as i8, normal.y as i8, normal.z as i8, 0]
}
