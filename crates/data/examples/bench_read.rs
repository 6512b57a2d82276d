//! Benchmarks building a data set and reading random views from it, next to the same views in the HDF5 array of Duoduo CLIP.
//!
//! The meshes come from `LEXIFORM_BENCH_SHAPES` or, without it, from the sample gallery. They are prepared by the release binary
//! `lexiform`, which must be built first. Data sets, their export and the list of meshes are kept in `LEXIFORM_BENCH_DATA` or a temporary
//! folder, for `xtask/baselines/h5.py` and `prepare.py`, and are reused by the next run.
#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use image::RgbaImage;
use lexiform_data::{Dataset, export};
use lexiform_formats::view_format::{ViewFormat, decode_view_into};
use rand::rngs::SmallRng;
use rand::seq::{SliceRandom as _, index};
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

const REPEATS: usize = 5;
/// Number of views per shape.
const VIEWS: usize = 12;
/// File name extensions that trimesh reads without optional packages.
const EXTENSIONS: [&str; 6] = ["glb", "gltf", "obj", "off", "ply", "stl"];

type Any = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Any> {
    let root = std::env::var_os("LEXIFORM_BENCH_DATA")
        .map_or_else(|| std::env::temp_dir().join("lexiform-bench-data"), PathBuf::from);
    std::fs::create_dir_all(&root)?;
    let list = list_shapes(&root)?;
    bench_prepare(&list, &root)?;
    for view_format in [ViewFormat::Png, ViewFormat::Qoi, ViewFormat::Webp, ViewFormat::Jpeg] {
        let folder = root.join(view_format.extension());
        if !folder.join("manifest.json").exists() {
            prepare(&list, &folder, view_format)?;
        }
        let dataset = Dataset::open(&folder)?;
        let plan = plan(&dataset);
        if view_format == ViewFormat::Png && !root.join("h5/model_to_idx.json").exists() {
            let shapes: Vec<usize> = (0..dataset.len()).collect();
            let duoduo = export::find("duoduo").ok_or("no such export")?;
            duoduo.write(&dataset, &shapes, &root.join("h5"), &mut || {})?;
        }
        if matches!(view_format, ViewFormat::Png | ViewFormat::Qoi) {
            read_cold(&dataset, &folder, &plan, view_format)?;
        }
        read(&dataset, &plan, view_format)?;
    }
    Ok(())
}

/// Writes the list of meshes that Lexiform and the peer prepare.
fn list_shapes(root: &Path) -> Result<PathBuf, Any> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let from = std::env::var_os("LEXIFORM_BENCH_SHAPES").map_or(samples, PathBuf::from);
    let (mut folders, mut meshes) = (vec![from.canonicalize()?], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let is_mesh = path.extension().and_then(|e| e.to_str()).is_some_and(|e| EXTENSIONS.contains(&e));
            if path.is_dir() {
                folders.push(path);
            } else if is_mesh {
                meshes.push(path.display().to_string());
            }
        }
    }
    meshes.sort();
    let list = root.join("meshes.list");
    std::fs::write(&list, meshes.join("\n") + "\n")?;
    Ok(list)
}

/// Times building a data set, then deletes it.
fn bench_prepare(list: &Path, root: &Path) -> Result<(), Any> {
    let folder = root.join("bench_prepare");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let spent = Timing::by(|| prepare(list, &folder, ViewFormat::Png))?;
    let shapes = Dataset::open(&folder)?.len();
    std::fs::remove_dir_all(&folder)?;
    spent.report("prepare one shape, 12 views and 10k points", shapes as f64);
    Ok(())
}

/// Runs `lexiform data prepare` of the same target folder.
fn prepare(list: &Path, folder: &Path, view_format: ViewFormat) -> Result<(), Any> {
    let here = std::env::current_exe()?;
    let command = here.ancestors().nth(2).ok_or("this program is in no folder")?.join("lexiform");
    let made = Command::new(&command)
        .args([
            "data",
            "prepare",
            "--json",
            "--image-format",
            if view_format == ViewFormat::Jpeg { "jpeg" } else { view_format.extension() },
        ])
        .args(["--views", &VIEWS.to_string(), "--out"])
        .args([folder, list])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("{}: {error}", command.display()))?;
    if made.success() { Ok(()) } else { Err(format!("data prepare failed: {made}").into()) }
}

/// Every shape once in random order, with 1 to 6 of its views: the access pattern of training.
fn plan(dataset: &Dataset) -> Vec<(usize, Vec<usize>)> {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut shapes: Vec<usize> =
        (0..dataset.len()).filter(|shape| dataset.n_views(*shape) >= VIEWS).collect();
    shapes.shuffle(&mut rng);
    let views = |shape| {
        let count = rng.random_range(1..=VIEWS / 2);
        let mut views = index::sample(&mut rng, VIEWS, count).into_vec();
        views.sort_unstable();
        (shape, views)
    };
    shapes.into_iter().map(views).collect()
}

/// Number of views in a plan, in thousands.
fn thousands(plan: &[(usize, Vec<usize>)]) -> f64 {
    plan.iter().map(|(_, views)| views.len()).sum::<usize>() as f64 / 1e3
}

/// The name of a measurement, with the image format unless it is the default.
fn named(what: &str, view_format: ViewFormat) -> String {
    match view_format {
        ViewFormat::Png => what.to_owned(),
        _ => format!("{what}, {}", view_format.extension()),
    }
}

/// Reads views from files in the page cache.
fn read(dataset: &Dataset, plan: &[(usize, Vec<usize>)], view_format: ViewFormat) -> Result<(), Any> {
    let of = |what: &str| named(what, view_format);
    let mut bytes = 0;
    for (shape, views) in plan {
        bytes += dataset.views(*shape, views)?.iter().map(Vec::len).sum::<usize>();
    }
    println!(
        "{{\"what\": \"{}\", \"milliseconds\": {:.2}}}",
        of("kB a view"),
        bytes as f64 / 1e6 / thousands(plan)
    );
    let files = || plan.iter().try_for_each(|(shape, views)| dataset.views(*shape, views).map(drop));
    Timing::median(|| Ok(files()?))?.report(&of("1000 random views as files"), thousands(plan));
    let mut image = RgbaImage::default();
    let one = || plan.iter().try_for_each(|(shape, views)| pixels(dataset, *shape, views, &mut image));
    Timing::median(one)?.report(&of("1000 random views to pixels"), thousands(plan));
    let all = || {
        plan.par_iter().try_for_each_init(RgbaImage::default, |image, (shape, views)| {
            pixels(dataset, *shape, views, image)
        })
    };
    Timing::median(all)?.report(&of("1000 random views to pixels, all cores"), thousands(plan));
    Ok(())
}

/// Reads views from files that were dropped from the page cache by GNU `dd`, if it is installed.
fn read_cold(
    dataset: &Dataset,
    folder: &Path,
    plan: &[(usize, Vec<usize>)],
    view_format: ViewFormat,
) -> Result<(), Any> {
    for shard in &dataset.manifest().shards {
        let path = folder.join("shards").join(&shard.file);
        let forget = Command::new("dd")
            .arg(format!("of={}", path.display()))
            .args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"])
            .stdin(Stdio::null())
            .status();
        if !forget.is_ok_and(|status| status.success()) {
            return Ok(());
        }
    }
    let mut image = RgbaImage::default();
    let read = || plan.iter().try_for_each(|(shape, views)| pixels(dataset, *shape, views, &mut image));
    let spent = Timing::by(read)?;
    spent.report(&named("1000 random views to pixels, first reading", view_format), thousands(plan));
    Ok(())
}

/// Decodes views one after another into the same buffer.
fn pixels(dataset: &Dataset, shape: usize, views: &[usize], image: &mut RgbaImage) -> Result<(), Any> {
    Ok(dataset.views(shape, views)?.iter().try_for_each(|bytes| decode_view_into(bytes, image))?)
}

/// Wall and CPU time, in seconds.
#[derive(Clone, Copy)]
struct Timing {
    wall: f64,
    /// On all processors, including child processes; `None` except on Linux.
    cpu: Option<f64>,
}

impl Timing {
    fn by(run: impl FnOnce() -> Result<(), Any>) -> Result<Self, Any> {
        let (start, before) = (Instant::now(), cpu_seconds());
        run()?;
        let cpu = cpu_seconds().zip(before).map(|(after, before)| after - before);
        Ok(Self { wall: start.elapsed().as_secs_f64(), cpu })
    }

    fn median(mut run: impl FnMut() -> Result<(), Any>) -> Result<Self, Any> {
        // CPU time has a resolution of 10 ms, too coarse for one repeat: it is measured over all of them.
        let mut walls = Vec::new();
        let all = Self::by(|| {
            for _ in 0..REPEATS {
                walls.push(Self::by(&mut run)?.wall);
            }
            Ok(())
        })?;
        walls.sort_by(f64::total_cmp);
        Ok(Self { wall: walls[REPEATS / 2], cpu: all.cpu.map(|cpu| cpu / REPEATS as f64) })
    }

    fn report(self, what: &str, per: f64) {
        let cpu = self.cpu.map_or_else(String::new, |cpu| format!(", \"cpu\": {:.4}", 1e3 * cpu / per));
        println!("{{\"what\": \"{what}\", \"milliseconds\": {:.4}{cpu}}}", 1e3 * self.wall / per);
    }
}

/// CPU time of this process and of its finished children, from `/proc`.
fn cpu_seconds() -> Option<f64> {
    /// `USER_HZ`, which is 100 on every Linux architecture that Rust supports.
    const TICKS_A_SECOND: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may contain spaces, so fields are counted from its end: CPU times are fields 14 to 17.
    let times = text.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    let ticks: Option<Vec<f64>> = times.map(|word| word.parse().ok()).collect();
    Some(ticks?.iter().sum::<f64>() / TICKS_A_SECOND)
}
