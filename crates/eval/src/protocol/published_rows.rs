//! The published results, each with its source. `top-1 / top-3 / top-5` in percent.

use super::benchmark::{Benchmark, Paper};
use super::published::{PublishedMetrics, PublishedResult};

const DUODUO_TABLE: &str = "Duoduo CLIP, table 1";
const OPENSHAPE_TABLE: &str = "OpenShape, table 2";
const ULIP2_TABLE: &str = "ULIP-2, table of zero-shot classification";
const ULIP2_ABLATION: &str = "ULIP-2, ablations of input and captions";
const ULIP_TABLE: &str = "ULIP, table of zero-shot classification";
const ULIP_FINE: &str = "ULIP, table of fine-tuned classification";
const UNI3D_TABLE: &str = "Uni3D, table of zero-shot classification";
const VIT_LENS_TABLE: &str = "the authors' list of checkpoints";
const OPENDLIGN_TABLE: &str = "OpenDlign, table of zero-shot classification";
const ULIP2_FINE: &str = "ULIP-2, table of ScanObjectNN, PB_T50_RS";

const fn zero_shot(top_1: f64, top_3: f64, top_5: f64) -> PublishedMetrics {
    PublishedMetrics::ZeroShot { top_1, top_3: Some(top_3), top_5: Some(top_5) }
}

const fn top_1_and_5(top_1: f64, top_5: f64) -> PublishedMetrics {
    PublishedMetrics::ZeroShot { top_1, top_3: None, top_5: Some(top_5) }
}

const fn only_top_1(top_1: f64) -> PublishedMetrics {
    PublishedMetrics::ZeroShot { top_1, top_3: None, top_5: None }
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
    other(ObjaverseLvis, Duoduo, "ViT-B/32 fine-tuned view by view, Ensembled (no LVIS)", zero_shot(50.1, 72.0, 79.2), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "ULIP PointBERT, Ensembled", zero_shot(26.8, 44.8, 52.6), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "OpenShape PointBERT, Ensembled", zero_shot(46.8, 69.1, 77.0), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "OpenShape PointBERT retrained, Ensembled", zero_shot(50.0, 72.0, 79.2), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "TAMM PointBERT, Ensembled", zero_shot(50.7, 73.2, 80.6), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "MixCon3D, points and views, Ensembled", zero_shot(52.5, 74.5, 81.2), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "Uni3D, Ensembled", zero_shot(55.3, 76.7, 82.9), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "Uni3D, Ensembled (no LVIS)", zero_shot(47.2, 68.8, 76.1), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "ShapeLLM ReCon++, Ensembled", zero_shot(53.7, 75.8, 82.0), DUODUO_TABLE),
    other(ObjaverseLvis, Duoduo, "ViT-Lens-G, Ensembled", zero_shot(52.0, 73.3, 79.9), DUODUO_TABLE),
    authors(ObjaverseLvis, Ulip2, "ULIP-2 PointBERT, colored, Objaverse + ShapeNet", top_1_and_5(50.6, 79.1), ULIP2_TABLE),
    authors(ObjaverseLvis, Ulip2, "ULIP-2 PointBERT, colored, Objaverse (no LVIS) + ShapeNet", top_1_and_5(46.3, 75.0), ULIP2_TABLE),
    authors(ObjaverseLvis, Ulip2, "ULIP-2 PointBERT, colored, ShapeNet", top_1_and_5(16.4, 34.3), ULIP2_TABLE),
    authors(ObjaverseLvis, Ulip2, "ULIP-2 PointBERT, 8,192 points without color, Objaverse + ShapeNet", top_1_and_5(48.9, 77.1), ULIP2_ABLATION),
    authors(ObjaverseLvis, Ulip2, "ULIP-2 PointBERT with SLIP, Objaverse + ShapeNet", top_1_and_5(38.3, 64.7), ULIP2_ABLATION),
    authors(ObjaverseLvis, Ulip2, "ULIP-2 PointBERT with SLIP, ShapeNet", top_1_and_5(5.2, 13.0), ULIP2_ABLATION),
    authors(ObjaverseLvis, Ulip2, "ULIP PointBERT, ShapeNet", top_1_and_5(2.6, 8.1), "ULIP-2 (OpenShape, table 2, prints 6.2 / 17.9)"),
    authors(ObjaverseLvis, Ulip2, "ULIP PointBERT, Ensembled", top_1_and_5(34.9, 61.0), "ULIP-2 (OpenShape, table 2, prints 26.8 / 52.6)"),
    authors(ObjaverseLvis, Openshape, "OpenShape PointBERT, Ensembled", zero_shot(46.8, 69.1, 77.0), OPENSHAPE_TABLE),
    authors(ObjaverseLvis, Openshape, "OpenShape PointBERT, Ensembled (no LVIS)", zero_shot(39.1, 60.8, 68.9), OPENSHAPE_TABLE),
    authors(ObjaverseLvis, Openshape, "OpenShape PointBERT, ShapeNet", top_1_and_5(10.8, 25.0), OPENSHAPE_TABLE),
    authors(ObjaverseLvis, Openshape, "OpenShape SparseConv, Ensembled", zero_shot(43.4, 64.8, 72.4), OPENSHAPE_TABLE),
    authors(ObjaverseLvis, Openshape, "OpenShape SparseConv, Ensembled (no LVIS)", top_1_and_5(37.0, 66.9), OPENSHAPE_TABLE),
    authors(ObjaverseLvis, Openshape, "OpenShape SparseConv, ShapeNet", top_1_and_5(11.6, 27.1), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "CG3D, ShapeNet", zero_shot(5.0, 9.5, 11.6), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "PointCLIP", top_1_and_5(1.9, 5.8), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "PointCLIP v2", top_1_and_5(4.7, 12.9), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "CLIP2Point, ShapeNet", top_1_and_5(2.7, 7.9), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "ReCon, ShapeNet", top_1_and_5(1.1, 3.7), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "ULIP PointBERT, ShapeNet", top_1_and_5(6.2, 17.9), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "ULIP PointBERT, Ensembled", top_1_and_5(26.8, 52.6), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "ULIP PointBERT, Ensembled (no LVIS)", top_1_and_5(21.4, 46.0), OPENSHAPE_TABLE),
    other(ObjaverseLvis, Openshape, "ViT-Lens-G, Ensembled", top_1_and_5(52.0, 79.9), VIT_LENS_TABLE),
    other(ObjaverseLvis, Openshape, "ViT-Lens-G, Ensembled (no LVIS)", top_1_and_5(50.1, 78.1), VIT_LENS_TABLE),
    other(ObjaverseLvis, Openshape, "Uni3D-B, Ensembled", top_1_and_5(51.7, 80.8), UNI3D_TABLE),
    other(ObjaverseLvis, Openshape, "Uni3D-L, Ensembled", top_1_and_5(53.1, 81.5), UNI3D_TABLE),
    other(ObjaverseLvis, Openshape, "Uni3D-g, Ensembled", top_1_and_5(53.5, 82.0), UNI3D_TABLE),
    other(ObjaverseLvis, Openshape, "Uni3D-g, Ensembled (no LVIS)", top_1_and_5(47.2, 76.1), UNI3D_TABLE),
    other(ObjaverseLvis, Openshape, "Uni3D-g, best", top_1_and_5(55.3, 82.9), UNI3D_TABLE),
    authors(Modelnet40, Ulip2, "ULIP-2 PointBERT, colored, Objaverse + ShapeNet", top_1_and_5(84.7, 97.1), ULIP2_TABLE),
    authors(Modelnet40, Ulip2, "ULIP-2 PointBERT, colored, Objaverse (no LVIS) + ShapeNet", top_1_and_5(84.0, 97.2), ULIP2_TABLE),
    authors(Modelnet40, Ulip2, "ULIP-2 PointBERT, colored, ShapeNet", top_1_and_5(75.2, 95.0), ULIP2_TABLE),
    authors(Modelnet40, Ulip2, "ULIP-2 PointBERT, 8,192 points without color, Objaverse + ShapeNet", top_1_and_5(79.4, 96.4), ULIP2_ABLATION),
    authors(Modelnet40, Ulip2, "ULIP-2 PointBERT with SLIP, Objaverse + ShapeNet", top_1_and_5(74.1, 93.6), ULIP2_ABLATION),
    authors(Modelnet40, Ulip2, "ULIP-2 PointBERT with SLIP, ShapeNet", top_1_and_5(69.7, 88.8), ULIP2_ABLATION),
    authors(Modelnet40, Ulip2, "ULIP-2 PointNeXt", top_1_and_5(72.8, 95.7), ULIP2_TABLE),
    authors(Modelnet40, Ulip2, "ULIP PointBERT, ShapeNet", top_1_and_5(60.4, 84.0), ULIP_TABLE),
    authors(Modelnet40, Ulip2, "ULIP PointNet++ SSG, ShapeNet", top_1_and_5(55.7, 75.7), "ULIP, table of zero-shot classification (README: 57.7 / 78.9)"),
    authors(Modelnet40, Ulip2, "ULIP PointNet++ MSG, ShapeNet", top_1_and_5(58.4, 78.2), ULIP_TABLE),
    authors(Modelnet40, Ulip2, "ULIP PointMLP, ShapeNet", top_1_and_5(61.5, 80.7), "ULIP, table of zero-shot classification (README: 60.0 / 79.4)"),
    authors(Modelnet40, Ulip2, "ULIP PointNeXt, ShapeNet", top_1_and_5(56.2, 77.0), "ULIP, README"),
    authors(Modelnet40, Ulip2, "PointNet++ + ULIP", fine_tuned(93.4, None, false), ULIP_FINE),
    authors(Modelnet40, Ulip2, "PointBERT + ULIP", fine_tuned(94.1, None, false), ULIP_FINE),
    authors(Modelnet40, Ulip2, "PointMLP + ULIP", fine_tuned(94.3, None, false), ULIP_FINE),
    authors(Modelnet40, Ulip2, "PointMLP + ULIP", fine_tuned(94.7, None, true), ULIP_FINE),
    authors(Modelnet40, Cg3d, "CG3D PointTransformer, 1,024 points", PublishedMetrics::OverallAndMeanClass { overall_accuracy: 50.4, mean_class_accuracy: 49.7 }, "the authors' log"),
    authors(Modelnet10, Cg3d, "CG3D PointTransformer, 1,024 points", PublishedMetrics::OverallAndMeanClass { overall_accuracy: 67.3, mean_class_accuracy: 66.9 }, "the authors' log"),
    authors(Modelnet40, Openshape, "OpenShape PointBERT, Ensembled", zero_shot(84.4, 96.5, 98.0), OPENSHAPE_TABLE),
    authors(Modelnet40, Openshape, "OpenShape PointBERT, Ensembled (no LVIS)", top_1_and_5(85.3, 97.4), OPENSHAPE_TABLE),
    authors(Modelnet40, Openshape, "OpenShape PointBERT, ShapeNet", top_1_and_5(70.3, 91.3), OPENSHAPE_TABLE),
    authors(Modelnet40, Openshape, "OpenShape SparseConv, Ensembled", zero_shot(83.4, 95.6, 97.8), OPENSHAPE_TABLE),
    authors(Modelnet40, Openshape, "OpenShape SparseConv, Ensembled (no LVIS)", top_1_and_5(82.6, 97.5), OPENSHAPE_TABLE),
    authors(Modelnet40, Openshape, "OpenShape SparseConv, ShapeNet", top_1_and_5(72.9, 93.0), OPENSHAPE_TABLE),
    other(Modelnet40, Openshape, "CG3D, ShapeNet", zero_shot(48.7, 60.7, 66.5), OPENSHAPE_TABLE),
    other(Modelnet40, Openshape, "PointCLIP", only_top_1(19.3), OPENSHAPE_TABLE),
    other(Modelnet40, Openshape, "PointCLIP v2", only_top_1(63.6), OPENSHAPE_TABLE),
    other(Modelnet40, Openshape, "CLIP2Point, ShapeNet", top_1_and_5(49.5, 81.2), OPENSHAPE_TABLE),
    other(Modelnet40, Openshape, "ReCon, ShapeNet", top_1_and_5(61.2, 78.1), OPENSHAPE_TABLE),
    other(Modelnet40, Openshape, "ULIP PointBERT, ShapeNet", top_1_and_5(60.4, 84.0), OPENSHAPE_TABLE),
    other(Modelnet40, Openshape, "ULIP PointBERT, Ensembled", top_1_and_5(75.1, 93.2), OPENSHAPE_TABLE),
    other(Modelnet40, Openshape, "ViT-Lens-G, Ensembled", top_1_and_5(87.6, 98.4), VIT_LENS_TABLE),
    other(Modelnet40, Openshape, "Uni3D-B, Ensembled", top_1_and_5(86.3, 97.9), UNI3D_TABLE),
    other(Modelnet40, Openshape, "Uni3D-L, Ensembled", top_1_and_5(86.3, 98.3), UNI3D_TABLE),
    other(Modelnet40, Openshape, "Uni3D-g, Ensembled", top_1_and_5(87.3, 99.2), UNI3D_TABLE),
    other(Modelnet40, Openshape, "Uni3D-g, best", top_1_and_5(88.2, 99.3), UNI3D_TABLE),
    other(Modelnet40, Openshape, "OpenDlign ViT-H, depth maps, ShapeNet", top_1_and_5(82.6, 98.4), OPENDLIGN_TABLE),
    authors(ScanobjectnnObjOnly, Duoduo, "Duoduo CLIP, 12 views, Ensembled", zero_shot(66.3, 85.5, 90.2), DUODUO_TABLE),
    authors(ScanobjectnnObjOnly, Duoduo, "Duoduo CLIP, 5 views, Ensembled", zero_shot(60.7, 82.4, 88.5), DUODUO_TABLE),
    authors(ScanobjectnnObjOnly, Openshape, "OpenShape PointBERT, Ensembled", zero_shot(52.2, 79.7, 88.7), OPENSHAPE_TABLE),
    authors(ScanobjectnnObjOnly, Openshape, "OpenShape PointBERT, Ensembled (no LVIS)", top_1_and_5(47.2, 84.7), OPENSHAPE_TABLE),
    authors(ScanobjectnnObjOnly, Openshape, "OpenShape PointBERT, ShapeNet", top_1_and_5(51.3, 78.4), OPENSHAPE_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "OpenCLIP ViT-B/32 unmodified, 12 views averaged", zero_shot(53.9, 73.5, 81.2), DUODUO_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "OpenCLIP ViT-bigG/14 unmodified, 12 views averaged", zero_shot(56.7, 78.2, 85.8), DUODUO_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "ViT-B/32 fine-tuned view by view, Ensembled", zero_shot(55.1, 75.6, 83.9), DUODUO_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "ULIP PointBERT, Ensembled", zero_shot(51.6, 72.5, 82.3), DUODUO_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "OpenShape PointBERT, Ensembled", zero_shot(52.2, 79.7, 88.7), DUODUO_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "TAMM PointBERT, Ensembled", zero_shot(55.7, 80.7, 88.9), DUODUO_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "MixCon3D, points and views, Ensembled", zero_shot(58.6, 80.3, 89.2), DUODUO_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "Uni3D, Ensembled", zero_shot(65.3, 85.5, 92.7), DUODUO_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "ShapeLLM ReCon++, Ensembled", zero_shot(65.4, 84.1, 89.7), DUODUO_TABLE),
    other(ScanobjectnnObjOnly, Duoduo, "ViT-Lens-G, Ensembled", zero_shot(60.1, 81.0, 90.3), DUODUO_TABLE),
    authors(ScanobjectnnObjOnly, Openshape, "OpenShape SparseConv, Ensembled", zero_shot(56.7, 78.9, 88.6), OPENSHAPE_TABLE),
    authors(ScanobjectnnObjOnly, Openshape, "OpenShape SparseConv, ShapeNet", top_1_and_5(52.7, 83.6), OPENSHAPE_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "PointCLIP", only_top_1(10.5), OPENSHAPE_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "PointCLIP v2", only_top_1(42.2), OPENSHAPE_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "CLIP2Point, ShapeNet", top_1_and_5(25.5, 59.4), OPENSHAPE_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "ReCon, ShapeNet", top_1_and_5(42.3, 75.6), OPENSHAPE_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "ULIP PointBERT, ShapeNet", top_1_and_5(51.5, 80.2), OPENSHAPE_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "Uni3D-B, Ensembled", top_1_and_5(63.8, 90.2), UNI3D_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "Uni3D-g, Ensembled", top_1_and_5(63.9, 91.7), UNI3D_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "Uni3D-g, best", top_1_and_5(65.3, 92.7), UNI3D_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "OpenDlign ViT-H, depth maps, ShapeNet", top_1_and_5(59.5, 83.7), OPENDLIGN_TABLE),
    authors(ScanobjectnnObjOnly, Ulip2, "ULIP PointNet++ SSG, ShapeNet", only_top_1(45.6), ULIP_TABLE),
    authors(ScanobjectnnObjOnly, Ulip2, "ULIP PointNet++ MSG, ShapeNet", only_top_1(49.9), ULIP_TABLE),
    authors(ScanobjectnnObjOnly, Ulip2, "ULIP PointMLP, ShapeNet", only_top_1(44.6), ULIP_TABLE),
    other(ScanobjectnnObjOnly, Openshape, "CG3D, ShapeNet", zero_shot(42.5, 57.3, 60.8), OPENSHAPE_TABLE),
    authors(ScanobjectnnObjOnly, Ulip2, "ULIP PointBERT, ShapeNet", only_top_1(48.5), "ULIP (OpenShape, table 2, prints 51.5 / 80.2)"),
    authors(ScanobjectnnHardest, Cg3d, "CG3D PointTransformer, 1,024 points", PublishedMetrics::OverallAndMeanClass { overall_accuracy: 25.6, mean_class_accuracy: 24.7 }, "the authors' log"),
    authors(ScanobjectnnHardest, Cg3d, "CG3D PointMLP, 1,024 points", only_top_1(25.0), "issue 16 of the authors' repository"),
    authors(ScanobjectnnHardest, Ulip2, "PointBERT + ULIP", fine_tuned(86.4, None, false), "ULIP (ULIP-2 prints 88.7)"),
    authors(ScanobjectnnHardest, Ulip2, "PointMLP + ULIP", fine_tuned(88.8, None, false), ULIP_FINE),
    authors(ScanobjectnnHardest, Ulip2, "PointMLP + ULIP, 2,048 points", fine_tuned(89.4, None, false), ULIP_FINE),
    authors(ScanobjectnnHardest, Ulip2, "PointNeXt + ULIP", fine_tuned(90.1, Some(89.2), false), ULIP2_FINE),
    other(ScanobjectnnHardest, Ulip2, "PointNet++", fine_tuned(77.9, Some(75.4), false), ULIP2_FINE),
    other(ScanobjectnnHardest, Ulip2, "PointBERT", fine_tuned(83.1, None, false), ULIP2_FINE),
    other(ScanobjectnnHardest, Ulip2, "Point-MAE", fine_tuned(85.2, None, false), ULIP2_FINE),
    other(ScanobjectnnHardest, Ulip2, "PointMLP", fine_tuned(85.7, Some(84.4), false), ULIP2_FINE),
    other(ScanobjectnnHardest, Ulip2, "PointNeXt", fine_tuned(87.5, Some(85.9), false), ULIP2_FINE),
    other(ScanobjectnnHardest, Ulip2, "ReCon", fine_tuned(91.26, None, false), ULIP2_FINE),
    authors(ScanobjectnnHardest, Ulip2, "PointNeXt + ULIP-2", fine_tuned(91.1, Some(90.3), false), ULIP2_FINE),
    authors(ScanobjectnnHardest, Ulip2, "PointNeXt + ULIP-2", fine_tuned(91.5, Some(90.9), true), ULIP2_FINE),
    authors(ScanobjectnnHardest, Ulip2, "PointBERT + ULIP-2", fine_tuned(89.7, None, false), ULIP2_FINE),
    other(Text2shape, Duoduo, "Duoduo CLIP", PublishedMetrics::Retrieval { rr_1: 15.90 }, "a third party's note"),
    other(Text2shape, Duoduo, "Uni3D-g", PublishedMetrics::Retrieval { rr_1: 10.78 }, "a third party's note"),
    other(Text2shape, Duoduo, "OpenShape", PublishedMetrics::Retrieval { rr_1: 10.53 }, "a third party's note"),
];
