//! `lexiform classify`: zero-shot classification of 3D files and images.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use lexiform_eval::LabelList;
use lexiform_model::point::PointPreprocessOverrides;
use lexiform_search::{LabelScore, ShapePreprocessor, ZeroShotClassifier, embed_file};
use serde::Serialize;

use crate::classifier;
use crate::error::{Outcome, UsageError};
use crate::indexing;
use crate::models::{ModelArg, OpenModelArgs};
use crate::output::{self, Align};
use crate::up_axis::UpArg;

/// Classify 3D files and images by labels given as text
#[derive(Args)]
pub(crate) struct ClassifyArgs {
    /// 3D files, images, and folders or strips of views
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Labels, separated by commas [default: the classes of a fine-tuned classifier]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    labels: Option<Vec<String>>,
    /// File with the labels: one per line, lvis.csv, a table of numbers and names, JSON, or class features with names
    #[arg(long, value_name = "FILE", conflicts_with = "labels")]
    labels_file: Option<String>,
    /// File with the names of the classes of a fine-tuned classifier, one a line, in the order of its head [default: the
    /// model's own]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["labels", "labels_file"])]
    class_names: Option<PathBuf>,
    /// File with one sentence a line, `{}` where the label goes [default: those of the model]
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    up_arg: UpArg,
    /// Answer "none of these" if no label has this probability, 0 to 1
    #[arg(long, value_name = "P", value_parser = parse_probability)]
    reject: Option<f32>,
    /// Labels to show; --json has all
    #[arg(short, value_name = "N", default_value_t = 5)]
    k: usize,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per file, with all labels
    #[arg(long)]
    json: bool,
}

/// A file's labels as a line of JSON, best first.
#[derive(Serialize)]
struct LabelsLine<'a> {
    path: String,
    /// The best label; `null` if none has the probability of `--reject`.
    label: Option<&'a str>,
    labels: &'a [LabelScore],
}

impl ClassifyArgs {
    /// Classifies each file and shows its labels.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let failed = match self.names()? {
            Some(names) => self.zero_shot(&names)?,
            None => self.with_head()?,
        };
        indexing::list_failed(&failed);
        let is_failure = failed.len() == self.files.len() || (self.strict && !failed.is_empty());
        Ok(if is_failure { Outcome::Failed } else { Outcome::Done })
    }

    /// Ranks labels by the similarity of their texts; returns the files that cannot be used.
    fn zero_shot(&self, names: &[String]) -> anyhow::Result<Vec<(String, String)>> {
        let encoder = self.model.open_args.for_answers().open(self.model.name(), None)?;
        let templates = match &self.templates {
            Some(path) => lines(path)?,
            None => encoder.templates(),
        };
        let labels = ZeroShotClassifier::new(&*encoder, names, &templates)?;
        let preprocessor = ShapePreprocessor::for_encoder(&*encoder).with_up(self.up_arg.rule());
        self.each(|file| Ok(labels.classify(&embed_file(&*encoder, &preprocessor, file)?)))
    }

    /// Ranks the classes of the model's own head; returns the files that cannot be used.
    fn with_head(&self) -> anyhow::Result<Vec<(String, String)>> {
        let none = || UsageError("no labels: give --labels A,B,… or --labels-file FILE".to_owned());
        let name = self.model.model.as_deref().ok_or_else(none)?;
        if !classifier::has_head(name)? {
            return Err(none().into());
        }
        let OpenModelArgs { device_arg, text_model, image_size, visual_prompts, precision } =
            &self.model.open_args;
        // These options would change nothing, so they are refused instead of ignored.
        let unused = [
            ("--templates", self.templates.is_some()),
            ("--text-model", text_model.is_some()),
            ("--image-size", image_size.is_some()),
            ("--visual-prompts", visual_prompts.is_some()),
            ("--precision", precision.is_some()),
        ];
        if let Some((option, _)) = unused.into_iter().find(|(_, given)| *given) {
            let text =
                format!("{option}: not used by a classifier's own head; give --labels to classify by text");
            return Err(UsageError(text).into());
        }
        let mut model = classifier::open(name, PointPreprocessOverrides::default(), &device_arg.device)?;
        if let Some(path) = &self.class_names {
            model = model.with_class_names(lines(path)?)?;
        }
        self.each(|file| classifier::classify(&model, file, self.up_arg.rule()))
    }

    fn each(
        &self,
        name: impl Fn(&Path) -> Result<Vec<LabelScore>, lexiform_search::Error>,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let mut failed = Vec::new();
        for file in &self.files {
            match name(file) {
                Ok(scored) => self.show(file, &scored)?,
                Err(error) => failed.push(file_error(file, error)?),
            }
        }
        Ok(failed)
    }

    fn names(&self) -> anyhow::Result<Option<Vec<String>>> {
        let names: Vec<String> = match (&self.labels_file, &self.labels) {
            (Some(path), _) => LabelList::read(path)?.names,
            (None, Some(labels)) => {
                labels.iter().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect()
            }
            (None, None) => return Ok(None),
        };
        match names.len() {
            0 => Err(UsageError("no labels given".to_owned()).into()),
            // Probabilities are relative to the other labels.
            1 if self.reject.is_some() => {
                let text = "--reject: expected at least two labels, found one, whose probability is always 1";
                Err(UsageError(text.to_owned()).into())
            }
            _ => Ok(Some(names)),
        }
    }

    /// The best label, unless its probability is too low.
    fn label<'a>(&self, scored: &'a [LabelScore]) -> Option<&'a str> {
        let best = scored.first()?;
        (best.score >= self.reject.unwrap_or(0.0)).then_some(best.label.as_str())
    }

    fn show(&self, file: &Path, scored: &[LabelScore]) -> anyhow::Result<()> {
        let label = self.label(scored);
        if self.json {
            return output::json(&LabelsLine { path: file.display().to_string(), label, labels: scored });
        }
        let row = |s: &LabelScore| vec![format!("{:.3}", s.score), s.label.clone()];
        let rows: Vec<_> = scored.iter().take(self.k).map(row).collect();
        if self.files.len() > 1 {
            output::line(output::single_line(&format!("{}:", file.display())))?;
        }
        if let (None, Some(lowest)) = (label, self.reject) {
            output::line(format!("none of these: no label has a probability of {lowest}"))?;
        }
        Ok(output::line(output::table(&[("score", Align::Right), ("label", Align::Left)], &rows))?)
    }
}

fn parse_probability(text: &str) -> Result<f32, String> {
    let probability: f32 = text.parse().map_err(|_| format!("expected a number, found {text:?}"))?;
    let is_valid = (0.0..=1.0).contains(&probability);
    if is_valid { Ok(probability) } else { Err(format!("expected 0 to 1, found {text}")) }
}

/// The lines of a text file that are not blank.
pub(crate) fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs_err::read_to_string(path).context("cannot read the list")?;
    Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

/// An error about the file as an entry of the list of failures; any other error is returned as an error and ends the run.
pub(crate) fn file_error(file: &Path, error: lexiform_search::Error) -> anyhow::Result<(String, String)> {
    match error {
        lexiform_search::Error::NotFound { .. } => {
            Ok((file.display().to_string(), "no such file".to_owned()))
        }
        lexiform_search::Error::Shape { reason, .. } | lexiform_search::Error::Image { reason, .. } => {
            Ok((file.display().to_string(), reason))
        }
        other => Err(other.into()),
    }
}
