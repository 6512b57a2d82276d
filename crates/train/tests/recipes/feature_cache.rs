//! The cache of a teacher's features: reused by the next run, never overwritten with others.

use std::path::Path;

use lexiform_train::{FitError, FitOptions, Recipe, TrainEvent, dry_run, fit};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use crate::{DATA, recipe};

const SMALL: &[&str] = &["batch.size.shapes=4", "batch.max_views=2", "run.steps=1", "run.evaluate_every=1"];

fn small(features: &Path, more: &[&str]) -> Recipe {
    let features = format!("data.feature_file={}", features.display());
    recipe("duoduo-nano.toml", &[DATA, SMALL, &[&features], more].concat()).unwrap()
}

fn run(recipe: &Recipe, out: &Path) -> Result<(), FitError> {
    fit(recipe, out, &FitOptions::default(), &mut |_| {}).map(|_| ())
}

#[test]
fn an_explicit_file_with_other_features_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let features = at("features.safetensors");
    run(&small(&features, &[]), &at("first")).unwrap();
    let bytes = std::fs::read(&features).unwrap();
    run(&small(&features, &[]), &at("again")).unwrap();
    for (name, other) in [("shapes", "seed=9"), ("views", "network.image_size=96")] {
        let error = run(&small(&features, &[other]), &at(name)).unwrap_err();
        assert!(matches!(error, FitError::FeatureMismatch { .. }), "{name}: {error}");
        assert!(error.hint().unwrap().contains("data.feature_file"));
    }
    assert!(std::fs::read(&features).unwrap() == bytes, "the file has changed");
}

#[test]
fn a_dry_run_does_not_touch_the_feature_file() {
    let folder = tempfile::tempdir().unwrap();
    let features = folder.path().join("features.safetensors");
    let recipe = small(&features, &["data.shapes=30"]);
    dry_run(&recipe, &FitOptions::default(), &mut |_| {}).unwrap();
    assert!(!features.exists());
    run(&recipe, &folder.path().join("run")).unwrap();
    let bytes = std::fs::read(&features).unwrap();
    dry_run(&recipe, &FitOptions::default(), &mut |_| {}).unwrap();
    assert!(std::fs::read(&features).unwrap() == bytes, "the file has changed");
}

#[test]
fn missing_features_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let features = folder.path().join("features.safetensors");
    let recipe = small(&features, &[]);
    run(&recipe, &folder.path().join("whole")).unwrap();
    let bytes = std::fs::read(&features).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let cut = tensors.iter().map(|(name, view)| {
        let mut shape = view.shape().to_vec();
        // Images are [samples, views, dim], texts [1, texts, dim].
        let axis = usize::from(name == "text");
        let rows = view.data().len() / shape[axis];
        shape[axis] -= 1;
        let data = &view.data()[..view.data().len() - rows];
        (name.to_owned(), TensorView::new(view.dtype(), shape, data).unwrap())
    });
    let cut = safetensors::serialize(cut, metadata.metadata().clone()).unwrap();
    std::fs::write(&features, cut).unwrap();
    let error = run(&recipe, &folder.path().join("cut")).unwrap_err();
    assert!(matches!(error, FitError::InvalidFeatures { .. }), "{error}");
    assert!(error.to_string().contains("expected [12, 3, 128]"), "{error}");
}

/// A run killed while features are computed continues with those it has, and gives the same file.
#[test]
fn partially_computed_features_are_continued() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let recipe = |name: &str| small(&at(name).join("features.safetensors"), &["data.shapes=40"]);
    run(&recipe("whole"), &at("whole")).unwrap();
    let cut = recipe("cut");
    let died = std::panic::catch_unwind(|| {
        fit(&cut, &at("cut"), &FitOptions::default(), &mut |event| {
            if let TrainEvent::Features { done, total: all } = event {
                assert!(done * 2 < all, "killed");
            }
        })
    });
    assert!(died.is_err());
    let mut progress = Vec::new();
    fit(&cut, &at("cut"), &FitOptions::default(), &mut |event| {
        if let TrainEvent::Features { done, total: all } = event {
            progress.push((done, all));
        }
    })
    .unwrap();
    let (first, all) = progress[0];
    assert!(first * 2 > all && progress.last() == Some(&(all, all)), "{progress:?}");
    let bytes = |name: &str| std::fs::read(at(name).join("features.safetensors")).unwrap();
    assert!(bytes("whole") == bytes("cut"), "the files differ");
    let left = std::fs::read_dir(at("cut"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".rows"));
    assert_eq!(left.count(), 0);
}
