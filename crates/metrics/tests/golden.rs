//! Metrics compared with scikit-learn, SciPy and NumPy (`xtask/baselines/metrics.py`), and with ULIP's zero-shot head.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use lexiform_golden::fixture;
use lexiform_metrics::bootstrap::{ClassificationIntervals, Resampling};
use lexiform_metrics::probe::{Probe, ProbeConfig};
use lexiform_metrics::retrieval::{RetrievalMetrics, retrieve};
use lexiform_metrics::{
    ClassFeatures, ClassificationMetrics, Features, TemplateAveraging, paired, zero_shot,
};
use safetensors::SafeTensors;
use serde_json::Value;

/// Counts are the same, so only the order of 64-bit sums differs.
const TOLERANCE: f64 = 1e-9;
/// Near a minimum the loss is quadratic in the weights, so that they are known to the square root of its precision.
const WEIGHTS_TOLERANCE: f64 = 1e-6;

struct Golden {
    bytes: Vec<u8>,
    expected: Value,
}

impl Golden {
    fn read() -> Self {
        let expected = std::fs::read_to_string(fixture("eval/metrics.json")).unwrap();
        Self {
            bytes: std::fs::read(fixture("eval/metrics.safetensors")).unwrap(),
            expected: serde_json::from_str(&expected).unwrap(),
        }
    }

    fn features(&self, name: &str) -> Features {
        features(&SafeTensors::deserialize(&self.bytes).unwrap(), name)
    }

    fn indices(&self, name: &str) -> Vec<usize> {
        indices(&SafeTensors::deserialize(&self.bytes).unwrap(), name)
    }
}

/// The last axis is a row.
fn features(file: &SafeTensors<'_>, name: &str) -> Features {
    let dim = *file.tensor(name).unwrap().shape().last().unwrap();
    Features::new(numbers(file, name), dim).unwrap()
}

fn numbers(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    file.tensor(name).unwrap().data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn indices(file: &SafeTensors<'_>, name: &str) -> Vec<usize> {
    let tensor = file.tensor(name).unwrap();
    tensor.data().as_chunks().0.iter().map(|b| usize::try_from(i64::from_le_bytes(*b)).unwrap()).collect()
}

fn check(what: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() < TOLERANCE, "{what}: {found}, expected {expected}");
}

fn check_all(what: &str, found: &[f64], expected: &Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    found.iter().zip(expected).for_each(|(found, expected)| check(what, *found, expected));
}

fn firsts(predictions: &[lexiform_metrics::Prediction]) -> Vec<u64> {
    predictions.iter().map(|p| p.top_k[0] as u64).collect()
}

#[test]
fn classification_matches_scikit_learn_for_every_template_averaging() {
    let golden = Golden::read();
    let (sentences, items, truth) =
        (golden.features("sentences"), golden.features("items"), golden.indices("truth"));
    for (name, mean) in [
        ("directions", TemplateAveraging::NormalizeEach),
        ("features", TemplateAveraging::NormalizeMean),
        ("lengths", TemplateAveraging::Unnormalized),
    ] {
        let expected = &golden.expected[name];
        let classes = ClassFeatures::from_sentences(&sentences, 3, mean).unwrap();
        let predictions = zero_shot(&items, &classes, &truth).unwrap();
        let numbers = ClassificationMetrics::from_predictions(&predictions, classes.classes()).unwrap();
        assert_eq!(serde_json::json!(firsts(&predictions)), expected["first"], "{name}");
        for (key, found) in [
            ("top_1", numbers.top_1),
            ("top_3", numbers.top_3),
            ("top_5", numbers.top_5),
            ("mean_class_accuracy", numbers.mean_class_accuracy),
            ("macro_f1", numbers.macro_f1),
        ] {
            check(&format!("{name} {key}"), found, &expected[key]);
        }
    }
}

#[test]
fn intervals_match_numpy_percentiles_of_the_same_samples() {
    let golden = Golden::read();
    let expected = &golden.expected["intervals"];
    let classes =
        ClassFeatures::from_sentences(&golden.features("sentences"), 3, TemplateAveraging::NormalizeEach)
            .unwrap();
    let predictions = zero_shot(&golden.features("items"), &classes, &golden.indices("truth")).unwrap();
    let numbers = ClassificationMetrics::from_predictions(&predictions, classes.classes()).unwrap();
    let resampling = Resampling {
        resamples: expected["resamples"].as_u64().unwrap() as usize,
        seed: expected["seed"].as_u64().unwrap(),
    };
    let found = ClassificationIntervals::from_predictions(&predictions, &numbers, resampling);
    // For a fraction of 1 the interval is exact instead of NumPy's.
    let shares = [numbers.top_1, numbers.top_3, numbers.top_5, numbers.mean_class_accuracy];
    let all = [found.top_1, found.top_3, found.top_5, found.mean_class_accuracy];
    for (place, (share, interval)) in shares.into_iter().zip(all).enumerate() {
        match share {
            1.0 => assert!(interval.low < 1.0 && interval.high == 1.0, "{interval:?}"),
            _ => check("low", interval.low, &expected["low"][place]),
        }
        check("high", interval.high, &expected["high"][place]);
    }
    assert!(shares[0] < 1.0 && shares[3] < 1.0);
}

#[test]
fn retrieval_matches_scikit_learn_with_several_relevant_items() {
    let golden = Golden::read();
    let (queries, gallery) = (golden.features("queries"), golden.features("gallery"));
    let right: Vec<Vec<usize>> = golden
        .indices("right")
        .chunks(gallery.rows())
        .map(|row| (0..row.len()).filter(|i| row[*i] == 1).collect())
        .collect();
    let found = retrieve(&queries, &gallery, &right).unwrap();
    let numbers = RetrievalMetrics::from_results(&found, gallery.rows()).unwrap().scores;
    let expected = &golden.expected["retrieval"];
    check_all("recall", &numbers.recall, &expected["recall"]);
    check_all("recall_all", &numbers.recall_all, &expected["recall_all"]);
    check_all("ndcg", &numbers.ndcg, &expected["ndcg"]);
    check("mean rank", numbers.mean_rank, &expected["mean_rank"]);
    check("median rank", numbers.median_rank, &expected["median_rank"]);
    check("reciprocal rank", numbers.mean_reciprocal_rank, &expected["mean_reciprocal_rank"]);
    check("average precision", numbers.mean_average_precision, &expected["mean_average_precision"]);
}

#[test]
fn the_probe_matches_scikit_learn_logistic_regression() {
    let golden = Golden::read();
    let (items, labels) = (golden.features("probe_items"), golden.indices("probe_labels"));
    let expected = &golden.expected["probe"];
    let config = ProbeConfig {
        c: expected["c"].as_f64(),
        tolerance: 1e-10,
        max_iter: 10_000,
        ..ProbeConfig::default()
    };
    let probe = Probe::train(&items, &labels, 4, &config).unwrap();
    check("loss", probe.loss, &expected["loss"]);
    let predictions = probe.predict(&items, &labels).unwrap();
    assert_eq!(serde_json::json!(firsts(&predictions)), expected["first"]);
    check(
        "accuracy",
        ClassificationMetrics::from_predictions(&predictions, 4).unwrap().top_1,
        &expected["accuracy"],
    );
    let found = (0..4).flat_map(|class| &probe.weights(class)[..items.dim()]);
    for (found, expected) in found.zip(expected["coefficients"].as_array().unwrap()) {
        let expected = expected.as_f64().unwrap();
        assert!((found - expected).abs() < WEIGHTS_TOLERANCE * expected.abs().max(1.0), "{found} {expected}");
    }
}

#[test]
fn the_paired_test_matches_scipy() {
    let expected = &Golden::read().expected["paired"];
    let list = |name: &str| -> Vec<bool> {
        expected[name].as_array().unwrap().iter().map(|b| b.as_bool().unwrap()).collect()
    };
    let found = paired::compare(&list("first"), &list("second"), Resampling::default()).unwrap();
    check("difference", found.difference, &expected["difference"]);
    check("p", found.p_value, &expected["p_value"]);
}

#[test]
fn ulips_zero_shot_head_is_reproduced() {
    let bytes = std::fs::read(fixture("eval/ulip_zero_shot.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let classes =
        ClassFeatures::from_sentences(&features(&file, "template_text"), 3, TemplateAveraging::NormalizeEach)
            .unwrap();
    let largest = |found: &[f32], expected: &[f32]| {
        found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let difference = largest(classes.features().as_slice(), features(&file, "class_embed").as_slice());
    assert!(difference < 1e-6, "class features: {difference:e}");
    let (items, truth) = (features(&file, "pc_embed"), indices(&file, "target"));
    let predictions = zero_shot(&items, &classes, &truth).unwrap();
    let counted = ClassificationMetrics::from_predictions(&predictions, 7).unwrap();
    let logits = features(&file, "logits");
    for (i, prediction) in predictions.iter().enumerate() {
        let expected = lexiform_metrics::top_k(logits.row(i), 5);
        assert_eq!(prediction.top_k, expected, "item {i}");
    }
    // A class without items is NaN there, and absent here.
    let expected = numbers(&file, "per_class_top1");
    assert_eq!(counted.per_class.len(), expected.iter().filter(|share| share.is_finite()).count());
    for class in &counted.per_class {
        assert!((class.accuracy() - f64::from(expected[class.class])).abs() < 1e-6, "{class:?}");
    }
    let top = [counted.top_1, counted.top_3, counted.top_5];
    for (found, percent) in top.iter().zip(numbers(&file, "top1_3_5")) {
        assert!((100.0 * found - f64::from(percent)).abs() < 1e-4, "{found} {percent}");
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let golden = Golden::read();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let classes = ClassFeatures::from_sentences(
                &golden.features("sentences"),
                3,
                TemplateAveraging::NormalizeEach,
            )
            .unwrap();
            let truth = golden.indices("truth");
            let predictions = zero_shot(&golden.features("items"), &classes, &truth).unwrap();
            let numbers = ClassificationMetrics::from_predictions(&predictions, 12).unwrap();
            let intervals =
                ClassificationIntervals::from_predictions(&predictions, &numbers, Resampling::default());
            let probe = Probe::train(&golden.features("items"), &truth, 12, &ProbeConfig::default()).unwrap();
            let named = probe.predict(&golden.features("items"), &truth).unwrap();
            serde_json::to_string(&(predictions, numbers, intervals, named, probe.loss)).unwrap()
        })
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(2), run(5));
}
