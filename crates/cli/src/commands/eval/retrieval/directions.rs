//! Queries one way and back: what is asked, what was found, and the numbers of it.

use std::path::Path;

use lexiform_eval::bootstrap::Resampling;
use lexiform_eval::paired::Paired;
use lexiform_eval::retrieve::{DEPTHS, Found, Retrieval, Scores, retrieve};
use lexiform_eval::{Features, Interval};
use serde::Serialize;

use crate::commands::eval::beside::{self, Cases};
use crate::commands::eval::show;
use crate::output::{self, Align};

/// One direction measured: names of queries and gallery items, and what was found.
pub struct Direction {
    name: &'static str,
    queries: Vec<String>,
    gallery: Vec<String>,
    found: Vec<Found>,
}

/// What one model found in every direction.
pub struct Run {
    /// The model.
    pub model: String,
    /// Shapes that it could use.
    pub shapes: usize,
    /// Its directions.
    pub directions: Vec<Direction>,
}

/// One model's numbers of one direction.
#[derive(Serialize)]
pub struct Line {
    direction: &'static str,
    model: String,
    depths: [usize; DEPTHS.len()],
    #[serde(flatten)]
    counted: Retrieval,
    intervals: Scores<Interval>,
    /// First answers beside those of the first model.
    #[serde(skip_serializing_if = "Option::is_none")]
    against_first: Option<Paired>,
}

/// Looks for gallery items with queries, and for queries with gallery items; `right` has the gallery items of each query.
/// Gallery items that are no query's answer ask for nothing.
pub fn both_ways(
    [there, back]: [&'static str; 2],
    (queries, query_rows): (&[String], &Features),
    (gallery, gallery_rows): (&[String], &Features),
    right: &[Vec<usize>],
) -> anyhow::Result<Vec<Direction>> {
    let found = retrieve(query_rows, gallery_rows, right)?;
    let mut reversed = vec![Vec::new(); gallery.len()];
    for (query, right) in right.iter().enumerate() {
        right.iter().for_each(|item| reversed[*item].push(query));
    }
    let asking: Vec<usize> = (0..gallery.len()).filter(|i| !reversed[*i].is_empty()).collect();
    let reversed: Vec<Vec<usize>> = asking.iter().map(|i| reversed[*i].clone()).collect();
    let back_found = retrieve(&gallery_rows.select(&asking)?, query_rows, &reversed)?;
    let asking = asking.iter().map(|i| gallery[*i].clone()).collect();
    Ok(vec![
        Direction { name: there, queries: queries.to_vec(), gallery: gallery.to_vec(), found },
        Direction { name: back, queries: asking, gallery: queries.to_vec(), found: back_found },
    ])
}

impl Run {
    fn direction(&self, name: &str) -> Option<&Direction> {
        self.directions.iter().find(|direction| direction.name == name)
    }
}

impl Direction {
    fn cases(&self) -> Cases {
        self.queries.iter().cloned().zip(self.found.iter().map(|found| found.first() == 1)).collect()
    }
}

/// The numbers of every run, direction by direction, each beside the first run's.
pub fn lines(runs: &[Run], resampling: Resampling) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let Some(first) = runs.first() else { return Ok(lines) };
    let mut names: Vec<&str> = Vec::new();
    for direction in runs.iter().flat_map(|run| &run.directions) {
        if !names.contains(&direction.name) {
            names.push(direction.name);
        }
    }
    for name in names {
        for (i, run) in runs.iter().enumerate() {
            let Some(direction) = run.direction(name) else { continue };
            let counted = Retrieval::of(&direction.found, direction.gallery.len())?;
            let intervals = counted.intervals(&direction.found, resampling);
            let against_first = match first.direction(name).filter(|_| i > 0) {
                Some(first) => beside::against(&first.cases(), &direction.cases(), resampling)?,
                None => None,
            };
            let (model, depths) = (run.model.clone(), DEPTHS);
            lines.push(Line { direction: direction.name, model, depths, counted, intervals, against_first });
        }
    }
    Ok(lines)
}

/// As a table; several models stand below each other in every direction.
pub fn show(lines: &[Line]) -> anyhow::Result<()> {
    let several = lines.iter().any(|line| line.model != lines[0].model || line.against_first.is_some());
    let mut columns = vec![("direction", Align::Left)];
    columns.extend(several.then_some(("model", Align::Left)));
    let numbers =
        ["queries", "gallery", "R@1", "R@3", "R@5", "R@10", "NDCG@5", "mAP", "median rank", "mean rank"];
    columns.extend(numbers.map(|name| (name, Align::Right)));
    if several {
        columns.extend([("R@1 less the first's", Align::Right), ("p", Align::Right)]);
    }
    let row = |line: &Line| {
        let (n, i) = (&line.counted.scores, &line.intervals);
        let mut row = vec![line.direction.to_owned()];
        row.extend(several.then(|| line.model.clone()));
        row.extend([line.counted.queries, line.counted.gallery].map(|count| count.to_string()));
        row.extend(
            n.recall.iter().zip(i.recall).map(|(share, interval)| show::with_interval(*share, interval)),
        );
        row.push(show::with_interval(n.ndcg[2], i.ndcg[2]));
        row.push(show::with_interval(n.mean_average_precision, i.mean_average_precision));
        let ranks = [(n.median_rank, i.median_rank), (n.mean_rank, i.mean_rank)];
        row.extend(
            ranks.map(|(rank, interval)| format!("{rank:.1} ({:.1}–{:.1})", interval.low, interval.high)),
        );
        if several {
            row.extend(line.against_first.as_ref().map_or_else(Default::default, show::paired));
        }
        row
    };
    Ok(output::line(output::table(&columns, &lines.iter().map(row).collect::<Vec<_>>()))?)
}

/// One line a query: places of its right answers and its first answers.
pub fn write_queries(path: &Path, runs: &[Run]) -> anyhow::Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record(["model", "direction", "query", "ranks", "first_answers"])?;
    for (run, direction) in runs.iter().flat_map(|run| run.directions.iter().map(move |d| (run, d))) {
        for (query, found) in direction.queries.iter().zip(&direction.found) {
            let ranks: Vec<String> = found.ranks.iter().map(usize::to_string).collect();
            let best: Vec<&str> = found.best.iter().map(|i| direction.gallery[*i].as_str()).collect();
            let cells = [&run.model, direction.name, query, &ranks.join(" "), &best.join("; ")];
            table.write_record(cells)?;
        }
    }
    Ok(table.flush()?)
}
