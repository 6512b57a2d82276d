//! Scenes with their answers lit: gray everywhere else.

use glam::{Vec3, Vec4};
use lexiform_geometry::{PointCloud, Scene, linear_from_srgb};

use super::crop::{crop, without_textures};
use super::{ElementKind, SceneAnswer, SceneIndex};

/// sRGB colors of answers, the best first; later ones have the last.
pub const ANSWER_COLORS: [[u8; 3]; 6] =
    [[235, 64, 52], [245, 150, 30], [240, 205, 40], [60, 180, 90], [50, 130, 220], [150, 90, 200]];
/// How much of their own brightness answers keep.
const SHADE: f32 = 0.45;
/// Brightness of the rest, in linear light.
const GRAY_LOW: f32 = 0.12;
const GRAY_HIGH: f32 = 0.62;

/// The scene in shades of gray with answers in [`ANSWER_COLORS`]. Shades are those of its colors.
pub fn paint(scene: &Scene, index: &SceneIndex, answers: &[SceneAnswer]) -> Scene {
    let mut ranks = vec![u8::MAX; index.n_elements];
    // The best answer last, so that it is on top where they overlap.
    for (rank, answer) in answers.iter().enumerate().rev() {
        let rank = rank.min(ANSWER_COLORS.len() - 1) as u8;
        index.objects[answer.object].elements.iter().for_each(|&e| ranks[e as usize] = rank);
    }
    let scene = without_textures(scene);
    match index.kind {
        ElementKind::Points => painted_points(scene.into_owned(), &ranks),
        ElementKind::Triangles => painted_triangles(&scene, &ranks),
    }
}

fn painted_points(mut scene: Scene, ranks: &[u8]) -> Scene {
    let mut first = 0;
    for cloud in &mut scene.clouds {
        let color =
            |i: usize| tint(cloud.colors().map_or(Vec3::splat(0.5), |colors| colors[i]), ranks[first + i]);
        let colors: Vec<Vec3> = (0..cloud.positions().len()).map(color).collect();
        first += colors.len();
        // As many colors as points; normals are kept.
        let normals = cloud.normals().map(<[Vec3]>::to_vec);
        let bare = PointCloud::new(cloud.positions().to_vec()).and_then(|c| c.with_colors(colors));
        if let Ok(painted) = bare.and_then(|c| match normals {
            Some(normals) => c.with_normals(normals),
            None => Ok(c),
        }) {
            *cloud = painted;
        }
    }
    scene
}

/// One part per answer: a vertex between an answer and the rest has a color in each.
fn painted_triangles(scene: &Scene, ranks: &[u8]) -> Scene {
    let mut painted = Scene { notes: scene.notes.clone(), ..Scene::default() };
    let distinct = (0..ANSWER_COLORS.len() as u8).chain([u8::MAX]);
    for rank in distinct {
        let elements: Vec<u32> =
            ranks.iter().zip(0..).filter(|(r, _)| **r == rank).map(|(_, element)| element).collect();
        for mesh in crop(scene, &elements).meshes {
            let base = mesh
                .material
                .and_then(|m| scene.materials.get(m))
                .map_or(Vec3::splat(0.55), |m| m.base_color.truncate() + m.emissive);
            let own = |i: usize| base * mesh.colors().map_or(Vec3::ONE, |colors| colors[i].truncate());
            let colors: Vec<Vec4> =
                (0..mesh.positions().len()).map(|i| tint(own(i), rank).extend(1.0)).collect();
            if let Ok(colored) = mesh.with_material(None).with_colors(colors) {
                painted.meshes.push(colored);
            }
        }
    }
    painted
}

/// The color of an answer, or gray, in the brightness of a color.
fn tint(color: Vec3, rank: u8) -> Vec3 {
    // Rec. 709 luminance.
    let luminance = color.dot(Vec3::new(0.2126, 0.7152, 0.0722)).clamp(0.0, 1.0);
    match ANSWER_COLORS.get(usize::from(rank)) {
        Some(srgb) => Vec3::from(srgb.map(linear_from_srgb)) * (1.0 - SHADE + SHADE * luminance.sqrt()),
        None => Vec3::splat(GRAY_LOW + (GRAY_HIGH - GRAY_LOW) * luminance),
    }
}

#[cfg(test)]
mod tests {
    use lexiform_geometry::Bounds;
    use lexiform_model::Embedding;

    use super::super::SceneObject;
    use super::*;

    #[test]
    fn answers_are_colored_and_the_rest_is_gray() {
        let cloud = PointCloud::new(vec![Vec3::ZERO, Vec3::X])
            .unwrap()
            .with_colors(vec![Vec3::ONE, Vec3::X])
            .unwrap();
        let object = SceneObject {
            elements: vec![0],
            bounds: Bounds { min: Vec3::ZERO, max: Vec3::ZERO },
            objectness: 1.0,
            embedding: Embedding::new(vec![1.0]).unwrap(),
        };
        let index =
            SceneIndex { up: Vec3::Y, kind: ElementKind::Points, n_elements: 2, objects: vec![object] };
        let painted = paint(&Scene::from_cloud(cloud), &index, &[SceneAnswer { object: 0, score: 1.0 }]);
        let colors = painted.clouds[0].colors().unwrap();
        assert!(colors[0].abs_diff_eq(Vec3::from(ANSWER_COLORS[0].map(linear_from_srgb)), 1e-5));
        assert!(colors[1].x == colors[1].y && colors[1].y == colors[1].z);
    }
}
