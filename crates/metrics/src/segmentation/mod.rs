//! Metrics of labeled points and of masks of instances in scenes.

mod instances;
mod semantic;

pub use instances::{
    AveragePrecision, InstanceScene, MIN_INSTANCE_SIZE, PredictedInstance, average_precision,
    instance_metrics,
};
pub use semantic::{ClassIou, SegmentationMetrics, UNLABELED, UNPREDICTED};
