//! Embedding entries with one or several selections of views, evenly spread or randomly sampled.

use std::path::Path;

use lexiform_metrics::Features;
use lexiform_search::{Encoder, Error, InputSpec, ModelInput, ShapePreprocessor, SimulatedScan};

use crate::crop_windows::CropWindows;
use crate::entry::Entry;
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::mt19937::Mt19937;
use crate::shape_input;
use crate::unusable::UnusableFile;

/// Views rendered per shape to sample from, as in Duoduo CLIP's data.
const REFERENCE_VIEWS: usize = 12;

/// Which views of every shape to embed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ViewSelection {
    /// Number of views; the model's own if `None`.
    pub views: Option<usize>,
    /// Seed that views and crop windows are sampled with, as the reference does: views for one shape after another, a window for
    /// a batch of them; evenly spread views and the model's own window if `None`.
    pub seed: Option<u32>,
}

/// Features of the usable entries for each selection of views.
pub(crate) struct Embedded {
    /// The entries.
    pub entries: Vec<Entry>,
    /// `[entries, dim]` for each selection.
    pub features: Vec<Features>,
    /// Files that could not be used.
    pub unusable: Vec<UnusableFile>,
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
    for (place, entry) in entries.into_iter().enumerate() {
        let embedded = embedder.embed(place, &entry);
        events(EvalEvent::Step { item: &entry.label });
        match embedded {
            Ok(embedded) => {
                rows.iter_mut().zip(embedded).for_each(|(rows, row)| rows.extend(row));
                kept.push(entry);
            }
            Err(error) => unusable.push(UnusableFile::from_error(&entry.file, error)?),
        }
    }
    events(EvalEvent::Finished);
    let features = rows.into_iter().map(|rows| Features::new(rows, encoder.dim()));
    Ok(Embedded { entries: kept, features: features.collect::<Result<_, _>>()?, unusable })
}

/// Embeds one entry after another and advances the random generators once per entry.
struct Embedder<'a> {
    encoder: &'a dyn Encoder,
    preprocessor: ShapePreprocessor,
    selections: &'a [ViewSelection],
    /// Largest number of views of any selection.
    max_views: Option<usize>,
    generators: Vec<Option<Mt19937>>,
    groups: Vec<SeedGroup>,
}

/// Consecutive selections with one seed, which share its crop windows.
struct SeedGroup {
    selections: usize,
    windows: CropWindows,
}

/// An encoder with the crop window of a seed, and the number of selections it embeds.
struct Pass<'a> {
    encoder: &'a dyn Encoder,
    selections: usize,
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
        let generator =
            |selection: &ViewSelection| selection.seed.map(|seed| Mt19937::python(u64::from(seed)));
        let group = |group: &[ViewSelection]| SeedGroup {
            selections: group.len(),
            windows: CropWindows::new(group[0].seed),
        };
        Ok(Self {
            encoder,
            preprocessor,
            selections,
            max_views: most,
            generators: selections.iter().map(generator).collect(),
            // Crop windows depend on the seed only, not on the number of views.
            groups: selections.chunk_by(|a, b| a.seed == b.seed).map(group).collect(),
        })
    }

    /// One row per selection. Every generator advances for every entry, so that a failing entry does not change the views
    /// and windows of the following ones.
    fn embed(&mut self, place: usize, entry: &Entry) -> Result<Vec<Vec<f32>>, Error> {
        let input = shape_input::read(&self.preprocessor, entry);
        // A failing entry still needs a number of views, to advance the generators as a successful one would.
        let total = match input.as_ref().ok().and_then(ModelInput::views) {
            Some(views) => views.len(),
            None => self.max_views.unwrap_or(0).max(REFERENCE_VIEWS),
        };
        let generators = self.generators.iter_mut();
        let chosen: Vec<Option<Vec<usize>>> = (self.selections.iter().zip(generators))
            .map(|(selection, generator)| selection.choose(total, generator.as_mut()))
            .collect();
        let encoder = self.encoder;
        let passes: Vec<Pass<'_>> = (self.groups.iter_mut())
            .map(|group| Pass {
                encoder: group.windows.encoder_for(place, encoder),
                selections: group.selections,
            })
            .collect();
        // Only after the generators have advanced.
        let input = input?;
        match self.max_views.filter(|most| *most > total) {
            Some(most) => Err(too_few(&entry.file, most, total)),
            None => embed_input(&passes, &input, &chosen),
        }
    }
}

impl ViewSelection {
    /// Which of `total` views are used; `None` for all.
    fn choose(self, total: usize, generator: Option<&mut Mt19937>) -> Option<Vec<usize>> {
        let n = self.views?.min(total);
        Some(match generator {
            Some(random) => random.sample(total as u32, n as u32),
            // Evenly spread, since neighboring cameras see similar images.
            None => (0..n).map(|i| i * total / n.max(1)).collect(),
        })
    }
}

fn too_few(path: &Path, expected: usize, found: usize) -> Error {
    Error::Shape { path: path.to_owned(), reason: format!("expected {expected} views, found {found}") }
}

/// One row per selection of views, in order.
fn embed_input(
    passes: &[Pass<'_>],
    input: &ModelInput,
    chosen: &[Option<Vec<usize>>],
) -> Result<Vec<Vec<f32>>, Error> {
    let (mut rows, mut left) = (Vec::with_capacity(chosen.len()), chosen);
    for &Pass { encoder, selections } in passes {
        let (these, others) = left.split_at(selections);
        let shapes = these.iter().map(|chosen| match chosen {
            Some(chosen) => input.with_views(chosen),
            None => input.clone(),
        });
        let failed = |source| Error::Encode { model: encoder.id().to_owned(), source };
        let embedded = encoder.embed_shapes(shapes.collect()).map_err(failed)?;
        // Encoders are a public trait: do not trust the length.
        if embedded.len() != selections {
            let text = format!("expected {selections} embeddings, found {}", embedded.len());
            return Err(failed(text.into()));
        }
        rows.extend(embedded.iter().map(|e| e.as_slice().to_vec()));
        left = others;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_spread_evenly_or_sampled() {
        let choose = |views, seed: Option<u32>| {
            let mut generator = seed.map(|s| Mt19937::python(u64::from(s)));
            ViewSelection { views, seed }.choose(12, generator.as_mut())
        };
        assert_eq!(choose(Some(4), None), Some(vec![0, 3, 6, 9]));
        assert_eq!(choose(Some(12), None), Some((0..12).collect()));
        assert_eq!(choose(Some(5), Some(678)), Some(vec![1, 5, 0, 10, 9]));
        assert_eq!(choose(None, None), None);
    }
}
