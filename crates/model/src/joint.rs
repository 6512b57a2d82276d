//! Words and views in one space: both towers, with everything needed to feed them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbaImage;
use serde::{Deserialize, Serialize};

use crate::clip::{Beside, ClipConfig, ClipText, ClipVision};
use crate::error::{ModelError, WeightsError};
use crate::preprocess::{Crop, Preprocess};
use crate::tokenizer::Tokenizer;
use crate::weights::{Precision, Source, TensorList, Value, WeightFile};
use crate::{Embedding, registry, usual_templates};

/// Key of the configuration in the header of our own `.safetensors` files.
const CONFIG_KEY: &str = "lexiform";
/// Most images that pass the image tower at once: bounds memory, and more is not faster on a CPU.
const IMAGES_AT_ONCE: usize = 48;
/// Most texts that pass the text tower at once.
const TEXTS_AT_ONCE: usize = 256;

/// Everything but the weights. Stands in the header of our own `.safetensors` files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelConfig {
    /// What the model is called.
    pub name: String,
    /// Sizes of the towers.
    pub clip: ClipConfig,
    /// First block in which the views of a shape see each other; the depth means never.
    pub joint_from: usize,
    /// How views become pixels.
    pub preprocess: Preprocess,
    /// How text becomes tokens.
    pub tokenizer: Tokenizer,
    /// Name of the rig whose views the model is used to.
    pub rig: String,
    /// How many views of a shape it is given by default.
    pub n_views: usize,
    /// Sentences with `{}` for class names.
    pub templates: Vec<String>,
}

/// How a model is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Replaces the model's own window.
    pub crop: Option<Crop>,
    /// Where the tensors live.
    pub device: Device,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { crop: None, device: Device::flex() }
    }
}

/// A text tower and an image tower whose features can be compared.
pub struct JointModel {
    id: String,
    config: ModelConfig,
    text: ClipText,
    vision: ClipVision,
    logit_scale: f32,
    device: Device,
}

impl JointModel {
    /// Opens a model by name (`nano`, `duoduo` …) or by the path of a checkpoint.
    pub fn open(name_or_path: &str, options: &OpenOptions) -> Result<Self, ModelError> {
        let mut model = Self::from_file(&registry::locate(name_or_path)?, &options.device)?;
        if let Some(crop) = options.crop {
            model.config.preprocess.crop = crop;
        }
        Ok(model)
    }

    /// Builds the towers from a file: our own, a Lightning checkpoint of Duoduo CLIP, or OpenCLIP's.
    pub fn from_file(file: &WeightFile, device: &Device) -> Result<Self, ModelError> {
        let layout = Layout::of(file)?;
        let config = layout.config;
        let source = Source::file(file, &layout.prefix, device);
        let text = ClipText::load(&source, &config.clip)?;
        let vision = ClipVision::load(&source, &config.clip)?;
        let own_scale = source.scalar("logit_scale", 0.0)?;
        source.finish(|name| name == LOSS_SCALE || IGNORED.contains(&name))?;
        let logit_scale = match file.contains(LOSS_SCALE) {
            true => file.read(LOSS_SCALE)?[0],
            false => own_scale.into_scalar::<f32>(),
        };
        let id = format!("{}@{:08x}", config.name, fingerprint(file, &layout.prefix)?);
        Ok(Self { id, config, text, vision, logit_scale, device: device.clone() })
    }

    /// Name and fingerprint of the weights; recorded with every embedding.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sizes, preprocessing, tokenizer.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Width of the joint space.
    pub fn dim(&self) -> usize {
        self.config.clip.dim
    }

    /// Edge of a view in pixels.
    pub fn view_size(&self) -> u32 {
        self.config.preprocess.size as u32
    }

    /// The text tower.
    pub fn text(&self) -> &ClipText {
        &self.text
    }

    /// The image tower.
    pub fn vision(&self) -> &ClipVision {
        &self.vision
    }

    /// Views of a shape it is given by default.
    pub fn n_views(&self) -> usize {
        self.config.n_views
    }

    /// How inputs are prepared, in one line; recorded with every embedding.
    pub fn preprocessing(&self) -> String {
        let Preprocess { size, crop } = self.config.preprocess;
        let crop = match crop {
            Crop::None => "no crop".to_owned(),
            Crop::Center => "center crop".to_owned(),
            Crop::Seed(seed) => format!("random crop, seed {seed}"),
            Crop::At { top, left } => format!("crop at {top}, {left}"),
        };
        format!("{} {} views, {size} px on white, {crop}", self.config.n_views, self.config.rig)
    }

    /// The learned multiplier of similarities (its logarithm, as in CLIP).
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// Un-normalized features of texts, one row of `dim` each.
    fn text_features(&self, texts: &[&str]) -> Vec<Vec<f32>> {
        let chunks = texts.chunks(TEXTS_AT_ONCE).flat_map(|chunk| {
            let tokens = self.config.tokenizer.encode(chunk, self.config.clip.text.context).trimmed();
            rows(self.text.encode(&tokens))
        });
        chunks.collect()
    }

    /// Un-normalized features of shapes, each given by its views; all shapes with the same number of views.
    fn view_features(&self, shapes: &[&[RgbaImage]], views: usize) -> Vec<Vec<f32>> {
        let at_once = (IMAGES_AT_ONCE / views).max(1);
        let chunks = shapes.chunks(at_once).flat_map(|chunk| {
            let pixels = chunk.iter().flat_map(|views| self.config.preprocess.views(views)).collect();
            self.encode_pixels(pixels, chunk.len() * views, views)
        });
        chunks.collect()
    }

    fn encode_pixels(&self, pixels: Vec<f32>, images: usize, views: usize) -> Vec<Vec<f32>> {
        let size = self.config.preprocess.size;
        let pixels = Tensor::<4>::from_data(TensorData::new(pixels, [images, 3, size, size]), &self.device);
        rows(self.vision.encode(pixels, views, self.config.joint_from))
    }

    /// Embeddings of texts.
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, ModelError> {
        let (vocabulary, needed) = (self.config.clip.text.vocabulary, self.config.tokenizer.vocabulary());
        if vocabulary < needed {
            return Err(ModelError::Vocabulary { model: self.id.clone(), vocabulary, needed });
        }
        self.text_features(texts).into_iter().map(Embedding::new).collect()
    }

    /// Embeddings of shapes, each given by one or more views. The order of a shape's views does not matter.
    pub fn embed_views(&self, shapes: &[Vec<RgbaImage>]) -> Result<Vec<Embedding>, ModelError> {
        // Shapes with equally many views go through together.
        let mut by_views: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (i, views) in shapes.iter().enumerate() {
            by_views.entry(views.len()).or_default().push(i);
        }
        if by_views.contains_key(&0) {
            return Err(ModelError::NoViews);
        }
        let mut embeddings: Vec<Option<Embedding>> = vec![None; shapes.len()];
        for (views, members) in by_views {
            let group: Vec<&[RgbaImage]> = members.iter().map(|i| shapes[*i].as_slice()).collect();
            for (i, features) in members.into_iter().zip(self.view_features(&group, views)) {
                embeddings[i] = Some(Embedding::new(features)?);
            }
        }
        Ok(embeddings.into_iter().flatten().collect())
    }

    /// Embedding of a photo or drawing: one view, the shortest side fitted and the middle kept.
    pub fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, ModelError> {
        let features = self.encode_pixels(self.config.preprocess.photo(image), 1, 1);
        features.into_iter().next().ok_or(ModelError::NoViews).and_then(Embedding::new)
    }

    /// Writes one self-contained `.safetensors` file.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), ModelError> {
        save(path, &self.config, &self.text, &self.vision, self.logit_scale, precision)
    }
}

/// Writes towers with their configuration as one self-contained `.safetensors` file.
pub fn save(
    path: &Path,
    config: &ModelConfig,
    text: &ClipText,
    vision: &ClipVision,
    logit_scale: f32,
    precision: Precision,
) -> Result<(), ModelError> {
    let mut list = TensorList::default();
    text.save(&mut list);
    vision.save(&mut list);
    list.push("logit_scale".to_owned(), Tensor::<1>::from_floats([logit_scale], &Device::flex()));
    let header = serde_json::to_string(config).expect("a configuration has only strings for keys");
    list.write(path, precision, HashMap::from([(CONFIG_KEY.to_owned(), header)]))?;
    Ok(())
}

/// Scale of Duoduo CLIP's loss, which is the one it was trained with.
const LOSS_SCALE: &str = "contrastive_loss.logit_scale";
/// Numbers that OpenAI's files carry beside the weights.
const IGNORED: [&str; 3] = ["input_resolution", "context_length", "vocab_size"];

/// Which network a file holds and where in it.
struct Layout {
    prefix: String,
    config: ModelConfig,
}

impl Layout {
    fn of(file: &WeightFile) -> Result<Self, WeightsError> {
        let unrecognized =
            |message: String| WeightsError::Unrecognized { path: file.path().to_owned(), message };
        if let Some(text) = file.metadata(CONFIG_KEY) {
            let config = serde_json::from_str(text).map_err(|e| unrecognized(format!("its header: {e}")))?;
            return Ok(Self { prefix: String::new(), config });
        }
        let prefixes = ["", "module.", "duoduoclip.", "module.duoduoclip."];
        let prefix = prefixes.iter().find(|prefix| file.contains(&format!("{prefix}visual.conv1.weight")));
        let prefix =
            prefix.ok_or_else(|| unrecognized("no tensor visual.conv1.weight".to_owned()))?.to_string();
        let beside = Beside::read(file.path());
        let clip = match beside {
            Some(beside) => beside.clip,
            None => ClipConfig::infer(file, &prefix)?,
        };
        let threshold = file.hyper_parameter(&["model", "network", "layers_threshold"]);
        let stated = match threshold {
            Some(Value::Int(threshold)) => usize::try_from(threshold).ok(),
            _ => beside.and_then(|beside| beside.joint_from),
        };
        let joint_from = match stated {
            Some(joint_from) => joint_from,
            None if prefix.contains("duoduoclip") => {
                let message =
                    "neither its hyper_parameters nor a config.json beside it state layers_threshold";
                return Err(unrecognized(message.to_owned()));
            }
            None => clip.vision.layers,
        };
        let multi_view = joint_from < clip.vision.layers;
        let crop = if multi_view && clip.vision.image_size == 224 { Crop::Center } else { Crop::None };
        let config = ModelConfig {
            name: file
                .path()
                .file_stem()
                .map_or("model".to_owned(), |stem| stem.to_string_lossy().into_owned()),
            preprocess: Preprocess { size: clip.vision.image_size, crop },
            clip,
            joint_from,
            tokenizer: Tokenizer::Clip,
            rig: "zero123".to_owned(),
            n_views: 12,
            templates: usual_templates(),
        };
        Ok(Self { prefix, config })
    }
}

/// A file's configuration without its weights.
pub(crate) fn config_of(file: &WeightFile) -> Result<ModelConfig, WeightsError> {
    Layout::of(file).map(|layout| layout.config)
}

/// FNV-1a over tensors that differ between any two trainings of these networks.
fn fingerprint(file: &WeightFile, prefix: &str) -> Result<u32, WeightsError> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let last_block = file.names().filter(|name| name.ends_with("attn.in_proj_bias")).map(str::to_owned);
    let fixed =
        ["visual.class_embedding", "visual.proj", "text_projection"].map(|name| format!("{prefix}{name}"));
    for name in fixed.into_iter().chain(last_block) {
        for value in file.read(&name)? {
            hash = (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok((hash ^ (hash >> 32)) as u32)
}

pub(crate) fn rows(features: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, dim] = features.dims();
    let values: Vec<f32> = features.into_data().try_into_vec().expect("features are f32");
    values.chunks(dim.max(1)).map(<[f32]>::to_vec).collect()
}

/// The path a checkpoint was named by, if the name is one.
pub(crate) fn as_path(name_or_path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(name_or_path);
    path.is_file().then_some(path)
}
