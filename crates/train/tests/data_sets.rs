//! Runs that learn from prepared data sets: with the features in them, with computed ones, cut off, and with what is missing.

mod support;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use image::RgbaImage;
use lexiform_data::prepare::{LocalFiles, Prepare, PrepareConfig};
use lexiform_data::table::Table;
use lexiform_data::{Event, Featurizer, MakeOptions, make, merge};
use lexiform_mesh_io::write;
use lexiform_model::{Device, PointModel, PointModelOptions, Teacher};
use lexiform_shapes::category;
use lexiform_train::{FeatureSource, FitError, FitOptions, Recipe, TrainEvent, fit};
use support::{FEW_GROUPS, TAUGHT, TINY_ENCODER, TINY_HEAD};

/// Features in a set are halves: losses of a few units differ in the third digit.
const HALVES: f64 = 5e-3;

/// Duoduo CLIP's recipe on the built-in model.
const DUODUO: &[&str] = &[
    "teacher=nano",
    "network.base=nano",
    "network.joint_from=2",
    "groups.attention.params=[\"vision.transformer.resblocks.2+.attn\", \"logit_scale\"]",
    "batch.size.shapes=4",
    "batch.most_views=3",
    "data.views=3",
    "run.steps=6",
    "run.evaluate_every=3",
    "run.checkpoint_every=2",
];
/// Batches and steps for the tiny network of clouds.
const SHORT: &[&str] = &["batch.size.shapes=6", "data.views=3", "run.steps=3", "run.evaluate_every=3"];

/// ULIP's gather knows no negatives of another kind.
const GATHERED: &str = "run.gather=with-gradient";

/// How a set is prepared.
#[derive(Clone, Copy, Default)]
struct Made {
    features: bool,
    held_out: f64,
    unlabelled: bool,
}

/// Three kinds of shapes, six of each, in folders that name them, with a table of one caption each: several would be put in
/// another order by features.
fn models() -> &'static Path {
    static MODELS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = MODELS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut captions = String::from("file,caption\n");
        for name in ["mug", "chair", "sword"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            for i in 0..6 {
                let specimen = category(name).unwrap().generate(i);
                write(&folder.path().join(format!("{name}/{i}.glb")), &specimen.scene).unwrap();
                captions.push_str(&format!("{name}/{i}.glb,a {name} in style {i}\n"));
            }
        }
        std::fs::write(folder.path().join("captions.csv"), captions).unwrap();
        folder
    });
    folder.path()
}

fn prepare(out: &Path, made: Made) -> PathBuf {
    let source = LocalFiles::new(&[models().display().to_string()]).unwrap();
    let config = PrepareConfig {
        views: 4,
        size: 64,
        points: 256,
        held_out: made.held_out,
        folder_labels: !made.unlabelled,
        carried_captions: false,
        ..PrepareConfig::default()
    };
    let teacher = TeacherFeatures(Teacher::open("nano", &Device::flex()).unwrap());
    let captions = Table::read(&models().join("captions.csv")).unwrap();
    let mut producer = Prepare::new(&source, config, captions).unwrap();
    if made.features {
        producer = producer.with_featurizer(&teacher);
    }
    make(&producer, out, &MakeOptions::default(), &mut |_: Event| {}).unwrap();
    merge(out).unwrap();
    out.to_owned()
}

fn recipe(name: &str, set: &Path, settings: &[&[&str]]) -> Recipe {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(name);
    let data = format!("data={}", set.display());
    let settings = settings.concat().into_iter().map(str::to_owned).chain([data]);
    Recipe::read(&path, &settings.collect::<Vec<_>>()).unwrap()
}

/// Shapes to learn from and held out, what was left out, and where features came from.
type Opened = (usize, usize, Vec<(String, usize)>, Option<FeatureSource>);

/// What a run told.
#[derive(Default)]
struct Told {
    losses: Vec<f64>,
    opened: Option<Opened>,
    computed: usize,
    measured: Vec<usize>,
    waiting: Option<f64>,
}

fn train(recipe: &Recipe, out: &Path, resume: bool) -> Result<Told, FitError> {
    let mut told = Told::default();
    fit(recipe, out, &FitOptions { resume, ..FitOptions::default() }, &mut |event| match event {
        TrainEvent::Step(step) => told.losses.push(step.loss),
        TrainEvent::Opened { training, held_out, left_out, features, .. } => {
            told.opened = Some((training, held_out, left_out, features));
        }
        TrainEvent::Features { done, .. } => told.computed = done,
        TrainEvent::Evaluated { report, .. } => {
            told.measured.push(report.map_or(0, |report| report.items));
        }
        TrainEvent::Finished { waiting, .. } => told.waiting = Some(waiting),
        TrainEvent::Saved { step: 4 } if !resume => {
            let copy = out.with_extension("cut");
            std::fs::create_dir_all(&copy).unwrap();
            let name = "checkpoint.safetensors";
            std::fs::copy(out.join(name), copy.join(name)).unwrap();
        }
        _ => {}
    })?;
    Ok(told)
}

#[test]
fn features_in_the_set_are_those_that_would_be_computed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let given = prepare(&at("given"), Made { features: true, held_out: 0.3, ..Made::default() });
    let bare = prepare(&at("bare"), Made { held_out: 0.3, ..Made::default() });
    let with = train(&recipe("duoduo.toml", &given, &[DUODUO]), &at("with"), false).unwrap();
    let (training, held_out, _, features) = with.opened.unwrap();
    assert!((6..18).contains(&training) && with.computed == 0, "{training}");
    // One of each label is measured on, as the recipe says.
    assert!(held_out > 0 && held_out <= 3 && with.measured == [held_out; 2], "{:?}", with.measured);
    assert_eq!(features, Some(FeatureSource::Set));
    assert!((0.0..=1.0).contains(&with.waiting.unwrap()));
    let without = train(&recipe("duoduo.toml", &bare, &[DUODUO]), &at("without"), false).unwrap();
    assert!(matches!(
        without.opened.unwrap().3,
        Some(FeatureSource::Computed { expected, found: None }) if expected.starts_with("nano")
    ));
    assert!(without.computed > training * 3);
    for (a, b) in with.losses.iter().zip(&without.losses) {
        assert!((a - b).abs() < HALVES * a, "{a} {b}");
    }
    // The computed features are kept: going on computes none, and gives the same numbers.
    let cut = at("without.cut");
    std::fs::copy(at("without/features.safetensors"), cut.join("features.safetensors")).unwrap();
    let resumed = train(&recipe("duoduo.toml", &bare, &[DUODUO]), &cut, true).unwrap();
    assert_eq!((resumed.computed, &resumed.losses[..]), (0, &without.losses[4..]));
}

#[test]
fn going_on_is_as_never_having_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set = prepare(&at("set"), Made { features: true, ..Made::default() });
    let recipe = recipe("duoduo.toml", &set, &[DUODUO, &["data.hold_out=0.2"]]);
    let whole = train(&recipe, &at("whole"), false).unwrap();
    let resumed = train(&recipe, &at("whole.cut"), true).unwrap();
    assert_eq!(resumed.losses, whole.losses[4..]);
    let model = |out: &str| std::fs::read(at(out).join("model.safetensors")).unwrap();
    assert!(model("whole") == model("whole.cut"));
    // The same place, other shapes.
    std::fs::remove_dir_all(&set).unwrap();
    prepare(&set, Made { features: true, held_out: 0.5, ..Made::default() });
    let error = train(&recipe, &at("whole.cut"), true).err().unwrap().to_string();
    assert!(error.contains("sum of the data"), "{error}");
}

#[test]
fn points_and_their_words() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set = prepare(&at("set"), Made { features: true, held_out: 0.3, ..Made::default() });
    let told =
        train(&recipe("ulip2.toml", &set, &[TINY_ENCODER, TAUGHT, FEW_GROUPS, SHORT]), &at("ulip2"), false)
            .unwrap();
    assert_eq!(told.losses.len(), 3);
    assert!(told.losses.iter().all(|loss| loss.is_finite() && *loss > 0.0) && told.measured[0] > 0);
    // Batches of shapes that look alike.
    let hard = ["batch.hard={ each = 3, among = 4, margin = 0.1 }", "losses.text.negatives=hard", GATHERED];
    let told = train(
        &recipe("ulip2.toml", &set, &[TINY_ENCODER, TAUGHT, FEW_GROUPS, SHORT, &hard]),
        &at("hard"),
        false,
    )
    .unwrap();
    assert_eq!(told.losses.len(), 3);
    // A new text tower knows the words of the set.
    let sizes = ["network.layers=1", "network.text_layers=1", "run.steps=2", "batch.size.images=8"];
    let told = train(&recipe("nano.toml", &set, &[&sizes]), &at("nano"), false).unwrap();
    assert_eq!(told.losses.len(), 2);
}

#[test]
fn what_a_recipe_cannot_use_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set = prepare(&at("set"), Made { unlabelled: true, ..Made::default() });
    let all = ["data.hold_out=0"];
    let error =
        train(&recipe("finetune.toml", &set, &[&all]), &at("naming"), false).err().unwrap().to_string();
    assert!(error.contains("found 0") && error.contains("18 have no label"), "{error}");
    let many = ["batch.most_views=6", "data.views=6"];
    let error = train(&recipe("duoduo.toml", &set, &[DUODUO, &many]), &at("views"), false).err().unwrap();
    assert!(error.to_string().contains("18 have too few views"), "{error}");
    let labels = ["data.labels=labels.csv"];
    let error = train(&recipe("duoduo.toml", &set, &[DUODUO, &labels]), &at("labels"), false).err().unwrap();
    assert!(error.to_string().contains("brings its own labels"), "{error}");
    std::fs::remove_file(set.join("manifest.json")).unwrap();
    let error = train(&recipe("duoduo.toml", &set, &[DUODUO]), &at("open"), false).err().unwrap();
    assert!(error.to_string().contains("not finished or not merged"), "{error}");
    assert!(error.hint().unwrap().contains("data merge"));
}

#[test]
fn a_damaged_shape_stops_the_run_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set = prepare(&at("set"), Made { features: true, ..Made::default() });
    for entry in std::fs::read_dir(set.join("shards")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "tar") {
            let mut bytes = std::fs::read(&path).unwrap();
            // Every picture: the first bytes after their headers.
            for header in 0..bytes.len() / 512 {
                if bytes[header * 512..header * 512 + 100].windows(4).any(|name| name == b".png") {
                    bytes[header * 512 + 600] ^= 1;
                }
            }
            std::fs::write(&path, bytes).unwrap();
        }
    }
    let error = train(&recipe("duoduo.toml", &set, &[DUODUO]), &at("out"), false).err().unwrap().to_string();
    assert!(error.contains("shape ") && error.contains("is damaged") && error.contains(".tar"), "{error}");
}

/// An encoder learns to name the kinds of a set by its head, which carries their names; another begins from its encoder.
#[test]
fn a_head_learns_the_labels_of_a_set() {
    let folder = tempfile::tempdir().unwrap();
    let set = prepare(&folder.path().join("set"), Made { held_out: 0.3, ..Made::default() });
    let few = [
        "batch.size.shapes=6",
        "run.steps=60",
        "run.evaluate_every=60",
        "schedule.warm_up=2",
        "groups.all.learning_rate=3e-3",
    ];
    let recipe_with =
        |more: &[&str]| recipe("classify.toml", &set, &[TINY_ENCODER, FEW_GROUPS, TINY_HEAD, &few, more]);
    let (out, mut shares, mut measured) = (folder.path().join("run"), Vec::new(), None);
    fit(&recipe_with(&[]), &out, &FitOptions::default(), &mut |event| match event {
        TrainEvent::Step(step) => shares.push(step.accuracies["class"]),
        TrainEvent::Evaluated { report, .. } => measured = report,
        _ => {}
    })
    .unwrap();
    let mean = |shares: &[f64]| shares.iter().sum::<f64>() / shares.len() as f64;
    assert!(mean(&shares[50..]) > 0.75, "{shares:?}");
    let report = measured.unwrap();
    assert!(report.items > 0 && report.top_1 > 0.5, "{report:?}");

    let path = out.join("model.safetensors");
    let open = |path: &Path| PointModel::open(path.to_str().unwrap(), &PointModelOptions::default()).unwrap();
    let model = open(&path);
    assert_eq!(model.config().labels, ["chair", "mug", "sword"]);
    let points = (0..300).map(|i| glam::Vec3::new(i as f32, (i % 7) as f32, 0.5)).collect();
    let cloud = lexiform_geometry::PointCloud::new(points).unwrap();
    let scores = model.class_logits(&[cloud], None).unwrap().remove(0);
    assert_eq!(scores.len(), 3);

    let base = format!("network.base={}", path.display());
    let next = folder.path().join("next");
    train(
        &recipe_with(&[
            &base,
            "network.groups=4",
            "run.steps=1",
            "groups.all.params=[\"points.classifier\"]",
        ]),
        &next,
        false,
    )
    .unwrap();
    let weights = |path: &Path| lexiform_train::optim::parameters::values(open(path).tower());
    let (before, after) = (weights(&path), weights(&next.join("model.safetensors")));
    let changed: Vec<&String> = before.keys().filter(|name| before[*name] != after[*name]).collect();
    assert!(!changed.is_empty() && changed.iter().all(|name| name.starts_with("classifier.")), "{changed:?}");
    let gone = train(&recipe_with(&["network.base=absent.safetensors"]), &folder.path().join("gone"), false);
    assert!(gone.err().unwrap().to_string().contains("absent.safetensors"));
}

/// What `data prepare` asks of a model, by the teacher that training uses.
struct TeacherFeatures(Teacher);

impl TeacherFeatures {
    fn rows(&self, values: &[f32]) -> Vec<Vec<f32>> {
        values.chunks(self.0.dim()).map(<[f32]>::to_vec).collect()
    }
}

impl Featurizer for TeacherFeatures {
    fn id(&self) -> &str {
        self.0.model().id()
    }

    fn images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String> {
        Ok(self.rows(&self.0.images(images)))
    }

    fn texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        self.0.texts(texts).map(|values| self.rows(&values)).map_err(|error| error.to_string())
    }
}
