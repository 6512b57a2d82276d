//! A format of your own: reads a text file of boxes into a scene, then renders and classifies it like any other shape.
//!
//! ```console
//! cargo run --release -p lexiform-examples --bin add_format -- examples/table.boxes table.png
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, ensure};
use glam::{Vec3, Vec4};
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::{Camera, Mesh, Scene};
use lexiform_render::{RenderConfig, render};
use lexiform_search::{EncoderOptions, ShapePreprocessor, ZeroShotClassifier};

/// Corners of a face of a box, as indices whose bits are the signs along x, y and z; counter-clockwise from outside.
const FACES: [[u32; 4]; 6] =
    [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];

/// Reads lines of nine numbers: the center, the size and the linear color of a box. `#` starts a comment.
fn read_boxes(path: &Path) -> Result<Scene> {
    let mut scene = Scene::default();
    for (i, line) in std::fs::read_to_string(path)?.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<f32>, _>>()?;
        if !numbers.is_empty() {
            let found = numbers.len();
            ensure!(found == 9, "{}: line {}: expected 9 numbers, found {found}", path.display(), i + 1);
            scene.meshes.push(box_mesh(&numbers)?);
        }
    }
    ensure!(!scene.is_empty(), "{}: expected at least one box, found none", path.display());
    Ok(scene)
}

fn box_mesh(numbers: &[f32]) -> Result<Mesh> {
    let [center, size, color] = [0, 3, 6].map(|at| Vec3::from_slice(&numbers[at..]));
    let sign = |corner: u32, axis: u32| if corner >> axis & 1 == 1 { 0.5 } else { -0.5 };
    let corner = |c: u32| center + size * Vec3::new(sign(c, 0), sign(c, 1), sign(c, 2));
    let triangles = FACES.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
    // `Mesh::new` checks indices and positions once, so that nobody has to check them again.
    let mesh = Mesh::new((0..8).map(corner).collect(), triangles)?;
    Ok(mesh.with_colors(vec![Vec4::from((color, 1.0)); 8])?)
}

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: add_format FILE.boxes OUT.png";
    let (file, out) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    let (scene, _) = normalize_unit_sphere(read_boxes(&file)?, Center::Bounds);
    println!("{} triangles", scene.n_faces());
    render(&scene, &Camera::three_quarter_view(), &RenderConfig::default()).save(&out)?;

    let encoder = EncoderOptions::default().open("nano")?;
    let input = ShapePreprocessor::for_encoder(&*encoder).process_scene(scene);
    let embeddings = encoder.embed_shapes(vec![input]).map_err(|error| anyhow!(error))?;
    let labels = ["table", "chair", "car", "tree"].map(str::to_owned);
    let scores = ZeroShotClassifier::new(&*encoder, &labels, &encoder.templates())?.classify(&embeddings[0]);
    println!("{:.0} % {}", 100.0 * scores[0].score, scores[0].label);
    Ok(())
}
