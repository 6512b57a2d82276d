//! MVImgNet and MVPNet: photographs in `<category>/<object>/images/*.jpg`; shapes are called `<category>_<object>`.
//!
//! Twelve views are chosen as Duoduo CLIP does: of the sorted names every `floor(n / 12)`-th, the first twelve. Names are
//! sorted here, so view and caption go together, which the reference's packing script does not promise.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use image::imageops::FilterType;

use super::carry::{entries, first_of, lines_if, name_of, overlap};
use super::{ImportOptions, Opened};
use crate::picture::ending_of;
use crate::{About, DataError, Member, decode_picture};

/// Views of a shape.
const VIEWS: usize = 12;

/// Every object that has enough photographs, or those that lists name.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<Opened, DataError> {
    let list = |name: &str| first_of(["", "csv_list", "captions"].map(|f| from.join(f).join(name)));
    let train = list("mvpnet_train_model_ids.txt").map_or(Ok(Vec::new()), |path| lines_if(&path))?;
    let all = list("mvimgnet_model_ids.txt").map_or(Ok(Vec::new()), |path| lines_if(&path))?;
    let held_out = list("mvpnet_val.csv").map_or(Ok(Vec::new()), |path| held_out(&path))?;
    let names = list("mvimgnet_category.txt").map_or(Ok(HashMap::new()), |path| categories(&path))?;
    let val: HashMap<String, String> = held_out.into_iter().collect();
    let both = |train: &[String], name: &str| {
        overlap(val.keys(), train, &format!("in {name} and in mvpnet_val.csv"))
    };
    let warnings: Vec<String> = both(&train, "mvpnet_train_model_ids.txt")
        .into_iter()
        .chain(both(&all, "mvimgnet_model_ids.txt"))
        .collect();
    let listed: HashSet<&String> = train.iter().chain(&all).chain(val.keys()).collect();
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for category in entries(from)?.into_iter().filter(|path| path.is_dir()) {
        for object in entries(&category)?.into_iter().filter(|path| path.is_dir()) {
            let id = format!("{}_{}", name_of(&category), name_of(&object));
            let images = first_of([object.join("images"), object])
                .filter(|_| listed.is_empty() || listed.contains(&id));
            found.extend(images.map(|images| (id, images)));
        }
    }
    if found.is_empty() {
        return Err(DataError::invalid(from, "expected <category>/<object>/images"));
    }
    let ids: Vec<String> = found.iter().map(|(id, _)| id.clone()).collect();
    let size = options.size;
    let read = move |i: usize| {
        let (id, folder) = &found[i];
        let category = id.split('_').next().unwrap_or_default();
        let split = if val.contains_key(id) { "val" } else { "" };
        // The lists write underscores where the names have spaces.
        let label = names.get(category).or(val.get(id)).map(|name| name.replace('_', " "));
        let about =
            About { labels: label.into_iter().collect(), split: split.to_owned(), ..About::default() };
        Ok((views(folder, size)?, about))
    };
    Ok(Opened::new("mvimgnet", from, &ids, options, read).warn(warnings))
}

/// Ids and class names of `class number,class name,id`.
fn held_out(path: &Path) -> Result<Vec<(String, String)>, DataError> {
    let mut rows = Vec::new();
    for line in lines_if(path)? {
        let cells: Vec<&str> = line.split(',').collect();
        match cells[..] {
            [_, class, id] => rows.push((id.trim().to_owned(), class.trim().to_owned())),
            _ => {
                return Err(DataError::invalid(
                    path,
                    format!("expected class number,class name,id, found {line:?}"),
                ));
            }
        }
    }
    Ok(rows)
}

/// Names by category number.
fn categories(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let pair =
        |line: String| line.split_once(',').map(|(id, name)| (id.trim().to_owned(), name.trim().to_owned()));
    Ok(lines_if(path)?.into_iter().filter_map(pair).collect())
}

fn views(folder: &Path, size: u32) -> Result<Vec<Member>, String> {
    let mut files = entries(folder).map_err(|error| error.to_string())?;
    let is_photo = |path: &PathBuf| {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        matches!(ending.as_str(), "jpg" | "jpeg" | "png")
    };
    files.retain(is_photo);
    if files.len() < VIEWS {
        return Err(format!("has {} photographs, {VIEWS} are needed", files.len()));
    }
    let step = if files.len() > VIEWS { files.len() / VIEWS } else { 1 };
    files.iter().step_by(step).take(VIEWS).enumerate().map(|(i, path)| view(i, path, size)).collect()
}

fn view(index: usize, path: &Path, size: u32) -> Result<Member, String> {
    let bytes = fs_err::read(path).map_err(|error| error.to_string())?;
    if size == 0 {
        let ending = ending_of(&bytes).ok_or_else(|| format!("{} is no image", name_of(path)))?;
        return Ok(Member::view(index, ending, bytes));
    }
    let image = decode_picture(&bytes).map_err(|error| format!("{}: {error}", name_of(path)))?;
    let small = image::imageops::resize(&image, size, size, FilterType::CatmullRom);
    Ok(Member::view(index, "jpg", crate::Picture::Jpeg.encode(&small)?))
}
