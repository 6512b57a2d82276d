//! CSV files about shapes, line by line: which headings there are, and what a line says under them. Whatever reads such a
//! file reads it here, so that a file that is good for one command is good for all.
//!
//! | said | headings, in any case, the first that is there |
//! |---|---|
//! | the shape | `file`, `path`, `key`, `uid`, `modelId`, `model_id`, `object_id`, `id`, `name` |
//! | a picture of it | `image` |
//! | its label | `label`, `category`, `class`, `class_name`, `labels` |
//! | captions, of every such column | `caption`, `description`, `text`, `captions` |
//! | its split | `split`: train, val or test, as [`split_called`] knows them |
//!
//! Other columns are passed over. `.gz` is unpacked.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use lexiform_formats::inflate::gunzip;

use crate::DataError;
use crate::split::split_called;

/// Largest file after decompression, in bytes.
pub(crate) const LARGEST: usize = 8 << 30;
/// Headings of the column that names a shape. `id` beside `modelId` numbers the captions (Text2Shape).
pub(crate) const NAMES: [&str; 9] =
    ["file", "path", "key", "uid", "modelid", "model_id", "object_id", "id", "name"];
/// Headings of the column of labels.
pub(crate) const LABELS: [&str; 5] = ["label", "category", "class", "class_name", "labels"];
/// Headings of columns of captions.
pub(crate) const CAPTIONS: [&str; 4] = ["caption", "description", "text", "captions"];
/// Headings of the column of pictures.
const PICTURES: [&str; 1] = ["image"];

/// What a column may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Which shape a line is about.
    Shape,
    /// A picture of it.
    Picture,
    /// Its label.
    Label,
    /// A sentence about it.
    Caption,
    /// The split it belongs to.
    Split,
}

/// A line. What it does not say is empty or absent; all texts are trimmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: u64,
    /// The shape.
    pub shape: String,
    /// The picture.
    pub picture: String,
    /// The label.
    pub label: Option<String>,
    /// The sentences.
    pub captions: Vec<String>,
    /// `train`, `val` or `test`.
    pub split: Option<&'static str>,
}

/// A CSV file whose first line names the columns. Its lines keep their order, and a shape may stand in several;
/// [`Table`](crate::table::Table) finds what is said of a shape by name.
#[derive(Clone, Debug)]
pub struct Listing {
    path: PathBuf,
    headings: Vec<String>,
    columns: Columns,
    /// What stands below the headings.
    pub lines: Vec<Line>,
}

impl Listing {
    /// Reads it whole.
    ///
    /// # Errors
    /// If it cannot be read, its headings name no column of shapes or pictures, or a line's split is none.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let (bytes, _) = unpacked(path)?;
        let mut lines = Vec::new();
        let read = each_line(&bytes, |first| Ok(Columns::of(first)), |line| lines.push(line));
        let (first, columns) = read.map_err(|message| DataError::invalid(path, message))?;
        let headings = first.iter().map(|h| h.trim().to_owned()).collect();
        let listing = Self { path: path.to_owned(), headings, columns, lines };
        match listing.has(Column::Shape) || listing.has(Column::Picture) {
            true => Ok(listing),
            false => Err(listing.expected("a column file")),
        }
    }

    /// Whether there is such a column.
    pub fn has(&self, column: Column) -> bool {
        let columns = &self.columns;
        match column {
            Column::Shape => columns.shape.is_some(),
            Column::Picture => columns.picture.is_some(),
            Column::Label => columns.label.is_some(),
            Column::Caption => !columns.captions.is_empty(),
            Column::Split => columns.split.is_some(),
        }
    }

    /// Fails unless there is one of these columns.
    ///
    /// # Errors
    /// With the headings that were found, and a hint.
    pub fn expect(&self, columns: &[Column]) -> Result<(), DataError> {
        let heading = |column: &Column| match column {
            Column::Shape => NAMES[0],
            Column::Picture => PICTURES[0],
            Column::Label => LABELS[0],
            Column::Caption => CAPTIONS[0],
            Column::Split => "split",
        };
        match columns.iter().any(|column| self.has(*column)) {
            true => Ok(()),
            false => {
                let names: Vec<&str> = columns.iter().map(heading).collect();
                Err(self.expected(&format!("a column {}", names.join(" or "))))
            }
        }
    }

    /// The folder that paths inside it are relative to.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    fn expected(&self, what: &str) -> DataError {
        let message = format!("expected {what}, found {:?}", self.headings);
        DataError::unusable(
            &self.path,
            message,
            "the first line names the columns, such as file,label,caption",
        )
    }
}

/// A file's bytes and its name, unpacked if it is a `.gz`.
pub(crate) fn unpacked(path: &Path) -> Result<(Vec<u8>, String), DataError> {
    let bytes = fs_err::read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match name.strip_suffix(".gz") {
        Some(inner) => {
            let bytes = gunzip(&bytes, LARGEST).map_err(|message| DataError::invalid(path, message))?;
            Ok((bytes, inner.to_owned()))
        }
        None => Ok((bytes, name)),
    }
}

/// Reads CSV line by line, and gives its first record with the columns that `columns` finds in it. The first line is a line like
/// the others where its columns have no headings; a file of none has no columns.
pub(crate) fn each_line(
    bytes: &[u8],
    columns: impl Fn(&StringRecord) -> Result<Columns, String>,
    mut see: impl FnMut(Line),
) -> Result<(StringRecord, Columns), String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut records = reader.records();
    let wrong = |error: csv::Error| error.to_string();
    let Some(first) = records.next().transpose().map_err(wrong)? else { return Ok(Default::default()) };
    let columns = columns(&first)?;
    if !columns.has_headings {
        see(columns.line(&first)?);
    }
    for record in records {
        see(columns.line(&record.map_err(wrong)?)?);
    }
    Ok((first, columns))
}

/// Where a CSV keeps what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub has_headings: bool,
    pub shape: Option<usize>,
    pub picture: Option<usize>,
    pub label: Option<usize>,
    pub captions: Vec<usize>,
    pub split: Option<usize>,
}

impl Columns {
    /// Those that the first line has headings of.
    pub(crate) fn of(first: &StringRecord) -> Self {
        let headings: Vec<String> =
            first.iter().map(|h| h.trim().trim_start_matches('\u{feff}').to_lowercase()).collect();
        let find = |names: &[&str]| names.iter().find_map(|name| headings.iter().position(|h| h == name));
        let captions = (0..headings.len()).filter(|i| CAPTIONS.contains(&headings[*i].as_str())).collect();
        Self {
            has_headings: true,
            shape: find(&NAMES),
            picture: find(&PICTURES),
            label: find(&LABELS),
            captions,
            split: find(&["split"]),
        }
    }

    /// Whether anything is said of shapes.
    pub(crate) fn says(&self) -> bool {
        self.label.is_some() || self.split.is_some() || !self.captions.is_empty()
    }

    fn line(&self, record: &StringRecord) -> Result<Line, String> {
        let number = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).map(str::trim).filter(|text| !text.is_empty());
        let text = |at: Option<usize>| at.and_then(cell).map(str::to_owned);
        let split = self.split.and_then(cell).map(split_called).transpose();
        Ok(Line {
            number,
            shape: text(self.shape).unwrap_or_default(),
            picture: text(self.picture).unwrap_or_default(),
            label: text(self.label),
            captions: self.captions.iter().filter_map(|at| text(Some(*at))).collect(),
            split: split.map_err(|error| format!("line {number}: {error}"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Listing, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        std::fs::write(&path, text).unwrap();
        Listing::read(&path)
    }

    #[test]
    fn lines_are_read_under_any_of_the_headings() {
        let check = |text: &str| {
            let listing = read(text).unwrap();
            let [line] = &listing.lines[..] else { panic!("{listing:?}") };
            assert_eq!((line.shape.as_str(), line.label.as_deref()), ("a.glb", Some("chair")), "{text}");
            assert_eq!((&line.captions[..], line.split), (&["red".to_owned()][..], Some("test")), "{text}");
        };
        check("file,label,caption,split\na.glb,chair,red,test\n");
        check("\u{feff}UID,Category,Text,Split\n a.glb , chair,red,Testing\n");
        check("id,modelId,description,class,split\n7,a.glb,red,chair,TEST\n");
        check("split,captions,class_name,other,path\ntest,red,chair,,a.glb\n");
    }

    #[test]
    fn lines_keep_their_order_and_say_less_than_they_could() {
        let listing = read("image,file,label\np.png,a.glb,chair\nq.png,,\n\"r\n.png\",a.glb,\n").unwrap();
        let shapes: Vec<(&str, &str)> =
            listing.lines.iter().map(|l| (l.picture.as_str(), l.shape.as_str())).collect();
        assert_eq!(shapes, [("p.png", "a.glb"), ("q.png", ""), ("r\n.png", "a.glb")]);
        assert_eq!(listing.lines.iter().map(|l| l.number).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(listing.lines[1].label.is_none());
        assert!(listing.has(Column::Picture) && !listing.has(Column::Caption) && !listing.has(Column::Split));
    }

    #[test]
    fn other_files_are_refused_with_what_was_found() {
        let check = |text: &str, part: &str| {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("thing,kind\na,b\n", "expected a column file, found [\"thing\", \"kind\"]");
        check("", "expected a column file, found []");
        check("file,split\na.glb,banana\n", "line 2: expected split train, val or test, found \"banana\"");
        let listing = read("file,kind\na.glb,chair\n").unwrap();
        let error = listing.expect(&[Column::Label, Column::Caption]).unwrap_err();
        assert!(error.to_string().contains("expected a column label or caption, found"), "{error}");
        assert!(error.hint().is_some() && listing.expect(&[Column::Shape]).is_ok());
    }
}
