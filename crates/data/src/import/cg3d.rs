//! Triplets of CG3D ([paper](https://arxiv.org/abs/2303.11313), [code](https://github.com/deeptibhegde/CLIP-goes-3D)):
//! `ShapeNet55/shapenet_pc/<synset>-<model>.npy`, `shapenet_render/img/<synset>/<model>/000.png … 004.png`, its own lists
//! `train_img.txt` and `test_img.txt`, and `taxonomy.json`; optionally photographs and captions of each class in
//! `ShapeNetCore.v2_images/<class>/` and `<class>.json`.

use std::collections::{HashMap, HashSet};
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};

use fnv::FnvHasher;
use lexiform_formats::view_format::{ViewFormat, decode_view};
use lexiform_geometry::resize::resize_bicubic_rgba;
use serde_json::Value;

use super::files::{file_name, first_existing, list_dir};
use super::id_lists::{lines_if_exists, overlap};
use super::members::{numbered_views, points, read_array};
use super::options::ImportOptions;
use super::shapenet55::taxonomy;
use super::source::ImportSource;
use crate::{Caption, DataError, Member, Metadata};

/// Shapes of `test_img.txt` that the authors' training validates on, the first of the list.
const VALIDATION_SHAPES: usize = 3000;
/// Views per shape.
const VIEWS: usize = 5;
/// Photographs per shape, as many as views: an image is a photograph half of the time, as in the authors' code.
const PHOTOS: usize = VIEWS;
/// Most captions of its class that a shape gets.
const CLASS_CAPTIONS: usize = 32;
/// Class names that the authors' loader replaces.
const RENAMED: [(&str, &str); 3] = [("display", "monitor"), ("vessel", "ship"), ("ashcan", "trashcan")];
/// Width and height of a photograph that was not asked to have another size.
const PHOTO_SIZE: u32 = 224;

/// Where the files are.
struct Folders {
    clouds: PathBuf,
    renders: PathBuf,
    /// Photographs and captions by class.
    classes: PathBuf,
}

/// Photographs and captions of a class.
#[derive(Default)]
struct ClassData {
    photos: Vec<PathBuf>,
    captions: Vec<String>,
}

/// Imports every shape of the lists.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let folders = Folders::find(from)?;
    let list = |name: &str| -> Result<Vec<String>, DataError> {
        let lines = lines_if_exists(&folders.renders.join(name))?;
        Ok(lines.iter().map(|line| line.trim_end_matches(".npy").to_owned()).collect())
    };
    let (train, test) = (list("train_img.txt")?, list("test_img.txt")?);
    if train.is_empty() && test.is_empty() {
        return Err(DataError::invalid(&folders.renders, "expected train_img.txt and test_img.txt"));
    }
    let mut warnings: Vec<String> =
        overlap(&train, &test, "in train_img.txt and in test_img.txt").into_iter().collect();
    let names = class_names(&folders.renders)?;
    let classes = class_data(&folders, &names, options)?;
    warnings.extend(missing_clouds(&folders.clouds, train.iter().chain(&test)));
    let shapes = splits(train, test);
    let ids: Vec<String> = shapes.iter().map(|(id, _)| id.clone()).collect();
    let (size, view_format) = (options.size, options.view_format);
    let read = move |i: usize| {
        let (id, split) = &shapes[i];
        let (synset, model) = id.split_once('-').ok_or("expected <synset>-<model>")?;
        let name = names.get(synset).cloned().unwrap_or_default();
        let mut metadata = Metadata::default();
        let renders = renders(&folders.renders.join("img").join(synset).join(model))?;
        let mut members = numbered_views(&renders, &mut metadata)?;
        let class = classes.get(&name);
        let photos = class.map_or(&[][..], |class| &class.photos);
        for (at, photo) in chosen(photos, PHOTOS, id).into_iter().enumerate() {
            members.push(
                photo_view(members.len(), photo, size, view_format)
                    .map_err(|error| format!("photograph {at}: {error}"))?,
            );
        }
        members.push(points(&read_array(&folders.clouds.join(format!("{id}.npy")))?, None)?);
        let captions = class.map_or(&[][..], |class| &class.captions);
        let captions = chosen(captions, CLASS_CAPTIONS, id).into_iter();
        metadata.captions = captions.map(|text| Caption::new(text.clone(), "cg3d")).collect();
        metadata.labels.extend(Some(name).filter(|name| !name.is_empty()));
        metadata.split = (*split).to_owned();
        metadata.extra.insert("synset".to_owned(), synset.into());
        Ok((members, metadata))
    };
    Ok(ImportSource::new("cg3d", from, &ids, options, read)?.with_warnings(warnings))
}

impl Folders {
    fn find(from: &Path) -> Result<Self, DataError> {
        // The root of the data, or its folder of renders.
        let root = if from.ends_with("shapenet_render") { from.parent().unwrap_or(from) } else { from };
        let invalid = |message: &str| DataError::invalid(from, message);
        let clouds = ["ShapeNet55/shapenet_pc", "shapenet55/shapenet_pc", "shapenet_pc"];
        let clouds = first_existing(clouds.map(|folder| root.join(folder)));
        let renders = root.join("shapenet_render");
        if !renders.is_dir() {
            return Err(invalid("expected a folder shapenet_render"));
        }
        Ok(Self {
            clouds: clouds.ok_or_else(|| invalid("expected a folder ShapeNet55/shapenet_pc"))?,
            renders,
            classes: root.join("ShapeNetCore.v2_images"),
        })
    }
}

/// Class names by synset: the first of its synonyms, with the authors' replacements.
fn class_names(renders: &Path) -> Result<HashMap<String, String>, DataError> {
    let path = renders.join("taxonomy.json");
    let name = |names: Vec<String>| {
        let first = names.into_iter().next().unwrap_or_default();
        let renamed = RENAMED.iter().find(|(from, _)| *from == first);
        renamed.map_or(first, |(_, to)| (*to).to_owned())
    };
    Ok(taxonomy(&path)?.into_iter().map(|(synset, names)| (synset, name(names))).collect())
}

/// Ids with their splits, each id once: the lists' own, `val` for what the authors' training validates on.
fn splits(train: Vec<String>, test: Vec<String>) -> Vec<(String, &'static str)> {
    let mut seen = HashSet::new();
    let of_test = |at: usize| if at < VALIDATION_SHAPES { "val" } else { "test" };
    let test = test.into_iter().enumerate().map(|(at, id)| (id, of_test(at)));
    // A shape in both lists is a test shape.
    let mut all: Vec<_> = test.filter(|(id, _)| seen.insert(id.clone())).collect();
    let train: Vec<_> =
        train.into_iter().filter(|id| seen.insert(id.clone())).map(|id| (id, "train")).collect();
    all.splice(0..0, train);
    all
}

/// A warning if clouds of the lists are missing.
fn missing_clouds<'a>(clouds: &Path, ids: impl Iterator<Item = &'a String>) -> Option<String> {
    let missing = ids.filter(|id| !clouds.join(format!("{id}.npy")).exists()).count();
    (missing > 0).then(|| format!("{missing} shapes of the lists have no cloud in {}", file_name(clouds)))
}

/// Photographs (`--real` of the authors' code) and captions (`--real_caption`) of the classes, as far as they are asked for.
fn class_data(
    folders: &Folders,
    names: &HashMap<String, String>,
    options: &ImportOptions,
) -> Result<HashMap<String, ClassData>, DataError> {
    let mut found = HashMap::new();
    if !options.class_photos && !options.class_captions {
        return Ok(found);
    }
    if !folders.classes.is_dir() {
        let message = "expected photographs and captions in ShapeNetCore.v2_images/<class>/ and <class>.json";
        return Err(DataError::invalid(&folders.classes, message));
    }
    for name in names.values() {
        let mut class = ClassData::default();
        let photos = folders.classes.join(name);
        if options.class_photos && photos.is_dir() {
            class.photos = list_dir(&photos)?.into_iter().filter(|path| path.is_file()).collect();
        }
        let captions = folders.classes.join(format!("{name}.json"));
        if options.class_captions && captions.is_file() {
            class.captions = class_captions(&captions)?;
        }
        found.insert(name.clone(), class);
    }
    Ok(found)
}

/// The list `caption` of a class.
fn class_captions(path: &Path) -> Result<Vec<String>, DataError> {
    let json: Value =
        serde_json::from_slice(&fs_err::read(path)?).map_err(|e| DataError::invalid(path, e))?;
    let list = json.get("caption").and_then(Value::as_array);
    let list = list.ok_or_else(|| DataError::invalid(path, "expected {\"caption\": [ … ]}"))?;
    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// `count` elements at most, from a place that follows from the id: shapes of a class get different ones.
fn chosen<'a, T>(all: &'a [T], count: usize, id: &str) -> Vec<&'a T> {
    let mut hasher = FnvHasher::default();
    hasher.write(id.as_bytes());
    let start = hasher.finish() as usize % all.len().max(1);
    all.iter().cycle().skip(start).take(count.min(all.len())).collect()
}

/// The rendered views of a shape with their numbers.
fn renders(folder: &Path) -> Result<Vec<(usize, PathBuf)>, String> {
    let views = (0..VIEWS).map(|number| (number, folder.join(format!("{number:03}.png"))));
    let found: Vec<_> = views.filter(|(_, path)| path.exists()).collect();
    if found.is_empty() { Err(format!("no views 000.png … in {}", folder.display())) } else { Ok(found) }
}

/// The central square of a photograph.
fn photo_view(index: usize, path: &Path, size: u32, view_format: ViewFormat) -> Result<Member, String> {
    let bytes = fs_err::read(path).map_err(|error| error.to_string())?;
    let image = decode_view(&bytes).map_err(|error| format!("{}: {error}", file_name(path)))?;
    let (width, height) = image.dimensions();
    let side = width.min(height);
    let square = image::imageops::crop_imm(&image, (width - side) / 2, (height - side) / 2, side, side);
    let size = if size == 0 { PHOTO_SIZE } else { size } as usize;
    let small = resize_bicubic_rgba(&square.to_image(), size, size);
    Ok(Member::view(index, view_format.extension(), view_format.encode(&small)?))
}
