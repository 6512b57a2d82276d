//! Writes the gallery in `samples/`: procedurally generated shapes, in mixed formats, and a table of labels. `cargo run -p lexiform-shapes --example
//! make_samples -- samples`.

use std::path::Path;

use anyhow::Context as _;
use lexiform_geometry::Scene;
use lexiform_geometry::sample::sample_surface;
use lexiform_mesh_io::write;
use lexiform_shapes::{Specimen, category};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

/// Category, main color (any where empty), file name.
const GALLERY: &[(&str, &str, &str)] = &[
    ("chair", "red", "chair_01.glb"),
    ("chair", "blue", "chair_02.glb"),
    ("chair", "brown", "chair_03.obj"),
    ("chair", "white", "chair_04.stl"),
    ("armchair", "green", "armchair.glb"),
    ("sofa", "gray", "sofa.glb"),
    ("stool", "yellow", "stool.obj"),
    ("bench", "", "bench.ply"),
    ("table", "brown", "table_01.glb"),
    ("table", "white", "table_02.off"),
    ("bed", "blue", "bed.glb"),
    ("bookcase", "", "bookcase.glb"),
    ("lamp", "yellow", "lamp.glb"),
    ("clock", "", "clock.glb"),
    ("door", "", "door.obj"),
    ("bathtub", "", "bathtub.stl"),
    ("toilet", "", "toilet.glb"),
    ("refrigerator", "", "refrigerator.glb"),
    ("teapot", "", "teapot.ply"),
    ("mug", "red", "mug_01.glb"),
    ("mug", "blue", "mug_02.stl"),
    ("bottle", "green", "bottle.glb"),
    ("wine glass", "", "wine_glass.obj"),
    ("fork", "", "fork.stl"),
    ("frying pan", "", "frying_pan.glb"),
    ("vase", "", "vase.ply"),
    ("barrel", "", "barrel.glb"),
    ("treasure chest", "", "treasure_chest.glb"),
    ("apple", "red", "apple_01.glb"),
    ("apple", "green", "apple_02.ply"),
    ("banana", "", "banana.glb"),
    ("pumpkin", "", "pumpkin.obj"),
    ("cake", "", "cake.glb"),
    ("hamburger", "", "hamburger.glb"),
    ("pizza", "", "pizza.glb"),
    ("hammer", "", "hammer.obj"),
    ("axe", "", "axe.stl"),
    ("scissors", "", "scissors.glb"),
    ("key", "", "key.off"),
    ("car", "red", "car_01.glb"),
    ("car", "blue", "car_02.glb"),
    ("car", "", "car_03.npy"),
    ("truck", "", "truck.glb"),
    ("airplane", "", "airplane_01.glb"),
    ("airplane", "", "airplane_02.pcd"),
    ("boat", "", "boat.obj"),
    ("spaceship", "", "spaceship.glb"),
    ("tree", "", "tree_01.glb"),
    ("tree", "", "tree_02.xyz"),
    ("cactus", "", "cactus.glb"),
    ("mushroom", "", "mushroom.ply"),
    ("house", "", "house.glb"),
    ("fire hydrant", "", "fire_hydrant.glb"),
    ("traffic light", "", "traffic_light.glb"),
    ("dog", "", "dog_01.glb"),
    ("dog", "", "dog_02.pcd"),
    ("horse", "", "horse.glb"),
    ("fish", "", "fish.glb"),
    ("penguin", "", "penguin.glb"),
    ("guitar", "", "guitar_01.glb"),
    ("guitar", "", "guitar_02.xyz"),
    ("sword", "", "sword.obj"),
    ("shield", "", "shield.glb"),
    ("teddy bear", "", "teddy_bear.glb"),
];

/// Points of a sampled file.
const POINTS: usize = 2_048;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).context("usage: make_samples FOLDER")?;
    std::fs::create_dir_all(&folder)?;
    let labels: String = GALLERY.iter().map(|(name, _, file)| format!("{file},{name}\n")).collect();
    std::fs::write(Path::new(&folder).join("labels.csv"), format!("file,label\n{labels}"))?;
    for (index, (name, color, file)) in GALLERY.iter().enumerate() {
        let specimen = specimen(name, color, index as u64)?;
        let path = Path::new(&folder).join(file);
        write(&path, &as_format(specimen.scene, file))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// The first specimen of the color from a seed of the file's own on.
fn specimen(name: &str, color: &str, index: u64) -> anyhow::Result<Specimen> {
    let category = category(name).with_context(|| format!("no category is called {name:?}"))?;
    let seeds = (0..500).map(|i| 9_000_000 + index * 1_000 + i);
    let fits =
        |s: &Specimen| (color.is_empty() || s.attributes.color == Some(color)) && s.scene.n_faces() < 3_000;
    seeds
        .map(|seed| category.generate(seed))
        .find(fits)
        .with_context(|| format!("no {color} {name} in 500 seeds"))
}

/// Point formats get points.
fn as_format(scene: Scene, file: &str) -> Scene {
    let is_points = [".npy", ".pcd", ".xyz"].iter().any(|ending| file.ends_with(ending));
    if is_points {
        Scene::from_cloud(sample_surface(&scene, POINTS, &mut SmallRng::seed_from_u64(1)))
    } else {
        scene
    }
}
