//! Writing the report of a zero-shot evaluation: an HTML page, JSON, and three CSV tables.

use std::path::{Path, PathBuf};

use lexiform_formats::write_file;
use lexiform_metrics::{ConfusionMatrix, Prediction};
use lexiform_model::preprocess::Crop;
use lexiform_search::Encoder;

use super::config::ZeroShotConfig;
use super::results::{ModelResults, ZeroShotReport};
use crate::error::EvalError;
use crate::report::{
    ClassificationTables, HardExample, Report, hardest_examples, predictions_csv, render_html,
};
use crate::thumbnail;

/// Number of hardest examples shown.
const HARDEST: usize = 24;

/// Facts about the run that a report shows.
#[derive(Clone, Debug)]
pub struct RunInfo {
    /// Version of the program.
    pub version: String,
    /// The command line.
    pub command: String,
}

impl ZeroShotReport {
    /// The tables of the first result, if there is one.
    pub fn tables(&self) -> Option<ClassificationTables> {
        let first = self.models.first()?;
        let variant = first.variants.first()?;
        Some(ClassificationTables::new(&variant.metrics, &variant.predictions, &first.labels))
    }

    /// Writes report.html, report.json, classes.csv, confusion.csv and predictions.csv for the first result; returns the path of the page.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(
        &self,
        folder: &Path,
        config: &ZeroShotConfig<'_>,
        info: RunInfo,
    ) -> Result<PathBuf, EvalError> {
        fs_err::create_dir_all(folder)?;
        let first = &self.models[0];
        let predictions = &first.variants[0].predictions;
        let results = self.results();
        let names: Vec<String> = first.entries.iter().map(|e| e.name.clone()).collect();
        let cases = predictions_csv(&names, predictions, &first.labels);
        let tables = ClassificationTables::new(&first.variants[0].metrics, predictions, &first.labels);
        // Ids are `name@revision`; the title shows only the name.
        let model =
            results.first().map_or("the model", |r| r.model.split('@').next().unwrap_or(&r.model)).to_owned();
        let report = Report {
            title: format!("Zero-shot evaluation of {model}"),
            run_info: first.info(config, info)?,
            labels: first.labels.clone(),
            results,
            published: config.texts.protocol.map(|protocol| protocol.published()).unwrap_or_default(),
            hardest_examples: hardest_examples(predictions, HARDEST)
                .into_iter()
                .map(|i| first.hard_example(i))
                .collect(),
            unusable: self.unusable.clone(),
            confusion: Some(ConfusionMatrix::from_predictions(predictions, first.labels.len())),
        };
        let page_path = folder.join("report.html");
        write_file(&page_path, render_html(&report).as_bytes())?;
        write_file(&folder.join("report.json"), serde_json::to_string_pretty(&report)?.as_bytes())?;
        write_file(&folder.join("classes.csv"), tables.classes.as_bytes())?;
        write_file(&folder.join("confusion.csv"), tables.confusion.as_bytes())?;
        write_file(&folder.join("predictions.csv"), cases.as_bytes())?;
        Ok(page_path)
    }
}

/// How shapes became pixels or points. With seeds, each had crop windows of its own.
fn preprocessing(encoder: &dyn Encoder, seeds: &[u32]) -> String {
    let Some((first, cropped)) =
        seeds.first().and_then(|seed| Some((seed, encoder.with_crop(Crop::Seed(*seed))?)))
    else {
        return encoder.preprocessing();
    };
    let all = seeds.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let name = if seeds.len() == 1 { "seed" } else { "seeds" };
    cropped.preprocessing().replace(&format!("seed {first}"), &format!("{name} {all}"))
}

impl ModelResults {
    /// What is needed to reproduce the results, as pairs of name and value.
    fn info(&self, config: &ZeroShotConfig<'_>, info: RunInfo) -> Result<Vec<(String, String)>, EvalError> {
        let mut pairs = vec![("lexiform", info.version), ("command", info.command)];
        if let Some(encoder) = &self.encoder {
            pairs.push(("preprocessing", preprocessing(&**encoder, &config.seeds)));
            if config.texts.feature_file().is_none() {
                pairs.push(("templates", config.texts.templates(&**encoder)?.join(" · ")));
            }
        }
        let resampling = config.resampling;
        pairs.push(("intervals", format!("{} resamples, seed {}", resampling.resamples, resampling.seed)));
        if let Some(protocol) = config.texts.protocol {
            pairs.push(("protocol", protocol.title()));
            pairs.push(("note", protocol.note.to_owned()));
        }
        // Protocols without a note have an empty one.
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn hard_example(&self, item: usize) -> HardExample {
        let prediction: &Prediction = &self.variants[0].predictions[item];
        let entry = &self.entries[item];
        let name = |class: Option<&usize>| class.map_or(String::new(), |class| self.labels[*class].clone());
        let rendered = || thumbnail::of_entry(self.encoder.as_deref()?, entry);
        HardExample {
            file: entry.name.clone(),
            label: entry.label.clone(),
            predicted_as: name(prediction.top_k.first()),
            score: prediction.score,
            truth_score: prediction.truth_score,
            rank: prediction.rank,
            thumbnail: self.thumbnails.get(item).cloned().flatten().or_else(rendered),
        }
    }
}
