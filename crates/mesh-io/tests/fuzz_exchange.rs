//! Corrupted bytes of exchange formats give a scene or an error: no panic, no hang, no excessive memory.
//!
//! FBX is parsed by C code, whose mistakes would end the process: its cases run in a process of their own, whose end is checked.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panic and prints how many cases it ran"
)]
#![allow(dead_code, reason = "parts of the fuzz test are for the other test")]

mod fuzz;

use std::path::Path;
use std::time::{Duration, Instant};

use fuzz::exchange::exchange;
use fuzz::instrument;
use fuzz::mutate::mutate;
use lexiform_mesh_io::{Format, ReadOptions};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

/// Cases of each file made here; LEXIFORM_FUZZ_CASES for more, as before a release.
const CASES: usize = 400;
const CASES_OF_FBX: usize = 2_000;
const MAX_TIME: Duration = Duration::from_secs(2);
const MAX_MEMORY: usize = 1 << 30;
/// Names the process that runs the cases of FBX.
const CHILD: &str = "LEXIFORM_FUZZ_CHILD";

fn cases(usual: usize) -> usize {
    std::env::var("LEXIFORM_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// Time that this thread has computed, where the system counts it: a busy machine may stop the test for seconds.
fn used() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = counted.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// One case; a message if the reader misbehaves.
fn check(path: &Path, bytes: &[u8]) -> Result<bool, String> {
    let mut fastest = Duration::MAX;
    // Only what is slow three times is slow.
    for _ in 0..3 {
        let start = used();
        let read = instrument::run(|| lexiform_mesh_io::read_bytes(path, bytes, &ReadOptions::default()));
        fastest = fastest.min(used().saturating_sub(start));
        match read.outcome {
            Err(panic) => return Err(format!("panic: {panic}")),
            Ok(_) if read.peak > MAX_MEMORY => return Err(format!("allocated {} MiB", read.peak >> 20)),
            Ok(scene) if fastest <= MAX_TIME => return Ok(scene.is_ok()),
            Ok(_) => {}
        }
    }
    Err(format!("took {fastest:?}"))
}

fn run(samples: &[(String, Vec<u8>)], cases: usize) {
    let folder = tempfile::tempdir().unwrap();
    let seed = std::env::var("LEXIFORM_FUZZ_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_130);
    let mut rng = SmallRng::seed_from_u64(seed);
    for (name, bytes) in samples {
        let mut readable = 0;
        for case in 0..cases {
            let other = &samples[rng.random_range(0..samples.len())].1;
            let mutated = mutate(bytes, other, &mut rng);
            match check(&folder.path().join(name), &mutated) {
                Ok(read) => readable += usize::from(read),
                Err(message) => {
                    let kept = std::env::temp_dir().join(format!("fuzz-{case}-{name}"));
                    let _ = std::fs::write(&kept, &mutated);
                    panic!("case {case} of {name}: {message}; bytes kept in {}", kept.display());
                }
            }
        }
        println!("{name}: {cases} cases, {readable} still readable");
    }
}

/// Real files of exchange formats, of at most 100 kB.
fn assets(wanted: impl Fn(Format) -> bool) -> Vec<(String, Vec<u8>)> {
    let folder = lexiform_golden::shared("assets").join("public/formats2");
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| Format::from_path(path).is_some_and(&wanted))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .filter(|(_, bytes)| bytes.len() < 100_000)
        .collect();
    files.sort();
    files
}

#[test]
fn files_made_here_are_sound() {
    for (name, bytes) in exchange() {
        let scene = lexiform_mesh_io::read_bytes(Path::new(&name), &bytes, &ReadOptions::default());
        assert!(scene.is_ok(), "{name}: {}", scene.unwrap_err());
    }
}

#[test]
fn broken_bytes_never_break_a_reader() {
    instrument::silence_panics();
    let samples: Vec<_> = exchange().into_iter().filter(|(name, _)| !name.ends_with(".fbx")).collect();
    run(&samples, cases(CASES));
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn broken_real_files_never_break_a_reader() {
    instrument::silence_panics();
    let files = assets(|format| format != Format::Fbx);
    assert!(files.len() > 30, "{} files", files.len());
    run(&files, cases(CASES / 4));
}

#[test]
fn broken_fbx_never_breaks_its_reader() {
    in_a_child("broken_fbx_never_breaks_its_reader", || {
        let samples: Vec<_> = exchange().into_iter().filter(|(name, _)| name.ends_with(".fbx")).collect();
        run(&samples, cases(CASES_OF_FBX));
    });
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn broken_real_fbx_never_breaks_its_reader() {
    in_a_child("broken_real_fbx_never_breaks_its_reader", || {
        let files = assets(|format| format == Format::Fbx);
        assert!(files.len() > 20, "{} files", files.len());
        run(&files, cases(CASES / 4));
    });
}

/// Runs the test of a name again in another process, which runs `cases`: a crash there is a failure here.
fn in_a_child(name: &str, cases: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        instrument::silence_panics();
        return cases();
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--include-ignored", "--nocapture"]).env(CHILD, "1");
    let output = child.output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{text}");
    assert!(output.status.success(), "{}: {text}", output.status);
    // A process that ran no test proves nothing.
    assert!(text.contains("1 passed"), "{text}");
}
