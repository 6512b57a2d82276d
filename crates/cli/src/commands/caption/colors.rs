//! Color words of captions, compared with the colors that a file's surface has.

use std::path::Path;

use lexiform_mesh_io::is_image;
use lexiform_search::{ShapePreprocessor, is_view_set, surface_colors};
use lexiform_shapes::{MeasuredColors, without_colors};

/// The captions of a 3D file with colors that its surface has; those of images and views stay, which light and background
/// color.
pub(super) fn corrected(captions: Vec<String>, file: &Path, preprocessor: &ShapePreprocessor) -> Vec<String> {
    if !file.is_file() || is_image(file) || is_view_set(file) {
        return captions;
    }
    // It was read for its embedding before; if it cannot be read again, nothing is known about its colors.
    let Ok(scene) = preprocessor.read_scene(file) else { return captions };
    let colors = surface_colors(&scene).map(|colors| MeasuredColors::new(&colors));
    let correct = |caption: String| match &colors {
        Some(colors) => colors.correct(&caption),
        None => without_colors(&caption),
    };
    captions.into_iter().map(correct).collect()
}
