//! `lexiform search`: find 3D files by words, a picture, another shape, or a mix of them.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use lexiform_render::SheetCell;
use lexiform_search::{
    Answer, Ensemble, EnsembleMember, Error, Filter, IndexOptions, Library, LibraryPath, Query, QueryTerm,
    RecordId, StoreError,
};
use serde::Serialize;

use crate::failure::{Usage, Verdict, WithHint as _};
use crate::indexing::{self, Report, Telling};
use crate::jobs::JobsArg;
use crate::models::ModelsArg;
use crate::output::{self, Align};
use crate::reading::not_found;
use crate::shown::Shown;
use crate::target::check_file;

/// Find 3D files by words, a picture or another shape
///
/// A folder without a library gets one first, in `.lexiform` inside it; a folder with one is checked for changes.
#[derive(Args)]
pub struct SearchArgs {
    /// Folder of 3D files, or library made by `lexiform index`
    #[arg(value_name = "FOLDER|LIBRARY")]
    target: PathBuf,
    /// What to look for, in words
    text: Option<String>,
    /// Picture of what to look for
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// 3D file to find similar ones of
    #[arg(long, value_name = "FILE")]
    shape: Option<PathBuf>,
    /// Asset of the library to find similar ones of, by the id that --json prints
    #[arg(long, value_name = "ID")]
    like: Option<String>,
    /// What the answers should not be like, in words; may be given more than once
    #[arg(long, value_name = "TEXT")]
    not: Vec<String>,
    /// How much a part of the query counts [default: 1 each, 0.5 for not]
    #[arg(long, value_name = "PART=NUMBER", value_parser = parse_weight)]
    weight: Vec<(Part, f32)>,
    /// Most answers
    #[arg(short, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    k: u32,
    /// Only files that pass, such as `format = "glb" and triangles < 10000`
    #[arg(long = "where", value_name = "EXPR")]
    filter: Option<String>,
    /// Draw the answers into one picture
    #[arg(long, value_name = "OUT.png")]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    models: ModelsArg,
    /// Search what the library knows, without looking for changed files
    #[arg(long)]
    no_update: bool,
    #[command(flatten)]
    jobs: JobsArg,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// A part of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Text,
    Image,
    Shape,
    Like,
    Not,
}

/// How strongly unwanted words push away. A full weight would also remove what all texts have in common.
const NOT_WEIGHT: f32 = 0.5;

impl SearchArgs {
    /// Brings the library up to date, searches, and shows the answers.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let query = self.query()?;
        if let Some(sheet) = &self.sheet {
            check_file(sheet)?;
        }
        let target = self.folder()?;
        let place = LibraryPath::discover(&target);
        let shown = Shown::new(&self.target, place.root.as_deref().unwrap_or(&target));
        let mut members = Vec::new();
        let models = self.models.names_for(&place)?;
        for (model, weight) in &models {
            let library = self.library(&place, shown.clone(), model, models.len() > 1)?;
            members.push(EnsembleMember { weight: *weight, library });
        }
        let ensemble = Ensemble::new(members, self.models.fusion)?;
        let answers = ensemble.search(&query)?;
        let library = &ensemble.members()[0].library;
        if let Some(sheet) = &self.sheet {
            draw_sheet(library, &answers, sheet)?;
        }
        self.show(library, &query, &answers, &shown)?;
        Ok(Verdict::Done)
    }

    fn folder(&self) -> anyhow::Result<PathBuf> {
        let found = fs_err::canonicalize(&self.target).map_err(|_| not_found(&self.target));
        let target = found.hint("the folder stands before the text: lexiform search FOLDER TEXT")?;
        if target.is_dir() {
            return Ok(target);
        }
        let file = self.target.display();
        Err(anyhow!("{file}: expected a folder or a library, found a file"))
            .hint(format!("to find shapes like this one: lexiform search FOLDER --shape {file}"))
    }

    fn query(&self) -> anyhow::Result<Query> {
        let weight = |part| {
            let given = self.weight.iter().rev().find(|(p, _)| *p == part).map(|(_, weight)| *weight);
            given.unwrap_or(if part == Part::Not { NOT_WEIGHT } else { 1.0 })
        };
        let like = self.like.as_deref().map(str::parse::<RecordId>).transpose().map_err(Error::from)?;
        let wanted = [
            (Part::Text, self.text.clone().map(QueryTerm::Text)),
            (Part::Image, self.image.clone().map(QueryTerm::Image)),
            (Part::Shape, self.shape.clone().map(QueryTerm::Shape)),
            (Part::Like, like.map(QueryTerm::Record)),
        ];
        let mut terms: Vec<(f32, QueryTerm)> =
            wanted.into_iter().filter_map(|(part, term)| Some((weight(part), term?))).collect();
        if terms.is_empty() {
            return Err(Usage("nothing to look for: give TEXT, --image, --shape or --like".to_owned()).into());
        }
        terms.extend(self.not.iter().map(|text| (-weight(Part::Not), QueryTerm::Text(text.clone()))));
        let filter = self.filter.as_deref().map(Filter::parse).transpose();
        let filter = filter.map_err(|error| Error::from(StoreError::from(error)))?;
        Ok(Query { terms, k: self.k as usize, filter })
    }

    /// The library as a model sees it, up to date where that can be. With `others` it is not kept from them.
    fn library(
        &self,
        place: &LibraryPath,
        shown: Shown,
        model: &str,
        others: bool,
    ) -> anyhow::Result<Library> {
        let encoder = self.models.opening.open(model, None)?;
        // A library apart says nothing about where to look for new files.
        let Some(root) = place.root.clone().filter(|_| !(self.no_update && place.exists())) else {
            return Ok(Library::open_for_reading(place.clone(), encoder)?);
        };
        let opened = match Library::open(place.clone(), encoder.clone(), model) {
            // A name may stand for other weights than when the library was made, as the built-in one's does after an upgrade.
            Err(Error::Store(StoreError::ModelMismatch { .. }))
                if Library::recorded_models(place)?.iter().any(|known| known == model) =>
            {
                Library::open_or_add_model(place.clone(), encoder.clone(), model)
            }
            opened => opened,
        };
        match opened {
            Ok(library) => {
                let options = IndexOptions { jobs: self.jobs.count(), ..IndexOptions::default() };
                let telling = Telling { json: false, shown };
                let report = indexing::update(&library, &[root], &options, &telling)?;
                tell_changes(&report);
                if others {
                    // One model writes at a time.
                    drop(library);
                    return Ok(Library::open_for_reading(place.clone(), encoder)?);
                }
                Ok(library)
            }
            Err(error) if place.exists() && cannot_write(&error) => {
                output::note(format!("note: searching without looking for changes: {error}"));
                Ok(Library::open_for_reading(place.clone(), encoder)?)
            }
            Err(error) if cannot_write(&error) => Err(error).hint(
                "the library is kept inside the folder; where that cannot be written, make one elsewhere with `lexiform index FOLDER --library ELSEWHERE`",
            ),
            Err(error) => Err(error.into()),
        }
    }

    fn show(
        &self,
        library: &Library,
        query: &Query,
        answers: &[Answer],
        shown: &Shown,
    ) -> anyhow::Result<()> {
        if self.json {
            return answers.iter().try_for_each(|answer| output::json(&AnswerLine::new(answer, shown)));
        }
        if answers.is_empty() {
            return explain_nothing(library, query);
        }
        let columns = [("rank", Align::Right), ("score", Align::Right), ("path", Align::Left)];
        let row = |a: &Answer| {
            let missing = if a.file.exists() { "" } else { "  (missing)" };
            vec![a.rank.to_string(), format!("{:.3}", a.score), format!("{}{missing}", shown.path(&a.file))]
        };
        Ok(output::line(output::table(&columns, &answers.iter().map(row).collect::<Vec<_>>()))?)
    }
}

/// Whether another process or the system keeps us from writing.
fn cannot_write(error: &Error) -> bool {
    match error {
        Error::Store(StoreError::Locked { .. } | StoreError::ReadOnly { .. }) => true,
        Error::Store(StoreError::Io { source, .. }) => matches!(
            source.kind(),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
        ),
        _ => false,
    }
}

fn tell_changes(report: &Report) {
    let summary = report.summary;
    if summary.indexed + summary.renamed > 0 {
        report.list_failed();
        output::note(report.totals());
    }
}

fn explain_nothing(library: &Library, query: &Query) -> anyhow::Result<()> {
    let n = library.len()?;
    let failed = library.failures()?.len();
    output::note(match &query.filter {
        _ if n == 0 && failed > 0 => {
            format!("nothing found: none of {} could be used", output::count(failed, "3D file"))
        }
        _ if n == 0 => "nothing found: there are no 3D files here".to_owned(),
        Some(_) => format!("nothing found: none of {} passes --where", output::count(n, "shape")),
        None => "nothing found".to_owned(),
    });
    if n == 0 && failed > 0 {
        output::note("hint: `lexiform index FOLDER --retry-failed` lists the reasons");
    }
    Ok(())
}

/// An answer as a line of JSON.
#[derive(Serialize)]
struct AnswerLine<'a> {
    rank: usize,
    score: f32,
    path: String,
    id: RecordId,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a serde_json::Value>,
    format: &'a str,
    bytes: u64,
    vertices: u64,
    triangles: u64,
    points: u64,
    extents: [f32; 3],
}

impl<'a> AnswerLine<'a> {
    fn new(answer: &'a Answer, shown: &Shown) -> Self {
        let payload = &answer.payload;
        Self {
            rank: answer.rank,
            score: answer.score,
            path: shown.path(&answer.file),
            id: answer.id,
            label: payload.extra.get("label"),
            format: &payload.format,
            bytes: payload.bytes,
            vertices: payload.vertices,
            triangles: payload.triangles,
            points: payload.points,
            extents: payload.extents,
        }
    }
}

/// Draws the answers' thumbnails, best first, left to right and top to bottom.
fn draw_sheet(library: &Library, answers: &[Answer], path: &Path) -> anyhow::Result<()> {
    let mut cells = Vec::with_capacity(answers.len());
    for answer in answers {
        if let Some(bytes) = library.thumbnail(answer.id)? {
            let caption = format!("{}  {:.3}\n{}", answer.rank, answer.score, answer.payload.name());
            cells.push(SheetCell { image: image::load_from_memory(&bytes)?.into_rgba8(), caption });
        }
    }
    super::render::save_sheet(&cells, path)
}

fn parse_weight(text: &str) -> Result<(Part, f32), String> {
    let (part, number) = text.split_once('=').ok_or("expected PART=NUMBER, such as image=0.5")?;
    let part = match part {
        "text" => Part::Text,
        "image" => Part::Image,
        "shape" => Part::Shape,
        "like" => Part::Like,
        "not" => Part::Not,
        _ => return Err(format!("expected text, image, shape, like or not, found {part:?}")),
    };
    let weight: f32 = number.parse().map_err(|_| format!("expected a number, found {number:?}"))?;
    let is_valid = weight.is_finite() && weight >= 0.0;
    if is_valid { Ok((part, weight)) } else { Err(format!("expected a number from 0 up, found {number}")) }
}
