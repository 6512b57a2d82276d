//! Every recipe trains for a few steps on a handful of shapes, with the built-in model as teacher.

mod feature_cache;
mod loss_terms;
#[path = "../support/mod.rs"]
mod support;
mod validation;

use std::path::Path;

use lexiform_mesh_io::write;
use lexiform_model::point::{EncoderConfig, PointTower};
use lexiform_model::weights::{Precision, TensorList, WeightFile, WeightSource};
use lexiform_model::{Device, JointModel, OpenOptions, PointModel, PointModelOptions};
use lexiform_shapes::category;
use lexiform_train::optim::parameters::values;
use lexiform_train::{FitOptions, NetworkConfig, Recipe, RecipeError, TrainEvent, fit};

use support::{FEW_GROUPS, TINY_ENCODER, TINY_HEAD, WITH_TEACHER};

const DATA: &[&str] =
    &["data.shapes=12", "data.views=3", "data.val_per_class=0", "run.evaluate_every=3", "run.steps=3"];
/// Batch size for point encoders.
const SHAPES: &[&str] = &["batch.size.shapes=6"];

/// A recipe with overrides.
fn recipe(name: &str, settings: &[&str]) -> Result<Recipe, RecipeError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(name);
    let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
    Recipe::read(&path, &settings)
}

/// Trains into `out` and returns the names of the loss terms of every step.
fn train(name: &str, out: &Path, settings: &[&[&str]]) -> Vec<Vec<String>> {
    let settings: Vec<&str> = settings.concat().into_iter().chain(DATA.iter().copied()).collect();
    let recipe = recipe(name, &settings).unwrap();
    let mut losses = Vec::new();
    fit(&recipe, out, &FitOptions::default(), &mut |event| {
        if let TrainEvent::Step(step) = event {
            assert!(step.loss.is_finite() && step.loss > 0.0);
            losses.push(step.losses.into_keys().collect());
        }
    })
    .unwrap();
    losses
}

fn open_points(out: &Path) -> PointModel {
    let path = out.join("model.safetensors");
    PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap()
}

#[test]
fn duoduo() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "teacher=nano",
        "network.base=nano",
        "network.joint_from=2",
        "param_groups.attention.params=[\"vision.transformer.resblocks.2+.attn\", \"logit_scale\"]",
        "batch.size.shapes=4",
        "batch.max_views=3",
    ];
    let losses = train("duoduo.toml", folder.path(), &[&settings]);
    assert_eq!(losses, vec![["image", "text"]; 3]);
    let path = folder.path().join("model.safetensors");
    let model = JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).unwrap();
    assert_eq!(model.config().joint_from, 2);
    // The teacher's features are cached.
    assert!(folder.path().join("features.safetensors").is_file());
}

/// The variant for the built-in model.
#[test]
fn duoduo_nano() {
    let folder = tempfile::tempdir().unwrap();
    let losses = train("duoduo-nano.toml", folder.path(), &[&["batch.size.shapes=4", "batch.max_views=3"]]);
    assert_eq!(losses, vec![["image", "text"]; 3]);
}

/// The built-in model's recipes: text and views on refreshed shapes, then points with the result as teacher, then one file.
#[test]
fn nano_and_its_points() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("nano");
    let sizes = ["network.layers=1", "network.joint_from=0", "network.text_layers=1", "batch.size.images=8"];
    let losses = train("nano.toml", &out, &[&sizes, &["data.refresh_every=2"]]);
    assert_eq!(losses, vec![["captions", "class_text"]; 3]);

    let teacher = format!("teacher={}", out.join("model.safetensors").display());
    let encoder =
        ["patches=8", "samples=8", "head_width=16"].map(|size| format!("network.tower.encoder.{size}"));
    let encoder: Vec<&str> = encoder.iter().map(String::as_str).collect();
    let few = ["data.points=256", "batch.min_views=1", "batch.max_views=2"];
    let out = folder.path().join("points");
    let losses =
        train("nano-points.toml", &out, &[TINY_ENCODER, WITH_TEACHER, SHAPES, &encoder, &few, &[&teacher]]);
    assert_eq!(losses, vec![["captions", "class_text", "views"]; 3]);
    let joined =
        JointModel::open(out.join("joint.safetensors").to_str().unwrap(), &OpenOptions::default()).unwrap();
    assert_eq!((joined.view_size(), joined.point_branch().unwrap().input.n_points), (80, 128));
}

/// A pretrained model is fine-tuned at another view size, with its position embeddings.
#[test]
fn duoduo_at_another_size() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "network.image_size=96",
        "param_groups.attention.params=[\"vision.positional_embedding\", \"logit_scale\"]",
        "batch.size.shapes=4",
        "batch.max_views=3",
    ];
    train("duoduo-nano.toml", folder.path(), &[&settings]);
    let path = folder.path().join("model.safetensors");
    let model = JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).unwrap();
    assert_eq!((model.view_size(), model.config().clip.vision.image_size), (96, 96));
}

#[test]
fn ulip2() {
    let folder = tempfile::tempdir().unwrap();
    let losses = train("ulip2.toml", folder.path(), &[TINY_ENCODER, WITH_TEACHER, SHAPES, FEW_GROUPS]);
    assert_eq!(losses, vec![["image", "text"]; 3]);
    assert_eq!(open_points(folder.path()).dim(), 128);
}

/// Encoder and prompts are trained in alternating steps; both are saved.
#[test]
fn cg3d() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "network.tower.encoder.groups=8",
        "network.tower.encoder.group_size=8",
        "network.prompts=2",
        "data.points=256",
    ];
    let losses = train("cg3d.toml", folder.path(), &[TINY_ENCODER, WITH_TEACHER, SHAPES, &settings]);
    assert_eq!(losses, vec![["clip", "image", "text"]; 3]);
    assert_eq!(open_points(folder.path()).dim(), 128);
    let path = folder.path().join("model.images.safetensors");
    let images = JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).unwrap();
    assert_eq!(images.config().clip.vision.prompts, 2);
    // The encoder takes the file with the prompts, and the teacher with them, for the model of its training.
    let points = open_points(folder.path());
    let teacher = JointModel::open("nano", &OpenOptions::default()).unwrap();
    assert_eq!(points.config().taught_by.as_deref(), Some(images.clip_id()));
    assert_eq!((images.clip_id(), points.paired_clip()), (teacher.clip_id(), None));
    let prompted = teacher.clone().with_visual_prompts(&WeightFile::open(&path).unwrap()).unwrap();
    let view = image::RgbaImage::from_pixel(80, 80, image::Rgba([200, 30, 30, 255]));
    let [a, b] = [&images, &prompted].map(|model| model.embed_views(&[vec![view.clone()]]).unwrap());
    assert!(a[0].dot(&b[0]) > 1.0 - 1e-6);
    // A model without prompts has none to take.
    let path = folder.path().join("plain.safetensors");
    teacher.save(&path, Precision::Full).unwrap();
    let error = teacher.with_visual_prompts(&WeightFile::open(&path).unwrap()).err().unwrap();
    assert!(error.to_string().contains("expected visual prompts of"), "{error}");
}

/// ULIP's encoder starts from Point-BERT's weights: all of them but the heads of pre-training.
#[test]
fn ulip_starts_from_point_bert() {
    let folder = tempfile::tempdir().unwrap();
    let init = folder.path().join("point_bert_pretrained.safetensors");
    let set = format!("network.init={}", init.display());
    let settings = [TINY_ENCODER, WITH_TEACHER, SHAPES, FEW_GROUPS, &["batch.max_views=1"]];
    let NetworkConfig::Points(network) = recipe("ulip.toml", &settings.concat()).unwrap().network else {
        panic!("no point encoder")
    };
    let tower =
        PointTower::load(&WeightSource::random(9, &Device::flex()), &network.new_tower().unwrap().unwrap());
    let mut own = TensorList::default();
    tower.unwrap().encoder().save(&mut own);
    let mut released = TensorList::default();
    let distractors = ["module.transformer_k.", "module.dvae.", "module.transformer_q."];
    for (prefix, value) in [(distractors[0], Some(1.0)), (distractors[1], Some(2.0)), (distractors[2], None)]
    {
        for (name, shape, values) in own.iter() {
            let name = point_bert_name(name);
            let values = value.map_or(values.to_vec(), |value| vec![value; values.len()]);
            released.push_values(format!("{prefix}{name}"), shape.to_vec(), values);
        }
    }
    released.push_values("module.transformer_q.cls_head.0.weight".to_owned(), vec![2, 2], vec![0.0; 4]);
    released.write(&init, Precision::Full, Default::default()).unwrap();
    // No step changes the weights.
    let still = [set.as_str(), "param_groups.all.learning_rate=0", "run.save_precision=f32"];
    let losses = train(
        "ulip.toml",
        &folder.path().join("out"),
        &[
            &settings.concat(),
            &still,
            &["schedule.warmup_start_lr=0", "schedule.min_lr=0", "param_groups.all.weight_decay=0"],
        ],
    );
    assert_eq!(losses, vec![["image", "text"]; 3]);
    let mut trained = TensorList::default();
    open_points(&folder.path().join("out")).tower().encoder().save(&mut trained);
    for ((name, _, expected), (_, _, found)) in own.iter().zip(trained.iter()) {
        // Running statistics follow the batches.
        if !name.contains("running_") {
            assert_eq!(expected, found, "{name}");
        }
    }
    // A file of another kind, and another number of blocks, are errors.
    let error = |setting: &str| {
        let settings: Vec<&str> =
            settings.concat().into_iter().chain(DATA.iter().copied()).chain([setting]).collect();
        let recipe = recipe("ulip.toml", &settings).unwrap();
        fit(&recipe, &folder.path().join("none"), &FitOptions::default(), &mut |_| {})
            .unwrap_err()
            .to_string()
    };
    let other = folder.path().join("out/model.safetensors");
    assert!(
        error(&format!("network.init={}", other.display()))
            .contains("checkpoint of Point-BERT's pre-training")
    );
}

/// A tensor's name in Point-BERT's files, by its canonical name.
fn point_bert_name(name: &str) -> String {
    let renamed = [
        ("point_encoder.", ""),
        ("transformer.resblocks.", "blocks.blocks."),
        (".ln_1.", ".norm1."),
        (".attn.in_proj_weight", ".attn.qkv.weight"),
        (".attn.out_proj.", ".attn.proj."),
        (".ln_2.", ".norm2."),
        (".mlp.c_fc.", ".mlp.fc1."),
        (".mlp.c_proj.", ".mlp.fc2."),
    ];
    renamed.iter().fold(name.to_owned(), |name, (canonical, file)| name.replace(canonical, file))
}

/// Another encoder of the paper, with its published sizes.
#[test]
fn another_kind_of_encoder_has_its_own_keys() {
    for kind in EncoderConfig::KINDS {
        let setting = format!("network.tower.encoder.kind={kind}");
        let NetworkConfig::Points(network) = recipe("ulip.toml", &[&setting]).unwrap().network else {
            panic!("no point encoder")
        };
        let published = EncoderConfig::published(kind).unwrap();
        // The recipe's own kind keeps the recipe's sizes, which are ULIP's as well.
        assert_eq!(network.new_tower().unwrap().unwrap().encoder, published, "{kind}");
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = ["network.tower.encoder.kind=point-net2", "network.tower.encoder.scales=multi"];
    let small = ["network.input.n_points=600", "data.points=600", "batch.max_views=1"];
    let losses = train("ulip.toml", folder.path(), &[&settings, WITH_TEACHER, SHAPES, &small]);
    assert_eq!(losses, vec![["image", "text"]; 3]);
    assert_eq!(open_points(folder.path()).config().tower.encoder.architecture(), "PointNet++ MSG");
}

#[test]
fn openshape_in_both_stages() {
    let folder = tempfile::tempdir().unwrap();
    let groups = [
        "network.tower.encoder.patches=8",
        "network.tower.encoder.samples=8",
        "network.tower.encoder.head_width=16",
    ];
    let second = [
        "batch.hard_negatives={ group_size = 3, neighbors = 4, margin = 0.1 }",
        "losses.text.negatives=hard",
        "losses.image.negatives=hard",
    ];
    for (stage, more) in [("first", &[][..]), ("second", &second[..])] {
        let out = folder.path().join(stage);
        let losses = train("openshape.toml", &out, &[TINY_ENCODER, WITH_TEACHER, SHAPES, &groups, more]);
        assert_eq!(losses, vec![["image", "text"]; 3], "{stage}");
        assert_eq!(open_points(&out).dim(), 128);
    }
}

/// A folder with labels that are new to the model: training on them helps on validation files.
#[test]
fn finetune() {
    let folder = tempfile::tempdir().unwrap();
    // Enough labels that guessing does not classify all files correctly.
    let words = [
        ("mug", "zorbel"),
        ("chair", "quindle"),
        ("sword", "vexapod"),
        ("car", "timpoly"),
        ("guitar", "brenax"),
    ];
    let mut table = String::from("file,label\n");
    for (name, word) in words {
        for i in 0..7 {
            let specimen = category(name).unwrap().generate(i);
            let file = format!("{name}-{i}.glb");
            write(&folder.path().join(&file), &specimen.scene).unwrap();
            table.push_str(&format!("{file},{word}\n"));
        }
    }
    table.push_str("broken.glb,zorbel\n");
    std::fs::write(folder.path().join("broken.glb"), b"glTF").unwrap();
    std::fs::write(folder.path().join("labels.csv"), table).unwrap();
    let data = format!("data={}", folder.path().display());
    let settings = [&data, "data.views=4", "batch.size.images=32", "run.steps=36", "run.evaluate_every=18"];
    let recipe = recipe("finetune.toml", &settings).unwrap();
    let out = folder.path().join("out");
    let (mut found, mut left_out) = (Vec::new(), 0);
    fit(&recipe, &out, &FitOptions::default(), &mut |event| match event {
        TrainEvent::Evaluated { report: Some(report), step, .. } => {
            found.push((step, report.items, report.top_1));
        }
        TrainEvent::FileSkipped { .. } => left_out += 1,
        _ => {}
    })
    .unwrap();
    println!("{found:?}");
    assert_eq!(left_out, 1);
    assert_eq!(found.iter().map(|(step, ..)| *step).collect::<Vec<_>>(), [0, 18, 36]);
    assert!(found[0].1 >= 6 && found[2].2 > found[0].2, "{found:?}");
    // The adapters are merged: the file is a model like any other.
    let model = JointModel::open(out.join("model.safetensors").to_str().unwrap(), &OpenOptions::default());
    assert!(model.unwrap().embed_texts(&["a zorbel"]).is_ok());
}

/// The last blocks are trained instead of adapters, as the recipe's comment says; the others are unchanged.
#[test]
fn the_last_blocks_are_trained_instead() {
    let folder = tempfile::tempdir().unwrap();
    for (i, name) in ["mug", "chair"].iter().cycle().take(8).enumerate() {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
        write(
            &folder.path().join(format!("{name}/{i}.glb")),
            &category(name).unwrap().generate(i as u64).scene,
        )
        .unwrap();
    }
    let data = format!("data={}", folder.path().display());
    let blocks = "param_groups.change.params=[\"vision|text.transformer.resblocks.1+\"]";
    // In full precision: half precision would round the unchanged weights of the 8-bit base.
    let run = ["run.steps=2", "run.evaluate_every=2", "run.save_precision=f32"];
    let settings = [&[&data, blocks, "data.views=4", "batch.size.images=8"], &run[..]].concat();
    let recipe = recipe("finetune.toml", &settings).unwrap();
    let out = folder.path().join("out");
    fit(&recipe, &out, &FitOptions::default(), &mut |_| ()).unwrap();
    let base = JointModel::open("nano", &OpenOptions::default()).unwrap();
    let model =
        JointModel::open(out.join("model.safetensors").to_str().unwrap(), &OpenOptions::default()).unwrap();
    let blocks = |model: &JointModel| values(model.vision());
    let (before, after) = (blocks(&base), blocks(&model));
    let changed = |block: usize| {
        let of_block = |name: &&String| name.contains(&format!("resblocks.{block}."));
        before.keys().filter(of_block).any(|name| before[name] != after[name])
    };
    assert!(!changed(0) && changed(1) && changed(3), "{:?}", before.keys());
}

/// Files with captions but no labels are split too; validation files are classified by caption.
#[test]
fn trains_and_validates_on_captions_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = String::from("file,caption\n");
    for (i, name) in ["mug", "chair", "sword", "car"].iter().cycle().take(20).enumerate() {
        let file = format!("{i}.glb");
        write(&folder.path().join(&file), &category(name).unwrap().generate(i as u64).scene).unwrap();
        table.push_str(&format!("{file},our {name} number {i}\n{file},another {name}\n"));
    }
    std::fs::write(folder.path().join("labels.csv"), table).unwrap();
    let data = format!("data={}", folder.path().display());
    let settings = [&data, "data.views=4", "batch.size.images=8", "run.steps=2", "run.evaluate_every=2"];
    let recipe = recipe("finetune.toml", &settings).unwrap();
    let (mut found, mut learned) = (Vec::new(), 0);
    let out = folder.path().join("out");
    fit(&recipe, &out, &FitOptions::default(), &mut |event| match event {
        TrainEvent::Start(plan) => learned = plan.categories,
        TrainEvent::Evaluated { report: Some(report), step, .. } => {
            found.push((step, report.items, report.top_5));
        }
        _ => {}
    })
    .unwrap();
    // Six of twenty are for validation, and their captions are not trained on.
    assert_eq!(
        (learned, found.iter().map(|(step, items, _)| (*step, *items)).collect::<Vec<_>>()),
        (14, vec![(0, 6), (2, 6)])
    );

    // With another caption the data have changed: the run cannot resume.
    let labels = folder.path().join("labels.csv");
    let changed = std::fs::read_to_string(&labels).unwrap().replace("our mug number 0", "our cup number 0");
    std::fs::write(&labels, changed).unwrap();
    let error =
        fit(&recipe, &out, &FitOptions { resume: true, ..FitOptions::default() }, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("sum of the data"), "{error}");
}

/// Splits in a table are respected; files without a label are skipped by a classifier.
#[test]
fn splits_and_labels_of_a_table_are_respected() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = String::from("file,label,split,caption\n");
    for (i, name) in ["mug", "chair"].iter().cycle().take(12).enumerate() {
        let file = format!("{i}.glb");
        write(&folder.path().join(&file), &category(name).unwrap().generate(i as u64).scene).unwrap();
        let (label, split) = (if i == 11 { "" } else { name }, if i < 3 { "test" } else { "train" });
        table.push_str(&format!("{file},{label},{split},one {name}\n"));
    }
    std::fs::write(folder.path().join("labels.csv"), table).unwrap();
    let data = format!("data={}", folder.path().display());
    let settings = [
        &[data.as_str(), "run.steps=1", "batch.size.shapes=4", "data.points=128"],
        TINY_ENCODER,
        FEW_GROUPS,
        TINY_HEAD,
    ]
    .concat();
    let classifier = recipe("classify.toml", &settings).unwrap();
    let (mut plan, mut items) = (None, 0);
    fit(&classifier, &folder.path().join("out"), &FitOptions::default(), &mut |event| match event {
        TrainEvent::Start(found) => plan = Some((found.categories, found.steps_per_epoch)),
        TrainEvent::Evaluated { report, .. } => items = report.map_or(0, |report| report.items),
        _ => {}
    })
    .unwrap();
    // Twelve files: three are for validation, one has no label.
    assert_eq!((plan, items), (Some((2, 2)), 3));
    let settings = [&settings[..], &["network.input.up=z-up", "network.base=nano-of-nobody"]].concat();
    assert!(
        fit(&recipe("classify.toml", &settings).unwrap(), folder.path(), &FitOptions::default(), &mut |_| ())
            .is_err()
    );
}

/// SigLIP and multi-positive terms.
#[test]
fn trains_with_other_loss_terms() {
    let folder = tempfile::tempdir().unwrap();
    let terms = [
        "losses.text.kind=multi-positive",
        "losses.image.kind=sigmoid",
        "losses.image.step_parity=odd",
        "run.gather=with-gradient",
    ];
    let losses =
        train("ulip2.toml", folder.path(), &[TINY_ENCODER, WITH_TEACHER, SHAPES, FEW_GROUPS, &terms]);
    assert_eq!(losses.len(), 3);
}
