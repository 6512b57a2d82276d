//! Embedding entries with one or several selections of views, evenly spread or randomly sampled.

use std::ops::Range;
use std::path::Path;

use lexiform_metrics::Features;
use lexiform_model::preprocess::Crop;
use lexiform_search::{
    Embedding, Encoder, Error, InputSpec, ModelInput, ShapePreprocessor, SimulatedScan, TowerWork,
};

use crate::data_loader::{BATCH, LoaderDraws, LoaderSeed};
use crate::entry::Entry;
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::shape_input;
use crate::unusable::UnusableFile;

/// Views rendered per shape to sample from, as in Duoduo CLIP's data.
const REFERENCE_VIEWS: usize = 12;
/// Shapes embedded at once: bounds the memory of views and tokens. Divides the batch that shares a crop window.
const SHAPES_AT_ONCE: usize = 20;
const _: () = assert!(BATCH.is_multiple_of(SHAPES_AT_ONCE));

/// Which views of every shape to embed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ViewSelection {
    /// Number of views; the model's own if `None`.
    pub views: Option<usize>,
    /// How views and crop windows are sampled, as the reference does: views for one shape after another, a window for a batch
    /// of them; evenly spread views and the model's own window if `None`.
    pub seed: Option<LoaderSeed>,
}

/// Features of the usable entries for each selection of views.
pub(crate) struct Embedded {
    /// The entries.
    pub entries: Vec<Entry>,
    /// `[entries, dim]` for each selection.
    pub features: Vec<Features>,
    /// Files that could not be used.
    pub unusable: Vec<UnusableFile>,
    /// Work of the image tower for all selections.
    pub work: TowerWork,
}

/// Embeds every entry with every selection of views, or as a simulated scan if `clouds` is given. Selections with the
/// same seed must be consecutive.
pub(crate) fn embed_entries(
    encoder: &dyn Encoder,
    clouds: Option<SimulatedScan>,
    entries: Vec<Entry>,
    selections: &[ViewSelection],
    events: &mut OnEvent<'_>,
) -> Result<Embedded, EvalError> {
    let mut embedder = Embedder::new(encoder, clouds, selections)?;
    let mut rows: Vec<Vec<f32>> = vec![Vec::new(); selections.len()];
    let (mut kept, mut unusable) = (Vec::new(), Vec::new());
    events(EvalEvent::Started { steps: entries.len() });
    for (batch, first) in entries.chunks(SHAPES_AT_ONCE).zip((0..).step_by(SHAPES_AT_ONCE)) {
        let prepared = embedder.prepare(first, batch, events);
        let mut shapes = Vec::with_capacity(batch.len());
        for (entry, shape) in batch.iter().zip(prepared) {
            match shape {
                Ok(shape) => {
                    shapes.push(shape);
                    kept.push(entry.clone());
                }
                Err(error) => unusable.push(UnusableFile::from_error(&entry.file, error)?),
            }
        }
        for (rows, embedded) in rows.iter_mut().zip(embedder.embed(shapes)?) {
            embedded.iter().for_each(|embedding| rows.extend_from_slice(embedding.as_slice()));
        }
    }
    events(EvalEvent::Finished);
    let features = rows.into_iter().map(|rows| Features::new(rows, encoder.dim()));
    let features = features.collect::<Result<_, _>>()?;
    Ok(Embedded { entries: kept, features, unusable, work: embedder.work })
}

/// A shape with its views for each selection; `None` for all views.
struct SelectedShape {
    input: ModelInput,
    chosen: Vec<Option<Vec<usize>>>,
}

/// Embeds batches of entries and advances the random generators once per entry.
struct Embedder<'a> {
    encoder: &'a dyn Encoder,
    preprocessor: ShapePreprocessor,
    selections: &'a [ViewSelection],
    /// Largest number of views of any selection.
    max_views: Option<usize>,
    /// Samples the views of each selection.
    draws: Vec<Option<LoaderDraws>>,
    groups: Vec<SeedGroup>,
    work: TowerWork,
}

/// Selections with one seed, which share its crop windows.
struct SeedGroup {
    /// Indices of the selections.
    selections: Range<usize>,
    windows: Option<LoaderDraws>,
    /// The current window; the model's own without a seed, or if its views are not cropped.
    crop: Option<Crop>,
}

impl<'a> Embedder<'a> {
    fn new(
        encoder: &'a dyn Encoder,
        clouds: Option<SimulatedScan>,
        selections: &'a [ViewSelection],
    ) -> Result<Self, EvalError> {
        let most = selections.iter().filter_map(|selection| selection.views).max();
        let preprocessor = match (encoder.input_spec(), most) {
            (InputSpec::Views { .. }, Some(most)) => {
                // Render once with the largest number of views and select from these for every selection.
                ShapePreprocessor::for_encoder(encoder).with_views(most.max(REFERENCE_VIEWS))
            }
            (InputSpec::Points { .. }, Some(_)) => {
                let reason = format!("{} takes points, not views", encoder.id());
                return Err(EvalError::Setting { setting: "views", reason });
            }
            (_, None) => ShapePreprocessor::for_encoder(encoder),
        };
        let preprocessor = match clouds {
            Some(scanned) => preprocessor.with_simulated_scan(scanned),
            None => preprocessor,
        };
        let (mut groups, mut first) = (Vec::new(), 0);
        // Crop windows depend on the seed only, not on the number of views.
        for group in selections.chunk_by(|a, b| a.seed == b.seed) {
            let windows = group[0].seed.map(LoaderDraws::new);
            groups.push(SeedGroup { selections: first..first + group.len(), windows, crop: None });
            first += group.len();
        }
        Ok(Self {
            encoder,
            preprocessor,
            selections,
            max_views: most,
            draws: selections.iter().map(|selection| selection.seed.map(LoaderDraws::new)).collect(),
            groups,
            work: TowerWork::default(),
        })
    }

    /// Reads the inputs of a batch, of which `first` is the index of the first entry. Every generator advances for every
    /// entry, so that a failing one does not change the views and windows of the following ones.
    fn prepare(
        &mut self,
        first: usize,
        batch: &[Entry],
        events: &mut OnEvent<'_>,
    ) -> Vec<Result<SelectedShape, Error>> {
        if first.is_multiple_of(BATCH) {
            for group in &mut self.groups {
                let window = group.windows.as_mut().map(LoaderDraws::window);
                group.crop = window.filter(|window| self.encoder.with_crop(*window).is_some());
            }
        }
        let shape = |(entry, place): (&Entry, usize)| {
            let shape = self.select(place, entry);
            events(EvalEvent::Step { item: &entry.label });
            shape
        };
        batch.iter().zip(first..).map(shape).collect()
    }

    /// Reads the input of an entry and selects its views.
    fn select(&mut self, place: usize, entry: &Entry) -> Result<SelectedShape, Error> {
        let input = shape_input::read(&self.preprocessor, entry);
        // A failing entry still needs a number of views, to advance the generators as a successful one would.
        let total = match input.as_ref().ok().and_then(ModelInput::views) {
            Some(views) => views.len(),
            None => self.max_views.unwrap_or(0).max(REFERENCE_VIEWS),
        };
        let choose = |(selection, draws): (&ViewSelection, &mut Option<LoaderDraws>)| {
            selection.choose(place, total, draws.as_mut())
        };
        let chosen = self.selections.iter().zip(&mut self.draws).map(choose).collect();
        // Only after the generators have advanced.
        let input = input?;
        match self.max_views.filter(|most| *most > total) {
            Some(most) => Err(too_few(&entry.file, most, total)),
            None => Ok(SelectedShape { input, chosen }),
        }
    }

    /// Embeddings of the shapes, `[selection][shape]`.
    fn embed(&mut self, shapes: Vec<SelectedShape>) -> Result<Vec<Vec<Embedding>>, Error> {
        let mut rows = vec![Vec::new(); self.selections.len()];
        if shapes.is_empty() {
            return Ok(rows);
        }
        let (inputs, chosen): (Vec<_>, Vec<_>) =
            shapes.into_iter().map(|shape| (shape.input, shape.chosen)).unzip();
        let crops: Vec<Option<Crop>> = self.groups.iter().map(|group| group.crop).collect();
        for (_, crop) in crops.iter().enumerate().filter(|(place, crop)| !crops[..*place].contains(crop)) {
            // Seeds with the same window share the work on every view.
            let with_crop = self.groups.iter().filter(|group| group.crop == *crop);
            let selections: Vec<usize> = with_crop.flat_map(|group| group.selections.clone()).collect();
            let of_shape =
                |chosen: &Vec<_>| selections.iter().map(|i| Option::clone(&chosen[*i])).collect::<Vec<_>>();
            let subsets: Vec<Vec<Option<Vec<usize>>>> = chosen.iter().map(of_shape).collect();
            for row in self.embed_subsets(*crop, &inputs, &subsets)? {
                selections.iter().zip(row).for_each(|(i, embedding)| rows[*i].push(embedding));
            }
        }
        Ok(rows)
    }

    /// Embeddings of subsets of views with one crop window, `[shape][subset]`.
    fn embed_subsets(
        &mut self,
        crop: Option<Crop>,
        inputs: &[ModelInput],
        subsets: &[Vec<Option<Vec<usize>>>],
    ) -> Result<Vec<Vec<Embedding>>, Error> {
        let cropped = crop.and_then(|crop| self.encoder.with_crop(crop));
        let encoder = cropped.as_deref().unwrap_or(self.encoder);
        let failed = |source| Error::Encode { model: encoder.id().to_owned(), source };
        let embedded = encoder.embed_view_subsets(inputs, subsets).map_err(failed)?;
        self.work += embedded.work;
        // Encoders are a public trait: do not trust the lengths.
        let expected = Some([inputs.len(), subsets.first().map_or(0, Vec::len)]);
        if embedded.dims() != expected {
            let text = format!("expected {expected:?} embeddings, found {:?}", embedded.dims());
            return Err(failed(text.into()));
        }
        Ok(embedded.rows)
    }
}

impl ViewSelection {
    /// Which of `total` views of a shape are used; `None` for all.
    fn choose(self, shape: usize, total: usize, draws: Option<&mut LoaderDraws>) -> Option<Vec<usize>> {
        let n = self.views?.min(total);
        Some(match draws {
            Some(draws) => draws.views(shape, total, n),
            // Evenly spread, since neighboring cameras see similar images.
            None => (0..n).map(|i| i * total / n.max(1)).collect(),
        })
    }
}

fn too_few(path: &Path, expected: usize, found: usize) -> Error {
    Error::Shape { path: path.to_owned(), reason: format!("expected {expected} views, found {found}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_spread_evenly_or_sampled() {
        let choose = |views, seed: Option<LoaderSeed>| {
            let mut draws = seed.map(LoaderDraws::new);
            ViewSelection { views, seed }.choose(0, 12, draws.as_mut())
        };
        assert_eq!(choose(Some(4), None), Some(vec![0, 3, 6, 9]));
        assert_eq!(choose(Some(12), None), Some((0..12).collect()));
        // Printed by CPython: random.seed(678); random.sample(range(12), 5)
        let seed = LoaderSeed { seed: 678, num_workers: 0 };
        assert_eq!(choose(Some(5), Some(seed)), Some(vec![1, 5, 0, 10, 9]));
        assert_eq!(choose(None, None), None);
    }
}
