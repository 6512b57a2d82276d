//! A scene prepared for any number of views: its surface, and its points as discs.

use glam::{Vec3, Vec4};
use lexiform_geometry::Scene;
use lexiform_geometry::surface::{Hit, RenderMesh, SceneSurface};

use crate::light::Lighting;
use crate::project::SoaPositions;
use crate::ray::Ray;
use crate::splat::Splats;

/// A scene prepared for any number of views.
pub(crate) struct PreparedScene<'a> {
    pub(crate) surface: SceneSurface<'a>,
    pub(crate) positions: SoaPositions,
    /// The normal of each face's first corner, in 1/127; zero if its mesh has none.
    packed_normals: Vec<[i8; 4]>,
    pub(crate) splats: Splats,
    /// Number of triangles; ids of splats follow theirs.
    pub(crate) n_faces: u32,
}

impl<'a> PreparedScene<'a> {
    pub(crate) fn new(scene: &'a Scene) -> Self {
        let surface = SceneSurface::with_mip_maps(scene);
        let (faces, corners) = (surface.faces(), surface.corners());
        Self {
            positions: SoaPositions::new(corners.iter().map(|corner| corner.position)),
            packed_normals: faces
                .iter()
                .map(|face| packed_normal(corners[face[0] as usize].normal))
                .collect(),
            splats: Splats::new(&scene.clouds),
            n_faces: faces.len() as u32,
            surface,
        }
    }

    /// Linear color and alpha of a triangle or splat under a ray.
    pub(crate) fn shade(&self, id: u32, ray: &Ray, lighting: &Lighting) -> Vec4 {
        if id >= self.n_faces {
            return self.splats.shade((id - self.n_faces) as usize, ray, lighting);
        }
        let part = &self.surface.parts()[self.surface.part_of(id)];
        let hit = self.hit(id, ray);
        let albedo = self.surface.albedo(part, &hit);
        let rgb = if part.unlit { albedo.truncate() } else { self.lit(part, &hit, albedo, ray, lighting) };
        Vec4::from((rgb, albedo.w))
    }

    /// Unit normal of the visible side of a triangle or splat under a ray.
    pub(crate) fn normal(&self, id: u32, ray: &Ray) -> Vec3 {
        if id >= self.n_faces {
            return self.splats.normal((id - self.n_faces) as usize, ray);
        }
        self.hit(id, ray).normal()
    }

    /// Whether a masked or blended triangle is visible under a ray: its alpha passes the cutoff.
    pub(crate) fn is_solid(&self, part: &RenderMesh<'_>, id: u32, ray: &Ray) -> bool {
        self.surface.albedo(part, &self.hit(id, ray)).w >= part.alpha_cutoff()
    }

    fn lit(
        &self,
        part: &RenderMesh<'_>,
        hit: &Hit<'_>,
        albedo: Vec4,
        ray: &Ray,
        lighting: &Lighting,
    ) -> Vec3 {
        let normal = hit.normal();
        let view = -ray.direction.normalize();
        let base = albedo.truncate();
        let mut rgb = base * lighting.irradiance(normal, view);
        if part.metallic > 0.0 {
            rgb = rgb.lerp(base * lighting.reflected(normal, view, part.roughness), part.metallic);
        }
        rgb + self.surface.emission(part, hit)
    }

    #[inline]
    fn hit(&self, id: u32, ray: &Ray) -> Hit<'_> {
        let (vertices, corners) = self.surface.triangle(id);
        Hit { vertices, corners, intersection: ray.intersect(corners.map(|corner| corner.position)) }
    }

    /// Whether two triangles belong to one smooth surface: the angle between their normals has a larger cosine.
    #[inline]
    pub(crate) fn is_smooth_between(&self, id: u32, other: u32, cosine: f32) -> bool {
        let (a, b) = (self.packed_normals[id as usize], self.packed_normals[other as usize]);
        let dot: i32 = (0..3).map(|i| i32::from(a[i]) * i32::from(b[i])).sum();
        dot as f32 > cosine * 127.0 * 127.0
    }
}

fn packed_normal(normal: Vec3) -> [i8; 4] {
    let normal = normal.normalize_or_zero() * 127.0;
    [normal.x as i8, normal.y as i8, normal.z as i8, 0]
}
