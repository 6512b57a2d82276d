//! Floor, walls and ceiling.

use glam::{Vec3, vec3};
use lexiform_geometry::{Material, Mesh, Scene, linear_from_srgb};

use crate::kit::Rng;

/// Squares along an edge of a surface: scanned ones are not two triangles.
const STEPS: u32 = 6;
/// Colors of floors and of walls, sRGB.
const FLOORS: &[[u8; 3]] = &[[150, 110, 75], [120, 85, 60], [170, 165, 155], [95, 95, 100], [185, 160, 125]];
const WALLS: &[[u8; 3]] =
    &[[225, 222, 214], [205, 212, 218], [214, 205, 186], [190, 200, 188], [235, 235, 235]];

/// The inner size of a room in metres; its corner is the origin.
pub(super) struct Shell {
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) depth: f32,
}

impl Shell {
    pub(super) fn sample(rng: &mut Rng) -> Self {
        Self { width: rng.between(4.5, 7.0), height: rng.between(2.4, 2.8), depth: rng.between(4.0, 6.0) }
    }

    /// The surfaces with their labels, facing inward.
    pub(super) fn parts(&self, ceiling: bool, rng: &mut Rng) -> Vec<(&'static str, Scene)> {
        let (x, y, z) = (Vec3::X * self.width, Vec3::Y * self.height, Vec3::Z * self.depth);
        let (floor, wall) = (rng.choose(FLOORS), rng.choose(WALLS));
        let mut parts = vec![
            ("floor", surface(Vec3::ZERO, z, x, floor)),
            ("wall", surface(Vec3::ZERO, x, y, wall)),
            ("wall", surface(x, z, y, wall)),
            ("wall", surface(x + z, -x, y, wall)),
            ("wall", surface(z, -z, y, wall)),
        ];
        if ceiling {
            parts.push(("ceiling", surface(y, x, z, [245; 3])));
        }
        parts
    }
}

/// A rectangle from a corner along two edges; it faces `along × across`.
fn surface(corner: Vec3, along: Vec3, across: Vec3, srgb: [u8; 3]) -> Scene {
    let at = |i: u32, j: u32| corner + (along * i as f32 + across * j as f32) / STEPS as f32;
    let positions = (0..=STEPS).flat_map(|j| (0..=STEPS).map(move |i| at(i, j))).collect();
    let index = |i: u32, j: u32| j * (STEPS + 1) + i;
    let square = |i: u32, j: u32| {
        let [a, b, c, d] = [index(i, j), index(i + 1, j), index(i + 1, j + 1), index(i, j + 1)];
        [[a, b, c], [a, c, d]]
    };
    let faces = (0..STEPS).flat_map(|j| (0..STEPS).flat_map(move |i| square(i, j))).collect();
    let [r, g, b] = srgb.map(linear_from_srgb);
    let base_color = vec3(r, g, b).extend(1.0);
    let materials = vec![Material { base_color, double_sided: true, ..Material::default() }];
    // Sizes are finite and indices are those of the grid.
    let meshes =
        Mesh::new(positions, faces).map(|mesh| vec![mesh.with_material(Some(0))]).unwrap_or_default();
    Scene { meshes, materials, ..Scene::default() }
}
