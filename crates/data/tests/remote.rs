//! 3D files and data sets in an object store: a fake S3 server with pages of two objects and injected failures.
#![cfg(feature = "cloud")]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use image::RgbaImage;
use lexiform_data::annotations::AnnotationTable;
use lexiform_data::prepare::{AssetSource, LocalFiles, Prepare, PrepareConfig};
use lexiform_data::remote::{RemoteFiles, RemoteStore, download, upload};
use lexiform_data::{
    BuildOptions, BuildSummary, CopySummary, DataError, Dataset, build_dataset, merge_partitions,
};

/// Number of objects per page of a listing.
const PAGE: usize = 2;

/// The content of an object and its SHA-256 attribute.
type Object = (Vec<u8>, Option<String>);

#[derive(Default)]
struct BucketState {
    objects: BTreeMap<String, Object>,
    /// Request lines of all requests.
    asked: Vec<String>,
    /// Number of requests to answer with a transient error.
    failing_requests: usize,
    /// Number of responses to truncate.
    truncated_responses: usize,
}

/// A server with one bucket, `shapes`.
#[derive(Clone)]
struct Server {
    port: u16,
    bucket: Arc<Mutex<BucketState>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), bucket: Arc::default() };
        let bucket = Arc::clone(&server.bucket);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let bucket = Arc::clone(&bucket);
                std::thread::spawn(move || serve(stream.unwrap(), &bucket));
            }
        });
        server
    }

    /// Uploads the files of a folder as objects below `prefix`.
    fn fill(&self, folder: &Path, prefix: &str) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let key = format!("{prefix}/{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                self.fill(&path, &key);
            } else {
                self.bucket.lock().unwrap().objects.insert(key, (std::fs::read(&path).unwrap(), None));
            }
        }
    }

    fn store(&self, uri: &str) -> RemoteStore {
        let settings = [
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "nowhere".to_owned()),
            ("AWS_ACCESS_KEY_ID", "anybody".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "nothing".to_owned()),
        ];
        RemoteStore::open_with(uri, settings.map(|(name, value)| (name.to_owned(), value))).unwrap()
    }

    /// Number of requests whose path contains `text`, since the last call.
    fn asked(&self, text: &str) -> usize {
        let asked = std::mem::take(&mut self.bucket.lock().unwrap().asked);
        asked.iter().filter(|line| line.contains(text)).count()
    }
}

/// Answers requests until the client closes the connection.
fn serve(stream: TcpStream, bucket: &Mutex<BucketState>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).ok()? == 0 {
            return None;
        }
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        answer(&mut stream, &first, &headers, body, &mut bucket.lock().unwrap())?;
    }
}

fn answer(
    stream: &mut TcpStream,
    first: &str,
    headers: &BTreeMap<String, String>,
    body: Vec<u8>,
    bucket: &mut BucketState,
) -> Option<()> {
    bucket.asked.push(first.trim().to_owned());
    let mut words = first.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut say = |status: u16, more: &str, content: &[u8]| {
        let dated = "Last-Modified: Sat, 21 Nov 2026 12:00:00 GMT\r\n";
        write!(stream, "HTTP/1.1 {status} X\r\n{dated}{more}Content-Length: {}\r\n\r\n", content.len())
            .ok()?;
        if method == "HEAD" { Some(()) } else { stream.write_all(content).ok() }
    };
    let Some(key) = unescaped(path).strip_prefix("/shapes").map(|key| key.trim_start_matches('/').to_owned())
    else {
        return say(404, "", b"<Error><Code>NoSuchBucket</Code></Error>");
    };
    if method == "GET" && bucket.failing_requests > 0 {
        bucket.failing_requests -= 1;
        return say(503, "", b"<Error><Code>SlowDown</Code></Error>");
    }
    if method == "PUT" {
        bucket.objects.insert(key, (body, headers.get("x-amz-meta-sha256").cloned()));
        return say(200, "ETag: \"new\"\r\n", b"");
    }
    if query.contains("list-type=2") {
        return say(200, "", page(bucket, query).as_bytes());
    }
    let Some((content, sum)) = bucket.objects.get(&key) else {
        return say(404, "", b"<Error><Code>NoSuchKey</Code></Error>");
    };
    let extra_headers = sum.as_ref().map_or(String::new(), |sum| format!("x-amz-meta-sha256: {sum}\r\n"));
    let extra_headers = format!("ETag: \"{}\"\r\n{extra_headers}", content.len());
    if method == "HEAD" {
        return say(200, &extra_headers, content);
    }
    let range = headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (start, end) = match range {
        Some((start, end)) => {
            let end = end.parse::<usize>().map_or(content.len(), |last| (last + 1).min(content.len()));
            (start.parse::<usize>().unwrap(), end)
        }
        None => (0, content.len()),
    };
    if bucket.truncated_responses > 0 && end - start > 100 {
        bucket.truncated_responses -= 1;
        let half = &content[start..(start + end) / 2];
        write!(stream, "HTTP/1.1 200 OK\r\nLast-Modified: Sat, 21 Nov 2026 12:00:00 GMT\r\n{extra_headers}")
            .ok()?;
        write!(stream, "Content-Length: {}\r\n\r\n", end - start).ok()?;
        stream.write_all(half).ok()?;
        stream.shutdown(Shutdown::Both).ok()?;
        return None;
    }
    match range {
        Some(_) if start >= content.len() => say(416, &extra_headers, b""),
        Some(_) => {
            let extra_headers =
                format!("{extra_headers}Content-Range: bytes {start}-{}/{}\r\n", end - 1, content.len());
            say(206, &extra_headers, &content[start..end])
        }
        None => say(200, &extra_headers, content),
    }
}

/// A page of a listing.
fn page(bucket: &BucketState, query: &str) -> String {
    let field = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        unescaped(found.unwrap_or_default())
    };
    let (prefix, after) = (field("prefix"), field("continuation-token"));
    let below = |key: &&String| key.starts_with(&prefix) && **key > after;
    let mut keys: Vec<&String> = bucket.objects.keys().filter(below).collect();
    let more = keys.len() > PAGE;
    keys.truncate(PAGE);
    let mut text = format!("<ListBucketResult><IsTruncated>{more}</IsTruncated>");
    for key in &keys {
        let size = bucket.objects[*key].0.len();
        text.push_str(&format!("<Contents><Key>{key}</Key><Size>{size}</Size><ETag>\"{size}\"</ETag>"));
        text.push_str("<LastModified>2026-11-21T12:00:00.000Z</LastModified></Contents>");
    }
    if let Some(last) = keys.last().filter(|_| more) {
        text.push_str(&format!("<NextContinuationToken>{last}</NextContinuationToken>"));
    }
    text + "</ListBucketResult>"
}

fn unescaped(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next().unwrap()).to_digit(16).unwrap() as u8;
        out.push(match byte {
            b'%' => 16 * digit() + digit(),
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(out).unwrap()
}

/// A box with texture coordinates as an OBJ file that begins with `head`.
fn a_box(head: &str, [x, y, z]: [f32; 3]) -> String {
    let mut text = format!("{head}vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n");
    for corner in 0..8_u8 {
        let pick = |bit: u8, edge: f32| if corner & bit == 0 { 0.0 } else { edge };
        text.push_str(&format!("v {} {} {}\n", pick(1, x), pick(2, y), pick(4, z)));
    }
    for quad in ["1/1 3/2 4/3 2/4", "5/1 6/2 8/3 7/4", "1/1 2/2 6/3 5/4", "3/1 7/2 8/3 4/4"] {
        text.push_str(&format!("f {quad}\n"));
    }
    text
}

/// A folder of 3D files, one of them textured and one broken, and other files.
fn models(folder: &Path) {
    let write = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("table.obj", a_box("", [4.0, 0.5, 4.0]).as_bytes());
    write("painted/old chest.obj", a_box("mtllib chest.mtl\nusemtl wood\n", [2.0, 1.0, 1.0]).as_bytes());
    write("painted/chest.mtl", b"newmtl wood\nKd 1 1 1\nmap_Kd maps\\red wood.png\n");
    let mut red = Vec::new();
    let picture = RgbaImage::from_pixel(4, 4, image::Rgba([220, 20, 20, 255]));
    picture.write_to(&mut std::io::Cursor::new(&mut red), image::ImageFormat::Png).unwrap();
    write("painted/maps/red wood.png", &red);
    write("cloud.txt", "0 0 0\n1 0 0\n0 1 0\n0 0 1\n".repeat(3).as_bytes());
    write("notes.txt", b"nothing to see\n");
    write("broken.stl", b"solid nothing");
    write(".hidden/table.obj", a_box("", [1.0, 1.0, 1.0]).as_bytes());
}

fn prepare(source: &dyn AssetSource, to: &Path) -> BuildSummary {
    let config = PrepareConfig { views: 4, size: 32, points: 50, ..PrepareConfig::default() };
    let producer = Prepare::new(source, config, AnnotationTable::default()).unwrap();
    let summary = build_dataset(&producer, to, &BuildOptions::default(), &mut |_| {}).unwrap();
    merge_partitions(to).unwrap();
    summary
}

#[test]
fn files_of_a_store_become_the_same_shapes_as_those_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    models(&at("models"));
    let server = Server::start();
    server.fill(&at("models"), "some/models");
    let local = LocalFiles::new(&[at("models").display().to_string()]).unwrap();
    let expected = prepare(&local, &at("near"));
    assert_eq!((expected.written, expected.failed), (3, 1));

    (server.bucket.lock().unwrap().failing_requests, server.bucket.lock().unwrap().truncated_responses) =
        (1, 1);
    let remote = RemoteFiles::new(vec![server.store("s3://shapes/some/models")], false);
    assert_eq!(prepare(&remote, &at("far")), expected);
    let bucket = server.bucket.lock().unwrap();
    assert_eq!((bucket.failing_requests, bucket.truncated_responses), (0, 0), "the server misbehaved");
    drop(bucket);

    let (near, far) = (Dataset::open(&at("near")).unwrap(), Dataset::open(&at("far")).unwrap());
    for shape in 0..near.len() {
        let (mut one, mut other) = (near.shape(shape).unwrap(), far.shape(shape).unwrap());
        assert_eq!(
            std::mem::take(&mut other.metadata.source),
            format!("s3://shapes/some/models/{}", one.metadata.id)
        );
        one.metadata.source.clear();
        assert!(one == other, "{:?} and {:?}", one.metadata, other.metadata);
    }
    let single =
        RemoteFiles::new(vec![server.store("s3://shapes/some/models/painted/old%20chest.obj")], false);
    assert_eq!(prepare(&single, &at("single")).written, 1);
}

#[test]
fn a_data_set_is_copied_and_read_remotely() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    models(&at("models"));
    let server = Server::start();
    prepare(&LocalFiles::new(&[at("models").display().to_string()]).unwrap(), &at("set"));
    let store = server.store("s3://shapes/sets/one");
    let CopySummary { files, skipped, .. } = upload(&at("set"), &store, &mut |_, _, _| {}).unwrap();
    assert_eq!(
        (files, skipped),
        (7, 0),
        "a shard with its sidecar, three files of the partition, index, manifest"
    );
    let again = upload(&at("set"), &store, &mut |_, _, _| {}).unwrap();
    assert_eq!((again.files, again.skipped), (0, 7));

    let (near, far) = (Dataset::open(&at("set")).unwrap(), Dataset::open_remote(store.clone()).unwrap());
    assert_eq!(near.manifest(), far.manifest());
    for shape in 0..near.len() {
        server.asked("");
        assert_eq!(near.views(shape, &[3, 0]).unwrap(), far.views(shape, &[3, 0]).unwrap());
        assert_eq!(server.asked(".tar"), 1, "adjacent views are read with one request");
        assert_eq!(near.shape(shape).unwrap(), far.shape(shape).unwrap());
    }
    let mut keys = Vec::new();
    far.scan(|scanned| {
        keys.push(scanned.row.key);
        Ok(())
    })
    .unwrap();
    assert_eq!(keys, (0..near.len()).map(|shape| near.key(shape).to_owned()).collect::<Vec<_>>());

    server.bucket.lock().unwrap().truncated_responses = 1;
    assert_eq!(download(&store, &at("back"), &mut |_, _, _| {}).unwrap().files, 7);
    let name = &near.manifest().shards[0].file;
    let shard = |set: &str| std::fs::read(at(set).join("shards").join(name)).unwrap();
    assert!(shard("set") == shard("back"));
    assert_eq!(lexiform_data::verify(&at("back"), &|_| {}).unwrap(), []);

    server.bucket.lock().unwrap().objects.get_mut(&format!("sets/one/shards/{name}")).unwrap().0[600] ^= 1;
    std::fs::remove_dir_all(at("back")).unwrap();
    let error = download(&store, &at("back"), &mut |_, _, _| {}).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
    assert!(matches!(Dataset::open(&at("back")), Err(DataError::Incomplete { .. })));
}

#[test]
fn missing_objects_are_errors() {
    let server = Server::start();
    let listed = |uri: &str| RemoteFiles::new(vec![server.store(uri)], false).list().unwrap_err().to_string();
    assert_eq!(listed("s3://shapes/none"), "s3://shapes/none: no such object or folder");
    assert_eq!(listed("s3://elsewhere/models"), "s3://elsewhere/models: no such bucket");
    let open = |uri: &str| Dataset::open_remote(server.store(uri)).err().unwrap();
    assert!(matches!(open("s3://shapes/none"), DataError::Incomplete { .. }));
    assert!(RemoteStore::open_with("ftp://x/y", []).is_err());
}
