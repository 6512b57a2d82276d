//! `lexiform eval retrieval`: whether words and photos bring the right shapes, and shapes the right words.

mod directions;
mod gallery;
mod photos;

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use clap::Args;
use lexiform_eval::Features;
use lexiform_eval::protocol::{Protocol, Taking, Values};
use lexiform_search::{Encoder, Intake};

use self::directions::Run;
use self::gallery::Gallery;
use super::ResamplingArgs;
use super::beside::{self, ModelsArgs};
use super::data::SplitArg;
use super::looks::{self, Seen, Variant};
use super::words::{self, ProtocolArgs, tell_protocol};
use crate::array_read::{self, FeatureFile};
use crate::commands::classify::lines;
use crate::failure::{Usage, Verdict, WithHint as _};
use crate::{indexing, output, target};

/// What stands for the words in a template.
const SLOT: &str = "{}";

/// Whether words and photos bring the right shapes first, and shapes the right words and photos. A query may have
/// several right answers: files with the same words are all right for them.
#[derive(Args)]
pub struct RetrievalArgs {
    /// CSV file of the shapes: the columns `file` and `caption`, or `file` and `label`; a file may stand in several lines.
    /// Lines of other than 3D files are left out
    #[arg(long, value_name = "CSV", group = "given")]
    captions: Option<PathBuf>,
    /// Data set, as `lexiform data prepare` and `import` make it, in the files' stead: its captions, or its labels if it has none
    #[arg(long, value_name = "SET", group = "given")]
    data: Option<PathBuf>,
    #[command(flatten)]
    split: SplitArg,
    /// Number of views [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: Option<u32>,
    #[command(flatten)]
    by: ProtocolArgs,
    /// CSV file of photos: `image` and the `file` it shows, or `image` and a `label` that shapes of --captions have; without
    /// a column `image`, its lines of pictures are the photos
    #[arg(long, value_name = "CSV")]
    photos: Option<PathBuf>,
    /// Folder the files are relative to [default: the folder of each CSV file]
    #[arg(long, value_name = "DIR")]
    assets: Option<PathBuf>,
    /// Features of the shapes instead of the shapes, a row for each different file: found by the names inside .safetensors, in the
    /// order of the CSV file without names
    #[arg(long, value_name = "FILE[#TENSOR]")]
    features: Option<String>,
    /// Features of the words instead of the words, a row for each different caption: found by the words inside .safetensors, in
    /// the order of the CSV file without names
    #[arg(long, value_name = "FILE[#TENSOR]")]
    text_features: Option<String>,
    /// File with one sentence a line, `{}` where the words go; their mean is searched for [default: the words alone;
    /// for labels the model's sentences]
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    /// Write every query's places and first answers to a CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    models: ModelsArgs,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print a JSON object for each direction and model
    #[arg(long)]
    json: bool,
}

/// What one model found, and the files it could not use.
type Measured = (Run, Vec<(String, String)>);

impl RetrievalArgs {
    /// Measures every direction with every model and shows it.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let protocol = self.by.chosen()?;
        if let Some(path) = &self.csv {
            target::check_file(path)?;
        }
        let gallery = self.gallery()?;
        let measured = self.measure(&gallery, protocol)?;
        let failed = beside::all_failed(measured.iter().map(|(_, failed)| failed));
        indexing::list_failed(&failed);
        let runs: Vec<Run> = measured.into_iter().map(|(run, _)| run).collect();
        if runs.iter().any(|run| run.directions.is_empty()) {
            return Ok(Verdict::Failed);
        }
        if let Some(protocol) = protocol {
            tell_protocol(protocol, runs[0].shapes, Values::is_retrieval);
        }
        if let Some(path) = &self.csv {
            directions::write_queries(path, &runs)?;
        }
        let lines = directions::lines(&runs, self.resampling.resampling())?;
        match self.json {
            true => lines.iter().try_for_each(output::json)?,
            false => directions::show(&lines)?,
        }
        Ok(if self.strict && !failed.is_empty() { Verdict::Failed } else { Verdict::Done })
    }

    fn gallery(&self) -> anyhow::Result<Gallery> {
        match (&self.captions, &self.data) {
            (Some(table), _) => {
                Gallery::of_table(table, self.assets.as_deref(), self.split, self.features.is_some())
            }
            (None, Some(set)) => Gallery::of_set(set, self.split),
            (None, None) => Err(Usage("give --captions or --data".to_owned()).into()),
        }
    }

    /// What every model finds, and the files it cannot use.
    fn measure(&self, gallery: &Gallery, protocol: Option<&Protocol>) -> anyhow::Result<Vec<Measured>> {
        let given = self.features.as_ref().or(self.text_features.as_ref());
        let names = self.models.names();
        if let Some(file) = given.filter(|_| names.len() > 1) {
            return Err(
                Usage(format!("{file}: features are of one model, found {} models", names.len())).into()
            );
        }
        if let (Some(file), Some(_), None) = (&self.features, &self.text_features, &self.photos) {
            return Ok(vec![self.run_of(file.clone(), None, gallery.clone())?]);
        }
        let clouds = words::clouds_of(protocol, None);
        let run = |name: &String| {
            let encoder = self.models.open(name, clouds)?;
            self.run_of(encoder.id().to_owned(), Some(&*encoder), gallery.clone())
        };
        names.iter().map(run).collect()
    }

    /// What one model finds; no direction where no shape could be used.
    fn run_of(
        &self,
        model: String,
        encoder: Option<&dyn Encoder>,
        mut gallery: Gallery,
    ) -> anyhow::Result<Measured> {
        let mut failed = Vec::new();
        let shapes = self.shapes(&mut gallery, encoder, &mut failed)?;
        let mut run = Run { model, shapes: gallery.shapes.len(), directions: Vec::new() };
        if gallery.shapes.is_empty() {
            return Ok((run, failed));
        }
        let texts = self.texts(&gallery, encoder)?;
        run.directions = gallery.directions(&shapes, &texts)?;
        if let (Some(table), Some(encoder)) = (&self.photos, encoder) {
            let photos = photos::read(table, self.assets.as_deref(), &gallery)?;
            run.directions.extend(photos::directions(photos, &gallery, &shapes, encoder, &mut failed)?);
        }
        Ok((run, failed))
    }

    /// How many views are asked for, if the model looks at views.
    fn variant(&self, encoder: &dyn Encoder) -> anyhow::Result<Variant> {
        let of_protocol = || match self.by.chosen()?.map(|protocol| protocol.taking) {
            Some(Taking::Views { counts, .. }) if matches!(encoder.intake(), Intake::Views { .. }) => {
                anyhow::Ok(counts.last().copied())
            }
            _ => Ok(None),
        };
        let asked = self.views.map(|n| n as usize);
        Ok(Variant { views: asked.map_or_else(of_protocol, |n| Ok(Some(n)))?, seed: None })
    }

    /// A row for each shape; shapes that cannot be used leave the gallery.
    fn shapes(
        &self,
        gallery: &mut Gallery,
        encoder: Option<&dyn Encoder>,
        failed: &mut Vec<(String, String)>,
    ) -> anyhow::Result<Features> {
        if let Some(file) = &self.features {
            return in_order_of(&gallery.names(), file, "files");
        }
        let encoder = encoder.ok_or_else(|| Usage("give --model or --features".to_owned()))?;
        let Seen { entries, mut features, failed: unusable } =
            looks::embed_all(encoder, None, gallery.shapes.clone(), &[self.variant(encoder)?])?;
        failed.extend(unusable);
        gallery.keep(&entries);
        Ok(features.remove(0))
    }

    /// A row for each text.
    fn texts(&self, gallery: &Gallery, encoder: Option<&dyn Encoder>) -> anyhow::Result<Features> {
        if let Some(file) = &self.text_features {
            return in_order_of(&gallery.texts, file, "texts");
        }
        let encoder = encoder.ok_or_else(|| Usage("give --model or --text-features".to_owned()))?;
        let templates = match &self.templates {
            Some(path) => lines(path)?,
            None if gallery.by_label => encoder.templates(),
            None => vec![SLOT.to_owned()],
        };
        let bad = templates.iter().find(|t| !t.contains(SLOT));
        ensure!(
            bad.is_none() && !templates.is_empty(),
            "expected templates with {{}} for the words, found {bad:?}"
        );
        let sentences =
            gallery.texts.iter().flat_map(|text| templates.iter().map(move |t| t.replace(SLOT, text)));
        let features = looks::text_features(encoder, &sentences.collect::<Vec<_>>())?;
        Ok(features.normalized().means(templates.len())?)
    }
}

/// Features of a file, a row for each of `names` in their order: rows that have names are found by them.
fn in_order_of(names: &[String], file: &str, what: &str) -> anyhow::Result<Features> {
    let FeatureFile { features, rows, .. } = array_read::read(file)?;
    let (expected, found) = (names.len(), features.rows());
    let Some(rows) = rows else {
        ensure!(expected == found, "{file}: expected a row for each of {expected} {what}, found {found}");
        return Ok(features);
    };
    let places: HashMap<&str, usize> = rows.iter().enumerate().map(|(i, row)| (row.as_str(), i)).collect();
    let place = |name: &String| {
        let found = places.get(name.as_str()).copied();
        found.ok_or_else(|| anyhow!("{file}: no row is called {name:?}"))
    };
    let places = names.iter().map(place).collect::<anyhow::Result<Vec<usize>>>();
    Ok(features.select(
        &places.hint("rows are found by the names inside the file; .npy has none and goes by order")?,
    )?)
}
