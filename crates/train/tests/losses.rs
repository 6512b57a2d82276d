//! Losses, gradients and learning rates against the reference implementations (`fixtures/training`).

mod support;

use std::path::Path;

use burn::tensor::{Device, Tensor};
use lexiform_golden::check;
use lexiform_train::Gather;
use lexiform_train::loss::BatchLabels;
use lexiform_train::loss::{BatchFeatures, Objective};
use lexiform_train::loss::{
    Negatives, accuracy, contrastive, contrastive_gathered, gather, hard_negative_mask, nearest, select_rows,
};
use lexiform_train::{Recipe, RunPosition, Schedule, StepsOrEpochs};
use support::{Golden, values};

/// f32 sums in another order than in the reference.
const LOSS: f64 = 1e-5;
/// Gradients are sums of more terms.
const GRADIENT: f64 = 1e-4;

/// Leaves of the graph: features and the logit scale.
struct Leaves {
    points: Tensor<2>,
    text: Tensor<2>,
    image: Tensor<2>,
    scale: Tensor<1>,
}

impl Leaves {
    fn new(golden: &Golden, scale: &str) -> Self {
        let device = Device::flex().autodiff();
        let leaf = |name: &str| golden.tensor::<2>(name, &device).require_grad();
        Self {
            points: leaf("pc"),
            text: leaf("text"),
            image: leaf("image"),
            scale: golden.tensor::<1>(scale, &device).require_grad(),
        }
    }

    fn check(&self, golden: &Golden, name: &str, total: &Tensor<1>) {
        let gradients = total.backward();
        for (part, leaf) in [("pc", &self.points), ("text", &self.text), ("image", &self.image)] {
            let key = format!("{name}.grad_{part}");
            if golden.names().contains(&key) {
                check(&key, &values(&leaf.grad(&gradients).unwrap()), &golden.values(&key), GRADIENT);
            }
        }
        let key = format!("{name}.grad_logit_scale");
        let found = values(&self.scale.grad(&gradients).unwrap());
        check(&key, &found, &golden.values(&key), GRADIENT);
    }
}

fn check_loss(golden: &Golden, name: &str, loss: &Tensor<1>) {
    check(name, &values(loss), &golden.values(name), LOSS);
}

#[test]
fn one_rank() {
    let golden = Golden::read("training/losses.safetensors");
    for name in ["single", "single64"] {
        let leaves = Leaves::new(&golden, "logit_scale_param");
        let Leaves { points, text, image, scale } = &leaves;
        let to_image = contrastive(points.clone(), image.clone(), scale.clone(), &Negatives::All);
        let to_text = contrastive(points.clone(), text.clone(), scale.clone(), &Negatives::All);
        check_loss(&golden, &format!("{name}.p2i"), &to_image);
        check_loss(&golden, &format!("{name}.p2t"), &to_text);
        let total = to_image + to_text;
        check_loss(&golden, &format!("{name}.loss"), &total);
        leaves.check(&golden, name, &total);
    }
    let leaves = Leaves::new(&golden, "logit_scale_param");
    for (key, other) in [("single.pc_text_acc", &leaves.text), ("single.pc_image_acc", &leaves.image)] {
        let share = matched(&leaves.points, other);
        check(key, &[100.0 * share], &golden.values(key), LOSS);
    }
}

/// Fraction of rows whose most similar row is their own.
fn matched(a: &Tensor<2>, b: &Tensor<2>) -> f64 {
    accuracy(&nearest(a.clone(), b.clone()), |row, found| row == found)
}

/// ULIP gathers without gradient: each rank has its own loss and gradient.
#[test]
fn two_ranks_without_gradient() {
    let golden = Golden::read("training/losses.safetensors");
    for rank in 0..2 {
        let leaves = Leaves::new(&golden, "logit_scale_param");
        // Four rows per rank.
        let halves = |t: &Tensor<2>| [t.clone().slice([0..4, 0..32]), t.clone().slice([4..8, 0..32])];
        let seen = |t: &Tensor<2>| gather(&halves(t), Gather::Detached)[rank].clone();
        let (points, text, image) = (seen(&leaves.points), seen(&leaves.text), seen(&leaves.image));
        let to_image = contrastive_gathered(&points, &image, leaves.scale.clone());
        let to_text = contrastive_gathered(&points, &text, leaves.scale.clone());
        check_loss(&golden, &format!("rank{rank}.p2i"), &to_image);
        check_loss(&golden, &format!("rank{rank}.p2t"), &to_text);
        let gradients = (to_image + to_text).backward();
        let own = leaves.points.grad(&gradients).unwrap().slice([4 * rank..4 * rank + 4, 0..32]);
        let key = format!("rank{rank}.grad_pc");
        check(&key, &values(&own), &golden.values(&key), GRADIENT);
        let key = format!("rank{rank}.grad_logit_scale");
        check(&key, &values(&leaves.scale.grad(&gradients).unwrap()), &golden.values(&key), GRADIENT);
    }
}

/// Gathered with gradient, the mean over ranks has loss and gradient of the whole batch.
#[test]
fn ranks_with_gradient_are_one_batch() {
    let golden = Golden::read("training/losses.safetensors");
    let leaves = Leaves::new(&golden, "logit_scale_param");
    let parts = |t: &Tensor<2>| gather(&t.clone().split(3, 0), Gather::WithGradient);
    let (points, text, image) = (parts(&leaves.points), parts(&leaves.text), parts(&leaves.image));
    let ranks = points.iter().zip(&text).zip(&image).map(|((points, text), image)| {
        let [count, _] = points.own.dims();
        let both = contrastive_gathered(points, image, leaves.scale.clone())
            + contrastive_gathered(points, text, leaves.scale.clone());
        both * (count as f64 / 8.0)
    });
    let total = ranks.reduce(|sum, term| sum + term).unwrap();
    check_loss(&golden, "single.loss", &total);
    leaves.check(&golden, "single", &total);
}

#[test]
fn samples_without_text_have_no_text_term() {
    let golden = Golden::read("training/losses.safetensors");
    let leaves = Leaves::new(&golden, "openshape.logit_scale_param");
    let Leaves { points, text, image, scale } = &leaves;
    let with_text: Vec<usize> = golden.values("openshape.has_text").iter().map(|i| *i as usize).collect();
    let (some_points, some_text) =
        (select_rows(points.clone(), &with_text), select_rows(text.clone(), &with_text));
    let to_text = contrastive(some_points.clone(), some_text.clone(), scale.clone(), &Negatives::All);
    let to_image = contrastive(points.clone(), image.clone(), scale.clone(), &Negatives::All);
    check_loss(&golden, "openshape.loss_text", &to_text);
    check_loss(&golden, "openshape.loss_img", &to_image);
    let found = [matched(&some_points, &some_text), matched(points, image)];
    let expected = [golden.number("openshape.acc_text"), golden.number("openshape.acc_img")];
    check("openshape.acc", &found, &expected, LOSS);
    leaves.check(&golden, "openshape", &(to_text + to_image));
}

/// The recipes' loss terms, as in a run: losses, gradients and accuracies.
#[test]
fn recipes_have_the_papers_losses() {
    let golden = Golden::read("training/losses.safetensors");
    let cases = [
        ("ulip2.toml", "single", "logit_scale_param", ["pc_text_acc", "pc_image_acc"], 100.0),
        ("openshape.toml", "openshape", "openshape.logit_scale_param", ["acc_text", "acc_img"], 1.0),
    ];
    for (name, key, scale, accuracies, whole) in cases {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(name);
        let recipe = Recipe::read(&path, &[]).unwrap();
        let objective = Objective::new(&recipe.losses, recipe.run.gather).unwrap();
        let leaves = Leaves::new(&golden, scale);
        let [rows, _] = leaves.points.dims();
        let with_text: Vec<usize> = match name {
            "ulip2.toml" => (0..rows).collect(),
            _ => golden.values("openshape.has_text").iter().map(|i| *i as usize).collect(),
        };
        let labels = BatchLabels {
            categories: (0..rows).collect(),
            is_class_name: vec![false; rows],
            caption_ids: (0..rows).collect(),
            has_text: (0..rows).map(|row| with_text.contains(&row)).collect(),
            ..BatchLabels::default()
        };
        let features = BatchFeatures {
            shape: leaves.points.clone(),
            text: Some(leaves.text.clone()),
            image: Some(leaves.image.clone()),
            class_text: None,
            class_logits: None,
        };
        let position = RunPosition { step: 0, steps: 1, steps_per_epoch: 1 };
        let value = objective.evaluate(&[features], &labels, &leaves.scale, position);
        let found = ["text", "image"].map(|term| whole * value.accuracies[term]);
        let expected = accuracies.map(|name| golden.number(&format!("{key}.{name}")));
        check(&format!("{key}.acc"), &found, &expected, LOSS);
        leaves.check(&golden, key, &value.total.unwrap());
    }
}

#[test]
fn hard_negatives_that_may_be_true_are_zeroed() {
    let golden = Golden::read("training/losses.safetensors");
    let leaves = Leaves::new(&golden, "openshape.logit_scale_param");
    let Leaves { points, text, image, scale } = &leaves;
    let groups = [0, 0, 0, 0, 1, 1, 1, 1];
    let similarity: Vec<f32> = golden.values("masked.img_text_sim").into_iter().map(|v| v as f32).collect();
    let kept = hard_negative_mask(&groups, &similarity, 0.1, &points.device());
    check("masked.mask", &values(&kept.clone().float()), &golden.values("masked.mask"), 0.0);
    let kept = Negatives::Zeroed(kept);
    let to_text = contrastive(points.clone(), text.clone(), scale.clone(), &kept);
    let to_image = contrastive(points.clone(), image.clone(), scale.clone(), &kept);
    check_loss(&golden, "masked.loss_text", &to_text);
    check_loss(&golden, "masked.loss_img", &to_image);
    leaves.check(&golden, "masked", &(to_text + to_image));
}

fn json(name: &str) -> serde_json::Value {
    let path = support::fixtures().join("training").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn rates_of_ulip_and_openshape() {
    let all = json("schedules.json");
    let rates = |name: &str, schedule: Schedule, peak: f64, steps: usize| {
        for (step, expected) in all[name]["values"].as_object().unwrap() {
            let position = RunPosition { step: step.parse().unwrap(), steps, steps_per_epoch: 10 };
            let found = schedule.rate(peak, position);
            check(&format!("{name} {step}"), &[found], &[expected.as_f64().unwrap()], 1e-9);
        }
    };
    let rise = Schedule::Cosine {
        warmup: StepsOrEpochs::Steps(10),
        warmup_start_lr: Some(1e-6),
        min_lr: 1e-5,
        reach_min: false,
    };
    rates("ulip", rise, 3e-3, 2500);
    rates(
        "openshape_step",
        Schedule::Step { step_size: StepsOrEpochs::Steps(10_000), gamma: 0.967 },
        5e-4,
        100_000,
    );
    let rise = Schedule::Cosine {
        warmup: StepsOrEpochs::Steps(100),
        warmup_start_lr: None,
        min_lr: 0.0,
        reach_min: false,
    };
    rates("openshape_cosine", rise, 1e-3, 1000);
}

#[test]
fn rates_of_cg3d() {
    let all = json("cg3d_rates.json");
    let cases = [
        ("lr_used_pretrain_pt", 5e-5, 100, 0, 0.0),
        ("lr_used_pretrain_pm", 1e-4, 100, 0, 0.0),
        ("lr_used_finetune_pt", 2e-4, 300, 10, 1e-6),
        ("lr_used_finetune_pm", 2e-2, 300, 10, 5e-3),
    ];
    for (name, peak, epochs, warmup, start) in cases {
        let schedule = Schedule::EpochCosine {
            epochs: Some(f64::from(epochs)),
            warmup,
            warmup_start_lr: start,
            min_lr: 1e-6,
            one_epoch_late: true,
        };
        let expected: Vec<f64> =
            all[name].as_array().unwrap().iter().map(|rate| rate.as_f64().unwrap()).collect();
        let position = |epoch: usize| RunPosition { step: 3 * epoch, steps: 0, steps_per_epoch: 3 };
        let found: Vec<f64> = (0..expected.len()).map(|epoch| schedule.rate(peak, position(epoch))).collect();
        check(name, &found, &expected, 1e-9);
    }
}
