//! Surface attributes at any point of a scene's triangles: base color, emission and normal, textures included.
//!
//! [`sample`](crate::sample) evaluates random points; the renderer evaluates the point visible in each pixel.

mod point;
pub mod texture;

use std::borrow::Cow;
use std::ops::Range;

use glam::{Vec2, Vec3, Vec4};

pub use self::point::{
    Hit, Intersection, MappedTexture, ShadingVertex, face_normal, texture_footprint, unit_or,
};
use self::texture::MipChain;
use crate::{AlphaMode, Material, Mesh, Scene, TextureRef};

/// Linear color of a mesh without a material and without vertex colors.
const DEFAULT_GRAY: f32 = 0.55;
/// Blended surfaces with a lower alpha are invisible.
const MIN_BLEND_ALPHA: f32 = 1.0 / 255.0;

/// The triangles of a scene with their materials. Triangles and vertices are numbered consecutively over all parts.
pub struct SceneSurface<'a> {
    parts: Vec<RenderMesh<'a>>,
    faces: Cow<'a, [[u32; 3]]>,
    corners: Vec<ShadingVertex>,
    textures: Vec<Option<MipChain<'a>>>,
}

/// A mesh with its material and its first triangle and vertex number.
pub struct RenderMesh<'a> {
    /// The mesh.
    pub mesh: &'a Mesh,
    /// Id of its first triangle.
    pub first_face: u32,
    first_vertex: u32,
    /// How alpha is used.
    pub alpha: AlphaMode,
    /// Linear base color factor with alpha, finite.
    pub base_color: Vec4,
    base_color_texture: Option<TextureRef>,
    /// Linear emission factor, finite.
    pub emissive: Vec3,
    emissive_texture: Option<TextureRef>,
    /// `0..=1`.
    pub metallic: f32,
    /// `0..=1`.
    pub roughness: f32,
    /// Whether lighting is ignored.
    pub unlit: bool,
}

/// Color and normal of a point of a surface.
#[derive(Clone, Copy)]
pub struct Appearance {
    /// Linear base color plus emission.
    pub color: Vec3,
    /// Unit normal, on the front side of the face.
    pub normal: Vec3,
}

impl<'a> SceneSurface<'a> {
    /// Without mip maps, to evaluate single points. References to missing textures and materials are ignored.
    pub fn new(scene: &'a Scene) -> Self {
        Self::with_textures(scene, scene.textures.iter().map(MipChain::base_level).collect())
    }

    /// With mip maps, to render views.
    pub fn with_mip_maps(scene: &'a Scene) -> Self {
        Self::with_textures(scene, scene.textures.iter().map(MipChain::new).collect())
    }

    fn with_textures(scene: &'a Scene, textures: Vec<Option<MipChain<'a>>>) -> Self {
        let mut parts = Vec::with_capacity(scene.meshes.len());
        let (mut first_face, mut first_vertex) = (0, 0);
        for mesh in &scene.meshes {
            let material = mesh.material.and_then(|m| scene.materials.get(m));
            parts.push(RenderMesh::new(mesh, material, [first_face, first_vertex]));
            first_face += mesh.faces().len() as u32;
            first_vertex += mesh.positions().len() as u32;
        }
        let renumbered = |p: &RenderMesh<'a>| {
            let first = p.first_vertex;
            p.mesh.faces().iter().map(move |face| face.map(|vertex| vertex + first))
        };
        let faces = match &scene.meshes[..] {
            [mesh] => Cow::Borrowed(mesh.faces()),
            // Only several meshes need a copy with global vertex indices.
            _ => parts.iter().flat_map(renumbered).collect(),
        };
        let corners = scene.meshes.iter().flat_map(corners_of).collect();
        Self { parts, faces, corners, textures }
    }

    /// One part per mesh.
    #[inline]
    pub fn parts(&self) -> &[RenderMesh<'a>] {
        &self.parts
    }

    /// Vertex indices of each triangle.
    #[inline]
    pub fn faces(&self) -> &[[u32; 3]] {
        &self.faces
    }

    /// All vertices.
    #[inline]
    pub fn corners(&self) -> &[ShadingVertex] {
        &self.corners
    }

    /// Unlit color and normal at barycentric coordinates of a part's triangle; `None` in a hole cut by alpha.
    pub fn appearance(&self, part: usize, face: usize, barycentric: Vec3) -> Option<Appearance> {
        let part = &self.parts[part];
        let (vertices, corners) = self.triangle(part.first_face + face as u32);
        let face_normal = face_normal(corners.map(|c| c.position));
        let intersection = Intersection { barycentric, face_normal, footprint: 0.0 };
        let hit = Hit { vertices, corners, intersection };
        let albedo = self.albedo(part, &hit);
        let color = albedo.truncate() + self.emission(part, &hit);
        (albedo.w >= part.alpha_cutoff()).then(|| Appearance { color, normal: hit.normal() })
    }

    /// A part's triangle in its base color factor, without texture and alpha.
    pub fn base_appearance(&self, part: usize, face: usize) -> Appearance {
        let part = &self.parts[part];
        let (_, corners) = self.triangle(part.first_face + face as u32);
        Appearance { color: part.base_color.truncate(), normal: face_normal(corners.map(|c| c.position)) }
    }

    /// Index of the part a triangle belongs to.
    #[inline]
    pub fn part_of(&self, face: u32) -> usize {
        self.parts.partition_point(|p| p.first_face <= face) - 1
    }

    /// The triangles of a part.
    #[inline]
    pub fn faces_of(&self, part: usize) -> Range<u32> {
        let first = self.parts[part].first_face;
        first..first + self.parts[part].mesh.faces().len() as u32
    }

    /// Corners of a triangle, and their indices.
    #[inline]
    pub fn triangle(&self, id: u32) -> ([u32; 3], [&ShadingVertex; 3]) {
        let vertices = self.faces[id as usize];
        (vertices, vertices.map(|v| &self.corners[v as usize]))
    }

    /// Base color: factor × vertex color × texture.
    #[inline]
    pub fn albedo(&self, part: &RenderMesh<'_>, hit: &Hit<'_>) -> Vec4 {
        let mut color = part.base_color * part.vertex_color(hit.vertices, hit.intersection.barycentric);
        if let Some(texel) = self.base_color_texture(part).map(|texture| texture.texel(hit)) {
            color *= texel;
        }
        color
    }

    /// The texture of a part's base color.
    #[inline]
    pub fn base_color_texture(&self, part: &RenderMesh<'_>) -> Option<MappedTexture<'_>> {
        self.mapped_texture(part, part.base_color_texture)
    }

    /// Emitted light.
    #[inline]
    pub fn emission(&self, part: &RenderMesh<'_>, hit: &Hit<'_>) -> Vec3 {
        if part.emissive == Vec3::ZERO {
            return Vec3::ZERO;
        }
        let texture = self.mapped_texture(part, part.emissive_texture);
        part.emissive * texture.map_or(Vec3::ONE, |texture| texture.texel(hit).truncate())
    }

    #[inline]
    fn mapped_texture(
        &self,
        part: &RenderMesh<'_>,
        texture: Option<TextureRef>,
    ) -> Option<MappedTexture<'_>> {
        let use_ = texture.filter(|_| part.mesh.uvs().is_some())?;
        let chain = self.textures.get(use_.texture)?.as_ref()?;
        Some(MappedTexture { chain, image_from_uv: use_.image_from_uv })
    }
}

impl<'a> RenderMesh<'a> {
    fn new(mesh: &'a Mesh, material: Option<&Material>, [first_face, first_vertex]: [u32; 2]) -> Self {
        let gray = if mesh.colors().is_some() { 1.0 } else { DEFAULT_GRAY };
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

    /// Alpha below which the surface is invisible.
    #[inline]
    pub fn alpha_cutoff(&self) -> f32 {
        match self.alpha {
            AlphaMode::Opaque => f32::NEG_INFINITY,
            AlphaMode::Mask { cutoff } => cutoff,
            AlphaMode::Blend => MIN_BLEND_ALPHA,
        }
    }

    /// Whether the mesh has vertex colors.
    #[inline]
    pub fn has_colors(&self) -> bool {
        self.mesh.colors().is_some()
    }

    /// The interpolated vertex color; white if the mesh has none.
    #[inline]
    pub fn vertex_color(&self, vertices: [u32; 3], barycentric: Vec3) -> Vec4 {
        let Some(colors) = self.mesh.colors() else { return Vec4::ONE };
        let [a, b, c] = vertices.map(|v| colors[(v - self.first_vertex) as usize]);
        a * barycentric.x + b * barycentric.y + c * barycentric.z
    }
}

fn corners_of(mesh: &Mesh) -> impl Iterator<Item = ShadingVertex> + '_ {
    let (normals, uvs) = (mesh.normals(), mesh.uvs());
    mesh.positions().iter().enumerate().map(move |(i, &position)| ShadingVertex {
        position,
        normal: normals.map_or(Vec3::ZERO, |normals| normals[i]),
        uv: uvs.map_or(Vec2::ZERO, |uvs| uvs[i]),
    })
}
