//! `lexiform eval zero-shot`: how often shapes are given the right label by a model that sees only the labels' words.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::ensure;
use clap::Args;
use lexiform_eval::protocol::{Protocol, Taking, Values};
use lexiform_eval::report::Measured;
use lexiform_eval::{Features, Prediction, zero_shot};
use lexiform_search::{Encoder, Intake, Look, Scanned};
use lexiform_shapes::categories;
use serde_json::json;

use super::beside::{self, Cases, ModelsArgs};
use super::data::{self, DataArgs, Entry, Rows};
use super::looks::{self, Seen, Variant};
use super::words::{self, WordsArgs, tell_protocol};
use super::{ResamplingArgs, page, show};
use crate::failure::{Usage, Verdict};
use crate::indexing;
use crate::output;
use crate::target;

/// Seeds of Duoduo CLIP's three runs.
const REFERENCE_SEEDS: [u32; 3] = [678, 789, 900];

/// How often shapes are given the right label by a model that sees only the labels' words. Without --labels the
/// shapes are made by rule, from seeds that no training uses.
#[derive(Args)]
pub struct ZeroShotArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    words: WordsArgs,
    /// Shapes of each category, where they are made by rule
    #[arg(long, value_name = "N", default_value_t = 2, conflicts_with = "given")]
    each: usize,
    /// Numbers of views, a result each [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: Vec<u32>,
    /// Measure clouds of so many points of the shapes' surfaces in the shapes' stead
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with_all = ["features", "data"])]
    clouds: Option<u32>,
    /// Points a point model is given [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    points: Option<u32>,
    /// Without colors
    #[arg(long, requires = "clouds")]
    bare: bool,
    /// Draw views of each shape, and a window for each 200 shapes, by seeds, as Duoduo CLIP's evaluation does; `reference` for
    /// its own three. Its processes that load data draw for themselves, so no seed repeats its very draws [default: views
    /// evenly spread, the middle window]
    #[arg(long, value_name = "N,N,…|reference", value_delimiter = ',', conflicts_with = "features")]
    seeds: Vec<String>,
    #[command(flatten)]
    models: ModelsArgs,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Write a page about the result: report.html, report.json, classes.csv and cases.csv
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Fail if a file cannot be used
    #[arg(long, requires = "given")]
    strict: bool,
    /// Print a JSON object for each result
    #[arg(long)]
    json: bool,
}

/// What was measured with one model: a result for each variant, on the same files.
struct Measurement {
    encoder: Option<Arc<dyn Encoder>>,
    entries: Vec<Entry>,
    results: Vec<(Measured, Vec<Prediction>)>,
    failed: Vec<(String, String)>,
    /// Small pictures of shapes that are in no file.
    pictures: Vec<Option<Vec<u8>>>,
}

impl ZeroShotArgs {
    /// Measures and shows.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let protocol = self.words.protocol()?;
        if let Some(folder) = &self.report {
            target::check_folder(folder)?;
        }
        let mut measurements = self.measure(protocol)?;
        let failed = beside::all_failed(measurements.iter().map(|m| &m.failed));
        indexing::list_failed(&failed);
        if measurements.iter().any(|m| m.entries.is_empty()) {
            return Ok(Verdict::Failed);
        }
        beside_the_first(&mut measurements, self.resampling)?;
        if let Some(protocol) = protocol {
            tell_protocol(protocol, measurements[0].entries.len(), Values::is_zero_shot);
        }
        let results: Vec<Measured> =
            measurements.iter().flat_map(|m| &m.results).map(|(measured, _)| measured.clone()).collect();
        self.show(&results)?;
        if let Some(folder) = &self.report {
            let first = &measurements[0];
            let labels = self.labels(&first.entries)?;
            let shown = page::Shown {
                encoder: first.encoder.as_deref(),
                entries: &first.entries,
                predictions: &first.results[0].1,
                labels: &labels,
                pictures: &first.pictures,
            };
            page::write(folder, &shown, results, failed.clone(), protocol, self.facts(first)?)?;
        }
        Ok(if self.strict && !failed.is_empty() { Verdict::Failed } else { Verdict::Done })
    }

    /// Every model's results, the first one's first.
    fn measure(&self, protocol: Option<&Protocol>) -> anyhow::Result<Vec<Measurement>> {
        match (self.data.shapes.is_given(), &self.data.features) {
            (true, Some(file)) => Ok(vec![self.of_features(file)?]),
            _ => self.models.names().iter().map(|name| self.of_model(name, protocol)).collect(),
        }
    }

    fn seeds(&self) -> anyhow::Result<Vec<u32>> {
        if self.seeds.iter().any(|s| s == "reference") {
            return Ok(REFERENCE_SEEDS.to_vec());
        }
        let parse = |s: &String| {
            s.parse().map_err(|_| Usage(format!("--seeds: expected numbers or `reference`, found {s:?}")))
        };
        Ok(self.seeds.iter().map(parse).collect::<Result<_, _>>()?)
    }

    fn open(&self, name: &str) -> anyhow::Result<Arc<dyn Encoder>> {
        self.models.open(name, words::clouds_of(self.words.protocol()?, self.points.map(|n| n as usize)))
    }

    fn clouds(&self) -> Option<Scanned> {
        self.clouds.map(|points| Scanned { points: points as usize, bare: self.bare })
    }

    fn labels(&self, entries: &[Entry]) -> anyhow::Result<Vec<String>> {
        match self.data.shapes.is_given() {
            true => self.words.labels(data::all_labels(entries)),
            false => Ok(categories().iter().map(|category| category.name.to_owned()).collect()),
        }
    }

    /// Numbers of views that were asked for or that the protocol tries; none for the model's own.
    fn counts(&self, encoder: &dyn Encoder, protocol: Option<&Protocol>) -> Vec<Option<usize>> {
        let asked: Vec<usize> = self.views.iter().map(|n| *n as usize).collect();
        let takes_views = matches!(encoder.intake(), Intake::Views { .. });
        let counts = match protocol.map(|p| p.taking) {
            _ if !asked.is_empty() => asked,
            Some(Taking::Views { counts, .. }) if takes_views => counts.to_vec(),
            _ => return vec![None],
        };
        counts.into_iter().map(Some).collect()
    }

    /// Embeds the files, or the shapes made by rule, and names them.
    fn of_model(&self, name: &str, protocol: Option<&Protocol>) -> anyhow::Result<Measurement> {
        let encoder = self.open(name)?;
        if !self.data.shapes.is_given() {
            return self.of_generated(encoder);
        }
        let all = self.data.entries()?;
        let labels = self.labels(&all)?;
        data::truth(&all, &labels)?;
        let classes =
            self.words.class_features(Some(&*encoder), &labels, self.data.shapes.has_underscores())?;
        let counts = self.counts(&*encoder, protocol);
        let seeds = self.seeds()?;
        if !seeds.is_empty() && matches!(encoder.intake(), Intake::Points { .. }) {
            return Err(Usage(format!("--seeds: {} takes points, not views", encoder.id())).into());
        }
        let seeds: Vec<Option<u32>> =
            if seeds.is_empty() { vec![None] } else { seeds.into_iter().map(Some).collect() };
        let variants: Vec<Variant> = (seeds.iter())
            .flat_map(|&seed| counts.iter().map(move |&views| Variant { views, seed }))
            .collect();
        let Seen { entries, features, failed } = looks::embed_all(&*encoder, self.clouds(), all, &variants)?;
        let truth = data::truth(&entries, &labels)?;
        let mut results = Vec::new();
        for (variant, features) in variants.iter().zip(&features).filter(|_| !truth.is_empty()) {
            let predictions = zero_shot(features, &classes, &truth)?;
            let mut measured =
                Measured::of(encoder.id(), &predictions, &labels, self.resampling.resampling())?;
            (measured.views, measured.seed) = (variant.views, variant.seed);
            results.push((measured, predictions));
        }
        Ok(Measurement { encoder: Some(encoder), entries, results, failed, pictures: Vec::new() })
    }

    /// Names rows of features.
    fn of_features(&self, file: &str) -> anyhow::Result<Measurement> {
        let Rows { entries, features, model } = self.data.shapes.rows(file)?;
        let labels = self.labels(&entries)?;
        let truth = data::truth(&entries, &labels)?;
        let needs_words = self.words.class_features.is_none();
        let names = self.models.names();
        ensure!(
            names.len() == 1 || !needs_words,
            "--features are of one model, found {} models",
            names.len()
        );
        let encoder = if needs_words { Some(self.open(&names[0])?) } else { None };
        if let (Some(model), Some(encoder)) = (&model, &encoder) {
            let id = encoder.id();
            ensure!(model == id, "{file}: its features are of {model}, the words would be of {id}");
        }
        let classes =
            self.words.class_features(encoder.as_deref(), &labels, self.data.shapes.has_underscores())?;
        let predictions = zero_shot(&features, &classes, &truth)?;
        let name = model.unwrap_or_else(|| file.to_owned());
        let measured = Measured::of(&name, &predictions, &labels, self.resampling.resampling())?;
        let results = vec![(measured, predictions)];
        Ok(Measurement { encoder, entries, results, failed: Vec::new(), pictures: Vec::new() })
    }

    /// Names shapes made by rule, which no training uses.
    fn of_generated(&self, encoder: Arc<dyn Encoder>) -> anyhow::Result<Measurement> {
        if !self.views.is_empty() || !self.seeds.is_empty() || self.words.by.protocol.is_some() {
            return Err(Usage(
                "--views, --seeds and --protocol need shapes: give --labels or --data".to_owned(),
            )
            .into());
        }
        let shapes = looks::generated(&*encoder, self.clouds(), self.each);
        let labels = self.labels(&[])?;
        let truth: Vec<usize> = shapes.samples.iter().map(|sample| sample.category).collect();
        let pictures = shapes.samples.iter().map(|s| s.views.first().and_then(looks::small_jpeg)).collect();
        let entries = shapes.samples.iter().enumerate().map(|(i, sample)| Entry {
            name: format!("{} {}", labels[sample.category], i / labels.len().max(1) + 1),
            file: PathBuf::new(),
            label: labels[sample.category].clone(),
            split: None,
            in_set: None,
        });
        let entries: Vec<Entry> = entries.collect();
        let look = match self.clouds() {
            Some(scanned) => Look::of(&*encoder).at_clouds(scanned),
            None => Look::of(&*encoder),
        };
        let taken = shapes.samples.into_iter().map(|sample| looks::of_sample(&look, sample));
        let embedded = encoder.embed_shapes(taken.collect()).map_err(|error| anyhow::anyhow!(error))?;
        let features = Features::from_rows(embedded.iter().map(lexiform_search::Embedding::as_slice))?;
        let classes = self.words.class_features(Some(&*encoder), &labels, false)?;
        let predictions = zero_shot(&features, &classes, &truth)?;
        let measured = Measured::of(encoder.id(), &predictions, &labels, self.resampling.resampling())?;
        let results = vec![(measured, predictions)];
        Ok(Measurement { encoder: Some(encoder), entries, results, failed: Vec::new(), pictures })
    }

    fn show(&self, results: &[Measured]) -> anyhow::Result<()> {
        if self.json {
            results.iter().try_for_each(output::json)?;
            let means = means_over_seeds(results);
            return means.iter().try_for_each(|(name, shares)| {
                let [top_1, top_3, top_5] = shares;
                output::json(&json!({ "mean_over_seeds": name, "percent": [top_1, top_3, top_5] }))
            });
        }
        match results {
            [only] => {
                show::classes(only)?;
                show::totals(only)?;
            }
            _ => {
                show::side_by_side(results)?;
                for (name, [top_1, top_3, top_5]) in means_over_seeds(results) {
                    output::line(format!("{name}: mean over seeds {top_1:.2} / {top_3:.2} / {top_5:.2}"))?;
                }
            }
        }
        Ok(())
    }

    /// What was run, for the report.
    fn facts(&self, first: &Measurement) -> anyhow::Result<Vec<(String, String)>> {
        let mut facts = vec![
            ("lexiform".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("command".to_owned(), page::command()),
        ];
        if let Some(encoder) = &first.encoder {
            facts.push(("prepared".to_owned(), encoder.preprocessing()));
            if self.words.class_features.is_none() {
                facts.push(("sentences".to_owned(), self.words.sentences(&**encoder)?.join(" · ")));
            }
        }
        let resampling = self.resampling;
        facts
            .push(("intervals".to_owned(), format!("{} draws, seed {}", resampling.rounds, resampling.seed)));
        Ok(facts)
    }
}

/// Compares every further result with the first, on the files that both could use.
fn beside_the_first(measurements: &mut [Measurement], resampling: ResamplingArgs) -> anyhow::Result<()> {
    let right = |m: &Measurement, result: usize| -> Cases {
        let predictions = &m.results[result].1;
        m.entries.iter().zip(predictions).map(|(e, p)| (e.name.clone(), p.is_right())).collect()
    };
    let first = right(&measurements[0], 0);
    for (i, measurement) in measurements.iter_mut().enumerate() {
        for result in usize::from(i == 0)..measurement.results.len() {
            let compared = beside::against(&first, &right(measurement, result), resampling.resampling())?;
            measurement.results[result].0.against_first = compared;
        }
    }
    Ok(())
}

/// Percentages of runs that differ in nothing but the seed, rounded and averaged as the reference does: each to two
/// decimals, the mean to two decimals.
fn means_over_seeds(results: &[Measured]) -> Vec<(String, [f64; 3])> {
    let round = |x: f64| (x * 100.0).round() / 100.0;
    let mut groups: Vec<(String, Vec<&Measured>)> = Vec::new();
    for result in results.iter().filter(|r| r.seed.is_some()) {
        let name = Measured { seed: None, ..result.clone() }.name();
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, group)) => group.push(result),
            None => groups.push((name, vec![result])),
        }
    }
    let mean = |group: &[&Measured], share: fn(&Measured) -> f64| {
        round(group.iter().map(|r| round(100.0 * share(r))).sum::<f64>() / group.len() as f64)
    };
    let groups = groups.into_iter();
    groups
        .map(|(name, g)| (name, [mean(&g, |r| r.top_1), mean(&g, |r| r.top_3), mean(&g, |r| r.top_5)]))
        .collect()
}
