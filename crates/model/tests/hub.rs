//! The hub's client against a stand-in server on this machine: redirects, a broken connection, an absent file.
#![cfg(feature = "hub")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lexiform_model::hub::{fetch_file, list_files, pull};
use lexiform_model::{ModelError, inspect, registry};

/// Of the empty file.
const WRONG_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Serves `content` for every file; the first GET breaks off half-way.
fn serve(content: Arc<Vec<u8>>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let gets = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&gets);
    let own = address.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &content, &counter, &own);
        }
    });
    (address, gets)
}

fn answer(mut stream: TcpStream, content: &[u8], gets: &AtomicUsize, own: &str) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let Some(first) = lines.first() else { return };
    if first.contains("/api/datasets/") {
        // Two pages.
        let next = format!("Link: <{own}/api/datasets/o/n/next>; rel=\"next\"\r\n");
        let (link, body) = if first.contains("/next") {
            (String::new(), r#"[{"type":"file","path":"set/b.bin"},{"type":"file","path":"../evil"}]"#)
        } else {
            (next, r#"[{"type":"directory","path":"set"},{"type":"file","path":"set/a.bin"}]"#)
        };
        let length = body.len();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\n{link}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
    } else if first.contains("absent") {
        let _ = write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    } else if first.starts_with("HEAD") || first.contains("/resolve/") {
        let size = content.len();
        let etag = if first.contains("/damaged") { WRONG_SHA256 } else { "abc123" };
        let _ = write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: {own}/cdn/file\r\nX-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{etag}\"\r\n\
             X-Linked-Size: {size}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    } else {
        let nth = gets.fetch_add(1, Ordering::SeqCst);
        let range = lines
            .iter()
            .find_map(|l| l.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
        let start: usize = range.map_or(0, |r| r.trim_end_matches('-').parse().unwrap());
        let status = if start > 0 { "206 Partial Content" } else { "200 OK" };
        let length = content.len() - start;
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let end = if nth == 0 { content.len() / 2 } else { content.len() };
        let _ = stream.write_all(&content[start..end]);
    }
}

#[test]
fn interrupted_downloads_resume_into_the_cache() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/duoduo_tiny/model.ckpt");
    let content = Arc::new(std::fs::read(fixture).unwrap());
    let (address, gets) = serve(Arc::clone(&content));
    let cache = tempfile::tempdir().unwrap();
    // SAFETY: the only test of this process that reads or writes the environment.
    unsafe {
        std::env::set_var("HF_HUB_CACHE", cache.path());
        std::env::set_var("HF_ENDPOINT", &address);
    }
    let absent = registry::open_weights("duoduo").err().unwrap();
    assert!(matches!(absent, ModelError::NotDownloaded { .. }));
    assert!(absent.hint().unwrap().contains("lexiform model pull duoduo"));
    assert!(pull("duoduo", |_| {}).is_err());
    let path = pull("duoduo", |_| {}).unwrap();
    assert_eq!(gets.load(Ordering::SeqCst), 2);
    assert_eq!(std::fs::read(&path).unwrap(), *content);
    assert!(path.ends_with(format!("snapshots/{COMMIT}/Four_1to6F_bs1600_LT6.ckpt")));
    assert_eq!(pull("duoduo", |_| {}).unwrap(), path, "a second pull asks nobody");
    assert!(registry::open_weights("duoduo").is_ok());
    assert!(inspect::list().iter().any(|card| card.name == "duoduo" && card.available));
    let captioner = pull("blip", |_| {}).unwrap();
    let here = |file: &str| captioner.with_file_name(file).is_file();
    assert!(captioner.ends_with(format!("snapshots/{COMMIT}/pytorch_model.bin")));
    assert!(here("config.json") && here("vocab.txt"));
    std::fs::remove_file(captioner.with_file_name("vocab.txt")).unwrap();
    pull("blip", |_| {}).unwrap();
    assert!(here("vocab.txt"), "missing companion files are fetched");
    all_files_of_an_index_are_fetched(&registry::hub_folder("Salesforce/blip2-opt-2.7b"));
    data_set_files_are_fetched_and_verified(&cache.path().join("set"), &content, &gets);
    // SAFETY: as above.
    unsafe { std::env::set_var("HF_ENDPOINT", "http://127.0.0.1:9") };
    let offline = pull("openclip-b32", |_| {}).unwrap_err();
    assert!(offline.hint().unwrap().contains("--model"), "{offline}");
}

/// The index is in the cache already, because the server has one content for all files.
fn all_files_of_an_index_are_fetched(folder: &std::path::Path) {
    let snapshot = folder.join("snapshots").join(COMMIT);
    std::fs::create_dir_all(&snapshot).unwrap();
    let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let index = format!(r#"{{"weight_map": {{"a": "{}", "b": "{}"}}}}"#, shards[0], shards[1]);
    std::fs::write(snapshot.join("model.safetensors.index.json"), index).unwrap();
    let incomplete = registry::open_weights("blip2-opt-2.7b").err().unwrap();
    assert!(matches!(&incomplete, ModelError::NotDownloaded { path, .. } if path.ends_with(shards[0])));
    assert!(incomplete.hint().unwrap().contains("lexiform model pull blip2-opt-2.7b"));
    let path = pull("blip2-opt-2.7b", |_| {}).unwrap();
    for file in shards.iter().chain(&["config.json", "tokenizer.json"]) {
        assert!(path.with_file_name(file).is_file(), "{file}");
    }
}

fn data_set_files_are_fetched_and_verified(folder: &std::path::Path, content: &[u8], gets: &AtomicUsize) {
    assert_eq!(list_files("datasets/o/n", "set").unwrap(), ["set/a.bin", "set/b.bin"]);
    let target = folder.join("deep/a.bin");
    gets.store(0, Ordering::SeqCst);
    let fetch = |file: &str| fetch_file("datasets/o/n", file, &target, |_| {});
    let broken = fetch("set/a.bin").unwrap_err().to_string();
    assert!(broken.contains("run the command again to resume") && !target.exists(), "{broken}");
    assert!(fetch("set/a.bin").unwrap());
    assert_eq!((std::fs::read(&target).unwrap(), gets.load(Ordering::SeqCst)), (content.to_vec(), 2));
    assert!(!fetch("set/a.bin").unwrap(), "it is there");
    assert_eq!(gets.load(Ordering::SeqCst), 2);
    std::fs::write(&target, b"mine").unwrap();
    let other = fetch("set/a.bin").unwrap_err().to_string();
    assert!(other.contains("has 4 bytes") && std::fs::read(&target).unwrap() == b"mine", "{other}");
    std::fs::remove_file(&target).unwrap();
    let damaged = fetch("damaged.bin").unwrap_err().to_string();
    assert!(damaged.contains(WRONG_SHA256) && !target.exists(), "{damaged}");
    let is_partial = |name: &std::ffi::OsStr| name.to_string_lossy().ends_with(".incomplete");
    let mut left = std::fs::read_dir(folder.join("deep")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.any(|name| is_partial(&name)), "a damaged file would never be repaired");
    // The beginning of another version is left alone, and what is longer than the file starts over.
    std::fs::write(folder.join("deep/a.bin.0ther.incomplete"), b"another").unwrap();
    std::fs::write(folder.join("deep/a.bin.abc123.incomplete"), vec![0; content.len() + 1]).unwrap();
    assert!(fetch("set/a.bin").unwrap());
    assert_eq!(std::fs::read(&target).unwrap(), content);
    assert!(fetch("absent.bin").is_err());
}
