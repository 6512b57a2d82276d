//! `lexiform classify`: which of the given labels a 3D file is nearest to.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use lexiform_model::point::PointPreprocessOverrides;
use lexiform_search::{LabelScore, ShapePreprocessor, ZeroShotClassifier, embed_file};
use serde::Serialize;

use crate::failure::{Usage, Verdict};
use crate::heads;
use crate::indexing;
use crate::models::{ModelArg, OpeningArg};
use crate::output::{self, Align};

/// Name 3D files and pictures with the best of some labels
#[derive(Args)]
pub struct ClassifyArgs {
    /// 3D files and pictures
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Labels, separated by commas [default: those of the model's own head, where it is a fine-tuned classifier]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    labels: Option<Vec<String>>,
    /// File with one label a line
    #[arg(long, value_name = "FILE", conflicts_with = "labels")]
    labels_file: Option<PathBuf>,
    /// File with one sentence a line, `{}` where the label goes [default: those of the model]
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArg,
    /// Most labels shown to people
    #[arg(short, value_name = "N", default_value_t = 5)]
    k: usize,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object a line, with all labels
    #[arg(long)]
    json: bool,
}

/// A file's labels as a line of JSON, best first.
#[derive(Serialize)]
struct LabelsLine<'a> {
    path: String,
    labels: &'a [LabelScore],
}

impl ClassifyArgs {
    /// Names each file and shows its labels.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let failed = match self.names()? {
            Some(names) => self.by_words(&names)?,
            None => self.by_head()?,
        };
        indexing::list_failed(&failed);
        let is_failure = failed.len() == self.files.len() || (self.strict && !failed.is_empty());
        Ok(if is_failure { Verdict::Failed } else { Verdict::Done })
    }

    /// By the words that are nearest; gives the files that cannot be used.
    fn by_words(&self, names: &[String]) -> anyhow::Result<Vec<(String, String)>> {
        let encoder = self.model.open()?;
        let templates = match &self.templates {
            Some(path) => lines(path)?,
            None => encoder.templates(),
        };
        let labels = ZeroShotClassifier::new(&*encoder, names, &templates)?;
        let look = ShapePreprocessor::for_encoder(&*encoder);
        self.each(|file| Ok(labels.classify(&embed_file(&*encoder, &look, file)?)))
    }

    /// By what the model's own head says.
    fn by_head(&self) -> anyhow::Result<Vec<(String, String)>> {
        let none = || Usage("name the labels: --labels A,B,… or --labels-file FILE".to_owned());
        let name = self.model.model.as_deref().ok_or_else(none)?;
        if !heads::has(name)? {
            return Err(none().into());
        }
        let OpeningArg { on, text_model, image_size, prompts } = &self.model.opening;
        let unused = [
            ("--templates", self.templates.is_some()),
            ("--text-model", text_model.is_some()),
            ("--image-size", image_size.is_some()),
            ("--prompts", prompts.is_some()),
        ];
        if let Some((option, _)) = unused.into_iter().find(|(_, given)| *given) {
            let text = format!(
                "{option}: a classifier names shapes by its own head; name labels for it to be asked in words"
            );
            return Err(Usage(text).into());
        }
        let model = heads::open(name, PointPreprocessOverrides::default(), &on.device)?;
        self.each(|file| heads::name(&model, file))
    }

    fn each(
        &self,
        name: impl Fn(&Path) -> Result<Vec<LabelScore>, lexiform_search::Error>,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let mut failed = Vec::new();
        for file in &self.files {
            match name(file) {
                Ok(scored) => self.show(file, &scored)?,
                Err(error) => failed.push(failure(file, error)?),
            }
        }
        Ok(failed)
    }

    fn names(&self) -> anyhow::Result<Option<Vec<String>>> {
        let names: Vec<String> = match (&self.labels_file, &self.labels) {
            (Some(path), _) => lines(path)?,
            (None, Some(labels)) => {
                labels.iter().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect()
            }
            (None, None) => return Ok(None),
        };
        if names.is_empty() { Err(Usage("no labels given".to_owned()).into()) } else { Ok(Some(names)) }
    }

    fn show(&self, file: &Path, scored: &[LabelScore]) -> anyhow::Result<()> {
        if self.json {
            return output::json(&LabelsLine { path: file.display().to_string(), labels: scored });
        }
        let row = |s: &LabelScore| vec![format!("{:.3}", s.score), s.label.clone()];
        let rows: Vec<_> = scored.iter().take(self.k).map(row).collect();
        if self.files.len() > 1 {
            output::line(format!("{}:", file.display()))?;
        }
        Ok(output::line(output::table(&[("score", Align::Right), ("label", Align::Left)], &rows))?)
    }
}

/// The lines of a text file that say something.
pub fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs_err::read_to_string(path).context("reading a list")?;
    Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

/// A file's own error as a line of a list; any other error ends the run.
pub fn failure(file: &Path, error: lexiform_search::Error) -> anyhow::Result<(String, String)> {
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
