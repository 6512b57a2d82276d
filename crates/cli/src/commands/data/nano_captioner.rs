//! The built-in captioner for data sets: it describes the embedding of all views of a shape by the built-in model.

use std::hash::Hasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fnv::FnvHasher;
use lexiform_data::caption::{CaptionError, CaptionInput, CaptionOutput, Captioner};
use lexiform_data::{Caption, Member};
use lexiform_formats::view_format::decode_view;
use lexiform_model::caption::PrefixCaptioner;
use lexiform_model::lm::{DecodingStrategy, TextOptions};
use lexiform_search::{Encoder, EncoderOptions, embed_views};

use crate::models::{DEFAULT_MODEL, DeviceArg};

/// A captioner of embeddings, and the model that computes them.
pub(crate) struct NanoCaptioner {
    encoder: Arc<dyn Encoder>,
    captioner: PrefixCaptioner,
    decoding: Option<DecodingStrategy>,
    seed: u64,
    /// One shape at a time: the networks use all processors.
    mutex: Mutex<()>,
    sentences: AtomicU64,
    shapes: AtomicU64,
}

impl NanoCaptioner {
    /// Opens the built-in captioner; `decoding` replaces its beam search.
    pub(super) fn open(
        decoding: Option<DecodingStrategy>,
        seed: u64,
        DeviceArg { device }: &DeviceArg,
    ) -> anyhow::Result<Self> {
        let captioner = PrefixCaptioner::built_in(device)?;
        let encoder =
            EncoderOptions { device: device.clone(), ..EncoderOptions::default() }.open(DEFAULT_MODEL)?;
        let (mutex, sentences, shapes) = Default::default();
        Ok(Self { encoder, captioner, decoding, seed, mutex, sentences, shapes })
    }

    /// Numbers of captions and shapes.
    pub(super) fn counts(&self) -> [u64; 2] {
        [&self.sentences, &self.shapes].map(|n| n.load(Ordering::Relaxed))
    }

    /// Id of the captioner.
    pub(super) fn id(&self) -> &str {
        self.captioner.id()
    }

    /// How captions of a shape are written.
    fn options(&self, name: &str) -> TextOptions {
        let usual = PrefixCaptioner::default_options();
        // Every shape has its own seed, the same in every run and partition.
        let mut hasher = FnvHasher::default();
        hasher.write(name.as_bytes());
        let seed = hasher.finish() ^ self.seed;
        TextOptions { decoding: self.decoding.unwrap_or(usual.decoding), seed, ..usual }
    }
}

impl Captioner for NanoCaptioner {
    fn name(&self) -> String {
        let decoding = self.decoding.unwrap_or(PrefixCaptioner::default_options().decoding);
        let seed = match decoding {
            DecodingStrategy::Sample { .. } => format!(" seed={}", self.seed),
            _ => String::new(),
        };
        format!("{} of {} {decoding:?}{seed}", self.source(), self.encoder.id())
    }

    fn source(&self) -> String {
        format!("embedding:{}", self.captioner.id())
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn caption(&self, input: &CaptionInput) -> Result<CaptionOutput, CaptionError> {
        let is_view = |member: &&Member| Member::view_index(&member.name).is_some();
        let views = input.views.iter().filter(is_view).map(|member| decode_view(&member.bytes));
        let views = views.collect::<Result<Vec<_>, _>>().map_err(CaptionError::Shape)?;
        if views.is_empty() {
            return Err(CaptionError::Shape("no views to describe".to_owned()));
        }
        let failed = |reason: String| CaptionError::Server { reason, hint: None };
        let texts = {
            let _guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
            let embedding = embed_views(&*self.encoder, views).map_err(|error| failed(error.to_string()))?;
            self.captioner.caption(&embedding, &self.options(input.name))
        };
        let texts = texts.map_err(|error| failed(error.to_string()))?;
        let source = self.source();
        let captions: Vec<Caption> = texts
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| Caption::new(text, source.clone()))
            .collect();
        let errors = if captions.is_empty() { vec!["the caption is empty".to_owned()] } else { Vec::new() };
        self.sentences.fetch_add(captions.len() as u64, Ordering::Relaxed);
        self.shapes.fetch_add(1, Ordering::Relaxed);
        Ok(CaptionOutput { captions, requested: 1, errors })
    }
}
