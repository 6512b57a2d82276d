//! Point encoders against the references' own classes, layer by layer.

mod support;

use std::collections::BTreeMap;

use burn::tensor::Device;
use glam::Vec3;
use lexiform_model::point::{
    CloudBatch, EncoderConfig, FpsStart, PointEncoder, PointTower, PointTowerConfig, PreparedCloud, Trunk,
    detect_encoder,
};
use lexiform_model::weights::{Precision, WeightFile, WeightSource};
use lexiform_model::{ComputePrecision, PointModel, PointModelOptions, TextModel};
use support::{Golden, check, detw, values};

/// f32 sums in another order than the reference's.
const TOLERANCE: f64 = 1e-5;

/// The clouds of a `[clouds, points, 3 or 6]` tensor.
fn clouds(golden: &Golden, name: &str) -> Vec<PreparedCloud> {
    let (shape, _) = golden.bytes("inputs.safetensors", name);
    let numbers = golden.values("inputs.safetensors", name);
    let cloud = |rows: &[f32]| PreparedCloud {
        positions: rows.chunks(shape[2]).map(Vec3::from_slice).collect(),
        colors: rows
            .chunks(shape[2])
            .filter(|row| row.len() == 6)
            .map(|row| Vec3::from_slice(&row[3..]))
            .collect(),
    };
    numbers.chunks(shape[1] * shape[2]).map(cloud).collect()
}

fn open(golden: &Golden, file: &str) -> PointModel {
    PointModel::open(golden.path(file).to_str().unwrap(), &PointModelOptions::default()).unwrap()
}

/// What an encoder shows on its way, by name, and its features.
fn traced(tower: &PointTower, clouds: &CloudBatch, start: FpsStart) -> BTreeMap<String, Vec<f32>> {
    let mut seen = BTreeMap::new();
    let mut watch = |name: &str, x: &burn::tensor::Tensor<3>| {
        seen.insert(name.to_owned(), values(x));
    };
    let features = if let PointEncoder::PointBert(encoder) = tower.encoder() {
        encoder.encode_with_hook(clouds, &mut watch)
    } else if let PointEncoder::Ppat(encoder) = tower.encoder() {
        encoder.encode_with_hook(clouds, start, &mut watch)
    } else {
        panic!("another encoder's test")
    };
    seen.insert("projected".to_owned(), values(&tower.project(features.clone())));
    if let Some(classifier) = tower.classifier() {
        seen.insert("classes".to_owned(), values(&classifier.forward(features.clone())));
    }
    seen.insert("features".to_owned(), values(&features));
    seen
}

/// Rows of `width` numbers, sorted: groups are sets.
fn sorted(values: &[f32], group: usize, width: usize) -> Vec<f32> {
    let sort = |group: &[f32]| {
        let mut rows: Vec<&[f32]> = group.chunks(width).collect();
        rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
        rows.concat()
    };
    values.chunks(group * width).flat_map(sort).collect()
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn point_bert_matches_ulip() {
    for name in ["pointbert_tiny_xyz", "pointbert_tiny_rgb"] {
        let golden = Golden::shared(name);
        let clouds = clouds(&golden, "clouds");
        for file in ["model.pt", "model.safetensors"] {
            let model = open(&golden, file);
            let colored = model.config().tower.encoder.colored();
            let batch = CloudBatch::new(&clouds, colored).unwrap();
            let seen = traced(model.tower(), &batch, FpsStart::default());
            let expected = |name: &str| golden.values("expected.safetensors", name);
            let width = if colored { 6 } else { 3 };
            let groups =
                ["neighborhood"].map(|n| (sorted(&seen[n], 8, width), sorted(&expected(n), 8, width)));
            check(&format!("{name}/{file}: neighborhood"), &groups[0].0, &groups[0].1, 0.0);
            check(&format!("{name}/{file}: center"), &seen["center"], &expected("center"), 0.0);
            let layers = [
                ("tokens", "encoder_tokens"),
                ("reduced", "reduced_tokens"),
                ("pos", "pos"),
                ("block0", "block0"),
                ("block1", "block1"),
                ("norm", "norm"),
                ("features", "features"),
                ("projected", "projected"),
            ];
            for (ours, theirs) in layers {
                check(&format!("{name}/{file}: {theirs}"), &seen[ours], &expected(theirs), TOLERANCE);
            }
            let one = CloudBatch::new(&clouds[3..4], colored).unwrap();
            let alone = traced(model.tower(), &one, FpsStart::default());
            let (features, dim) = (expected("features"), 96);
            check("one cloud alone", &alone["features"], &features[3 * dim..4 * dim], TOLERANCE);
        }
    }
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn groups_match_ulip() {
    let golden = Golden::shared("pointbert_tiny_rgb");
    let config = open(&golden, "model.pt").config().tower.encoder.clone();
    let EncoderConfig::PointBert(config) = config else { panic!("another encoder: {config:?}") };
    let (centers, neighbors) =
        (golden.indices("inputs.safetensors", "fps_idx"), golden.indices("inputs.safetensors", "knn_idx"));
    for (i, cloud) in clouds(&golden, "clouds").iter().enumerate() {
        let groups = config.grouping().of(&cloud.positions);
        assert_eq!(groups.centers, centers[i * 16..][..16]);
        for (found, expected) in groups.members.chunks(8).zip(neighbors[i * 128..][..128].chunks(8)) {
            let sorted = |group: &[usize]| {
                let mut group = group.to_vec();
                group.sort_unstable();
                group
            };
            assert_eq!(sorted(found), sorted(expected));
        }
    }
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn groups_match_cg3d() {
    let golden = Golden::shared("cg3d_ops");
    let grouping = lexiform_model::point::Grouping {
        groups: 10,
        size: 8,
        rule: lexiform_geometry::neighbors::FpsVariant::Pointnet2,
        neighborhood: lexiform_model::point::Neighborhood::Nearest,
    };
    let (mut centers, mut local) = (Vec::new(), Vec::new());
    for cloud in clouds(&golden, "points") {
        let groups = grouping.of(&cloud.positions);
        centers.extend(groups.center_positions(&cloud.positions).flat_map(|p| p.to_array()));
        let offset = |(member, center): (usize, usize)| cloud.positions[member] - cloud.positions[center];
        local.extend(groups.member_center_pairs().map(offset).flat_map(|p| p.to_array()));
    }
    check("cg3d_ops: group_center", &centers, &golden.values("expected.safetensors", "group_center"), 0.0);
    let expected = golden.values("expected.safetensors", "group_neighborhood_sorted_x");
    check("cg3d_ops: neighborhood", &sorted(&local, 8, 3), &sorted(&expected, 8, 3), 0.0);
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn ppat_matches_openshape() {
    for name in ["ppat_tiny_xyz", "ppat_tiny_rgb"] {
        let golden = Golden::shared(name);
        let clouds = clouds(&golden, "clouds");
        let expected = |name: &str| golden.values("expected.safetensors", name);
        for file in ["model.pt", "model.safetensors", "model_flat_projected.pt", "model_flat_no_proj.pt"] {
            let model = open(&golden, file);
            let batch = CloudBatch::new(&clouds, model.config().tower.encoder.colored()).unwrap();
            let seen = traced(model.tower(), &batch, FpsStart::At(5));
            check(
                &format!("{name}/{file}: sa.features"),
                &turned(&seen["groups"], 16, 32),
                &expected("sa.features"),
                TOLERANCE,
            );
            check(
                &format!("{name}/{file}: sa.centroids"),
                &turned(&seen["center"], 16, 3),
                &expected("sa.centroids"),
                0.0,
            );
            check(&format!("{name}/{file}: lift"), &seen["lift"], &expected("lift"), TOLERANCE);
            // The reference traces what attention and MLP add; a block's output is the sum of what came before.
            let class =
                WeightFile::open(&golden.path("model.safetensors")).unwrap().read("ppat.cls_token").unwrap();
            let tokens = expected("lift");
            let mut x: Vec<f32> = tokens
                .chunks(16 * 48)
                .flat_map(|t| class.iter().chain(t).copied().collect::<Vec<_>>())
                .collect();
            for layer in 0..2 {
                for part in ["attn", "ff"] {
                    let added = expected(&format!("layer{layer}.{part}"));
                    x.iter_mut().zip(&added).for_each(|(x, a)| *x += a);
                }
                check(
                    &format!("{name}/{file}: layer{layer}"),
                    &seen[&format!("block{layer}")],
                    &x,
                    TOLERANCE,
                );
            }
            check(
                &format!("{name}/{file}: transformer"),
                &seen["block1"],
                &expected("transformer"),
                TOLERANCE,
            );
            check(&format!("{name}/{file}: features"), &seen["features"], &expected("features"), TOLERANCE);
            let last = if file == "model_flat_no_proj.pt" { "features" } else { "projected" };
            check(&format!("{name}/{file}: {last}"), &seen["projected"], &expected(last), TOLERANCE);
        }
    }
}

/// `[clouds, rows, columns]` → `[clouds, columns, rows]`.
fn turned(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let turn = |m: &[f32]| (0..columns * rows).map(|i| m[i % rows * columns + i / rows]).collect::<Vec<_>>();
    values.chunks(rows * columns).flat_map(turn).collect()
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn point_bert_matches_cg3d() {
    let golden = Golden::shared("cg3d_pointtransformer_tiny");
    let clouds = clouds(&golden, "points");
    let batch = CloudBatch::new(&clouds, false).unwrap();
    let expected = |name: &str| golden.values("expected.safetensors", name);
    for file in ["model.pth", "model.safetensors"] {
        let model = open(&golden, file);
        let seen = traced(model.tower(), &batch, FpsStart::default());
        check(&format!("cg3d {file}: group_center"), &seen["center"], &expected("group_center"), 0.0);
        let layers = [
            ("tokens", "tokens_encoder"),
            ("reduced", "tokens_reduced"),
            ("pos", "pos_embed"),
            ("block0", "block_0"),
            ("block1", "block_1"),
            ("block2", "block_2"),
            ("norm", "norm"),
            ("projected", "latent"),
            ("classes", "cls_logits"),
        ];
        for (ours, theirs) in layers {
            check(&format!("cg3d {file}: {theirs}"), &seen[ours], &expected(theirs), TOLERANCE);
        }
    }
    let golden = Golden::shared("cg3d_pointtransformer_finetune_tiny");
    let clouds = self::clouds(&golden, "points");
    let batch = CloudBatch::new(&clouds, false).unwrap();
    for file in ["model.pth", "model.safetensors"] {
        let model = open(&golden, file);
        let seen = traced(model.tower(), &batch, FpsStart::default());
        let expected = golden.values("expected.safetensors", "cls_logits");
        check(&format!("cg3d fine-tuned {file}: cls_logits"), &seen["classes"], &expected, TOLERANCE);
        let error = model.embed_clouds(&[]).unwrap_err();
        assert!(error.to_string().contains("without a projection"), "{error}");
    }
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn the_released_size_of_cg3d_agrees() {
    let golden = Golden::shared("cg3d_pointtransformer_default");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    detw(&golden).write(&path, Precision::Full, Default::default()).unwrap();
    let model = PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap();
    assert_eq!(model.paired_clip(), Some(lexiform_model::PairedClip::SlipB16));
    let clouds = clouds(&golden, "points");
    let seen = traced(model.tower(), &CloudBatch::new(&clouds, false).unwrap(), FpsStart::default());
    let expected = |name: &str| golden.values("expected.safetensors", name);
    check("cg3d default: group_center", &seen["center"], &expected("group_center"), 0.0);
    let class = |x: &[f32]| x.chunks(65 * 384).flat_map(|cloud| cloud[..384].to_vec()).collect::<Vec<_>>();
    let first: Vec<f32> = seen["tokens"].chunks(64 * 256).flat_map(|cloud| cloud[..256].to_vec()).collect();
    for (name, found) in [
        ("tokens_encoder_0", first),
        ("block_0_cls", class(&seen["block0"])),
        ("block_11_cls", class(&seen["block11"])),
        ("latent", seen["projected"].clone()),
        ("cls_logits", seen["classes"].clone()),
    ] {
        check(&format!("cg3d default: {name}"), &found, &expected(name), TOLERANCE);
    }
}

/// Own files carry their configuration and give the same embeddings; the id does not depend on the layout.
#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn own_files_are_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in [
        ("pointbert_tiny_rgb", "model.pt"),
        ("ppat_tiny_xyz", "model_flat_projected.pt"),
        ("cg3d_pointtransformer_tiny", "model.pth"),
    ] {
        let golden = Golden::shared(name);
        let model = open(&golden, file);
        let path = folder.path().join("model.safetensors");
        model.save(&path, Precision::Full).unwrap();
        let again = PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap();
        assert_eq!(again.config(), model.config());
        assert_eq!(again.id(), model.id());
        assert_eq!(again.logit_scale(), model.logit_scale());
        let positions: Vec<Vec3> =
            (0..300).map(|i| Vec3::new((i as f32).sin(), (i as f32 * 0.7).cos(), i as f32 * 0.01)).collect();
        let cloud = lexiform_geometry::PointCloud::new(positions).unwrap();
        let found = again.embed_clouds(&[cloud.clone(), cloud.clone()]).unwrap();
        assert_eq!(found, model.embed_clouds(&[cloud.clone(), cloud]).unwrap());
        assert!(found[0].dot(&found[1]) > 1.0 - 1e-6);
        assert!(model.embed_clouds(&[Default::default()]).is_err());
        println!("{name}: {} ({})", model.id(), model.preprocessing());
    }
}

/// The key lists of released files are accepted whole.
#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn released_files_load_without_unused_tensors() {
    let lists = support::key_lists();
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, usize, &str); 12] = [
        ("ulip1_pointbert_full", 512, "slip-b16"),
        ("ulip2_pointbert_10k_xyzrgb_vitg", 1280, "openclip-bigg14"),
        ("ulip2_pointbert_8k_xyz_vitg", 1280, "openclip-bigg14"),
        ("ulip_pointbert_8k_xyz_slip", 512, "slip-b16"),
        ("openshape_pointbert_scaling1_rgb_vitg", 1280, "openclip-bigg14"),
        ("openshape_pointbert_scaling2_rgb_vitg", 1280, "openclip-bigg14"),
        ("openshape_pointbert_scaling3_rgb_vitg", 1280, "openclip-bigg14"),
        ("openshape_pointbert_scaling4_rgb_vitg", 1280, "openclip-bigg14"),
        ("openshape_pointbert_scaling5_rgb_vitg", 1280, "openclip-bigg14"),
        ("openshape_pointbert_scaling6_rgb_vitg", 1280, "openclip-bigg14"),
        ("openshape_pointbert_vitb32_rgb", 512, "openai-b32"),
        ("openshape_pointbert_vitl14_rgb", 768, "openai-l14"),
    ];
    for (name, dim, paired) in cases {
        let path = folder.path().join(format!("{name}.safetensors"));
        let parameters = support::zero_file(&lists.join(format!("{name}.txt")), &path);
        let model = PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap();
        assert_eq!(model.dim(), dim, "{name}");
        assert_eq!(model.paired_clip().unwrap().name(), paired, "{name}");
        println!("{name}: {parameters} parameters, {:?}", model.config().tower.encoder);
        std::fs::remove_file(path).unwrap();
    }
}

/// A renamed tensor is named in the error, by the file's own name.
#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn errors_name_the_files_tensors() {
    let golden = Golden::shared("ppat_tiny_rgb");
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(golden.path("config.json"), folder.path().join("config.json")).unwrap();
    let path = folder.path().join("model.safetensors");
    let bytes = std::fs::read(golden.path("model.safetensors")).unwrap();
    let from = b"layers.1.0.fn.to_out.0.bias";
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    let mut renamed = bytes.clone();
    renamed[at + from.len() - 3] = b'o';
    std::fs::write(&path, renamed).unwrap();
    let error = PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).err().unwrap();
    assert!(error.to_string().contains("ppat.transformer.layers.1.0.fn.to_out.0.bias"), "{error}");
}

/// New weights fit every configuration that files have.
#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn new_networks_have_the_same_tensors() {
    let golden = Golden::shared("pointbert_tiny_rgb");
    let found = detect_encoder(&WeightFile::open(&golden.path("model.pt")).unwrap()).unwrap().unwrap();
    let config: PointTowerConfig = found.config;
    let tower = PointTower::load(&WeightSource::random(3, &Device::flex()), &config).unwrap();
    let mut list = lexiform_model::weights::TensorList::default();
    tower.save(&mut list);
    // 52 entries of the fixture less the logit scale and two counters.
    assert_eq!(list.iter().count(), 49);
}

/// Uni3D in the three kinds of vision transformers that its sizes have, as its released files are: in a container, with what the
/// transformer has for images.
#[test]
fn uni3d_matches_its_authors_code() {
    for (name, trunk) in
        [("uni3d_eva", Trunk::Eva), ("uni3d_eva02", Trunk::Eva02), ("uni3d_eva02_norm", Trunk::Eva02Norm)]
    {
        let golden = Golden::new(name);
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(golden.path("config.json"), folder.path().join("config.json")).unwrap();
        let path = folder.path().join("model.safetensors");
        detw(&golden).write(&path, Precision::Full, Default::default()).unwrap();
        let open = |path: &std::path::Path| {
            PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap()
        };
        let model = open(&path);
        let EncoderConfig::PointBert(config) = model.config().tower.encoder else {
            panic!("another encoder")
        };
        assert_eq!((config.trunk, config.groups, config.group_size, config.heads), (trunk, 24, 12, 2));
        assert_eq!(model.logit_scale(), Some(3.0));
        let clouds = clouds(&golden, "clouds");
        let batch = CloudBatch::new(&clouds, true).unwrap();
        let features = |model: &PointModel| values(&model.tower().encode(&batch, FpsStart::default()));
        let expected = golden.values("expected.safetensors", "projected");
        check(&format!("{name}: projected"), &features(&model), &expected, TOLERANCE);
        // Our own file has other names, and the same network.
        let own = folder.path().join("own.safetensors");
        model.save(&own, Precision::Full).unwrap();
        assert_eq!(features(&open(&own)), features(&model), "{name}");
    }
}

/// The text tower of a file whose image tower is of another kind, by OpenCLIP's own class.
#[test]
fn a_text_tower_alone_matches_openclip() {
    let golden = Golden::new("text_tower");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("open_clip_pytorch_model.safetensors");
    let mut list = detw(&golden);
    list.push_values("visual.trunk.cls_token".to_owned(), vec![1, 1, 4], vec![0.0; 4]);
    list.write(&path, Precision::Full, Default::default()).unwrap();
    let open = |path: &std::path::Path| {
        TextModel::without_images(&WeightFile::open(path).unwrap(), &Device::flex(), ComputePrecision::F32)
            .unwrap()
    };
    let model = open(&path).unwrap();
    assert_eq!(
        (model.dim(), model.sizes().width, model.sizes().heads, model.sizes().layers),
        (48, 128, 2, 3)
    );
    let config = std::fs::read_to_string(golden.path("config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    let texts: Vec<&str> = config["texts"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
    let features = model.text_features(&texts).unwrap().concat();
    let expected = golden.values("expected.safetensors", "features");
    check("text_tower: features", &features, &expected, TOLERANCE);
}
