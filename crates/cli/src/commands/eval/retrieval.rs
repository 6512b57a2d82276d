//! `lexiform eval retrieval`: whether words and photos bring the right shapes, and shapes the right words.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};
use clap::Args;
use lexiform_eval::Features;
use lexiform_eval::protocol::labels::same_class;
use lexiform_eval::protocol::{Taking, Values};
use lexiform_eval::retrieve::{DEPTHS, Found, Retrieval, retrieve};
use lexiform_geometry::io::Format;
use lexiform_search::{Encoder, Intake, embed_picture};
use serde::Serialize;

use super::data::{Entry, Table};
use super::in_set;
use super::looks::{self, Seen, Variant};
use super::words::{ProtocolArgs, tell_protocol};
use crate::array_read::{self, FeatureFile};
use crate::commands::classify::{failure, lines};
use crate::failure::{Usage, Verdict, WithHint as _};
use crate::indexing;
use crate::models::ModelArg;
use crate::output::{self, Align};
use crate::progress::Progress;

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
    /// Only what belongs to this split: train, val or test
    #[arg(long, value_name = "NAME", requires = "data")]
    split: Option<String>,
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
    model: ModelArg,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print a JSON object for each direction
    #[arg(long)]
    json: bool,
}

/// Shapes, their words, and which belong together.
struct Gallery {
    /// Each different file once.
    shapes: Vec<Entry>,
    /// Each different text once.
    texts: Vec<String>,
    /// Pairs of (shape, text).
    pairs: Vec<(usize, usize)>,
    /// Whether the texts are labels.
    by_label: bool,
}

/// One direction's numbers.
#[derive(Serialize)]
struct Line {
    direction: &'static str,
    model: String,
    depths: [usize; DEPTHS.len()],
    #[serde(flatten)]
    numbers: Retrieval,
}

/// One direction measured: names of queries and gallery items, and what was found.
struct Direction {
    name: &'static str,
    queries: Vec<String>,
    gallery: Vec<String>,
    found: Vec<Found>,
}

impl RetrievalArgs {
    /// Measures every direction and shows it.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let protocol = self.by.chosen()?;
        let mut gallery = self.gallery()?;
        let needs_model = self.features.is_none() || self.text_features.is_none() || self.photos.is_some();
        let encoder = if needs_model { Some(self.model.open()?) } else { None };
        let encoder = encoder.as_deref();
        let mut failed = Vec::new();
        let shapes = self.shapes(&mut gallery, encoder, &mut failed)?;
        if gallery.shapes.is_empty() {
            indexing::list_failed(&failed);
            return Ok(Verdict::Failed);
        }
        let texts = self.texts(&gallery, encoder)?;
        let mut directions = gallery.directions(&shapes, &texts)?;
        if let (Some(table), Some(encoder)) = (&self.photos, encoder) {
            directions.extend(self.photos(table, &gallery, &shapes, encoder, &mut failed)?);
        }
        indexing::list_failed(&failed);
        if let Some(protocol) = protocol {
            tell_protocol(protocol, gallery.shapes.len(), Values::is_retrieval);
        }
        let model = encoder.map_or_else(|| self.features.clone().unwrap_or_default(), |e| e.id().to_owned());
        self.show(&directions, &model)?;
        Ok(if self.strict && !failed.is_empty() { Verdict::Failed } else { Verdict::Done })
    }

    fn gallery(&self) -> anyhow::Result<Gallery> {
        match (&self.captions, &self.data) {
            (Some(table), _) => Gallery::read(table, self.assets.as_deref(), self.features.is_some()),
            (None, Some(set)) => Gallery::of_set(set, self.split.as_deref()),
            (None, None) => Err(Usage("give --captions or --data".to_owned()).into()),
        }
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

    /// Photo → shape and shape → photo.
    fn photos(
        &self,
        path: &Path,
        gallery: &Gallery,
        shapes: &Features,
        encoder: &dyn Encoder,
        failed: &mut Vec<(String, String)>,
    ) -> anyhow::Result<Vec<Direction>> {
        let photos = read_photos(path, self.assets.as_deref(), gallery)?;
        let progress = Progress::new(photos.len());
        let (mut names, mut rows, mut right) = (Vec::new(), Vec::new(), Vec::new());
        for (image, answers) in photos {
            if answers.is_empty() {
                failed.push((image.display().to_string(), "no shape is a right answer".to_owned()));
                continue;
            }
            match embed_picture(encoder, &image) {
                Ok(embedding) => {
                    progress.step(&image.display().to_string());
                    names.push(image.display().to_string());
                    rows.push(embedding);
                    right.push(answers);
                }
                Err(error) => failed.push(failure(&image, error)?),
            }
        }
        drop(progress);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let photos = Features::from_rows(rows.iter().map(lexiform_search::Embedding::as_slice))?;
        both_ways(["photo → shape", "shape → photo"], (&names, &photos), (&gallery.names(), shapes), &right)
    }

    fn show(&self, directions: &[Direction], model: &str) -> anyhow::Result<()> {
        let line = |d: &Direction| -> anyhow::Result<Line> {
            let numbers = Retrieval::of(&d.found, d.gallery.len())?;
            Ok(Line { direction: d.name, model: model.to_owned(), depths: DEPTHS, numbers })
        };
        let lines = directions.iter().map(line).collect::<anyhow::Result<Vec<_>>>()?;
        if let Some(path) = &self.csv {
            write_queries(path, directions)?;
        }
        if self.json {
            return lines.iter().try_for_each(output::json);
        }
        let columns = [
            ("direction", Align::Left),
            ("queries", Align::Right),
            ("gallery", Align::Right),
            ("R@1", Align::Right),
            ("R@3", Align::Right),
            ("R@5", Align::Right),
            ("R@10", Align::Right),
            ("NDCG@5", Align::Right),
            ("mAP", Align::Right),
            ("median rank", Align::Right),
            ("mean rank", Align::Right),
        ];
        let row = |line: &Line| {
            let n = &line.numbers;
            let percent = |x: f64| format!("{:.1}", 100.0 * x);
            let mut row = vec![line.direction.to_owned(), n.queries.to_string(), n.gallery.to_string()];
            row.extend(n.recall.map(percent));
            row.extend([percent(n.ndcg[2]), percent(n.mean_average_precision)]);
            row.extend([n.median_rank, n.mean_rank].map(|x| format!("{x:.1}")));
            row
        };
        Ok(output::line(output::table(&columns, &lines.iter().map(row).collect::<Vec<_>>()))?)
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

impl Gallery {
    /// The shapes of a data set with their captions.
    fn of_set(place: &Path, split: Option<&str>) -> anyhow::Result<Self> {
        let (said, by_label) = in_set::captioned(place)?;
        let mut gallery = Self { shapes: Vec::new(), texts: Vec::new(), pairs: Vec::new(), by_label };
        let mut text_of = HashMap::new();
        let is_of = |entry: &Entry| split.is_none_or(|split| entry.split.as_deref() == Some(split));
        let taken = said.into_iter().filter(|said| is_of(&said.entry) && !said.texts.is_empty());
        for in_set::Said { entry, texts } in taken {
            for text in texts {
                let place = *text_of.entry(text.clone()).or_insert_with(|| {
                    gallery.texts.push(text);
                    gallery.texts.len() - 1
                });
                gallery.pairs.push((gallery.shapes.len(), place));
            }
            gallery.shapes.push(entry);
        }
        ensure!(
            !gallery.shapes.is_empty(),
            "{}: no shape has words, or none is of the split",
            place.display()
        );
        Ok(gallery)
    }

    /// Reads the table of shapes and their words.
    fn read(path: &Path, assets: Option<&Path>, any_file: bool) -> anyhow::Result<Self> {
        let table = Table::read(path)?;
        let folder = assets.unwrap_or_else(|| table.folder());
        let file = table.column(&["file", "path"])?;
        let by_label = table.position(&["caption", "text"]).is_none();
        let words = table.column(&["caption", "text", "label"])?;
        let label = table.position(&["label"]);
        let mut gallery = Self { shapes: Vec::new(), texts: Vec::new(), pairs: Vec::new(), by_label };
        let (mut shape_of, mut text_of) = (HashMap::new(), HashMap::new());
        for row in &table.rows {
            let path = folder.join(&row[file]);
            if row[words].is_empty() || !(any_file || Format::from_path(&path).is_some() || path.is_dir()) {
                continue;
            }
            let shape = *shape_of.entry(row[file].clone()).or_insert_with(|| {
                let label = label.map_or(String::new(), |column| row[column].clone());
                gallery.shapes.push(Entry {
                    name: row[file].clone(),
                    file: path,
                    label,
                    split: None,
                    in_set: None,
                });
                gallery.shapes.len() - 1
            });
            let text = *text_of.entry(row[words].clone()).or_insert_with(|| {
                gallery.texts.push(row[words].clone());
                gallery.texts.len() - 1
            });
            gallery.pairs.push((shape, text));
        }
        ensure!(!gallery.shapes.is_empty(), "{}: no line has a 3D file and words", path.display());
        Ok(gallery)
    }

    /// Leaves out shapes that are not among these, and texts that no shape is left for.
    fn keep(&mut self, entries: &[Entry]) {
        let left: HashMap<&str, usize> =
            entries.iter().enumerate().map(|(i, e)| (e.name.as_str(), i)).collect();
        let pairs = self.pairs.iter();
        let pairs: Vec<(usize, usize)> =
            pairs.filter_map(|(s, t)| Some((*left.get(self.shapes[*s].name.as_str())?, *t))).collect();
        let mut places = vec![None; self.texts.len()];
        let mut texts = Vec::new();
        for &(_, text) in &pairs {
            places[text].get_or_insert_with(|| {
                texts.push(self.texts[text].clone());
                texts.len() - 1
            });
        }
        self.pairs = pairs.into_iter().filter_map(|(s, t)| Some((s, places[t]?))).collect();
        self.texts = texts;
        self.shapes = entries.to_vec();
    }

    fn names(&self) -> Vec<String> {
        self.shapes.iter().map(|e| e.name.clone()).collect()
    }

    /// Text → shape and shape → text.
    fn directions(&self, shapes: &Features, texts: &Features) -> anyhow::Result<Vec<Direction>> {
        let mut right = vec![Vec::new(); self.texts.len()];
        self.pairs.iter().for_each(|(shape, text)| right[*text].push(*shape));
        both_ways(["text → shape", "shape → text"], (&self.texts, texts), (&self.names(), shapes), &right)
    }
}

/// Looks for gallery items with queries, and for queries with gallery items; `right` has the gallery items of each query.
/// Gallery items that are no query's answer ask for nothing.
fn both_ways(
    [there, back]: [&'static str; 2],
    (queries, query_rows): (&[String], &Features),
    (gallery, gallery_rows): (&[String], &Features),
    right: &[Vec<usize>],
) -> anyhow::Result<Vec<Direction>> {
    let found = retrieve(query_rows, gallery_rows, right)?;
    let mut reversed = vec![Vec::new(); gallery.len()];
    for (query, right) in right.iter().enumerate() {
        right.iter().for_each(|item| reversed[*item].push(query));
    }
    let asking: Vec<usize> = (0..gallery.len()).filter(|i| !reversed[*i].is_empty()).collect();
    let reversed: Vec<Vec<usize>> = asking.iter().map(|i| reversed[*i].clone()).collect();
    let back_found = retrieve(&gallery_rows.select(&asking)?, query_rows, &reversed)?;
    let asking = asking.iter().map(|i| gallery[*i].clone()).collect();
    Ok(vec![
        Direction { name: there, queries: queries.to_vec(), gallery: gallery.to_vec(), found },
        Direction { name: back, queries: asking, gallery: queries.to_vec(), found: back_found },
    ])
}

/// Photos, each once, with the shapes that are right answers.
fn read_photos(
    path: &Path,
    assets: Option<&Path>,
    gallery: &Gallery,
) -> anyhow::Result<Vec<(PathBuf, Vec<usize>)>> {
    let table = Table::read(path)?;
    let folder = assets.unwrap_or_else(|| table.folder());
    let named = table.position(&["image"]);
    let image = named.map_or_else(|| table.column(&["file", "path"]), Ok)?;
    let shown = if named.is_some() { table.position(&["file"]) } else { None };
    let answer = shown.map_or_else(|| table.column(&["label"]), Ok)?;
    let mut photos: Vec<(PathBuf, Vec<usize>)> = Vec::new();
    for row in &table.rows {
        let photo = folder.join(&row[image]);
        if image::ImageFormat::from_path(&photo).is_err() {
            continue;
        }
        let is_right = |e: &Entry| match shown {
            Some(_) => e.name == row[answer] || e.file == folder.join(&row[answer]),
            None => same_class(&e.label, &row[answer]),
        };
        let right = (0..gallery.shapes.len()).filter(|i| is_right(&gallery.shapes[*i]));
        match photos.iter_mut().find(|(known, _)| *known == photo) {
            Some((_, known)) => known.extend(right),
            None => photos.push((photo, right.collect())),
        }
    }
    ensure!(!photos.is_empty(), "{}: no line names a picture", path.display());
    Ok(photos)
}

/// One line a query: places of its right answers and its first answers.
fn write_queries(path: &Path, directions: &[Direction]) -> anyhow::Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record(["direction", "query", "ranks", "first_answers"])?;
    for direction in directions {
        for (query, found) in direction.queries.iter().zip(&direction.found) {
            let ranks: Vec<String> = found.ranks.iter().map(usize::to_string).collect();
            let best: Vec<&str> = found.best.iter().map(|i| direction.gallery[*i].as_str()).collect();
            table.write_record([direction.name, query, &ranks.join(" "), &best.join("; ")])?;
        }
    }
    Ok(table.flush()?)
}
