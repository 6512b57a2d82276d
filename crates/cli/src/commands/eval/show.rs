//! Results as text.

use lexiform_eval::DirectionResult;
use lexiform_eval::report::{Measured, NamedClass};
use lexiform_metrics::Interval;
use lexiform_metrics::paired::Paired;

use crate::output::{self, Align};

/// Wrong labels shown for one.
const TAKEN_FOR: usize = 5;

/// A share with its interval, in percent.
pub(crate) fn with_interval(share: f64, interval: Interval) -> String {
    format!("{:.1} ({:.1}–{:.1})", 100.0 * share, 100.0 * interval.low, 100.0 * interval.high)
}

/// Every label's share.
pub(crate) fn classes(measured: &Measured) -> std::io::Result<()> {
    let columns = [
        ("label", Align::Left),
        ("shapes", Align::Right),
        ("right", Align::Right),
        ("taken for", Align::Left),
    ];
    let row = |class: &NamedClass| {
        let taken = class.taken_for.iter().take(TAKEN_FOR).map(|t| match t.count {
            1 => t.label.clone(),
            n => format!("{} ×{n}", t.label),
        });
        let taken = taken.collect::<Vec<_>>().join(", ");
        vec![class.label.clone(), class.shapes.to_string(), class.right.to_string(), taken]
    };
    let rows: Vec<Vec<String>> = measured.classes.iter().map(row).collect();
    output::line(output::table(&columns, &rows))
}

/// One line for a single result.
pub(crate) fn totals(measured: &Measured) -> std::io::Result<()> {
    let i = &measured.intervals;
    let shares = [
        ("top 1", measured.top_1, i.top_1),
        ("top 3", measured.top_3, i.top_3),
        ("top 5", measured.top_5, i.top_5),
        ("class average", measured.class_average, i.class_average),
    ];
    let shares = shares.map(|(name, share, interval)| format!("{name} {} %", with_interval(share, interval)));
    output::line(format!("{} ({} shapes, {} labels)", shares.join(", "), measured.shapes, measured.labels))
}

/// Several results, one a row, each compared with the first.
pub(crate) fn side_by_side(results: &[Measured]) -> std::io::Result<()> {
    let columns = [
        ("model", Align::Left),
        ("top 1", Align::Right),
        ("top 3", Align::Right),
        ("top 5", Align::Right),
        ("class average", Align::Right),
        ("top 1 less the first's", Align::Right),
        ("p", Align::Right),
    ];
    let row = |m: &Measured| {
        let i = &m.intervals;
        let [difference, p] = m.against_first.as_ref().map_or_else(Default::default, paired);
        vec![
            m.name(),
            with_interval(m.top_1, i.top_1),
            with_interval(m.top_3, i.top_3),
            with_interval(m.top_5, i.top_5),
            with_interval(m.class_average, i.class_average),
            difference,
            p,
        ]
    };
    output::line(output::table(&columns, &results.iter().map(row).collect::<Vec<_>>()))
}

/// As a table; several models stand below each other in every direction.
pub(crate) fn directions(lines: &[DirectionResult]) -> anyhow::Result<()> {
    let several = lines.iter().any(|line| line.model != lines[0].model || line.against_first.is_some());
    let mut columns = vec![("direction", Align::Left)];
    columns.extend(several.then_some(("model", Align::Left)));
    let numbers =
        ["queries", "gallery", "R@1", "R@3", "R@5", "R@10", "NDCG@5", "mAP", "median rank", "mean rank"];
    columns.extend(numbers.map(|name| (name, Align::Right)));
    if several {
        columns.extend([("R@1 less the first's", Align::Right), ("p", Align::Right)]);
    }
    let row = |line: &DirectionResult| {
        let (n, i) = (&line.counted.scores, &line.intervals);
        let mut row = vec![line.direction.to_owned()];
        row.extend(several.then(|| line.model.clone()));
        row.extend([line.counted.queries, line.counted.gallery].map(|count| count.to_string()));
        row.extend(n.recall.iter().zip(i.recall).map(|(share, interval)| with_interval(*share, interval)));
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

/// Difference with its interval, and the probability of as large a one by chance.
pub(crate) fn paired(paired: &Paired) -> [String; 2] {
    let percent = |x: f64| format!("{:+.1}", 100.0 * x);
    let Interval { low, high } = paired.interval;
    [
        format!("{} ({} to {})", percent(paired.difference), percent(low), percent(high)),
        format!("{:.3}", paired.p_value),
    ]
}
