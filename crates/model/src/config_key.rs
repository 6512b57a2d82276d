//! Keys of configurations in the headers of our `.safetensors` files.

/// Holds the [`ModelConfig`](crate::ModelConfig) of a joint model, as JSON.
pub(crate) const JOINT: &str = "lexiform";
/// Holds the [`PrefixCaptionerConfig`](crate::caption::PrefixCaptionerConfig) of a captioner, as JSON.
pub(crate) const CAPTIONER: &str = "lexiform-captioner";
/// Holds the [`PointModelConfig`](crate::PointModelConfig) of a point model, as JSON.
pub(crate) const POINTS: &str = "lexiform-points";
/// Holds the [`QFormerCaptionerConfig`](crate::caption::QFormerCaptionerConfig) of a captioner with a Q-Former, as JSON.
pub(crate) const QFORMER_CAPTIONER: &str = "lexiform-qformer-captioner";
