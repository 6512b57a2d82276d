//! The confusion matrix as inline SVG: rows are true labels, columns predicted labels.

use lexiform_metrics::ConfusionMatrix;

use super::html_text::escape;

/// Maximum classes drawn; of more, those with most errors.
const MAX_CLASSES: usize = 150;
/// Range of cell sizes in pixels.
const CELL: std::ops::RangeInclusive<f64> = 12.0..=34.0;
/// Preferred width of all cells in pixels.
const WIDTH: f64 = 640.0;
/// Minimum cell size in pixels with room for a number.
const MIN_CELL_FOR_TEXT: f64 = 20.0;
/// Width of a character relative to the font size, generous enough for wide ones.
const CHAR_WIDTH: f64 = 0.62;
/// Maximum characters of a label.
const MAX_LABEL_CHARS: usize = 26;

/// Indices of the classes to draw, ascending: all that occur or are predicted, up to the maximum.
fn shown(confusion: &ConfusionMatrix) -> Vec<usize> {
    let predicted = confusion.predicted_counts();
    let mut classes: Vec<usize> =
        (0..confusion.num_classes()).filter(|c| confusion.support(*c) + predicted[*c] > 0).collect();
    if classes.len() > MAX_CLASSES {
        // Missed items plus false positives: support + predicted − 2 · correct.
        let errors = |c: &usize| confusion.support(*c) + predicted[*c] - 2 * confusion.count(*c, *c);
        classes.sort_by_key(|c| (std::cmp::Reverse(errors(c)), *c));
        classes.truncate(MAX_CLASSES);
        // Back to label order, which related labels often share.
        classes.sort_unstable();
    }
    classes
}

/// The matrix, and the number of occurring classes left out.
pub fn matrix(confusion: &ConfusionMatrix, labels: &[String]) -> (String, usize) {
    let predicted = confusion.predicted_counts();
    let occurring =
        (0..confusion.num_classes()).filter(|c| confusion.support(*c) + predicted[*c] > 0).count();
    let classes = shown(confusion);
    let n = classes.len();
    // Few classes get large cells, many classes a scrollable matrix.
    let cell = (WIDTH / n.max(1) as f64).clamp(*CELL.start(), *CELL.end());
    let font = (cell * 0.82).clamp(10.0, 13.0);
    let names: Vec<String> = classes.iter().map(|c| shortened(&labels[*c])).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as f64;
    let margin = longest * font * CHAR_WIDTH + 10.0;
    let edge = margin + cell * n as f64 + 2.0;
    let mut svg = format!(
        "<svg class=\"matrix\" viewBox=\"0 0 {edge:.0} {edge:.0}\" width=\"{edge:.0}\" height=\"{edge:.0}\" \
         font-size=\"{font:.1}\" role=\"img\" aria-label=\"confusion matrix\">\n"
    );
    svg.push_str(&grid_svg(n, cell, margin));
    for (i, name) in names.iter().enumerate() {
        let middle = margin + cell * (i as f64 + 0.5);
        let end = margin - 6.0;
        let name = escape(name);
        svg.push_str(&format!(
            "<text class=\"l\" x=\"{end:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\
             <text class=\"l\" transform=\"translate({:.1} {end:.1}) rotate(-90)\">{name}</text>\n",
            middle + font * 0.35,
            middle + font * 0.35,
        ));
    }
    for (row, &truth) in classes.iter().enumerate() {
        let items = confusion.support(truth);
        for (column, &answer) in classes.iter().enumerate() {
            let count = confusion.count(truth, answer);
            if count > 0 {
                let place = [margin + cell * column as f64, margin + cell * row as f64];
                svg.push_str(&cell_svg(place, cell, [count, items], [&labels[truth], &labels[answer]]));
            }
        }
    }
    svg.push_str("</svg>");
    (svg, occurring - n)
}

/// A filled cell, with its count if there is room.
fn cell_svg(
    [x, y]: [f64; 2],
    cell: f64,
    [count, items]: [usize; 2],
    [truth, answer]: [&String; 2],
) -> String {
    let share = count as f64 / items.max(1) as f64;
    let kind = if truth == answer { "ok" } else { "no" };
    // An offset keeps rare confusions visible.
    let strength = 0.25 + 0.75 * share;
    let title = match kind {
        "ok" => format!("{}: {count} of {items} correct", escape(truth)),
        _ => format!("{}: {count} of {items} predicted as {}", escape(truth), escape(answer)),
    };
    let number = if cell >= MIN_CELL_FOR_TEXT {
        format!(
            "<text class=\"n{}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{count}</text>",
            if strength > 0.6 { " on" } else { "" },
            x + cell / 2.0,
            y + cell / 2.0 + 4.0
        )
    } else {
        String::new()
    };
    format!(
        "<g><title>{title}</title><rect class=\"{kind}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
         fill-opacity=\"{strength:.2}\"/>{number}</g>\n",
        x + 0.5,
        y + 0.5,
        cell - 1.0,
        cell - 1.0
    )
}

/// Grid lines and the diagonal.
fn grid_svg(n: usize, cell: f64, margin: f64) -> String {
    let far = margin + cell * n as f64;
    let line = |i: usize| {
        let at = margin + cell * i as f64;
        format!("M{margin:.1} {at:.1}H{far:.1}M{at:.1} {margin:.1}V{far:.1}")
    };
    let path: String = (0..=n).map(line).collect();
    format!(
        "<path class=\"grid\" d=\"{path}\"/><path class=\"diagonal\" d=\"M{margin:.1} {margin:.1}L{far:.1} {far:.1}\"/>\n"
    )
}

fn shortened(label: &str) -> String {
    if label.chars().count() > MAX_LABEL_CHARS {
        label.chars().take(MAX_LABEL_CHARS - 1).chain(['…']).collect()
    } else {
        label.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lexiform_metrics::Prediction;

    fn confusion(classes: usize) -> (ConfusionMatrix, Vec<String>) {
        let prediction = |truth: usize, answer: usize| Prediction {
            truth,
            rank: 1,
            top_k: vec![answer],
            score: 0.0,
            truth_score: 0.0,
        };
        let predictions: Vec<Prediction> = (0..classes).map(|c| prediction(c, c / 2)).collect();
        let labels = (0..classes).map(|c| format!("class <{c}>")).collect();
        (ConfusionMatrix::from_predictions(&predictions, classes), labels)
    }

    #[test]
    fn cells_have_titles() {
        let (confusion, labels) = confusion(3);
        let (svg, left_out) = matrix(&confusion, &labels);
        assert_eq!(left_out, 0);
        assert_eq!(svg.matches("class=\"ok\"").count(), 1);
        assert_eq!(svg.matches("class=\"no\"").count(), 2);
        assert!(svg.contains("class &lt;1&gt;: 1 of 1 predicted as class &lt;0&gt;"), "{svg}");
        assert!(!svg.contains("class <"));
    }

    #[test]
    fn many_classes_are_cut_to_the_worst_and_none_is_a_matrix_too() {
        let (many, labels) = confusion(400);
        let (svg, left_out) = matrix(&many, &labels);
        assert_eq!(left_out, 250);
        assert!(svg.len() < 100_000);
        let (none, labels) = confusion(0);
        assert!(matrix(&none, &labels).0.ends_with("</svg>"));
    }
}
