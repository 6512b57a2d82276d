//! Shapes that are known to be +Y up, as features of directions.

use std::hash::Hasher as _;
use std::path::Path;

use fnv::FnvHasher;
use lexiform_geometry::Scene;
use lexiform_geometry::upright::{Direction, N_FEATURES, ShapeFeatures};
use lexiform_shapes::categories;

/// Seeds of generated shapes start here, away from those that other training uses.
const FIRST_SEED: u64 = 7_000_000;

/// The features of a shape's up direction and of the four horizontal ones.
#[derive(Clone)]
pub struct Example {
    pub name: String,
    pub up: [f32; N_FEATURES],
    pub sideways: [[f32; N_FEATURES]; 4],
    /// Hash of its category or folder: similar shapes are left out together.
    pub group: u64,
    pub generated: bool,
    /// Large groups count less, so that a folder of a hundred rocks does not decide.
    pub weight: f32,
}

impl Example {
    fn new(name: String, group: &str, scene: &Scene, generated: bool) -> Option<Self> {
        let features = ShapeFeatures::of(scene)?;
        let toward = |axis, negative| features.toward(Direction { axis, negative });
        let mut hasher = FnvHasher::default();
        hasher.write(group.as_bytes());
        Some(Self {
            name,
            up: toward(1, false),
            sideways: [toward(0, false), toward(0, true), toward(2, false), toward(2, true)],
            group: hasher.finish() >> 20,
            generated,
            weight: 1.0,
        })
    }
}

/// N shapes of every category.
pub fn generated(per_category: u64) -> Vec<Example> {
    let of_category = |category: &'static lexiform_shapes::Category| {
        (0..per_category).filter_map(move |i| {
            let scene = category.generate(FIRST_SEED + i).scene;
            Example::new(category.name.to_owned(), category.name, &scene, true)
        })
    };
    balanced(categories().iter().flat_map(of_category).collect())
}

/// The 3D files below a folder, or those that a CSV file names in its first column.
pub fn from_folder(path: &Path) -> anyhow::Result<Vec<Example>> {
    let files = if path.is_dir() {
        lexiform_mesh_io::walk(&[path.to_owned()]).assets
    } else {
        let folder = path.parent().unwrap_or(Path::new(""));
        let rows = std::fs::read_to_string(path)?;
        let names = rows.lines().skip(1).filter_map(|row| row.split(',').next());
        names
            .map(|name| folder.join(name))
            .filter(|file| lexiform_mesh_io::Format::from_path(file).is_some())
            .collect()
    };
    let mut examples = Vec::new();
    for file in files {
        let group = file.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
        match lexiform_mesh_io::read(&file) {
            Ok(scene) => examples.extend(Example::new(file.display().to_string(), &group, &scene, false)),
            Err(error) => eprintln!("{error}"),
        }
    }
    Ok(balanced(examples))
}

fn balanced(mut examples: Vec<Example>) -> Vec<Example> {
    let groups: Vec<u64> = examples.iter().map(|example| example.group).collect();
    for example in &mut examples {
        let same = groups.iter().filter(|group| **group == example.group).count();
        example.weight = 1.0 / (same as f32).sqrt();
    }
    examples
}
