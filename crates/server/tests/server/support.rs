//! A library of colored shapes, a server for it, and a client.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use image::RgbaImage;
use lexiform_geometry::RigKind;
use lexiform_search::{
    Embedding, EncodeError, Encoder, EncoderOptions, Filter, IndexOptions, InputSpec, Library, LibraryPath,
    ModelInput,
};
use lexiform_server::{Server, ServerOptions, Service, TextBatcher};
use serde_json::Value;

/// The embedding of anything is its color.
struct ColorModel;

const COLORS: [(&str, [f32; 3]); 3] =
    [("red", [1.0, 0.0, 0.0]), ("green", [0.0, 1.0, 0.0]), ("blue", [0.0, 0.0, 1.0])];

impl Encoder for ColorModel {
    fn id(&self) -> &str {
        "colors@1"
    }

    fn dim(&self) -> usize {
        3
    }

    fn input_spec(&self) -> InputSpec {
        InputSpec::Views { rig: RigKind::Ring, count: 2, size: 32 }
    }

    fn preprocessing(&self) -> String {
        "color".to_owned()
    }

    fn templates(&self) -> Vec<String> {
        vec!["{}".to_owned()]
    }

    fn logit_scale(&self) -> f32 {
        2.0
    }

    fn understands(&self, text: &str) -> Option<bool> {
        Some(COLORS.iter().any(|(name, _)| text.contains(name)))
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        let embed = |text: &&str| {
            if text.contains("slow") {
                std::thread::sleep(Duration::from_millis(300));
            }
            assert!(!text.contains("panic"), "expected by a test");
            let sum = COLORS
                .iter()
                .filter(|(name, _)| text.contains(name))
                .fold([0.01; 3], |sum, (_, color)| [0, 1, 2].map(|i| sum[i] + color[i]));
            unit(sum)
        };
        texts.iter().map(embed).collect()
    }

    fn embed_shapes(&self, shapes: Vec<ModelInput>) -> Result<Vec<Embedding>, EncodeError> {
        shapes.iter().map(|shape| unit(mean_color(shape.views().unwrap()))).collect()
    }

    fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, EncodeError> {
        unit(mean_color(std::slice::from_ref(image)))
    }
}

fn unit(color: [f32; 3]) -> Result<Embedding, EncodeError> {
    let length = color.iter().map(|x| x * x).sum::<f32>().sqrt();
    Ok(Embedding::new(color.iter().map(|x| x / length).collect())?)
}

/// How much each channel exceeds the darkest one.
fn mean_color(images: &[RgbaImage]) -> [f32; 3] {
    let mut sum = [0.01; 3];
    for pixel in images.iter().flat_map(RgbaImage::pixels) {
        let [r, g, b, _] = pixel.0.map(f32::from);
        let least = r.min(g).min(b);
        sum = [sum[0] + r - least, sum[1] + g - least, sum[2] + b - least];
    }
    sum
}

/// A name that is HTML, as far as files can have one.
pub const HTML_NAME: &str = "<img src=x onerror=alert(1)>.ply";

/// A folder with an indexed library.
pub struct Models {
    folder: tempfile::TempDir,
    texts: Arc<TextBatcher>,
    model: &'static str,
}

impl Models {
    pub fn new() -> Self {
        Self::of("colors", Arc::new(ColorModel))
    }

    /// A library of the built-in model.
    pub fn of_nano() -> Self {
        Self::of("nano", EncoderOptions::default().open("nano").unwrap())
    }

    fn of(model: &'static str, encoder: Arc<dyn Encoder>) -> Self {
        let texts = Arc::new(TextBatcher::start(encoder).unwrap());
        let models = Self { folder: tempfile::tempdir().unwrap(), texts, model };
        for (path, color) in [
            ("red.ply", [255, 0, 0]),
            ("kinds/green.ply", [0, 255, 0]),
            ("kinds/blue.ply", [0, 0, 255]),
            (HTML_NAME, [200, 200, 0]),
        ] {
            models.write(path, &tetrahedron(color));
        }
        models.index();
        models
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub fn write(&self, name: &str, content: &str) {
        let path = self.root().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    }

    /// Brings the library up to date with the files.
    pub fn index(&self) {
        let path = LibraryPath::for_assets(&self.root());
        let library = Library::open(path, self.texts.clone(), self.model).unwrap();
        library.index(&[self.root()], &IndexOptions::default(), &mut |_| {}).unwrap();
    }

    fn library(&self) -> Library {
        self.index();
        let path = LibraryPath::for_assets(&self.root());
        Library::open_for_reading(path, self.texts.clone()).unwrap()
    }

    pub fn service(&self) -> Service {
        Service::new(self.library(), &self.texts, None)
    }

    /// A service of the files that a filter selects.
    pub fn service_of(&self, filter: &str) -> Service {
        Service::new(self.library(), &self.texts, Some(Filter::parse(filter).unwrap()))
    }

    /// Serves the library until the value is dropped.
    pub fn serve(&self, change: impl FnOnce(&mut ServerOptions)) -> Running {
        let mut options = ServerOptions::new("127.0.0.1:0".parse().unwrap());
        change(&mut options);
        let server = Server::bind(Arc::new(self.service()), &options).unwrap();
        let address = server.address().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let stopped = async {
                let _ = stopped.await;
            };
            server.run_until(stopped).unwrap();
        });
        Running { address, stop: Some(stop), thread: Some(thread) }
    }
}

/// A tetrahedron in one color.
pub fn tetrahedron([r, g, b]: [u8; 3]) -> String {
    let mut text =
        "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n\
                    property uchar red\nproperty uchar green\nproperty uchar blue\nelement face 4\n\
                    property list uchar int vertex_indices\nend_header\n"
            .to_owned();
    for corner in ["1 1 1", "-1 -1 1", "-1 1 -1", "1 -1 -1"] {
        text += &format!("{corner} {r} {g} {b}\n");
    }
    text + "3 0 1 2\n3 0 3 1\n3 0 2 3\n3 1 3 2\n"
}

/// A server on a thread.
pub struct Running {
    pub address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    /// Asks the server to stop, and waits until it has.
    pub fn stop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Asks the server to stop.
    pub fn begin_stop(&mut self) {
        self.stop.take();
    }

    /// Sends bytes and reads until the server closes the connection.
    pub fn raw(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // A server that refuses a body closes the connection while it is sent.
        let _ = stream.write_all(request);
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        Reply::parse(&reply)
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut text =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            text += &format!("Host: {}\r\n", self.address);
        }
        headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
        self.raw(&[text.as_bytes(), b"\r\n", body].concat())
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], &[])
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    /// The id of a file.
    pub fn id(&self, path: &str) -> String {
        let listed = self.get("/v1/search").ok();
        let answers = listed["answers"].as_array().unwrap().clone();
        let found = answers.iter().find(|answer| answer["path"] == path).unwrap();
        found["id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A response.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head, body: bytes.get(end + 4..).unwrap_or_default().to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON of a success.
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Checks that it is a problem with this status, whose detail has a part.
    pub fn problem(&self, status: u16, part: &str) {
        assert_eq!(self.status, status, "{} {}", self.head, String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(part), "no {part:?} in {problem}");
    }
}
