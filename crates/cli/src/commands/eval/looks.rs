//! Embedding files as a measurement asks for it: with several numbers of views, drawn or not.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use image::RgbaImage;
use lexiform_data::Member;
use lexiform_eval::Features;
use lexiform_eval::python_random::PythonRandom;
use lexiform_geometry::Scene;
use lexiform_search::{Encoder, Error, Intake, Look, Scanned, Taken, read_picture};
use lexiform_train::{Sample, ShapeSet, held_out, held_out_clouds};

use super::data::Entry;
use super::windows::Windows;
use crate::commands::classify::failure;
use crate::failure::Usage;
use crate::progress::Progress;

/// Views there are of each shape where fewer are drawn of them, as in the reference's data.
const VIEWS_OF_REFERENCE: usize = 12;

/// One way to look at every file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Number of views; the model's own if `None`.
    pub views: Option<usize>,
    /// Seed that views and windows are drawn with, as the reference does: views for one shape after another, a window for a
    /// batch of them; evenly spread and the model's own window if `None`.
    pub seed: Option<u32>,
}

/// Features of the files that could be used, in each variant.
pub struct Seen {
    /// The files.
    pub entries: Vec<Entry>,
    /// `[files, dim]` for each variant.
    pub features: Vec<Features>,
    /// Files that could not be used, with the reason.
    pub failed: Vec<(String, String)>,
}

/// Embeds every file in every variant, those of a seed together; if `clouds` are asked for, as a cloud.
pub fn embed_all(
    encoder: &dyn Encoder,
    clouds: Option<Scanned>,
    entries: Vec<Entry>,
    variants: &[Variant],
) -> anyhow::Result<Seen> {
    let most = variants.iter().filter_map(|v| v.views).max();
    let look = match (encoder.intake(), most) {
        (Intake::Views { .. }, Some(most)) => Look::of(encoder).with_views(most.max(VIEWS_OF_REFERENCE)),
        (Intake::Points { .. }, Some(_)) => {
            let text = format!("--views: {} takes points, not views", encoder.id());
            return Err(Usage(text).into());
        }
        (_, None) => Look::of(encoder),
    };
    let look = match clouds {
        Some(scanned) => look.at_clouds(scanned),
        None => look,
    };
    let mut draws: Vec<Option<PythonRandom>> =
        variants.iter().map(|v| v.seed.map(|seed| PythonRandom::new(u64::from(seed)))).collect();
    let groups: Vec<&[Variant]> = variants.chunk_by(|a, b| a.seed == b.seed).collect();
    let mut windows: Vec<Windows> = groups.iter().map(|group| Windows::new(group[0].seed)).collect();
    let mut seen = Seen { entries: Vec::new(), features: Vec::new(), failed: Vec::new() };
    let mut rows: Vec<Vec<f32>> = vec![Vec::new(); variants.len()];
    let progress = Progress::new(entries.len());
    for (place, entry) in entries.into_iter().enumerate() {
        let taken = take(&look, &entry);
        // A draw is made for every file, so that one that fails does not shift the others'.
        let total = match &taken {
            Ok(taken) if taken.views().is_some() => taken.views().map_or(0, <[_]>::len),
            _ => most.unwrap_or(0).max(VIEWS_OF_REFERENCE),
        };
        let chosen: Vec<Option<Vec<usize>>> =
            variants.iter().zip(&mut draws).map(|(v, draw)| v.choose(total, draw.as_mut())).collect();
        let enough = taken.and_then(|taken| match most.filter(|most| *most > total) {
            Some(most) => Err(too_few(&entry.file, most, total)),
            None => Ok(taken),
        });
        // A window too.
        let through = windows.iter_mut().map(|windows| windows.at(place, encoder));
        let through: Vec<(&dyn Encoder, usize)> = through.zip(groups.iter().map(|g| g.len())).collect();
        match enough.and_then(|taken| embed(&through, &taken, &chosen)) {
            Ok(embedded) => {
                rows.iter_mut().zip(embedded).for_each(|(rows, row)| rows.extend(row));
                progress.step(&entry.label);
                seen.entries.push(entry);
            }
            Err(error) => {
                seen.failed.push(failure(&entry.file, error)?);
                progress.step(&entry.label);
            }
        }
    }
    drop(progress);
    seen.features =
        rows.into_iter().map(|rows| Features::new(rows, encoder.dim())).collect::<Result<_, _>>()?;
    Ok(seen)
}

impl Variant {
    /// Which of `total` views are taken; `None` for all.
    fn choose(self, total: usize, draw: Option<&mut PythonRandom>) -> Option<Vec<usize>> {
        let n = self.views?.min(total);
        Some(match draw {
            Some(random) => random.sample(total as u32, n as u32),
            // Evenly spread, since neighbors in a rig may look alike.
            None => (0..n).map(|i| i * total / n.max(1)).collect(),
        })
    }
}

fn too_few(path: &Path, expected: usize, found: usize) -> Error {
    Error::Shape { path: path.to_owned(), reason: format!("has {found} views, {expected} were asked for") }
}

/// A shape as the model takes it. A folder is the pictures in it, by name, each a view; depth and normals that
/// `lexiform data export files` puts beside them are none.
pub fn take(look: &Look, entry: &Entry) -> Result<Taken, Error> {
    let path = &*entry.file;
    if let Some(shape) = &entry.in_set {
        return shape.take(look);
    }
    if !path.is_dir() {
        if !path.exists() {
            return Err(Error::NotFound { path: path.to_owned() });
        }
        return Ok(look.see(path)?.taken);
    }
    let failed = |reason: String| Error::Image { path: path.to_owned(), reason };
    let entries = fs_err::read_dir(path).map_err(|error| failed(error.to_string()))?;
    let mut pictures: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| image::ImageFormat::from_path(path).is_ok())
        .collect();
    pictures.sort();
    let is_view = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| Member::view_index(name).is_some())
    };
    if pictures.iter().any(is_view) {
        pictures.retain(is_view);
    }
    if pictures.is_empty() {
        return Err(failed("the folder holds no pictures".to_owned()));
    }
    Ok(Taken::Views(pictures.iter().map(|path| read_picture(path)).collect::<Result<_, _>>()?))
}

/// One row a variant; of each encoder the next so many.
fn embed(
    encoders: &[(&dyn Encoder, usize)],
    taken: &Taken,
    chosen: &[Option<Vec<usize>>],
) -> Result<Vec<Vec<f32>>, Error> {
    let (mut rows, mut left) = (Vec::with_capacity(chosen.len()), chosen);
    for &(encoder, count) in encoders {
        let (these, others) = left.split_at(count);
        let shapes = these.iter().map(|chosen| match chosen {
            Some(chosen) => taken.with_views(chosen),
            None => taken.clone(),
        });
        let failed = |source| Error::Encode { model: encoder.id().to_owned(), source };
        let embedded = encoder.embed_shapes(shapes.collect()).map_err(failed)?;
        if embedded.len() != count {
            let text = format!("expected {count} embeddings, found {}", embedded.len());
            return Err(failed(text.into()));
        }
        rows.extend(embedded.iter().map(|e| e.as_slice().to_vec()));
        left = others;
    }
    Ok(rows)
}

/// A small picture of a shape for the report, if it can be drawn.
pub fn thumbnail(encoder: &dyn Encoder, entry: &Entry) -> Option<Vec<u8>> {
    if entry.in_set.is_none() && entry.file.is_file() {
        return Look::of(encoder).see(&entry.file).ok().map(|seen| seen.thumbnail);
    }
    take(&Look::of(encoder), entry).ok()?.views()?.first().and_then(small_jpeg)
}

/// Shapes made by rule that no training uses, `each` of every category, with what the model takes of them.
pub fn generated(encoder: &dyn Encoder, clouds: Option<Scanned>, each: usize) -> ShapeSet {
    match (clouds, encoder.intake()) {
        (Some(Scanned { points, .. }), _) => held_out_clouds(each, points),
        (None, Intake::Views { rig, count, size }) => {
            held_out(each, size as usize, &rig.rig(count, 0), encoder.points_beside_views())
        }
        (None, Intake::Points { count }) => held_out_clouds(each, count),
    }
}

/// Such a shape as the model takes it.
pub fn of_sample(look: &Look, sample: Sample) -> Taken {
    let Sample { views, cloud, .. } = sample;
    match (views.is_empty(), cloud.positions().is_empty()) {
        (true, _) => look.at(Scene::from_cloud(cloud)),
        (false, true) => Taken::Views(views),
        (false, false) => Taken::Both { views, cloud },
    }
}

/// A view as a small JPEG on white.
pub fn small_jpeg(view: &RgbaImage) -> Option<Vec<u8>> {
    /// Edge in pixels, as thumbnails have.
    const EDGE: u32 = 160;
    let mut view = image::imageops::thumbnail(view, EDGE, EDGE);
    for pixel in view.pixels_mut() {
        let alpha = u32::from(pixel.0[3]);
        let over_white = |x: u8| ((u32::from(x) * alpha + 255 * (255 - alpha)) / 255) as u8;
        pixel.0 = [over_white(pixel.0[0]), over_white(pixel.0[1]), over_white(pixel.0[2]), 255];
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    let rgb = image::DynamicImage::ImageRgba8(view).into_rgb8();
    rgb.write_to(&mut bytes, image::ImageFormat::Jpeg).ok()?;
    Some(bytes.into_inner())
}

/// Texts as rows of features, a batch at a time so that progress shows.
pub fn text_features(encoder: &dyn Encoder, texts: &[String]) -> anyhow::Result<Features> {
    /// Texts between two steps of the bar.
    const AT_ONCE: usize = 256;
    let progress = Progress::new(texts.len().div_ceil(AT_ONCE));
    let mut rows = Vec::with_capacity(texts.len() * encoder.dim());
    for chunk in texts.chunks(AT_ONCE) {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        let features = encoder.text_features(&chunk).map_err(|error| anyhow!(error))?;
        features.iter().for_each(|row| rows.extend_from_slice(row));
        progress.step("words");
    }
    Ok(Features::new(rows, encoder.dim())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_spread_evenly_or_drawn() {
        let choose = |views, seed: Option<u32>| {
            let mut draw = seed.map(|s| PythonRandom::new(u64::from(s)));
            Variant { views, seed }.choose(12, draw.as_mut())
        };
        assert_eq!(choose(Some(4), None), Some(vec![0, 3, 6, 9]));
        assert_eq!(choose(Some(12), None), Some((0..12).collect()));
        assert_eq!(choose(Some(5), Some(678)), Some(vec![1, 5, 0, 10, 9]));
        assert_eq!(choose(None, None), None);
    }
}
