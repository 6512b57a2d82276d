//! A released file of a point encoder: what it was recognized as, and how its names, shapes and `config.json` are read.

use std::path::Path;

use fs_err as fs;
use serde::Deserialize;

use super::system::System;
use super::{EncoderConfig, Projection, TowerConfig};
use crate::nn::is_counter;
use crate::weights::{Layout, WeightFile, WeightsError};

/// A released file.
#[derive(Clone, Debug)]
pub struct Recognized {
    /// Whose it is.
    pub system: System,
    /// The network in it.
    pub config: TowerConfig,
    /// How it names the tensors.
    pub layout: Layout,
}

/// Parts of ULIP's files that are no part of the point encoder: the towers it was trained beside.
const FROZEN: [&str; 9] = [
    "visual.",
    "transformer.",
    "token_embedding.",
    "positional_embedding",
    "ln_final.",
    "image_projection",
    "text_projection",
    "open_clip_model.",
    "image_mlp.",
];

impl Recognized {
    /// Whether a tensor (without the layout's prefix) is there for another purpose than encoding clouds.
    pub fn ignores(&self, name: &str) -> bool {
        let frozen = self.system == System::Ulip && FROZEN.iter().any(|part| name.starts_with(part));
        is_counter(name) || frozen || name == "logit_scale"
    }
}

/// What stands before `name` in the file.
pub(super) fn prefix_of<'a>(file: &'a WeightFile, name: &str) -> Option<&'a str> {
    let prefixes = file.names().filter_map(|found| found.strip_suffix(name));
    prefixes.filter(|prefix| prefix.is_empty() || prefix.ends_with('.')).min_by_key(|prefix| prefix.len())
}

/// Sizes of tensors that share a prefix.
pub(super) struct Shapes<'a> {
    pub file: &'a WeightFile,
    pub prefix: &'a str,
}

impl Shapes<'_> {
    pub fn contains(&self, name: &str) -> bool {
        self.file.contains(&format!("{}{name}", self.prefix))
    }

    pub fn size(&self, name: &str, axis: usize) -> Result<usize, WeightsError> {
        let full = format!("{}{name}", self.prefix);
        let shape = self.file.shape(&full)?;
        shape.get(axis).copied().filter(|&size| size > 0).ok_or_else(|| {
            unrecognized(self.file, format!("{full} has shape {shape:?}, expected a size at axis {axis}"))
        })
    }

    pub fn count(&self, name: impl Fn(usize) -> String) -> usize {
        (0..).take_while(|&i| self.contains(&name(i))).count()
    }
}

pub(super) fn unrecognized(file: &WeightFile, message: String) -> WeightsError {
    WeightsError::Unrecognized { path: file.path().to_owned(), message }
}

/// `point_encoder.*` and a bare matrix `pc_projection`, behind a prefix.
pub(super) fn ulip_file(
    file: &WeightFile,
    prefix: &str,
    encoder: EncoderConfig,
    blocks: impl Fn(Layout) -> Layout,
) -> Result<Recognized, WeightsError> {
    let shapes = Shapes { file, prefix };
    let projection = match shapes.contains("pc_projection") {
        true => Some(Projection { dim: shapes.size("pc_projection", 1)?, bias: false }),
        false => None,
    };
    let layout = blocks(Layout::prefixed(prefix)).transpose("projection.weight", "pc_projection");
    let config = TowerConfig { encoder, projection, classes: None };
    Ok(Recognized { system: System::Ulip, config, layout })
}

/// What a `config.json` beside the weights may say, in the words of the papers' configurations.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Beside {
    pub num_heads: Option<usize>,
    pub num_group: Option<usize>,
    pub group_size: Option<usize>,
    pub patches: Option<usize>,
    pub prad: Option<f32>,
    pub nsamp: Option<usize>,
    pub dim_head: Option<usize>,
    pub points: Option<usize>,
    k_neighbors: Option<Neighbors>,
}

/// PointMLP's neighbors: one number, or one a stage, which no model varies.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Neighbors {
    All(usize),
    Two([usize; 2]),
    Four([usize; 4]),
}

impl Beside {
    pub fn neighbors(&self) -> Option<usize> {
        Some(match self.k_neighbors? {
            Neighbors::All(neighbors) | Neighbors::Two([neighbors, _]) | Neighbors::Four([neighbors, ..]) => {
                neighbors
            }
        })
    }

    /// Reads `config.json`, at its top or under `config`. Nothing is known where it is absent or about something else.
    pub fn read(weights: &Path) -> Self {
        #[derive(Deserialize)]
        struct Wrapped {
            config: Beside,
        }
        let Ok(text) = fs::read_to_string(weights.with_file_name("config.json")) else {
            return Self::default();
        };
        let wrapped = serde_json::from_str::<Wrapped>(&text).map(|wrapped| wrapped.config);
        wrapped.or_else(|_| serde_json::from_str(&text)).unwrap_or_default()
    }
}
