//! Times making a data set and reading random views of it, beside the same views in the block of raw pixels that Duoduo CLIP keeps.
//!
//! The meshes are those of `LEXIFORM_BENCH_SHAPES`, else of the sample gallery; they are prepared by the command itself, whose release
//! binary must be there. Data sets, their export and the list of meshes are left in `LEXIFORM_BENCH_DATA`, else in a folder in the system's
//! temporary one, for `xtask/peers/h5.py` and `prepare.py`, and are used again.
#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use image::RgbaImage;
use lexiform_data::{Dataset, export};
use lexiform_formats::picture::{Picture, decode_picture_into};
use rand::rngs::SmallRng;
use rand::seq::{SliceRandom as _, index};
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

const REPEATS: usize = 5;
/// Views of a shape.
const VIEWS: usize = 12;
/// Meshes that the peer reads without further packages.
const ENDINGS: [&str; 6] = ["glb", "gltf", "obj", "off", "ply", "stl"];

type Any = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Any> {
    let root = std::env::var_os("LEXIFORM_BENCH_DATA")
        .map_or_else(|| std::env::temp_dir().join("lexiform-bench-data"), PathBuf::from);
    std::fs::create_dir_all(&root)?;
    let list = list_shapes(&root)?;
    prepare_anew(&list, &root)?;
    for pictures in [Picture::Png, Picture::Qoi, Picture::Webp, Picture::Jpeg] {
        let folder = root.join(pictures.ending());
        if !folder.join("manifest.json").exists() {
            prepare(&list, &folder, pictures)?;
        }
        let dataset = Dataset::open(&folder)?;
        let plan = plan(&dataset);
        if pictures == Picture::Png && !root.join("h5/model_to_idx.json").exists() {
            let shapes: Vec<usize> = (0..dataset.len()).collect();
            let duoduo = export::find("duoduo").ok_or("no such export")?;
            duoduo.write(&dataset, &shapes, &root.join("h5"), &mut || {})?;
        }
        if matches!(pictures, Picture::Png | Picture::Qoi) {
            read_cold(&dataset, &folder, &plan, pictures)?;
        }
        read(&dataset, &plan, pictures)?;
    }
    Ok(())
}

/// Writes a list of the meshes that ours and the peer prepare.
fn list_shapes(root: &Path) -> Result<PathBuf, Any> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let from = std::env::var_os("LEXIFORM_BENCH_SHAPES").map_or(samples, PathBuf::from);
    let (mut folders, mut meshes) = (vec![from.canonicalize()?], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let is_mesh = path.extension().and_then(|e| e.to_str()).is_some_and(|e| ENDINGS.contains(&e));
            match path.is_dir() {
                true => folders.push(path),
                false if is_mesh => meshes.push(path.display().to_string()),
                false => {}
            }
        }
    }
    meshes.sort();
    let list = root.join("meshes.list");
    std::fs::write(&list, meshes.join("\n") + "\n")?;
    Ok(list)
}

/// Times a data set made anew, and throws it away.
fn prepare_anew(list: &Path, root: &Path) -> Result<(), Any> {
    let folder = root.join("anew");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let spent = Spent::by(|| prepare(list, &folder, Picture::Png))?;
    let shapes = Dataset::open(&folder)?.len();
    std::fs::remove_dir_all(&folder)?;
    spent.report("prepare one shape, 12 views and 10k points", shapes as f64);
    Ok(())
}

/// Runs `lexiform data prepare`, from the folder above this program's.
fn prepare(list: &Path, folder: &Path, pictures: Picture) -> Result<(), Any> {
    let here = std::env::current_exe()?;
    let command = here.ancestors().nth(2).ok_or("this program is in no folder")?.join("lexiform");
    let made = Command::new(&command)
        .args([
            "data",
            "prepare",
            "--json",
            "--image-format",
            if pictures == Picture::Jpeg { "jpeg" } else { pictures.ending() },
        ])
        .args(["--views", &VIEWS.to_string(), "--out"])
        .args([folder, list])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("{}: {error}", command.display()))?;
    if made.success() { Ok(()) } else { Err(format!("data prepare failed: {made}").into()) }
}

/// Every shape once in random order, 1 to 6 of its views: what a training step asks for.
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

/// Thousands of views that a plan asks for.
fn thousands(plan: &[(usize, Vec<usize>)]) -> f64 {
    plan.iter().map(|(_, views)| views.len()).sum::<usize>() as f64 / 1e3
}

/// What is measured, with the format where it is not the usual one.
fn named(what: &str, pictures: Picture) -> String {
    match pictures {
        Picture::Png => what.to_owned(),
        _ => format!("{what}, {}", pictures.ending()),
    }
}

/// Views from files that the system holds in memory.
fn read(dataset: &Dataset, plan: &[(usize, Vec<usize>)], pictures: Picture) -> Result<(), Any> {
    let of = |what: &str| named(what, pictures);
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
    Spent::median(|| Ok(files()?))?.report(&of("1000 random views as files"), thousands(plan));
    let mut image = RgbaImage::default();
    let one = || plan.iter().try_for_each(|(shape, views)| pixels(dataset, *shape, views, &mut image));
    Spent::median(one)?.report(&of("1000 random views to pixels"), thousands(plan));
    let all = || {
        plan.par_iter().try_for_each_init(RgbaImage::default, |image, (shape, views)| {
            pixels(dataset, *shape, views, image)
        })
    };
    Spent::median(all)?.report(&of("1000 random views to pixels, all cores"), thousands(plan));
    Ok(())
}

/// Views from files that the system was asked to forget, where GNU's `dd` is there to ask it.
fn read_cold(
    dataset: &Dataset,
    folder: &Path,
    plan: &[(usize, Vec<usize>)],
    pictures: Picture,
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
    let spent = Spent::by(read)?;
    spent.report(&named("1000 random views to pixels, first reading", pictures), thousands(plan));
    Ok(())
}

/// One view after the other in the memory of one image.
fn pixels(dataset: &Dataset, shape: usize, views: &[usize], image: &mut RgbaImage) -> Result<(), Any> {
    Ok(dataset.views(shape, views)?.iter().try_for_each(|bytes| decode_picture_into(bytes, image))?)
}

/// What a piece of work took, in seconds.
#[derive(Clone, Copy)]
struct Spent {
    wall: f64,
    /// Of all processors, children's too; where the system tells.
    cpu: Option<f64>,
}

impl Spent {
    fn by(run: impl FnOnce() -> Result<(), Any>) -> Result<Self, Any> {
        let (start, before) = (Instant::now(), cpu_seconds());
        run()?;
        let cpu = cpu_seconds().zip(before).map(|(after, before)| after - before);
        Ok(Self { wall: start.elapsed().as_secs_f64(), cpu })
    }

    fn median(mut run: impl FnMut() -> Result<(), Any>) -> Result<Self, Any> {
        // The processor's time is told in hundredths of a second: that of all repeats together.
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

/// The processor's time of this process and of the children it waited for, as Linux tells it.
fn cpu_seconds() -> Option<f64> {
    /// Of Linux towards programs, whatever its own clock is.
    const TICKS_A_SECOND: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the name in brackets, which may hold anything: state, then numbers; times are the 14th to the 17th of all.
    let times = text.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    let ticks: Option<Vec<f64>> = times.map(|word| word.parse().ok()).collect();
    Some(ticks?.iter().sum::<f64>() / TICKS_A_SECOND)
}
