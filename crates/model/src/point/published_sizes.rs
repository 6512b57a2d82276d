//! Sizes of the encoders as their authors trained them.

use super::{
    EncoderConfig, FpsKernel, PointBertConfig, PointMlpConfig, PointMlpStage, PointNet2Config,
    PointNextConfig, PpatConfig,
};
use crate::nn::Activation;

impl EncoderConfig {
    /// Names of the encoders in configurations.
    pub const KINDS: [&'static str; 6] =
        ["point-bert", "ppat", "point-mlp", "point-next", "point-net2", "point-conv"];

    /// The published sizes of an encoder: ULIP's, OpenShape's for `ppat`, CG3D's for `point-conv`; `None` if there is no
    /// encoder of that name.
    ///
    /// ```
    /// use lexiform_model::point::EncoderConfig;
    ///
    /// assert!(EncoderConfig::KINDS.iter().all(|kind| EncoderConfig::published(kind).is_some()));
    /// assert_eq!(EncoderConfig::published("point-next").map(|config| config.width()), Some(256));
    /// ```
    pub fn published(kind: &str) -> Option<Self> {
        Some(match kind {
            "point-bert" => Self::PointBert(point_bert()),
            "ppat" => Self::Ppat(ppat()),
            "point-mlp" => Self::PointMlp(point_mlp()),
            "point-next" => Self::PointNext(PointNextConfig { height: true, width: 32, dense: [512, 256] }),
            "point-net2" => Self::PointNet2(PointNet2Config::default()),
            "point-conv" => Self::PointConv {},
            _ => return None,
        })
    }
}

fn point_bert() -> PointBertConfig {
    PointBertConfig {
        colored: false,
        groups: 512,
        group_size: 32,
        group_width: 256,
        width: 384,
        layers: 12,
        heads: 6,
        mlp_width: 1536,
    }
}

/// OpenShape's scaling 4, of 32 million parameters.
fn ppat() -> PpatConfig {
    PpatConfig {
        colored: true,
        patches: 384,
        radius: 0.2,
        samples: 64,
        group_width: 256,
        width: 512,
        layers: 12,
        heads: 8,
        head_width: 64,
        mlp_width: 1536,
        activation: Activation::Gelu,
    }
}

fn point_mlp() -> PointMlpConfig {
    let stage = |width| PointMlpStage { width, inner: width, before: 2, after: 2 };
    PointMlpConfig {
        width: 64,
        stages: [128, 256, 512, 1024].map(stage).to_vec(),
        neighbors: 24,
        points: 1024,
        sampler: FpsKernel::Loop,
        dense: Some([512, 256]),
    }
}
