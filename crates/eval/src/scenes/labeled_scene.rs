//! A scene with a label and an instance for each of its elements.

use glam::Vec3;
use lexiform_geometry::Scene;

/// Index of elements that are of no instance.
pub(super) const NO_INSTANCE: u32 = u32::MAX;

/// A scene whose objects are known.
#[derive(Clone, Debug)]
pub struct LabeledScene {
    /// Name of the scene, for reports.
    pub name: String,
    /// Triangles or points.
    pub scene: Scene,
    /// Up axis in its coordinates.
    pub up: Vec3,
    /// The instances.
    pub instances: Vec<SceneInstance>,
    /// Index into `instances` for each triangle, or point if there are no triangles, over all parts; any other number for none.
    pub of_elements: Vec<u32>,
}

/// One thing in a scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneInstance {
    /// Its label.
    pub label: String,
    /// Whether it is an object, and not floor, wall or ceiling.
    pub is_object: bool,
}

impl SceneInstance {
    /// An instance; floors, walls and ceilings are no objects.
    pub fn new(label: &str) -> Self {
        let label = label.to_lowercase();
        let is_object = !STRUCTURE.contains(&label.as_str());
        Self { label, is_object }
    }
}

/// Labels of buildings in the data sets: parts that are not found by name among objects.
const STRUCTURE: [&str; 7] = ["floor", "wall", "ceiling", "beam", "column", "unannotated", "clutter"];

impl LabeledScene {
    /// The elements of each instance, ascending.
    pub(super) fn masks(&self) -> Vec<Vec<u32>> {
        let mut masks = vec![Vec::new(); self.instances.len()];
        for (&instance, element) in self.of_elements.iter().zip(0..) {
            if let Some(mask) = masks.get_mut(instance as usize) {
                mask.push(element);
            }
        }
        masks
    }
}
