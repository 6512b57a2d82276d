//! MVImgNet and MVPNet ([paper](https://arxiv.org/abs/2303.06042), [data](https://gaplab.cuhk.edu.cn/projects/MVImgNet/)):
//! photographs in `<category>/<object>/images/*.jpg`; shapes have the ids `<category>_<object>`.
//!
//! Twelve views are chosen as in Duoduo CLIP: of the sorted names every `floor(n / 12)`-th, the first twelve. Names are sorted
//! here, so that caption k describes view k, which the packing script of the reference does not guarantee.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use lexiform_formats::view_format::ViewFormat;
use lexiform_formats::view_format::decode_view;
use lexiform_formats::view_format::extension_of;
use lexiform_geometry::resize::resize_bicubic_rgba;
use lexiform_mesh_io::thin_views;

use super::files::{file_name, first_existing, list_dir};
use super::id_lists::{lines_if_exists, overlap};
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::annotations::{Annotation, AnnotationTable};
use crate::{DataError, Member, Metadata};

/// Number of views per shape.
const VIEWS: usize = 12;

/// Names of categories by number, and the objects of the MVPNet val split with their classes.
pub(super) struct MvImgNetLists {
    categories: HashMap<String, String>,
    val_ids: HashMap<String, String>,
}

impl MvImgNetLists {
    /// Reads `mvimgnet_category.txt` and `mvpnet_val.csv` if one of the folders has them.
    pub fn read(folders: &[PathBuf]) -> Result<Self, DataError> {
        let list = |name: &str| first_existing(folders.iter().map(|folder| folder.join(name)));
        let categories =
            list("mvimgnet_category.txt").map_or(Ok(HashMap::new()), |path| categories(&path))?;
        let val_ids = list("mvpnet_val.csv").map_or(Ok(HashMap::new()), |path| read_val_csv(&path))?;
        Ok(Self { categories, val_ids })
    }

    /// Ids of the objects in the val split.
    pub fn val_ids(&self) -> impl Iterator<Item = &String> {
        self.val_ids.keys()
    }

    /// Labels and splits of these objects.
    pub fn table(&self, ids: &[String]) -> AnnotationTable {
        let mut table = AnnotationTable::default();
        ids.iter().for_each(|id| table.insert(id, self.annotation(id)));
        table
    }

    fn annotation(&self, id: &str) -> Annotation {
        // Ids are `<category>_<object>`; categories are numbers without underscores.
        let category = id.split('_').next().unwrap_or_default();
        let class = self.val_ids.get(id);
        // The lists write underscores where the names have spaces.
        let label = self.categories.get(category).or(class).map(|name| name.replace('_', " "));
        let split = class.map(|_| "val".to_owned());
        Annotation { labels: label.into_iter().collect(), split, ..Annotation::default() }
    }
}

/// Imports every object, or only those in lists if there are any.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let near = ["", "csv_list", "captions"].map(|f| from.join(f));
    let lists = MvImgNetLists::read(&near)?;
    let list = |name: &str| {
        let path = first_existing(near.iter().map(|folder| folder.join(name)));
        path.map_or(Ok(Vec::new()), |path| lines_if_exists(&path))
    };
    let (train, all) = (list("mvpnet_train_model_ids.txt")?, list("mvimgnet_model_ids.txt")?);
    let both = |ids: &[String], name: &str| {
        overlap(lists.val_ids(), ids, &format!("in {name} and in mvpnet_val.csv"))
    };
    let warnings = [both(&train, "mvpnet_train_model_ids.txt"), both(&all, "mvimgnet_model_ids.txt")];
    let listed: HashSet<&String> = train.iter().chain(&all).chain(lists.val_ids()).collect();
    let mut found = objects(from)?;
    found.retain(|(id, _)| listed.is_empty() || listed.contains(id));
    if found.is_empty() {
        return Err(DataError::invalid(from, "expected <category>/<object>/images"));
    }
    let ids: Vec<String> = found.iter().map(|(id, _)| id.clone()).collect();
    let (size, view_format) = (options.size, options.view_format);
    let read = move |i: usize| {
        let (id, folder) = &found[i];
        let Annotation { labels, split, .. } = lists.annotation(id);
        let metadata = Metadata { labels, split: split.unwrap_or_default(), ..Metadata::default() };
        Ok((views(folder, size, view_format)?, metadata))
    };
    let warnings = warnings.into_iter().flatten().collect();
    Ok(ImportSource::new("mvimgnet", from, &ids, options, read)?.with_warnings(warnings))
}

/// Ids of all objects, with the folders of their photographs.
fn objects(from: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut found = Vec::new();
    for category in list_dir(from)?.into_iter().filter(|path| path.is_dir()) {
        for object in list_dir(&category)?.into_iter().filter(|path| path.is_dir()) {
            let id = format!("{}_{}", file_name(&category), file_name(&object));
            let images = first_existing([object.join("images"), object]);
            found.extend(images.map(|images| (id, images)));
        }
    }
    Ok(found)
}

/// Reads `class number,class name,id` as class names by id.
fn read_val_csv(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let mut rows = HashMap::new();
    for line in lines_if_exists(path)? {
        let cells: Vec<&str> = line.split(',').collect();
        let [_, class, id] = cells[..] else {
            let message = format!("expected class number,class name,id, found {line:?}");
            return Err(DataError::invalid(path, message));
        };
        rows.insert(id.trim().to_owned(), class.trim().to_owned());
    }
    Ok(rows)
}

/// Reads names by category number.
fn categories(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let pair =
        |line: String| line.split_once(',').map(|(id, name)| (id.trim().to_owned(), name.trim().to_owned()));
    Ok(lines_if_exists(path)?.into_iter().filter_map(pair).collect())
}

/// The chosen photographs of an object.
fn views(folder: &Path, size: u32, view_format: ViewFormat) -> Result<Vec<Member>, String> {
    let mut files = list_dir(folder).map_err(|error| error.to_string())?;
    let is_photo = |path: &PathBuf| {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        matches!(ending.as_str(), "jpg" | "jpeg" | "png")
    };
    files.retain(is_photo);
    if files.len() < VIEWS {
        return Err(format!("has {} photographs, expected at least {VIEWS}", files.len()));
    }
    let files = thin_views(files, VIEWS);
    files.iter().enumerate().map(|(i, path)| view(i, path, size, view_format)).collect()
}

/// A photograph resized to `size` × `size` as by Pillow, ignoring its aspect ratio. One of the right size and format is kept without
/// changes, and so are all if `size` is 0.
fn view(index: usize, path: &Path, size: u32, view_format: ViewFormat) -> Result<Member, String> {
    let bytes = fs_err::read(path).map_err(|error| error.to_string())?;
    let ending = extension_of(&bytes);
    if size == 0 {
        let ending = ending.ok_or_else(|| format!("{} is not an image", file_name(path)))?;
        return Ok(Member::view(index, ending, bytes));
    }
    let image = decode_view(&bytes).map_err(|error| format!("{}: {error}", file_name(path)))?;
    // Recompressing a JPEG would lose quality.
    if image.dimensions() == (size, size) && ending == Some(view_format.extension()) {
        return Ok(Member::view(index, view_format.extension(), bytes));
    }
    let small = resize_bicubic_rgba(&image, size as usize, size as usize);
    Ok(Member::view(index, view_format.extension(), view_format.encode(&small)?))
}
