//! Published results, each with its source.

use serde::Serialize;

use super::benchmark::{Benchmark, Paper};

/// One published result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PublishedResult {
    /// The benchmark.
    pub benchmark: Benchmark,
    /// The paper with the protocol.
    pub paper: Paper,
    /// Whether the authors of the protocol published it for their own model.
    pub by_authors: bool,
    /// The model and what it was trained on.
    pub model: &'static str,
    /// The metrics.
    pub values: PublishedMetrics,
    /// Where it is published.
    pub source: &'static str,
}

/// Metrics in percent; `None` if not published.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "measure")]
pub enum PublishedMetrics {
    /// Zero-shot top-k accuracy.
    ZeroShot {
        /// Overall accuracy.
        top_1: f64,
        /// Top-3 accuracy.
        top_3: Option<f64>,
        /// Top-5 accuracy.
        top_5: Option<f64>,
    },
    /// Zero-shot overall and mean class accuracy.
    OverallAndMeanClass {
        /// Overall accuracy.
        overall_accuracy: f64,
        /// Mean class accuracy.
        mean_class_accuracy: f64,
    },
    /// Fine-tuned on the training split of the benchmark.
    FineTuned {
        /// Overall accuracy.
        overall_accuracy: f64,
        /// Mean class accuracy.
        mean_class_accuracy: Option<f64>,
        /// Whether several augmentations vote.
        vote: bool,
    },
    /// Retrieval.
    Retrieval {
        /// RR@1: captions whose top result is relevant.
        rr_1: f64,
    },
}

impl PublishedMetrics {
    /// Whether this is a zero-shot result.
    pub fn is_zero_shot(&self) -> bool {
        matches!(self, Self::ZeroShot { .. } | Self::OverallAndMeanClass { .. })
    }

    /// Whether this is a fine-tuning result.
    pub fn is_fine_tuned(&self) -> bool {
        matches!(self, Self::FineTuned { .. })
    }

    /// Whether this is a retrieval result.
    pub fn is_retrieval(&self) -> bool {
        matches!(self, Self::Retrieval { .. })
    }

    /// A short description.
    pub fn describe(self) -> String {
        let or_dash = |x: Option<f64>| x.map_or("–".to_owned(), |x| format!("{x:.1}"));
        match self {
            Self::ZeroShot { top_1, top_3, top_5 } => {
                format!("top-1 / 3 / 5: {top_1:.1} / {} / {}", or_dash(top_3), or_dash(top_5))
            }
            Self::OverallAndMeanClass { overall_accuracy, mean_class_accuracy } => {
                format!("overall / mean class accuracy: {overall_accuracy:.1} / {mean_class_accuracy:.1}")
            }
            Self::FineTuned { overall_accuracy, mean_class_accuracy, vote } => {
                let vote = if vote { ", with voting" } else { "" };
                format!(
                    "fine-tuned, overall / mean class accuracy: {overall_accuracy:.1} / {}{vote}",
                    or_dash(mean_class_accuracy)
                )
            }
            Self::Retrieval { rr_1 } => format!("RR@1: {rr_1:.2}"),
        }
    }
}

const DUODUO_TABLE: &str = "Duoduo CLIP, table 1";
const OPENSHAPE_TABLE: &str = "OpenShape, table 2";
const ULIP2_TABLE: &str = "ULIP-2, table of zero-shot classification";
const ULIP2_FINE: &str = "ULIP-2, table of ScanObjectNN, PB_T50_RS";

const fn zero_shot(top_1: f64, top_3: f64, top_5: f64) -> PublishedMetrics {
    PublishedMetrics::ZeroShot { top_1, top_3: Some(top_3), top_5: Some(top_5) }
}

const fn top_1_and_5(top_1: f64, top_5: f64) -> PublishedMetrics {
    PublishedMetrics::ZeroShot { top_1, top_3: None, top_5: Some(top_5) }
}

const fn fine_tuned(overall_accuracy: f64, mean_class_accuracy: Option<f64>, vote: bool) -> PublishedMetrics {
    PublishedMetrics::FineTuned { overall_accuracy, mean_class_accuracy, vote }
}

/// A result that the authors of a protocol publish for their own model.
const fn authors(
    benchmark: Benchmark,
    paper: Paper,
    model: &'static str,
    values: PublishedMetrics,
    source: &'static str,
) -> PublishedResult {
    PublishedResult { benchmark, paper, by_authors: true, model, values, source }
}

/// A result of another model in the same table, or of a third party.
const fn other(
    benchmark: Benchmark,
    paper: Paper,
    model: &'static str,
    values: PublishedMetrics,
    source: &'static str,
) -> PublishedResult {
    PublishedResult { benchmark, paper, by_authors: false, model, values, source }
}

use Benchmark::{
    Modelnet10, Modelnet40, ObjaverseLvis, ScanobjectnnHardest, ScanobjectnnObjOnly, Text2shape,
};
use Paper::{Cg3d, Duoduo, Openshape, Ulip2};

/// All results.
#[rustfmt::skip]
pub(super) const ROWS: &[PublishedResult] = &[
    authors(ObjaverseLvis, Duoduo, "Duoduo CLIP, 12 views, Ensembled", zero_shot(55.2, 77.1, 83.4), DUODUO_TABLE),
    authors(ObjaverseLvis, Duoduo, "Duoduo CLIP, 12 views, Ensembled (no LVIS)", zero_shot(52.7, 74.5, 81.3), DUODUO_TABLE),
    authors(ObjaverseLvis, Duoduo, "Duoduo CLIP, 5 views, Ensembled", zero_shot(54.1, 76.0, 82.4), DUODUO_TABLE),
    authors(ObjaverseLvis, Duoduo, "Duoduo CLIP, 5 views, Ensembled (no LVIS)", zero_shot(51.3, 73.1, 79.9), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "OpenCLIP ViT-B/32 unmodified, 12 views averaged", zero_shot(35.7, 54.8, 62.1), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "OpenCLIP ViT-bigG/14 unmodified, 12 views averaged", zero_shot(43.5, 64.2, 71.3), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "ViT-B/32 fine-tuned view by view, Ensembled", zero_shot(53.0, 74.7, 81.4), DUODUO_TABLE),
    authors(ObjaverseLvis, Ulip2, "ULIP-2 PointBERT, colored, Objaverse + ShapeNet", top_1_and_5(50.6, 79.1), ULIP2_TABLE),
    authors(ObjaverseLvis, Ulip2, "ULIP-2 PointBERT, colored, Objaverse (no LVIS) + ShapeNet", top_1_and_5(46.3, 75.0), ULIP2_TABLE),
    authors(ObjaverseLvis, Ulip2, "ULIP-2 PointBERT, colored, ShapeNet", top_1_and_5(16.4, 34.3), ULIP2_TABLE),
    authors(ObjaverseLvis, Openshape, "OpenShape PointBERT, Ensembled", zero_shot(46.8, 69.1, 77.0), OPENSHAPE_TABLE),
    authors(ObjaverseLvis, Openshape, "OpenShape PointBERT, Ensembled (no LVIS)", zero_shot(39.1, 60.8, 68.9), OPENSHAPE_TABLE),
    authors(ObjaverseLvis, Openshape, "OpenShape PointBERT, ShapeNet", top_1_and_5(10.8, 25.0), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "CG3D, ShapeNet", zero_shot(5.0, 9.5, 11.6), OPENSHAPE_TABLE),
    authors(Modelnet40, Ulip2, "ULIP-2 PointBERT, colored, Objaverse + ShapeNet", top_1_and_5(84.7, 97.1), ULIP2_TABLE),
    authors(Modelnet40, Ulip2, "ULIP-2 PointBERT, colored, Objaverse (no LVIS) + ShapeNet", top_1_and_5(84.0, 97.2), ULIP2_TABLE),
    authors(Modelnet40, Ulip2, "ULIP-2 PointBERT, colored, ShapeNet", top_1_and_5(75.2, 95.0), ULIP2_TABLE),
    authors(Modelnet40, Ulip2, "ULIP PointBERT, ShapeNet", top_1_and_5(60.4, 84.0), "ULIP, table of zero-shot classification"),
    authors(Modelnet40, Cg3d, "CG3D PointTransformer, 1,024 points", PublishedMetrics::OverallAndMeanClass { overall_accuracy: 50.4, mean_class_accuracy: 49.7 }, "the authors' log"),
    authors(Modelnet10, Cg3d, "CG3D PointTransformer, 1,024 points", PublishedMetrics::OverallAndMeanClass { overall_accuracy: 67.3, mean_class_accuracy: 66.9 }, "the authors' log"),
    authors(Modelnet40, Openshape, "OpenShape PointBERT, Ensembled", zero_shot(84.4, 96.5, 98.0), OPENSHAPE_TABLE),
    authors(Modelnet40, Openshape, "OpenShape PointBERT, Ensembled (no LVIS)", top_1_and_5(85.3, 97.4), OPENSHAPE_TABLE),
    authors(Modelnet40, Openshape, "OpenShape PointBERT, ShapeNet", top_1_and_5(70.3, 91.3), OPENSHAPE_TABLE),
    other(Modelnet40, Openshape, "CG3D, ShapeNet", zero_shot(48.7, 60.7, 66.5), OPENSHAPE_TABLE),
    authors(ScanobjectnnObjOnly, Duoduo, "Duoduo CLIP, 12 views, Ensembled", zero_shot(66.3, 85.5, 90.2), DUODUO_TABLE),
    authors(ScanobjectnnObjOnly, Duoduo, "Duoduo CLIP, 5 views, Ensembled", zero_shot(60.7, 82.4, 88.5), DUODUO_TABLE),
    authors(ScanobjectnnObjOnly, Openshape, "OpenShape PointBERT, Ensembled", zero_shot(52.2, 79.7, 88.7), OPENSHAPE_TABLE),
    authors(ScanobjectnnObjOnly, Openshape, "OpenShape PointBERT, Ensembled (no LVIS)", top_1_and_5(47.2, 84.7), OPENSHAPE_TABLE),
    authors(ScanobjectnnObjOnly, Openshape, "OpenShape PointBERT, ShapeNet", top_1_and_5(51.3, 78.4), OPENSHAPE_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "CG3D, ShapeNet", zero_shot(42.5, 57.3, 60.8), OPENSHAPE_TABLE),
    other(ScanobjectnnObjOnly, Ulip2, "ULIP PointBERT, ShapeNet", top_1_and_5(51.5, 80.2), "OpenShape, table 2 (the ULIP paper prints 48.5)"),
    authors(ScanobjectnnHardest, Cg3d, "CG3D PointTransformer, 1,024 points", PublishedMetrics::OverallAndMeanClass { overall_accuracy: 25.6, mean_class_accuracy: 24.7 }, "the authors' log"),
    authors(ScanobjectnnHardest, Ulip2, "PointNeXt + ULIP-2", fine_tuned(91.1, Some(90.3), false), ULIP2_FINE),
    authors(ScanobjectnnHardest, Ulip2, "PointNeXt + ULIP-2", fine_tuned(91.5, Some(90.9), true), ULIP2_FINE),
    authors(ScanobjectnnHardest, Ulip2, "PointBERT + ULIP-2", fine_tuned(89.7, None, false), ULIP2_FINE),
    other(Text2shape, Duoduo, "Duoduo CLIP", PublishedMetrics::Retrieval { rr_1: 15.90 }, "a third party's note"),
    other(Text2shape, Duoduo, "Uni3D-g", PublishedMetrics::Retrieval { rr_1: 10.78 }, "a third party's note"),
    other(Text2shape, Duoduo, "OpenShape", PublishedMetrics::Retrieval { rr_1: 10.53 }, "a third party's note"),
];
