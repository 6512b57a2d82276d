//! Where results go: looked at before the work, so that none is done for nothing.

use std::fs::OpenOptions;
use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::failure::WithHint as _;

/// What stands before a file that is made to see whether one can be.
const TRIAL: &str = ".lexiform-trial";

/// Fails unless a file can be written here. One that is there stays as it is.
pub fn check_file(path: &Path) -> anyhow::Result<()> {
    ensure!(!path.is_dir(), "{}: expected a file to write, found a folder", path.display());
    let there = path.exists();
    let opened = OpenOptions::new().append(true).create(true).open(path);
    if opened.is_ok() && !there {
        fs_err::remove_file(path)?;
    }
    refused(opened.map(drop), path, "name a file in a folder that is there and can be written")
}

/// Makes a folder if it is not there, and fails unless files can be written in it.
pub fn check_folder(path: &Path) -> anyhow::Result<()> {
    let trial = path.join(format!("{TRIAL}-{}", std::process::id()));
    let made = std::fs::create_dir_all(path).and_then(|()| std::fs::File::create(&trial)).map(drop);
    if made.is_ok() {
        fs_err::remove_file(&trial)?;
    }
    refused(made, path, "name a folder that is there and can be written, or can be made")
}

fn refused(result: std::io::Result<()>, path: &Path, hint: &str) -> anyhow::Result<()> {
    result.with_context(|| format!("{}: cannot be written", path.display())).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_written_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("there.csv"), "old").unwrap();
        check_file(&at("there.csv")).unwrap();
        check_file(&at("new.csv")).unwrap();
        check_folder(&at("a/b")).unwrap();
        assert_eq!(std::fs::read_to_string(at("there.csv")).unwrap(), "old");
        assert!(!at("new.csv").exists() && at("a/b").read_dir().unwrap().next().is_none());
    }

    #[test]
    fn what_cannot_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "").unwrap();
        let check = |result: anyhow::Result<()>, part: &str| {
            let error = format!("{:#}", result.unwrap_err());
            assert!(error.contains(part), "{error}");
        };
        check(check_file(folder.path()), "found a folder");
        check(check_file(&at("no/where.csv")), "where.csv: cannot be written");
        check(check_folder(&at("file")), "file: cannot be written");
        check(check_folder(&at("file/below")), "below: cannot be written");
    }
}
