//! Training on prepared data sets: with stored and with computed features, interrupted, and with missing data.

mod support;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use image::RgbaImage;
use lexiform_data::annotations::AnnotationTable;
use lexiform_data::import::{self, ImportOptions};
use lexiform_data::prepare::{LocalFiles, Prepare, PrepareConfig};
use lexiform_data::{BuildEvent, BuildOptions, Featurizer, build_dataset, merge_partitions};
use lexiform_mesh_io::write;
use lexiform_model::{Device, PointModel, PointModelOptions, Teacher};
use lexiform_shapes::category;
use lexiform_train::{FeatureSource, FitError, FitOptions, Recipe, TrainEvent, fit};
use support::{FEW_GROUPS, TINY_ENCODER, TINY_HEAD, WITH_TEACHER};

/// Stored features are `f16`: losses of a few units differ in the third digit.
const F16_TOLERANCE: f64 = 5e-3;

/// Settings of duoduo.toml for the built-in model.
const DUODUO: &[&str] = &[
    "teacher=nano",
    "network.base=nano",
    "network.joint_from=2",
    "batch.size.shapes=4",
    "batch.max_views=3",
    "data.views=3",
    "run.steps=6",
    "run.evaluate_every=3",
    "run.checkpoint_every=2",
];
/// Settings for the tiny point encoder.
const SHORT: &[&str] = &["batch.size.shapes=6", "data.views=3", "run.steps=3", "run.evaluate_every=3"];

/// Gathering without gradient supports no hard negatives.
const GATHERED: &str = "run.gather=with-gradient";

/// How a data set is prepared.
#[derive(Clone, Copy, Default)]
struct PreparedAs {
    features: bool,
    val_fraction: f64,
    unlabelled: bool,
}

/// Three categories of six shapes in folders, with one caption each: several might be in another order with features.
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

fn prepare(out: &Path, made: PreparedAs) -> PathBuf {
    prepare_files(models(), out, made)
}

/// The files of a folder as a data set.
fn prepare_files(files: &Path, out: &Path, made: PreparedAs) -> PathBuf {
    let source = LocalFiles::new(&[files.display().to_string()]).unwrap();
    let config = PrepareConfig {
        views: 4,
        size: 64,
        points: 256,
        val_fraction: made.val_fraction,
        folder_labels: !made.unlabelled,
        file_captions: false,
        ..PrepareConfig::default()
    };
    let teacher = TeacherFeatures(Teacher::open("nano", &Device::flex()).unwrap());
    let captions = AnnotationTable::read(&models().join("captions.csv")).unwrap();
    let mut producer = Prepare::new(&source, config, captions).unwrap();
    if made.features {
        producer = producer.with_featurizer(&teacher);
    }
    build_dataset(&producer, out, &BuildOptions::default(), &mut |_: BuildEvent| {}).unwrap();
    merge_partitions(out).unwrap();
    out.to_owned()
}

fn recipe(name: &str, set: &Path, settings: &[&[&str]]) -> Recipe {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(name);
    let data = format!("data={}", set.display());
    let settings = settings.concat().into_iter().map(str::to_owned).chain([data]);
    Recipe::read(&path, &settings.collect::<Vec<_>>()).unwrap()
}

/// Training and validation shapes, skipped ones, and the source of features.
type Opened = (usize, usize, Vec<(String, usize)>, Option<FeatureSource>);

/// What a run reported.
#[derive(Default)]
struct Reported {
    losses: Vec<f64>,
    opened: Option<Opened>,
    computed: usize,
    measured: Vec<usize>,
    data_wait: Option<f64>,
}

fn train(recipe: &Recipe, out: &Path, resume: bool) -> Result<Reported, FitError> {
    let mut reported = Reported::default();
    fit(recipe, out, &FitOptions { resume, ..FitOptions::default() }, &mut |event| match event {
        TrainEvent::Step(step) => reported.losses.push(step.loss),
        TrainEvent::Opened { training, validation, skipped, features, .. } => {
            reported.opened = Some((training, validation, skipped, features));
        }
        TrainEvent::Features { done, .. } => reported.computed = done,
        TrainEvent::Evaluated { report, .. } => {
            reported.measured.push(report.map_or(0, |report| report.items));
        }
        TrainEvent::Finished { data_wait, .. } => reported.data_wait = Some(data_wait),
        TrainEvent::CheckpointSaved { step: 4 } if !resume => {
            let copy = out.with_extension("cut");
            std::fs::create_dir_all(&copy).unwrap();
            let name = "checkpoint.safetensors";
            std::fs::copy(out.join(name), copy.join(name)).unwrap();
        }
        _ => {}
    })?;
    Ok(reported)
}

#[test]
fn stored_features_equal_computed_ones() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let given =
        prepare(&at("given"), PreparedAs { features: true, val_fraction: 0.3, ..PreparedAs::default() });
    let bare = prepare(&at("bare"), PreparedAs { val_fraction: 0.3, ..PreparedAs::default() });
    let with = train(&recipe("duoduo.toml", &given, &[DUODUO]), &at("with"), false).unwrap();
    let (training, validation, _, features) = with.opened.unwrap();
    assert!((6..18).contains(&training) && with.computed == 0, "{training}");
    // At most one validation shape per label, as the recipe says.
    assert!(validation > 0 && validation <= 3 && with.measured == [validation; 2], "{:?}", with.measured);
    assert_eq!(features, Some(FeatureSource::Dataset));
    assert!((0.0..=1.0).contains(&with.data_wait.unwrap()));
    let without = train(&recipe("duoduo.toml", &bare, &[DUODUO]), &at("without"), false).unwrap();
    assert!(matches!(
        without.opened.unwrap().3,
        Some(FeatureSource::Computed { expected, found: None }) if expected.starts_with("nano")
    ));
    assert!(without.computed > training * 3);
    for (a, b) in with.losses.iter().zip(&without.losses) {
        assert!((a - b).abs() < F16_TOLERANCE * a, "{a} {b}");
    }
    // Computed features are cached: a resumed run computes none and gives the same losses.
    let cut = at("without.cut");
    std::fs::copy(at("without/features.safetensors"), cut.join("features.safetensors")).unwrap();
    let resumed = train(&recipe("duoduo.toml", &bare, &[DUODUO]), &cut, true).unwrap();
    assert_eq!((resumed.computed, &resumed.losses[..]), (0, &without.losses[4..]));
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set = prepare(&at("set"), PreparedAs { features: true, ..PreparedAs::default() });
    let recipe = recipe("duoduo.toml", &set, &[DUODUO, &["data.val_fraction=0.2"]]);
    let whole = train(&recipe, &at("whole"), false).unwrap();
    let resumed = train(&recipe, &at("whole.cut"), true).unwrap();
    assert_eq!(resumed.losses, whole.losses[4..]);
    let model = |out: &str| std::fs::read(at(out).join("model.safetensors")).unwrap();
    assert!(model("whole") == model("whole.cut"));
    // The same path, other shapes.
    std::fs::remove_dir_all(&set).unwrap();
    prepare(&set, PreparedAs { features: true, val_fraction: 0.5, ..PreparedAs::default() });
    let error = train(&recipe, &at("whole.cut"), true).err().unwrap().to_string();
    assert!(error.contains("sum of the data"), "{error}");
}

#[test]
fn point_encoders_learn_from_captions() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set = prepare(&at("set"), PreparedAs { features: true, val_fraction: 0.3, ..PreparedAs::default() });
    let reported = train(
        &recipe("ulip2.toml", &set, &[TINY_ENCODER, WITH_TEACHER, FEW_GROUPS, SHORT]),
        &at("ulip2"),
        false,
    )
    .unwrap();
    assert_eq!(reported.losses.len(), 3);
    assert!(reported.losses.iter().all(|loss| loss.is_finite() && *loss > 0.0) && reported.measured[0] > 0);
    // Batches with hard negatives.
    let hard = [
        "batch.hard_negatives={ group_size = 3, neighbors = 4, margin = 0.1 }",
        "losses.text.negatives=hard",
        GATHERED,
    ];
    let reported = train(
        &recipe("ulip2.toml", &set, &[TINY_ENCODER, WITH_TEACHER, FEW_GROUPS, SHORT, &hard]),
        &at("hard"),
        false,
    )
    .unwrap();
    assert_eq!(reported.losses.len(), 3);
    // A new text tower has the vocabulary of the data set.
    let sizes = ["network.layers=1", "network.text_layers=1", "run.steps=2", "batch.size.images=8"];
    let reported = train(&recipe("nano.toml", &set, &[&sizes]), &at("nano"), false).unwrap();
    assert_eq!(reported.losses.len(), 2);
}

#[test]
fn unusable_data_sets_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set = prepare(&at("set"), PreparedAs { unlabelled: true, ..PreparedAs::default() });
    let all = ["data.val_fraction=0"];
    let error =
        train(&recipe("finetune.toml", &set, &[&all]), &at("naming"), false).err().unwrap().to_string();
    assert!(error.contains("found 0") && error.contains("18 have no label"), "{error}");
    let many = ["batch.max_views=6", "data.views=6"];
    let error = train(&recipe("duoduo.toml", &set, &[DUODUO, &many]), &at("views"), false).err().unwrap();
    assert!(error.to_string().contains("18 have too few views"), "{error}");
    let labels = ["data.label_table=labels.csv"];
    let error = train(&recipe("duoduo.toml", &set, &[DUODUO, &labels]), &at("labels"), false).err().unwrap();
    assert!(error.to_string().contains("has its own labels"), "{error}");
    std::fs::remove_file(set.join("manifest.json")).unwrap();
    let error = train(&recipe("duoduo.toml", &set, &[DUODUO]), &at("open"), false).err().unwrap();
    assert!(error.to_string().contains("not finished or not merged"), "{error}");
    assert!(error.hint().unwrap().contains("data merge"));
}

#[test]
fn a_damaged_shape_stops_the_run_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set = prepare(&at("set"), PreparedAs { features: true, ..PreparedAs::default() });
    for entry in std::fs::read_dir(set.join("shards")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "tar") {
            let mut bytes = std::fs::read(&path).unwrap();
            // Flips a byte of every image, after its tar header.
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

/// A classification head learns the labels of a data set and stores them; its encoder is then used as base of another run.
#[test]
fn a_head_learns_the_labels_of_a_set() {
    let folder = tempfile::tempdir().unwrap();
    let set = prepare(&folder.path().join("set"), PreparedAs { val_fraction: 0.3, ..PreparedAs::default() });
    let few = [
        "batch.size.shapes=6",
        "run.steps=60",
        "run.evaluate_every=60",
        "schedule.warmup=2",
        "param_groups.all.learning_rate=3e-3",
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
            "param_groups.all.params=[\"points.classifier\"]",
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

/// The classes of a head are the training labels, also for a validation set that has only some of them.
#[test]
fn a_head_is_validated_on_another_set() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set_of = |name: &str, labels: &[&str]| {
        let files = at(name).with_extension("files");
        for label in labels {
            std::fs::create_dir_all(files.join(label)).unwrap();
            for i in 0..6 {
                let file = format!("{label}/{i}.glb");
                std::fs::copy(models().join(&file), files.join(&file)).unwrap();
            }
        }
        prepare_files(&files, &at(name), PreparedAs::default())
    };
    let (chairs, others) = (set_of("chairs", &["chair"]), set_of("others", &["mug", "sword"]));
    let all = prepare(&at("all"), PreparedAs::default());
    let few = [
        "batch.size.shapes=6",
        "data.val_fraction=0",
        "run.steps=20",
        "run.evaluate_every=20",
        "schedule.warmup=2",
        "param_groups.all.learning_rate=3e-3",
    ];
    let validated = |training: &Path, validation: &Path| {
        let validation = format!("data.validation={{ path = {validation:?} }}");
        recipe("classify.toml", training, &[TINY_ENCODER, FEW_GROUPS, TINY_HEAD, &few, &[&validation]])
    };
    // The runs differ in their validation sets only, so that they train the same weights.
    let correct = |validation: &Path, items: usize| {
        let (out, mut measured) = (validation.with_extension("run"), None);
        fit(&validated(&all, validation), &out, &FitOptions::default(), &mut |event| {
            if let TrainEvent::Evaluated { report, .. } = event {
                measured = report;
            }
        })
        .unwrap();
        let report = measured.unwrap();
        assert_eq!(report.items, items);
        (report.top_1 * items as f64).round() as usize
    };
    assert_eq!(correct(&chairs, 6) + correct(&others, 12), correct(&all, 18));
    let error = train(&validated(&others, &all), &at("unknown"), false).err().unwrap().to_string();
    assert!(error.contains("\"chair\"") && error.contains("is not one of the classes"), "{error}");
}

/// Imports a file of `fixtures/data/duoduo_two_sources` with its features.
fn imported(file: &str, out: &Path) -> PathBuf {
    let options = ImportOptions { features: true, ..ImportOptions::default() };
    let from = lexiform_golden::fixture("data/duoduo_two_sources").join(file);
    let source = (import::find("duoduo").unwrap().open)(&from, &options).unwrap();
    build_dataset(&source, out, &BuildOptions::default(), &mut |_| {}).unwrap();
    merge_partitions(out).unwrap();
    out.to_owned()
}

/// Duoduo CLIP's shapes and MVImgNet's in one batch, validated on Objaverse-LVIS with the published features of its classes.
#[test]
fn two_sources_and_a_validation_set() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let four = imported("four/mv_images.h5", &at("four"));
    let mvimgnet = imported("mvimgnet/mvimgnet_mv_images.h5", &at("mvimgnet"));
    let lvis = imported("lvis/lvis_images.h5", &at("lvis"));
    let lists = lexiform_golden::fixture("data/duoduo_two_sources/lvis");
    let second = format!("data.second={{ path = {mvimgnet:?}, fraction = 2, trust_features = true }}");
    let validation = format!(
        "data.validation={{ path = {lvis:?}, views = 6, class_list = {:?}, class_features = {:?} }}",
        lists.join("lvis.csv"),
        lists.join("lvis_class_label_embeddings.npy")
    );
    let settings =
        [&second, &validation, "data.trust_features=true", "run.steps={ epochs = 2 }", "batch.max_views=2"];
    let recipe_with = |more: &[&str]| recipe("duoduo.toml", &four, &[DUODUO, &settings, more]);
    let mut opened = Vec::new();
    let out = at("out");
    let (mut images, mut reports) = (Vec::new(), Vec::new());
    fit(&recipe_with(&[]), &out, &FitOptions::default(), &mut |event| match event {
        TrainEvent::Opened { training, validation, .. } => opened.push((training, validation)),
        TrainEvent::Step(step) => images.push(step.loss),
        TrainEvent::Evaluated { report, .. } => reports.push(report.unwrap()),
        _ => {}
    })
    .unwrap();
    // Of both sources, whose epochs have 7 / 4 and 5 / 2 steps: the longer one counts.
    assert_eq!((opened, images.len()), (vec![(7, 0), (5, 0), (0, 4)], 4));
    let last = reports.last().unwrap();
    assert_eq!((last.items, images.iter().all(|loss| loss.is_finite())), (4, true));
    let folder_of_files = recipe("duoduo.toml", models(), &[DUODUO, &["data.ids=ids.txt"]]);
    let error = train(&folder_of_files, &at("files"), false).err().unwrap().to_string();
    assert!(error.contains("data.ids") && error.contains("requires a data set"), "{error}");
    let ids = format!("data.second.ids={}", lists.join("lvis.csv").display());
    let error = train(&recipe_with(&[&ids]), &at("none"), false).err().unwrap().to_string();
    assert!(error.contains("none of the 6 ids is in the data set"), "{error}");
    let few = train(&recipe_with(&["data.second.fraction=1", "batch.size.shapes=6"]), &at("few"), false);
    assert!(few.err().unwrap().to_string().contains("only 5 in"), "a batch larger than the source");
    let wide = recipe_with(&["teacher=nano"]);
    let text = toml::to_string(&wide).unwrap().replace("lvis.csv", "absent.csv");
    let error = train(&toml::from_str(&text).unwrap(), &at("absent"), false).err().unwrap().to_string();
    assert!(error.contains("absent.csv"), "{error}");
}

/// `data prepare` with the teacher of training.
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

    fn encode_images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String> {
        Ok(self.rows(&self.0.images(images)))
    }

    fn encode_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        self.0.texts(texts).map(|values| self.rows(&values)).map_err(|error| error.to_string())
    }
}
