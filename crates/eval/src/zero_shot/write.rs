//! Writing the report of a zero-shot classification: a page, its numbers as JSON, and two tables.

use std::path::{Path, PathBuf};

use lexiform_formats::write_file;
use lexiform_metrics::{Confusion, Prediction};

use super::config::ZeroShotConfig;
use super::results::{ModelResults, ZeroShotReport};
use crate::error::EvalError;
use crate::report::{HardCase, Report, cases_csv, classes_csv, hardest, page};
use crate::thumbnail;

/// Hardest cases shown.
const HARDEST: usize = 24;

/// What a report says about the run that made it.
#[derive(Clone, Debug)]
pub struct ReportFacts {
    /// Version of the program.
    pub version: String,
    /// The command line.
    pub command: String,
}

impl ZeroShotReport {
    /// Writes report.html, report.json, classes.csv and cases.csv about the first result, and gives the page's path.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(
        &self,
        folder: &Path,
        config: &ZeroShotConfig<'_>,
        facts: ReportFacts,
    ) -> Result<PathBuf, EvalError> {
        fs_err::create_dir_all(folder)?;
        let first = &self.models[0];
        let predictions = &first.variants[0].predictions;
        let results = self.measured();
        let names: Vec<String> = first.entries.iter().map(|e| e.name.clone()).collect();
        let cases = cases_csv(&names, predictions, &first.labels);
        let classes = results.first().map(classes_csv).unwrap_or_default();
        let model =
            results.first().map_or("the model", |r| r.model.split('@').next().unwrap_or(&r.model)).to_owned();
        let report = Report {
            title: format!("Does {model} fit these files?"),
            run: first.facts(config, facts)?,
            labels: first.labels.clone(),
            results,
            published: config.texts.protocol.map(|protocol| protocol.published()).unwrap_or_default(),
            hardest: hardest(predictions, HARDEST).into_iter().map(|i| first.hard_case(i)).collect(),
            unusable: self.unusable.clone(),
            confusion: Some(Confusion::of(predictions, first.labels.len())),
        };
        let page_path = folder.join("report.html");
        write_file(&page_path, page(&report).as_bytes())?;
        write_file(&folder.join("report.json"), serde_json::to_string_pretty(&report)?.as_bytes())?;
        write_file(&folder.join("classes.csv"), classes.as_bytes())?;
        write_file(&folder.join("cases.csv"), cases.as_bytes())?;
        Ok(page_path)
    }
}

impl ModelResults {
    /// How to get the same numbers, as pairs of name and value.
    fn facts(
        &self,
        config: &ZeroShotConfig<'_>,
        facts: ReportFacts,
    ) -> Result<Vec<(String, String)>, EvalError> {
        let mut pairs = vec![("lexiform", facts.version), ("command", facts.command)];
        if let Some(encoder) = &self.encoder {
            pairs.push(("prepared", encoder.preprocessing()));
            if config.texts.features.is_none() {
                pairs.push(("sentences", config.texts.templates(&**encoder)?.join(" · ")));
            }
        }
        let resampling = config.resampling;
        pairs.push(("intervals", format!("{} draws, seed {}", resampling.rounds, resampling.seed)));
        if let Some(protocol) = config.texts.protocol {
            pairs.push(("protocol", protocol.title()));
            pairs.push(("note", protocol.note.to_owned()));
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn hard_case(&self, item: usize) -> HardCase {
        let prediction: &Prediction = &self.variants[0].predictions[item];
        let entry = &self.entries[item];
        let name = |class: Option<&usize>| class.map_or(String::new(), |class| self.labels[*class].clone());
        let rendered = || thumbnail::of_entry(self.encoder.as_deref()?, entry);
        HardCase {
            file: entry.name.clone(),
            label: entry.label.clone(),
            taken_for: name(prediction.best.first()),
            score: prediction.score,
            truth_score: prediction.truth_score,
            rank: prediction.rank,
            thumbnail: self.thumbnails.get(item).cloned().flatten().or_else(rendered),
        }
    }
}
