//! Result tables for the terminal.

use lexiform_eval::DirectionResult;
use lexiform_eval::report::{ClassResult, ClassificationResult};
use lexiform_metrics::Interval;
use lexiform_metrics::paired::PairedComparison;

use crate::output::{self, Align};

/// Wrong labels listed per class.
const MAX_PREDICTED_AS: usize = 5;

/// A fraction with its confidence interval, in percent.
pub(crate) fn with_interval(share: f64, interval: Interval) -> String {
    format!("{:.1} ({:.1}–{:.1})", 100.0 * share, 100.0 * interval.low, 100.0 * interval.high)
}

/// Per-class accuracy.
pub(crate) fn classes(metrics: &ClassificationResult) -> std::io::Result<()> {
    let columns = [
        ("label", Align::Left),
        ("shapes", Align::Right),
        ("correct", Align::Right),
        ("predicted as", Align::Left),
    ];
    let row = |class: &ClassResult| {
        let taken = class.predicted_as.iter().take(MAX_PREDICTED_AS).map(|t| match t.count {
            1 => t.label.clone(),
            n => format!("{} ×{n}", t.label),
        });
        let taken = taken.collect::<Vec<_>>().join(", ");
        vec![class.label.clone(), class.shapes.to_string(), class.correct.to_string(), taken]
    };
    let rows: Vec<Vec<String>> = metrics.per_class.iter().map(row).collect();
    output::line(output::table(&columns, &rows))
}

/// One summary line for a single result.
pub(crate) fn totals(metrics: &ClassificationResult) -> std::io::Result<()> {
    let i = &metrics.intervals;
    let shares = [
        ("top-1", metrics.top_1, i.top_1),
        ("top-3", metrics.top_3, i.top_3),
        ("top-5", metrics.top_5, i.top_5),
        ("mean class accuracy", metrics.mean_class_accuracy, i.mean_class_accuracy),
    ];
    let shares = shares.map(|(name, share, interval)| format!("{name} {} %", with_interval(share, interval)));
    output::line(format!("{} ({} shapes, {} labels)", shares.join(", "), metrics.shapes, metrics.num_labels))
}

/// Several results, one per row, each compared with the first.
pub(crate) fn side_by_side(results: &[ClassificationResult]) -> std::io::Result<()> {
    let columns = [
        ("model", Align::Left),
        ("top-1", Align::Right),
        ("top-3", Align::Right),
        ("top-5", Align::Right),
        ("mean class accuracy", Align::Right),
        ("top-1 vs. first", Align::Right),
        ("p", Align::Right),
    ];
    let row = |m: &ClassificationResult| {
        let i = &m.intervals;
        let [difference, p] = m.against_first.as_ref().map_or_else(Default::default, paired);
        vec![
            m.name(),
            with_interval(m.top_1, i.top_1),
            with_interval(m.top_3, i.top_3),
            with_interval(m.top_5, i.top_5),
            with_interval(m.mean_class_accuracy, i.mean_class_accuracy),
            difference,
            p,
        ]
    };
    output::line(output::table(&columns, &results.iter().map(row).collect::<Vec<_>>()))
}

/// A table of retrieval results: one row per direction and model.
pub(crate) fn directions(lines: &[DirectionResult]) -> anyhow::Result<()> {
    // The comparison columns appear only with several models.
    let several = lines.iter().any(|line| line.model != lines[0].model || line.against_first.is_some());
    let mut columns = vec![("direction", Align::Left)];
    columns.extend(several.then_some(("model", Align::Left)));
    let numbers =
        ["queries", "gallery", "R@1", "R@3", "R@5", "R@10", "NDCG@5", "mAP", "median rank", "mean rank"];
    columns.extend(numbers.map(|name| (name, Align::Right)));
    if several {
        columns.extend([("R@1 vs. first", Align::Right), ("p", Align::Right)]);
    }
    let row = |line: &DirectionResult| {
        let (n, i) = (&line.counted.scores, &line.intervals);
        let mut row = vec![line.direction.to_owned()];
        row.extend(several.then(|| line.model.clone()));
        row.extend([line.counted.queries, line.counted.gallery].map(|count| count.to_string()));
        row.extend(n.recall.iter().zip(i.recall).map(|(share, interval)| with_interval(*share, interval)));
        // NDCG@5, the one that Text2Shape results are reported with.
        row.push(with_interval(n.ndcg[2], i.ndcg[2]));
        row.push(with_interval(n.mean_average_precision, i.mean_average_precision));
        let ranks = [(n.median_rank, i.median_rank), (n.mean_rank, i.mean_rank)];
        row.extend(
            ranks.map(|(rank, interval)| format!("{rank:.1} ({:.1}–{:.1})", interval.low, interval.high)),
        );
        if several {
            row.extend(line.against_first.as_ref().map_or_else(Default::default, paired));
        }
        row
    };
    Ok(output::line(output::table(&columns, &lines.iter().map(row).collect::<Vec<_>>()))?)
}

/// The difference with its confidence interval, and the p-value.
pub(crate) fn paired(paired: &PairedComparison) -> [String; 2] {
    let percent = |x: f64| format!("{:+.1}", 100.0 * x);
    let Interval { low, high } = paired.interval;
    [
        format!("{} ({} to {})", percent(paired.difference), percent(low), percent(high)),
        format!("{:.3}", paired.p_value),
    ]
}
