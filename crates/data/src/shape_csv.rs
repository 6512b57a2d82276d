//! CSV files about shapes, line by line. All commands read such files with this module, so a file that works for one command works
//! for all.
//!
//! | content | headings, in any case; the first that exists is used |
//! |---|---|
//! | the shape | `file`, `path`, `key`, `uid`, `modelId`, `model_id`, `object_id`, `id`, `name` |
//! | an image of it | `image` |
//! | its label | `label`, `category`, `class`, `class_name`, `labels` |
//! | the number of its class | `class_idx`, `class_index` |
//! | captions, from all such columns | `caption`, `description`, `text`, `captions` |
//! | a question about it, and the answer, which are one caption with a tab between them | `question`, `answer` |
//! | its split | `split`: train, val or test, in the spellings of [`parse_split`] |
//!
//! A list without headings whose first column is a number is `class number,class,shape`. Other columns are ignored. `.gz` files are decompressed.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use lexiform_formats::inflate::gunzip;

use crate::DataError;
use crate::split::parse_split;

/// Maximum size of a file after decompression, in bytes.
pub(crate) const MAX_UNPACKED_BYTES: usize = 8 << 30;
/// Headings of the column that names a shape. `id` comes after `modelId`, because in Text2Shape it numbers the captions.
pub(crate) const NAME_HEADINGS: [&str; 9] =
    ["file", "path", "key", "uid", "modelid", "model_id", "object_id", "id", "name"];
/// Headings of the column with labels.
pub(crate) const LABEL_HEADINGS: [&str; 5] = ["label", "category", "class", "class_name", "labels"];
/// Headings of columns with captions.
pub(crate) const CAPTION_HEADINGS: [&str; 4] = ["caption", "description", "text", "captions"];
/// Headings of the column with class numbers.
const CLASS_HEADINGS: [&str; 2] = ["class_idx", "class_index"];
/// Headings of the column with images.
const IMAGE_HEADINGS: [&str; 1] = ["image"];

/// The content of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvColumn {
    /// The name of the shape.
    Shape,
    /// An image of it.
    Image,
    /// Its label.
    Label,
    /// A caption.
    Caption,
    /// The split it belongs to.
    Split,
}

/// A line. Missing values are empty or `None`; all texts are trimmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvRow {
    /// Its line number in the file, from 1.
    pub number: u64,
    /// The shape.
    pub shape: String,
    /// The image.
    pub image: String,
    /// The label.
    pub label: Option<String>,
    /// The number of its class in a released list.
    pub class: Option<usize>,
    /// The captions.
    pub captions: Vec<String>,
    /// `train`, `val` or `test`.
    pub split: Option<&'static str>,
}

/// A CSV file whose first line has the names of the columns, or a released list of classes. Lines keep their order, and several lines may be about the same shape;
/// [`AnnotationTable`](crate::annotations::AnnotationTable) is the alternative to look up shapes by name.
///
/// ```
/// use lexiform_data::shape_csv::{CsvColumn, ShapeCsv};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("list.csv");
/// std::fs::write(&path, "file,label\nchair.glb,chair\n")?;
/// let listing = ShapeCsv::read(&path)?;
/// listing.require_any(&[CsvColumn::Label, CsvColumn::Caption])?;
/// assert_eq!(listing.rows[0].shape, "chair.glb");
/// assert_eq!(listing.rows[0].label.as_deref(), Some("chair"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ShapeCsv {
    path: PathBuf,
    headings: Vec<String>,
    columns: ColumnIndices,
    /// The lines below the headings.
    pub rows: Vec<CsvRow>,
}

impl ShapeCsv {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, has no column with shapes or images, or a line has an invalid split.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let (bytes, _) = read_maybe_gz(path)?;
        let mut rows = Vec::new();
        let columns = |first: &StringRecord| {
            Ok(ColumnIndices::of_class_list(first).unwrap_or_else(|| ColumnIndices::from_header(first)))
        };
        let read = for_each_row(&bytes, columns, |line| rows.push(line));
        let (first, columns) = read.map_err(|message| DataError::invalid(path, message))?;
        let headings = first.iter().map(|h| h.trim().to_owned()).collect();
        let listing = Self { path: path.to_owned(), headings, columns, rows };
        if listing.has(CsvColumn::Shape) || listing.has(CsvColumn::Image) {
            Ok(listing)
        } else {
            Err(listing.expected("a column file"))
        }
    }

    /// Whether there is such a column.
    pub fn has(&self, column: CsvColumn) -> bool {
        let columns = &self.columns;
        match column {
            CsvColumn::Shape => columns.shape.is_some(),
            CsvColumn::Image => columns.image.is_some(),
            CsvColumn::Label => columns.label.is_some(),
            CsvColumn::Caption => !columns.captions.is_empty() || columns.question_answer.is_some(),
            CsvColumn::Split => columns.split.is_some(),
        }
    }

    /// Checks that there is at least one of these columns.
    ///
    /// # Errors
    /// [`DataError::Unusable`] with the headings that were found.
    pub fn require_any(&self, columns: &[CsvColumn]) -> Result<(), DataError> {
        let heading = |column: &CsvColumn| match column {
            CsvColumn::Shape => NAME_HEADINGS[0],
            CsvColumn::Image => IMAGE_HEADINGS[0],
            CsvColumn::Label => LABEL_HEADINGS[0],
            CsvColumn::Caption => CAPTION_HEADINGS[0],
            CsvColumn::Split => "split",
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
pub(crate) fn read_maybe_gz(path: &Path) -> Result<(Vec<u8>, String), DataError> {
    let bytes = fs_err::read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match name.strip_suffix(".gz") {
        Some(inner) => {
            let bytes =
                gunzip(&bytes, MAX_UNPACKED_BYTES).map_err(|message| DataError::invalid(path, message))?;
            Ok((bytes, inner.to_owned()))
        }
        None => Ok((bytes, name)),
    }
}

/// Reads CSV and calls `visit` with every line. `columns` determines the columns from the first record, which is a line itself unless
/// it has headings. Returns that record and the columns; both are empty for an empty file.
pub(crate) fn for_each_row(
    bytes: &[u8],
    columns: impl Fn(&StringRecord) -> Result<ColumnIndices, String>,
    mut visit: impl FnMut(CsvRow),
) -> Result<(StringRecord, ColumnIndices), String> {
    // Headings are not read by the reader, because the first record may be data. Flexible, because published files have rows of
    // different lengths.
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut records = reader.records();
    let wrong = |error: csv::Error| error.to_string();
    let Some(first) = records.next().transpose().map_err(wrong)? else { return Ok(Default::default()) };
    let columns = columns(&first)?;
    if !columns.has_headings {
        visit(columns.line(&first)?);
    }
    for record in records {
        visit(columns.line(&record.map_err(wrong)?)?);
    }
    Ok((first, columns))
}

/// Positions of the columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnIndices {
    pub has_headings: bool,
    pub shape: Option<usize>,
    pub image: Option<usize>,
    pub label: Option<usize>,
    pub class: Option<usize>,
    pub captions: Vec<usize>,
    /// Columns of questions and of answers.
    pub question_answer: Option<[usize; 2]>,
    pub split: Option<usize>,
}

impl ColumnIndices {
    /// The columns in a line of headings.
    pub(crate) fn from_header(first: &StringRecord) -> Self {
        let headings: Vec<String> =
            // Excel writes a byte order mark at the start of UTF-8 files.
            first.iter().map(|h| h.trim().trim_start_matches('\u{feff}').to_lowercase()).collect();
        // In the order of `names`, not of the columns: `file` wins over `id` wherever it is.
        let find = |names: &[&str]| names.iter().find_map(|name| headings.iter().position(|h| h == name));
        let captions =
            (0..headings.len()).filter(|i| CAPTION_HEADINGS.contains(&headings[*i].as_str())).collect();
        Self {
            has_headings: true,
            shape: find(&NAME_HEADINGS),
            image: find(&IMAGE_HEADINGS),
            label: find(&LABEL_HEADINGS),
            class: find(&CLASS_HEADINGS),
            captions,
            question_answer: find(&["question"]).zip(find(&["answer"])).map(<[usize; 2]>::from),
            split: find(&["split"]),
        }
    }

    /// The columns of a list without headings, by its first record: `class number,class,shape`, as Duoduo CLIP's `lvis.csv` and
    /// `mvpnet_val.csv`.
    pub(crate) fn of_class_list(first: &StringRecord) -> Option<Self> {
        let is_numbered = first.get(0).is_some_and(|cell| cell.trim().parse::<u32>().is_ok());
        let columns = Self { shape: Some(2), label: Some(1), class: Some(0), ..Self::default() };
        (first.len() == 3 && is_numbered).then_some(columns)
    }

    /// Whether there is any information about shapes.
    pub(crate) fn has_annotations(&self) -> bool {
        let has_texts = !self.captions.is_empty() || self.question_answer.is_some();
        self.label.is_some() || self.split.is_some() || has_texts
    }

    /// A record as a line.
    fn line(&self, record: &StringRecord) -> Result<CsvRow, String> {
        // Line numbers, not record numbers: quoted cells may span lines.
        let number = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).map(str::trim).filter(|text| !text.is_empty());
        let text = |at: Option<usize>| at.and_then(cell).map(str::to_owned);
        let asked = self.question_answer.and_then(|[question, answer]| cell(question).zip(cell(answer)));
        let asked = asked.map(|(question, answer)| format!("{question}\t{answer}"));
        let split = self.split.and_then(cell).map(parse_split).transpose();
        Ok(CsvRow {
            number,
            shape: text(self.shape).unwrap_or_default(),
            image: text(self.image).unwrap_or_default(),
            label: text(self.label),
            class: self.class.and_then(cell).and_then(|number| number.parse().ok()),
            captions: self.captions.iter().filter_map(|at| text(Some(*at))).chain(asked).collect(),
            split: split.map_err(|error| format!("line {number}: {error}"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ShapeCsv, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        std::fs::write(&path, text).unwrap();
        ShapeCsv::read(&path)
    }

    #[test]
    fn lines_are_read_under_any_of_the_headings() {
        let check = |text: &str| {
            let listing = read(text).unwrap();
            let [line] = &listing.rows[..] else { panic!("{listing:?}") };
            assert_eq!((line.shape.as_str(), line.label.as_deref()), ("a.glb", Some("chair")), "{text}");
            assert_eq!((&line.captions[..], line.split), (&["red".to_owned()][..], Some("test")), "{text}");
        };
        check("file,label,caption,split\na.glb,chair,red,test\n");
        check("\u{feff}UID,Category,Text,Split\n a.glb , chair,red,Testing\n");
        check("id,modelId,description,class,split\n7,a.glb,red,chair,TEST\n");
        check("split,captions,class_name,other,path\ntest,red,chair,,a.glb\n");
    }

    #[test]
    fn a_question_with_its_answer_is_one_caption() {
        let listing = read("file,question,answer\na.glb,Is it red?,\"Yes, it is.\"\na.glb,Why?,\n").unwrap();
        assert!(listing.has(CsvColumn::Caption));
        assert_eq!(listing.rows[0].captions, ["Is it red?\tYes, it is."]);
        assert!(listing.rows[1].captions.is_empty());
    }

    #[test]
    fn lines_keep_their_order_and_may_have_missing_values() {
        let listing = read("image,file,label\np.png,a.glb,chair\nq.png,,\n\"r\n.png\",a.glb,\n").unwrap();
        let shapes: Vec<(&str, &str)> =
            listing.rows.iter().map(|l| (l.image.as_str(), l.shape.as_str())).collect();
        assert_eq!(shapes, [("p.png", "a.glb"), ("q.png", ""), ("r\n.png", "a.glb")]);
        assert_eq!(listing.rows.iter().map(|l| l.number).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(listing.rows[1].label.is_none());
        assert!(
            listing.has(CsvColumn::Image)
                && !listing.has(CsvColumn::Caption)
                && !listing.has(CsvColumn::Split)
        );
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
        let error = listing.require_any(&[CsvColumn::Label, CsvColumn::Caption]).unwrap_err();
        assert!(error.to_string().contains("expected a column label or caption, found"), "{error}");
        assert!(error.hint().is_some() && listing.require_any(&[CsvColumn::Shape]).is_ok());
    }
}
