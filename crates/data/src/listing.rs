//! CSV files about shapes, line by line. All commands read such files with this module, so a file that works for one command works
//! for all.
//!
//! | content | headings, in any case; the first that exists is used |
//! |---|---|
//! | the shape | `file`, `path`, `key`, `uid`, `modelId`, `model_id`, `object_id`, `id`, `name` |
//! | an image of it | `image` |
//! | its label | `label`, `category`, `class`, `class_name`, `labels` |
//! | captions, from all such columns | `caption`, `description`, `text`, `captions` |
//! | its split | `split`: train, val or test, in the spellings of [`split_called`] |
//!
//! Other columns are ignored. `.gz` files are decompressed.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use lexiform_formats::inflate::gunzip;

use crate::DataError;
use crate::split::split_called;

/// Maximum size of a file after decompression, in bytes.
pub(crate) const LARGEST: usize = 8 << 30;
/// Headings of the column that names a shape. `id` comes after `modelId`, because in Text2Shape it numbers the captions.
pub(crate) const NAMES: [&str; 9] =
    ["file", "path", "key", "uid", "modelid", "model_id", "object_id", "id", "name"];
/// Headings of the column with labels.
pub(crate) const LABELS: [&str; 5] = ["label", "category", "class", "class_name", "labels"];
/// Headings of columns with captions.
pub(crate) const CAPTIONS: [&str; 4] = ["caption", "description", "text", "captions"];
/// Headings of the column with images.
const PICTURES: [&str; 1] = ["image"];

/// The content of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The name of the shape.
    Shape,
    /// An image of it.
    Picture,
    /// Its label.
    Label,
    /// A caption.
    Caption,
    /// The split it belongs to.
    Split,
}

/// A line. Missing values are empty or `None`; all texts are trimmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its line number in the file, from 1.
    pub number: u64,
    /// The shape.
    pub shape: String,
    /// The image.
    pub picture: String,
    /// The label.
    pub label: Option<String>,
    /// The captions.
    pub captions: Vec<String>,
    /// `train`, `val` or `test`.
    pub split: Option<&'static str>,
}

/// A CSV file whose first line has the names of the columns. Lines keep their order, and several lines may be about the same shape;
/// [`Table`](crate::table::Table) is the alternative to look up shapes by name.
///
/// ```
/// use lexiform_data::listing::{Column, Listing};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("list.csv");
/// std::fs::write(&path, "file,label\nchair.glb,chair\n")?;
/// let listing = Listing::read(&path)?;
/// listing.expect(&[Column::Label, Column::Caption])?;
/// assert_eq!(listing.lines[0].shape, "chair.glb");
/// assert_eq!(listing.lines[0].label.as_deref(), Some("chair"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Listing {
    path: PathBuf,
    headings: Vec<String>,
    columns: Columns,
    /// The lines below the headings.
    pub lines: Vec<Line>,
}

impl Listing {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, has no column with shapes or images, or a line has an invalid split.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let (bytes, _) = unpacked(path)?;
        let mut lines = Vec::new();
        let read = each_line(&bytes, |first| Ok(Columns::of(first)), |line| lines.push(line));
        let (first, columns) = read.map_err(|message| DataError::invalid(path, message))?;
        let headings = first.iter().map(|h| h.trim().to_owned()).collect();
        let listing = Self { path: path.to_owned(), headings, columns, lines };
        if listing.has(Column::Shape) || listing.has(Column::Picture) {
            Ok(listing)
        } else {
            Err(listing.expected("a column file"))
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

    /// Checks that there is at least one of these columns.
    ///
    /// # Errors
    /// [`DataError::Unusable`] with the headings that were found.
    pub fn expect(&self, columns: &[Column]) -> Result<(), DataError> {
        let heading = |column: &Column| match column {
            Column::Shape => NAMES[0],
            Column::Picture => PICTURES[0],
            Column::Label => LABELS[0],
            Column::Caption => CAPTIONS[0],
            Column::Split => "split",
        };
        if columns.iter().any(|column| self.has(*column)) {
            return Ok(());
        }
        let names: Vec<&str> = columns.iter().map(heading).collect();
        Err(self.expected(&format!("a column {}", names.join(" or "))))
    }

    /// The folder of the file, to which its paths are relative.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    fn expected(&self, what: &str) -> DataError {
        let message = format!("expected {what}, found {:?}", self.headings);
        DataError::unusable(
            &self.path,
            message,
            "the first line must name the columns, such as file,label,caption",
        )
    }
}

/// The content of a file and its name, decompressed and without the extension if it is a `.gz`.
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

/// Reads CSV and calls `see` with every line. `columns` determines the columns from the first record, which is a line itself unless
/// it has headings. Returns that record and the columns; both are empty for an empty file.
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

/// Positions of the columns.
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
    /// The columns in a line of headings.
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

    /// Whether there is any information about shapes.
    pub(crate) fn says(&self) -> bool {
        self.label.is_some() || self.split.is_some() || !self.captions.is_empty()
    }

    /// A record as a line.
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
    fn lines_keep_their_order_and_may_have_missing_values() {
        let listing = read("image,file,label\np.png,a.glb,chair\nq.png,,\n\"r\n.png\",a.glb,\n").unwrap();
        let shapes: Vec<(&str, &str)> =
            listing.lines.iter().map(|l| (l.picture.as_str(), l.shape.as_str())).collect();
        assert_eq!(shapes, [("p.png", "a.glb"), ("q.png", ""), ("r\n.png", "a.glb")]);
        assert_eq!(listing.lines.iter().map(|l| l.number).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(listing.lines[1].label.is_none());
        assert!(listing.has(Column::Picture) && !listing.has(Column::Caption) && !listing.has(Column::Split));
    }

    #[test]
    fn files_without_known_headings_are_errors() {
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
