//! Shapes and views in the names of rendered images.

/// Degrees between two views of ULIP's ShapeNet, whose files are numbered by their angle.
const ULIP_STEP_DEG: usize = 12;
const IMAGE_EXTENSIONS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// The shape and the number of the view that the path of a rendered image names: `…/<shape>/007.png`, `…/<shape>/view_07.png`, or
/// ULIP's `…/<shape>/<shape>_r_084.png`, the view at 84 degrees.
pub(super) fn shape_and_view(path: &str) -> Option<(&str, usize)> {
    let (folder, file) = path.rsplit_once('/')?;
    let shape = folder.rsplit('/').next().filter(|shape| !shape.is_empty())?;
    Some((shape, view_of(file)?))
}

/// The number of the view that the name of an image ends with.
pub(super) fn view_of(file: &str) -> Option<usize> {
    let file = file.rsplit('/').next().unwrap_or(file);
    let (stem, extension) = file.rsplit_once('.')?;
    if !IMAGE_EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()) {
        return None;
    }
    let (before, digits) = stem.rsplit_once('_').unwrap_or(("", stem));
    let number: usize = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    match before.ends_with("_r") {
        true => number.is_multiple_of(ULIP_STEP_DEG).then_some(number / ULIP_STEP_DEG),
        false => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_name_a_shape_and_a_view() {
        for (path, expected) in [
            ("/export/objaverse/render_images_split_100/0a1b/007.png", Some(("0a1b", 7))),
            ("0a1b/011.jpg", Some(("0a1b", 11))),
            ("renders/0a1b/view_03.PNG", Some(("0a1b", 3))),
            ("02691156-aa/02691156-aa_r_348.png", Some(("02691156-aa", 29))),
            ("02691156-aa/02691156-aa_r_013.png", None),
            ("007.png", None),
            ("0a1b/render.png", None),
            ("chairs/007.glb", None),
        ] {
            assert_eq!(shape_and_view(path), expected, "{path}");
        }
    }
}
