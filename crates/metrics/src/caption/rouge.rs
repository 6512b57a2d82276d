//! ROUGE-L (<https://aclanthology.org/W04-1013>): how long a common subsequence of words is.

use super::{CaptionItem, CaptionScores, check_items};
use crate::MetricsError;

/// How much more recall counts than precision.
const BETA: f64 = 1.2;

/// ROUGE-L of each item, and their mean. Precision and recall are those of the best reference, each by itself.
///
/// # Errors
/// If there are no items, or one has no reference.
pub fn rouge_l(items: &[CaptionItem]) -> Result<CaptionScores, MetricsError> {
    check_items(items)?;
    Ok(CaptionScores::mean_of(items.iter().map(score).collect()))
}

fn score(item: &CaptionItem) -> f64 {
    let candidate = tokens(&item.candidate);
    let (mut precision, mut recall) = (0.0_f64, 0.0_f64);
    for reference in &item.references {
        let reference = tokens(reference);
        let common = longest_common_subsequence(&candidate, &reference) as f64;
        precision = precision.max(common / candidate.len() as f64);
        recall = recall.max(common / reference.len() as f64);
    }
    if precision == 0.0 || recall == 0.0 {
        return 0.0;
    }
    (1.0 + BETA * BETA) * precision * recall / (recall + BETA * BETA * precision)
}

/// Tokens between single spaces: an empty caption is one empty token, as in the reference, where two of them are equal.
fn tokens(caption: &str) -> Vec<&str> {
    caption.split(' ').collect()
}

/// Length of the longest common subsequence.
fn longest_common_subsequence(a: &[&str], b: &[&str]) -> usize {
    // lengths[j] is that of the words of `a` so far and the first j of `b`.
    let mut lengths = vec![0; b.len() + 1];
    for word in a {
        let mut diagonal = 0;
        for (j, other) in b.iter().enumerate() {
            let above = lengths[j + 1];
            lengths[j + 1] = if word == other { diagonal + 1 } else { above.max(lengths[j]) };
            diagonal = above;
        }
    }
    lengths[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsequences() {
        let check = |a, b, expected| {
            assert_eq!(longest_common_subsequence(&tokens(a), &tokens(b)), expected, "{a}, {b}");
            assert_eq!(longest_common_subsequence(&tokens(b), &tokens(a)), expected, "{b}, {a}");
        };
        // The examples of section 3.1.
        check("police killed the gunman", "police kill the gunman", 3);
        check("police killed the gunman", "the gunman kill police", 2);
        check("a b c", "d e", 0);
        check("a a a", "a b a", 2);
        check("", "a", 0);
    }

    #[test]
    fn precision_and_recall_may_come_from_different_references() {
        let references = ["a red chair", "chair"].map(str::to_owned).to_vec();
        let item = CaptionItem { candidate: "a big red chair".to_owned(), references };
        let (precision, recall) = (0.75, 1.0);
        let expected = (1.0 + 1.44) * precision * recall / (recall + 1.44 * precision);
        assert!((rouge_l(&[item]).unwrap().corpus - expected).abs() < 1e-12);
    }
}
