//! One training step of ULIP's PointBERT and of OpenShape's encoder against the references: losses, gradients, weights after
//! AdamW, and batch norms in training mode.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use lexiform_golden::check;
use lexiform_model::point::{CloudBatch, FpsStart, PointTower};
use lexiform_model::weights::TensorList;
use lexiform_model::{PointModel, PointModelOptions};
use lexiform_train::loss::{Negatives, contrastive};
use lexiform_train::optim::ParameterGroups;
use lexiform_train::optim::parameters::with_stable_ids;
use lexiform_train::{Recipe, RunPosition, Schedule};
use support::{Golden, clouds, values, with_gradients};

/// Sums in another order than in the reference, over normalized batches of few points.
const LOSS: f64 = 1e-5;
const GRADIENT: f64 = 1e-4;
/// Relative to the learning rate: Adam divides by the size of the gradient, so errors of small gradients weigh as much as those
/// of large ones.
const STEP: f64 = 0.02;

#[derive(Module, Debug)]
struct Student {
    points: PointTower,
    logit_scale: Param<Tensor<1>>,
}

/// What differs between the two references.
struct Case {
    folder: &'static str,
    recipe: &'static str,
    /// Parts of names, ours and the reference's.
    names: &'static [(&'static str, &'static str)],
    losses: [&'static str; 2],
    start: usize,
    rate: f64,
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn ulip() {
    for folder in ["pointbert_tiny_xyz", "pointbert_tiny_rgb"] {
        check_case(&Case {
            folder,
            recipe: "ulip2.toml",
            names: &[
                ("projection.weight", "pc_projection"),
                (".transformer.resblocks.", ".blocks.blocks."),
                (".attn.in_proj_weight", ".attn.qkv.weight"),
                (".attn.out_proj.", ".attn.proj."),
                (".ln_1.", ".norm1."),
                (".ln_2.", ".norm2."),
                (".mlp.c_fc.", ".mlp.fc1."),
                (".mlp.c_proj.", ".mlp.fc2."),
            ],
            losses: ["loss_p2i", "loss_p2t"],
            start: 0,
            rate: 1e-3,
        });
    }
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn openshape() {
    for folder in ["ppat_tiny_xyz", "ppat_tiny_rgb"] {
        check_case(&Case {
            folder,
            recipe: "openshape.toml",
            names: &[
                ("point_encoder.", "ppat."),
                ("projection.", "proj."),
                (".transformer.resblocks.", ".transformer.layers."),
                (".attn.in_proj_weight", ".0.fn.to_qkv.weight"),
                (".attn.out_proj.", ".0.fn.to_out.0."),
                (".ln_1.", ".0.norm."),
                (".ln_2.", ".1.norm."),
                (".mlp.c_fc.", ".1.fn.net.0."),
                (".mlp.c_proj.", ".1.fn.net.3."),
            ],
            losses: ["loss_img", "loss_text"],
            start: 5,
            rate: 5e-4,
        });
    }
}

fn check_case(case: &Case) {
    let file = |name: &str| Golden::shared(&format!("{}/{name}", case.folder));
    let (inputs, expected) = (file("inputs.safetensors"), file("train_step.safetensors"));
    let device = Device::flex().autodiff();
    let folder = lexiform_golden::shared("fixtures").join(case.folder);
    let options = PointModelOptions { device: device.clone(), ..PointModelOptions::default() };
    let model = PointModel::open(folder.join("model.pt").to_str().unwrap(), &options).unwrap();
    let start = model.logit_scale().unwrap_or_else(|| expected.number("logit_scale_before") as f32);
    let scale = Tensor::<1>::from_floats([start], &device);
    let student =
        with_stable_ids(Student { points: model.tower().clone(), logit_scale: Param::from_tensor(scale) });
    let clouds = clouds(&inputs, "clouds");
    let batch = CloudBatch::new(&clouds, model.config().tower.encoder.colored()).unwrap();

    let embed = student.points.encode(&batch, FpsStart::At(case.start));
    check(&format!("{}: embed", case.folder), &values(&embed), &expected.values("embed"), LOSS);
    let loss = |kind: &str| {
        let target = expected.tensor::<2>(kind, &device);
        contrastive(embed.clone(), target, student.logit_scale.val(), &Negatives::All)
    };
    let (to_image, to_text) = (loss("image"), loss("text"));
    for (name, loss) in case.losses.iter().zip([&to_image, &to_text]) {
        check(&format!("{}: {name}", case.folder), &values(loss), &expected.values(name), LOSS);
    }
    let gradients = GradientsParams::from_grads((to_image + to_text).backward(), &student);
    let mut compared = 0;
    let (graded, without) = with_gradients(&student, &gradients);
    assert!(without.is_empty(), "{without:?}");
    for (name, found) in as_saved(&graded) {
        let Some(key) = reference_key("grad", &name, case, &expected) else { continue };
        check(&format!("{}: {key}", case.folder), &found, &expected.values(&key), GRADIENT);
        compared += 1;
    }
    assert!(compared > 30, "{compared} gradients");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(case.recipe);
    let recipe = Recipe::read(&path, &[format!("param_groups.all.learning_rate={}", case.rate)]).unwrap();
    let mut groups =
        ParameterGroups::new(&recipe.param_groups, Schedule::Constant {}, None, &student).unwrap();
    let position = RunPosition { step: 0, steps: 1, steps_per_epoch: 1 };
    let (after, _) = groups.step(student, gradients, position);
    for (name, found) in as_saved(&after.valid()) {
        let Some(key) = reference_key("after", &name, case, &expected) else { continue };
        let expected = expected.values(&key);
        let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!("{}: {key}: {apart:.1e}", case.folder);
        // A gradient that is only rounding noise may turn its whole step around.
        assert!(apart <= 2.0 * case.rate + 1e-6, "{key}: {apart:e}");
        let many =
            found.iter().zip(&expected).filter(|(a, b)| (*a - *b).abs() > STEP * case.rate + 1e-5).count();
        assert!(is_noise(&name) || many * 20 <= found.len(), "{key}: {many} of {} are apart", found.len());
    }
}

/// Biases before a batch norm, which removes constants: their gradient is rounding noise.
fn is_noise(name: &str) -> bool {
    let before_norms = ["first_conv.0.bias", "first_conv.3.bias", "second_conv.0.bias"];
    before_norms.iter().any(|end| name.ends_with(end)) || name.contains("mlp_convs") && name.ends_with("bias")
}

/// Name of a tensor in the reference, if the fixture has it and it is more than rounding noise.
fn reference_key(kind: &str, name: &str, case: &Case, expected: &Golden) -> Option<String> {
    if kind == "grad" && is_noise(name) {
        return None;
    }
    let renamed = case.names.iter().fold(name.to_owned(), |name, (ours, theirs)| name.replace(ours, theirs));
    let key = format!("{kind}.{renamed}");
    expected.names().contains(&key).then_some(key)
}

/// Tensors by the names that files have; the projection the other way round, as ULIP has it.
fn as_saved(student: &Student) -> BTreeMap<String, Vec<f64>> {
    let mut list = TensorList::default();
    student.points.save(&mut list);
    list.push("logit_scale".to_owned(), student.logit_scale.val());
    let ulip = !list.iter().any(|(name, ..)| name == "projection.bias");
    let values = list.iter().map(|(name, shape, values)| {
        let mut values: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        if let ([rows, columns], true) = (shape, ulip && name == "projection.weight") {
            values = (0..*columns)
                .flat_map(|c| (0..*rows).map(move |r| r * columns + c))
                .map(|i| values[i])
                .collect();
        }
        (name.to_owned(), values)
    });
    values.collect()
}
