//! PointMLP, PointNeXt-S and PointNet++ against the references' own classes, layer by layer.

mod support;

use burn::tensor::{Device, Tensor};
use glam::Vec3;
use lexiform_model::point::{
    CloudBatch, EncoderConfig, FpsKernel, FpsStart, Groups, Intermediate, PointEncoder, PointMlp, PointTower,
    PreparedCloud, detect_encoder,
};
use lexiform_model::weights::{Precision, TensorList, WeightFile, WeightSource};
use lexiform_model::{PairedClip, PointModel, PointModelOptions};
use support::{Golden, check, detw, key_lists, values, zero_file};

/// f32 sums in another order than the reference's.
const TOLERANCE: f64 = 1e-5;

/// Positions of `[clouds, points, 3…]`; a height is the encoder's own business.
fn clouds(golden: &Golden, name: &str) -> Vec<PreparedCloud> {
    let (shape, _) = golden.bytes("inputs.safetensors", name);
    let numbers = golden.values("inputs.safetensors", name);
    let position = |row: &[f32]| Vec3::from_slice(&row[..3]);
    let cloud = |rows: &[f32]| PreparedCloud {
        positions: rows.chunks(shape[2]).map(position).collect(),
        colors: Vec::new(),
    };
    numbers.chunks(shape[1] * shape[2]).map(cloud).collect()
}

fn batch(clouds: &[PreparedCloud]) -> CloudBatch<'_> {
    CloudBatch::new(clouds, false).unwrap()
}

fn open(golden: &Golden, file: &str) -> PointModel {
    PointModel::open(golden.path(file).to_str().unwrap(), &PointModelOptions::default()).unwrap()
}

fn point_mlp(tower: &PointTower) -> &PointMlp {
    let PointEncoder::PointMlp(encoder) = tower.encoder() else { panic!("not a PointMLP") };
    encoder
}

/// The last layers of a tower: class logits, or features in the joint space.
fn output(tower: &PointTower, clouds: &CloudBatch) -> Tensor<2> {
    let features = tower.encoder().encode(clouds, FpsStart::default());
    match tower.classifier() {
        Some(classifier) => classifier.forward(features),
        None => tower.project(features),
    }
}

/// A `[clouds, points, channels]` tensor as the reference keeps it: `[clouds, channels, points]`.
fn channels_first(x: &Tensor<3>) -> Vec<f32> {
    values(&x.clone().swap_dims(1, 2))
}

fn check_groups(golden: &Golden, name: &str, found: &[Groups], size: usize) {
    let centers: Vec<usize> = found.iter().flat_map(|groups| groups.centers.clone()).collect();
    assert_eq!(centers, golden.indices("expected.safetensors", &format!("{name}_fps_idx")), "{name}");
    let mut members: Vec<usize> = found.iter().flat_map(|groups| groups.members.clone()).collect();
    members.chunks_mut(size).for_each(<[usize]>::sort_unstable);
    assert_eq!(members, golden.indices("expected.safetensors", &format!("{name}_knn_idx_sorted")), "{name}");
}

fn check_cg3d(name: &str, last: &str) {
    let golden = Golden::shared(name);
    let clouds = clouds(&golden, "points");
    let expected = |part: &str| golden.values("expected.safetensors", part);
    for file in ["model.pth", "model.safetensors"] {
        let model = open(&golden, file);
        let EncoderConfig::PointMlp(config) = &model.config().tower.encoder else { panic!("not a PointMLP") };
        assert_eq!((config.points, config.neighbors, config.sampler), (64, 6, FpsKernel::Pointnet2));
        point_mlp(model.tower()).encode_with_hook(&batch(&clouds), FpsStart::default(), |part, seen| {
            match seen {
                Intermediate::Features(x) => {
                    check(&format!("{name}/{file}: {part}"), &channels_first(x), &expected(part), TOLERANCE);
                }
                Intermediate::Groups(found) if name == "cg3d_pointmlp_tiny" => {
                    check_groups(&golden, part, found, 6)
                }
                Intermediate::Groups(_) => {}
            }
        });
        let all = output(model.tower(), &batch(&clouds));
        check(&format!("{name}/{file}: {last}"), &values(&all), &expected(last), TOLERANCE);
        let one = output(model.tower(), &batch(&clouds[..1]));
        assert_eq!(one.dims(), [1, all.dims()[1]], "a batch of one keeps its axis");
        check(&format!("{name}/{file}: alone"), &values(&one), &expected(last)[..all.dims()[1]], TOLERANCE);
    }
}

#[test]
fn point_mlp_matches_cg3d() {
    check_cg3d("cg3d_pointmlp_tiny", "latent");
    check_cg3d("cg3d_pointmlp_finetune_tiny", "cls_logits");
    check_cg3d("cg3d_pointmlp_elite_tiny", "cls_logits");
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn point_mlp_of_released_size_matches_cg3d() {
    let golden = Golden::shared("cg3d_pointmlp_default");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    detw(&golden).write(&path, Precision::Full, Default::default()).unwrap();
    let model = PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap();
    assert_eq!((model.dim(), model.paired_clip()), (512, Some(PairedClip::SlipB16)));
    let clouds = clouds(&golden, "points");
    let expected = |part: &str| golden.values("expected.safetensors", part);
    point_mlp(model.tower()).encode_with_hook(&batch(&clouds), FpsStart::default(), |part, seen| {
        if let (Intermediate::Features(x), true) = (seen, part.ends_with("_pos")) {
            let most = values(&x.clone().max_dim(1));
            check(
                &format!("cg3d_pointmlp_default: {part}_max"),
                &most,
                &expected(&format!("{part}_max")),
                TOLERANCE,
            );
        }
    });
    let latent = values(&output(model.tower(), &batch(&clouds)));
    check("cg3d_pointmlp_default: latent", &latent, &expected("latent"), TOLERANCE);
}

/// The model of a fixture whose weights follow a rule, in a file whose names have `prefix`.
fn open_detw(golden: &Golden, prefix: &str) -> PointModel {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut prefixed = TensorList::default();
    for (name, shape, values) in detw(golden).iter() {
        prefixed.push_values(format!("{prefix}{name}"), shape.to_vec(), values.to_vec());
    }
    prefixed.write(&path, Precision::Full, Default::default()).unwrap();
    PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap()
}

#[test]
fn multi_scale_grouping_matches_ulip() {
    let golden = Golden::new("pointnet2_msg");
    let model = open_detw(&golden, "module.point_encoder.");
    assert_eq!(model.config().tower.encoder.architecture(), "PointNet++ MSG");
    let clouds = clouds(&golden, "clouds");
    let features = model.tower().encoder().encode(&batch(&clouds), FpsStart::default());
    let expected = golden.values("expected.safetensors", "features");
    check("pointnet2_msg: features", &values(&features), &expected, TOLERANCE);
}

#[test]
fn point_conv_matches_cg3d() {
    let golden = Golden::new("cg3d_pointconv");
    let model = open_detw(&golden, "module.");
    assert_eq!((model.dim(), model.paired_clip()), (512, Some(PairedClip::SlipB16)));
    let clouds = clouds(&golden, "clouds");
    let features = model.tower().encoder().encode(&batch(&clouds), FpsStart::default());
    for (part, found) in [("features", features.clone()), ("latent", model.tower().project(features))] {
        let expected = golden.values("expected.safetensors", part);
        check(&format!("cg3d_pointconv: {part}"), &values(&found), &expected, TOLERANCE);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.safetensors");
    model.save(&path, Precision::Full).unwrap();
    let own = PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap();
    assert_eq!(own.config(), model.config());
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn convolutional_encoders_match_ulip() {
    for name in ["pointmlp_tiny", "pointnext_tiny", "pointnet2_ssg"] {
        let golden = Golden::shared(name);
        let clouds = clouds(&golden, "clouds");
        for file in ["model.pt", "model.safetensors"] {
            let model = open(&golden, file);
            let features = model.tower().encoder().encode(&batch(&clouds), FpsStart::default());
            let projected = output(model.tower(), &batch(&clouds));
            for (part, found) in [("features", &features), ("projected", &projected)] {
                let expected = golden.values("expected.safetensors", part);
                check(&format!("{name}/{file}: {part}"), &values(found), &expected, TOLERANCE);
            }
            let one = output(model.tower(), &batch(&clouds[1..2]));
            assert_eq!(one.dims(), [1, projected.dims()[1]], "a batch of one keeps its axis");
        }
    }
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn point_next_sampling_matches_openpoints() {
    let golden = Golden::shared("pointnext_tiny");
    let model = open(&golden, "model.pt");
    let PointEncoder::PointNext(encoder) = model.tower().encoder() else { panic!("not a PointNeXt") };
    encoder.encode_with_hook(&batch(&clouds(&golden, "clouds")), |stage, groups| {
        if stage == 1 {
            let found: Vec<usize> = groups.iter().flat_map(|groups| groups.centers.clone()).collect();
            assert_eq!(found, golden.indices("inputs.safetensors", "fps_idx_stage1"));
        }
    });
}

/// Every tensor of the released files has a place, and no place is left without one.
#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn released_files_load_without_unused_tensors() {
    let lists = key_lists();
    for (list, parameters) in [
        ("ulip1_pointmlp_encoder", 13_228_224),
        ("ulip1_pointnet2_ssg_encoder", 1_465_408),
        ("ulip_pointnext_s_encoder", 1_363_264),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let written = zero_file(&lists.join(format!("{list}.txt")), &path);
        let file = WeightFile::open(&path).unwrap();
        let found = detect_encoder(&file).unwrap().expect("a point encoder");
        let source = WeightSource::with_layout(&file, found.layout.clone(), &Device::flex());
        let tower = PointTower::load(&source, &found.config).unwrap();
        source.finish(|name| found.ignores(name)).unwrap();
        let mut kept = TensorList::default();
        tower.save(&mut kept);
        let running = |name: &str| name.ends_with("running_mean") || name.ends_with("running_var");
        let statistics: usize = kept.iter().filter(|(name, ..)| running(name)).map(|(_, _, v)| v.len()).sum();
        assert_eq!(kept.n_elements(), written, "{list}");
        assert_eq!(kept.n_elements() - statistics, parameters, "{list}");
    }
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn own_files_give_the_same_numbers() {
    for name in ["pointmlp_tiny", "pointnext_tiny", "pointnet2_ssg", "cg3d_pointmlp_elite_tiny"] {
        let golden = Golden::shared(name);
        let input = if name.starts_with("cg3d") { "points" } else { "clouds" };
        let clouds = clouds(&golden, input);
        let model = open(&golden, "model.safetensors");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.safetensors");
        model.save(&path, Precision::Full).unwrap();
        let own = PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap();
        assert_eq!(own.config(), model.config());
        let [before, after] = [&model, &own].map(|model| values(&output(model.tower(), &batch(&clouds))));
        assert_eq!(before, after, "{name}");
    }
}
