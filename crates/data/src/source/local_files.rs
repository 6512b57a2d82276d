//! 3D files of the local file system.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use lexiform_mesh_io::{limits, open_regular_file, walk};

use super::asset::{Asset, AssetSource, FetchedAsset, SourceListing};
use super::file_list::FileList;
use crate::DataError;
use crate::location::Location;

/// Folders, files, and lists of files in the local file system.
#[derive(Clone, Debug)]
pub struct LocalFiles {
    roots: Vec<PathBuf>,
    /// Whether names of files start with the name of their root.
    prefix_root_name: bool,
}

impl LocalFiles {
    /// `sources` are paths or `file://` addresses. A folder stands for the 3D files below it; a file with the extension `.list`,
    /// or a `.txt` or `.csv` that does not start like a point cloud, for the files that it lists.
    ///
    /// # Errors
    /// If a path does not exist or an address has another scheme.
    pub fn new(sources: &[String]) -> Result<Self, DataError> {
        let roots = sources.iter().map(|source| local(source)).collect::<Result<_, _>>()?;
        Ok(Self { roots, prefix_root_name: sources.len() > 1 })
    }

    /// The same for use with other sources: names start with the name of their root.
    #[cfg(feature = "cloud")]
    pub(crate) fn with_root_name(self) -> Self {
        Self { prefix_root_name: true, ..self }
    }
}

/// The path that an argument names.
fn local(source: &str) -> Result<PathBuf, DataError> {
    match Location::parse(source)? {
        Location::Local(path) if path.exists() => Ok(path),
        Location::Local(path) => Err(DataError::invalid(&path, "no such file or folder")),
        Location::Remote(address) => Err(DataError::invalid(Path::new(&address), "expected a local path")),
    }
}

impl AssetSource for LocalFiles {
    fn list(&self) -> Result<SourceListing, DataError> {
        let mut listing = SourceListing::default();
        for root in &self.roots {
            if root.is_dir() {
                add_folder(root, self.prefix_root_name, &mut listing);
            } else if let Some(list) = FileList::read(root)? {
                listing.assets.extend(list.assets);
                listing.annotations.extend(list.annotations);
            } else {
                let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
                listing.assets.push(Asset { name, location: root.clone() });
            }
        }
        // A file that was named twice counts once.
        let mut seen = HashSet::new();
        listing.assets.retain(|asset| seen.insert(asset.location.clone()));
        Ok(listing)
    }

    fn fetch(&self, asset: &Asset) -> Result<FetchedAsset, String> {
        let path = asset.location.clone();
        let file = open_regular_file(&path).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        // One byte more than allowed, to notice larger files without reading them completely.
        file.take(limits::FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > limits::FILE_BYTES {
            return Err(format!("larger than {} bytes", limits::FILE_BYTES));
        }
        Ok(FetchedAsset { path, bytes, companions: None })
    }
}

/// Adds the files below a folder, named by their path relative to it; with `many`, after the folder's own name.
fn add_folder(root: &Path, many: bool, listing: &mut SourceListing) {
    let found = walk(&[root.to_owned()]);
    let own = root.canonicalize().ok().and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()));
    for location in found.assets {
        let below = location.strip_prefix(root).unwrap_or(&location);
        let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let relative = parts.join("/");
        let name = match &own {
            Some(own) if many => format!("{own}/{relative}"),
            _ => relative,
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
        std::fs::write(at("cloud.txt"), "1 2 3\n".repeat(10)).unwrap();
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
        assert_eq!(listed.annotations.find("e.ply").unwrap().labels, ["vase"]);
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
        // Columns without headings are not guessed.
        for text in ["a.ply,chair\n", "asset,kind\na.ply,chair\n"] {
            let (error, hint) = refused(text);
            assert!(error.contains("expected headings such as file,label"), "{error}");
            assert!(hint.contains("put a line"), "{hint}");
        }
    }
}
