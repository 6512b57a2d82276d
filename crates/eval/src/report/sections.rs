//! The sections of the page, from the summary to how the results were computed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lexiform_metrics::Interval;

use super::classification::{ClassResult, ClassificationResult};
use super::contents::{HardExample, Report};
use super::html_text::{escape, percent};
use super::matrix::matrix;
use crate::unusable::UnusableFile;

/// Number of most confused pairs listed.
const MAX_PAIRS: usize = 12;

/// Title, summary, and the main metrics with their confidence intervals.
pub(super) fn head(report: &Report) -> String {
    let title = escape(&report.title);
    let Some(first) = report.results.first() else { return format!("<h1>{title}</h1>") };
    // Top-k accuracy of guessing k distinct labels uniformly.
    let chance = |k: usize| percent(k.min(first.num_labels) as f64 / first.num_labels.max(1) as f64);
    let count = |share: f64| (share * first.shapes as f64).round();
    let cards = [
        ("top-1", first.top_1, first.intervals.top_1),
        ("top-3", first.top_3, first.intervals.top_3),
        ("top-5", first.top_5, first.intervals.top_5),
        ("mean class accuracy", first.mean_class_accuracy, first.intervals.mean_class_accuracy),
    ];
    let cards: String = cards.iter().map(|(what, share, interval)| card(what, *share, *interval)).collect();
    format!(
        "<h1>{title}</h1>\n<p class=\"lead\">{} of {} files are classified correctly (top-1) among {} labels; the correct label of {} is in \
         the top 5. Random guessing would give {} and {}.</p>\n<div class=\"cards\">{cards}</div>\n<p class=\"soft\">Shaded: \
         95 % bootstrap confidence interval.</p>",
        count(first.top_1),
        first.shapes,
        first.num_labels,
        count(first.top_5),
        chance(1),
        chance(5),
    )
}

fn card(what: &str, share: f64, interval: Interval) -> String {
    let Interval { low, high } = interval;
    format!(
        "<div class=\"card\"><span class=\"soft\">{what}</span><b>{}</b><div class=\"range\">\
         <i style=\"left:{:.1}%;width:{:.1}%\"></i><u style=\"left:{:.1}%\"></u></div><small>{} to {}</small></div>",
        percent(share),
        100.0 * low,
        100.0 * (high - low),
        100.0 * share,
        percent(low),
        percent(high),
    )
}

/// All results in one table, each compared with the first.
pub(super) fn results(report: &Report) -> String {
    if report.results.len() < 2 {
        return String::new();
    }
    let rows: String = report.results.iter().map(result_row).collect();
    format!(
        "<section><h2>Model comparison</h2>\n<div class=\"scroll\"><table><tr><th>model</th><th class=\"r\">top-1</th>\
         <th class=\"r\">top-3</th><th class=\"r\">top-5</th><th class=\"r\">mean class accuracy</th>\
         <th class=\"r\">top-1 vs. first</th><th class=\"r\">p</th></tr>\n{rows}</table></div>\n<p class=\"soft\">Differences \
         are on common files; p is the two-sided p-value of McNemar’s exact test.</p></section>"
    )
}

fn result_row(result: &ClassificationResult) -> String {
    let with = |share: f64, i: Interval| {
        format!(
            "<td class=\"r\">{} <small>{:.1}–{:.1}</small></td>",
            percent(share),
            100.0 * i.low,
            100.0 * i.high
        )
    };
    let comparison = match &result.against_first {
        None => "<td class=\"r\">–</td><td class=\"r\">–</td>".to_owned(),
        Some(p) => format!(
            "<td class=\"r\">{:+.1} <small>{:+.1} to {:+.1}</small></td><td class=\"r\">{:.3}</td>",
            100.0 * p.difference,
            100.0 * p.interval.low,
            100.0 * p.interval.high,
            p.p_value
        ),
    };
    let i = &result.intervals;
    format!(
        "<tr><td>{}</td>{}{}{}{}{comparison}</tr>\n",
        escape(&result.name()),
        with(result.top_1, i.top_1),
        with(result.top_3, i.top_3),
        with(result.top_5, i.top_5),
        with(result.mean_class_accuracy, i.mean_class_accuracy),
    )
}

/// Accuracy of every label, worst first.
pub(super) fn classes(report: &Report) -> String {
    let Some(first) = report.results.first() else { return String::new() };
    let mut classes: Vec<&ClassResult> = first.per_class.iter().collect();
    let share = |c: &ClassResult| c.correct as f64 / c.shapes.max(1) as f64;
    let share_5 = |c: &ClassResult| c.correct_top_5 as f64 / c.shapes.max(1) as f64;
    classes.sort_by(|a, b| {
        // Ties: lower top-5 first, then more files, which make an error more certain.
        share(a).total_cmp(&share(b)).then(share_5(a).total_cmp(&share_5(b))).then(b.shapes.cmp(&a.shapes))
    });
    let row = |c: &&ClassResult| {
        let taken: Vec<String> =
            c.predicted_as
                .iter()
                .take(4)
                .map(|t| {
                    if t.count > 1 { format!("{} ×{}", escape(&t.label), t.count) } else { escape(&t.label) }
                })
                .collect();
        format!(
            "<tr><td>{}</td><td class=\"r\">{} of {}</td><td class=\"bar\"><div><i style=\"width:{:.1}%\"></i>\
             <u style=\"width:{:.1}%\"></u></div></td><td class=\"soft\">{}</td></tr>\n",
            escape(&c.label),
            c.correct,
            c.shapes,
            100.0 * share_5(c),
            100.0 * share(c),
            taken.join(", ")
        )
    };
    let rows: String = classes.iter().map(row).collect();
    format!(
        "<section><h2>Per-label accuracy</h2>\n<p class=\"soft key\">Worst first.<i style=\"background:var(--good)\"></i>top-1<i style=\"background:var(--pale)\"></i>top-5</p>\n<div class=\"panel scroll\"><table class=\"bars\">\
         <tr><th>label</th><th class=\"r\">correct</th><th></th><th>predicted as</th></tr>\n{rows}</table></div></section>"
    )
}

/// The confusion matrix and the most confused pairs.
pub(super) fn confusion(report: &Report) -> String {
    let Some(confusion) = &report.confusion else { return String::new() };
    let (svg, left_out) = matrix(confusion, &report.labels);
    let note = match left_out {
        0 => String::new(),
        n => format!(" The {n} labels with fewest errors are left out."),
    };
    let pairs: String = confusion
        .most_confused_pairs(MAX_PAIRS)
        .iter()
        .map(|&(truth, answer, n)| {
            let of = confusion.support(truth);
            let [truth, answer] = [truth, answer].map(|c| escape(&report.labels[c]));
            format!("<tr><td>{truth}</td><td>{answer}</td><td class=\"r\">{n} of {of}</td></tr>\n")
        })
        .collect();
    let pairs = if pairs.is_empty() {
        String::new()
    } else {
        format!(
            "<h2>Most confused pairs</h2>\n<table><tr><th>label</th><th>predicted as</th><th class=\"r\">files</th></tr>\n{pairs}</table>"
        )
    };
    format!(
        "<section><h2>Confusion matrix</h2>\n<p class=\"soft\">Rows are true labels, columns predicted labels; \
         opacity is the fraction of the row. Hover over a cell for details.{note}</p>\n\
         <div class=\"panel scroll\">{svg}</div>\n{pairs}</section>"
    )
}

/// The wrong predictions with the highest confidence.
pub(super) fn hardest_examples(report: &Report) -> String {
    if report.hardest_examples.is_empty() {
        return String::new();
    }
    let figure = |case: &HardExample| {
        let picture = match &case.thumbnail {
            Some(jpeg) => format!(
                "<img alt=\"{}\" src=\"data:image/jpeg;base64,{}\">",
                escape(&case.label),
                STANDARD.encode(jpeg)
            ),
            None => "<div class=\"none\">no image</div>".to_owned(),
        };
        format!(
            "<figure>{picture}<figcaption><span class=\"wrong\">{}</span> {:.2}<br>label <span class=\"yes\">{}</span> {:.2}, \
             rank {}<br><small>{}</small></figcaption></figure>\n",
            escape(&case.predicted_as),
            case.score,
            escape(&case.label),
            case.truth_score,
            case.rank,
            escape(&case.file)
        )
    };
    let figures: String = report.hardest_examples.iter().map(figure).collect();
    format!(
        "<section><h2>Hardest examples</h2>\n<p class=\"soft\">Wrong predictions with the largest lead over the true label: \
         mistakes of the model, unusual files or wrong labels.</p>\n<div class=\"sheet\">{figures}</div></section>"
    )
}

/// Skipped files, with the reason.
pub(super) fn unusable(report: &Report) -> String {
    if report.unusable.is_empty() {
        return String::new();
    }
    let row = |UnusableFile { file, reason }: &UnusableFile| {
        format!("<tr><td>{}</td><td>{}</td></tr>\n", escape(file), escape(reason))
    };
    let rows: String = report.unusable.iter().map(row).collect();
    format!(
        "<details><summary>Skipped files: {}</summary><table>{rows}</table></details>",
        report.unusable.len()
    )
}

/// Published results, and how to reproduce this run.
pub(super) fn run_info(report: &Report) -> String {
    let row = |(name, value): &(String, String)| {
        format!("<tr><th>{}</th><td><code>{}</code></td></tr>\n", escape(name), escape(value))
    };
    let rows: String = report.run_info.iter().map(row).collect();
    let published: String = report
        .published
        .iter()
        .map(|p| {
            format!(
                "<tr><td>{}</td><td>{}</td><td class=\"soft\">{}</td></tr>\n",
                escape(p.model),
                escape(&p.values.describe()),
                escape(p.source)
            )
        })
        .collect();
    let published = if published.is_empty() {
        String::new()
    } else {
        format!("<h2>Published results</h2>\n<div class=\"scroll\"><table>{published}</table></div>\n")
    };
    format!("<section>{published}<h2>Run</h2>\n<div class=\"scroll\"><table>{rows}</table></div></section>")
}
