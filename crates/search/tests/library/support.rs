//! A model without weights, and shapes for it.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::RgbaImage;
use lexiform_geometry::RigKind;
use lexiform_search::{Embedding, EncodeError, Encoder, InputSpec, ModelInput};

/// A model of colors: an embedding is the mean color of all pixels that are not white.
pub struct ColorEncoder {
    pub id: String,
    /// Number of embedded shapes.
    pub n_embedded: AtomicUsize,
    /// It fails after this number of shapes.
    pub max_shapes: usize,
    /// How it fails.
    pub failure_mode: FailureMode,
    /// Its input for shapes.
    pub input_spec: InputSpec,
    /// Replaces every text.
    pub fixed_text: Option<&'static str>,
    /// The words that it says it knows; `None` if it cannot say.
    pub known_words: Option<&'static [&'static str]>,
}

/// How a [`ColorEncoder`] fails.
#[derive(Clone, Copy)]
pub enum FailureMode {
    Error,
    Panic,
}

impl ColorEncoder {
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            n_embedded: AtomicUsize::new(0),
            max_shapes: usize::MAX,
            failure_mode: FailureMode::Error,
            input_spec: InputSpec::Views { rig: RigKind::Ring, count: 2, size: 32 },
            fixed_text: None,
            known_words: None,
        }
    }

    pub fn n_embedded(&self) -> usize {
        self.n_embedded.load(Ordering::SeqCst)
    }
}

impl Encoder for ColorEncoder {
    fn id(&self) -> &str {
        &self.id
    }

    fn dim(&self) -> usize {
        3
    }

    fn input_spec(&self) -> InputSpec {
        self.input_spec
    }

    fn preprocessing(&self) -> String {
        "mean color".to_owned()
    }

    fn templates(&self) -> Vec<String> {
        vec!["{}".to_owned()]
    }

    fn logit_scale(&self) -> f32 {
        3.0
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        let color = |text: &&str| {
            let text = self.fixed_text.unwrap_or(text);
            let has = |name: &str| f32::from(u8::from(text.contains(name))) + 0.01;
            Ok(Embedding::new(vec![has("red"), has("green"), has("blue")])?)
        };
        texts.iter().map(color).collect()
    }

    fn knows_word(&self, word: &str) -> Option<bool> {
        self.known_words.map(|known| known.contains(&word))
    }

    fn embed_shapes(&self, shapes: Vec<ModelInput>) -> Result<Vec<Embedding>, EncodeError> {
        if self.n_embedded.fetch_add(shapes.len(), Ordering::SeqCst) + shapes.len() > self.max_shapes {
            self.n_embedded.fetch_sub(shapes.len(), Ordering::SeqCst);
            match self.failure_mode {
                FailureMode::Error => return Err("enough".into()),
                FailureMode::Panic => panic!("enough"),
            }
        }
        let embed = |shape: &ModelInput| match shape {
            ModelInput::Views(views) | ModelInput::Both { views, .. } => mean_color(views.iter()),
            ModelInput::Points(cloud) => {
                assert_eq!(InputSpec::Points { count: cloud.positions().len() }, self.input_spec);
                let sum = cloud.colors().unwrap_or_default().iter().sum::<glam::Vec3>();
                Ok(Embedding::new((sum + 1e-3).to_array().to_vec())?)
            }
        };
        shapes.iter().map(embed).collect()
    }

    fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, EncodeError> {
        mean_color(std::iter::once(image))
    }
}

fn mean_color<'a>(views: impl Iterator<Item = &'a RgbaImage>) -> Result<Embedding, EncodeError> {
    let mut sum = vec![1e-3; 3];
    for pixel in views.flat_map(|view| view.pixels()).filter(|pixel| pixel.0[..3] != [255; 3]) {
        sum.iter_mut().zip(pixel.0).for_each(|(s, channel)| *s += f32::from(channel));
    }
    Ok(Embedding::new(sum)?)
}

pub const RED: [u8; 3] = [230, 10, 10];
pub const GREEN: [u8; 3] = [10, 230, 10];
pub const BLUE: [u8; 3] = [10, 10, 230];

/// A tetrahedron of one color as a PLY file. `height` makes contents differ.
pub fn write_shape(path: &Path, color: [u8; 3], height: f32) {
    let [r, g, b] = color;
    let corners = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, height, 0.0]];
    let mut text = String::from("ply\nformat ascii 1.0\nelement vertex 4\n");
    for name in ["float x", "float y", "float z", "uchar red", "uchar green", "uchar blue"] {
        text.push_str(&format!("property {name}\n"));
    }
    text.push_str("element face 4\nproperty list uchar int vertex_indices\nend_header\n");
    for [x, y, z] in corners {
        text.push_str(&format!("{x} {y} {z} {r} {g} {b}\n"));
    }
    text.push_str("3 0 1 2\n3 0 3 1\n3 0 2 3\n3 1 3 2\n");
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
}
