//! Every recipe learns for a few steps on a handful of shapes, with the built-in model as its teacher.

mod checks;
mod features;
#[path = "../support/mod.rs"]
mod support;
mod terms;

use std::path::Path;

use lexiform_mesh_io::write;
use lexiform_model::{JointModel, OpenOptions, PointModel, PointModelOptions};
use lexiform_shapes::category;
use lexiform_train::optim::parameters::values;
use lexiform_train::{FitOptions, Recipe, RecipeError, TrainEvent, fit};

use support::{FEW_GROUPS, TAUGHT, TINY_ENCODER, TINY_HEAD};

const DATA: &[&str] =
    &["data.shapes=12", "data.views=3", "data.held_out=0", "run.evaluate_every=3", "run.steps=3"];
/// A batch of clouds.
const SHAPES: &[&str] = &["batch.size.shapes=6"];
/// A recipe with settings.
fn recipe(name: &str, settings: &[&str]) -> Result<Recipe, RecipeError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(name);
    let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
    Recipe::read(&path, &settings)
}

/// Trains, gives the losses of every step by name, and leaves the model in `out`.
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
        "groups.attention.params=[\"vision.transformer.resblocks.2+.attn\", \"logit_scale\"]",
        "batch.size.shapes=4",
        "batch.most_views=3",
    ];
    let losses = train("duoduo.toml", folder.path(), &[&settings]);
    assert_eq!(losses, vec![["image", "text"]; 3]);
    let path = folder.path().join("model.safetensors");
    let model = JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).unwrap();
    assert_eq!(model.config().joint_from, 2);
    // The teacher's features are kept for the next run on the same shapes.
    assert!(folder.path().join("features.safetensors").is_file());
}

/// The same at the built-in model's size, where nothing else has to be said.
#[test]
fn duoduo_nano() {
    let folder = tempfile::tempdir().unwrap();
    let losses = train("duoduo-nano.toml", folder.path(), &[&["batch.size.shapes=4", "batch.most_views=3"]]);
    assert_eq!(losses, vec![["image", "text"]; 3]);
}

/// The built-in model's own recipes: words and views on fresh shapes, then points towards what they gave, and all in one
/// file.
#[test]
fn nano_and_its_points() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("nano");
    let sizes = ["network.layers=1", "network.joint_from=0", "network.text_layers=1", "batch.size.images=8"];
    let losses = train("nano.toml", &out, &[&sizes, &["data.refresh_every=2"]]);
    assert_eq!(losses, vec![["captions", "naming"]; 3]);

    let teacher = format!("teacher={}", out.join("model.safetensors").display());
    let encoder =
        ["patches=8", "samples=8", "head_width=16"].map(|size| format!("network.tower.encoder.{size}"));
    let encoder: Vec<&str> = encoder.iter().map(String::as_str).collect();
    let few = ["data.points=256", "batch.fewest_views=1", "batch.most_views=2"];
    let out = folder.path().join("points");
    let losses =
        train("nano-points.toml", &out, &[TINY_ENCODER, TAUGHT, SHAPES, &encoder, &few, &[&teacher]]);
    assert_eq!(losses, vec![["captions", "naming", "views"]; 3]);
    let joined =
        JointModel::open(out.join("joined.safetensors").to_str().unwrap(), &OpenOptions::default()).unwrap();
    assert_eq!((joined.view_size(), joined.point_branch().unwrap().input.n_points), (80, 128));
}

/// A published model goes on at another size of view, its grid of positions trained too.
#[test]
fn duoduo_at_another_size() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "network.image_size=96",
        "groups.attention.params=[\"vision.positional_embedding\", \"logit_scale\"]",
        "batch.size.shapes=4",
        "batch.most_views=3",
    ];
    train("duoduo-nano.toml", folder.path(), &[&settings]);
    let path = folder.path().join("model.safetensors");
    let model = JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).unwrap();
    assert_eq!((model.view_size(), model.config().clip.vision.image_size), (96, 96));
}

#[test]
fn ulip2() {
    let folder = tempfile::tempdir().unwrap();
    let losses = train("ulip2.toml", folder.path(), &[TINY_ENCODER, TAUGHT, SHAPES, FEW_GROUPS]);
    assert_eq!(losses, vec![["image", "text"]; 3]);
    assert_eq!(open_points(folder.path()).dim(), 128);
}

/// The encoder and the prompts learn in turns; both are written.
#[test]
fn cg3d() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "network.tower.encoder.groups=8",
        "network.tower.encoder.group_size=8",
        "network.prompts=2",
        "data.points=256",
    ];
    let losses = train("cg3d.toml", folder.path(), &[TINY_ENCODER, TAUGHT, SHAPES, &settings]);
    assert_eq!(losses, vec![["clip", "image", "text"]; 3]);
    assert_eq!(open_points(folder.path()).dim(), 128);
    let path = folder.path().join("model.images.safetensors");
    let images = JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).unwrap();
    assert_eq!(images.config().clip.vision.prompts, 2);
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
        "batch.hard={ each = 3, among = 4, margin = 0.1 }",
        "losses.text.negatives=hard",
        "losses.image.negatives=hard",
    ];
    for (stage, more) in [("first", &[][..]), ("second", &second[..])] {
        let out = folder.path().join(stage);
        let losses = train("openshape.toml", &out, &[TINY_ENCODER, TAUGHT, SHAPES, &groups, more]);
        assert_eq!(losses, vec![["image", "text"]; 3], "{stage}");
        assert_eq!(open_points(&out).dim(), 128);
    }
}

/// A folder with labels of its own: the words are new to the model, and learning them helps with files it has not seen.
#[test]
fn finetune() {
    let folder = tempfile::tempdir().unwrap();
    // So many that a model that knows none of them does not name all files right by chance.
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
        TrainEvent::LeftOut { .. } => left_out += 1,
        _ => {}
    })
    .unwrap();
    println!("{found:?}");
    assert_eq!(left_out, 1);
    assert_eq!(found.iter().map(|(step, ..)| *step).collect::<Vec<_>>(), [0, 18, 36]);
    assert!(found[0].1 >= 6 && found[2].2 > found[0].2, "{found:?}");
    // What was learned is in the weights: the file is a model like any other.
    let model = JointModel::open(out.join("model.safetensors").to_str().unwrap(), &OpenOptions::default());
    assert!(model.unwrap().embed_texts(&["a zorbel"]).is_ok());
}

/// The last blocks learn instead of low-rank changes, as the recipe's comment says; the others stay as they were.
#[test]
fn the_last_blocks_learn_instead() {
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
    let blocks = "groups.change.params=[\"vision|text.transformer.resblocks.1+\"]";
    let settings =
        [&data, blocks, "data.views=4", "batch.size.images=8", "run.steps=2", "run.evaluate_every=2"];
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

/// Files that have captions and no labels are parted too: held-out ones are told by their captions from each other.
#[test]
fn captions_alone_are_learned_and_measured() {
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
    // Six of twenty are held out, and their captions are not among those that are learned.
    assert_eq!(
        (learned, found.iter().map(|(step, items, _)| (*step, *items)).collect::<Vec<_>>()),
        (14, vec![(0, 6), (2, 6)])
    );

    // Another caption is another folder: the run does not go on as if nothing had been.
    let labels = folder.path().join("labels.csv");
    let changed = std::fs::read_to_string(&labels).unwrap().replace("our mug number 0", "our cup number 0");
    std::fs::write(&labels, changed).unwrap();
    let error =
        fit(&recipe, &out, &FitOptions { resume: true, ..FitOptions::default() }, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("sum of the data"), "{error}");
}

/// What a table keeps for measuring is not learned from; what has a caption only is no class.
#[test]
fn splits_and_labels_of_a_table_are_kept() {
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
    // Twelve files: three are held out, one has no label.
    assert_eq!((plan, items), (Some((2, 2)), 3));
    let settings = [&settings[..], &["network.input.up=z-up", "network.base=nano-of-nobody"]].concat();
    assert!(
        fit(&recipe("classify.toml", &settings).unwrap(), folder.path(), &FitOptions::default(), &mut |_| ())
            .is_err()
    );
}

/// SigLIP's and the multi-positive loss take part in a run like any other term.
#[test]
fn other_terms() {
    let folder = tempfile::tempdir().unwrap();
    let terms = [
        "losses.text.kind=multi-positive",
        "losses.image.kind=sigmoid",
        "losses.image.turn=odd",
        "run.gather=with-gradient",
    ];
    let losses = train("ulip2.toml", folder.path(), &[TINY_ENCODER, TAUGHT, SHAPES, FEW_GROUPS, &terms]);
    assert_eq!(losses.len(), 3);
}
