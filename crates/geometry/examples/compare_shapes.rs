//! Compares 3D files pairwise: `compare_shapes FILE...` prints signature distance and registration error, most similar first.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::path::Path;
use std::time::Instant;

use lexiform_geometry::registration::{CanonicalShape, Signature};

/// Pairs printed.
const MAX_PAIRS: usize = 400;

fn main() {
    let start = Instant::now();
    let mut shapes: Vec<(String, CanonicalShape, Signature)> = Vec::new();
    for file in std::env::args().skip(1) {
        match lexiform_mesh_io::read(Path::new(&file)).map(|scene| CanonicalShape::from_scene(&scene)) {
            Ok(Some(form)) => {
                let signature = form.signature();
                shapes.push((file, form, signature));
            }
            Ok(None) => eprintln!("{file}: no triangles and no points"),
            Err(error) => eprintln!("{error}"),
        }
    }
    eprintln!("{} shapes in {:.1} s", shapes.len(), start.elapsed().as_secs_f64());
    let mut pairs = Vec::new();
    for (i, a) in shapes.iter().enumerate() {
        pairs.extend(shapes[i + 1..].iter().map(|b| (a.2.distance(&b.2), a, b)));
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let start = Instant::now();
    for (apart, a, b) in pairs.iter().take(MAX_PAIRS) {
        let fit = a.1.register(&b.1);
        let said = match (fit.is_same(), fit.has_outlier) {
            (true, _) => "same",
            (false, true) => "has outlier",
            (false, false) => "",
        };
        let side = if fit.mirrored { "mirrored" } else { "" };
        let (distance, noise_floor) = (100.0 * fit.relative_rmse, 100.0 * fit.noise_floor);
        println!("{apart:.4} {distance:.2} % (to {noise_floor:.2} %) {said} {side} {} {}", a.0, b.0);
    }
    eprintln!("{} fits in {:.1} s", pairs.len().min(MAX_PAIRS), start.elapsed().as_secs_f64());
}
