//! MVImgNet and MVPNet ([paper](https://arxiv.org/abs/2303.06042), [data](https://gaplab.cuhk.edu.cn/projects/MVImgNet/)):
//! photographs in `<category>/<object>/images/*.jpg`; shapes have the ids `<category>_<object>`.
//!
//! Twelve views are chosen as in Duoduo CLIP: of the sorted names every `floor(n / 12)`-th, the first twelve. Names are sorted
//! here, so that caption k describes view k, which the reference's packing script does not ensure.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use lexiform_formats::view_format::ViewFormat;
use lexiform_formats::view_format::decode_view;
use lexiform_formats::view_format::extension_of;
use lexiform_geometry::resize::resize_bicubic_rgba;

use super::files::{entries, first_of, name_of};
use super::id_lists::{lines_if, overlap};
use super::options::ImportOptions;
use super::source::Opened;
use crate::table::{Facts, Table};
use crate::{About, DataError, Member};

/// Number of views per shape.
const VIEWS: usize = 12;

/// Names of categories by number, and the objects of the MVPNet val split with their classes.
pub(super) struct Lists {
    categories: HashMap<String, String>,
    held_out: HashMap<String, String>,
}

impl Lists {
    /// Reads `mvimgnet_category.txt` and `mvpnet_val.csv` if one of the folders has them.
    pub fn read(folders: &[PathBuf]) -> Result<Self, DataError> {
        let list = |name: &str| first_of(folders.iter().map(|folder| folder.join(name)));
        let categories =
            list("mvimgnet_category.txt").map_or(Ok(HashMap::new()), |path| categories(&path))?;
        let held_out = list("mvpnet_val.csv").map_or(Ok(HashMap::new()), |path| held_out(&path))?;
        Ok(Self { categories, held_out })
    }

    /// Ids of the objects in the val split.
    pub fn held_out(&self) -> impl Iterator<Item = &String> {
        self.held_out.keys()
    }

    /// Labels and splits of these objects.
    pub fn table(&self, ids: &[String]) -> Table {
        let mut table = Table::default();
        ids.iter().for_each(|id| table.insert(id, self.facts(id)));
        table
    }

    fn facts(&self, id: &str) -> Facts {
        let category = id.split('_').next().unwrap_or_default();
        let class = self.held_out.get(id);
        // The lists write underscores where the names have spaces.
        let label = self.categories.get(category).or(class).map(|name| name.replace('_', " "));
        let split = class.map(|_| "val".to_owned());
        Facts { labels: label.into_iter().collect(), split, ..Facts::default() }
    }
}

/// Imports every object, or only those in lists if there are any.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<Opened, DataError> {
    let near = ["", "csv_list", "captions"].map(|f| from.join(f));
    let lists = Lists::read(&near)?;
    let list = |name: &str| {
        let path = first_of(near.iter().map(|folder| folder.join(name)));
        path.map_or(Ok(Vec::new()), |path| lines_if(&path))
    };
    let (train, all) = (list("mvpnet_train_model_ids.txt")?, list("mvimgnet_model_ids.txt")?);
    let both = |ids: &[String], name: &str| {
        overlap(lists.held_out(), ids, &format!("in {name} and in mvpnet_val.csv"))
    };
    let warnings = [both(&train, "mvpnet_train_model_ids.txt"), both(&all, "mvimgnet_model_ids.txt")];
    let listed: HashSet<&String> = train.iter().chain(&all).chain(lists.held_out()).collect();
    let mut found = objects(from)?;
    found.retain(|(id, _)| listed.is_empty() || listed.contains(id));
    if found.is_empty() {
        return Err(DataError::invalid(from, "expected <category>/<object>/images"));
    }
    let ids: Vec<String> = found.iter().map(|(id, _)| id.clone()).collect();
    let (size, pictures) = (options.size, options.pictures);
    let read = move |i: usize| {
        let (id, folder) = &found[i];
        let Facts { labels, split, .. } = lists.facts(id);
        let about = About { labels, split: split.unwrap_or_default(), ..About::default() };
        Ok((views(folder, size, pictures)?, about))
    };
    let warnings = warnings.into_iter().flatten().collect();
    Ok(Opened::new("mvimgnet", from, &ids, options, read)?.warn(warnings))
}

/// Ids of all objects, with the folders of their photographs.
fn objects(from: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut found = Vec::new();
    for category in entries(from)?.into_iter().filter(|path| path.is_dir()) {
        for object in entries(&category)?.into_iter().filter(|path| path.is_dir()) {
            let id = format!("{}_{}", name_of(&category), name_of(&object));
            let images = first_of([object.join("images"), object]);
            found.extend(images.map(|images| (id, images)));
        }
    }
    Ok(found)
}

/// Reads `class number,class name,id` as class names by id.
fn held_out(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let mut rows = HashMap::new();
    for line in lines_if(path)? {
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
    Ok(lines_if(path)?.into_iter().filter_map(pair).collect())
}

/// The chosen photographs of an object.
fn views(folder: &Path, size: u32, pictures: ViewFormat) -> Result<Vec<Member>, String> {
    let mut files = entries(folder).map_err(|error| error.to_string())?;
    let is_photo = |path: &PathBuf| {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        matches!(ending.as_str(), "jpg" | "jpeg" | "png")
    };
    files.retain(is_photo);
    if files.len() < VIEWS {
        return Err(format!("has {} photographs, expected at least {VIEWS}", files.len()));
    }
    let step = if files.len() > VIEWS { files.len() / VIEWS } else { 1 };
    let files = files.iter().step_by(step).take(VIEWS);
    files.enumerate().map(|(i, path)| view(i, path, size, pictures)).collect()
}

/// A photograph resized to `size` × `size` as by Pillow, ignoring its aspect ratio. One of the right size and format is kept without
/// changes, and so are all if `size` is 0.
fn view(index: usize, path: &Path, size: u32, pictures: ViewFormat) -> Result<Member, String> {
    let bytes = fs_err::read(path).map_err(|error| error.to_string())?;
    let ending = extension_of(&bytes);
    if size == 0 {
        let ending = ending.ok_or_else(|| format!("{} is not an image", name_of(path)))?;
        return Ok(Member::view(index, ending, bytes));
    }
    let image = decode_view(&bytes).map_err(|error| format!("{}: {error}", name_of(path)))?;
    if image.dimensions() == (size, size) && ending == Some(pictures.extension()) {
        return Ok(Member::view(index, pictures.extension(), bytes));
    }
    let small = resize_bicubic_rgba(&image, size as usize, size as usize);
    Ok(Member::view(index, pictures.extension(), pictures.encode(&small)?))
}
