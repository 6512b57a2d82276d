//! A network of one hidden layer that scores directions, and how it is learned.

use std::fmt::Write as _;

use lexiform_geometry::upright::N_FEATURES;
use lexiform_shapes::Rng;

use super::shapes::Example;

type Features = [f32; N_FEATURES];

/// How a network is learned.
#[derive(Clone, Copy)]
pub struct Config {
    pub hidden: usize,
    pub epochs: usize,
    pub weight_decay: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self { hidden: 16, epochs: 30, weight_decay: 0.3 }
    }
}

/// Learning rate of AdamW (https://arxiv.org/abs/1711.05101).
const LEARNING_RATE: f32 = 3e-3;
/// Shapes per step.
const BATCH: usize = 64;
/// Standard deviation of noise added to features, which are normalized to 1: shapes differ more than these do.
const NOISE: f32 = 0.05;

/// Weights `[hidden, features]` and `[hidden]`.
#[derive(Clone)]
pub struct Network {
    weights: Vec<Features>,
    bias: Vec<f32>,
    output: Vec<f32>,
}

impl Network {
    fn zeros(hidden: usize) -> Self {
        Self { weights: vec![[0.0; N_FEATURES]; hidden], bias: vec![0.0; hidden], output: vec![0.0; hidden] }
    }

    /// All numbers, one after another.
    fn numbers(&mut self) -> impl Iterator<Item = &mut f32> {
        self.weights.iter_mut().flatten().chain(&mut self.bias).chain(&mut self.output)
    }

    fn hidden(&self, features: &Features) -> Vec<f32> {
        let unit = |(weights, bias): (&Features, &f32)| {
            (weights.iter().zip(features).map(|(w, x)| w * x).sum::<f32>() + bias).tanh()
        };
        self.weights.iter().zip(&self.bias).map(unit).collect()
    }

    pub fn score(&self, features: &Features) -> f32 {
        self.hidden(features).iter().zip(&self.output).map(|(h, o)| h * o).sum()
    }

    /// Adds the gradient of `slope * score(features)`.
    fn add_gradient(&self, features: &Features, slope: f32, into: &mut Self) {
        for (i, hidden) in self.hidden(features).into_iter().enumerate() {
            into.output[i] += slope * hidden;
            let inner = slope * self.output[i] * (1.0 - hidden * hidden);
            into.bias[i] += inner;
            into.weights[i].iter_mut().zip(features).for_each(|(gradient, x)| *gradient += inner * x);
        }
    }

    /// Learns from examples; the weights are for features as they are, not for normalized ones.
    pub fn learn(examples: &[Example], config: Config, seed: u64) -> Self {
        let mut rng = Rng::named("learn up axis", seed);
        let [mean, deviation] = statistics(examples);
        let mut network = Self::zeros(config.hidden);
        let scale = (1.0 / N_FEATURES as f32).sqrt();
        network.numbers().for_each(|number| *number = rng.between(-scale, scale));
        let mut optimizer =
            AdamW { first: Self::zeros(config.hidden), second: Self::zeros(config.hidden), steps: 0 };
        let mut order: Vec<usize> = (0..examples.len()).collect();
        for _ in 0..config.epochs {
            for i in (1..order.len()).rev() {
                order.swap(i, rng.index(i + 1));
            }
            for batch in order.chunks(BATCH) {
                let mut gradient = Self::zeros(config.hidden);
                let total: f32 = batch.iter().map(|i| examples[*i].weight).sum();
                for example in batch.iter().map(|i| &examples[*i]) {
                    let mut normalized = |features: &Features| -> Features {
                        std::array::from_fn(|i| {
                            (features[i] - mean[i]) / deviation[i] + NOISE * gaussian(&mut rng)
                        })
                    };
                    let up = normalized(&example.up);
                    for sideways in example.sideways.iter().map(&mut normalized) {
                        let difference = network.score(&up) - network.score(&sideways);
                        // The slope of ln(1 + e^-difference).
                        let slope = -example.weight / total / 4.0 / (1.0 + difference.exp());
                        network.add_gradient(&up, slope, &mut gradient);
                        network.add_gradient(&sideways, -slope, &mut gradient);
                    }
                }
                optimizer.step(&mut network, gradient, config.weight_decay);
            }
        }
        network.denormalized(&mean, &deviation)
    }

    fn denormalized(mut self, mean: &Features, deviation: &Features) -> Self {
        for (weights, bias) in self.weights.iter_mut().zip(&mut self.bias) {
            for i in 0..N_FEATURES {
                weights[i] /= deviation[i];
                *bias -= weights[i] * mean[i];
            }
        }
        self
    }

    /// One network with the hidden units of all, whose score is the mean of theirs.
    pub fn mean(networks: &[Self]) -> Self {
        let share = 1.0 / networks.len() as f32;
        Self {
            weights: networks.iter().flat_map(|n| n.weights.clone()).collect(),
            bias: networks.iter().flat_map(|n| n.bias.clone()).collect(),
            output: networks
                .iter()
                .flat_map(|n| n.output.iter().map(|o| o * share).collect::<Vec<_>>())
                .collect(),
        }
    }

    /// The tables as Rust source.
    pub fn to_rust(&self) -> String {
        let row = |numbers: &[f32]| {
            let numbers: Vec<String> = numbers.iter().map(|number| format!("{number:.4}")).collect();
            format!("[{}]", numbers.join(", "))
        };
        let hidden = self.bias.len();
        let mut text = String::from(
            "//! Weights of the network that scores directions, written by `crates/shapes/examples/learn_up_axis.rs`.\n\
             #![expect(clippy::approx_constant, reason = \"learned numbers\")]\n\n\
             use super::features::N_FEATURES;\n\n/// `[hidden, features]`.\n#[rustfmt::skip]\n",
        );
        // Writing to a string cannot fail.
        let _ = writeln!(text, "pub(super) const HIDDEN_WEIGHTS: [[f32; N_FEATURES]; {hidden}] = [");
        self.weights.iter().for_each(|weights| text += &format!("    {},\n", row(weights)));
        text += "];\n";
        for (name, numbers) in [("HIDDEN_BIAS", &self.bias), ("OUTPUT_WEIGHTS", &self.output)] {
            let _ = writeln!(
                text,
                "/// `[hidden]`.\n#[rustfmt::skip]\npub(super) const {name}: [f32; {hidden}] = {};",
                row(numbers)
            );
        }
        text
    }
}

/// Fraction of pairs of directions in which the up direction scores higher.
pub fn accuracy(network: &Network, examples: &[Example]) -> f32 {
    let right = |example: &Example| {
        let up = network.score(&example.up);
        example.sideways.iter().filter(|sideways| up > network.score(sideways)).count() as f32 / 4.0
    };
    examples.iter().map(right).sum::<f32>() / examples.len().max(1) as f32
}

/// Mean and standard deviation of every feature, over all directions.
fn statistics(examples: &[Example]) -> [Features; 2] {
    let rows = || examples.iter().flat_map(|example| example.sideways.iter().chain([&example.up]));
    let n = (5 * examples.len()) as f32;
    let mean: Features = std::array::from_fn(|i| rows().map(|row| row[i]).sum::<f32>() / n);
    let deviation = std::array::from_fn(|i| {
        (rows().map(|row| (row[i] - mean[i]).powi(2)).sum::<f32>() / n).sqrt() + 1e-4
    });
    [mean, deviation]
}

/// A normal deviate, close enough: the sum of twelve uniform ones.
fn gaussian(rng: &mut Rng) -> f32 {
    (0..12).map(|_| rng.between(-0.5, 0.5)).sum()
}

/// Moments of the gradients.
struct AdamW {
    first: Network,
    second: Network,
    steps: i32,
}

impl AdamW {
    fn step(&mut self, network: &mut Network, mut gradient: Network, weight_decay: f32) {
        self.steps += 1;
        let (beta_1, beta_2) = (0.9_f32, 0.999_f32);
        let corrections = [1.0 - beta_1.powi(self.steps), 1.0 - beta_2.powi(self.steps)];
        let moments = self.first.numbers().zip(self.second.numbers());
        for ((number, gradient), (first, second)) in network.numbers().zip(gradient.numbers()).zip(moments) {
            *first = beta_1 * *first + (1.0 - beta_1) * *gradient;
            *second = beta_2 * *second + (1.0 - beta_2) * *gradient * *gradient;
            let step = (*first / corrections[0]) / ((*second / corrections[1]).sqrt() + 1e-8);
            *number -= LEARNING_RATE * (step + weight_decay * *number);
        }
    }
}
