//! The report's tables as CSV, and reading the cases back.

use lexiform_metrics::Prediction;

use super::measured::Measured;
use crate::comparison::Case;

/// Columns of the table of cases.
const CASES: &str = "file,label,predicted,rank,score,truth_score,best";

/// One line a label.
pub fn classes_csv(measured: &Measured) -> String {
    let mut text = "label,shapes,right,right_among_5,share,wrongly_given,taken_for\n".to_owned();
    for class in &measured.classes {
        let taken: Vec<String> =
            class.taken_for.iter().map(|t| format!("{} ({})", t.label, t.count)).collect();
        let share = class.right as f64 / class.shapes.max(1) as f64;
        text.push_str(&format!(
            "{},{},{},{},{share:.4},{},{}\n",
            cell(&class.label),
            class.shapes,
            class.right,
            class.right_5,
            class.wrongly_given,
            cell(&taken.join("; "))
        ));
    }
    text
}

/// One line a file, in the order of the predictions.
pub fn cases_csv(files: &[String], predictions: &[Prediction], labels: &[String]) -> String {
    let mut text = format!("{CASES}\n");
    for (file, p) in files.iter().zip(predictions) {
        let best: Vec<&str> = p.best.iter().map(|class| labels[*class].as_str()).collect();
        text.push_str(&format!(
            "{},{},{},{},{:.6},{:.6},{}\n",
            cell(file),
            cell(&labels[p.truth]),
            cell(best.first().copied().unwrap_or_default()),
            p.rank,
            p.score,
            p.truth_score,
            cell(&best.join("; "))
        ));
    }
    text
}

/// A cell, in quotes where it has to be.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Files and whether each is predicted correctly, from the parsed records of [`cases_csv`].
///
/// # Errors
/// If a column is missing.
pub fn read_cases<'a>(
    header: &[&str],
    records: impl Iterator<Item = Vec<&'a str>>,
) -> Result<Vec<Case>, String> {
    let column = |name: &str| {
        let found = header.iter().position(|h| h.trim() == name);
        found.ok_or_else(|| format!("expected a column {name}, found {header:?}"))
    };
    let (file, label, predicted) = (column("file")?, column("label")?, column("predicted")?);
    let case = |r: Vec<&str>| Case { item: r[file].to_owned(), is_right: r[label] == r[predicted] };
    Ok(records.map(case).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_cases_come_back() {
        let labels = ["chair".to_owned(), "say \"table\", it".to_owned()];
        let prediction =
            |truth, answer| Prediction { truth, rank: 1, best: vec![answer], score: 0.5, truth_score: 0.25 };
        let text = cases_csv(
            &["a,b.glb".to_owned(), "c.glb".to_owned()],
            &[prediction(1, 1), prediction(0, 1)],
            &labels,
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], CASES);
        assert!(lines[1].starts_with("\"a,b.glb\",\"say \"\"table\"\", it\","), "{text}");
        let records = vec![vec!["a", "chair", "chair"], vec!["b", "chair", "table"]];
        let read = read_cases(&["file", "label", "predicted"], records.into_iter()).unwrap();
        let case = |item: &str, is_right| Case { item: item.to_owned(), is_right };
        assert_eq!(read, [case("a", true), case("b", false)]);
        assert!(read_cases(&["file"], std::iter::empty()).unwrap_err().contains("expected a column label"));
    }
}
