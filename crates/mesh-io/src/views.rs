//! Views of an object as image files: a folder of renders or photos (`ID/000.png …`), or one image that is a strip of views.
//!
//! Textures are images too. A folder counts as views if its images are numbered, or are square and of one size; with 3D files
//! around it only if the names are bare numbers, as those of [Zero123](https://github.com/cvlab-columbia/zero123) are.

use std::io;
use std::path::{Path, PathBuf};

/// Smallest edge of a view in a strip, in pixels.
const MIN_VIEW_EDGE: u32 = 32;
/// Fewest views in an image that is recognized as a strip: photos may be twice as wide as high.
const MIN_STRIP_VIEWS: u32 = 3;
/// Parts of the names of images that are not views but accompany them.
const COMPANIONS: [&str; 7] = ["depth", "normal", "mask", "albedo", "alpha", "segm", "thumbnail"];

/// Whether a file is an image that can be read, judged by its extension.
pub fn is_image(path: &Path) -> bool {
    image::ImageFormat::from_path(path).is_ok_and(|format| format.reading_enabled())
}

/// The views in a folder, in the order of their numbers; hidden files, depth maps, normal maps and masks are skipped.
///
/// # Errors
/// If the folder cannot be read.
pub fn view_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut images = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if !is_hidden(&path) && is_image(&path) && path.is_file() {
            images.push(path);
        }
    }
    Ok(views_among(images))
}

/// How many views an image of this size is a strip of, from left to right or top to bottom: its long edge is a multiple of the
/// short one.
///
/// ```
/// use lexiform_mesh_io::strip_views;
///
/// assert_eq!(strip_views(224, 2688), Some(12));
/// assert_eq!(strip_views(640, 480), None);
/// ```
pub fn strip_views(width: u32, height: u32) -> Option<u32> {
    let (short, long) = (width.min(height), width.max(height));
    let is_strip = short >= MIN_VIEW_EDGE && long.is_multiple_of(short) && long / short >= MIN_STRIP_VIEWS;
    is_strip.then(|| long / short)
}

/// Every `n / most`-th of `n` views and `most` of them, as Duoduo CLIP chooses among the frames of MVImgNet; all if there are
/// not more, none for `most` 0.
pub fn thin_views<T>(views: Vec<T>, most: usize) -> Vec<T> {
    let step = views.len().checked_div(most).unwrap_or(1).max(1);
    views.into_iter().step_by(step).take(most).collect()
}

/// The objects that the images of one folder are views of: the folder itself, or each strip in it.
pub(crate) fn view_sets(folder: &Path, images: Vec<PathBuf>, around: Surroundings) -> Vec<PathBuf> {
    let views = views_among(images);
    let Some(first) = views.first() else { return Vec::new() };
    let numbers = |path: &PathBuf| stem(path).bytes().all(|byte| byte.is_ascii_digit());
    let alone = around == Surroundings::OnlyImages;
    let is_strip =
        |path: &Path| image_size(path).is_some_and(|(width, height)| strip_views(width, height).is_some());
    if alone && is_strip(first) {
        return views.iter().filter(|path| is_strip(path)).cloned().collect();
    }
    let is_object = match around {
        Surroundings::AssetsInFolder => false,
        Surroundings::AssetsAbove => views.len() > 1 && views.iter().all(numbers),
        Surroundings::OnlyImages => views.len() > 1 && (is_series(&views) || are_squares(&views)),
    };
    match is_object {
        true => vec![folder.to_owned()],
        false if alone => views.iter().filter(|path| is_strip(path)).cloned().collect(),
        false => Vec::new(),
    }
}

/// Where the 3D files around a folder of images are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surroundings {
    /// In the folder: the images are probably textures.
    AssetsInFolder,
    /// In the folder that contains it.
    AssetsAbove,
    /// In neither.
    OnlyImages,
}

pub(crate) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The images that are views, in the order of the numbers in their names.
fn views_among(mut images: Vec<PathBuf>) -> Vec<PathBuf> {
    let is_companion = |path: &PathBuf| {
        let name = stem(path).to_ascii_lowercase();
        COMPANIONS.iter().any(|part| name.contains(part))
    };
    if !images.iter().all(is_companion) {
        images.retain(|path| !is_companion(path));
    }
    // `lexiform data export files` writes v00.png, d00.png (depth) and n00.png (normals).
    let is_exported = |path: &PathBuf| {
        stem(path).strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    if images.iter().any(is_exported) {
        images.retain(is_exported);
    }
    images.sort_by_cached_key(|path| (natural_key(&stem(path)), path.clone()));
    images
}

/// Whether the names differ only in the number at their end.
fn is_series(views: &[PathBuf]) -> bool {
    let prefix = |path: &PathBuf| {
        let name = stem(path);
        let prefix = name.trim_end_matches(|c: char| c.is_ascii_digit());
        (prefix.len() < name.len()).then(|| prefix.to_owned())
    };
    let first = views.first().and_then(prefix);
    first.is_some() && views.iter().all(|path| prefix(path) == first)
}

/// Whether all images are square and of the same size, as renders are.
fn are_squares(views: &[PathBuf]) -> bool {
    let sizes = views.iter().map(|path| image_size(path));
    let Some(Some(first)) = sizes.clone().next() else { return false };
    first.0 == first.1 && sizes.into_iter().all(|size| size == Some(first))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A key that orders `r_2` before `r_10`: runs of digits are numbers.
fn natural_key(name: &str) -> Vec<(String, u64)> {
    let mut parts: Vec<(String, u64)> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, after) = rest.split_at(text);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (digits, after) = after.split_at(digits);
        parts.push((text.to_owned(), digits.parse().unwrap_or(u64::MAX)));
        rest = after;
    }
    parts
}

/// Width and height of an image in pixels; `None` if it is not a regular file or not an image.
pub fn image_size(path: &Path) -> Option<(u32, u32)> {
    // Opening a pipe would wait until something writes to it.
    if path.is_file() { image::image_dimensions(path).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let write = |names: &[&str]| {
            names.iter().for_each(|name| fs_err::write(folder.path().join(name), "").unwrap());
        };
        let names = || -> Vec<String> {
            let files = view_files(folder.path()).unwrap();
            files.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
        };
        write(&["r_10.png", "r_2.png", "r_2_depth.png", "r_1.jpg", ".r_0.png", "transforms.json"]);
        assert_eq!(names(), ["r_1.jpg", "r_2.png", "r_10.png"]);
        write(&["v01.png", "d01.png", "n01.png", "v00.png"]);
        assert_eq!(names(), ["v00.png", "v01.png"]);
    }

    #[test]
    fn surplus_views_are_thinned_as_in_duoduo_clip() {
        // extract_mvimgnet.py: `images[::len(images) // 12][:12]`.
        assert_eq!(thin_views((0..30).collect(), 12), (0..24).step_by(2).collect::<Vec<_>>());
        assert_eq!(thin_views((0..23).collect(), 12), (0..12).collect::<Vec<_>>());
        assert_eq!(thin_views(vec![0, 1], 12), [0, 1]);
    }

    #[test]
    fn textures_are_not_views() {
        let numbered = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let of = |names: &[&str], around| view_sets(Path::new("a"), numbered(names), around).len();
        assert_eq!(of(&["000.png", "001.png"], Surroundings::AssetsAbove), 1);
        assert_eq!(of(&["tex_0.png", "tex_1.png"], Surroundings::AssetsAbove), 0);
        assert_eq!(of(&["tex_0.png", "tex_1.png"], Surroundings::OnlyImages), 1);
        assert_eq!(of(&["000.png", "001.png"], Surroundings::AssetsInFolder), 0);
        assert_eq!(of(&["000.png"], Surroundings::OnlyImages), 0);
    }
}
