//! Corrupted copies of glTF files give a scene or an error in bounded time, and never a panic.
//!
//! `GLTF_CORRUPTED_CASES` sets how many copies are tried.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lexiform_golden::shared;
use lexiform_mesh_io::ReadOptions;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

const CASES: usize = 400;
/// Files of this size take milliseconds of work; a busy machine makes seconds of them, and only a hang minutes.
const MAX_TIME: Duration = Duration::from_secs(60);
/// Larger originals only slow the search down.
const LARGEST_FILE: u64 = 100_000;

fn originals() -> Vec<PathBuf> {
    let root = shared("assets");
    let mut folders = vec![root.join("public/formats"), root.join("public/objects"), root.join("malformed")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().and_then(|e| e.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if matches!(ending, Some("glb" | "gltf")) && path.metadata().unwrap().len() <= LARGEST_FILE
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// One to four changes: flipped bits, foreign bytes, other digits, a cut, a doubled or a lost stretch.
fn corrupt(bytes: &mut Vec<u8>, rng: &mut SmallRng) {
    for _ in 0..rng.random_range(1..=4) {
        if bytes.len() < 2 {
            return;
        }
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..8) {
            0..=2 => bytes[at] ^= 1 << rng.random_range(0..8),
            3 => bytes[at] = [0, 0xff, 0x7f, 0x80, b'9', b'-'][rng.random_range(0..6)],
            4 => {
                let digit = bytes[at..].iter().position(u8::is_ascii_digit);
                let Some(digit) = digit else { continue };
                bytes[at + digit] = rng.random_range(b'0'..=b'9');
            }
            5 => {
                let digit = bytes[at..].iter().position(u8::is_ascii_digit);
                let Some(digit) = digit else { continue };
                bytes.splice(at + digit..at + digit, *b"99");
            }
            6 => {
                let end = (at + rng.random_range(1..64)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ if rng.random_range(0..4) == 0 => bytes.truncate(at),
            _ => bytes[at] = rng.random(),
        }
    }
    // Most cuts of a GLB fail at once on its length; this lets some through.
    if bytes.starts_with(b"glTF") && bytes.len() > 12 && rng.random_range(0..2) == 0 {
        let length = (bytes.len() as u32).to_le_bytes();
        bytes[8..12].copy_from_slice(&length);
    }
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn damaged_files_give_a_scene_or_an_error() {
    let cases = std::env::var("GLTF_CORRUPTED_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let files = originals();
    let mut rng = SmallRng::seed_from_u64(7);
    let (mut scenes, mut longest) = (0, Duration::ZERO);
    for case in 0..cases {
        let path = &files[rng.random_range(0..files.len())];
        let mut bytes = std::fs::read(path).unwrap();
        corrupt(&mut bytes, &mut rng);
        let start = Instant::now();
        let read =
            std::panic::catch_unwind(|| lexiform_mesh_io::read_bytes(path, &bytes, &ReadOptions::default()));
        let took = start.elapsed();
        let Ok(result) = read else {
            let saved = std::env::temp_dir().join(format!("panic-{case}.glb"));
            std::fs::write(&saved, &bytes).unwrap();
            panic!("case {case}: {} panics, saved as {}", path.display(), saved.display());
        };
        assert!(took < MAX_TIME, "case {case}: {} took {took:?}", path.display());
        scenes += usize::from(result.is_ok());
        longest = longest.max(took);
    }
    println!("{cases} cases, {scenes} scenes, longest {longest:?}");
    // Where every copy is refused at its first bytes, the readers behind are not tested.
    assert!(scenes * 20 > cases, "{scenes} of {cases} copies are still readable");
}
