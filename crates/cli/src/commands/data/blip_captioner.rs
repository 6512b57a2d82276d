//! BLIP and BLIP-2 as captioners of data sets, one view at a time.

use std::hash::Hasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use fnv::FnvHasher;
use lexiform_data::caption::{CaptionError, CaptionInput, CaptionOutput, Captioner};
use lexiform_data::{Caption, Member};
use lexiform_formats::view_format::decode_view;
use lexiform_model::blip::{self, DecodingStrategy, GenerationConfig};

use crate::output;

/// BLIP as a captioner of data sets. It captions one shape at a time: the network uses all processors.
pub(crate) struct Blip {
    captioner: blip::Captioner,
    generation: GenerationConfig,
    seed: u64,
    mutex: Mutex<()>,
    sentences: AtomicU64,
    views: AtomicU64,
}

/// What BLIP has to know about the views of a data set.
pub(super) struct ViewSettings {
    /// Width and height in pixels, if they will be rendered.
    pub size: Option<u32>,
    /// Seed of nucleus sampling.
    pub seed: u64,
}

impl Blip {
    /// A captioner with the settings of its captions; `name` is for messages.
    pub(super) fn new(
        name: &str,
        captioner: blip::Captioner,
        generation: GenerationConfig,
        views: ViewSettings,
    ) -> Self {
        let best = captioner.config().vision.image_size;
        let ViewSettings { size, seed } = views;
        if size.is_some_and(|size| (size as usize) < best) {
            output::note(format!(
                "note: {name} resizes views to {best} pixels; --size {best} renders them at that size"
            ));
        }
        let (sentences, views) = Default::default();
        Self { captioner, generation, seed, mutex: Mutex::new(()), sentences, views }
    }

    /// Id of the weights.
    pub(super) fn id(&self) -> &str {
        self.captioner.id()
    }

    /// Numbers of captions and views.
    pub(super) fn counts(&self) -> [u64; 2] {
        [&self.sentences, &self.views].map(|n| n.load(Ordering::Relaxed))
    }
}

/// FNV-1a of a shape's name: its seed does not depend on the order in which shapes are captioned.
fn fnv1a(name: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(name.as_bytes());
    hasher.finish()
}

impl Captioner for Blip {
    fn name(&self) -> String {
        let GenerationConfig { prompt, decoding, min_length, max_length, .. } = &self.generation;
        let chance = match decoding {
            DecodingStrategy::Sample { .. } => format!(" seed={}", self.seed),
            _ => String::new(),
        };
        let id = self.captioner.id();
        format!("blip:{id} {decoding:?} shortest={min_length} longest={max_length} prompt={prompt:?}{chance}")
    }

    fn source(&self) -> String {
        format!("blip:{}", self.captioner.id())
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn caption(&self, input: &CaptionInput) -> Result<CaptionOutput, CaptionError> {
        let mut views = Vec::new();
        for member in input.views {
            if let Some(view) = Member::view_index(&member.name) {
                views.push((view, decode_view(&member.bytes).map_err(CaptionError::Shape)?));
            }
        }
        let (indices, pictures): (Vec<usize>, Vec<_>) = views.into_iter().unzip();
        // Every shape has its own seed, the same in every run and partition.
        let seed = fnv1a(input.name) ^ self.seed;
        let said = {
            let _guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
            self.captioner.caption(&pictures, &self.generation, seed)
        };
        let said =
            said.map_err(|error| CaptionError::Server { reason: error.to_string(), hint: error.hint() })?;
        let from = self.source();
        let mut all = CaptionOutput { requested: indices.len(), ..CaptionOutput::default() };
        for (view, sentences) in indices.into_iter().zip(said) {
            let before = all.captions.len();
            let about = |text: String| Caption { view: Some(view), ..Caption::new(text, from.clone()) };
            all.captions.extend(sentences.into_iter().filter(|text| !text.is_empty()).map(about));
            if all.captions.len() == before {
                all.errors.push(format!("view {view}: the caption is empty"));
            }
        }
        self.sentences.fetch_add(all.captions.len() as u64, Ordering::Relaxed);
        self.views.fetch_add(all.requested as u64, Ordering::Relaxed);
        Ok(all)
    }
}
