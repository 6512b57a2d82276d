//! Requests: what to search for, classify and compare, with checked limits.

use lexiform_search::{Combine, Filter, NOT_WEIGHT, Query, QueryTerm, RankBy, RecordId, StoreError};
use serde::Deserialize;

use crate::Problem;

/// Longest text of a query or label, in characters.
const MAX_TEXT: usize = 1000;
/// Most terms of a query.
const MAX_TERMS: usize = 16;
/// Most labels of a classification.
const MAX_LABELS: usize = 1000;
/// Most answers of a page.
const MAX_PAGE: usize = 1000;
/// Last answer that paging reaches.
const MAX_ANSWERS: usize = 10_000;

/// A search: the sum of its terms, and options. Without terms, the files that the filter selects are listed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchRequest {
    /// Text to search for.
    pub text: Option<String>,
    /// Texts to rank down.
    pub not: Vec<String>,
    /// Ids of files of the library to find similar ones to.
    pub like: Vec<String>,
    /// Ids of uploaded pictures and 3D files to find similar ones to.
    pub uploads: Vec<String>,
    /// Weights of the terms.
    pub weights: Weights,
    /// Only files that this expression selects, such as `triangles < 10k`.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// How several terms are combined: `mean` or `min`.
    pub combine: Option<String>,
    /// What answers are ranked by: `semantic`, `name` or `hybrid`.
    pub rank_by: Option<String>,
    /// Only answers with at least this score.
    pub min_score: Option<f32>,
    /// Number of answers before the first one of this page.
    pub offset: usize,
    /// Most answers of this page.
    pub k: usize,
}

impl Default for SearchRequest {
    fn default() -> Self {
        let (not, like, uploads) = (Vec::new(), Vec::new(), Vec::new());
        let (text, filter, combine, rank_by, min_score) = (None, None, None, None, None);
        let weights = Weights::default();
        Self { text, not, like, uploads, weights, filter, combine, rank_by, min_score, offset: 0, k: 24 }
    }
}

/// Weights of the kinds of terms.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// Of the text.
    pub text: f32,
    /// Of each unwanted text; a positive number.
    pub not: f32,
    /// Of each file of the library.
    pub like: f32,
    /// Of each upload.
    pub upload: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { text: 1.0, not: NOT_WEIGHT, like: 1.0, upload: 1.0 }
    }
}

/// Labels to choose from for something.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifyRequest {
    /// What to label.
    pub item: Item,
    /// The labels.
    pub labels: Vec<String>,
    /// Sentences with `{}` for the label; those of the model if empty.
    #[serde(default)]
    pub templates: Vec<String>,
}

/// Two things to compare.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompareRequest {
    /// The one.
    pub a: Item,
    /// The other.
    pub b: Item,
}

/// Something with an embedding.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Item {
    /// A text.
    Text(String),
    /// Id of a file of the library.
    Asset(String),
    /// Id of an uploaded picture or 3D file.
    Upload(String),
}

impl SearchRequest {
    /// A request from the pairs of a URL's query string. `text` is given once, `not`, `like` and `upload` any number of times.
    ///
    /// # Errors
    /// If a name is unknown or a value is no number.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut request = Self::default();
        for (name, value) in pairs {
            match &name[..] {
                "text" | "q" => request.text = Some(value),
                "not" => request.not.push(value),
                "like" => request.like.push(value),
                "upload" => request.uploads.push(value),
                "where" => request.filter = Some(value),
                "combine" => request.combine = Some(value),
                "rank_by" => request.rank_by = Some(value),
                "min_score" => request.min_score = Some(number(&name, &value)?),
                "offset" => request.offset = number(&name, &value)?,
                "k" => request.k = number(&name, &value)?,
                _ => {
                    let known = "text, not, like, upload, where, combine, rank_by, min_score, offset or k";
                    return Err(Problem::bad_request(format!(
                        "unknown parameter {name:?}, expected {known}"
                    )));
                }
            }
        }
        Ok(request)
    }

    /// The query for the first `offset + k` answers; `None` if there is nothing to compare with. `upload` is the term of an upload.
    ///
    /// # Errors
    /// 400 for invalid values, 404 for an unknown upload.
    pub(crate) fn query(
        &self,
        upload: impl Fn(&str) -> Result<QueryTerm, Problem>,
    ) -> Result<Option<Query>, Problem> {
        self.check_page()?;
        let Weights { text, not, like, upload: of_uploads } = self.weights;
        let mut terms = Vec::new();
        for words in self.text.iter().filter(|words| !words.trim().is_empty()) {
            terms.push((text, QueryTerm::Text(checked_text(words)?)));
        }
        for id in &self.like {
            terms.push((like, QueryTerm::Record(record_id(id)?)));
        }
        for id in &self.uploads {
            terms.push((of_uploads, upload(id)?));
        }
        for words in self.not.iter().filter(|words| !words.trim().is_empty()) {
            terms.push((-not, QueryTerm::Text(checked_text(words)?)));
        }
        if terms.len() > MAX_TERMS {
            let detail = format!("expected at most {MAX_TERMS} terms, found {}", terms.len());
            return Err(Problem::bad_request(detail));
        }
        let query = Query {
            k: self.offset + self.k,
            filter: self.filter()?,
            combine: parsed::<Combine>("combine", self.combine.as_deref())?,
            rank_by: parsed::<RankBy>("rank_by", self.rank_by.as_deref())?,
            min_score: self.min_score,
            terms,
        };
        Ok((!query.terms.is_empty()).then_some(query))
    }

    /// The filter.
    ///
    /// # Errors
    /// 400 if it does not parse.
    pub(crate) fn filter(&self) -> Result<Option<Filter>, Problem> {
        let given = self.filter.as_deref().filter(|text| !text.trim().is_empty());
        Ok(given.map(Filter::parse).transpose().map_err(StoreError::from)?)
    }

    fn check_page(&self) -> Result<(), Problem> {
        let refused = |detail: String| Err(Problem::bad_request(detail));
        if !(1..=MAX_PAGE).contains(&self.k) {
            return refused(format!("k: expected 1 to {MAX_PAGE}, found {}", self.k));
        }
        if self.offset.saturating_add(self.k) > MAX_ANSWERS {
            return refused(format!("offset + k: expected at most {MAX_ANSWERS}, found more"));
        }
        match self.min_score {
            Some(score) if !score.is_finite() => refused("min_score: expected a finite number".to_owned()),
            _ => Ok(()),
        }
    }
}

impl ClassifyRequest {
    /// The labels without blank ones.
    ///
    /// # Errors
    /// 400 for too many or too long ones.
    pub(crate) fn checked_labels(&self) -> Result<Vec<String>, Problem> {
        if self.labels.len() > MAX_LABELS || self.templates.len() > MAX_TERMS {
            let detail =
                format!("expected at most {MAX_LABELS} labels and {MAX_TERMS} templates, found more");
            return Err(Problem::bad_request(detail));
        }
        let labels = self.labels.iter().map(|label| label.trim()).filter(|label| !label.is_empty());
        labels.map(checked_text).collect()
    }
}

/// A text of bounded length.
///
/// # Errors
/// 400 if it is too long.
pub(crate) fn checked_text(text: &str) -> Result<String, Problem> {
    let length = text.chars().count();
    if length > MAX_TEXT {
        let detail = format!("expected a text of at most {MAX_TEXT} characters, found {length}");
        return Err(Problem::bad_request(detail));
    }
    Ok(text.to_owned())
}

/// The id of a record.
///
/// # Errors
/// 400 if it is no id.
pub(crate) fn record_id(text: &str) -> Result<RecordId, Problem> {
    Ok(text.parse::<RecordId>()?)
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|_| Problem::bad_request(format!("{name}: expected a number, found {value:?}")))
}

fn parsed<T: std::str::FromStr<Err = String> + Default>(
    name: &str,
    value: Option<&str>,
) -> Result<T, Problem> {
    let parse = |value: &str| value.parse().map_err(|e| Problem::bad_request(format!("{name}: {e}")));
    value.map_or_else(|| Ok(T::default()), parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let pair = |pair: &str| pair.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
        text.split('&').filter_map(pair).collect()
    }

    fn query(text: &str) -> Result<Option<Query>, Problem> {
        let upload = |id: &str| Err(Problem::not_found(format!("no such upload: {id}")));
        SearchRequest::from_pairs(pairs(text))?.query(upload)
    }

    #[test]
    fn parameters_become_weighted_terms() {
        let found =
            query("text=chair&not=red&not=blue&like=47fa10d69366f9a9&offset=10&k=5").unwrap().unwrap();
        let weights: Vec<f32> = found.terms.iter().map(|(weight, _)| *weight).collect();
        assert_eq!(weights, [1.0, 1.0, -0.5, -0.5]);
        assert_eq!(found.k, 15, "answers before the page count");
        assert!(query("where=triangles < 10k").unwrap().is_none(), "nothing to compare with");
        assert!(query("text=  ").unwrap().is_none());
    }

    #[test]
    fn invalid_parameters_are_refused_with_their_names() {
        let check = |text: &str, status: u16, part: &str| {
            let problem = query(text).unwrap_err();
            assert_eq!(problem.status, status, "{text}: {problem:?}");
            assert!(problem.detail.contains(part), "{text}: {problem:?}");
        };
        check("color=red", 400, "unknown parameter \"color\"");
        check("k=0", 400, "k: expected 1 to 1000, found 0");
        check("k=x", 400, "k: expected a number, found \"x\"");
        check("offset=18446744073709551615&k=2", 400, "offset + k");
        check("min_score=nan", 400, "min_score: expected a finite number");
        check("rank_by=date", 400, "rank_by: expected semantic, name or hybrid");
        check("like=../etc/passwd", 400, "invalid record id");
        check("upload=1", 404, "no such upload: 1");
        check("where=triangles <", 400, "");
        check(&format!("text={}", "a".repeat(1001)), 400, "at most 1000 characters, found 1001");
        check(&"not=a&".repeat(17), 400, "at most 16 terms, found 17");
    }
}
