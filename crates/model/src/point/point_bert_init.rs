//! Point-BERT's own pre-training ([arXiv 2111.14819](https://arxiv.org/abs/2111.14819),
//! [code](https://github.com/lulutang0608/Point-BERT)), whose weights ULIP's encoder starts from.

use burn::tensor::Device;

use super::released_file::{TensorShapes, point_bert_blocks, unrecognized};
use super::{PointBertConfig, PointEncoder};
use crate::point::EncoderConfig;
use crate::weights::{Layout, WeightFile, WeightSource, WeightsError};

/// The network that learns; `transformer_k.` is its moving average, and `dvae.` the tokenizer of points.
const PREFIXES: [&str; 3] = ["module.transformer_q.", "transformer_q.", "base_model.transformer_q."];

/// Reads the encoder of a checkpoint of Point-BERT's pre-training (`point_bert_pretrained.pt` of ULIP), with `config`'s number of
/// groups. The heads of pre-training are left out, as in ULIP.
///
/// # Errors
/// [`WeightsError`] if the file is of another kind, or its sizes differ from those of `config`.
pub fn read_point_bert(
    file: &WeightFile,
    config: &PointBertConfig,
    device: &Device,
) -> Result<PointEncoder, WeightsError> {
    let first = "encoder.first_conv.0.weight";
    let found = PREFIXES.into_iter().find(|prefix| file.contains(&format!("{prefix}{first}")));
    let prefix = found.ok_or_else(|| {
        unrecognized(
            file,
            format!("no tensor transformer_q.{first}, expected a checkpoint of Point-BERT's pre-training"),
        )
    })?;
    let shapes = TensorShapes { file, prefix };
    let layers = shapes.count(|layer| format!("blocks.blocks.{layer}.norm1.weight"));
    if layers != config.layers {
        return Err(unrecognized(file, format!("it has {layers} blocks, expected {}", config.layers)));
    }
    let layout = point_bert_blocks(Layout::prefixed(prefix)).rename("point_encoder.", "");
    let source = WeightSource::with_layout(file, layout, device);
    PointEncoder::load(&source, &EncoderConfig::PointBert(*config))
}
