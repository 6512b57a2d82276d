//! An encoder for many readers: texts of concurrent queries are embedded in one batch, and recent ones are kept.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};

use image::RgbaImage;
use lexiform_search::{Embedding, EncodeError, Encoder, InputSpec, ModelInput, ViewSubsetEmbeddings};

use crate::lru::{Lru, lock};

/// Memory for embeddings of recent texts.
const CACHE_BYTES: usize = 32 << 20;
/// Memory for what is known about whether recent texts are understood.
const UNDERSTOOD_BYTES: usize = 1 << 20;
/// Most texts embedded in one batch.
const MAX_BATCH: usize = 64;

/// A model whose texts are embedded in batches and cached; everything else goes to the model itself.
///
/// A text has the same embedding alone and in a batch up to rounding.
pub struct TextBatcher {
    model: Arc<dyn Encoder>,
    cache: Mutex<Lru<String, Embedding>>,
    /// Whether the model understands a text, which takes as long as embedding it.
    understood: Mutex<Lru<String, Option<bool>>>,
    queue: Sender<Job>,
    counts: Arc<TextCounts>,
}

/// How texts were embedded.
#[derive(Debug, Default)]
pub(crate) struct TextCounts {
    /// Texts found in the cache.
    pub hits: AtomicU64,
    /// Texts that the model embedded.
    pub misses: AtomicU64,
    /// Batches of the model.
    pub batches: AtomicU64,
}

/// A text, and where its embedding goes.
struct Job {
    text: String,
    reply: SyncSender<Result<Described, String>>,
}

/// The embedding of a text, and whether the model understands it.
type Described = (Embedding, Option<bool>);

impl TextBatcher {
    /// Starts the thread that embeds texts.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(model: Arc<dyn Encoder>) -> std::io::Result<Self> {
        let (queue, jobs) = channel();
        let counts = Arc::new(TextCounts::default());
        let (worker_model, worker_counts) = (model.clone(), counts.clone());
        let thread = std::thread::Builder::new().name("texts".to_owned());
        thread.spawn(move || embed_jobs(&*worker_model, &jobs, &worker_counts))?;
        let cache = Mutex::new(Lru::new(CACHE_BYTES));
        let understood = Mutex::new(Lru::new(UNDERSTOOD_BYTES));
        Ok(Self { model, cache, understood, queue, counts })
    }

    pub(crate) fn counts(&self) -> &Arc<TextCounts> {
        &self.counts
    }

    fn embed_text(&self, text: &str) -> Result<Embedding, EncodeError> {
        let cached = lock(&self.cache).get(text);
        if let Some(embedding) = cached {
            self.counts.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(embedding);
        }
        let (reply, result) = sync_channel(1);
        let ended = |_| EncodeError::from("the thread that embeds texts has ended");
        self.queue.send(Job { text: text.to_owned(), reply }).map_err(|e| ended(e.to_string()))?;
        let (embedding, understood) = result.recv().map_err(|e| ended(e.to_string()))??;
        let bytes = text.len() + 4 * embedding.as_slice().len();
        lock(&self.understood).insert(text.to_owned(), understood, text.len());
        lock(&self.cache).insert(text.to_owned(), embedding.clone(), bytes);
        Ok(embedding)
    }
}

/// Embeds what is queued, all of it at once, until the queue is closed.
fn embed_jobs(model: &dyn Encoder, jobs: &Receiver<Job>, counts: &TextCounts) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        // What arrived while the last batch was computed.
        batch.extend(jobs.try_iter().take(MAX_BATCH - 1));
        counts.batches.fetch_add(1, Ordering::Relaxed);
        counts.misses.fetch_add(batch.len() as u64, Ordering::Relaxed);
        let texts: Vec<&str> = batch.iter().map(|job| &job.text[..]).collect();
        match embed_all(model, &texts) {
            Ok(embeddings) => {
                for (job, embedding) in batch.into_iter().zip(embeddings) {
                    // The query may be gone.
                    let _ = job.reply.send(Ok(embedding));
                }
            }
            // One text may spoil a batch: each alone has its own error.
            Err(_) => batch.into_iter().for_each(|job| {
                let alone = embed_all(model, &[&job.text]).map(|mut all| all.swap_remove(0));
                let _ = job.reply.send(alone);
            }),
        }
    }
}

/// One embedding per text, and whether it is understood. A panic is an error of these texts alone: the thread is needed for others.
fn embed_all(model: &dyn Encoder, texts: &[&str]) -> Result<Vec<Described>, String> {
    // Unwind safe: the model is not modified.
    let embedded = catch_unwind(AssertUnwindSafe(|| model.embed_queries(texts)));
    let embeddings =
        embedded.map_err(|_| "internal error of the model")?.map_err(|error| error.to_string())?;
    match embeddings.len() == texts.len() {
        true => Ok(embeddings),
        false => Err(format!("expected {} embeddings, found {}", texts.len(), embeddings.len())),
    }
}

impl Encoder for TextBatcher {
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        match texts {
            [text] => Ok(vec![self.embed_text(text)?]),
            // Sentences of labels are a batch already, and not asked for again.
            texts => self.model.embed_texts(texts),
        }
    }

    fn id(&self) -> &str {
        self.model.id()
    }

    fn dim(&self) -> usize {
        self.model.dim()
    }

    fn input_spec(&self) -> InputSpec {
        self.model.input_spec()
    }

    fn point_cloud_input_spec(&self) -> InputSpec {
        self.model.point_cloud_input_spec()
    }

    fn points_with_views(&self) -> usize {
        self.model.points_with_views()
    }

    fn preprocessing(&self) -> String {
        self.model.preprocessing()
    }

    fn templates(&self) -> Vec<String> {
        self.model.templates()
    }

    fn logit_scale(&self) -> f32 {
        self.model.logit_scale()
    }

    fn embed_queries(&self, texts: &[&str]) -> Result<Vec<Described>, EncodeError> {
        self.model.embed_queries(texts)
    }

    fn text_features(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        self.model.text_features(texts)
    }

    fn knows_word(&self, word: &str) -> Option<bool> {
        self.model.knows_word(word)
    }

    fn understands(&self, text: &str) -> Option<bool> {
        let known = lock(&self.understood).get(text);
        known.unwrap_or_else(|| {
            let understands = self.model.understands(text);
            let mut cache = lock(&self.understood);
            cache.insert(text.to_owned(), understands, text.len());
            understands
        })
    }

    fn embed_shapes(&self, shapes: Vec<ModelInput>) -> Result<Vec<Embedding>, EncodeError> {
        self.model.embed_shapes(shapes)
    }

    fn embed_view_subsets(
        &self,
        shapes: &[ModelInput],
        subsets: &[Vec<Option<Vec<usize>>>],
    ) -> Result<ViewSubsetEmbeddings, EncodeError> {
        self.model.embed_view_subsets(shapes, subsets)
    }

    fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, EncodeError> {
        self.model.embed_image(image)
    }

    fn embed_photos(&self, photos: &[RgbaImage]) -> Result<Embedding, EncodeError> {
        self.model.embed_photos(photos)
    }
}
