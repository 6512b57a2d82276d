//! Places for objects by rejection sampling: apart from each other, inside the room, on flat tops.

use std::f32::consts::{FRAC_PI_2, TAU};

use glam::{Affine3A, Vec2, Vec3, vec2, vec3};
use lexiform_geometry::{Bounds, Scene};

use super::categories::Spot;
use crate::kit::Rng;

/// Smallest distance between objects on the floor, in metres: scans of closer ones run into each other.
const GAP: f32 = 0.08;
/// The same between things on a table.
const SMALL_GAP: f32 = 0.05;
/// Places that are tried for an object.
const ATTEMPTS: usize = 30;
/// Objects that are higher or wider are out of scale in a room.
const MAX_HEIGHT: f32 = 2.2;
const MAX_WIDTH: f32 = 2.4;
/// Nothing is put on what is higher.
const MAX_TOP: f32 = 1.25;
/// What is put on others is at most this long.
const MAX_SMALL: f32 = 0.6;
/// How much a top may vary in height under an object.
const FLATNESS: f32 = 0.01;

/// The floor's rectangle from the origin, and what is on it.
pub(super) struct Placement {
    size: Vec2,
    on_floor: Vec<Scene>,
    floor_boxes: Vec<Bounds>,
    top_boxes: Vec<Bounds>,
}

impl Placement {
    pub(super) fn new(width: f32, depth: f32) -> Self {
        Self {
            size: vec2(width, depth),
            on_floor: Vec::new(),
            floor_boxes: Vec::new(),
            top_boxes: Vec::new(),
        }
    }

    /// The object at a place on the floor; `None` if none is found.
    pub(super) fn on_floor(&mut self, object: Scene, spot: Spot, rng: &mut Rng) -> Option<Scene> {
        let extents = object.bounds()?.extents();
        if extents.y > MAX_HEIGHT || extents.x.max(extents.z) > MAX_WIDTH {
            return None;
        }
        for _ in 0..ATTEMPTS {
            let side = rng.index(4);
            let yaw = match spot {
                Spot::Wall => side as f32 * FRAC_PI_2,
                Spot::Free => rng.between(0.0, TAU),
            };
            let turned = object.clone().transformed(Affine3A::from_rotation_y(yaw));
            let around = turned.bounds()?;
            let space = self.size - vec2(around.extents().x, around.extents().z) - 2.0 * GAP;
            if space.min_element() < 0.0 {
                continue;
            }
            let mut low = vec2(rng.unit(), rng.unit()) * space + GAP;
            if spot == Spot::Wall {
                low = self.against_wall(low, space, side, rng.between(0.01, 0.06));
            }
            let target = vec3(low.x, 0.0, low.y);
            let placed = turned.transformed(Affine3A::from_translation(target - around.min));
            let bounds = placed.bounds()?;
            if self.floor_boxes.iter().all(|other| are_apart(other, &bounds, GAP)) {
                self.floor_boxes.push(bounds);
                self.on_floor.push(placed.clone());
                return Some(placed);
            }
        }
        None
    }

    /// The low corner moved to the wall behind an object whose front was turned by `side` quarters from +Z.
    fn against_wall(&self, low: Vec2, space: Vec2, side: usize, gap: f32) -> Vec2 {
        let far = space + 2.0 * GAP - gap;
        match side {
            0 => vec2(low.x, gap),
            1 => vec2(gap, low.y),
            2 => vec2(low.x, far.y),
            _ => vec2(far.x, low.y),
        }
    }

    /// The object on a flat top of what is on the floor; `None` if no place is found.
    pub(super) fn on_top(&mut self, object: Scene, rng: &mut Rng) -> Option<Scene> {
        if self.on_floor.is_empty() {
            return None;
        }
        for _ in 0..ATTEMPTS {
            let turned = object.clone().transformed(Affine3A::from_rotation_y(rng.between(0.0, TAU)));
            let around = turned.bounds()?;
            let extents = around.extents();
            let support = &self.on_floor[rng.index(self.on_floor.len())];
            let below = support.bounds()?;
            let space = below.extents() - extents;
            let fits = space.x > 0.0 && space.z > 0.0 && extents.max_element() < MAX_SMALL;
            if !fits || below.max.y > MAX_TOP {
                continue;
            }
            let low = below.min + vec3(rng.unit() * space.x, 0.0, rng.unit() * space.z);
            let Some(height) = flat_height(support, low, extents) else { continue };
            let target = vec3(low.x, height, low.z);
            let placed = turned.transformed(Affine3A::from_translation(target - around.min));
            let bounds = placed.bounds()?;
            if self.top_boxes.iter().all(|other| are_apart(other, &bounds, SMALL_GAP)) {
                self.top_boxes.push(bounds);
                return Some(placed);
            }
        }
        None
    }
}

/// Whether two boxes are apart on the floor.
fn are_apart(a: &Bounds, b: &Bounds, gap: f32) -> bool {
    let between = a.min.max(b.min) - a.max.min(b.max);
    between.x.max(between.z) >= gap
}

/// The height of a support under a footprint, if it is flat there and nothing of it is above.
fn flat_height(support: &Scene, low: Vec3, extents: Vec3) -> Option<f32> {
    let mut heights = Vec::new();
    for i in 0..=4 {
        for j in 0..=4 {
            let at = low + extents * vec3(i as f32 / 4.0, 0.0, j as f32 / 4.0);
            heights.push(height_at(support, vec2(at.x, at.z))?);
        }
    }
    let top = heights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    // Nothing of the support reaches above its top: no back of a chair, no headboard.
    let is_top = support.bounds().is_some_and(|bounds| bounds.max.y - top < FLATNESS);
    (is_top && heights.iter().all(|height| top - height < FLATNESS)).then_some(top)
}

/// The highest point of a scene above a place on the floor.
fn height_at(scene: &Scene, at: Vec2) -> Option<f32> {
    let triangles =
        scene.meshes.iter().flat_map(|mesh| (0..mesh.faces().len()).map(|face| mesh.triangle(face)));
    let heights = triangles.filter_map(|[a, b, c]| {
        let flat = [a, b, c].map(|p| vec2(p.x, p.z));
        let area = (flat[1] - flat[0]).perp_dot(flat[2] - flat[0]);
        if area.abs() < 1e-9 {
            return None;
        }
        let weight =
            |i: usize| (flat[(i + 2) % 3] - flat[(i + 1) % 3]).perp_dot(at - flat[(i + 1) % 3]) / area;
        let weights = [weight(0), weight(1), weight(2)];
        let inside = weights.iter().all(|w| *w >= 0.0);
        inside.then(|| weights[0] * a.y + weights[1] * b.y + weights[2] * c.y)
    });
    heights.fold(None, |top: Option<f32>, height| Some(top.map_or(height, |top| top.max(height))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lexiform_geometry::Mesh;

    #[test]
    fn a_height_is_that_of_the_highest_triangle() {
        let triangle = |y: f32| {
            let corners = vec![vec3(0.0, y, 0.0), vec3(1.0, y, 0.0), vec3(0.0, y + 1.0, 1.0)];
            Mesh::new(corners, vec![[0, 1, 2]]).unwrap()
        };
        let scene = Scene { meshes: vec![triangle(0.0), triangle(2.0)], ..Scene::default() };
        assert_eq!(height_at(&scene, vec2(0.25, 0.5)), Some(2.5));
        assert_eq!(height_at(&scene, vec2(0.75, 0.5)), None);
    }
}
