//! Loss terms on rows without captions, and unsupported combinations.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_train::Gather;
use lexiform_train::LossTermConfig;
use lexiform_train::RunPosition;
use lexiform_train::loss::BatchLabels;
use lexiform_train::loss::{BatchFeatures, Objective};

/// Rows with a caption, of six.
const CAPTIONED_ROWS: [usize; 4] = [0, 2, 3, 5];
/// Sums of fewer rows in another order.
const TOLERANCE: f32 = 1e-5;

fn term(text: &str) -> BTreeMap<String, LossTermConfig> {
    BTreeMap::from([("text".to_owned(), toml::from_str(text).unwrap())])
}

/// Features of some rows, on one device or two.
fn features(rows: &[usize], ranks: usize) -> Vec<BatchFeatures> {
    let feature = |rows: &[usize], salt: usize| {
        let number = |k: usize| (((rows[k / 4] * 4 + k % 4) * 7919 + salt * 31) % 2017) as f32 / 1008.5 - 1.0;
        let numbers: Vec<f32> = (0..rows.len() * 4).map(number).collect();
        Tensor::<2>::from_data(TensorData::new(numbers, [rows.len(), 4]), &Device::flex())
    };
    // The first three rows are on the first device.
    let parts = match ranks {
        1 => vec![rows],
        _ => {
            let (first, second) = rows.split_at(rows.iter().filter(|row| **row < 3).count());
            vec![first, second]
        }
    };
    let of = |part: &[usize]| BatchFeatures {
        shape: feature(part, 0),
        text: Some(feature(part, 1)),
        image: Some(feature(part, 2)),
        class_text: None,
        class_logits: None,
    };
    parts.into_iter().map(of).collect()
}

fn labels(rows: &[usize]) -> BatchLabels {
    let of = |list: [usize; 6]| rows.iter().map(|row| list[*row]).collect();
    BatchLabels {
        categories: of([1, 1, 1, 2, 2, 1]),
        is_class_name: rows.iter().map(|row| row % 2 == 0).collect(),
        caption_ids: of([0, 1, 2, 2, 1, 0]),
        has_text: rows.iter().map(|row| CAPTIONED_ROWS.contains(row)).collect(),
        groups: of([0, 0, 0, 1, 1, 1]),
        // Of the rows with captions, those of the first group fit worse by less, those of the second by more.
        margin: 1.65,
    }
}

/// The value of the only term.
fn value(objective: &Objective, rows: &[usize], ranks: usize) -> f32 {
    let scale = Tensor::from_floats([1.5], &Device::flex());
    let position = RunPosition { step: 0, steps: 1, steps_per_epoch: 1 };
    let value = objective.evaluate(&features(rows, ranks), &labels(rows), &scale, position);
    value.total.unwrap().into_scalar::<f32>()
}

/// Accuracies agree with a count row by row.
#[test]
fn accuracies_agree_with_a_count() {
    let all: Vec<usize> = (0..6).collect();
    let shown = features(&all, 1).remove(0);
    let rows_of = |tensor: &Tensor<2>| -> Vec<Vec<f32>> {
        let numbers: Vec<f32> = tensor.to_data().iter::<f32>().collect();
        numbers.chunks(4).map(<[f32]>::to_vec).collect()
    };
    let cosine = |a: &[f32], b: &[f32]| {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let largest =
        |scores: Vec<f32>| (0..scores.len()).max_by(|i, j| scores[*i].total_cmp(&scores[*j])).unwrap();
    let [shape, text] = [Some(&shown.shape), shown.text.as_ref()].map(|tensor| rows_of(tensor.unwrap()));
    // Three categories; the labels name the second and the third.
    let (nouns, scores) = (features(&[0, 4, 2], 1).remove(0).shape, features(&all, 1).remove(0).shape);
    let categories = labels(&all).categories;
    let share = |rows: &[usize], right: &dyn Fn(usize) -> bool| {
        rows.iter().filter(|row| right(**row)).count() as f64 / rows.len() as f64
    };
    let expected = [
        (
            "kind = \"contrastive\"",
            share(&CAPTIONED_ROWS, &|row| {
                CAPTIONED_ROWS
                    [largest(CAPTIONED_ROWS.iter().map(|other| cosine(&shape[row], &text[*other])).collect())]
                    == row
            }),
        ),
        (
            "kind = \"class-text\"",
            share(&all, &|row| {
                largest(rows_of(&nouns).iter().map(|noun| cosine(&shape[row], noun)).collect())
                    == categories[row]
            }),
        ),
        (
            "kind = \"class-head\"",
            share(&all, &|row| largest(rows_of(&scores)[row].clone()) == categories[row]),
        ),
    ];
    let scale = Tensor::from_floats([1.5], &Device::flex());
    let position = RunPosition { step: 0, steps: 1, steps_per_epoch: 1 };
    for (text, expected) in expected {
        let shown = BatchFeatures {
            class_text: Some(nouns.clone()),
            class_logits: Some(scores.clone()),
            ..shown.clone()
        };
        let objective = Objective::new(&term(text), Gather::WithGradient).unwrap();
        let found = objective.evaluate(&[shown], &labels(&all), &scale, position).accuracies["text"];
        assert!((found - expected).abs() < 1e-9, "{text}: {found}, expected {expected}");
    }
    let cosine = Objective::new(&term("kind = \"cosine\""), Gather::WithGradient).unwrap();
    assert!(cosine.evaluate(&[shown], &labels(&all), &scale, position).accuracies.is_empty());
}

/// Rows without a caption have no effect; and all kinds of loss differ.
#[test]
fn rows_without_a_caption_are_skipped() {
    let kinds = [
        ("kind = \"contrastive\"", 1),
        ("kind = \"contrastive\"\nnegatives = \"mask-same-category\"", 1),
        ("kind = \"multi-positive\"", 1),
        ("kind = \"sigmoid\"", 1),
        ("kind = \"cosine\"", 1),
        ("kind = \"contrastive\"", 2),
    ];
    let mut found = Vec::new();
    for (text, ranks) in kinds {
        let gather = if ranks == 1 { Gather::WithGradient } else { Gather::Detached };
        let objective = Objective::new(&term(text), gather).unwrap();
        let (some, all) =
            (value(&objective, &[0, 1, 2, 3, 4, 5], ranks), value(&objective, &CAPTIONED_ROWS, ranks));
        assert!((some - all).abs() < TOLERANCE, "{text}: {some}, of the rows with captions alone {all}");
        found.push(some);
    }
    // On two devices the mean over both is the whole's; every other kind has a value of its own.
    let (last, rest) = found.split_last().unwrap();
    assert!((last - rest[0]).abs() < TOLERANCE, "{found:?}");
    for (i, value) in rest.iter().enumerate() {
        assert!(rest[..i].iter().all(|other| (other - value).abs() > 1e-3), "{found:?}");
    }
}

#[test]
fn hard_negatives_are_cut_to_rows_with_captions() {
    let mut terms = term("kind = \"contrastive\"\nnegatives = \"hard\"");
    assert!(Objective::new(&terms, Gather::WithGradient).is_err(), "hard negatives need image features");
    // Active in odd steps only, which this is not.
    let image = "kind = \"contrastive\"\nbetween = [\"shape\", \"image\"]\nstep_parity = \"odd\"";
    terms.extend(term(image).into_values().map(|term| ("image".to_owned(), term)));
    let hard = Objective::new(&terms, Gather::WithGradient).unwrap();
    let (some, all) = (value(&hard, &[0, 1, 2, 3, 4, 5], 1), value(&hard, &CAPTIONED_ROWS, 1));
    assert!((some - all).abs() < TOLERANCE, "{some} {all}");
    let plain = Objective::new(&term("kind = \"contrastive\""), Gather::WithGradient).unwrap();
    assert!((some - value(&plain, &CAPTIONED_ROWS, 1)).abs() > 1e-3, "hard negatives are plain ones");
}

#[test]
fn detached_gathering_supports_plain_terms_only() {
    for (text, fits) in [
        ("kind = \"contrastive\"", true),
        ("kind = \"cosine\"", true),
        ("kind = \"class-text\"", true),
        ("kind = \"contrastive\"\nnegatives = \"mask-same-category\"", false),
        ("kind = \"multi-positive\"", false),
        ("kind = \"sigmoid\"", false),
    ] {
        let objective = Objective::new(&term(text), Gather::Detached);
        assert_eq!(objective.is_ok(), fits, "{text}");
        if let Err(error) = objective {
            assert!(error.to_string().contains("losses.text: run.gather"), "{error}");
        }
    }
}
