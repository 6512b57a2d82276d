//! Where 3D files come from: this machine's disks. Other places are other implementations of [`Source`].

use std::io::Read as _;
use std::path::{Path, PathBuf};

use lexiform_mesh_io::{limits, walk};

use super::lists::List;
use crate::DataError;
use crate::address::Address;
use crate::table::Table;

/// A place that holds 3D files.
pub trait Source: Sync {
    /// Every file, once.
    fn list(&self) -> Result<Listing, DataError>;
    /// A file's content.
    ///
    /// # Errors
    /// Why this file cannot be had, in words.
    fn fetch(&self, asset: &Asset) -> Result<Fetched, String>;
    /// How many files it can fetch while others are drawn; 0 where fetching does not wait for anybody.
    fn ahead(&self) -> usize {
        0
    }
}

/// A file to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its name below the source, with `/` between folders: decides its key.
    pub name: String,
    /// Where it lies.
    pub location: PathBuf,
}

/// What a source holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// Files to look at.
    pub assets: Vec<Asset>,
    /// What could not be looked into, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
    /// What lists say about their files.
    pub facts: Table,
}

/// A file's content and the path that gives its format; other files are looked up beside it.
#[derive(Debug)]
pub struct Fetched {
    /// A path on this machine.
    pub path: PathBuf,
    /// The content.
    pub bytes: Vec<u8>,
    /// Files that were brought beside it; they go when this is dropped.
    pub beside: Option<Beside>,
}

/// Files that are there for a while.
#[derive(Debug)]
pub struct Beside {
    #[cfg(feature = "cloud")]
    pub(crate) _folder: tempfile::TempDir,
}

/// Folders, files, and lists of files on this machine.
#[derive(Clone, Debug)]
pub struct LocalFiles {
    roots: Vec<PathBuf>,
    /// Whether files are named with their root's own name before them.
    several: bool,
}

impl LocalFiles {
    /// Paths or `file://` addresses. A folder means the 3D files below it; a file ending in `.list`, or a `.txt` or `.csv`
    /// that does not start like points, means the files it lists.
    ///
    /// # Errors
    /// If a path does not exist or an address is of another kind.
    pub fn new(sources: &[String]) -> Result<Self, DataError> {
        let roots = sources.iter().map(|source| local(source)).collect::<Result<_, _>>()?;
        Ok(Self { roots, several: sources.len() > 1 })
    }

    /// The same where there are other sources beside these.
    #[cfg(feature = "cloud")]
    pub(super) fn among_others(self) -> Self {
        Self { several: true, ..self }
    }
}

/// The path that an argument means.
fn local(source: &str) -> Result<PathBuf, DataError> {
    match Address::of(source)? {
        Address::Here(path) if path.exists() => Ok(path),
        Address::Here(path) => Err(DataError::invalid(&path, "no such file or folder")),
        Address::Store(address) => {
            Err(DataError::invalid(Path::new(&address), "expected a path on this machine"))
        }
    }
}

impl Source for LocalFiles {
    fn list(&self) -> Result<Listing, DataError> {
        let mut listing = Listing::default();
        for root in &self.roots {
            if root.is_dir() {
                add_folder(root, self.several, &mut listing);
            } else if let Some(list) = List::read(root)? {
                listing.assets.extend(list.assets);
                listing.facts.join(list.facts);
            } else {
                let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
                listing.assets.push(Asset { name, location: root.clone() });
            }
        }
        // The same file named twice is one file.
        let mut seen = std::collections::HashSet::new();
        listing.assets.retain(|asset| seen.insert(asset.location.clone()));
        Ok(listing)
    }

    fn fetch(&self, asset: &Asset) -> Result<Fetched, String> {
        let path = asset.location.clone();
        let file = std::fs::File::open(&path).map_err(|error| error.to_string())?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err("not a regular file".to_owned());
        }
        let mut bytes = Vec::new();
        file.take(limits::FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > limits::FILE_BYTES {
            return Err(format!("larger than {} bytes", limits::FILE_BYTES));
        }
        Ok(Fetched { path, bytes, beside: None })
    }
}

/// Files below a folder, named by their path in it; with the folder's own name before it where there are several.
fn add_folder(root: &Path, many: bool, listing: &mut Listing) {
    let found = walk(&[root.to_owned()]);
    let own = root.canonicalize().ok().and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()));
    for location in found.assets {
        let below = location.strip_prefix(root).unwrap_or(&location);
        let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let name = parts.join("/");
        let name = match &own {
            Some(own) if many => format!("{own}/{name}"),
            _ => name,
        };
        listing.assets.push(Asset { name, location });
    }
    listing.unreadable.extend(found.unreadable);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_lists_and_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a/b c.obj", "a/d.stl", "e.ply"] {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), b"").unwrap();
        }
        std::fs::write(at("some.txt"), "a/d.stl\n./e.ply\na/d.stl\n").unwrap();
        std::fs::write(at("cloud.txt"), "1 2 3\n").unwrap();
        std::fs::write(at("all.csv"), "label,file\ncup,missing.obj\nvase,e.ply\n").unwrap();
        std::fs::write(at("plain.csv"), "missing.obj\ne.ply\n").unwrap();
        let names = |source: String| {
            let listing = LocalFiles::new(&[source]).unwrap().list().unwrap();
            listing.assets.into_iter().map(|asset| asset.name).collect::<Vec<_>>()
        };
        let path = |name: &str| at(name).display().to_string();
        assert_eq!(names(path("a")), ["b c.obj", "d.stl"]);
        assert_eq!(names(format!("file://{}", path("a/b c.obj").replace(' ', "%20"))), ["b c.obj"]);
        assert_eq!(names(path("some.txt")), ["a/d.stl", "e.ply"]);
        assert_eq!(names(path("cloud.txt")), ["cloud.txt"]);
        assert_eq!(names(path("all.csv")), ["missing.obj", "e.ply"]);
        assert_eq!(names(path("plain.csv")), ["missing.obj", "e.ply"]);
        let both = LocalFiles::new(&[path("a"), path("e.ply")]).unwrap().list().unwrap();
        assert_eq!(both.assets[0].name, "a/b c.obj");
        let listed = LocalFiles::new(&[path("all.csv")]).unwrap().list().unwrap();
        assert_eq!(listed.facts.find("e.ply").unwrap().labels, ["vase"]);
        assert!(LocalFiles::new(&["s3://bucket/x".to_owned()]).is_err());
        assert!(LocalFiles::new(&[path("nowhere")]).is_err());
    }

    #[test]
    fn lists_that_name_no_file_are_not_points() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.ply"), b"").unwrap();
        let list = folder.path().join("labels.csv");
        let refused = |text: &str| {
            std::fs::write(&list, text).unwrap();
            let error = LocalFiles::new(&[list.display().to_string()]).unwrap().list().unwrap_err();
            (error.to_string(), error.hint().unwrap_or_default())
        };
        for (text, first) in [
            ("file,label\nx.glb,chair\ny.glb,cup\n", "x.glb"),
            ("file;label\na.ply;chair\n", "file;label"),
            ("file\tlabel\na.ply\tchair\n", "file\tlabel"),
            ("asset,kind\nx.glb,chair\n", "asset"),
        ] {
            let (error, hint) = refused(text);
            let expected = format!("no line of labels.csv names a file that exists (first: {first:?})");
            assert!(error.ends_with(&expected) && hint.contains("file,label,caption"), "{error}");
        }
        assert!(refused("file,label\n").0.ends_with("no line of labels.csv names a file"));
        // What a column without a heading says is not guessed.
        for text in ["a.ply,chair\n", "asset,kind\na.ply,chair\n"] {
            let (error, hint) = refused(text);
            assert!(error.contains("expected headings such as file,label"), "{error}");
            assert!(hint.contains("put a line"), "{hint}");
        }
    }
}
