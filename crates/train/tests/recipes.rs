//! Every recipe learns for a few steps on a handful of generated shapes, with the built-in model as its teacher.

use std::path::Path;

use lexiform_model::{JointModel, OpenOptions, PointModel, PointOptions};
use lexiform_train::{FitOptions, Recipe, TrainEvent, fit};

const DATA: &[&str] =
    &["data.shapes=12", "data.views=3", "data.held_out=0", "run.evaluate_every=3", "run.steps=3"];
/// The built-in model's features are 128 wide.
const POINTS: &[&str] = &[
    "teacher=nano",
    "network.tower.projection.dim=128",
    "network.tower.encoder.width=32",
    "network.tower.encoder.layers=2",
    "network.tower.encoder.heads=2",
    "network.tower.encoder.mlp_width=64",
    "network.tower.encoder.group_width=16",
    "network.input.n_points=128",
    "batch.size.shapes=6",
];

/// Trains, gives the losses of every step by name, and leaves the model in `out`.
fn train(name: &str, out: &Path, settings: &[&[&str]]) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(name);
    let settings: Vec<String> =
        settings.concat().into_iter().chain(DATA.iter().copied()).map(str::to_owned).collect();
    let recipe = Recipe::read(&path, &settings).unwrap();
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
    PointModel::open(path.to_str().unwrap(), &PointOptions::default()).unwrap()
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

#[test]
fn ulip2() {
    let folder = tempfile::tempdir().unwrap();
    let groups = ["network.tower.encoder.groups=8", "network.tower.encoder.group_size=8"];
    let losses = train("ulip2.toml", folder.path(), &[POINTS, &groups]);
    assert_eq!(losses, vec![["image", "text"]; 3]);
    assert_eq!(open_points(folder.path()).dim(), 128);
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
        let losses = train("openshape.toml", &out, &[POINTS, &groups, more]);
        assert_eq!(losses, vec![["image", "text"]; 3], "{stage}");
        assert_eq!(open_points(&out).dim(), 128);
    }
}

/// SigLIP's and the multi-positive loss take part in a run like any other term.
#[test]
fn other_terms() {
    let folder = tempfile::tempdir().unwrap();
    let groups = ["network.tower.encoder.groups=8", "network.tower.encoder.group_size=8"];
    let terms = ["losses.text.kind=multi-positive", "losses.image.kind=sigmoid", "losses.image.turn=odd"];
    let losses = train("ulip2.toml", folder.path(), &[POINTS, &groups, &terms]);
    assert_eq!(losses.len(), 3);
}
