//! Models by name and by path: in a test of its own process, which has another cache and another current folder.

use std::path::Path;

use burn::tensor::Device;
use lexiform_model::blip::Captioner;
use lexiform_model::registry::MODELS;
use lexiform_model::weights::WeightFile;

/// Copies the files of a fixture, the weights under another name.
fn copy_captioner(folder: &Path, weights: &str) {
    fs_err::create_dir_all(folder).unwrap();
    let fixture = lexiform_golden::fixture("blip_tiny");
    for (from, to) in
        [("model.safetensors", weights), ("config.json", "config.json"), ("vocab.txt", "vocab.txt")]
    {
        fs_err::copy(fixture.join(from), folder.join(to)).unwrap();
    }
}

#[test]
fn a_folder_of_a_models_name_counts_only_with_weights() {
    let folder = tempfile::tempdir().unwrap();
    // SAFETY: the only test of this process that reads or writes the environment.
    unsafe { std::env::set_var("HF_HUB_CACHE", folder.path().join("cache")) };
    std::env::set_current_dir(folder.path()).unwrap();
    let blip = MODELS.iter().find(|model| model.name == "blip").unwrap();
    let (cache, _, file) = blip.origin.hub_location().unwrap();
    copy_captioner(&cache.join("snapshots").join("0"), file);
    let id = |name: &str| Captioner::open(name, &Device::flex()).unwrap().id().to_owned();
    let named = id("blip");
    assert!(named.starts_with("blip@"), "{named}");
    fs_err::create_dir("blip").unwrap();
    assert_eq!(id("blip"), named);
    // A path has the name of its file.
    copy_captioner(Path::new("blip"), "model.safetensors");
    for path in ["blip", "./blip", "blip/", "blip/model.safetensors"] {
        assert_eq!(id(path), named.replace("blip@", "model@"), "{path}");
    }
    let sharded = lexiform_golden::fixture("blip2_tiny").join("model.safetensors.index.json");
    assert_eq!(WeightFile::open(&sharded).unwrap().stem().as_deref(), Some("model"));
}
