//! `lexiform caption`: a sentence about each shape.

mod colors;
mod library;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use lexiform_model::caption::PrefixCaptioner;
use lexiform_model::lm::{DecodingStrategy, Sampling, TextOptions};
use lexiform_search::{Embedding, Encoder, ShapePreprocessor};
use serde::Serialize;

use self::library::{KeepArgs, LibraryCaptions, model_of};
use crate::embed_inputs::{self, EmbedInput};
use crate::error::{Outcome, UsageError};
use crate::indexing;
use crate::models::ModelArg;
use crate::output::{self, Align};
use crate::place::Place;
use crate::progress::Progress;
use crate::up_axis::UpArg;

/// Describe 3D files, images and views in a sentence: kind, color, material, parts
///
/// The captioner continues the embedding of a shape; colors of a 3D file are those that its surface has. The built-in one is for the built-in model; `lexiform model train-captioner` makes
/// one for another model. Captions of a folder are kept in its library, where `lexiform search` finds their words; when the command
/// runs again, only new and changed files are described.
#[derive(Args)]
pub(crate) struct CaptionArgs {
    /// 3D files, images, folders of views and strips of views; folders of 3D files, libraries and data sets, one caption per shape;
    /// @LIST for a file with one path per line
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArg,
    /// Captioner of the model: a file that `lexiform model train-captioner` wrote, or a checkpoint of ClipCap with
    /// tokenizer.json next to it [default: the built-in one, for nano]
    #[arg(long, value_name = "PATH")]
    captioner: Option<String>,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    decoding: DecodingArgs,
    #[command(flatten)]
    keep: KeepArgs,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per shape
    #[arg(long)]
    json: bool,
}

/// How sentences are chosen.
#[derive(Args, Clone, Copy, Debug)]
struct DecodingArgs {
    /// Sample this many captions of each shape [default: the most probable one, by beam search]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: Option<u32>,
    /// Total probability of the words that are sampled from
    #[arg(long, value_name = "P", default_value_t = 0.9, requires = "count", value_parser = parse_share)]
    top_p: f32,
    /// Seed of --count
    #[arg(long, value_name = "N", default_value_t = 0, requires = "count")]
    seed: u64,
}

impl DecodingArgs {
    /// What captions depend on but their captioner; empty for beam search.
    fn describe(&self) -> String {
        let Self { count, top_p, seed } = self;
        count.map_or_else(String::new, |count| format!(" count={count} top_p={top_p} seed={seed}"))
    }
}

/// Numbers of shapes.
#[derive(Clone, Copy, Default)]
struct Counts {
    described: usize,
    failed: usize,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.described += other.described;
        self.failed += other.failed;
    }
}

/// A shape as a line of JSON.
#[derive(Serialize)]
struct CaptionLine<'a> {
    path: &'a str,
    caption: &'a str,
    /// All captions, with `--count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    captions: Option<&'a [String]>,
}

impl CaptionArgs {
    /// Describes each shape.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let (folders, files) = self.keep.split(&self.files);
        let mut counts = Counts::default();
        for folder in &folders {
            counts.add(self.describe_library(&Place::of(folder)?)?);
        }
        if !files.is_empty() {
            counts.add(self.describe_files(&files)?);
        }
        let is_failure = counts.described == 0 || (self.strict && counts.failed > 0);
        Ok(if is_failure { Outcome::Failed } else { Outcome::Done })
    }

    /// Describes the shapes of a library.
    fn describe_library(&self, place: &Place) -> anyhow::Result<Counts> {
        let model = model_of(place, self.model.model.as_deref())?;
        let encoder = self.model.open_args.for_answers().open(&model, None)?;
        let captioner = self.captioner(&encoder)?;
        let mut rows = Vec::new();
        let mut show = |path: String, captions: &[String]| {
            self.show_json(&path, captions)?;
            rows.extend(captions.iter().map(|caption| (path.clone(), caption.clone())));
            Ok(())
        };
        let mut captions = LibraryCaptions {
            place,
            keep: self.keep,
            captioner: &format!("{}{}", captioner.id(), self.decoding.describe()),
            describe: &|embedding| self.describe(&captioner, embedding),
            correct: &colors::corrected,
            show: &mut show,
        };
        let counts = captions.write(encoder, &model)?;
        self.show_text(&rows, counts.described)?;
        Ok(counts)
    }

    /// Describes files without keeping the captions.
    fn describe_files(&self, files: &[PathBuf]) -> anyhow::Result<Counts> {
        let encoder = self.model.open_args.for_answers().open(self.model.name(), None)?;
        let captioner = self.captioner(&encoder)?;
        let inputs = embed_inputs::expand(files)?;
        let preprocessor = ShapePreprocessor::for_encoder(&*encoder).with_up(self.up_arg.rule());
        // Text output is a table, whose columns need all rows; a bar says how far it is.
        let progress = (inputs.len() > 1 && !self.json).then(|| Progress::new(inputs.len()));
        let (mut rows, mut failed) = (Vec::new(), Vec::new());
        for input in &inputs {
            let name = input.name();
            if let Some(progress) = &progress {
                progress.step(&name);
            }
            match input.embed(&*encoder, &preprocessor)? {
                Ok(embedding) => {
                    let captions = self.describe(&captioner, &embedding)?;
                    let captions = match input {
                        EmbedInput::File(file) => colors::corrected(captions, file, &preprocessor),
                        EmbedInput::Shape(..) => captions,
                    };
                    self.show_json(&name, &captions)?;
                    rows.extend(captions.into_iter().map(|caption| (name.clone(), caption)));
                }
                Err(reason) => failed.push((name, reason)),
            }
        }
        drop(progress);
        self.show_text(&rows, inputs.len())?;
        indexing::list_failed(&failed);
        Ok(Counts { described: inputs.len() - failed.len(), failed: failed.len() })
    }

    /// Opens the captioner, and checks that it is one of the model's embeddings.
    fn captioner(&self, encoder: &Arc<dyn Encoder>) -> anyhow::Result<PrefixCaptioner> {
        let device = &self.model.open_args.device_arg.device;
        let captioner = match &self.captioner {
            Some(path) => PrefixCaptioner::open(path, device)
                .with_context(|| format!("cannot open the captioner {path}"))?,
            None => PrefixCaptioner::built_in(device)?,
        };
        let described = &captioner.config().model;
        if !described.is_empty() && described != encoder.id() {
            let text = format!(
                "{} describes embeddings of {described}, not of {}; give --captioner FILE, which `lexiform model \
                 train-captioner` writes",
                captioner.id(),
                encoder.id()
            );
            return Err(UsageError(text).into());
        }
        Ok(captioner)
    }

    fn describe(&self, captioner: &PrefixCaptioner, embedding: &Embedding) -> anyhow::Result<Vec<String>> {
        let DecodingArgs { count, top_p, seed } = self.decoding;
        let usual = PrefixCaptioner::default_options();
        let options = match count {
            Some(count) => {
                let sampling = Sampling::nucleus(top_p);
                let decoding = DecodingStrategy::Sample { sampling, sentences: count as usize };
                TextOptions { decoding, seed, ..usual }
            }
            None => usual,
        };
        Ok(captioner.caption(embedding, &options)?)
    }

    fn show_json(&self, path: &str, captions: &[String]) -> anyhow::Result<()> {
        match captions.first().filter(|_| self.json) {
            Some(caption) => {
                let captions = self.decoding.count.map(|_| captions);
                output::json(&CaptionLine { path, caption, captions })
            }
            None => Ok(()),
        }
    }

    fn show_text(&self, rows: &[(String, String)], inputs: usize) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        if inputs == 0 {
            return Ok(());
        }
        if inputs == 1 {
            return Ok(rows.iter().try_for_each(|(_, caption)| output::line(caption))?);
        }
        let cells: Vec<_> = rows.iter().map(|(name, caption)| vec![name.clone(), caption.clone()]).collect();
        Ok(output::line(output::table(&[("file", Align::Left), ("caption", Align::Left)], &cells))?)
    }
}

fn parse_share(text: &str) -> Result<f32, String> {
    let share: f32 = text.parse().map_err(|_| format!("expected a number, found {text:?}"))?;
    if share > 0.0 && share <= 1.0 {
        Ok(share)
    } else {
        Err(format!("expected more than 0 and at most 1, found {text}"))
    }
}
