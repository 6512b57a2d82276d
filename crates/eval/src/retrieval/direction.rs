//! Retrieval in both directions.

use lexiform_metrics::retrieval::{QueryResult, retrieve};
use lexiform_metrics::{Features, MetricsError};

use crate::item_results::ItemResult;

/// Items of one modality with their features.
pub(super) struct Side<'a> {
    /// The names.
    pub names: &'a [String],
    /// `[names, dim]`.
    pub features: &'a Features,
}

/// The results of one direction.
pub(super) struct Direction {
    /// `text → shape` and the like.
    pub name: &'static str,
    /// Names of the queries.
    pub queries: Vec<String>,
    /// Names of the gallery items.
    pub gallery: Vec<String>,
    /// One per query.
    pub results: Vec<QueryResult>,
}

impl Direction {
    /// Whether the top result of each query is relevant.
    pub(super) fn item_results(&self) -> Vec<ItemResult> {
        let case = |(query, found): (&String, &QueryResult)| ItemResult {
            item: query.clone(),
            is_correct: found.first_rank() == 1,
        };
        self.queries.iter().zip(&self.results).map(case).collect()
    }
}

/// Retrieves gallery items by queries, and queries by gallery items; `right` lists the relevant gallery items of each
/// query. In the reverse direction, only gallery items with a relevant query are used as queries.
pub(super) fn measure_both_directions(
    [there, back]: [&'static str; 2],
    queries: &Side<'_>,
    gallery: &Side<'_>,
    right: &[Vec<usize>],
) -> Result<[Direction; 2], MetricsError> {
    let results = retrieve(queries.features, gallery.features, right)?;
    // Invert the relevance lists for the other direction.
    let mut reversed = vec![Vec::new(); gallery.names.len()];
    for (query, right) in right.iter().enumerate() {
        right.iter().for_each(|item| reversed[*item].push(query));
    }
    let asking: Vec<usize> = (0..gallery.names.len()).filter(|i| !reversed[*i].is_empty()).collect();
    let reversed: Vec<Vec<usize>> = asking.iter().map(|i| reversed[*i].clone()).collect();
    let back_results = retrieve(&gallery.features.select(&asking)?, queries.features, &reversed)?;
    let asking = asking.iter().map(|i| gallery.names[*i].clone()).collect();
    let (query_names, gallery_names) = (queries.names.to_vec(), gallery.names.to_vec());
    Ok([
        Direction { name: there, queries: query_names.clone(), gallery: gallery_names, results },
        Direction { name: back, queries: asking, gallery: query_names, results: back_results },
    ])
}
