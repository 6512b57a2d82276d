//! `lexiform search`: find 3D files by text, image or shape, or a mix of them.

mod results;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use lexiform_data::embeddings::EmbeddingFile;
use lexiform_search::{
    Combine, Embedding, EncoderOptions, Ensemble, EnsembleMember, Error, Filter, Library, LibraryPath,
    NOT_WEIGHT, Query, QueryTerm, RankBy, RecordId, SearchResults, SplitViews, StoreError,
};

use self::results::ResultsFormat;
pub(super) use self::results::shown;
use crate::embedding_sources;
use crate::error::{Outcome, UsageError, WithHint as _};
use crate::input::Input;
use crate::jobs::JobsArg;
use crate::models::EnsembleArgs;
use crate::output;
use crate::output_file::{ForceArg, OutputFile};
use crate::path_groups::{GroupedOption, PathGroups};
use crate::place::Place;
use crate::prompt::Queries;
use crate::up_axis::UpArg;
use crate::updated_library::UpdatedLibrary;

/// Search a folder of 3D files by text, image or shape
///
/// The first search of a folder makes a library in `.lexiform` inside it; later ones update it. Without anything to search for,
/// queries are read from a prompt, or from standard input, one per line, until `exit`; --where alone lists what matches.
#[derive(Args)]
pub(crate) struct SearchArgs {
    /// Folder of 3D files, data set, or library made by `lexiform index`
    #[arg(value_name = "FOLDER|LIBRARY", required_unless_present = "image")]
    target: Option<PathBuf>,
    /// Text to search for
    #[arg(value_name = "TEXT")]
    words: Vec<String>,
    /// The words as one text.
    #[arg(skip)]
    text: Option<String>,
    #[command(flatten)]
    image: PathGroups<Image>,
    /// Views in each image: a number, or COLUMNSxROWS [default: an image at least three times as long as wide is a strip]
    #[arg(long, value_name = "N|CxR", requires = "image")]
    split: Option<SplitViews>,
    /// 3D file or folder of views to find similar shapes to; may be given more than once
    #[arg(long, value_name = "FILE")]
    shape: Vec<PathBuf>,
    /// Id of a file in the library to find similar shapes to, as --json prints it
    #[arg(long, value_name = "ID")]
    like: Option<String>,
    /// Embeddings of the library's model, each row a query (.npy, .npz, .h5, .parquet, .safetensors); the model is not needed
    #[arg(long, value_name = "FILE")]
    embedding: Option<PathBuf>,
    /// Text to rank down; may be given more than once
    #[arg(long, value_name = "TEXT")]
    not: Vec<String>,
    /// Weight of text, image, shape, like or not, as in image=0.5 [default: 1 each, 0.5 for not]
    #[arg(long, value_name = "TERM=WEIGHT", value_parser = parse_weight)]
    weight: Vec<(TermKind, f32)>,
    /// How several terms are combined: mean of their embeddings, or min of their similarities (similar to all of them)
    #[arg(long, value_name = "mean|min", default_value = "mean", hide_default_value = true)]
    combine: Combine,
    /// What results are ranked by: meaning (semantic), names of files, folders, objects and materials (name), or both (hybrid)
    /// [default: hybrid]
    #[arg(long, value_name = "semantic|name|hybrid", default_value = "hybrid", hide_default_value = true)]
    rank_by: RankBy,
    /// Only results with at least this score
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    min_score: Option<f32>,
    /// Number of results [default: 10; 5 at the prompt]
    #[arg(short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    k: Option<u32>,
    /// Only files that match, such as `format = glb and name ~ chair and triangles < 10k`
    #[arg(long = "where", value_name = "EXPR")]
    filter: Option<String>,
    /// Write thumbnails of the results as one image
    #[arg(long, value_name = "OUT.png")]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
    #[command(flatten)]
    models: EnsembleArgs,
    /// Search without updating the library
    #[arg(long)]
    no_update: bool,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    jobs: JobsArg,
    /// Print one JSON object per result
    #[arg(long)]
    json: bool,
}

/// `--image`.
#[derive(Clone, Debug)]
struct Image;

impl GroupedOption for Image {
    const NAME: &'static str = "image";
    const HELP: &'static str = "Images of one object to search for: photos, a strip of views, or a folder of images; may be given more \
                                than once, one term each";
}

/// Kinds of terms in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TermKind {
    Text,
    Image,
    Shape,
    Like,
    Not,
}

/// Number of results.
const DEFAULT_K: u32 = 10;
/// Number of results at the prompt, as in Duoduo CLIP's `text_retrieval.py`.
const PROMPT_K: u32 = 5;

impl SearchArgs {
    /// Updates the library, searches, and shows the results.
    pub(crate) fn run(mut self) -> anyhow::Result<Outcome> {
        self.text = (!self.words.is_empty()).then(|| self.words.join(" "));
        self.separate_images();
        let file = self.embedding.as_deref().map(|file| EmbeddingFile::open(file, None)).transpose()?;
        let queries = self.queries(file.as_ref())?;
        let is_prompt = queries.is_empty() && !self.only_filters();
        let typed = if is_prompt { Some(typed_queries()?) } else { None };
        let sheet = self.sheet_file()?;
        if sheet.is_some() && queries.len() != 1 && !self.only_filters() {
            return Err(UsageError("--sheet needs one query".to_owned()).into());
        }
        let given = self.target.as_deref().ok_or_else(no_folder)?;
        let place = Place::of(given).hint(target_hint(given))?;
        let ensemble = self.ensemble(&place)?;
        check_models(file.as_ref(), &ensemble)?;
        if self.only_filters() {
            self.list(&ensemble.members()[0].library, &place, sheet.as_ref())?;
        }
        for query in &queries {
            self.answer(&ensemble, query, &place, sheet.as_ref())?;
        }
        if let Some(typed) = typed {
            typed.for_each(|text| {
                let text = QueryTerm::Text(text.to_owned());
                let query = self.with_options(vec![(self.weight_of(TermKind::Text), text)], PROMPT_K)?;
                self.answer(&ensemble, &query, &place, None)
            })?;
        }
        Ok(Outcome::Done)
    }

    /// Says what `--up` applies to if the library was indexed with another up axis.
    fn note_other_up(&self, Place { library, .. }: &Place) -> anyhow::Result<()> {
        if let Some((up, recorded)) = self.up_arg.other_than_indexed(library)? {
            let applies = if self.shape.is_empty() { "is not used" } else { "applies to --shape only" };
            let folder = library.root.as_ref().unwrap_or(&library.folder);
            output::note(format!(
                "note: the library was indexed with --up {recorded}: --up {up} {applies}; to change the library: `lexiform index {} --up {up}`",
                folder.display()
            ));
        }
        Ok(())
    }

    /// The models of the library to search with. All are opened, so that one that cannot be is reported before the search.
    fn ensemble(&self, place: &Place) -> anyhow::Result<Ensemble> {
        let mut members = Vec::new();
        if !self.no_update {
            Library::migrate(&place.library)?;
        }
        let models = self.models.names_for(&place.library)?;
        self.note_other_up(place)?;
        for (model, weight) in &models {
            let library = self.library(place, model, models.len() > 1)?;
            let library = match self.up_arg.up {
                Some(up) => library.with_query_up(up),
                None => library,
            };
            members.push(EnsembleMember { weight: *weight, library });
        }
        Ok(Ensemble::new(members, self.models.fusion)?)
    }

    fn answer(
        &self,
        ensemble: &Ensemble,
        query: &Query,
        place: &Place,
        sheet: Option<&OutputFile>,
    ) -> anyhow::Result<()> {
        let restricted = Query { filter: place.filter(query.filter.as_ref()), ..query.clone() };
        let results = ensemble.search_results(&restricted)?;
        let library = &ensemble.members()[0].library;
        // Results first: they are not lost if the sheet cannot be written.
        let format = ResultsFormat { json: self.json, is_ranked: true, place };
        results::show(library, query, &results, &format)?;
        sheet.map_or(Ok(()), |sheet| results::write_sheet(library, &results.answers, &format, sheet))
    }

    /// Lists what `--where` selects, sorted by path.
    fn list(&self, library: &Library, place: &Place, sheet: Option<&OutputFile>) -> anyhow::Result<()> {
        let query = self.with_options(Vec::new(), DEFAULT_K)?;
        let filter = place.filter(query.filter.as_ref()).unwrap_or(Filter::And(Vec::new()));
        let mut answers = library.list(&filter)?;
        answers.truncate(self.k.map_or(usize::MAX, |k| k as usize));
        let results = SearchResults { answers, ..SearchResults::default() };
        let format = ResultsFormat { json: self.json, is_ranked: false, place };
        results::show(library, &query, &results, &format)?;
        sheet.map_or(Ok(()), |sheet| results::write_sheet(library, &results.answers, &format, sheet))
    }

    /// Whether there is nothing to search for, but a filter.
    fn only_filters(&self) -> bool {
        let is_query = self.text.is_some()
            || !self.image.groups.is_empty()
            || !self.shape.is_empty()
            || self.like.is_some()
            || self.embedding.is_some()
            || !self.not.is_empty();
        self.filter.is_some() && !is_query
    }

    fn sheet_file(&self) -> anyhow::Result<Option<OutputFile>> {
        let inputs: Vec<&Path> = self.image.paths().chain(self.shape.iter().map(PathBuf::as_path)).collect();
        let check = |path: &PathBuf| super::render::check_sheet(path, &inputs, self.force);
        self.sheet.as_ref().map(check).transpose()
    }

    /// `--image` takes all arguments up to the next option: a text, or the folder and a text, after it are separated.
    fn separate_images(&mut self) {
        let is_text = |path: &Path| matches!(Input::of(&path.to_string_lossy()), Ok(Input::Text(_)));
        let is_folder = |path: &Path| path.is_dir();
        if self.target.is_some() {
            self.text = self.text.take().or_else(|| text_of(self.image.take_last(is_text)?));
        } else if let Some(folder) = self.image.take_last(is_folder) {
            self.target = Some(folder);
        } else if let Some(text) = self.image.take_last(is_text) {
            self.text = text_of(text);
            self.target = self.image.take_last(is_folder);
        }
    }

    /// The given weight of a term, or the default one.
    fn weight_of(&self, kind: TermKind) -> f32 {
        // As with other options, the last of several values counts.
        let given = self.weight.iter().rev().find(|(p, _)| *p == kind).map(|(_, weight)| *weight);
        given.unwrap_or(if kind == TermKind::Not { NOT_WEIGHT } else { 1.0 })
    }

    /// The queries given as arguments: one for each row of `--embedding`, or one; none if there is nothing to search for.
    fn queries(&self, embedding_file: Option<&EmbeddingFile>) -> anyhow::Result<Vec<Query>> {
        let like = self.like.as_deref().map(str::parse::<RecordId>).transpose().map_err(Error::from)?;
        let texts = self.text.iter().map(|text| (TermKind::Text, QueryTerm::Text(text.clone())));
        let split = self.split.unwrap_or_default();
        let images = self.image.groups.iter().cloned();
        let images = images.map(|files| (TermKind::Image, QueryTerm::Images { files, split }));
        let shapes = self.shape.iter().map(|shape| (TermKind::Shape, QueryTerm::Shape(shape.clone())));
        let like = like.map(|id| (TermKind::Like, QueryTerm::Record(id)));
        let wanted = texts.chain(images).chain(shapes).chain(like);
        let terms: Vec<(f32, QueryTerm)> = wanted.map(|(kind, term)| (self.weight_of(kind), term)).collect();
        if self.combine == Combine::Min && !(self.not.is_empty() && self.weight.is_empty()) {
            let text = "--combine min: similarity to all terms has no --not and no --weight";
            return Err(UsageError(text.to_owned()).into());
        }
        let Some(file) = embedding_file else {
            // Checks --where also if there is nothing to search for yet.
            let query = self.with_options(terms, DEFAULT_K)?;
            return Ok(if query.terms.is_empty() { Vec::new() } else { vec![query] });
        };
        let row = |embedding| {
            let term = (1.0, QueryTerm::Embedding(embedding));
            self.with_options(terms.iter().cloned().chain([term]).collect(), DEFAULT_K)
        };
        embeddings(file)?.into_iter().map(row).collect()
    }

    /// A query with `--not`, `--where` and `-k`.
    fn with_options(&self, mut terms: Vec<(f32, QueryTerm)>, k: u32) -> anyhow::Result<Query> {
        // Unwanted texts are subtracted from the query.
        terms.extend(
            self.not.iter().map(|text| (-self.weight_of(TermKind::Not), QueryTerm::Text(text.clone()))),
        );
        let filter = self.filter.as_deref().map(Filter::parse).transpose();
        let filter = filter.map_err(|error| Error::from(StoreError::from(error)))?;
        let k = self.k.unwrap_or(k) as usize;
        Ok(Query {
            terms,
            k,
            filter,
            combine: self.combine,
            rank_by: self.rank_by,
            min_score: self.min_score,
        })
    }

    /// Whether only texts have to be embedded, by the model itself.
    fn needs_only_texts(&self) -> bool {
        let options = &self.models.open_args;
        self.image.groups.is_empty()
            && self.shape.is_empty()
            && options.text_model.is_none()
            && options.visual_prompts.is_none()
    }

    /// Whether nothing has to be embedded.
    fn needs_no_model(&self) -> bool {
        (self.embedding.is_some() || self.like.is_some() || self.only_filters())
            && self.text.is_none()
            && self.image.groups.is_empty()
            && self.shape.is_empty()
            && self.not.is_empty()
    }

    fn open_for_texts(&self, place: &LibraryPath, model: &str) -> anyhow::Result<Option<Library>> {
        let EncoderOptions { device, precision, .. } = self.models.open_args.for_answers().options(None);
        Ok(Library::open_for_texts(place.clone(), model, &device, precision)?)
    }

    /// The library with one model's embeddings, up to date if it can be written. With `others`, the lock for writing is released
    /// so that they can update it too.
    fn library(&self, given: &Place, model: &str, others: bool) -> anyhow::Result<Library> {
        let place = &given.library;
        let is_fixed = given.is_fixed(self.no_update);
        if self.needs_no_model() && place.exists() && is_fixed {
            let given = self.models.model.first().map(|_| model);
            return Ok(Library::open_without_model(place.clone(), given)?);
        }
        if self.needs_only_texts()
            && place.exists()
            && is_fixed
            && let Some(library) = self.open_for_texts(place, model)?
        {
            return Ok(library);
        }
        let encoder = self.models.open_args.for_answers().open(model, None)?;
        if is_fixed {
            return Ok(Library::open_for_reading(place.clone(), encoder)?);
        }
        let (up, jobs) = (self.up_arg.up, self.jobs.count());
        UpdatedLibrary { place: given, model, up, jobs, keeps_lock: !others }.open(encoder)
    }
}

fn text_of(argument: PathBuf) -> Option<String> {
    argument.into_os_string().into_string().ok()
}

/// What to do if the target is no folder: it may be a text whose folder is missing, or a file to compare with.
fn target_hint(given: &Path) -> String {
    match given.exists() {
        true => format!("to find shapes like this one: lexiform search FOLDER --shape {}", given.display()),
        false => "the folder comes before the text: lexiform search FOLDER TEXT".to_owned(),
    }
}

fn no_folder() -> UsageError {
    UsageError("no folder to search: lexiform search FOLDER --image FILE …".to_owned())
}

/// Queries of a prompt or of standard input.
fn typed_queries() -> anyhow::Result<Queries> {
    let missing = || UsageError("nothing to search for: give TEXT, --image, --shape or --like".to_owned());
    Ok(Queries::open()?.ok_or_else(missing)?)
}

/// Checks that a file of queries, if it names its model, is of each model that is searched with.
fn check_models(file: Option<&EmbeddingFile>, ensemble: &Ensemble) -> anyhow::Result<()> {
    let check =
        |file| ensemble.members().iter().try_for_each(|m| embedding_sources::check_model(file, &m.library));
    file.map_or(Ok(()), check)
}

/// The rows of a file of embeddings.
fn embeddings(file: &EmbeddingFile) -> anyhow::Result<Vec<Embedding>> {
    if file.rows() == 0 {
        let text = format!("{}: expected embeddings, found no rows", file.path().display());
        return Err(UsageError(text).into());
    }
    let values = file.read(0, file.rows())?;
    let rows = values.chunks_exact(file.dim()).map(|row| Embedding::new(row.to_vec()));
    rows.collect::<Result<_, _>>().with_context(|| file.path().display().to_string())
}

fn parse_weight(text: &str) -> Result<(TermKind, f32), String> {
    let (kind, number) = text.split_once('=').ok_or("expected TERM=WEIGHT, such as image=0.5")?;
    let kind = match kind {
        "text" => TermKind::Text,
        "image" => TermKind::Image,
        "shape" => TermKind::Shape,
        "like" => TermKind::Like,
        "not" => TermKind::Not,
        _ => return Err(format!("expected text, image, shape, like or not, found {kind:?}")),
    };
    let weight: f32 = number.parse().map_err(|_| format!("expected a number, found {number:?}"))?;
    let is_valid = weight.is_finite() && weight >= 0.0;
    if is_valid {
        Ok((kind, weight))
    } else {
        Err(format!("expected a number of at least 0, found {number}"))
    }
}
