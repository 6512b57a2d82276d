//! Files that commands write: checked before the work, complete or absent, and never in place of a user's file unless `--force` says so.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use clap::Args;
use lexiform_formats::{FileWriter, write_file};

use crate::error::{UsageError, WithHint as _};
use crate::software_mark::has_mark;

/// Entries of a folder that make it a data set, finished or begun.
const DATASET_ENTRIES: [&str; 2] = ["parts", "shards"];
/// What the manifest of a data set holds and no other `manifest.json`.
const DATASET_FORMAT: &str = "lexiform-data";

/// Whether files that Lexiform did not write may be replaced.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct ForceArg {
    /// Replace existing files that lexiform did not write
    #[arg(long)]
    force: bool,
}

/// A file that can be written: it does not exist, or may be replaced.
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    /// A device or pipe, which is written to instead of being replaced.
    is_special: bool,
}

/// A folder that files can be written in.
#[derive(Debug)]
pub(crate) struct OutputFolder {
    path: PathBuf,
    inputs: Vec<PathBuf>,
    force: ForceArg,
}

impl ForceArg {
    /// Checks, before any work, that a result can be written here.
    ///
    /// # Errors
    /// If the file name has none of `extensions`, the file is one of `inputs`, it exists and was not written by Lexiform (without
    /// `--force`), or its folder cannot be written.
    pub(crate) fn file(
        self,
        path: &Path,
        extensions: &[&str],
        inputs: &[&Path],
    ) -> anyhow::Result<OutputFile> {
        ensure!(!path.is_dir(), "{}: expected a file to write, found a folder", path.display());
        // `-o /dev/stdout` or a pipe: there is no file that could be lost, and its name needs no extension.
        if path.exists() && !path.is_file() {
            return Ok(OutputFile { path: path.to_owned(), is_special: true });
        }
        check_extension(path, extensions)?;
        self.check_replaceable(path, inputs)?;
        let path = followed(path);
        // A temporary file is created and removed: the only reliable test, on every file system.
        check_writable(FileWriter::create(&path).map(drop), &path)?;
        Ok(OutputFile { path, is_special: false })
    }

    /// Makes a folder if it does not exist, and checks that files can be written in it.
    ///
    /// # Errors
    /// If they cannot.
    pub(crate) fn folder(self, path: &Path, inputs: &[&Path]) -> anyhow::Result<OutputFolder> {
        let probe = || FileWriter::create(&path.join(".lexiform-probe")).map(drop);
        let result = std::fs::create_dir_all(path).and_then(|()| probe());
        result
            .with_context(|| format!("{}: cannot be written", path.display()))
            .hint("name a folder that can be written or created")?;
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        Ok(OutputFolder { path: path.to_owned(), inputs, force: self })
    }

    /// Checks that a folder on this machine is a data set or empty, so that none is built among other files.
    ///
    /// # Errors
    /// If other files are in it, without `--force`.
    pub(crate) fn dataset(self, path: &Path) -> anyhow::Result<()> {
        let Ok(mut entries) = std::fs::read_dir(path) else {
            // A missing folder will be created; what else is wrong with it is reported then.
            return Ok(());
        };
        let is_dataset = match std::fs::read_to_string(path.join("manifest.json")) {
            Ok(manifest) => manifest.contains(DATASET_FORMAT),
            Err(_) => DATASET_ENTRIES.iter().any(|name| path.join(name).is_dir()),
        };
        if self.force || is_dataset || entries.next().is_none() {
            return Ok(());
        }
        Err(anyhow!("{}: expected a data set or an empty folder, found other files", path.display()))
            .hint("name a new folder, or add --force to build the data set among these files")
    }

    /// For a file that is written together with `first`, in a format without a place for a mark: it is ours if `first` is.
    pub(crate) fn along_with(self, first: &Path) -> Self {
        Self { force: self.force || has_mark(first).unwrap_or(false) }
    }

    fn check_replaceable(self, path: &Path, inputs: &[&Path]) -> anyhow::Result<()> {
        if let Some(input) = inputs.iter().find(|input| is_same_file(input, path)) {
            let (path, input) = (path.display(), input.display());
            return Err(UsageError(format!("{path}: the output would replace the input {input}")).into());
        }
        // A file that cannot be read is not known to be ours.
        if self.force || !path.exists() || has_mark(path).unwrap_or(false) {
            return Ok(());
        }
        Err(anyhow!("{}: exists, and was not written by lexiform", path.display()))
            .hint("name another file, or add --force to replace it")
    }
}

impl OutputFile {
    /// The file, for writers that replace it in one step.
    ///
    /// # Errors
    /// If it is a device or a pipe, which must not be replaced.
    pub(crate) fn replaceable(&self) -> anyhow::Result<&Path> {
        ensure!(!self.is_special, "{}: expected a file to write, found a device", self.path.display());
        Ok(&self.path)
    }

    /// Writes the whole file. If that fails, a file that was there is kept, and no part of the new one is left.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        if self.is_special {
            let open = std::fs::OpenOptions::new().write(true).open(&self.path);
            return check_writable(open.and_then(|mut file| file.write_all(bytes)), &self.path);
        }
        check_writable(write_file(&self.path, bytes), &self.path)
    }
}

impl OutputFolder {
    /// Files with these names, which may all be written.
    ///
    /// # Errors
    /// If one of them exists and may not be replaced.
    pub(crate) fn files(&self, names: impl IntoIterator<Item = String>) -> anyhow::Result<Vec<OutputFile>> {
        let inputs: Vec<&Path> = self.inputs.iter().map(PathBuf::as_path).collect();
        let check = |name: String| {
            let path = self.path.join(name);
            self.force.check_replaceable(&path, &inputs)?;
            Ok(OutputFile { path: followed(&path), is_special: false })
        };
        names.into_iter().map(check).collect()
    }

    /// Checks files that are written together. Those in formats without a place for a mark are ours if the first one has it.
    ///
    /// # Errors
    /// If one of them exists and may not be replaced.
    pub(crate) fn check_set(&self, names: &[&str]) -> anyhow::Result<()> {
        let force = names.first().map_or(self.force, |first| self.force.along_with(&self.path.join(first)));
        let inputs: Vec<&Path> = self.inputs.iter().map(PathBuf::as_path).collect();
        names.iter().try_for_each(|name| force.check_replaceable(&self.path.join(name), &inputs))
    }
}

/// Refuses a file name without one of the extensions.
fn check_extension(path: &Path, extensions: &[&str]) -> Result<(), UsageError> {
    let found = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if extensions.iter().any(|extension| extension.eq_ignore_ascii_case(found)) {
        return Ok(());
    }
    let expected: Vec<String> = extensions.iter().map(|extension| format!(".{extension}")).collect();
    let expected = expected.join(", ");
    Err(UsageError(format!("{}: expected a file name that ends in {expected}", path.display())))
}

/// Whether two names lead to one file, through links and however they are spelled.
fn is_same_file(a: &Path, b: &Path) -> bool {
    let same_path = match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // Hard links have different paths and the same inode.
        let id = |path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        same_path || id(a).is_some_and(|a| Some(a) == id(b))
    }
    #[cfg(not(unix))]
    same_path
}

/// Where links lead: the file there is replaced, and the link kept.
fn followed(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn check_writable(result: std::io::Result<()>, path: &Path) -> anyhow::Result<()> {
    let what = || format!("{}: cannot be written", path.display());
    result.with_context(what).hint("name a file in an existing folder that can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: ForceArg = ForceArg { force: false };
    const FORCE: ForceArg = ForceArg { force: true };

    fn check<T: std::fmt::Debug>(result: anyhow::Result<T>, part: &str) {
        let error = format!("{:#}", result.unwrap_err());
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn users_files_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("mine.csv"), "old").unwrap();
        std::fs::write(at("ours.ply"), "ply\ncomment Lexiform\n").unwrap();
        check(NONE.file(&at("mine.csv"), &["csv"], &[]), "was not written by lexiform");
        FORCE.file(&at("mine.csv"), &["csv"], &[]).unwrap();
        NONE.file(&at("ours.ply"), &["ply"], &[]).unwrap();
        NONE.file(&at("new.CSV"), &["csv"], &[]).unwrap();
        assert_eq!(std::fs::read_to_string(at("mine.csv")).unwrap(), "old");
        assert!(!at("new.CSV").exists());
        check(FORCE.file(&at("mine.csv"), &["png"], &[]), "ends in .png");
        check(FORCE.file(&at("./mine.csv"), &["csv"], &[&at("mine.csv")]), "would replace the input");
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_the_file_they_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.ply"), "ply\ncomment Lexiform\n").unwrap();
        std::os::unix::fs::symlink(at("a.ply"), at("soft.ply")).unwrap();
        std::fs::hard_link(at("a.ply"), at("hard.ply")).unwrap();
        for name in ["soft.ply", "hard.ply"] {
            check(FORCE.file(&at(name), &["ply"], &[&at("a.ply")]), "would replace the input");
        }
        NONE.file(&at("soft.ply"), &["ply"], &[]).unwrap().write(b"new").unwrap();
        assert!(at("soft.ply").is_symlink());
        assert_eq!(std::fs::read(at("a.ply")).unwrap(), b"new");
    }

    #[test]
    fn places_that_cannot_be_written_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "").unwrap();
        check(NONE.file(folder.path(), &["csv"], &[]), "found a folder");
        check(NONE.file(&at("no/where.csv"), &["csv"], &[]), "where.csv: cannot be written");
        check(NONE.file(&at("file/below.csv"), &["csv"], &[]), "below.csv: cannot be written");
        check(NONE.folder(&at("file"), &[]), "file: cannot be written");
        check(NONE.folder(&at("file/below"), &[]), "below: cannot be written");
        NONE.folder(&at("a/b"), &[]).unwrap();
        assert!(at("a/b").read_dir().unwrap().next().is_none());
    }

    #[test]
    fn folders_of_files_are_checked_name_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let checked = |force: ForceArg| force.folder(folder.path(), &[]).unwrap();
        let set = ["report.html", "classes.csv"];
        checked(NONE).check_set(&set).unwrap();
        std::fs::write(at("classes.csv"), "").unwrap();
        check(checked(NONE).check_set(&set), "classes.csv: exists");
        checked(FORCE).check_set(&set).unwrap();
        std::fs::write(at("report.html"), "<meta name=\"generator\" content=\"Lexiform\">").unwrap();
        checked(NONE).check_set(&set).unwrap();
        check(checked(NONE).files(["new.png".to_owned(), "classes.csv".to_owned()]), "classes.csv: exists");
    }

    #[test]
    fn data_sets_are_not_built_among_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        NONE.dataset(&at("new")).unwrap();
        NONE.dataset(folder.path()).unwrap();
        std::fs::write(at("manifest.json"), r#"{"name": "a page"}"#).unwrap();
        std::fs::create_dir(at("parts")).unwrap();
        check(NONE.dataset(folder.path()), "found other files");
        FORCE.dataset(folder.path()).unwrap();
        std::fs::remove_file(at("manifest.json")).unwrap();
        NONE.dataset(folder.path()).unwrap();
    }
}
