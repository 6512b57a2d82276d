//! Three training steps of Duoduo CLIP against the reference (`fixtures/duoduo_tiny`).

mod support;

use std::collections::BTreeMap;

use burn::module::{Module as _, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use lexiform_golden::check;
use lexiform_model::clip::ClipVision;
use lexiform_model::{JointModel, OpenOptions};
use lexiform_train::GroupConfig;
use lexiform_train::loss::{Negatives, contrastive};
use lexiform_train::optim::ParameterGroups;
use lexiform_train::optim::parameters::{freeze_except, parameters, with_stable_ids};
use lexiform_train::{Recipe, RunPosition, Schedule};
use support::{Golden, values};

/// Sums in another order than in the reference.
const LOSS: f64 = 1e-5;
const GRADIENT: f64 = 1e-4;
/// Adam divides by the size of the gradient: errors of small gradients weigh as much as those of large ones.
const WEIGHT: f64 = 1e-4;

#[derive(burn::module::Module, Debug)]
struct Student {
    vision: ClipVision,
    logit_scale: Param<Tensor<1>>,
}

/// Groups and schedule of `recipes/duoduo.toml`, with the fixture's epochs.
fn groups() -> (BTreeMap<String, GroupConfig>, Schedule) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/duoduo.toml");
    let recipe = Recipe::read(&path, &["schedule.epochs=3".to_owned()]).unwrap();
    (recipe.param_groups, recipe.schedule)
}

/// Name of a parameter in the reference.
fn reference_name(name: &str) -> String {
    match name.strip_prefix("vision.") {
        None => format!("contrastive_loss.{name}"),
        Some(rest) => format!(
            "duoduoclip.visual.{}",
            rest.replace("in_proj.weight", "in_proj_weight").replace("in_proj.bias", "in_proj_bias")
        ),
    }
}

/// `[input, output]` as here → `[output, input]` as in the reference.
fn as_reference(values: Vec<f64>, dims: &[usize]) -> Vec<f64> {
    let [rows, columns] = *dims else { return values };
    (0..columns).flat_map(|c| (0..rows).map(move |r| (r, c))).map(|(r, c)| values[r * columns + c]).collect()
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn three_steps() {
    let inputs = Golden::shared("duoduo_tiny/train_inputs.safetensors");
    let expected = Golden::shared("duoduo_tiny/train_expected.safetensors");
    let device = Device::flex().autodiff();
    let options = OpenOptions { device: device.clone(), ..OpenOptions::default() };
    let checkpoint = support::fixtures().join("duoduo_tiny/model.ckpt");
    let model = JointModel::open(&checkpoint.to_string_lossy(), &options).unwrap();
    let config = model.config().clone();
    let scale = Tensor::<1>::from_floats([2.658_86], &device);
    let student =
        with_stable_ids(Student { vision: model.vision().clone(), logit_scale: Param::from_tensor(scale) });
    let (configs, schedule) = groups();
    let mut groups = ParameterGroups::new(&configs, schedule, Some(config.joint_from), &student).unwrap();
    let mut student = freeze_except(student, &groups.ids());
    let trained = parameters(&student).into_iter().filter(|p| p.requires_grad).count();
    assert_eq!(trained, 9);

    let losses = expected.values("losses");
    for step in 0..3 {
        let views = inputs.shape(&format!("step{step}/mv_images"))[1];
        let pixels = pixels(&inputs.values(&format!("step{step}/mv_images")), 4 * views, &device);
        let features = student.vision.encode(pixels, views, config.joint_from);
        let target = |kind: &str| inputs.tensor::<2>(&format!("step{step}/{kind}_features"), &device);
        let scale = student.logit_scale.val();
        let to_image = contrastive(features.clone(), target("image"), scale.clone(), &Negatives::All);
        let to_text = contrastive(features.clone(), target("text"), scale, &Negatives::All);
        let total = to_image.clone() + to_text.clone();
        let found: Vec<f64> = [&to_image, &to_text, &total].iter().flat_map(|t| values(t)).collect();
        check(&format!("losses of step {step}"), &found, &losses[3 * step..3 * step + 3], LOSS);
        let gradients = GradientsParams::from_grads(total.backward(), &student);
        if step == 0 {
            check("features", &values(&features), &expected.values("step0/mv_image_features"), LOSS);
            check_gradients(&student, &gradients, &expected);
        }
        let position = RunPosition { step, steps: 3, steps_per_epoch: 1 };
        let rate = groups.iter().next().unwrap().learning_rate(position);
        check("rate", &[rate], &expected.values("lrs")[step..=step], 1e-9);
        student = groups.step(student, gradients, position).0;
    }
    let finished = lexiform_train::optim::parameters::values(&student.valid());
    for parameter in parameters(&student).into_iter().filter(|p| p.requires_grad) {
        let name = reference_name(&parameter.name);
        let found = as_reference(finished[&parameter.name].iter::<f64>().collect(), &parameter.dims);
        let expected = expected.values(&format!("final/{name}"));
        if name.ends_with("in_proj_bias") {
            // Keys' biases change no attention: their gradient is rounding noise, which Adam makes as large as any
            // other.
            let third = found.len() / 3;
            check(&format!("{name} of queries"), &found[..third], &expected[..third], WEIGHT);
            check(&format!("{name} of values"), &found[2 * third..], &expected[2 * third..], WEIGHT);
        } else {
            check(&name, &found, &expected, WEIGHT);
        }
    }
}

fn check_gradients(student: &Student, gradients: &GradientsParams, expected: &Golden) {
    for parameter in parameters(student).into_iter().filter(|p| p.requires_grad) {
        let found: Vec<f64> = match parameter.dims.len() {
            1 => values(&gradients.get::<1>(parameter.id).unwrap()),
            _ => values(&gradients.get::<2>(parameter.id).unwrap()),
        };
        let name = reference_name(&parameter.name);
        let key = format!("step0/grad/{name}");
        check(&key, &as_reference(found, &parameter.dims), &expected.values(&key), GRADIENT);
    }
}

/// Bytes → normalized pixels, without crop, as the fixture was made.
fn pixels(bytes: &[f64], images: usize, device: &Device) -> Tensor<4> {
    let mean = [0.481_454_66, 0.457_827_5, 0.408_210_73];
    let deviation = [0.268_629_54, 0.261_302_58, 0.275_777_11];
    let values: Vec<f32> = bytes
        .iter()
        .enumerate()
        .map(|(i, byte)| {
            let channel = i / (64 * 64) % 3;
            ((byte / 255.0 - mean[channel]) / deviation[channel]) as f32
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [images, 3, 64, 64]), device)
}
