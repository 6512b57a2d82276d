//! Kills a writing process at random times and checks that no acknowledged change is lost.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lexiform_store::{
    Captions, EmbeddingSpace, IndexState, Payload, Record, RecordId, SearchRequest, SqliteStore, StoreError,
    VectorStore,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const KILLS: u64 = 12;
const DIM: usize = 64;
/// Records in one batch.
const BATCH: u64 = 8;
/// Number of records of the previous batch that are deleted after every third batch.
const DELETED: u64 = 2;

fn space() -> EmbeddingSpace {
    EmbeddingSpace { model: "kill".into(), dim: DIM, preprocessing: "none".into() }
}

/// The record with a number; always the same.
fn record(number: u64) -> Record {
    let mut rng = SmallRng::seed_from_u64(number);
    let raw: Vec<f32> = (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
    let norm = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
    Record {
        id: RecordId::new(number).unwrap(),
        vector: raw.iter().map(|x| x / norm).collect(),
        payload: Payload { path: format!("{number}.glb"), ..Payload::default() },
        index_state: IndexState::default(),
        thumbnail: Some(vec![number as u8; rng.random_range(0..30_000)]),
    }
}

fn batch(number: u64) -> Vec<Record> {
    (number * BATCH..(number + 1) * BATCH).map(record).collect()
}

fn captions(number: u64) -> Option<Captions> {
    let texts = vec![format!("batch {number}"), "a second sentence".to_owned()];
    Some(Captions { captioner: "kill".into(), texts })
}

fn deleted_after(number: u64) -> Vec<RecordId> {
    if number % 3 != 2 {
        return Vec::new();
    }
    let first = (number - 1) * BATCH;
    (first..first + DELETED).map(|number| RecordId::new(number).unwrap()).collect()
}

/// Run by the test below in a child process: writes batches until it is killed, and prints what is acknowledged.
/// Without the environment variable, it does nothing.
#[test]
fn writes_until_killed() {
    let Ok(folder) = std::env::var("LEXIFORM_KILL_FOLDER") else { return };
    let first: u64 = std::env::var("LEXIFORM_KILL_FIRST").unwrap().parse().unwrap();
    let store = SqliteStore::open_or_create(Path::new(&folder), &space()).unwrap();
    let acknowledge = |action: &str, number: u64| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{action} {number} .").unwrap();
        out.flush().unwrap();
    };
    for number in first.. {
        store.upsert(&space(), &batch(number)).unwrap();
        acknowledge("put", number);
        let captioned: Vec<_> = batch(number).iter().map(|record| (record.id, captions(number))).collect();
        store.set_captions(&captioned).unwrap();
        acknowledge("captioned", number);
        let outdated = deleted_after(number);
        if !outdated.is_empty() {
            store.delete(&outdated).unwrap();
            acknowledge("deleted", number);
        }
    }
}

#[test]
fn acknowledged_changes_survive_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = SmallRng::seed_from_u64(9);
    let (mut put, mut captioned, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = 0;
    for _ in 0..KILLS {
        let pause = Duration::from_micros(rng.random_range(0..120_000));
        for (action, number) in run_and_kill(folder.path(), next, pause) {
            match action.as_str() {
                "put" => put.push(number),
                "captioned" => captioned.push(number),
                _ => deleted.push(number),
            }
        }
        // Immediately: the operating system releases the lock when the process ends.
        let store = match SqliteStore::open_for_writing(folder.path()) {
            // On a busy machine, the first children die before they have created the library.
            Err(StoreError::NotFound { .. }) if put.is_empty() => continue,
            store => store.unwrap(),
        };
        store.verify().unwrap();
        check(&store, &put, &captioned, &deleted);
        // A batch that was committed but not acknowledged may exist too: continue after it.
        next = put.last().map_or(0, |last| last + 2);
        next += (3 - next % 3) % 3;
    }
    assert!(put.len() as u64 > KILLS, "only {} batches were written", put.len());
}

/// Runs a child, kills it after a pause, and returns what it acknowledged.
fn run_and_kill(folder: &Path, first: u64, pause: Duration) -> Vec<(String, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_killed", "--nocapture"])
        .env("LEXIFORM_KILL_FOLDER", folder)
        .env("LEXIFORM_KILL_FIRST", first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    let mut parse = |line: String| {
        // A line without the dot was truncated.
        if let [action @ ("put" | "captioned" | "deleted"), number, "."] =
            line.split(' ').collect::<Vec<_>>()[..]
        {
            acknowledged.push((action.to_owned(), number.parse().unwrap()));
        }
    };
    // `running 1 test` is printed before the library is opened, so short pauses also interrupt its creation.
    lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("running")).unwrap();
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).for_each(&mut parse);
    acknowledged
}

fn check(store: &SqliteStore, put: &[u64], captioned: &[u64], deleted: &[u64]) {
    for number in put {
        let ids: Vec<RecordId> = batch(*number).iter().map(|record| record.id).collect();
        let found = store.get(&ids).unwrap();
        let next = deleted_after(number + 1);
        for (expected, found) in batch(*number).into_iter().zip(found) {
            match found {
                Some(mut found) => {
                    let written = found.payload.captions.take();
                    assert!(written.is_none() || written == captions(*number), "{written:?}");
                    assert!(
                        written.is_some() || !captioned.contains(number),
                        "captions of {} are lost",
                        expected.id
                    );
                    assert_eq!(found, expected);
                    assert!(
                        !(next.contains(&expected.id) && deleted.contains(&(number + 1))),
                        "{} exists again",
                        expected.id
                    );
                }
                None => assert!(next.contains(&expected.id), "{} is lost", expected.id),
            }
        }
    }
    let Some(last) = put.last() else { return };
    let expected = record(last * BATCH + BATCH - 1);
    let hits = store.search(&SearchRequest::new(expected.vector, 1)).unwrap();
    assert_eq!(hits[0].id, expected.id);
}
