//! Corrupted bytes of every format give a scene or an error: no panic, no hang, no excessive memory.
//!
//! The cases follow from a fixed seed. They are changed copies of small files made here, and of real files.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panic and prints how many cases it ran"
)]

mod fuzz;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use fuzz::{instrument, mutate::mutate, samples};
use lexiform_mesh_io::ReadOptions;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

/// Cases on files made here, and on real files (bigger, so fewer).
const CASES: usize = 24_000;
const CASES_ON_ASSETS: usize = 1_500;
const CASES_ON_MATERIALS: usize = 500;
const MAX_TIME: Duration = Duration::from_secs(2);
const MAX_MEMORY: usize = 1 << 30;

/// One case; a message if the reader misbehaves.
fn check(path: &Path, bytes: &[u8]) -> Result<bool, String> {
    let mut fastest = Duration::MAX;
    // A busy machine may stop the test for a while: only what is slow three times is slow.
    for _ in 0..3 {
        let start = Instant::now();
        let read = instrument::run(|| lexiform_mesh_io::read_bytes(path, bytes, &ReadOptions::default()));
        fastest = fastest.min(start.elapsed());
        match read.outcome {
            Err(panic) => return Err(format!("panic: {panic}")),
            Ok(_) if read.peak > MAX_MEMORY => return Err(format!("allocated {} MiB", read.peak >> 20)),
            Ok(scene) if fastest <= MAX_TIME => return Ok(scene.is_ok()),
            Ok(_) => {}
        }
    }
    Err(format!("took {fastest:?}"))
}

/// Keeps a failing case where a person can pick it up.
fn fail(name: &str, case: usize, bytes: &[u8], message: &str) -> ! {
    let kept = std::env::temp_dir().join(format!("fuzz-{case}-{name}"));
    let _ = std::fs::write(&kept, bytes);
    panic!("case {case} of {name}: {message}; bytes kept in {}", kept.display());
}

fn run(samples: &[(String, Vec<u8>)], cases: usize, rng: &mut SmallRng) {
    let folder = tempfile::tempdir().unwrap();
    let trace = std::env::var_os("LEXIFORM_FUZZ_TRACE");
    let mut readable = 0;
    for case in 0..cases {
        let (name, bytes) = &samples[case % samples.len()];
        let other = &samples[rng.random_range(0..samples.len())].1;
        let mutated = mutate(bytes, other, rng);
        if let Some(folder) = &trace {
            // What ends the process (a stack that overflows) leaves no other trace than the last file here.
            std::fs::write(Path::new(folder).join(name), &mutated).unwrap();
        }
        match check(&folder.path().join(name), &mutated) {
            Ok(read) => readable += usize::from(read),
            Err(message) => fail(name, case, &mutated, &message),
        }
    }
    println!("{cases} cases over {} files, {readable} still readable", samples.len());
    // A fuzzer whose every case dies at the magic tests nothing.
    assert!(readable * 20 > cases);
}

/// LEXIFORM_FUZZ_SEED looks for new trouble; the test itself is always the same.
fn rng() -> SmallRng {
    let seed = std::env::var("LEXIFORM_FUZZ_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_251_120);
    SmallRng::seed_from_u64(seed)
}

#[test]
fn broken_bytes_never_break_a_reader() {
    instrument::silence_panics();
    let made = samples::synthetic();
    for (name, bytes) in &made {
        let scene = lexiform_mesh_io::read_bytes(Path::new(name), bytes, &ReadOptions::default());
        assert!(scene.is_ok(), "{name}: {}", scene.unwrap_err());
    }
    let start = Instant::now();
    let mut rng = rng();
    run(&made, CASES, &mut rng);
    materials(&mut rng);
    println!("took {:?}", start.elapsed());
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn broken_real_files_never_break_a_reader() {
    instrument::silence_panics();
    let assets = samples::assets();
    assert!(assets.len() > 50, "{} files", assets.len());
    run(&assets, CASES_ON_ASSETS, &mut rng());
}

#[test]
fn compressed_points_are_the_plain_ones() {
    for format in [0, 1, 2, 3, 6, 7] {
        let read = |compressed| {
            let bytes = samples::las(format, compressed);
            lexiform_mesh_io::read_bytes(Path::new("a.las"), &bytes, &ReadOptions::default()).unwrap()
        };
        let (plain, compressed) = (read(false), read(true));
        assert_eq!(plain.n_points(), 300);
        assert_eq!(plain, compressed, "point format {format}");
    }
}

/// Invalid material libraries next to a valid OBJ.
fn materials(rng: &mut SmallRng) {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("a.mtl");
    let object = folder.path().join("a.obj");
    for case in 0..CASES_ON_MATERIALS {
        let mutated = mutate(samples::MTL, samples::OBJ, rng);
        std::fs::write(&library, &mutated).unwrap();
        if let Err(message) = check(&object, samples::OBJ) {
            fail("a.mtl", case, &mutated, &message);
        }
    }
}
