//! Rooms of generated objects, with a label and an instance for every triangle: floor, walls, furniture along the walls and in the
//! middle, small things on what has a flat top.

mod categories;
mod placement;
mod scan;
mod shell;

use lexiform_geometry::{Bounds, Scene};

pub use self::scan::{RoomScan, ScanConfig};

use self::categories::{ON_FLOOR, ON_TOP};
use self::placement::Placement;
use crate::category::Category;
use crate::families::category;
use crate::kit::Rng;

/// Share of the objects that are placed on others, where there is space.
const ON_TOP_SHARE: f32 = 0.35;
/// Objects that are tried for each that is wanted: a full room takes no more.
const ATTEMPTS_PER_OBJECT: usize = 12;

/// What a room is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomConfig {
    /// Random seed.
    pub seed: u64,
    /// Number of objects; fewer if the room is full.
    pub objects: usize,
    /// Whether there is a ceiling, which hides the room from above.
    pub ceiling: bool,
}

impl RoomConfig {
    /// A room of 8 to 20 objects without a ceiling.
    ///
    /// ```
    /// use lexiform_shapes::RoomConfig;
    ///
    /// assert!((8..=20).contains(&RoomConfig::of_seed(3).objects));
    /// ```
    pub fn of_seed(seed: u64) -> Self {
        let objects = Rng::named("room size", seed).int_between(8, 20);
        Self { seed, objects, ceiling: false }
    }
}

/// A generated room in metres, +Y up, with its floor at `y = 0`.
///
/// ```
/// use lexiform_shapes::{Room, RoomConfig};
///
/// let room = Room::generate(&RoomConfig::of_seed(1));
/// assert_eq!(room.triangle_instances.len(), room.scene.n_faces());
/// let floor = &room.instances[room.triangle_instances[0] as usize];
/// assert_eq!((floor.label, floor.is_object), ("floor", false));
/// ```
#[derive(Clone, Debug)]
pub struct Room {
    /// Triangles of everything, in the order of the instances.
    pub scene: Scene,
    /// Floor, walls and ceiling, then the objects.
    pub instances: Vec<RoomInstance>,
    /// Index into `instances` for each triangle, over all meshes in their order.
    pub triangle_instances: Vec<u32>,
}

/// One thing in a room.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomInstance {
    /// The category's name; `floor`, `wall` or `ceiling`.
    pub label: &'static str,
    /// Whether it is an object and not part of the building.
    pub is_object: bool,
    /// The box around it.
    pub bounds: Bounds,
}

impl Room {
    /// Generates the room of a seed.
    pub fn generate(config: &RoomConfig) -> Self {
        let mut rng = Rng::named("room", config.seed);
        let shell = shell::Shell::sample(&mut rng);
        let mut room =
            Self { scene: Scene::default(), instances: Vec::new(), triangle_instances: Vec::new() };
        for (label, part) in shell.parts(config.ceiling, &mut rng) {
            room.add(label, false, part);
        }
        let mut placement = Placement::new(shell.width, shell.depth);
        let on_top = (config.objects as f32 * ON_TOP_SHARE) as usize;
        let mut wanted = config.objects - on_top;
        for _ in 0..wanted * ATTEMPTS_PER_OBJECT {
            if wanted == 0 {
                break;
            }
            let (name, spot) = rng.choose(ON_FLOOR);
            if let Some(object) = placement.on_floor(sampled(name, &mut rng), spot, &mut rng) {
                room.add(name, true, object);
                wanted -= 1;
            }
        }
        wanted += on_top;
        for _ in 0..wanted * ATTEMPTS_PER_OBJECT {
            if wanted == 0 {
                break;
            }
            let name = rng.choose(ON_TOP);
            if let Some(object) = placement.on_top(sampled(name, &mut rng), &mut rng) {
                room.add(name, true, object);
                wanted -= 1;
            }
        }
        room
    }

    /// The names of all categories that rooms have objects of.
    pub fn labels() -> Vec<&'static str> {
        let mut labels: Vec<&'static str> =
            ON_FLOOR.iter().map(|(name, _)| *name).chain(ON_TOP.iter().copied()).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// Appends the meshes of an instance; materials are shifted behind those that the room has.
    fn add(&mut self, label: &'static str, is_object: bool, part: Scene) {
        let Some(bounds) = part.bounds() else { return };
        let instance = self.instances.len() as u32;
        self.instances.push(RoomInstance { label, is_object, bounds });
        let first = self.scene.materials.len();
        self.triangle_instances.extend(std::iter::repeat_n(instance, part.n_faces()));
        self.scene.materials.extend(part.materials);
        let meshes = part.meshes.into_iter();
        self.scene.meshes.extend(meshes.map(|mesh| {
            let material = mesh.material.map(|index| index + first);
            mesh.with_material(material)
        }));
    }
}

/// A specimen of a category, whose tables name only existing ones.
fn sampled(name: &str, rng: &mut Rng) -> Scene {
    let seed = rand::RngCore::next_u64(rng);
    category(name).map(|category: &Category| category.generate(seed).scene).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_those_of_their_seed() {
        let room = |seed| Room::generate(&RoomConfig::of_seed(seed));
        assert_eq!(room(5).scene, room(5).scene);
        assert_ne!(room(5).scene, room(6).scene);
    }

    #[test]
    fn tables_name_existing_categories() {
        for name in Room::labels() {
            assert!(category(name).is_some(), "{name}");
        }
    }

    #[test]
    fn objects_are_apart_and_inside() {
        for seed in 0..12 {
            let room = Room::generate(&RoomConfig { ceiling: true, ..RoomConfig::of_seed(seed) });
            let shell = room.scene.bounds().unwrap();
            let objects: Vec<&RoomInstance> = room.instances.iter().filter(|i| i.is_object).collect();
            assert!((8..=20).contains(&objects.len()), "{seed}: {} objects", objects.len());
            for (i, a) in objects.iter().enumerate() {
                assert!(
                    a.bounds.min.cmpge(shell.min - 1e-4).all() && a.bounds.max.cmple(shell.max + 1e-4).all()
                );
                for b in &objects[..i] {
                    let gap = (a.bounds.min.max(b.bounds.min) - a.bounds.max.min(b.bounds.max)).max_element();
                    // Things that are on others may reach into a rim by a little.
                    assert!(gap > -0.03, "{seed}: {} and {} overlap by {gap}", a.label, b.label);
                }
            }
        }
    }
}
