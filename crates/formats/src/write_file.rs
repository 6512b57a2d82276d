//! Atomic file writes: to a temporary name in the same folder, flushed to disk, then renamed.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes a whole file atomically: an existing file is replaced in one step, or kept if writing fails.
///
/// ```
/// let path = std::env::temp_dir().join(format!("lexiform-write-{}.txt", std::process::id()));
/// lexiform_formats::write_file(&path, b"hello")?;
/// assert_eq!(std::fs::read(&path)?, b"hello");
/// std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
///
/// # Errors
/// If the folder does not exist or the file cannot be written; the message names the path.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut writer = FileWriter::create(path)?;
    writer.write_all(bytes).map_err(|error| with_path(path, &error))?;
    writer.commit().map(drop)
}

/// Renames a file whose content is already flushed to disk, and flushes the folder so that the name survives a power loss too.
///
/// # Errors
/// If either fails.
pub fn rename_durably(from: &Path, to: &Path) -> io::Result<()> {
    fs_err::rename(from, to)?;
    sync_folder(to)
}

/// Swaps two files or folders of one file system in a single step, and flushes their names. `Ok(false)`: the system or the file
/// system has no such step, and nothing was changed.
///
/// # Errors
/// If one of them does not exist, or the swap fails otherwise.
pub fn exchange_durably(a: &Path, b: &Path) -> io::Result<bool> {
    if !exchange(a, b)? {
        return Ok(false);
    }
    sync_folder(a)?;
    sync_folder(b)?;
    Ok(true)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange(a: &Path, b: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        // Network file systems and old kernels refuse the flag. ENOTSUP is another number than EOPNOTSUPP on macOS only, so that
        // a pattern of both would not compile elsewhere.
        Err(error) if [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP].contains(&error) => {
            Ok(false)
        }
        Err(error) => Err(with_path(a, &error.into())),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange(_a: &Path, _b: &Path) -> io::Result<bool> {
    Ok(false)
}

/// A file written under a temporary name and renamed by [`commit`](Self::commit). If dropped before, it is removed.
#[derive(Debug)]
pub struct FileWriter {
    file: NamedTempFile,
    path: PathBuf,
}

impl FileWriter {
    /// Creates the temporary file for `path`.
    ///
    /// # Errors
    /// If the folder does not exist or cannot be written to; the message names the path.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut prefix = path.file_name().unwrap_or_default().to_owned();
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".partial");
        // The permissions of `File::create`, to which the umask applies: temporary files are private by default.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder_of(path)).map_err(|error| with_path(path, &error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Flushes the content to disk without renaming the file.
    ///
    /// # Errors
    /// If flushing fails; the message names the path.
    pub fn sync_all(&self) -> io::Result<()> {
        self.file.as_file().sync_all().map_err(|error| with_path(&self.path, &error))
    }

    /// Flushes the content, renames the file and flushes the folder. Returns the open file, whose cursor is where it was.
    ///
    /// # Errors
    /// If any step fails; before the rename, a file that had the name is kept.
    pub fn commit(self) -> io::Result<File> {
        // In this order, so that a power loss never leaves the final name without its content.
        self.sync_all()?;
        let file = self.file.persist(&self.path).map_err(|error| with_path(&self.path, &error.error))?;
        sync_folder(&self.path)?;
        Ok(file)
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

impl Seek for FileWriter {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.as_file_mut().seek(to)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the names in the folder of `path` durable, where the system offers that.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs_err::File::open(folder_of(path))?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("failed to write file `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_is_replaced_whole_or_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write_file(&path, b"one").unwrap();
        write_file(&path, b"two").unwrap();
        let mut writer = FileWriter::create(&path).unwrap();
        writer.write_all(b"three").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        drop(writer);
        assert_eq!(
            (names(folder.path()), std::fs::read(&path).unwrap()),
            (vec!["a.bin".into()], b"two".into())
        );
        let mut writer = FileWriter::create(&path).unwrap();
        writer.write_all(b"-our").unwrap();
        writer.seek(SeekFrom::Start(0)).unwrap();
        writer.write_all(b"f").unwrap();
        // What is written after the rename is in the file as well: a log goes on.
        writer.commit().unwrap().write_all(b"OUR").unwrap();
        assert_eq!(
            (names(folder.path()), std::fs::read(&path).unwrap()),
            (vec!["a.bin".into()], b"fOUR".into())
        );
    }

    #[test]
    fn folders_are_swapped_with_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        for path in [&a, &b] {
            std::fs::create_dir(path).unwrap();
            std::fs::write(path.join(path.file_name().unwrap()), b"").unwrap();
        }
        if exchange_durably(&a, &b).unwrap() {
            assert_eq!((names(&a), names(&b)), (vec!["b".to_owned()], vec!["a".to_owned()]));
            assert!(exchange_durably(&a, &folder.path().join("c")).is_err());
        }
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[test]
    fn errors_name_the_path_and_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("nowhere/a.bin");
        let error = write_file(&missing, b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("nowhere/a.bin`"), "{error}");
        // A folder cannot be replaced by a file.
        let taken = folder.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        assert!(write_file(&taken, b"").is_err());
        assert_eq!(names(folder.path()), ["taken"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (usual, ours) = (folder.path().join("usual"), folder.path().join("ours"));
        std::fs::write(&usual, b"").unwrap();
        write_file(&ours, b"").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }
}
