//! Detecting which joint model a file holds: from its header, a configuration file next to it, or its tensors.

use super::config::ModelConfig;
use crate::blip::Captioner;
use crate::clip::{Beside, ClipConfig, Naming};
use crate::config_key;
use crate::preprocess::{Crop, Normalization, Photos, Preprocess};
use crate::templates::usual_templates;
use crate::tokenizer::Tokenizer;
use crate::weights::{Fingerprint, Value, WeightFile, WeightsError};

/// The network in a file, and the names of its tensors.
pub(super) struct Found {
    pub naming: Naming,
    pub prefix: String,
    pub config: ModelConfig,
}

impl Found {
    pub fn of(file: &WeightFile) -> Result<Self, WeightsError> {
        let unrecognized =
            |message: String| WeightsError::Unrecognized { path: file.path().to_owned(), message };
        if let Some(text) = file.metadata(config_key::JOINT) {
            let config = serde_json::from_str(text).map_err(|e| unrecognized(format!("its header: {e}")))?;
            return Ok(Self { naming: Naming::OpenClip, prefix: String::new(), config });
        }
        let (naming, prefix) = Naming::of(file).ok_or_else(|| {
            let message = match Captioner::recognizes(file) {
                true => {
                    "it writes captions, in no joint space: `lexiform data prepare --captioner blip` uses it"
                }
                false => "no two towers in the names of OpenCLIP, SLIP or transformers",
            };
            unrecognized(message.to_owned())
        })?;
        let clip = ClipConfig::of(file, naming, prefix)?;
        let joint_from = joint_from(file, prefix, &clip).map_err(unrecognized)?;
        let multi_view = joint_from < clip.vision.layers;
        let crop = if multi_view && clip.vision.image_size == 224 { Crop::Center } else { Crop::None };
        let normalization = match naming {
            Naming::Slip => Normalization::ImageNet,
            Naming::OpenClip | Naming::HuggingFace => Normalization::Clip,
        };
        let stem = file.path().file_stem();
        let config = ModelConfig {
            name: stem.map_or("model".to_owned(), |stem| stem.to_string_lossy().into_owned()),
            preprocess: Preprocess {
                size: clip.vision.image_size,
                crop,
                normalization,
                photos: Photos::Middle,
            },
            clip,
            joint_from,
            tokenizer: Tokenizer::Clip,
            rig: "zero123".to_owned(),
            n_views: 12,
            templates: usual_templates(),
            points: None,
        };
        Ok(Self { naming, prefix: prefix.to_owned(), config })
    }
}

/// The first block with attention across views: from the checkpoint's hyperparameters or a configuration file. Only for
/// Duoduo CLIP it must be stated; `Err` is the message if it is not.
fn joint_from(file: &WeightFile, prefix: &str, clip: &ClipConfig) -> Result<usize, String> {
    let stated = match file.hyper_parameter(&["model", "network", "layers_threshold"]) {
        Some(Value::Int(threshold)) => usize::try_from(threshold).ok(),
        _ => Beside::read(file.path()).and_then(|beside| beside.joint_from),
    };
    match stated {
        Some(joint_from) => Ok(joint_from),
        None if prefix.contains("duoduoclip") => {
            Err("neither its hyper_parameters nor a config.json in the same folder state layers_threshold"
                .to_owned())
        }
        None => Ok(clip.vision.layers),
    }
}

/// The configuration of a file's model, without loading its weights.
pub(crate) fn config_of(file: &WeightFile) -> Result<ModelConfig, WeightsError> {
    Found::of(file).map(|found| found.config)
}

/// A hash of tensors that differ between any two trained models.
pub(super) fn fingerprint(file: &WeightFile, naming: Naming, prefix: &str) -> Result<u32, WeightsError> {
    let mut print = Fingerprint::new();
    let layout = naming.layout(prefix);
    let biases = [".attn.in_proj_bias", ".attn.qkv.bias", ".self_attn.q_proj.bias"];
    let biases = file.names().filter(|name| biases.iter().any(|end| name.ends_with(end))).map(str::to_owned);
    let fixed = ["visual.class_embedding", "visual.proj", "text_projection"].map(|name| layout.name(name));
    for name in fixed.into_iter().chain(biases) {
        print = print.with(&file.read(&name)?);
    }
    Ok(print.value())
}
