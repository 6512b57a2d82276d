//! Opening files that are read to their end: regular ones only, because a pipe or a device may never end.

use std::fs::FileType;
use std::io;
use std::path::Path;

/// Opens a regular file, also through links. Anything else is refused, without waiting for the other end of a pipe.
///
/// ```
/// let error = lexiform_mesh_io::open_regular_file(&std::env::temp_dir()).unwrap_err();
/// assert!(error.to_string().ends_with("expected a regular file, found a folder"));
/// ```
///
/// # Errors
///
/// When the file cannot be opened, or is not a regular file.
pub fn open_regular_file(path: &Path) -> io::Result<fs_err::File> {
    // Before opening: that would wait until something writes to a pipe. A missing file is reported by opening it.
    if let Ok(metadata) = std::fs::metadata(path) {
        check(path, metadata.file_type())?;
    }
    let file = fs_err::File::open(path)?;
    // Again, because the path may lead elsewhere by now.
    check(path, file.metadata()?.file_type())?;
    Ok(file)
}

fn check(path: &Path, found: FileType) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    let text = format!("{}: expected a regular file, found {}", path.display(), kind(found));
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn kind(found: FileType) -> &'static str {
    if found.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if found.is_fifo() {
            return "a pipe";
        }
        if found.is_socket() {
            return "a socket";
        }
    }
    "a device"
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: &Path, expected: &str| {
            let message = open_regular_file(path).unwrap_err().to_string();
            assert_eq!(message, format!("{}: expected a regular file, found {expected}", path.display()));
        };
        check(folder.path(), "a folder");
        check(Path::new("/dev/null"), "a device");
        let socket = folder.path().join("s.obj");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        check(&socket, "a socket");
        let file = folder.path().join("a.obj");
        std::fs::write(&file, "v 0 0 0").unwrap();
        assert!(open_regular_file(&file).is_ok());
    }
}
