//! The report's CSV tables, and reading predictions back.

use lexiform_formats::csv_cell;
use lexiform_metrics::{ConfusionMatrix, Prediction};

use super::classification::ClassificationResult;
use crate::item_results::ItemResult;

/// Header of the table of predictions.
const PREDICTIONS_HEADER: &str = "file,label,predicted,rank,score,truth_score,top_5";

/// The tables of one result.
#[derive(Clone, Debug)]
pub struct ClassificationTables {
    /// One line per label: [`classes_csv`].
    pub classes: String,
    /// The confusion matrix: [`confusion_csv`].
    pub confusion: String,
}

impl ClassificationTables {
    /// The tables of a result and its predictions.
    pub fn new(metrics: &ClassificationResult, predictions: &[Prediction], labels: &[String]) -> Self {
        let confusion = ConfusionMatrix::from_predictions(predictions, labels.len());
        Self { classes: classes_csv(metrics), confusion: confusion_csv(&confusion, labels) }
    }
}

/// The confusion matrix: one line per label with files, one column per label, named by the predicted label.
///
/// ```
/// use lexiform_eval::report::confusion_csv;
/// use lexiform_metrics::{ConfusionMatrix, Prediction};
///
/// let predictions = [([0.9, 0.2], 0), ([0.8, 0.3], 1)];
/// let predictions = predictions.map(|(scores, truth)| Prediction::from_scores(&scores, truth, 1.0));
/// let text = confusion_csv(&ConfusionMatrix::from_predictions(&predictions, 2), &["cup".into(), "vase".into()]);
/// assert_eq!(text, "label,cup,vase\ncup,1,0\nvase,1,0\n");
/// ```
pub fn confusion_csv(confusion: &ConfusionMatrix, labels: &[String]) -> String {
    let cells: Vec<String> = labels.iter().map(|label| csv_cell(label)).collect();
    let mut text = format!("label,{}\n", cells.join(","));
    for (truth, label) in cells.iter().enumerate().filter(|(truth, _)| confusion.support(*truth) > 0) {
        let counts: Vec<String> =
            (0..labels.len()).map(|answer| confusion.count(truth, answer).to_string()).collect();
        text.push_str(&format!("{label},{}\n", counts.join(",")));
    }
    text
}

/// One line per label.
pub fn classes_csv(metrics: &ClassificationResult) -> String {
    let mut text = "label,shapes,correct,correct_top_5,accuracy,false_positives,predicted_as\n".to_owned();
    for class in &metrics.per_class {
        let taken: Vec<String> =
            class.predicted_as.iter().map(|t| format!("{} ({})", t.label, t.count)).collect();
        let accuracy = class.correct as f64 / class.shapes.max(1) as f64;
        text.push_str(&format!(
            "{},{},{},{},{accuracy:.4},{},{}\n",
            csv_cell(&class.label),
            class.shapes,
            class.correct,
            class.correct_top_5,
            class.false_positives,
            csv_cell(&taken.join("; "))
        ));
    }
    text
}

/// One line per file, in the order of the predictions.
pub fn predictions_csv(files: &[String], predictions: &[Prediction], labels: &[String]) -> String {
    let mut text = format!("{PREDICTIONS_HEADER}\n");
    for (file, p) in files.iter().zip(predictions) {
        let best: Vec<&str> = p.top_k.iter().map(|class| labels[*class].as_str()).collect();
        text.push_str(&format!(
            "{},{},{},{},{:.6},{:.6},{}\n",
            csv_cell(file),
            // The label list's spelling, not the file's, so that `label == predicted` holds for correct rows.
            csv_cell(&labels[p.truth]),
            csv_cell(best.first().copied().unwrap_or_default()),
            p.rank,
            p.score,
            p.truth_score,
            csv_cell(&best.join("; "))
        ));
    }
    text
}

/// Per-file results from the parsed records of [`predictions_csv`].
///
/// # Errors
/// If a column is missing.
pub fn read_predictions<'a>(
    header: &[&str],
    records: impl Iterator<Item = Vec<&'a str>>,
) -> Result<Vec<ItemResult>, String> {
    let column = |name: &str| {
        let found = header.iter().position(|h| h.trim() == name);
        found.ok_or_else(|| format!("expected a column {name}, found {header:?}"))
    };
    let (file, label, predicted) = (column("file")?, column("label")?, column("predicted")?);
    let case = |r: Vec<&str>| ItemResult { item: r[file].to_owned(), is_correct: r[label] == r[predicted] };
    Ok(records.map(case).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_predictions_are_read_back() {
        let labels = ["chair".to_owned(), "say \"table\", it".to_owned()];
        let prediction =
            |truth, answer| Prediction { truth, rank: 1, top_k: vec![answer], score: 0.5, truth_score: 0.25 };
        let text = predictions_csv(
            &["a,b.glb".to_owned(), "c.glb".to_owned()],
            &[prediction(1, 1), prediction(0, 1)],
            &labels,
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], PREDICTIONS_HEADER);
        assert!(lines[1].starts_with("\"a,b.glb\",\"say \"\"table\"\", it\","), "{text}");
        let records = vec![vec!["a", "chair", "chair"], vec!["b", "chair", "table"]];
        let read = read_predictions(&["file", "label", "predicted"], records.into_iter()).unwrap();
        let case = |item: &str, is_correct| ItemResult { item: item.to_owned(), is_correct };
        assert_eq!(read, [case("a", true), case("b", false)]);
        assert!(
            read_predictions(&["file"], std::iter::empty()).unwrap_err().contains("expected a column label")
        );
    }
}
