//! Captions in data sets: which are kept, how missing ones are recorded, and retries.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::sync::Mutex;

use image::RgbaImage;
use lexiform_data::annotations::AnnotationTable;
use lexiform_data::caption::{CaptionError, CaptionInput, CaptionOutput, Captioner};
use lexiform_data::prepare::{LocalFiles, Prepare, PrepareConfig};
use lexiform_data::{
    BuildEvent, BuildOptions, BuildSummary, Caption, DataError, Dataset, Featurizer, TEXT_FEATURES,
    build_dataset, merge_partitions, verify,
};

const VIEWS: usize = 3;
const NAMES: [&str; 6] = ["a.obj", "b.obj", "c.obj", "d.obj", "e.obj", "f.obj"];

/// A captioner that returns the output of a function and records the names of the shapes.
struct FakeCaptioner<F> {
    says: F,
    asked: Mutex<Vec<String>>,
}

impl<F: Fn(&str) -> Result<CaptionOutput, CaptionError> + Sync> FakeCaptioner<F> {
    fn new(says: F) -> Self {
        Self { says, asked: Mutex::default() }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }
}

impl<F: Fn(&str) -> Result<CaptionOutput, CaptionError> + Sync> Captioner for FakeCaptioner<F> {
    fn name(&self) -> String {
        "eye".to_owned()
    }

    fn source(&self) -> String {
        "eye".to_owned()
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn caption(&self, subject: &CaptionInput) -> Result<CaptionOutput, CaptionError> {
        self.asked.lock().unwrap().push(subject.name.to_owned());
        (self.says)(subject.name)
    }
}

/// A caption of each view except the first `refused`.
fn all_but_first(refused: usize) -> CaptionOutput {
    let caption = |view| Caption { view: Some(view), ..Caption::new(format!("view {view}"), "eye") };
    let reason = |view| format!("view {view}: no");
    CaptionOutput {
        captions: (refused..VIEWS).map(caption).collect(),
        requested: VIEWS,
        errors: (0..refused).map(reason).collect(),
    }
}

fn models(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";
    NAMES.iter().for_each(|name| std::fs::write(folder.join(name), text).unwrap());
}

fn small() -> PrepareConfig {
    PrepareConfig { views: VIEWS, size: 32, points: 0, file_captions: false, ..PrepareConfig::default() }
}

/// Shards of about two shapes.
fn build(
    folder: &Path,
    eye: &dyn Captioner,
    retry_failed: bool,
) -> Result<(BuildSummary, Vec<BuildEvent>), DataError> {
    let source = LocalFiles::new(&[folder.join("models").display().to_string()])?;
    let producer = Prepare::new(&source, small(), AnnotationTable::default())?.with_captioner(eye);
    let options =
        BuildOptions { num_workers: 1, shard_bytes: 12_000, retry_failed, ..BuildOptions::default() };
    let mut events = Vec::new();
    let summary = build_dataset(&producer, &folder.join("set"), &options, &mut |event| events.push(event))?;
    merge_partitions(&folder.join("set"))?;
    Ok((summary, events))
}

fn without_captions(summary: &BuildSummary) -> [usize; 4] {
    [summary.written, summary.already_written, summary.without_captions, summary.missing_some_captions]
}

#[test]
fn missing_captions_are_counted_and_retried() {
    let folder = tempfile::tempdir().unwrap();
    models(&folder.path().join("models"));
    let set = folder.path().join("set");
    let moody = FakeCaptioner::new(|name: &str| match name {
        "b.obj" | "e.obj" => Ok(all_but_first(VIEWS)),
        "c.obj" => Ok(all_but_first(1)),
        "f.obj" => Err(CaptionError::Shape("no such view".to_owned())),
        _ => Ok(all_but_first(0)),
    });
    let (summary, events) = build(folder.path(), &moody, false).unwrap();
    assert_eq!(without_captions(&summary), [6, 0, 3, 1]);
    let told = |wanted: &str| {
        let told = events.iter().find_map(|event| match event {
            BuildEvent::Written { source, missing_captions, .. } if source == wanted => {
                Some(missing_captions.clone())
            }
            _ => None,
        });
        told.unwrap().map(|captions| (captions.missing, captions.requested, captions.reason))
    };
    assert_eq!(told("a.obj"), None);
    assert_eq!(told("b.obj"), Some((3, 3, "view 0: no".to_owned())));
    assert_eq!(told("c.obj"), Some((1, 3, "view 0: no".to_owned())));
    assert_eq!(told("f.obj"), Some((1, 1, "no such view".to_owned())));
    let captions = |name: &str| {
        let dataset = Dataset::open(&set).unwrap();
        let mut all = (0..dataset.len()).map(|i| dataset.metadata(i).unwrap());
        all.find(|metadata| metadata.id == name).unwrap().captions.len()
    };
    assert_eq!(["a.obj", "b.obj", "c.obj"].map(captions), [3, 0, 2]);
    assert_eq!(moody.asked(), NAMES);
    // Runs without retries report the same counts.
    let (again, _) = build(folder.path(), &moody, false).unwrap();
    assert_eq!((without_captions(&again), moody.asked().len()), ([0, 6, 3, 1], 0));
    // A run that stops during its retries loses nothing.
    let gone = FakeCaptioner::new(|_: &str| {
        Err(CaptionError::Server { reason: "gone".to_owned(), hint: Some("wait".to_owned()) })
    });
    let error = build(folder.path(), &gone, true).unwrap_err();
    assert!(error.to_string().contains(": gone") && error.hint().unwrap() == "wait", "{error}");
    assert!(matches!(Dataset::open(&set), Err(DataError::Incomplete { .. })));
    let kind = FakeCaptioner::new(|_: &str| Ok(all_but_first(0)));
    let (better, _) = build(folder.path(), &kind, true).unwrap();
    assert_eq!(without_captions(&better), [4, 2, 0, 0]);
    assert_eq!(kind.asked(), ["b.obj", "c.obj", "e.obj", "f.obj"]);
    assert!(NAMES.iter().all(|name| captions(name) == 3));
    assert_eq!(verify(&set, &|_| {}).unwrap(), []);
    assert_eq!(without_captions(&build(folder.path(), &kind, true).unwrap().0), [0, 6, 0, 0]);
}

#[test]
fn shards_without_shapes_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    models(&folder.path().join("models"));
    let mute = FakeCaptioner::new(|_: &str| Ok(all_but_first(VIEWS)));
    assert_eq!(without_captions(&build(folder.path(), &mute, false).unwrap().0), [6, 0, 6, 0]);
    assert_eq!(without_captions(&build(folder.path(), &mute, true).unwrap().0), [6, 0, 6, 0]);
    let set = folder.path().join("set");
    assert_eq!((Dataset::open(&set).unwrap().len(), verify(&set, &|_| {}).unwrap().len()), (6, 0));
}

/// All images have the same features; short texts are closer to them than long ones.
struct TextLengthFeaturizer;

impl Featurizer for TextLengthFeaturizer {
    fn id(&self) -> &str {
        "short"
    }

    fn encode_images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String> {
        Ok(vec![vec![1.0, 0.0]; images.len()])
    }

    fn encode_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        Ok(texts.iter().map(|text| vec![1.0, text.len() as f32]).collect())
    }
}

#[test]
fn duplicate_captions_count_once_among_the_top_k() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("models"), folder.path().join("set"));
    models(&from);
    let eye = FakeCaptioner::new(|_: &str| {
        let caption = |(text, view): (&str, _)| Caption { view, ..Caption::new(text, "eye") };
        let of_views =
            [("cup", Some(0)), ("Cup", Some(0)), ("cup", Some(0)), ("teacup", Some(0)), ("cup", Some(1))];
        let of_whole = [("cup", None), ("a red cup", None), ("CUP", None), ("a cup", None)];
        Ok(CaptionOutput {
            captions: of_views.into_iter().chain(of_whole).map(caption).collect(),
            requested: 3,
            errors: Vec::new(),
        })
    });
    let source = LocalFiles::new(&[from.display().to_string()]).unwrap();
    let producer =
        Prepare::new(&source, PrepareConfig { top_k_captions: 2, ..small() }, AnnotationTable::default())
            .unwrap();
    let producer = producer.with_captioner(&eye).with_featurizer(&TextLengthFeaturizer);
    build_dataset(&producer, &to, &BuildOptions::default(), &mut |_| {}).unwrap();
    merge_partitions(&to).unwrap();
    let dataset = Dataset::open(&to).unwrap();
    let kept = dataset.metadata(0).unwrap().captions;
    let kept: Vec<_> = kept.iter().map(|caption| (caption.text.as_str(), caption.view)).collect();
    let best = [("cup", Some(0)), ("teacup", Some(0)), ("cup", Some(1)), ("cup", None), ("a cup", None)];
    assert_eq!(kept, best);
    assert_eq!(dataset.array(0, TEXT_FEATURES).unwrap().unwrap().shape, [5, 2]);
}
