//! `lexiform caption`: a sentence about each shape.

mod colors;
mod counts;
mod library;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use lexiform_model::lm::{DecodingStrategy, Sampling, TextOptions};
use lexiform_model::pointllm::{CAPTION_PROMPT, PointLlm};
use lexiform_model::registry;
use lexiform_search::{Encoder, ShapePreprocessor};
use serde::Serialize;

use self::counts::Counts;
use self::library::{Describe, KeepArgs, LibraryCaptions, model_of};
use crate::embed_inputs::{self, EmbedInput};
use crate::embedding_captioner::EmbeddingCaptioner;
use crate::error::{Outcome, UsageError, WithHint as _};
use crate::indexing;
use crate::models::{ModelArg, WeightPrecisionArg};
use crate::output::{self, Align};
use crate::place::Place;
use crate::point_language_model::PointLanguageModel;
use crate::progress::Progress;
use crate::up_axis::UpArg;
use crate::view_captioner::{Sampled, ViewCaptioner};

/// Describe 3D files, images and views in a sentence: kind, color, material, parts
///
/// The captioner continues the embedding of a shape; colors of a 3D file are those that its surface has. The built-in one is for the
/// built-in model; `lexiform model train-captioner` makes one for another model. With --model FOLDER of PointLLM v1.2, a language
/// model that reads the points answers --prompt; with BLIP or BLIP-2, the caption of the view that agrees most with those of other
/// views is printed. Captions of a folder are kept in its library, where `lexiform search` finds their words; when the command runs
/// again, only new and changed files are described.
#[derive(Args)]
pub(crate) struct CaptionArgs {
    /// 3D files, images, folders of views and strips of views; folders of 3D files, libraries and data sets, one caption per shape;
    /// @LIST for a file with one path per line
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArg,
    /// Captioner of the model: a file that `lexiform model train-captioner` or `lexiform train` with a recipe of a captioner wrote,
    /// or a checkpoint of ClipCap with tokenizer.json next to it [default: the built-in one, for nano]
    #[arg(long, value_name = "PATH")]
    captioner: Option<String>,
    #[command(flatten)]
    precision_arg: WeightPrecisionArg,
    /// What to ask about each shape: a PointLLM, or a captioner that was trained on questions; how captions start: BLIP [default
    /// for PointLLM: Caption this 3D model in detail.]
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
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

/// What describes shapes.
enum Describer {
    /// A captioner of embeddings.
    Embedding {
        encoder: Arc<dyn Encoder>,
        captioner: Box<EmbeddingCaptioner>,
        preprocessor: ShapePreprocessor,
    },
    /// A language model that reads points.
    Points(Box<PointLanguageModel>),
    /// A captioner of views.
    Views(Box<ViewCaptioner>),
}

impl Describer {
    /// Name and fingerprint of what writes captions.
    fn id(&self) -> &str {
        match self {
            Self::Embedding { captioner, .. } => captioner.id(),
            Self::Points(model) => model.id(),
            Self::Views(model) => model.id(),
        }
    }
}

impl DecodingArgs {
    /// What captions depend on but their captioner; empty for beam search.
    fn describe(&self) -> String {
        let Self { count, top_p, seed } = self;
        count.map_or_else(String::new, |count| format!(" count={count} top_p={top_p} seed={seed}"))
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
        let own = self.without_embeddings()?;
        let (folders, files) = self.keep.split(&self.files);
        let mut counts = Counts::default();
        for folder in &folders {
            counts.add(self.describe_library(&Place::of(folder)?, own.as_ref())?);
        }
        if !files.is_empty() {
            let describer = match own {
                Some(describer) => describer,
                None => self.describer()?,
            };
            counts.add(self.describe_files(&describer, &files)?);
        }
        let is_failure = counts.described == 0 || (self.strict && counts.failed > 0);
        Ok(if is_failure { Outcome::Failed } else { Outcome::Done })
    }

    /// Describes the shapes of a library by their embeddings, or their files by `own`.
    fn describe_library(&self, place: &Place, own: Option<&Describer>) -> anyhow::Result<Counts> {
        if let Some(describer) = own {
            let model = model_of(place, None)?;
            let encoder = self.model.open_args.for_answers().open(&model, None)?;
            return self.write_captions(place, (encoder, &model), describer.id(), &|_, shape| match shape
                .is_embedding()
                || shape.object().is_some()
            {
                true => Ok(Err("it has no file of its own".to_owned())),
                false => self.describe(describer, &EmbedInput::File(shape.file.clone())),
            });
        }
        let model = model_of(place, self.model.model.as_deref())?;
        let (encoder, captioner) = self.captioner(&model)?;
        let (options, question) = (self.options(captioner.default_options()), self.prompt.as_deref());
        self.write_captions(place, (encoder, &model), captioner.id(), &|library, shape| {
            let captions = captioner.describe(&library.embedding(shape.id)?, question, &options)?;
            // The file of an object has all objects of the scene.
            Ok(Ok(match shape.object() {
                Some(_) => captions,
                None => self.corrected(captions, &shape.file, library.preprocessor()),
            }))
        })
    }

    /// Writes the captions of a library, of embeddings by a model with this name.
    fn write_captions(
        &self,
        place: &Place,
        (encoder, model): (Arc<dyn Encoder>, &str),
        captioner: &str,
        describe: &Describe<'_>,
    ) -> anyhow::Result<Counts> {
        let asked = self.prompt.as_ref().map_or_else(String::new, |prompt| format!(" prompt={prompt}"));
        let mut rows = Vec::new();
        let mut show = |path: String, captions: &[String]| {
            self.show_json(&path, captions)?;
            rows.extend(captions.iter().map(|caption| (path.clone(), caption.clone())));
            Ok(())
        };
        let captioner = format!("{captioner}{}{asked}", self.decoding.describe());
        let mut captions =
            LibraryCaptions { place, keep: self.keep, captioner: &captioner, describe, show: &mut show };
        let counts = captions.write(encoder, model)?;
        self.show_text(&rows, counts.described)?;
        Ok(counts)
    }

    /// Describes files without keeping the captions.
    fn describe_files(&self, describer: &Describer, files: &[PathBuf]) -> anyhow::Result<Counts> {
        let inputs = embed_inputs::expand(files)?;
        // Text output is a table, whose columns need all rows; a bar says how far it is.
        let progress = (inputs.len() > 1 && !self.json).then(|| Progress::new(inputs.len()));
        let (mut rows, mut failed) = (Vec::new(), Vec::new());
        for input in &inputs {
            let name = input.name();
            if let Some(progress) = &progress {
                progress.step(&name);
            }
            match self.describe(describer, input)? {
                Ok(captions) => {
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

    /// Opens the weights if they are those of a PointLLM or a BLIP, which describe points and views.
    fn without_embeddings(&self) -> anyhow::Result<Option<Describer>> {
        let (name, device) = (self.model.name(), &self.model.open_args.device_arg.device);
        // Weights that do not open are reported when the encoder is opened.
        let Ok(file) = registry::open_weights(name) else { return Ok(None) };
        let (up, precision) = (self.up_arg.rule(), self.precision_arg.weight_precision);
        let describer = match PointLanguageModel::open(&file, up, precision, device)? {
            Some(model) => Some(Describer::Points(Box::new(model))),
            None => {
                let views = ViewCaptioner::open(name, &file, up, device)?;
                views.map(|model| Describer::Views(Box::new(model)))
            }
        };
        if describer.is_some() && self.captioner.is_some() {
            let text = format!("{name} describes shapes on its own: expected no --captioner");
            return Err(UsageError(text).into());
        }
        Ok(describer)
    }

    /// Opens the encoder with its captioner.
    fn describer(&self) -> anyhow::Result<Describer> {
        let (encoder, captioner) = self.captioner(self.model.name())?;
        let preprocessor = ShapePreprocessor::for_encoder(&*encoder).with_up(self.up_arg.rule());
        Ok(Describer::Embedding { encoder, captioner: Box::new(captioner), preprocessor })
    }

    /// Opens a model, and the captioner of its embeddings.
    fn captioner(&self, model: &str) -> anyhow::Result<(Arc<dyn Encoder>, EmbeddingCaptioner)> {
        let open_args = &self.model.open_args;
        let (encoder, device) = (open_args.for_answers().open(model, None)?, &open_args.device_arg.device);
        let path = self.captioner.as_deref();
        let captioner =
            EmbeddingCaptioner::for_encoder(path, self.precision_arg.weight_precision, &*encoder, device)?;
        if self.prompt.is_some() && !captioner.takes_questions() {
            return Err(UsageError(format!("{} takes no --prompt", captioner.id()))).hint(
                "give --model FOLDER with PointLLM v1.2, or --captioner FILE that `lexiform train` wrote",
            );
        }
        Ok((encoder, captioner))
    }

    /// Captions with the colors of the file's surface; answers to a question stay unchanged.
    fn corrected(&self, captions: Vec<String>, file: &Path, preprocessor: &ShapePreprocessor) -> Vec<String> {
        match self.prompt {
            None => colors::corrected(captions, file, preprocessor),
            Some(_) => captions,
        }
    }

    /// Captions of a shape, or the reason why it has none.
    fn describe(
        &self,
        describer: &Describer,
        input: &EmbedInput,
    ) -> anyhow::Result<Result<Vec<String>, String>> {
        match describer {
            Describer::Points(model) => {
                let prompt = self.prompt.as_deref().unwrap_or(CAPTION_PROMPT);
                model.answer(input, prompt, &self.options(PointLlm::default_options()))
            }
            Describer::Views(model) => {
                let DecodingArgs { count, top_p, seed } = self.decoding;
                let sampled = count.map(|count| Sampled {
                    count: count as usize,
                    sampling: Sampling::nucleus(top_p),
                    seed,
                });
                model.captions(input, self.prompt.as_deref(), sampled)
            }
            Describer::Embedding { encoder, captioner, preprocessor } => {
                let (options, question) = (self.options(captioner.default_options()), self.prompt.as_deref());
                let embedding = match input.embed(&**encoder, preprocessor)? {
                    Ok(embedding) => embedding,
                    Err(reason) => return Ok(Err(reason)),
                };
                let captions = captioner.describe(&embedding, question, &options)?;
                Ok(Ok(match input {
                    EmbedInput::File(file) => self.corrected(captions, file, preprocessor),
                    EmbedInput::Shape(..) => captions,
                }))
            }
        }
    }

    /// The usual options, or those of sampling.
    fn options(&self, usual: TextOptions) -> TextOptions {
        let DecodingArgs { count, top_p, seed } = self.decoding;
        let Some(count) = count else { return usual };
        let decoding =
            DecodingStrategy::Sample { sampling: Sampling::nucleus(top_p), sentences: count as usize };
        TextOptions { decoding, seed, ..usual }
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
