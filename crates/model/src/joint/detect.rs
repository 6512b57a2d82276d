//! Detecting which joint model a file holds: from its header, a configuration file next to it, or its tensors.

use super::config::ModelConfig;
use crate::blip::Captioner;
use crate::clip::{CheckpointFormat, ClipConfig, SidecarConfig};
use crate::config_key;
use crate::pointllm::PointLlm;
use crate::preprocess::{Crop, Normalization, PhotoCrop, Preprocess};
use crate::templates::default_templates;
use crate::tokenizer::Tokenizer;
use crate::weights::{Fingerprint, Layout, Value, WeightFile, WeightsError};

/// The network in a file, and the names of its tensors.
pub(super) struct DetectedModel {
    pub format: CheckpointFormat,
    pub prefix: String,
    pub config: ModelConfig,
}

impl DetectedModel {
    pub fn of(file: &WeightFile) -> Result<Self, WeightsError> {
        let unrecognized =
            |message: String| WeightsError::Unrecognized { path: file.path().to_owned(), message };
        // Our own files state everything in their header.
        if let Some(text) = file.metadata(config_key::JOINT) {
            let config =
                serde_json::from_str(text).map_err(|e| unrecognized(format!("invalid header: {e}")))?;
            return Ok(Self { format: CheckpointFormat::OpenClip, prefix: String::new(), config });
        }
        let (format, prefix) = CheckpointFormat::of(file).ok_or_else(|| {
            let message = if Captioner::matches_file(file) {
                "it is a captioner without a joint space: use it with `lexiform data prepare --captioner blip` or `lexiform data caption`"
            } else if PointLlm::matches_file(file) {
                "it is a PointLLM without a joint space: use it with `lexiform caption` or `lexiform ask`"
            } else {
                "no text and image towers in the layout of OpenCLIP, SLIP or transformers"
            };
            unrecognized(message.to_owned())
        })?;
        let clip = ClipConfig::of(file, format, prefix)?;
        let joint_from = joint_from(file, prefix, &clip).map_err(unrecognized)?;
        // Attention across views in no layer is plain CLIP.
        let multi_view = joint_from < clip.vision.layers;
        let crop = if multi_view && clip.vision.image_size == 224 { Crop::Center } else { Crop::None };
        // Duoduo CLIP has one transform for renders and photos; a model of single images has OpenCLIP's.
        let photo_crop = if multi_view { PhotoCrop::View } else { PhotoCrop::Center };
        let normalization = match format {
            // SLIP was trained with ImageNet statistics, the others with OpenAI's.
            CheckpointFormat::Slip => Normalization::ImageNet,
            CheckpointFormat::OpenClip | CheckpointFormat::HuggingFace => Normalization::Clip,
        };
        let config = ModelConfig {
            name: file.stem().unwrap_or_else(|| "model".to_owned()),
            preprocess: Preprocess { size: clip.vision.image_size, crop, normalization, photo_crop },
            clip,
            joint_from,
            tokenizer: Tokenizer::Clip,
            // The rig and number of views of Duoduo CLIP's evaluation.
            rig: "zero123".to_owned(),
            n_views: 12,
            templates: default_templates(),
            points: None,
            language: None,
            prompts_of: None,
        };
        Ok(Self { format, prefix: prefix.to_owned(), config })
    }
}

/// The first block with attention across views: from the checkpoint's hyperparameters or a configuration file. Only for
/// Duoduo CLIP it must be stated; `Err` is the message if it is not.
fn joint_from(file: &WeightFile, prefix: &str, clip: &ClipConfig) -> Result<usize, String> {
    let stated = match file.hyper_parameter(&["model", "network", "layers_threshold"]) {
        Some(Value::Int(threshold)) => usize::try_from(threshold).ok(),
        _ => SidecarConfig::read(file.path()).and_then(|sidecar| sidecar.joint_from),
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
pub(crate) fn detect_config(file: &WeightFile) -> Result<ModelConfig, WeightsError> {
    DetectedModel::of(file).map(|found| found.config)
}

/// A hash of tensors that differ between any two trained models.
pub(super) fn fingerprint(
    file: &WeightFile,
    format: CheckpointFormat,
    prefix: &str,
) -> Result<u32, WeightsError> {
    let mut print = Fingerprint::new();
    let layout = format.layout(prefix);
    // Small tensors that any training changes; hashing all weights would slow down opening.
    let biases = [".attn.in_proj_bias", ".attn.qkv.bias", ".self_attn.q_proj.bias"];
    let biases = file.names().filter(|name| biases.iter().any(|end| name.ends_with(end))).map(str::to_owned);
    let fixed = ["visual.class_embedding", "visual.proj", "text_projection"].map(|name| layout.name(name));
    for name in fixed.into_iter().chain(biases) {
        print = print.with(&file.read(&name)?);
    }
    Ok(print.value())
}

/// A hash of the visual prompts, which the file must have.
pub(super) fn prompts_fingerprint(file: &WeightFile, layout: &Layout) -> Result<u32, WeightsError> {
    let mut print = Fingerprint::new().with(&file.read(&layout.name("visual.prompt_embeddings"))?);
    let deep = layout.name("visual.deep_prompt_embeddings");
    if file.contains(&deep) {
        print = print.with(&file.read(&deep)?);
    }
    Ok(print.value())
}
