//! A scene as points: those of its clouds, or some on every triangle.

use glam::Vec3;
use lexiform_geometry::surface::SceneSurface;
use lexiform_geometry::{Mesh, Scene};

/// Points on the surface of all meshes of a scene, about.
const POINTS_PER_SCENE: f64 = 1_500_000.0;
/// Most points on one triangle.
const MAX_PER_TRIANGLE: usize = 40_000;
/// Gray of what has no color.
const GRAY: Vec3 = Vec3::splat(0.5);

/// Points of a scene with the element that each is of: a triangle if there are meshes, otherwise a point.
#[derive(Clone, Debug, Default)]
pub struct SceneSamples {
    /// Positions.
    pub positions: Vec<Vec3>,
    /// Linear colors.
    pub colors: Vec<Vec3>,
    /// The triangle of each point, counted over all meshes; `None` if points are the elements themselves.
    pub triangles: Option<Vec<u32>>,
    /// Number of elements.
    pub n_elements: usize,
}

impl SceneSamples {
    /// The points of a scene. Meshes are sampled evenly, in a fixed pattern, and each triangle at least once; clouds are taken as they are
    /// if there are no triangles.
    pub fn new(scene: &Scene) -> Self {
        if scene.n_faces() == 0 {
            let mut samples = Self { n_elements: scene.n_points(), ..Self::default() };
            for cloud in &scene.clouds {
                samples.positions.extend(cloud.positions());
                match cloud.colors() {
                    Some(colors) => samples.colors.extend(colors),
                    None => samples.colors.resize(samples.positions.len(), GRAY),
                }
            }
            return samples;
        }
        let mut samples = Self { n_elements: scene.n_faces(), ..Self::default() };
        let mut triangles = Vec::new();
        let total: f64 = scene.meshes.iter().flat_map(|m| (0..m.faces().len()).map(|f| area(m, f))).sum();
        let per_area = if total > 0.0 { POINTS_PER_SCENE / total } else { 0.0 };
        let surface = SceneSurface::new(scene);
        let mut first = 0;
        for (part, mesh) in scene.meshes.iter().enumerate() {
            for face in 0..mesh.faces().len() {
                let count = ((area(mesh, face) * per_area).round() as usize).clamp(1, MAX_PER_TRIANGLE);
                samples.add_triangle(&surface, [part, face], mesh.triangle(face), count);
                triangles.resize(samples.positions.len(), (first + face) as u32);
            }
            first += mesh.faces().len();
        }
        samples.triangles = Some(triangles);
        samples
    }

    /// The elements that have at least half of their points among `chosen`, in their order.
    pub fn elements(&self, is_chosen: impl Fn(usize) -> bool) -> Vec<u32> {
        let Some(triangles) = &self.triangles else {
            return (0..self.positions.len()).filter(|&i| is_chosen(i)).map(|i| i as u32).collect();
        };
        let mut votes = vec![[0_u32; 2]; self.n_elements];
        for (i, &triangle) in triangles.iter().enumerate() {
            votes[triangle as usize][usize::from(is_chosen(i))] += 1;
        }
        let is_in = |(_, [no, yes]): &(usize, [u32; 2])| *yes > 0 && yes >= no;
        votes.into_iter().enumerate().filter(is_in).map(|(triangle, _)| triangle as u32).collect()
    }

    fn add_triangle(
        &mut self,
        surface: &SceneSurface<'_>,
        [part, face]: [usize; 2],
        [a, b, c]: [Vec3; 3],
        count: usize,
    ) {
        for i in 0..count {
            let [u, v] = if count == 1 { [1.0 / 3.0; 2] } else { plastic_sequence(i) };
            self.positions.push(a + (b - a) * u + (c - a) * v);
            let appearance = surface.appearance(part, face, Vec3::new(1.0 - u - v, u, v));
            self.colors.push(appearance.map_or(GRAY, |appearance| appearance.color));
        }
    }
}

fn area(mesh: &Mesh, face: usize) -> f64 {
    let [a, b, c] = mesh.triangle(face);
    let area = f64::from((b - a).cross(c - a).length()) / 2.0;
    if area.is_finite() { area } else { 0.0 }
}

/// Point `i` of an even sequence in a triangle: the [R₂ sequence] in the unit square, folded at the diagonal.
///
/// [R₂ sequence]: https://extremelearning.com.au/unreasonable-effectiveness-of-quasirandom-sequences/
fn plastic_sequence(i: usize) -> [f32; 2] {
    // Powers of the plastic ratio's inverse.
    const STEPS: [f64; 2] = [0.754_877_666_246_692_7, 0.569_840_290_998_053_3];
    let [u, v] = STEPS.map(|step| (0.5 + step * i as f64).fract() as f32);
    if u + v > 1.0 { [1.0 - u, 1.0 - v] } else { [u, v] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triangles_get_points_by_area() {
        let corners = vec![Vec3::ZERO, Vec3::X, Vec3::Y, Vec3::X * 3.0 + Vec3::Y];
        let mesh = Mesh::new(corners, vec![[0, 1, 2], [1, 3, 2]]).unwrap();
        let samples = SceneSamples::new(&Scene::from_mesh(mesh));
        let triangles = samples.triangles.as_ref().unwrap();
        let of_first = triangles.iter().filter(|&&t| t == 0).count();
        assert_eq!((of_first, triangles.len()), (40_000, 80_000), "the most on one triangle");
        assert!(samples.positions.iter().all(|p| p.z == 0.0 && p.y >= 0.0 && p.y <= 1.0));
        // The mean of a triangle's even samples is its centroid.
        let mean = samples.positions[..of_first].iter().sum::<Vec3>() / of_first as f32;
        assert!(mean.abs_diff_eq(Vec3::new(1.0, 1.0, 0.0) / 3.0, 1e-3));
        assert_eq!(samples.elements(|i| i < of_first), [0]);
    }
}
