//! The files that a measurement is made on, and their labels.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};
use clap::Args;
use lexiform_data::listing::{Column, Line, Listing};
use lexiform_data::split_called;
use lexiform_eval::Features;
use lexiform_eval::protocol::labels::same_class;
use lexiform_mesh_io::Format;
use lexiform_search::walk;

use super::in_set::{self, InSet};
use crate::array_read::{self, FeatureFile};
use crate::failure::{Usage, WithHint as _};
use crate::output;

/// The word that stands for labels told by folders.
const FOLDERS: &str = "folders";

/// Shapes and their labels.
#[derive(Args, Clone, Debug)]
pub struct ShapesArgs {
    /// CSV file with the columns `file` (or `path`) and `label`, or the word `folders`: each file's label is the
    /// folder below --assets it is in
    #[arg(long, value_name = "CSV|folders", group = "given")]
    pub labels: Option<String>,
    /// Data set, as `lexiform data prepare` and `import` make it, in the files' stead: its views, its points and its labels
    #[arg(long, value_name = "SET", group = "given")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub split: SplitArg,
    /// Folder the files are relative to [default: the folder of the CSV file]
    #[arg(long, value_name = "DIR", requires = "labels")]
    pub assets: Option<PathBuf>,
}

/// Which of the shapes.
#[derive(Args, Clone, Copy, Debug)]
pub struct SplitArg {
    /// Only what belongs to this split: train, val or test, as the column `split` of the CSV file or the data set says
    #[arg(long, value_name = "NAME", requires = "given", value_parser = split_called)]
    split: Option<&'static str>,
}

/// Shapes, their labels, and features that may stand for them.
#[derive(Args, Clone, Debug)]
pub struct DataArgs {
    #[command(flatten)]
    pub shapes: ShapesArgs,
    /// Features of the files instead of the files: .npy with a row for each line of the CSV file, or .safetensors, whose
    /// rows are found by the names inside
    #[arg(long, value_name = "FILE[#TENSOR]", requires = "given")]
    pub features: Option<String>,
}

/// A file with what is said of it.
#[derive(Clone)]
pub struct Entry {
    /// How the table or the walk names it.
    pub name: String,
    /// Where it is.
    pub file: PathBuf,
    /// Its label.
    pub label: String,
    /// Its part of a split, where the table has such a column.
    pub split: Option<String>,
    /// Where it is, if it is in a data set.
    pub in_set: Option<InSet>,
}

/// Entries with a row of features each.
pub struct Rows {
    /// What each row is of.
    pub entries: Vec<Entry>,
    /// The rows.
    pub features: Features,
    /// The model that made them, if the file tells.
    pub model: Option<String>,
}

impl SplitArg {
    /// Those that belong to the split, all where none was asked for; `entry` is what each is of.
    ///
    /// # Errors
    /// If none is left, with the splits there are.
    pub fn only<T>(self, all: Vec<T>, entry: impl Fn(&T) -> &Entry, place: &Path) -> anyhow::Result<Vec<T>> {
        let Some(split) = self.split else { return Ok(all) };
        let count = all.len();
        let there: BTreeSet<String> = all.iter().filter_map(|item| entry(item).split.clone()).collect();
        let left: Vec<T> = all.into_iter().filter(|t| entry(t).split.as_deref() == Some(split)).collect();
        let none = || anyhow!("{}: none of {count} belongs to split {split:?}", place.display());
        let there = there.into_iter().collect::<Vec<_>>().join(", ");
        let hint = match there.is_empty() {
            true => "nothing there says a split; a CSV file says it in a column split".to_owned(),
            false => format!("the splits there are: {there}"),
        };
        if left.is_empty() { Err(none()).hint(hint) } else { Ok(left) }
    }
}

impl DataArgs {
    /// All shapes with their labels; rows of features need not be of shapes.
    pub fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        self.shapes.entries(self.features.as_deref())
    }
}

impl ShapesArgs {
    /// All shapes with their labels. Rows of `features` may stand for them, and need not be of shapes.
    pub fn entries(&self, features: Option<&str>) -> anyhow::Result<Vec<Entry>> {
        let entries = match (&self.labels, &self.data) {
            (_, Some(set)) => in_set::labelled(set)?,
            (Some(labels), None) if labels == FOLDERS => self.in_folders(features)?,
            (Some(labels), None) => self.in_table(Path::new(labels), features.is_some())?,
            (None, None) => return Err(Usage("give --labels or --data".to_owned()).into()),
        };
        let place = self.data.clone().or_else(|| self.labels.clone().map(PathBuf::from)).unwrap_or_default();
        ensure!(!entries.is_empty(), "{}: nothing has a label", place.display());
        self.split.only(entries, |entry| entry, &place)
    }

    /// Whether any files or shapes were named.
    pub fn is_given(&self) -> bool {
        self.labels.is_some() || self.data.is_some()
    }

    /// Whether labels are names of folders, or of a benchmark's lists, which have underscores for spaces.
    pub fn has_underscores(&self) -> bool {
        self.data.is_some() || self.labels.as_deref() == Some(FOLDERS)
    }

    fn in_folders(&self, features: Option<&str>) -> anyhow::Result<Vec<Entry>> {
        let missing = || Usage("--labels folders: give the folder of folders by --assets".to_owned());
        let root = self.assets.as_deref().ok_or_else(missing)?;
        if let Some(file) = features {
            let rows = array_read::read(file)?.rows;
            let rows = rows.ok_or_else(|| anyhow!("{file}: its rows have no names"));
            let rows = rows.hint("--labels folders needs .safetensors as `lexiform embed` writes it")?;
            return rows.iter().map(|row| in_folder(root, Path::new(row))).collect();
        }
        ensure!(root.is_dir(), "{}: no such folder", root.display());
        let found = walk(&[root.to_owned()]);
        let below = found.assets.iter().filter(|file| folder_below(root, file).is_some());
        below.map(|file| in_folder(root, file)).collect()
    }

    fn in_table(&self, path: &Path, any_file: bool) -> anyhow::Result<Vec<Entry>> {
        let listing = Listing::read(path)?;
        listing.expect(&[Column::Shape])?;
        listing.expect(&[Column::Label])?;
        let folder = self.assets.as_deref().unwrap_or_else(|| listing.folder());
        let entries: Vec<Entry> = listing.lines.iter().map(|line| Entry::of_line(line, folder)).collect();
        if any_file {
            return Ok(entries);
        }
        check_labels(path, &listing.lines)?;
        // A picture among shapes is meant for another measurement; anything else may be a slip.
        let (shapes, others): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|e| is_shape(&e.file));
        if let Some(other) = others.iter().find(|e| image::ImageFormat::from_path(&e.file).is_err()) {
            let text = format!(
                "note: {}: {} are no 3D files, such as {}",
                path.display(),
                output::count(others.len(), "row"),
                other.name
            );
            output::note(text);
        }
        Ok(shapes)
    }

    /// The rows of a file of features with their entries.
    pub fn rows(&self, file: &str) -> anyhow::Result<Rows> {
        let entries = self.entries(Some(file))?;
        let FeatureFile { features, rows: names, model } = array_read::read(file)?;
        let Some(names) = names else {
            ensure!(
                features.rows() == entries.len(),
                "{file}: expected a row for each of the {} lines of labels, found {}",
                entries.len(),
                features.rows()
            );
            return Ok(Rows { entries, features, model });
        };
        let places = places(&entries);
        let find = |name: &String| {
            let place = places.get(&plain(Path::new(name)));
            place.ok_or_else(|| anyhow!("{file}: row {name:?} is not among the labeled files"))
        };
        let entries = names.iter().map(|name| Ok(entries[*find(name)?].clone()));
        let entries = entries.collect::<anyhow::Result<Vec<Entry>>>();
        Ok(Rows {
            entries: entries.hint("names are compared as the CSV file has them, and with --assets before")?,
            features,
            model,
        })
    }
}

impl Entry {
    /// What a line of a table is about; the folder is what its files are relative to.
    pub fn of_line(line: &Line, folder: &Path) -> Self {
        Self {
            name: line.shape.clone(),
            file: folder.join(&line.shape),
            label: line.label.clone().unwrap_or_default(),
            split: line.split.map(str::to_owned),
            in_set: None,
        }
    }
}

/// Every line has a label, and a shape has one.
fn check_labels(path: &Path, lines: &[Line]) -> anyhow::Result<()> {
    let mut labels: HashMap<&str, &str> = HashMap::new();
    for Line { number, shape, label, .. } in lines {
        let place = || format!("{}: line {number}: {shape}", path.display());
        let Some(label) = label else {
            return Err(anyhow!("{} has no label", place())).hint("take the line out, or give it one");
        };
        let known = *labels.entry(shape).or_insert(label);
        if known != label {
            return Err(anyhow!("{} is labelled {known:?} and {label:?}", place()))
                .hint("a file counts once, under one label");
        }
    }
    Ok(())
}

/// Entries by both names they may be called.
fn places(entries: &[Entry]) -> HashMap<PathBuf, usize> {
    let both = entries.iter().enumerate();
    both.flat_map(|(i, e)| [(plain(Path::new(&e.name)), i), (plain(&e.file), i)]).collect()
}

/// A path without parts that say nothing.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != std::path::Component::CurDir).collect()
}

/// Whether a path can be a shape: a 3D file, or a folder of its views.
fn is_shape(path: &Path) -> bool {
    Format::from_path(path).is_some() || path.is_dir()
}

/// The folder directly below `root` that a file is in.
fn folder_below<'a>(root: &Path, file: &'a Path) -> Option<&'a str> {
    let below = plain(file);
    let depth = below.strip_prefix(plain(root)).ok()?.components().count();
    // Counted from the end, since `file` may start with `./`.
    let folder = file.ancestors().nth(depth.checked_sub(1)?)?;
    if depth > 1 { folder.file_name()?.to_str() } else { None }
}

fn in_folder(root: &Path, file: &Path) -> anyhow::Result<Entry> {
    let folder = folder_below(root, file);
    let outside = || anyhow!("{}: expected a file in a folder below {}", file.display(), root.display());
    let label = folder.ok_or_else(outside)?.to_owned();
    Ok(Entry { name: file.display().to_string(), file: file.to_owned(), label, split: None, in_set: None })
}

/// Index of each entry's label among the labels: spelled the same, or else the same but for case and underscores.
pub fn truth(entries: &[Entry], labels: &[String]) -> anyhow::Result<Vec<usize>> {
    let mut exact: HashMap<&str, usize> = HashMap::new();
    labels.iter().enumerate().for_each(|(i, label)| {
        exact.entry(label).or_insert(i);
    });
    let index = |entry: &Entry| {
        let like = || labels.iter().position(|label| same_class(label, &entry.label));
        let found = exact.get(entry.label.as_str()).copied().or_else(like);
        let unknown = || anyhow!("{}: label {:?} is not among the labels", entry.file.display(), entry.label);
        found.ok_or_else(unknown)
    };
    entries.iter().map(index).collect()
}

/// Every label of the entries, sorted, each once.
pub fn all_labels(entries: &[Entry]) -> Vec<String> {
    let mut labels: Vec<String> = entries.iter().map(|e| e.label.clone()).collect();
    labels.sort();
    labels.dedup();
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_the_folder_below_the_root() {
        let check = |root: &str, file: &str, expected: Option<&str>| {
            assert_eq!(folder_below(Path::new(root), Path::new(file)), expected, "{root} {file}");
        };
        check("assets", "assets/chair/a.glb", Some("chair"));
        check("assets/", "./assets/chair/deep/a.glb", Some("chair"));
        check(".", "./chair/a.glb", Some("chair"));
        check("assets", "assets/a.glb", None);
        check("assets", "elsewhere/chair/a.glb", None);
    }

    #[test]
    fn labels_are_found_by_spelling_first() {
        let entry = |label: &str| Entry {
            name: String::new(),
            file: PathBuf::from("x.glb"),
            label: label.to_owned(),
            split: None,
            in_set: None,
        };
        let labels = ["night stand", "Night_Stand", "bed"].map(str::to_owned);
        let found = truth(&[entry("Night_Stand"), entry("night_stand"), entry("BED")], &labels).unwrap();
        assert_eq!(found, [1, 0, 2]);
        let error = truth(&[entry("sofa")], &labels).unwrap_err().to_string();
        assert_eq!(error, "x.glb: label \"sofa\" is not among the labels");
    }
}
