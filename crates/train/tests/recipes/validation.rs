//! Recipes have their papers' hyperparameters, and invalid values are errors.

use burn::tensor::Device;
use lexiform_model::point::{PointTower, PreparedCloud};
use lexiform_model::weights::WeightSource;
use lexiform_train::optim::parameters::parameters;
use lexiform_train::{FitOptions, NetworkConfig, StepsOrEpochs, fit};

use crate::support::{FEW_GROUPS, TINY_ENCODER, WITH_TEACHER};
use crate::{DATA, SHAPES, recipe};

const SMALL: &[&str] = &["teacher=nano", "network.base=nano", "batch.size.shapes=4", "batch.max_views=2"];

#[track_caller]
fn check(name: &str, setting: &str, parts: &[&str]) {
    let error = recipe(name, &[setting]).expect_err(setting).to_string();
    for part in parts {
        assert!(error.contains(part), "{setting}: no {part:?} in: {error}");
    }
}

#[test]
fn unknown_keys_are_errors_at_every_depth() {
    for (setting, unknown) in [
        ("network.tower.encoder.group_sise=8", "did you mean `group_size`?"),
        ("network.tower.projectoin={ dim = 512, bias = true }", "did you mean `projection`?"),
        ("network.tower.projection.bais=true", "did you mean `bias`?"),
        ("network.input.n_point=8", "did you mean `n_points`?"),
        ("network.tower.encoder={ kind = \"point-net2\", groups = 8 }", "groups"),
        (
            "network.tower.encoder={ kind = \"point-next\", height = true, width = 32, dense = [8, 8], k = 3 }",
            "`k`",
        ),
        ("schedule={ kind = \"constant\", warmup = 5 }", "warmup"),
        ("param_groups.all.optimizer={ kind = \"muon\", beta_1 = 0.9 }", "beta_1"),
    ] {
        check("ulip2.toml", setting, &["unknown field", unknown]);
    }
}

#[test]
fn invalid_values_for_files_are_errors() {
    for (setting, expected) in [
        ("data.assets={ path = \"packs\", copies = 0 }", "data.assets.copies = 0: must be 1 to 256"),
        (
            "data={ path = \"models\", views = 8, elevation_low = 0.0, elevation_high = 10.0, assets = { path = \"packs\" } }",
            "data.assets.path = packs",
        ),
        (
            "data.assets.label_table=labels.csv",
            "data.assets.label_table = labels.csv: requires data.assets.path",
        ),
        ("batch.same_category=0", "batch.same_category = 0: must be at least 1"),
    ] {
        check("nano.toml", setting, &[expected]);
    }
}

#[test]
fn invalid_values_are_errors() {
    for heads in [0, 5] {
        let setting = format!("network.tower.encoder.heads={heads}");
        check("ulip2.toml", &setting, &["network.tower.encoder", "do not divide a width of 384"]);
    }
    check("ulip2.toml", "run.steps={ epoch = 3 }", &["{ epochs = … }"]);
    check("ulip2.toml", "run.steps={ epochs = -1 }", &["run.steps", "a number of steps or"]);
    check("ulip2.toml", "run.evaluate_every={ epochs = 0 }", &["run.evaluate_every"]);
    check("ulip2.toml", "network.head={ dropout = 0.5 }", &["network.head", "of kind \"class-head\""]);
    check("ulip2.toml", "losses.text={ kind = \"class-head\" }", &["network.head = absent"]);
    for (setting, expected) in [
        ("network.head.hidden_width=0", "network.head.hidden_width = 0"),
        ("teacher=nano", "teacher = nano"),
        ("network.head.dropout=1.0", "network.head.dropout = 1"),
        ("network.groups=0", "network.tower.encoder"),
        ("data.validation={ path = \"set\", class_list = \"lvis.csv\" }", "data.validation.class_list"),
    ] {
        let error = recipe("classify.toml", &["data=models", setting]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    check("ulip2.toml", "network.input.n_points=0", &["network.input.n_points = 0"]);
    check(
        "ulip2.toml",
        "logit_scale.bounds=[5, 1]",
        &["logit_scale.bounds = [5, 1]", "lowest, then the highest"],
    );
    check("ulip2.toml", "losses={}", &["losses", "at least one term"]);
    check("ulip2.toml", "param_groups={}", &["param_groups", "must train something"]);
    check("nano.toml", "losses.captions.between=[\"shape\", \"image\"]", &["losses.captions", "teacher"]);
    check("openshape.toml", "losses.text.negatives=hard", &["losses.text", "batch.hard_negatives"]);
    check(
        "nano.toml",
        "batch.hard_negatives={ group_size = 2, neighbors = 3, margin = 0.1 }",
        &["batch.hard_negatives", "teacher"],
    );
    check(
        "cg3d.toml",
        "batch.hard_negatives={ group_size = 2, neighbors = 3, margin = 0.1 }",
        &["batch.hard_negatives", "needs network.prompts = 0"],
    );
    check(
        "openshape.toml",
        "batch.hard_negatives={ group_size = 5, neighbors = 3, margin = 0.1 }",
        &["batch.hard_negatives.neighbors = 3", "at least group_size - 1"],
    );
    check(
        "openshape.toml",
        "batch={ size = { shapes = 8 }, same_category = 2, hard_negatives = { group_size = 2, neighbors = 3, margin = 0.1 } }",
        &["batch.same_category = 2", "cannot be combined with batch.hard_negatives"],
    );
    check(
        "duoduo.toml",
        "data.validation={ path = \"lvis\", views = 0 }",
        &["data.validation.views = 0", "at least 1"],
    );
    check(
        "nano.toml",
        "data.validation={ path = \"lvis\", class_features = \"lvis.npy\" }",
        &["data.validation.class_features", "requires a teacher"],
    );
    check(
        "ulip2.toml",
        "augment.before_sampling=[{ kind = \"shift\", max = 0.1 }]",
        &["farthest-normalized"],
    );
    check("cg3d.toml", "data.templates=cgd3", &["a list of sentences, or the name of one"]);
}

/// Conflicts that only show once network and shapes are loaded.
#[test]
fn conflicts_with_network_or_shapes_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let infinite = ["augment.points=[{ kind = \"scale\", low = inf, high = inf }]"];
    let muon = ["param_groups.attention.optimizer={ kind = \"muon\" }"];
    let large = ["batch.size.shapes=13"];
    for (name, settings, parts) in [
        ("duoduo-nano.toml", [SMALL, &muon].concat(), ["param_groups.attention", "has shape ["]),
        (
            "duoduo-nano.toml",
            [SMALL, &large].concat(),
            ["batch.size", "up to 13 shapes per batch, but only 12"],
        ),
        (
            "ulip2.toml",
            [TINY_ENCODER, WITH_TEACHER, SHAPES, FEW_GROUPS, &infinite].concat(),
            ["of cloud 0 is not finite", "point"],
        ),
    ] {
        let recipe = recipe(name, &[&settings, DATA].concat()).unwrap();
        let error = fit(&recipe, &folder.path().join(name), &FitOptions::default(), &mut |_| {});
        let error = error.unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{settings:?}: {error}");
    }
    // Sampled with replacement, few shapes fill any batch.
    let drawn = [SMALL, &large, &["batch.order=with-replacement"], DATA, &["run.steps=1"]].concat();
    let recipe = recipe("duoduo-nano.toml", &drawn).unwrap();
    fit(&recipe, &folder.path().join("drawn"), &FitOptions::default(), &mut |_| {}).unwrap();
}

/// Scaling 4 of OpenShape with a projection to the width of ViT-bigG-14.
#[test]
fn openshape_has_the_papers_number_of_parameters() {
    let recipe = recipe("openshape.toml", &["network.tower.projection.dim=1280"]).unwrap();
    let NetworkConfig::Points(network) = recipe.network else { panic!("no encoder of clouds") };
    let tower =
        PointTower::load(&WeightSource::random(0, &Device::flex().autodiff()), &network.tower.unwrap())
            .unwrap();
    let trained = parameters(&tower).into_iter().filter(|parameter| parameter.requires_grad);
    assert_eq!(trained.map(|parameter| parameter.count()).sum::<usize>(), 32_326_080);
}

#[test]
fn recipes_have_their_papers_hyperparameters() {
    let cg3d = recipe("cg3d.toml", &[]).unwrap();
    assert_eq!((cg3d.data.templates.len(), cg3d.data.points, cg3d.network.n_points()), (63, 8192, 1024));
    assert!(!cg3d.data.templates.iter().any(|said| said.contains("point cloud")));
    let epoch = cg3d.batch.steps_per_epoch(cg3d.data.shapes);
    assert_eq!((epoch % 2, cg3d.run.steps), (1, StepsOrEpochs::Epochs { epochs: 101.0 }));
    assert_eq!(recipe("ulip2.toml", &[]).unwrap().logit_scale.bounds, Some([0.0, 4.6052]));
    assert_eq!(recipe("ulip2.toml", &["data.templates=ulip"]).unwrap().data.templates.len(), 64);
}

#[test]
fn farthest_points_keep_their_colors() {
    let positions: Vec<_> = (0..40).map(|i| glam::Vec3::new(i as f32 / 40.0 + 0.1, 0.2, 0.0)).collect();
    let cloud = PreparedCloud { colors: positions.clone(), positions };
    let kept = cloud.clone().farthest(3);
    assert_eq!(kept.positions, kept.colors);
    let [first, second, third] = [0, 39, 19].map(|at: usize| cloud.positions[at]);
    assert_eq!(kept.positions[..2], [first, second]);
    assert!((kept.positions[2] - third).length() < 0.05);
    assert_eq!(cloud.clone().farthest(40), cloud);
}
