//! Captions and features added to existing data sets: the same bytes as if `prepare` had written them, and never a damaged set.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use image::RgbaImage;
use lexiform_data::annotations::AnnotationTable;
use lexiform_data::caption::{CaptionError, CaptionInput, CaptionOutput, Captioner};
use lexiform_data::prepare::{LocalFiles, Prepare, PrepareConfig};
use lexiform_data::update::{
    CaptionUpdate, Update, UpdateConfig, finish_replacement, replace_dataset, staging_folder,
};
use lexiform_data::{
    BuildOptions, Caption, DataError, Dataset, Featurizer, Manifest, Member, TEXT_FEATURES, VIEW_FEATURES,
    build_dataset, merge_partitions, verify,
};
use lexiform_formats::exchange_durably;

const VIEWS: usize = 2;
const SHAPES: usize = 40;
const KILLS: usize = 12;

/// Two captions of each view, which depend on its pixels and on the name of the shape.
struct Describer {
    pause: Duration,
    /// Says nothing about view 1 of shapes whose names end so.
    silent_on: &'static str,
}

const DESCRIBER: Describer = Describer { pause: Duration::ZERO, silent_on: "-" };

impl Captioner for Describer {
    fn name(&self) -> String {
        "describer".to_owned()
    }

    fn source(&self) -> String {
        "describer".to_owned()
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn caption(&self, input: &CaptionInput) -> Result<CaptionOutput, CaptionError> {
        std::thread::sleep(self.pause);
        let mut output = CaptionOutput::default();
        let views = input.views.iter().filter_map(|m| Some((Member::view_index(&m.name)?, m.bytes.len())));
        for (view, bytes) in views {
            output.requested += 1;
            if view == 1 && input.name.ends_with(self.silent_on) {
                output.errors.push("view 1: nothing to say".to_owned());
                continue;
            }
            let texts = [format!("{} of {bytes} bytes", input.name), format!("view {view}")];
            let about = |text| Caption { view: Some(view), ..Caption::new(text, "describer") };
            output.captions.extend(texts.map(about));
        }
        Ok(output)
    }
}

/// Images by their mean color, texts by their length.
struct Features(&'static str);

impl Featurizer for Features {
    fn id(&self) -> &str {
        self.0
    }

    fn encode_images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String> {
        let mean = |image: &RgbaImage| image.pixels().map(|p| f32::from(p[0])).sum::<f32>();
        Ok(images.iter().map(|image| vec![mean(image) / 1e5, 1.0]).collect())
    }

    fn encode_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        Ok(texts.iter().map(|text| vec![text.len() as f32, 5.0]).collect())
    }
}

/// Renders boxes of different sizes into the data set `name`, with the given captioner and featurizer.
fn prepare(
    folder: &Path,
    name: &str,
    eye: Option<&dyn Captioner>,
    features: Option<&dyn Featurizer>,
) -> PathBuf {
    let models = folder.join("models");
    std::fs::create_dir_all(&models).unwrap();
    for i in 0..SHAPES {
        let text = format!("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 {i}.5\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n");
        std::fs::write(models.join(format!("shape-{i}.obj")), text).unwrap();
    }
    std::fs::write(models.join("broken.obj"), "f 1 2 3\n").unwrap();
    let source = LocalFiles::new(&[models.display().to_string()]).unwrap();
    let config =
        PrepareConfig { views: VIEWS, size: 24, points: 16, top_k_captions: 1, ..PrepareConfig::default() };
    let mut producer = Prepare::new(&source, config, AnnotationTable::default()).unwrap();
    if let Some(eye) = eye {
        producer = producer.with_captioner(eye);
    }
    if let Some(features) = features {
        producer = producer.with_featurizer(features);
    }
    let set = folder.join(name);
    build_dataset(&producer, &set, &options(), &mut |_| {}).unwrap();
    merge_partitions(&set).unwrap();
    set
}

fn options() -> BuildOptions {
    BuildOptions { shard_bytes: 60_000, ..BuildOptions::default() }
}

/// Updates a data set in place, as the command does.
fn update(
    set: &Path,
    eye: Option<&dyn Captioner>,
    features: Option<&dyn Featurizer>,
    config: UpdateConfig,
) -> Result<bool, DataError> {
    finish_replacement(set)?;
    let dataset = Dataset::open(set)?;
    let update = Update::new(&dataset, eye, features, config)?;
    if update.is_applied() {
        return Ok(false);
    }
    let staging = staging_folder(set)?;
    build_dataset(&update, &staging, &options(), &mut |_| {})?;
    replace_dataset(set, &staging).map(|_| true)
}

fn ranked(rank: usize) -> UpdateConfig {
    UpdateConfig { rank: Some(rank), ..UpdateConfig::default() }
}

fn checksums(set: &Path) -> Vec<String> {
    Manifest::read(set).unwrap().shards.into_iter().map(|shard| shard.sha256).collect()
}

/// Captions of a shape with the views that they describe.
fn captions(set: &Path, id: &str) -> Vec<(String, Option<usize>)> {
    let dataset = Dataset::open(set).unwrap();
    let mut all = (0..dataset.len()).map(|shape| dataset.metadata(shape).unwrap());
    let found = all.find(|metadata| metadata.id == id).unwrap();
    found.captions.into_iter().map(|caption| (caption.text, caption.view)).collect()
}

#[test]
fn an_updated_data_set_has_the_bytes_that_prepare_writes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let expected = prepare(folder, "expected", Some(&DESCRIBER), Some(&Features("a@1")));
    let set = prepare(folder, "set", None, None);
    std::fs::write(set.join("notes.txt"), "mine").unwrap();
    assert!(update(&set, Some(&DESCRIBER), Some(&Features("a@1")), ranked(1)).unwrap());
    assert_eq!(checksums(&set), checksums(&expected));
    let manifest = Manifest::read(&set).unwrap();
    assert_eq!((manifest.shapes, manifest.failed), (SHAPES as u64, 1));
    assert_eq!(manifest.features(), Some("a@1"));
    assert_eq!(manifest.settings["source"]["made_by"], "prepare");
    assert!(verify(&set, &|_| {}).unwrap().is_empty());
    assert_eq!(std::fs::read_to_string(set.join("notes.txt")).unwrap(), "mine");
    assert!(!staging_folder(&set).unwrap().exists());
    // The result can be merged again, and a second run has nothing to do.
    assert_eq!(merge_partitions(&set).unwrap(), manifest);
    assert!(!update(&set, Some(&DESCRIBER), Some(&Features("a@1")), ranked(1)).unwrap());
}

#[test]
fn features_of_another_model_keep_the_ranking() {
    let folder = tempfile::tempdir().unwrap();
    let set = prepare(folder.path(), "set", Some(&DESCRIBER), Some(&Features("a@1")));
    let before = captions(&set, "shape-3.obj");
    update(&set, None, Some(&Features("b@2")), UpdateConfig::default()).unwrap();
    assert_eq!(
        (captions(&set, "shape-3.obj"), Manifest::read(&set).unwrap().features()),
        (before, Some("b@2"))
    );
    let dataset = Dataset::open(&set).unwrap();
    let shape = dataset.find(dataset.key(0)).unwrap();
    let count = dataset.metadata(shape).unwrap().captions.len();
    assert_eq!(dataset.array(shape, TEXT_FEATURES).unwrap().unwrap().shape, [count, 2]);
    assert_eq!(dataset.array(shape, VIEW_FEATURES).unwrap().unwrap().shape, [VIEWS, 2]);
    assert_eq!(dataset.members(shape).filter(|name| *name == VIEW_FEATURES).count(), 1);
}

#[test]
fn new_captions_are_added_or_replace_the_old_ones() {
    let folder = tempfile::tempdir().unwrap();
    let set = prepare(folder.path(), "set", None, None);
    let own = ("shape".to_owned(), None);
    assert_eq!(captions(&set, "shape-7.obj"), std::slice::from_ref(&own));
    update(&set, Some(&DESCRIBER), None, UpdateConfig::default()).unwrap();
    let added = captions(&set, "shape-7.obj");
    assert_eq!((added.len(), &added[0]), (1 + 2 * VIEWS, &own));
    let replace = UpdateConfig { captions: CaptionUpdate::Replace, ..UpdateConfig::default() };
    update(&set, Some(&Describer { silent_on: "-7.obj", ..DESCRIBER }), None, replace).unwrap();
    let replaced = captions(&set, "shape-7.obj");
    assert_eq!(replaced.iter().map(|(_, view)| *view).collect::<Vec<_>>(), [Some(0), Some(0)]);
    // Only what is missing is captioned again.
    let missing = UpdateConfig { captions: CaptionUpdate::AddMissing, ..UpdateConfig::default() };
    update(&set, Some(&DESCRIBER), None, missing).unwrap();
    let completed = captions(&set, "shape-7.obj");
    assert_eq!(completed[..2], replaced);
    assert_eq!(
        completed.iter().map(|(_, view)| *view).collect::<Vec<_>>(),
        [Some(0), Some(0), Some(1), Some(1)]
    );
    let dataset = Dataset::open(&set).unwrap();
    assert!((0..SHAPES).all(|shape| dataset.metadata(shape).unwrap().missing_captions.is_none()));
    // That completed the captions, so adding them has nothing left to do.
    assert!(!update(&set, Some(&DESCRIBER), None, UpdateConfig::default()).unwrap());
}

#[test]
fn incomplete_features_are_refused_or_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let set = prepare(folder.path(), "set", None, Some(&Features("a@1")));
    let before = checksums(&set);
    let error = update(&set, Some(&DESCRIBER), None, UpdateConfig::default()).unwrap_err();
    assert!(error.to_string().contains("features of its captions by a@1"), "{error}");
    assert!(error.hint().unwrap().contains("--feature-model a, or drop them with --drop-features"));
    assert_eq!(checksums(&set), before);
    let config = UpdateConfig { drop_features: true, ..UpdateConfig::default() };
    update(&set, Some(&DESCRIBER), None, config).unwrap();
    let dataset = Dataset::open(&set).unwrap();
    assert_eq!(dataset.manifest().features(), None);
    assert!(!dataset.members(0).any(|name| name == TEXT_FEATURES || name == VIEW_FEATURES));
}

#[test]
fn a_changed_or_unreadable_data_set_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let set = prepare(folder.path(), "set", None, None);
    let dataset = Dataset::open(&set).unwrap();
    let staging = staging_folder(&set).unwrap();
    let build = || {
        let update = Update::new(&dataset, Some(&DESCRIBER), None, UpdateConfig::default()).unwrap();
        build_dataset(&update, &staging, &options(), &mut |_| {}).unwrap();
        merge_partitions(&staging).unwrap();
    };
    build();
    let manifest = Manifest::read(&set).unwrap();
    let text = std::fs::read_to_string(set.join("manifest.json")).unwrap();
    std::fs::write(set.join("manifest.json"), text.replace(&manifest.index_sha256, "0")).unwrap();
    let error = replace_dataset(&set, &staging).unwrap_err();
    assert!(error.to_string().contains("was changed while its update was built"), "{error}");
    std::fs::write(set.join("manifest.json"), text).unwrap();
    // A damaged view fails its shape, which must not disappear.
    std::fs::remove_dir_all(&staging).unwrap();
    let shard = set.join("shards").join(&manifest.shards[0].file);
    let mut bytes = std::fs::read(&shard).unwrap();
    bytes[600] ^= 1;
    std::fs::write(&shard, bytes).unwrap();
    build();
    let error = replace_dataset(&set, &staging).unwrap_err();
    assert!(error.to_string().contains("1 of 40 shapes could not be updated"), "{error}");
    assert_eq!(Dataset::open(&set).unwrap().len(), SHAPES);
}

#[test]
fn an_interrupted_replacement_is_finished() {
    for killed in ["after the swap", "between the renames", "before the empty folder is deleted"] {
        let folder = tempfile::tempdir().unwrap();
        let set = prepare(folder.path(), "set", None, None);
        std::fs::write(set.join("notes.txt"), "mine").unwrap();
        let dataset = Dataset::open(&set).unwrap();
        let staging = staging_folder(&set).unwrap();
        let update = Update::new(&dataset, Some(&DESCRIBER), None, UpdateConfig::default()).unwrap();
        build_dataset(&update, &staging, &options(), &mut |_| {}).unwrap();
        let mut new = merge_partitions(&staging).unwrap();
        match killed {
            "after the swap" => assert!(exchange_durably(&set, &staging).unwrap()),
            // Of a file system without a swap.
            "between the renames" => std::fs::rename(&set, folder.path().join("set.update-old")).unwrap(),
            _ => {
                new = replace_dataset(&set, &staging).unwrap();
                std::fs::create_dir(&staging).unwrap();
            }
        }
        finish_replacement(&set).unwrap();
        assert_eq!(Manifest::read(&set).unwrap(), new);
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["models", "set"], "killed {killed}");
        assert_eq!(std::fs::read_to_string(set.join("notes.txt")).unwrap(), "mine");
        finish_replacement(&set).unwrap();
    }
}

/// Runs in a child process of the test below. Without its environment variable it does nothing.
#[test]
fn updates_until_killed() {
    let Ok(set) = std::env::var("LEXIFORM_UPDATE_SET") else { return };
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nstarted").unwrap();
    out.flush().unwrap();
    let slow = Describer { pause: Duration::from_millis(3), ..DESCRIBER };
    update(Path::new(&set), Some(&slow), Some(&Features("a@1")), ranked(1)).unwrap();
}

#[test]
fn a_killed_update_leaves_the_old_set_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let expected = checksums(&prepare(folder, "expected", Some(&DESCRIBER), Some(&Features("a@1"))));
    let set = prepare(folder, "set", None, None);
    let old = checksums(&set);
    let mut killed = 0;
    for round in 0.. {
        assert!(round < 50, "the update never finishes");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "updates_until_killed", "--nocapture"])
            .env("LEXIFORM_UPDATE_SET", &set)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        lines.find(|line| line.starts_with("started")).unwrap();
        if round < KILLS {
            std::thread::sleep(Duration::from_millis(6 * (round as u64 % 7)));
            child.kill().unwrap();
        }
        let ended = child.wait().unwrap();
        let found = checksums(&set);
        assert!(found == old || found == expected, "round {round}");
        assert!(verify(&set, &|_| {}).unwrap().is_empty(), "round {round}");
        killed += usize::from(!ended.success());
        if ended.success() {
            break;
        }
    }
    assert!(killed > 0);
    assert_eq!(checksums(&set), expected);
    assert!(!staging_folder(&set).unwrap().exists());
}
