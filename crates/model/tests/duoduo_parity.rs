//! The multi-view encoder against Duoduo CLIP's own classes, layer by layer.

mod support;

use burn::tensor::{Device, Tensor, TensorData};
use image::{Rgb, RgbaImage};
use lexiform_model::preprocess::{Crop, Preprocess, composite_on_white, resize_bicubic, resize_bicubic_rgba};
use lexiform_model::tokenizer::{Tokenizer, Tokens};
use lexiform_model::weights::WeightFile;
use lexiform_model::{JointModel, OpenOptions, WeightsError};
use support::{Golden, check, values};

/// f32 sums in another order than the reference's.
const TOLERANCE: f64 = 1e-5;

fn open(golden: &Golden, file: &str) -> JointModel {
    JointModel::open(golden.path(file).to_str().unwrap(), &OpenOptions::default()).unwrap()
}

/// The fixture's views, `[views, size, size, 3]` bytes.
fn views(golden: &Golden) -> Vec<RgbaImage> {
    let (shape, bytes) = golden.bytes("inputs.safetensors", "views");
    let size = shape[1];
    let to_image = |view: &[u8]| {
        RgbaImage::from_fn(size as u32, size as u32, |x, y| {
            let i = (y as usize * size + x as usize) * 3;
            image::Rgba([view[i], view[i + 1], view[i + 2], 255])
        })
    };
    bytes.chunks(size * size * 3).map(to_image).collect()
}

fn tokens(golden: &Golden) -> Tokens {
    let (shape, bytes) = golden.bytes("inputs.safetensors", "tokens");
    let ids = bytes.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as u32).collect();
    Tokens::new(ids, shape[1])
}

fn pixels(views: &[RgbaImage], preprocess: Preprocess) -> Tensor<4> {
    let size = preprocess.size;
    Tensor::from_data(TensorData::new(preprocess.views(views), [views.len(), 3, size, size]), &Device::flex())
}

#[test]
fn views_agree_layer_by_layer() {
    let golden = Golden::new("duoduo_tiny");
    let model = open(&golden, "model.ckpt");
    assert_eq!(model.config().joint_from, 1);
    let views = views(&golden);
    let input = |n: usize| pixels(&views[..n], Preprocess::clip(64));
    let mut seen = Vec::new();
    let features =
        model.vision().encode_with_hook(input(3), 3, 1, |name, x| seen.push((name.to_owned(), values(x))));
    for (name, found) in seen {
        let expected = golden.values("trace.safetensors", &format!("f3/{name}"));
        if name == "ln_post" {
            // Only class tokens are normalized here; the reference normalizes all and drops the rest.
            let class: Vec<f32> = expected.chunks(17 * 64).flat_map(|view| view[..64].to_vec()).collect();
            check("ln_post", &found, &class, TOLERANCE);
        } else {
            check(&name, &found, &expected, TOLERANCE);
        }
    }
    check("f3", &values(&features), &golden.values("expected.safetensors", "image_features_f3"), TOLERANCE);
    for n in [1, 12] {
        let expected = golden.values("expected.safetensors", &format!("image_features_f{n}"));
        check(&format!("f{n}"), &values(&model.vision().encode(input(n), n, 1)), &expected, TOLERANCE);
    }
    for threshold in 0..4 {
        let expected = golden.values("expected.safetensors", &format!("image_features_f3_lt{threshold}"));
        check(
            &format!("lt{threshold}"),
            &values(&model.vision().encode(input(3), 3, threshold)),
            &expected,
            TOLERANCE,
        );
    }
    let expected = golden.values("expected.safetensors", "image_features_b2f3");
    check("b2f3", &values(&model.vision().encode(input(6), 3, 1)), &expected, TOLERANCE);
    let single = golden.values("expected.safetensors", "teacher_image_features");
    let clip = open(&golden, "open_clip_random.pt");
    check("single views", &values(&clip.vision().encode(input(12), 1, 3)), &single, TOLERANCE);
}

#[test]
fn text_agrees_layer_by_layer() {
    let golden = Golden::new("duoduo_tiny");
    let model = open(&golden, "model.ckpt");
    let mut seen = Vec::new();
    let features = model.text().encode_with_hook(&tokens(&golden), |layer, x| seen.push((layer, values(x))));
    for (layer, found) in seen {
        let name = if layer == 2 { "text/ln_final".to_owned() } else { format!("text/block{layer}") };
        check(&name, &found, &golden.values("trace.safetensors", &name), TOLERANCE);
    }
    check("text", &values(&features), &golden.values("expected.safetensors", "text_features"), TOLERANCE);
    let trimmed = model.text().encode(&tokens(&golden).trimmed());
    check(
        "text, trimmed",
        &values(&trimmed),
        &golden.values("expected.safetensors", "text_features"),
        TOLERANCE,
    );
}

#[test]
fn the_order_of_views_does_not_matter() {
    let golden = Golden::new("duoduo_tiny");
    let model = open(&golden, "model.ckpt");
    let mut views = views(&golden)[..5].to_vec();
    let one = model.embed_views(&[views.clone()]).unwrap();
    views.reverse();
    let other = model.embed_views(&[views]).unwrap();
    assert!(one[0].dot(&other[0]) > 1.0 - 1e-6);
}

#[test]
fn crop_and_resize_agree_end_to_end() {
    let golden = Golden::new("duoduo_tiny224");
    let views = views(&golden);
    let preprocess = Preprocess { crop: Crop::Center, ..Preprocess::clip(224) };
    let found = preprocess.views(&views[..1]);
    check("pixels", &found, &golden.values("expected.safetensors", "preprocess_f32_crop8_8"), TOLERANCE);
    let model = open(&golden, "model.safetensors");
    for n in [1, 3] {
        let features = model.vision().encode(pixels(&views[..n], preprocess), n, 1);
        let expected = golden.values("expected.safetensors", &format!("image_features_f{n}"));
        check(&format!("224 f{n}"), &values(&features), &expected, TOLERANCE);
    }
    for (top, left) in [(0, 16), (5, 11), (8, 8)] {
        let cut = Preprocess { crop: Crop::At { top, left }, ..Preprocess::clip(224) };
        let features = values(&model.vision().encode(pixels(&views[..3], cut), 3, 1));
        let norm = features.iter().map(|x| x * x).sum::<f32>().sqrt();
        let found: Vec<f32> = features.iter().map(|x| x / norm).collect();
        let expected =
            golden.values("expected.safetensors", &format!("encode_image_norm_f3_crop{top}_{left}"));
        // The reference prepares pixels in half precision here.
        check(&format!("crop {top},{left}"), &found, &expected, 1e-3);
    }
}

#[test]
fn preprocessing_is_byte_identical() {
    let golden = Golden::new("duoduo_preprocess");
    let read = |file: &str| image::open(golden.path(file)).unwrap();
    let view = resize_bicubic_rgba(&read("zero123_rgba.png").to_rgba8(), 224, 224);
    assert!(composite_on_white(&view) == read("zero123_expected.png").to_rgb8(), "zero123 view differs");
    let photo = read("photo_300x200.png").to_rgb8();
    assert!(
        resize_bicubic(&photo, 224, 224) == read("photo_resize224.png").to_rgb8(),
        "photo resize differs"
    );
    let rgba = read("photo_300x200.png").to_rgba8();
    let cut = Preprocess::clip(224).photo_view(&rgba);
    assert!(cut == read("photo_openclip_u8.png").to_rgb8(), "photo transform differs");
    assert_eq!(cut.get_pixel(0, 0).0.len(), Rgb::<u8>([0; 3]).0.len());
}

#[test]
fn tokens_match_the_reference() {
    let golden = Golden::new("");
    let text = std::fs::read_to_string(golden.path("tokens.json")).unwrap();
    let fixture: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let mut expected: Vec<u32> =
            case["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
        expected.resize(77, 0);
        if Tokenizer::Clip.encode(&[text], 77).ids() != expected {
            wrong.push(text);
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ: {wrong:?}", wrong.len(), cases.len());
}

#[test]
fn loading_is_strict_both_ways() {
    let golden = Golden::new("duoduo_tiny");
    for file in ["model.ckpt", "trained.ckpt", "open_clip_random.pt"] {
        open(&golden, file);
    }
    let folder = tempfile::tempdir().unwrap();
    let whole = WeightFile::open(&golden.path("model.ckpt")).unwrap();
    assert_eq!(whole.names().count(), golden_key_count());
    let model = open(&golden, "open_clip_random.pt");
    let saved = folder.path().join("own.safetensors");
    model.save(&saved, lexiform_model::weights::Precision::Full).unwrap();
    let again = JointModel::open(saved.to_str().unwrap(), &OpenOptions::default()).unwrap();
    let views = views(&golden);
    assert_eq!(
        again.embed_views(std::slice::from_ref(&views)).unwrap(),
        model.embed_views(&[views]).unwrap()
    );
    let error = model.embed_texts(&["a chair"]).unwrap_err();
    assert!(matches!(error, lexiform_model::ModelError::Vocabulary { vocabulary: 1024, .. }), "{error}");
    let bytes = std::fs::read(&saved).unwrap();
    let renamed = replace(&bytes, b"visual.ln_post.bias", b"visual.ln_post.bios");
    std::fs::write(&saved, renamed).unwrap();
    let error = JointModel::open(saved.to_str().unwrap(), &OpenOptions::default()).err().unwrap();
    assert!(error.to_string().contains("visual.ln_post.bias"), "{error}");
    assert!(matches!(error, lexiform_model::ModelError::Weights(WeightsError::Missing { .. })));
}

/// 302 tensors in the real model with 12 + 12 blocks; the tiny one has 3 + 2 of them, 12 tensors each.
fn golden_key_count() -> usize {
    303 - (12 - 3) * 12 - (12 - 2) * 12
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    let mut bytes = bytes.to_vec();
    bytes[at..at + from.len()].copy_from_slice(to);
    bytes
}

/// Embeddings and work are those of the subsets one by one, whatever is shared.
#[test]
fn subsets_of_views_share_the_blocks_before_the_joint_ones() {
    let golden = Golden::new("duoduo_tiny");
    let model = open(&golden, "model.ckpt");
    let views = views(&golden);
    let counts = [1, 2, 3, 4, 5, 6, 8, 10, 12];
    // The second shape has its views in another order, and is asked for one subset more often.
    let turned: Vec<RgbaImage> = views.iter().rev().cloned().collect();
    let chosen = |n: usize, step: usize| (0..n).map(|i| (i * step + n) % 12).collect::<Vec<usize>>();
    let subsets = [5, 7].map(|step| counts.map(|n| chosen(n, step)).to_vec());
    let found = model.embed_view_subsets(&[&views, &turned], &subsets).unwrap();
    assert_eq!(found.dims(), Some([2, 9]));
    for (shape, subsets, row) in
        [(&views, &subsets[0], &found.rows[0]), (&turned, &subsets[1], &found.rows[1])]
    {
        for (subset, embedding) in subsets.iter().zip(row) {
            let alone: Vec<RgbaImage> = subset.iter().map(|view| shape[*view].clone()).collect();
            let expected = model.embed_views(&[alone]).unwrap();
            // Batches of other sizes sum in another order, which differs between processors.
            check("subset", embedding.as_slice(), expected[0].as_slice(), 5e-6);
        }
    }
    // 17 tokens of width W; a block has 12 W² weights, and each token attends to all of its subset. 12 views in the first block,
    // 51 (in groups whose squares sum to 399) in the second, and in the last one only class tokens after the projection.
    let width = model.config().clip.vision.width as u64;
    let (weights, scores) = (width * width, 2 * 17 * width);
    let [once, whole] = [12, 51].map(|views| 17 * views * (12 * weights + scores));
    let joint = 17 * (51 * 12 * weights + 399 * scores);
    let last = 17 * 51 * 3 * weights + 51 * 9 * weights + 399 * scores;
    assert_eq!(found.work.multiply_adds, 2 * (once + joint + last));
    assert_eq!(found.work.unshared_multiply_adds, 2 * (whole + 2 * joint));
    // All views of a shape in three orders are one subset.
    let orders = [5, 7, 1].map(|step| chosen(12, step)).to_vec();
    let same = model.embed_view_subsets(&[&views], &[orders]).unwrap();
    assert_eq!(same.rows[0][0].as_slice(), same.rows[0][2].as_slice());
    assert!(same.work.multiply_adds * 3 <= same.work.unshared_multiply_adds, "{:?}", same.work);
    assert!(model.embed_view_subsets(&[&views], &[vec![vec![]]]).is_err());
    assert!(model.embed_view_subsets(&[&views], &[vec![vec![12]]]).is_err());
    assert_eq!(model.embed_view_subsets(&[], &[]).unwrap().dims(), Some([0, 0]));
}
