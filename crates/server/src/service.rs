//! A library as a service: what the HTTP API and the MCP tools have in common. Everything here computes on the calling thread.

use std::sync::{Arc, Mutex, OnceLock};

use lexiform_model::caption::PrefixCaptioner;
use lexiform_search::{
    Embedding, Filter, Library, Query, QueryTerm, RankBy, RecordId, SearchResults, ZeroShotClassifier,
    embed_text, similarity_in_words,
};

use crate::lru::{Lru, lock};
use crate::request::{checked_text, record_id};
use crate::response::AssetAnswer;
use crate::scene_cache::SceneCache;
use crate::search_cache::SearchCache;
use crate::text_batcher::{TextBatcher, TextCounts};
use crate::upload::Upload;
use crate::{
    ClassifyRequest, ClassifyResponse, CompareRequest, CompareResponse, Item, MapResponse, Problem,
    SearchRequest, SearchResponse, Statistics,
};

/// Memory for rendered images.
const PICTURE_BYTES: usize = 96 << 20;
/// Memory for embeddings of uploads.
const UPLOAD_BYTES: usize = 8 << 20;
/// Up to this number of files, a list without a query is sorted by path; larger ones are in order of id, which needs no reading of
/// all.
const MAX_SORTED: usize = 20_000;

/// Searches a library, and shows its files.
pub struct Service {
    pub(crate) library: Library,
    /// Selects the files that are served, if not all.
    scope: Option<Filter>,
    pub(crate) texts: Arc<TextCounts>,
    pub(crate) uploads: Mutex<Lru<String, Upload>>,
    pub(crate) pictures: Mutex<Lru<String, Arc<[u8]>>>,
    pub(crate) scenes: SceneCache,
    /// Responses of searches.
    pub(crate) responses: SearchCache,
    /// Names everyday kinds of objects; made when it is first needed.
    kinds: OnceLock<ZeroShotClassifier>,
    pub(crate) captioner: OnceLock<PrefixCaptioner>,
    /// The last map, with a hash of the ids and embeddings that it shows.
    pub(crate) last_map: Mutex<Option<(blake3::Hash, Arc<MapResponse>)>>,
}

impl Service {
    /// A service for a library that was opened with `texts` as its model. `scope` restricts it to the files it selects.
    pub fn new(library: Library, texts: &TextBatcher, scope: Option<Filter>) -> Self {
        Self {
            library,
            scope,
            texts: texts.counts().clone(),
            uploads: Mutex::new(Lru::new(UPLOAD_BYTES)),
            pictures: Mutex::new(Lru::new(PICTURE_BYTES)),
            scenes: SceneCache::default(),
            responses: SearchCache::default(),
            kinds: OnceLock::new(),
            captioner: OnceLock::new(),
            last_map: Mutex::default(),
        }
    }

    /// The files most similar to a query, or those that a filter selects.
    ///
    /// # Errors
    /// 400 for an invalid request, 404 for an unknown file or upload.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResponse, Problem> {
        let query = request.query(|id| Ok(QueryTerm::Embedding(self.upload_by_id(id)?.embedding)))?;
        let Some(mut query) = query else { return self.list(request) };
        // Only files that are served: scores would tell what others look like.
        for (_, term) in &query.terms {
            if let QueryTerm::Record(id) = term {
                self.record(*id)?;
            }
        }
        // Similarity of images, shapes and records has no part in names.
        query.rank_by = match query.terms.iter().any(|(weight, term)| *weight > 0.0 && is_text(term)) {
            true => query.rank_by,
            false => RankBy::Semantic,
        };
        query.filter = self.scoped(query.filter.take());
        let results = self.library.search_results(&query)?;
        let more = results.answers.len() >= query.k;
        self.respond(results, &query, request.offset, more)
    }

    /// As [`search`](Self::search), as JSON; of a library without changes, what the same request got before.
    ///
    /// # Errors
    /// As for [`search`](Self::search).
    pub(crate) fn search_json(&self, request: &SearchRequest) -> Result<Arc<[u8]>, Problem> {
        let search = || {
            let json = serde_json::to_vec(&self.search(request)?);
            json.map(Into::into).map_err(|error| Problem::internal(error.to_string()))
        };
        // The server forgets uploads, and then says so.
        let generation = match request.uploads.is_empty() {
            // Before the search: what is committed meanwhile makes the response outdated, not valid for longer.
            true => self.library.generation()?,
            false => None,
        };
        match generation {
            Some(generation) => self.responses.get_or_search(request, generation, search),
            None => search(),
        }
    }

    /// The files most similar to one of the library, without itself.
    ///
    /// # Errors
    /// 404 for an unknown file.
    pub fn similar(&self, id: &str, k: usize) -> Result<SearchResponse, Problem> {
        let id = self.record(record_id(id)?)?.id;
        let terms = vec![(1.0, QueryTerm::Record(id))];
        let k = k.clamp(1, MAX_SIMILAR);
        let (filter, rank_by) = (self.scoped(None), RankBy::Semantic);
        // One for itself, and one that says whether there are more.
        let query = Query { k: k + 2, terms, filter, rank_by, ..Query::default() };
        let mut results = self.library.search_results(&query)?;
        results.answers.retain(|answer| answer.id != id);
        let more = results.answers.len() > k;
        results.answers.truncate(k);
        results.answers.iter_mut().enumerate().for_each(|(i, answer)| answer.rank = i + 1);
        self.respond(results, &query, 0, more)
    }

    fn respond(
        &self,
        results: SearchResults,
        query: &Query,
        offset: usize,
        more: bool,
    ) -> Result<SearchResponse, Problem> {
        let SearchResults { answers, corrections, unknown_texts } = results;
        let low_confidence = self.low_confidence(&answers, &unknown_texts);
        Ok(SearchResponse {
            answers: answers.into_iter().skip(offset).map(|answer| AssetAnswer::new(answer, true)).collect(),
            searched: self.count(query.filter.as_ref())?,
            more,
            corrections,
            unknown_texts,
            low_confidence,
            model: self.model().to_owned(),
        })
    }

    /// Whether the best answer is no close match. A file that is called what is searched for is one.
    fn low_confidence(&self, answers: &[lexiform_search::Answer], unknown: &[String]) -> Option<bool> {
        if !unknown.is_empty() {
            return Some(true);
        }
        if answers.iter().any(|answer| answer.name_rank.is_some()) {
            return Some(false);
        }
        let best = answers.iter().map(|answer| answer.score).fold(f32::NEG_INFINITY, f32::max);
        Some(similarity_in_words(best, self.model())? == lexiform_search::NOT_SIMILAR)
    }

    /// Files without a query.
    fn list(&self, request: &SearchRequest) -> Result<SearchResponse, Problem> {
        let filter = self.scoped(request.filter()?);
        let searched = self.count(filter.as_ref())?;
        let last = request.offset + request.k;
        let everything = filter.clone().unwrap_or(Filter::And(Vec::new()));
        let answers = match searched <= MAX_SORTED {
            true => self.library.list(&everything)?,
            false => self.library.list_first(&everything, last)?,
        };
        let page = answers.into_iter().skip(request.offset).take(request.k);
        Ok(SearchResponse {
            answers: page.map(|answer| AssetAnswer::new(answer, false)).collect(),
            searched,
            more: searched > last,
            corrections: Vec::new(),
            unknown_texts: Vec::new(),
            low_confidence: None,
            model: self.model().to_owned(),
        })
    }

    /// Labels with their probabilities.
    ///
    /// # Errors
    /// 400 for invalid labels or templates, 404 for an unknown item.
    pub fn classify(&self, request: &ClassifyRequest) -> Result<ClassifyResponse, Problem> {
        let encoder = self.library.encoder();
        let labels = request.checked_labels()?;
        let templates = match &request.templates[..] {
            [] => encoder.templates(),
            given => given.iter().map(|text| checked_text(text)).collect::<Result<_, _>>()?,
        };
        let sentences = labels.len().saturating_mul(templates.len());
        if sentences > MAX_SENTENCES {
            let detail =
                format!("expected at most {MAX_SENTENCES} labels times templates, found {sentences}");
            return Err(Problem::bad_request(detail).with_hint("give fewer labels, or one template"));
        }
        let classifier = ZeroShotClassifier::new(encoder, &labels, &templates)?;
        let labels = classifier.classify(&self.embedding(&request.item)?);
        Ok(ClassifyResponse { labels, model: self.model().to_owned() })
    }

    /// The kinds of everyday objects that a file may be, with their probabilities: the best five.
    ///
    /// # Errors
    /// 400 for an invalid id, 404 for an unknown one.
    pub fn labels(&self, id: &str) -> Result<ClassifyResponse, Problem> {
        let embedding = self.embedding(&Item::Asset(id.to_owned()))?;
        let mut labels = self.kinds()?.classify(&embedding);
        labels.truncate(MAX_KINDS);
        Ok(ClassifyResponse { labels, model: self.model().to_owned() })
    }

    /// The classifier of everyday kinds of objects.
    pub(crate) fn kinds(&self) -> Result<&ZeroShotClassifier, Problem> {
        if let Some(made) = self.kinds.get() {
            return Ok(made);
        }
        let names: Vec<String> =
            lexiform_shapes::categories().iter().map(|category| category.name.to_owned()).collect();
        let encoder = self.library.encoder();
        let made = ZeroShotClassifier::new(encoder, &names, &encoder.templates())?;
        Ok(self.kinds.get_or_init(|| made))
    }

    /// The similarity of two things.
    ///
    /// # Errors
    /// 400 for an empty text, 404 for an unknown item.
    pub fn compare(&self, request: &CompareRequest) -> Result<CompareResponse, Problem> {
        let score = self.embedding(&request.a)?.dot(&self.embedding(&request.b)?);
        let words = similarity_in_words(score, self.model());
        Ok(CompareResponse { score, words, model: self.model().to_owned() })
    }

    pub(crate) fn embedding(&self, item: &Item) -> Result<Embedding, Problem> {
        match item {
            Item::Text(text) => Ok(embed_text(self.library.encoder(), &checked_text(text)?)?),
            Item::Asset(id) => Ok(self.library.embedding(self.record(record_id(id)?)?.id)?),
            Item::Upload(id) => Ok(self.upload_by_id(id)?.embedding),
        }
    }

    /// Counts of the library.
    ///
    /// # Errors
    /// If the library cannot be read.
    pub fn statistics(&self) -> Result<Statistics, Problem> {
        let served = self.scope.clone().unwrap_or(Filter::And(Vec::new()));
        let path = self.library.library_path();
        let folder = path.root.as_ref().unwrap_or(&path.folder);
        Ok(Statistics {
            records: self.len()?,
            failures: self.library.failures_within(self.scope.as_ref())?.len(),
            formats: self.library.count_by_format(&served)?,
            name: folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            model: self.model().to_owned(),
            dim: self.library.encoder().dim(),
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    /// Number of files that are served.
    ///
    /// # Errors
    /// If the library cannot be read.
    pub(crate) fn len(&self) -> Result<usize, Problem> {
        self.count(self.scope.as_ref())
    }

    /// Checks that the library can be read and the model embeds a text.
    ///
    /// # Errors
    /// What does not work.
    pub(crate) fn check_ready(&self) -> Result<(), Problem> {
        self.len()?;
        embed_text(self.library.encoder(), "a chair")?;
        Ok(())
    }

    /// Id of the model.
    pub fn model(&self) -> &str {
        self.library.encoder().id()
    }

    /// A record that is served.
    pub(crate) fn record(&self, id: RecordId) -> Result<lexiform_search::Record, Problem> {
        let found = self.library.store().get(&[id])?.into_iter().flatten().next();
        let is_served = |record: &lexiform_search::Record| {
            self.scope.as_ref().is_none_or(|scope| scope.matches(&record.payload))
        };
        found
            .filter(is_served)
            .ok_or_else(|| Problem::not_found(format!("no such file in the library: {id}")))
    }

    pub(crate) fn upload_by_id(&self, id: &str) -> Result<Upload, Problem> {
        let missing =
            || Problem::not_found(format!("no such upload: {id:?}")).with_hint("upload the file again");
        lock(&self.uploads).get(id).ok_or_else(missing)
    }

    fn count(&self, filter: Option<&Filter>) -> Result<usize, Problem> {
        Ok(filter.map_or_else(|| self.library.len(), |filter| self.library.count(filter))?)
    }

    pub(crate) fn scoped(&self, filter: Option<Filter>) -> Option<Filter> {
        Filter::both(self.scope.clone(), filter)
    }
}

/// Most sentences of a classification: each label in each template.
const MAX_SENTENCES: usize = 2000;
/// Most kinds of objects that a file may be.
const MAX_KINDS: usize = 5;
/// Most files similar to one.
const MAX_SIMILAR: usize = 1000;

fn is_text(term: &QueryTerm) -> bool {
    matches!(term, QueryTerm::Text(_))
}
