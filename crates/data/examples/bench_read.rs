//! Times making a data set of the sample gallery and reading random views of it, beside the same views in HDF5.
//!
//! `cargo run --release -p lexiform-data --example bench_read -- [FOLDER OF 3D FILES]`; the data set and its export for
//! `xtask/peers/h5.py` are left in `LEXIFORM_BENCH_DATA`, else in a folder in the system's temporary one, and used again.
#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use lexiform_data::prepare::{LocalFiles, Prepare, PrepareConfig};
use lexiform_data::table::Table;
use lexiform_data::{Dataset, MakeOptions, Picture, decode_picture, export, make, merge};
use rand::rngs::SmallRng;
use rand::seq::{SliceRandom as _, index};
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

const REPEATS: usize = 5;

type Any = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Any> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let from = std::env::args().nth(1).map_or(samples, PathBuf::from);
    let root = std::env::var_os("LEXIFORM_BENCH_DATA")
        .map_or_else(|| std::env::temp_dir().join("lexiform-bench-data"), PathBuf::from);
    for pictures in [Picture::Webp, Picture::Png, Picture::Jpeg] {
        let folder = root.join(pictures.ending());
        if !folder.join("manifest.json").exists() {
            fill(&from, &folder, pictures)?;
        }
        let dataset = Dataset::open(&folder)?;
        if pictures == Picture::Webp && !root.join("h5/model_to_idx.json").exists() {
            let shapes: Vec<usize> = (0..dataset.len()).collect();
            export::find("duoduo").ok_or("no such export")?.write(
                &dataset,
                &shapes,
                &root.join("h5"),
                &mut || {},
            )?;
        }
        read(&dataset, pictures)?;
    }
    let h5 = std::fs::metadata(root.join("h5/mv_images.h5"))?.len();
    println!("the same views in HDF5: {:.1} MB", h5 as f64 / 1e6);
    Ok(())
}

/// Makes the data set and tells how long a shape takes.
fn fill(from: &Path, folder: &Path, pictures: Picture) -> Result<(), Any> {
    let source = LocalFiles::new(&[from.display().to_string()])?;
    let config = PrepareConfig { pictures, ..PrepareConfig::default() };
    let producer = Prepare::new(&source, config, Table::default())?;
    let start = Instant::now();
    let summary = make(&producer, folder, &MakeOptions::default(), &mut |_| {})?;
    let seconds = start.elapsed().as_secs_f64();
    merge(folder)?;
    report(
        &format!("prepare one shape, 12 views and 10k points, {}", pictures.ending()),
        seconds / summary.written as f64,
    );
    Ok(())
}

/// Every shape once in random order, 1 to 6 of its views: what a training step asks for.
fn plan(dataset: &Dataset) -> Vec<(usize, Vec<usize>)> {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut shapes: Vec<usize> = (0..dataset.len()).filter(|shape| dataset.n_views(*shape) >= 12).collect();
    shapes.shuffle(&mut rng);
    let views = |shape| {
        let count = rng.random_range(1..=6);
        let mut views = index::sample(&mut rng, 12, count).into_vec();
        views.sort_unstable();
        (shape, views)
    };
    shapes.into_iter().map(views).collect()
}

fn read(dataset: &Dataset, pictures: Picture) -> Result<(), Any> {
    let plan = plan(dataset);
    let count: usize = plan.iter().map(|(_, views)| views.len()).sum();
    let per_thousand = 1000.0 / count as f64;
    let images: u64 = plan
        .iter()
        .map(|(shape, views)| Ok(dataset.views(*shape, views)?.iter().map(Vec::len).sum::<usize>() as u64))
        .sum::<Result<u64, Any>>()?;
    println!("{}: {:.1} kB a view", pictures.ending(), images as f64 / count as f64 / 1e3);
    let bytes = median(|| {
        plan.iter().try_for_each(|(shape, views)| dataset.views(*shape, views).map(drop))?;
        Ok(())
    })?;
    report(&format!("1000 random views, files, {}", pictures.ending()), bytes * per_thousand);
    let pixels = median(|| {
        plan.par_iter().try_for_each(|(shape, views)| {
            dataset.views(*shape, views)?.iter().try_for_each(|bytes| decode_picture(bytes).map(drop))?;
            Ok::<(), Any>(())
        })
    })?;
    report(&format!("1000 random views, pixels, {}", pictures.ending()), pixels * per_thousand);
    Ok(())
}

fn median(mut run: impl FnMut() -> Result<(), Any>) -> Result<f64, Any> {
    let mut times = Vec::new();
    for _ in 0..REPEATS {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn report(what: &str, seconds: f64) {
    println!("{{\"what\": \"{what}\", \"milliseconds\": {:.4}}}", seconds * 1e3);
}
