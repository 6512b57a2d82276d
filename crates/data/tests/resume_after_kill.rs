//! A run that is killed at any moment and resumed writes the same bytes as an uninterrupted run.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lexiform_data::{
    BuildEvent, BuildOptions, Dataset, Key, Member, Metadata, Partition, ProduceError, Producer, Shape,
    ShapeJob, build_dataset, merge_partitions, verify,
};
use rand::rngs::SmallRng;
use rand::{Rng, RngCore, SeedableRng};
use serde_json::Value;

const KILLS: u64 = 10;
const SHAPES: usize = 240;
/// Small shards, so that kills hit their start, their middle and their end.
const SHARD_BYTES: u64 = 200_000;

struct FakeProducer {
    jobs: Vec<ShapeJob>,
    pause: Duration,
}

impl FakeProducer {
    fn new(pause: Duration) -> Self {
        let job = |i| ShapeJob { key: Key::from_id(&format!("shape-{i}")), source: format!("shape-{i}.obj") };
        Self { jobs: (0..SHAPES).map(job).collect(), pause }
    }
}

impl Producer for FakeProducer {
    fn jobs(&self) -> &[ShapeJob] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        serde_json::json!({ "toy": { "version": 1 } })
    }

    fn produce(&self, index: usize) -> Result<Shape, ProduceError> {
        std::thread::sleep(self.pause);
        if index % 17 == 3 {
            return Err(ProduceError::Shape("is broken".to_owned()));
        }
        let mut rng = SmallRng::seed_from_u64(index as u64);
        let member = |i: usize, rng: &mut SmallRng| {
            let mut bytes = vec![0; rng.random_range(0..9000)];
            rng.fill_bytes(&mut bytes);
            Member::view(i, "png", bytes)
        };
        let members = (0..4).map(|i| member(i, &mut rng)).collect();
        let metadata =
            Metadata { id: format!("shape-{index}"), split: "train".to_owned(), ..Metadata::default() };
        Ok(Shape { key: self.jobs[index].key.clone(), members, metadata })
    }
}

fn build(folder: &Path, pause: Duration, jobs: usize, on_event: &mut dyn FnMut(BuildEvent)) {
    let options = BuildOptions { num_workers: jobs, shard_bytes: SHARD_BYTES, ..BuildOptions::default() };
    build_dataset(&FakeProducer::new(pause), folder, &options, on_event).unwrap();
}

/// Runs in a child process of the test below. Without its environment variable it does nothing.
#[test]
fn builds_until_killed() {
    let Ok(folder) = std::env::var("LEXIFORM_KILL_FOLDER") else { return };
    build(Path::new(&folder), Duration::from_millis(4), 3, &mut |event| {
        if matches!(event, BuildEvent::Planned { .. }) {
            let mut out = std::io::stdout().lock();
            writeln!(out, "\nplanned").unwrap();
            out.flush().unwrap();
        }
    });
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder.join("shards")).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn a_killed_and_resumed_run_writes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (cut, whole) = (folder.path().join("cut"), folder.path().join("whole"));
    let mut rng = SmallRng::seed_from_u64(5);
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "builds_until_killed", "--nocapture"])
            .env("LEXIFORM_KILL_FOLDER", &cut)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // Every third kill comes before the first shape.
        let word = if kill % 3 == 0 { "running" } else { "planned" };
        lines.find(|line| line.starts_with(word)).unwrap();
        std::thread::sleep(Duration::from_millis(rng.random_range(0..60)));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(merge_partitions(&cut).is_err(), "an incomplete partition was merged");
    }
    let mut before = 0;
    build(&cut, Duration::ZERO, 2, &mut |event| {
        if let BuildEvent::Planned { written, .. } = event {
            before = written;
        }
    });
    assert!(before > 0, "nothing was kept over {KILLS} kills");
    build(&whole, Duration::ZERO, 1, &mut |_| {});
    assert!(contents(&cut) == contents(&whole), "shards differ");
    let (cut_manifest, whole_manifest) = (merge_partitions(&cut).unwrap(), merge_partitions(&whole).unwrap());
    assert_eq!(cut_manifest, whole_manifest);
    let failed = (0..SHAPES).filter(|i| i % 17 == 3).count() as u64;
    assert_eq!((cut_manifest.shapes, cut_manifest.failed), (SHAPES as u64 - failed, failed));
    assert_eq!(verify(&cut, &|_| {}).unwrap(), []);
    let dataset = Dataset::open(&cut).unwrap();
    let mut keys: Vec<&str> = (0..dataset.len()).map(|i| dataset.key(i)).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len() as u64, cut_manifest.shapes);
}

#[test]
fn partitions_together_hold_the_same_shapes_as_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let (parts, whole) = (folder.path().join("parts"), folder.path().join("whole"));
    build(&whole, Duration::ZERO, 2, &mut |_| {});
    let part = |index| {
        let options = BuildOptions {
            partition: Partition { index, count: 3 },
            shard_bytes: SHARD_BYTES,
            ..BuildOptions::default()
        };
        build_dataset(&FakeProducer::new(Duration::ZERO), &parts, &options, &mut |_| {}).unwrap()
    };
    part(2);
    let error = merge_partitions(&parts).unwrap_err().to_string();
    assert!(error.contains("2 of 3 partitions are not complete: 0/3, 1/3"), "{error}");
    part(0);
    part(1);
    let (together, alone) = (merge_partitions(&parts).unwrap(), merge_partitions(&whole).unwrap());
    assert_eq!((together.shapes, together.views, together.failed), (alone.shapes, alone.views, alone.failed));
    let (a, b) = (Dataset::open(&parts).unwrap(), Dataset::open(&whole).unwrap());
    for i in 0..a.len() {
        let j = b.find(a.key(i)).unwrap();
        assert_eq!(a.shape(i).unwrap(), b.shape(j).unwrap());
    }
}
