//! The layouts that CLIP's towers are released in: SLIP's against its own classes, the others against each other.
//!
//! Full-size towers are compared with PyTorch by `cargo xtask parity`.

mod support;

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_model::clip::{
    CheckpointFormat, ClipConfig, ClipText, ClipVision, TextConfig, VisionConfig, VisionStyle,
};
use lexiform_model::nn::Activation;
use lexiform_model::tokenizer::Tokens;
use lexiform_model::weights::{Precision, TensorList, WeightFile, WeightSource};
use lexiform_model::{JointModel, OpenOptions, PointModel, PointModelOptions};
use support::{Golden, check, key_lists, values, zero_file};

/// f32 sums in another order than the reference's.
const TOLERANCE: f64 = 1e-5;

fn tokens(golden: &Golden) -> Tokens {
    let (shape, _) = golden.bytes("inputs.safetensors", "tokens");
    let ids = golden.indices("inputs.safetensors", "tokens").into_iter().map(|id| id as u32).collect();
    Tokens::new(ids, shape[1])
}

fn image(golden: &Golden) -> Tensor<4> {
    let (shape, _) = golden.bytes("inputs.safetensors", "image");
    Tensor::from_data(TensorData::new(golden.values("inputs.safetensors", "image"), shape), &Device::flex())
}

/// The class tokens of `[rows, tokens, width]`, which are all that goes on.
fn class_tokens(values: &[f32], tokens: usize, width: usize) -> Vec<f32> {
    values.chunks(tokens * width).flat_map(|row| row[..width].to_vec()).collect()
}

fn slip_towers(file: &WeightFile) -> (ClipText, ClipVision, f32) {
    let (naming, prefix) = CheckpointFormat::of(file).unwrap();
    assert_eq!(naming, CheckpointFormat::Slip);
    let inferred = ClipConfig::infer(file, naming, prefix).unwrap();
    // Four heads in either tower, which no tensor shows.
    let vision = VisionConfig { head_width: inferred.vision.width / 4, ..inferred.vision };
    let config = ClipConfig { vision, text: TextConfig { heads: 4, ..inferred.text }, ..inferred };
    let source = WeightSource::with_layout(file, naming.layout(prefix), &Device::flex());
    let (text, vision) =
        (ClipText::load(&source, &config).unwrap(), ClipVision::load(&source, &config).unwrap());
    let scale = source.scalar("logit_scale", 0.0).unwrap().into_scalar::<f32>();
    source.finish(|name| naming.ignores(name)).unwrap();
    (text, vision, scale)
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn slip_with_prompts_agrees_layer_by_layer() {
    let golden = Golden::shared("cg3d_slip_vpt_tiny");
    let (text, vision, scale) = slip_towers(&WeightFile::open(&golden.path("model.safetensors")).unwrap());
    check_slip(&golden, &text, &vision, scale);
}

fn check_slip(golden: &Golden, text: &ClipText, vision: &ClipVision, scale: f32) {
    let expected = |name: &str| golden.values("expected.safetensors", name);
    let features = vision.encode_with_hook(image(golden), 1, 3, |name, x| match name {
        "ln_post" => {
            check("slip: vit_norm", &values(x), &class_tokens(&expected("vit_norm"), 22, 48), TOLERANCE);
            check("slip: vit_feature", &values(x), &expected("vit_feature"), TOLERANCE);
        }
        _ => {
            let block = name.replace("block", "vit_block_");
            check(&format!("slip: {block}"), &values(x), &expected(&block), TOLERANCE);
        }
    });
    check("slip: image_embed", &values(&features), &expected("image_embed"), TOLERANCE);
    let words = text.encode_with_hook(&tokens(golden), |layer, x| {
        if layer < 2 {
            let found = values(&x.clone().swap_dims(0, 1));
            check(
                &format!("slip: text_block_{layer}"),
                &found,
                &expected(&format!("text_block_{layer}")),
                TOLERANCE,
            );
        } else {
            check("slip: text_ln_final", &values(x), &expected("text_ln_final"), TOLERANCE);
        }
    });
    check("slip: text_embed", &values(&words), &expected("text_embed"), TOLERANCE);
    let unit = |x: Tensor<2>| x.clone() / (x.clone() * x).sum_dim(1).sqrt();
    let logits = |words: Tensor<2>| unit(features.clone()).matmul(words.transpose()) * scale.exp();
    check(
        "slip: logits",
        &values(&logits(words.clone())),
        &expected("logits_zero_shot_reference"),
        TOLERANCE,
    );
    check("slip: cosine logits", &values(&logits(unit(words))), &expected("logits_cosine"), TOLERANCE);
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn slips_own_file_opens_without_prompts() {
    let golden = Golden::shared("cg3d_slip_vpt_tiny");
    let file = WeightFile::open(&golden.path("slip.pth")).unwrap();
    let (text, _, _) = slip_towers(&file);
    let expected = golden.values("expected.safetensors", "text_embed");
    check("slip.pth: text_embed", &values(&text.encode(&tokens(&golden))), &expected, TOLERANCE);
}

/// A CG3D checkpoint's tower over SLIP's own file, as the reference puts them together.
#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn checkpoint_prompts_are_added_to_slip() {
    let golden = Golden::shared("cg3d_slip_vpt_tiny");
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(golden.path("slip.pth"), folder.path().join("slip.pth")).unwrap();
    // Four heads in either tower, which no tensor shows.
    let config = r#"{"embed_dim": 32, "activation": "quick-gelu",
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 48, "layers": 3, "head_width": 12,
                       "style": "timm", "activation": "gelu"},
        "text_cfg": {"context_length": 12, "vocab_size": 64, "width": 40, "heads": 4, "layers": 2}}"#;
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let slip = open(&folder.path().join("slip.pth"));
    let checkpoint = WeightFile::open(&golden.path("model.pth")).unwrap();
    let own = slip.id().to_owned();
    let prompted = slip.with_visual_prompts(&checkpoint).unwrap();
    assert!(prompted.id().starts_with(&own) && prompted.id() != own);
    check_slip(&golden, prompted.text(), prompted.vision(), prompted.logit_scale());
    // One self-contained file holds the result.
    let path = folder.path().join("own.safetensors");
    prompted.save(&path, Precision::Full).unwrap();
    let own = open(&path);
    check_slip(&golden, own.text(), own.vision(), own.logit_scale());
}

/// Small towers with heads of the usual width.
fn small(activation: Activation) -> ClipConfig {
    let base = ClipConfig::vit_b_32();
    ClipConfig {
        dim: 24,
        vision: VisionConfig { image_size: 32, patch: 8, width: 128, layers: 2, ..base.vision },
        text: TextConfig { context: 16, vocabulary: 50, width: 64, heads: 1, layers: 2, ..base.text },
        activation,
    }
}

/// The towers' tensors by OpenCLIP's names.
fn tensors(config: &ClipConfig) -> TensorList {
    let source = WeightSource::random(5, &Device::flex());
    let mut list = TensorList::default();
    ClipText::load(&source, config).unwrap().save(&mut list);
    ClipVision::load(&source, config).unwrap().save(&mut list);
    list.push_values("logit_scale".to_owned(), vec![], vec![2.5]);
    list
}

fn write(list: &TensorList, path: &Path) {
    list.write(path, Precision::Full, Default::default()).unwrap();
}

fn open(path: &Path) -> JointModel {
    JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).unwrap()
}

fn features(model: &JointModel) -> [Vec<f32>; 2] {
    let pixels: Vec<f32> = (0..2 * 3 * 32 * 32).map(|i| (i as f32 * 0.37).sin()).collect();
    let pixels = Tensor::<4>::from_data(TensorData::new(pixels, [2, 3, 32, 32]), &Device::flex());
    let tokens = Tokens::new((0..32).map(|i| (i * 7 % 49) as u32).collect(), 16);
    [values(&model.vision().encode(pixels, 1, 2)), values(&model.text().encode(&tokens))]
}

/// As `transformers` would keep the same weights.
fn by_hugging_face(list: &TensorList) -> TensorList {
    let mut renamed = TensorList::default();
    for (name, shape, values) in list.iter() {
        let tower = if name.starts_with("visual.") { "vision_model" } else { "text_model" };
        let layer = name.split("resblocks.").nth(1);
        let (name, parts) = match (name, layer) {
            (_, Some(rest)) => {
                let (layer, part) = rest.split_once('.').unwrap();
                let part = part.replace("ln_", "layer_norm").replace("attn.out_proj", "self_attn.out_proj");
                let part = part.replace("c_fc", "fc1").replace("c_proj", "fc2");
                (
                    format!("{tower}.encoder.layers.{layer}.{part}"),
                    if part.starts_with("attn.in") { 3 } else { 1 },
                )
            }
            ("visual.conv1.weight", _) => ("vision_model.embeddings.patch_embedding.weight".to_owned(), 1),
            ("visual.class_embedding", _) => ("vision_model.embeddings.class_embedding".to_owned(), 1),
            ("visual.positional_embedding" | "positional_embedding", _) => {
                (format!("{tower}.embeddings.position_embedding.weight"), 1)
            }
            ("token_embedding.weight", _) => ("text_model.embeddings.token_embedding.weight".to_owned(), 1),
            ("visual.proj", _) => ("visual_projection.weight".to_owned(), 0),
            ("text_projection", _) => ("text_projection.weight".to_owned(), 0),
            ("logit_scale", _) => (name.to_owned(), 1),
            (name, _) => {
                let name = name.replace("visual.ln_pre", "vision_model.pre_layrnorm");
                let name = name.replace("visual.ln_post", "vision_model.post_layernorm");
                (name.replace("ln_final", "text_model.final_layer_norm"), 1)
            }
        };
        match parts {
            // A projection is a linear map there, and a bare matrix in OpenCLIP.
            0 => {
                let [rows, columns] = [shape[0], shape[1]];
                let transposed = (0..rows * columns).map(|i| values[i % rows * columns + i / rows]).collect();
                renamed.push_values(name, vec![columns, rows], transposed);
            }
            3 => {
                let mut third = shape.to_vec();
                third[0] /= 3;
                for (part, values) in ["q", "k", "v"].iter().zip(values.chunks(values.len() / 3)) {
                    let name = name.replace("attn.in_proj_", &format!("self_attn.{part}_proj."));
                    renamed.push_values(name, third.clone(), values.to_vec());
                }
            }
            _ => renamed.push_values(name, shape.to_vec(), values.to_vec()),
        }
    }
    renamed
}

#[test]
fn transformers_layout_gives_open_clips_features() {
    let folder = tempfile::tempdir().unwrap();
    for (activation, word) in [(Activation::Gelu, "gelu"), (Activation::QuickGelu, "quick_gelu")] {
        let list = tensors(&small(activation));
        let (theirs, ours) =
            (folder.path().join(format!("hf_{word}")), folder.path().join(format!("oc_{word}")));
        std::fs::create_dir(&theirs).unwrap();
        std::fs::create_dir(&ours).unwrap();
        write(&by_hugging_face(&list), &theirs.join("model.safetensors"));
        let missing =
            JointModel::open(theirs.join("model.safetensors").to_str().unwrap(), &OpenOptions::default());
        assert!(
            missing.err().unwrap().to_string().contains("config.json"),
            "heads and activation are not guessed"
        );
        let config = format!(
            r#"{{"model_type": "clip", "vision_config": {{"num_attention_heads": 2, "hidden_act": "{word}"}},
                "text_config": {{"num_attention_heads": 1, "hidden_act": "{word}"}}}}"#
        );
        std::fs::write(theirs.join("config.json"), config).unwrap();
        write(&list, &ours.join("model.safetensors"));
        let quick = activation == Activation::QuickGelu;
        let config = format!(
            r#"{{"model_cfg": {{"embed_dim": 24, "quick_gelu": {quick},
                "vision_cfg": {{"image_size": 32, "layers": 2, "width": 128, "patch_size": 8}},
                "text_cfg": {{"context_length": 16, "vocab_size": 50, "width": 64, "heads": 1, "layers": 2}}}}}}"#
        );
        std::fs::write(ours.join("open_clip_config.json"), config).unwrap();
        let (theirs, ours) = (open(&theirs.join("model.safetensors")), open(&ours.join("model.safetensors")));
        for (name, (theirs, ours)) in
            ["image", "text"].iter().zip(features(&theirs).iter().zip(&features(&ours)))
        {
            // The projection is kept the other way round, so sums come in another order.
            check(&format!("transformers, {word}: {name}"), theirs, ours, TOLERANCE);
        }
        assert_eq!(theirs.logit_scale(), 2.5);
    }
}

#[test]
fn openai_scalars_determine_the_activation() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = tensors(&small(Activation::QuickGelu));
    let plain = folder.path().join("plain.safetensors");
    write(&list, &plain);
    assert_eq!(open(&plain).config().clip, small(Activation::Gelu));
    for name in ["input_resolution", "context_length", "vocab_size"] {
        list.push_values(name.to_owned(), vec![], vec![1.0]);
    }
    let openai = folder.path().join("openai.safetensors");
    write(&list, &openai);
    assert_eq!(open(&openai).config().clip, small(Activation::QuickGelu));
}

/// open_clip's model configurations of these names.
fn published() -> [(&'static str, ClipConfig); 6] {
    let model = |dim, [width, layers, patch]: [usize; 3], [text_width, text_layers]: [usize; 2]| ClipConfig {
        dim,
        vision: VisionConfig { image_size: 224, patch, width, layers, ..ClipConfig::vit_b_32().vision },
        text: TextConfig {
            width: text_width,
            heads: text_width / 64,
            layers: text_layers,
            ..ClipConfig::vit_b_32().text
        },
        activation: Activation::Gelu,
    };
    let wide = |config: ClipConfig, head_width: usize, hidden: usize| ClipConfig {
        vision: VisionConfig {
            head_width,
            mlp_ratio: hidden as f64 / config.vision.width as f64,
            ..config.vision
        },
        ..config
    };
    [
        ("ViT-B-32", model(512, [768, 12, 32], [512, 12])),
        ("ViT-B-16", model(512, [768, 12, 16], [512, 12])),
        ("ViT-L-14", model(768, [1024, 24, 14], [768, 12])),
        ("ViT-H-14", wide(model(1024, [1280, 32, 14], [1024, 24]), 80, 5120)),
        ("ViT-g-14", wide(model(1024, [1408, 40, 14], [1024, 24]), 88, 6144)),
        ("ViT-bigG-14", wide(model(1280, [1664, 48, 14], [1280, 32]), 104, 8192)),
    ]
}

/// Names and shapes of a model's tensors, as the key lists have them.
fn key_list(config: &ClipConfig) -> String {
    let mut lines = Vec::new();
    let mut line = |name: String, shape: &[usize]| lines.push(format!("{name}\t{shape:?}\tfloat32"));
    let ClipConfig { dim, vision, text, .. } = *config;
    let hidden = |width: usize, ratio: f64| (width as f64 * ratio).round() as usize;
    let towers = [
        ("visual.transformer", vision.width, vision.layers, hidden(vision.width, vision.mlp_ratio)),
        ("transformer", text.width, text.layers, hidden(text.width, text.mlp_ratio)),
    ];
    for (stack, width, layers, hidden) in towers {
        for layer in 0..layers {
            line(format!("{stack}.resblocks.{layer}.ln_1.weight"), &[width]);
            line(format!("{stack}.resblocks.{layer}.mlp.c_fc.weight"), &[hidden, width]);
        }
    }
    line("visual.conv1.weight".to_owned(), &[vision.width, 3, vision.patch, vision.patch]);
    line("visual.positional_embedding".to_owned(), &[vision.n_tokens(), vision.width]);
    line("positional_embedding".to_owned(), &[text.context, text.width]);
    line("token_embedding.weight".to_owned(), &[text.vocabulary, text.width]);
    line("text_projection".to_owned(), &[text.width, dim]);
    lines.join("\n")
}

#[test]
fn published_sizes_are_inferred_from_tensors() {
    let folder = tempfile::tempdir().unwrap();
    for (name, config) in published() {
        let (list, path) =
            (folder.path().join("keys.txt"), folder.path().join(format!("{name}.safetensors")));
        std::fs::write(&list, key_list(&config)).unwrap();
        zero_file(&list, &path);
        let file = WeightFile::open(&path).unwrap();
        let (naming, prefix) = CheckpointFormat::of(&file).unwrap();
        assert_eq!(ClipConfig::of(&file, naming, prefix).unwrap(), config, "{name}");
    }
}

/// ULIP's first models keep SLIP's towers next to the point encoder; between them the two readers use every tensor.
#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn ulips_whole_file_is_read_by_towers_and_encoder() {
    let lists = key_lists();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint_pointbert.safetensors");
    zero_file(&lists.join("ulip1_pointbert_full.txt"), &path);
    let towers = JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).unwrap();
    let vision = towers.config().clip.vision;
    assert_eq!((vision.style, vision.width, vision.layers, towers.dim()), (VisionStyle::Timm, 768, 12, 512));
    assert_eq!(vision.activation, Some(Activation::Gelu));
    assert_eq!(towers.config().clip.activation, Activation::QuickGelu);
    let points = PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap();
    assert_eq!(points.dim(), 512);
}

/// Duoduo CLIP's state dict: nothing missing, nothing unused. Which blocks attend across views no tensor shows.
#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn the_duoduo_file_loads_without_unused_tensors() {
    let lists = key_lists();
    let keys = std::fs::read_to_string(lists.join("duoduo_b32_state_dict_keys.json")).unwrap();
    let keys: Vec<(String, Vec<usize>, String)> = serde_json::from_str(&keys).unwrap();
    let line = |(name, shape, kind): &(String, Vec<usize>, String)| {
        format!("{name}\t{shape:?}\t{}\n", kind.trim_start_matches("torch."))
    };
    let folder = tempfile::tempdir().unwrap();
    let (list, path) = (folder.path().join("keys.txt"), folder.path().join("model.safetensors"));
    std::fs::write(&list, keys.iter().map(line).collect::<String>()).unwrap();
    zero_file(&list, &path);
    assert!(JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).is_err());
    let sidecar = serde_json::json!({ "model_cfg": ClipConfig::vit_b_32(), "layers_threshold": 6 });
    std::fs::write(folder.path().join("config.json"), sidecar.to_string()).unwrap();
    let model = JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).unwrap();
    assert_eq!((model.dim(), model.config().joint_from), (512, 6));
}

#[test]
fn other_image_sizes_keep_what_they_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write(&tensors(&small(Activation::Gelu)), &path);
    let own = features(&open(&path));
    assert_eq!(own, features(&open(&path).with_image_size(32).unwrap()));
    let larger = open(&path).with_image_size(64).unwrap();
    assert_eq!((larger.view_size(), larger.config().clip.vision.n_tokens()), (64, 65));
    for wrong in [0, 30, 8 << 20] {
        assert!(open(&path).with_image_size(wrong).err().unwrap().to_string().contains("multiple of 8"));
    }
}
