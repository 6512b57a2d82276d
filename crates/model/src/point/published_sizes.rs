//! Sizes of the encoders as their authors trained them.

use super::{EncoderConfig, PointBertConfig, PointMlpConfig, PointNet2Config, PointNextConfig, PpatConfig};
use crate::nn::Activation;

impl EncoderConfig {
    /// Names of the encoders in configurations.
    pub const KINDS: [&'static str; 7] =
        ["point-bert", "uni3d", "ppat", "point-mlp", "point-next", "point-net2", "point-conv"];

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
            "point-bert" => Self::PointBert(PointBertConfig {
                colored: false,
                layers: 12,
                ..PointBertConfig::ulip2_colored()
            }),
            "uni3d" => Self::PointBert(PointBertConfig::uni3d_base()),
            "ppat" => Self::Ppat(ppat()),
            "point-mlp" => Self::PointMlp(PointMlpConfig::ulip()),
            "point-next" => Self::PointNext(PointNextConfig::ulip()),
            "point-net2" => Self::PointNet2(PointNet2Config::default()),
            "point-conv" => Self::PointConv {},
            _ => return None,
        })
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
