//! METEOR's tables in its archive (`meteor-1.5.jar`) or in a folder.

use std::path::{Path, PathBuf};

use lexiform_formats::inflate::gunzip;
use lexiform_formats::{PositionedFile, zip};
use lexiform_metrics::caption::meteor::{Meteor, MeteorTables};
use lexiform_metrics::caption::{CaptionItem, CaptionScores};

use crate::error::EvalError;

const ARCHIVE: &str = "meteor-1.5.jar";
const PARAPHRASES: &str = "data/paraphrase-en";
/// Largest table; the largest of METEOR 1.5 has 4 MB.
const MAX_TABLE: u64 = 64 << 20;
/// Largest table of paraphrases; that of METEOR 1.5 has 260 MB.
const MAX_PARAPHRASES: usize = 1 << 30;

/// METEOR of all items with the tables of an archive or a folder.
pub(super) fn scores(path: &Path, items: &[CaptionItem]) -> Result<CaptionScores, EvalError> {
    let tables = Tables::open(path)?;
    let [function_words, prefixes, exceptions, synsets] = [
        "function/english.words",
        "nonbreaking/english.prefixes",
        "synonym/english.exceptions",
        "synonym/english.synsets",
    ]
    .map(|name| tables.text(name));
    let meteor = Meteor::new(&MeteorTables {
        function_words: &function_words?,
        prefixes: &prefixes?,
        exceptions: &exceptions?,
        synsets: &synsets?,
    })?;
    Ok(meteor.scores(items, &*tables.paraphrases()?)?)
}

/// Where the tables are.
struct Tables {
    folder: PathBuf,
    /// The archive with the smaller tables, which are files of the folder if `None`.
    archive: Option<PathBuf>,
}

impl Tables {
    fn open(path: &Path) -> Result<Self, EvalError> {
        if path.is_file() {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(Self { folder, archive: Some(path.to_owned()) });
        }
        let archive = path.join(ARCHIVE);
        let archive = archive.is_file().then_some(archive);
        if archive.is_none() && !path.join("synonym").is_dir() {
            return Err(hinted(format!("{}: no {ARCHIVE} in this folder", path.display())));
        }
        Ok(Self { folder: path.to_owned(), archive })
    }

    fn text(&self, name: &str) -> Result<String, EvalError> {
        let Some(archive) = &self.archive else { return Ok(fs_err::read_to_string(self.folder.join(name))?) };
        let invalid = |reason: String| hinted(format!("{}: {reason}", archive.display()));
        let file = PositionedFile::open(archive)?;
        let entries = zip::entries(&file).map_err(invalid)?;
        let entry = entries.iter().find(|(entry, _)| entry == name);
        let (_, entry) = entry.ok_or_else(|| invalid(format!("expected the entry {name}, found none")))?;
        let bytes = entry.read(&file, MAX_TABLE).map_err(invalid)?;
        String::from_utf8(bytes).map_err(|_| invalid(format!("{name}: expected UTF-8")))
    }

    fn paraphrases(&self) -> Result<Vec<u8>, EvalError> {
        let plain = self.folder.join(PARAPHRASES);
        if plain.is_file() {
            return Ok(fs_err::read(plain)?);
        }
        let packed = self.folder.join(format!("{PARAPHRASES}.gz"));
        if !packed.is_file() {
            return Err(hinted(format!("{}: no such file", packed.display())));
        }
        let bytes = fs_err::read(&packed)?;
        gunzip(&bytes, MAX_PARAPHRASES).map_err(|reason| hinted(format!("{}: {reason}", packed.display())))
    }
}

fn hinted(message: String) -> EvalError {
    EvalError::hinted(
        message,
        "expected the folder `meteor` of the Python package pycocoevalcap, with meteor-1.5.jar and data/paraphrase-en.gz",
    )
}
