//! Runs the real binary in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use lexiform_model::clip::{ClipText, ClipVision};
use lexiform_model::point::PointTower;
use lexiform_model::weights::{Precision, WeightSource};
use lexiform_model::{JointModel, JointTowers, OpenOptions, PointModelConfig, default_templates};
use lexiform_train::{NetworkConfig, Recipe};

/// A folder of shapes and the command that works in it.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The lines of standard output as JSON.
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Fails unless the run ended well.
    pub fn success(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// Fails unless the run ended with this code and its message holds all of these.
    pub fn failure(self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:#?}");
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in {self:#?}");
        }
    }
}

impl Sandbox {
    /// An empty folder.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder `models` with a flat, a round and a tall shape.
    pub fn new() -> Self {
        let sandbox = Self::empty();
        sandbox.write_box("models/flat.obj", [4.0, 0.2, 4.0]);
        sandbox.write_box("models/kinds/cube.obj", [1.0, 1.0, 1.0]);
        sandbox.write_box("models/kinds/tall.obj", [0.5, 6.0, 0.5]);
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }

    /// Rows of numbers as NumPy keeps them.
    pub fn write_npy(&self, name: &str, columns: usize, values: &[f32]) {
        let shape = format!("({}, {columns})", values.len() / columns);
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let header = format!("{header:<117}\n");
        let start =
            [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
        let values: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.write(name, [start, values].concat());
    }

    /// A box with these edges.
    pub fn write_box(&self, name: &str, [x, y, z]: [f32; 3]) {
        let mut text = String::new();
        for corner in 0..8 {
            let pick = |bit: u8, edge: f32| if corner & bit == 0 { 0.0 } else { edge };
            text.push_str(&format!("v {} {} {}\n", pick(1, x), pick(2, y), pick(4, z)));
        }
        for [a, b, c, d] in
            [[1, 3, 4, 2], [5, 6, 8, 7], [1, 2, 6, 5], [3, 7, 8, 4], [1, 5, 7, 3], [2, 4, 8, 6]]
        {
            text.push_str(&format!("f {a} {b} {c} {d}\n"));
        }
        self.write(name, text);
    }

    /// The command, ready to be given more arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lexiform"));
        command.current_dir(self.folder.path()).args(args).stdin(Stdio::null());
        command.env("LEXIFORM_MODEL", tiny_model());
        command
    }

    /// Runs the command to its end.
    pub fn run(&self, args: &[&str]) -> Run {
        self.finish(self.command(args).output().unwrap())
    }

    /// Runs the command with this text on standard input.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Run {
        use std::io::Write as _;
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Dropped at the end of the statement: the end of input. The command may end before it has read all.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        self.finish(child.wait_with_output().unwrap())
    }

    pub fn finish(&self, output: std::process::Output) -> Run {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().expect("the run was not killed");
        let run = Run { code, stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!run.stderr.contains("panicked"), "{run:#?}");
        run
    }
}

/// A file with a small model of random weights.
pub fn tiny_model() -> &'static Path {
    static MODEL: OnceLock<PathBuf> = OnceLock::new();
    MODEL.get_or_init(|| write_model("tiny", 1, 32))
}

/// A file with another model of the same sizes.
pub fn other_model() -> &'static Path {
    static MODEL: OnceLock<PathBuf> = OnceLock::new();
    MODEL.get_or_init(|| write_model("other", 2, 32))
}

/// A file with a model whose joint space is as wide as that of the point encoders among the fixtures.
pub fn wide_model() -> &'static Path {
    static MODEL: OnceLock<PathBuf> = OnceLock::new();
    MODEL.get_or_init(|| write_model("wide", 3, 40))
}

fn write_model(name: &str, seed: u64, dim: usize) -> PathBuf {
    let sizes = "image_size=32 patch=16 width=32 layers=2 head_width=16 joint_from=1 text_width=32 text_layers=1 n_views=3";
    let mut settings: Vec<String> = sizes.split(' ').map(|size| format!("network.{size}")).collect();
    settings.push(format!("network.dim={dim}"));
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/nano.toml");
    let NetworkConfig::Clip(network) = Recipe::read(&recipe, &settings).unwrap().network else {
        panic!("nano is a new CLIP");
    };
    let config = network.model(name, ["a box", "a table and a rug"]);
    let source = WeightSource::random(seed, &OpenOptions::default().device);
    let text = ClipText::load(&source, &config.clip).unwrap();
    let vision = ClipVision::load(&source, &config.clip).unwrap();
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.safetensors", std::process::id()));
    let towers = JointTowers { text: &text, vision: &vision, points: None, language: None, logit_scale: 2.7 };
    lexiform_model::save_joint_model(&path, &config, towers, Precision::Full).unwrap();
    path
}

/// A file with a point tower of random weights that was trained towards the small model, as its header says.
pub fn tiny_points() -> PathBuf {
    let model = JointModel::open(&tiny_model().to_string_lossy(), &OpenOptions::default()).unwrap();
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/nano-points.toml");
    let sizes = "patches=4 samples=4 group_width=16 width=16 layers=1 heads=2 head_width=8 mlp_width=16";
    let mut settings: Vec<String> =
        sizes.split(' ').map(|size| format!("network.tower.encoder.{size}")).collect();
    settings.push("network.tower.projection.dim=32".to_owned());
    settings.push("network.input.n_points=64".to_owned());
    let NetworkConfig::Points(network) = Recipe::read(&recipe, &settings).unwrap().network else {
        panic!("the recipe is one of points");
    };
    let config = PointModelConfig {
        name: "points".to_owned(),
        tower: network.new_tower().unwrap().unwrap(),
        input: network.input,
        paired: None,
        taught_by: Some(model.clip_id().to_owned()),
        templates: default_templates(),
        labels: Vec::new(),
    };
    let tower =
        PointTower::load(&WeightSource::random(5, &OpenOptions::default().device), &config.tower).unwrap();
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("points-{}.safetensors", std::process::id()));
    lexiform_model::save_point_model(&path, &config, &tower, None, Precision::Half).unwrap();
    path
}
