//! How results are shown: a table, lines of JSON, a sheet of thumbnails, or an explanation.

use lexiform_render::SheetCell;
use lexiform_search::{
    Answer, Library, Query, QueryTerm, RankBy, RecordId, SceneObjectRef, SearchResults, SpellingCorrection,
    model_name,
};
use serde::Serialize;

use crate::commands::render::save_sheet;
use crate::display_path::PathDisplay;
use crate::models::DEFAULT_MODEL;
use crate::output::{self, Align};
use crate::output_file::OutputFile;
use crate::place::Place;
use crate::sheet_labels::sheet_labels;

/// How results are printed.
pub(super) struct ResultsFormat<'a> {
    /// One JSON object per result, instead of a table.
    pub json: bool,
    /// Whether results have ranks and scores; otherwise they are a list.
    pub is_ranked: bool,
    /// What was searched.
    pub place: &'a Place,
}

/// Prints the results of a query.
pub(super) fn show(
    library: &Library,
    query: &Query,
    results: &SearchResults,
    format: &ResultsFormat<'_>,
) -> anyhow::Result<()> {
    let SearchResults { answers, corrections, unknown_texts } = results;
    let &ResultsFormat { json, is_ranked, place } = format;
    let paths = &place.paths;
    for SpellingCorrection { typed, corrected } in corrections {
        output::note(format!("searched names for {corrected} (typed: {typed})"));
    }
    // An empty result is no output in JSON, and an explanation on standard error otherwise.
    if json {
        let line = |answer| AnswerLine {
            ranks: is_ranked.then(|| Ranks::new(answer)),
            corrections,
            unknown_texts,
            ..AnswerLine::new(answer, paths)
        };
        return answers.iter().try_for_each(|answer| output::json(&line(answer)));
    }
    if answers.is_empty() {
        return explain_no_results(library, query, place);
    }
    explain_limits(library, query, unknown_texts);
    Ok(output::line(table(answers, is_ranked, paths))?)
}

/// Results as aligned text.
fn table(answers: &[Answer], is_ranked: bool, paths: &PathDisplay) -> String {
    let name = if answers.iter().all(Answer::is_embedding) { "id" } else { "path" };
    let has_links = answers.iter().any(|answer| answer.link().is_some());
    let mut columns = Vec::new();
    if is_ranked {
        columns.extend([("rank", Align::Right), ("score", Align::Right)]);
    }
    columns.push((name, Align::Left));
    let has_objects = answers.iter().any(|answer| answer.object().is_some());
    columns.extend(
        has_objects.then_some([("center (x y z)", Align::Left), ("size", Align::Left)]).into_iter().flatten(),
    );
    columns.extend(has_links.then_some(("link", Align::Left)));
    let row = |a: &Answer| {
        let missing = if a.is_embedding() || a.file.exists() { "" } else { "  (missing)" };
        let mut row = Vec::new();
        if is_ranked {
            row.extend([a.rank.to_string(), format!("{:.3}", a.score)]);
        }
        row.push(format!("{}{missing}", shown(a, paths)));
        row.extend(has_objects.then(|| place_of(a)).into_iter().flatten());
        row.extend(has_links.then(|| a.link().unwrap_or_default()));
        row
    };
    output::table(&columns, &answers.iter().map(row).collect::<Vec<_>>())
}

/// Center and size of an object in a scene; empty for other answers.
fn place_of(answer: &Answer) -> [String; 2] {
    let Some(SceneObjectRef { min, max, .. }) = answer.object() else { return Default::default() };
    let text = |of_axis: fn(f32, f32) -> f32| {
        let numbers = min.iter().zip(max).map(|(min, max)| format!("{:.2}", of_axis(*min, max)));
        numbers.collect::<Vec<_>>().join(" ")
    };
    [text(|min, max| (min + max) / 2.0), text(|min, max| max - min)]
}

/// Says that answers are guesses, and what to do.
fn explain_limits(library: &Library, query: &Query, unknown_texts: &[String]) {
    let model = model_name(library.encoder().id());
    for text in unknown_texts {
        let reason = match text.chars().any(|letter| letter.is_alphabetic() && !is_latin(letter)) {
            true => "it knows English only",
            false => "these words are unknown to it, or not English",
        };
        output::note(format!(
            "no close match: {model} does not understand {text:?}: {reason}; the nearest are:"
        ));
    }
    if !unknown_texts.is_empty() {
        output::note("hint: use other words, or a model that has seen more: `lexiform model list`");
    }
    let has_images = query.terms.iter().any(|(_, term)| matches!(term, QueryTerm::Images { .. }));
    if has_images && model == DEFAULT_MODEL {
        output::note(format!(
            "note: {model} is weak on photos; `lexiform model list` shows models that were trained on them"
        ));
    }
}

/// Latin letters, with accents.
fn is_latin(letter: char) -> bool {
    matches!(letter, '\u{0}'..='\u{24f}')
}

/// The path of an answer's file, with the number of an object in a scene, or its name if it has none.
pub(crate) fn shown(answer: &Answer, paths: &PathDisplay) -> String {
    match answer.object() {
        Some(SceneObjectRef { object, .. }) => format!("{}#{object}", paths.path(&answer.file)),
        None if answer.is_embedding() => answer.payload.path.clone(),
        None => paths.path(&answer.file),
    }
}

fn explain_no_results(library: &Library, query: &Query, place: &Place) -> anyhow::Result<()> {
    let n = place.len(library)?;
    let failed = place.failures(library)?;
    output::note(match &query.filter {
        _ if n == 0 && failed > 0 => {
            format!("nothing found: none of {} could be used", output::quantity(failed, "3D file"))
        }
        _ if n == 0 => "nothing found: there are no 3D files here".to_owned(),
        _ if query.rank_by == RankBy::Name => "nothing found: no name matches".to_owned(),
        Some(_) => format!("nothing found: none of {} matches --where", output::quantity(n, "shape")),
        None => "nothing found".to_owned(),
    });
    if n == 0 && failed > 0 {
        output::note("hint: `lexiform index FOLDER --retry-failed` lists the reasons");
    }
    Ok(())
}

/// A result as a line of JSON.
#[derive(Serialize)]
struct AnswerLine<'a> {
    #[serde(flatten)]
    ranks: Option<Ranks>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    corrections: &'a [SpellingCorrection],
    /// Texts that the model does not understand: the results say little.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unknown_texts: &'a [String],
    path: String,
    id: RecordId,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<&'a str>,
    format: &'a str,
    bytes: u64,
    vertices: u64,
    triangles: u64,
    points: u64,
    extents: [f32; 3],
    /// Where in a scene it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<SceneObjectRef>,
}

/// Where a result is among others.
#[derive(Serialize)]
struct Ranks {
    rank: usize,
    score: f32,
    semantic_rank: Option<usize>,
    name_rank: Option<usize>,
}

impl Ranks {
    fn new(answer: &Answer) -> Self {
        let Answer { rank, score, semantic_rank, name_rank, .. } = *answer;
        Self { rank, score, semantic_rank, name_rank }
    }
}

impl<'a> AnswerLine<'a> {
    fn new(answer: &'a Answer, paths: &PathDisplay) -> Self {
        let payload = &answer.payload;
        Self {
            ranks: None,
            corrections: &[],
            unknown_texts: &[],
            path: shown(answer, paths),
            id: answer.id,
            link: answer.link(),
            label: payload.extra.get("label"),
            caption: payload.captions.as_ref().and_then(|captions| captions.first()),
            format: &payload.format,
            bytes: payload.bytes,
            vertices: payload.vertices,
            triangles: payload.triangles,
            points: payload.points,
            extents: payload.extents,
            object: answer.object(),
        }
    }
}

/// Writes the results' thumbnails, best first, left to right and top to bottom.
pub(super) fn write_sheet(
    library: &Library,
    answers: &[Answer],
    format: &ResultsFormat<'_>,
    file: &OutputFile,
) -> anyhow::Result<()> {
    let mut cells = Vec::with_capacity(answers.len());
    let names: Vec<String> = answers.iter().map(|answer| answer.payload.path.clone()).collect();
    for (answer, label) in answers.iter().zip(sheet_labels(&names)) {
        if let Some(bytes) = library.thumbnail(answer.id)? {
            let caption = match format.is_ranked {
                true => format!("{}  {:.3}\n{label}", answer.rank, answer.score),
                false => label,
            };
            cells.push(SheetCell { image: image::load_from_memory(&bytes)?.into_rgba8(), caption });
        }
    }
    save_sheet(&cells, file)
}
