//! Shading of many points of opaque triangles in parallel lanes. The reference implementation is
//! [`PreparedScene::shade`](crate::prepared_scene::PreparedScene::shade):
//! both use the same formulas and give the same bits.

use glam::{Vec2, Vec3};
use lexiform_geometry::surface::{Hit, Intersection, MappedTexture, RenderMesh, texture_footprint};

use crate::frame::Frame;
use crate::ray::Ray;
use lexiform_kernels::Kernel;

/// Points per block: loops over exactly this many lanes become vector instructions.
const BLOCK: usize = 16;

/// A color that a pixel needs.
#[derive(Clone, Copy)]
pub(crate) struct ShadeRequest {
    /// Id of the triangle.
    pub(crate) id: u32,
    /// Position on the sample grid.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Index of the pixel within the dirty columns of its row, and how many of its samples get the color.
    pub(crate) pixel: u32,
    pub(crate) weight: f32,
}

/// Shades points of opaque triangles: linear color, lit.
pub(crate) struct Shade<'a> {
    pub(crate) frame: &'a Frame<'a>,
    pub(crate) requests: &'a [ShadeRequest],
    /// As many as `requests`.
    pub(crate) colors: &'a mut [Vec3],
}

type Lanes = [f32; BLOCK];
/// Vectors as a structure of arrays.
type Lanes3 = [Lanes; 3];

/// A block of points.
struct Block {
    grid: [Lanes; 2],
    positions: [Lanes3; 3],
    normals: [Lanes3; 3],
    uvs: [[Lanes; 2]; 3],
    /// Texture size in texels.
    texels: [Lanes; 2],
    barycentric: Lanes3,
    face_normal: Lanes3,
    footprint: Lanes,
    uv: [Lanes; 2],
    texel_area: Lanes,
    normal: Lanes3,
    view: Lanes3,
    base: Lanes3,
    emission: Lanes3,
    metallic: Lanes,
    roughness: Lanes,
    /// 0 for unlit materials, otherwise 1.
    lit: Lanes,
    color: Lanes3,
}

/// The parts and textures of a block's points; neighbors are usually in one part.
struct BlockMaterials<'a> {
    parts: [Option<(&'a RenderMesh<'a>, Option<MappedTexture<'a>>)>; BLOCK],
    any_metal: bool,
}

#[inline(always)]
fn load(lanes: &Lanes3, i: usize) -> Vec3 {
    Vec3::new(lanes[0][i], lanes[1][i], lanes[2][i])
}

#[inline(always)]
fn store(lanes: &mut Lanes3, i: usize, vector: Vec3) {
    lanes[0][i] = vector.x;
    lanes[1][i] = vector.y;
    lanes[2][i] = vector.z;
}

#[inline(always)]
fn load2(lanes: &[Lanes; 2], i: usize) -> Vec2 {
    Vec2::new(lanes[0][i], lanes[1][i])
}

impl Kernel for Shade<'_> {
    #[inline(always)]
    fn run(self) {
        let mut block = Block::empty();
        for (requests, colors) in self.requests.chunks(BLOCK).zip(self.colors.chunks_mut(BLOCK)) {
            // Always all lanes: those past the end have old values, and their results are not read.
            let materials = block.gather(self.frame, requests);
            block.intersect(self.frame);
            block.sample_base_colors(self.frame, requests, &materials);
            block.light(self.frame, materials.any_metal);
            for (i, color) in colors.iter_mut().enumerate().take(BLOCK) {
                *color = load(&block.color, i);
            }
        }
    }
}

impl Block {
    #[inline(always)]
    fn empty() -> Self {
        let lanes = [0.0; BLOCK];
        let lanes3 = [lanes; 3];
        Self {
            grid: [lanes; 2],
            positions: [lanes3; 3],
            normals: [lanes3; 3],
            uvs: [[lanes; 2]; 3],
            texels: [lanes; 2],
            barycentric: lanes3,
            face_normal: lanes3,
            footprint: lanes,
            uv: [lanes; 2],
            texel_area: lanes,
            normal: lanes3,
            view: lanes3,
            base: lanes3,
            emission: lanes3,
            metallic: lanes,
            roughness: lanes,
            lit: lanes,
            color: lanes3,
        }
    }

    /// Loads corners and materials.
    #[inline(always)]
    fn gather<'a>(&mut self, frame: &Frame<'a>, requests: &[ShadeRequest]) -> BlockMaterials<'a> {
        let surface = &frame.scene.surface;
        let mut materials = BlockMaterials { parts: [None; BLOCK], any_metal: false };
        let mut faces = 0..0;
        // Lookups are repeated only when a triangle is in another part than the one before.
        let mut known = None;
        for (i, request) in requests.iter().enumerate().take(BLOCK) {
            if !faces.contains(&request.id) {
                let index = surface.part_of(request.id);
                faces = surface.faces_of(index);
                let part = &surface.parts()[index];
                known = Some((part, surface.base_color_texture(part)));
            }
            let Some((part, texture)) = known else { continue };
            materials.parts[i] = known;
            materials.any_metal |= part.metallic > 0.0;
            self.grid[0][i] = request.x;
            self.grid[1][i] = request.y;
            let (_, corners) = surface.triangle(request.id);
            for (slot, corner) in corners.into_iter().enumerate() {
                store(&mut self.positions[slot], i, corner.position);
                store(&mut self.normals[slot], i, corner.normal);
                if let Some(texture) = &texture {
                    let uv = texture.transform_uv(corner.uv);
                    self.uvs[slot][0][i] = uv.x;
                    self.uvs[slot][1][i] = uv.y;
                }
            }
            let texels = texture.map_or(Vec2::ZERO, |texture| texture.chain.size());
            self.texels[0][i] = texels.x;
            self.texels[1][i] = texels.y;
            self.metallic[i] = part.metallic;
            self.roughness[i] = part.roughness;
            self.lit[i] = if part.unlit { 0.0 } else { 1.0 };
        }
        materials
    }

    /// Intersects rays with triangles.
    #[inline(always)]
    fn intersect(&mut self, frame: &Frame<'_>) {
        let (eye, pixel_area, projection) = (frame.projection.eye, frame.pixel_area, frame.projection);
        for i in 0..BLOCK {
            let direction = projection.ray(self.grid[0][i], self.grid[1][i]);
            let ray = Ray { eye, direction, pixel_area };
            let [a, b, c] = &self.positions;
            let intersection = ray.intersect([load(a, i), load(b, i), load(c, i)]);
            let [a, b, c] = &self.normals;
            let normal = intersection.normal([load(a, i), load(b, i), load(c, i)]);
            let [a, b, c] = &self.uvs;
            let corners = [load2(a, i), load2(b, i), load2(c, i)];
            let (uv, area) = texture_footprint(corners, &intersection, load2(&self.texels, i));
            store(&mut self.barycentric, i, intersection.barycentric);
            store(&mut self.face_normal, i, intersection.face_normal);
            self.footprint[i] = intersection.footprint;
            store(&mut self.normal, i, normal);
            store(&mut self.view, i, -direction.normalize());
            self.uv[0][i] = uv.x;
            self.uv[1][i] = uv.y;
            self.texel_area[i] = area;
        }
    }

    /// Base colors and emission.
    #[inline(always)]
    fn sample_base_colors(
        &mut self,
        frame: &Frame<'_>,
        requests: &[ShadeRequest],
        materials: &BlockMaterials<'_>,
    ) {
        for (i, (request, material)) in requests.iter().zip(&materials.parts).enumerate() {
            let Some((part, texture)) = material else { continue };
            let mut base = part.base_color;
            if part.has_colors() {
                base *=
                    part.vertex_color(frame.scene.surface.triangle(request.id).0, load(&self.barycentric, i));
            }
            if let Some(texture) = texture {
                base *= texture.sample(load2(&self.uv, i), self.texel_area[i]);
            }
            store(&mut self.base, i, base.truncate());
            let emission = if part.emissive == Vec3::ZERO || part.unlit {
                Vec3::ZERO
            } else {
                let (vertices, corners) = frame.scene.surface.triangle(request.id);
                let barycentric = load(&self.barycentric, i);
                let face_normal = load(&self.face_normal, i);
                let intersection = Intersection { barycentric, face_normal, footprint: self.footprint[i] };
                frame.scene.surface.emission(part, &Hit { vertices, corners, intersection })
            };
            store(&mut self.emission, i, emission);
        }
    }

    /// Lights the base colors.
    #[inline(always)]
    fn light(&mut self, frame: &Frame<'_>, any_metal: bool) {
        let lighting = frame.lighting;
        for i in 0..BLOCK {
            let base = load(&self.base, i);
            let shine = lighting.irradiance(load(&self.normal, i), load(&self.view, i));
            store(&mut self.color, i, base * shine);
        }
        // Reflections are computed only where a material needs them: metal is rare.
        for i in 0..if any_metal { BLOCK } else { 0 } {
            let (base, color) = (load(&self.base, i), load(&self.color, i));
            let shine = lighting.reflected(load(&self.normal, i), load(&self.view, i), self.roughness[i]);
            store(&mut self.color, i, color.lerp(base * shine, self.metallic[i]));
        }
        for i in 0..BLOCK {
            let color = load(&self.color, i) + load(&self.emission, i);
            let base = load(&self.base, i);
            let is_lit = self.lit[i] > 0.0;
            let pick = |lit: f32, bare: f32| if is_lit { lit } else { bare };
            let color = Vec3::new(pick(color.x, base.x), pick(color.y, base.y), pick(color.z, base.z));
            store(&mut self.color, i, color);
        }
    }
}
