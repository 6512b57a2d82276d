//! The loss of a recipe: a weighted sum of terms.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::terms::{self, Negatives};
use crate::loss::BatchLabels;
use crate::recipe::{Gather, LossKind, LossTermConfig, Modality, NegativesMode, RecipeError, RunPosition};

/// Features of a batch; absent if no loss term needs them.
#[derive(Clone, Debug)]
pub struct BatchFeatures {
    /// Shapes, `[rows, dim]`.
    pub shape: Tensor<2>,
    /// Captions, `[rows, dim]`.
    pub text: Option<Tensor<2>>,
    /// Images, `[rows, dim]`.
    pub image: Option<Tensor<2>>,
    /// One name or synonym of each category, `[categories, dim]`; only with the first rows of a batch.
    pub class_text: Option<Tensor<2>>,
    /// Logits of the classification head, `[rows, categories]`.
    pub class_logits: Option<Tensor<2>>,
}

/// Values of the loss terms of a batch: tensors for the backward pass, then numbers.
#[derive(Clone, Debug)]
pub struct LossValues<T> {
    /// Unweighted terms by name.
    pub terms: BTreeMap<String, T>,
    /// Accuracy within the batch by term, 0–1: fraction of rows whose match, or category, is the most similar.
    pub accuracies: BTreeMap<String, f64>,
    /// Weighted sum of the active terms; `None` if no term is active.
    pub total: Option<T>,
}

impl<T> Default for LossValues<T> {
    fn default() -> Self {
        Self { terms: BTreeMap::new(), accuracies: BTreeMap::new(), total: None }
    }
}

impl LossValues<Tensor<1>> {
    /// Numbers, and the total as a tensor for the backward pass.
    pub(crate) fn into_numbers(self) -> (LossValues<f64>, Option<Tensor<1>>) {
        let number = |value: Tensor<1>| f64::from(value.into_scalar::<f32>());
        let terms = self.terms.into_iter().map(|(name, value)| (name, number(value))).collect();
        let total = self.total.clone().map(number);
        (LossValues { terms, accuracies: self.accuracies, total }, self.total)
    }
}

impl LossValues<f64> {
    /// Mean over accumulated batches. A missing term counts as 0, as it does in the gradients; a missing accuracy is skipped.
    pub(crate) fn mean(parts: &[Self]) -> Self {
        let all = parts.len().max(1) as f64;
        let mut mean = Self::default();
        let mut present: BTreeMap<&String, f64> = BTreeMap::new();
        for (name, share) in parts.iter().flat_map(|part| &part.accuracies) {
            *mean.accuracies.entry(name.clone()).or_insert(0.0) += share;
            *present.entry(name).or_insert(0.0) += 1.0;
        }
        mean.accuracies.iter_mut().for_each(|(name, share)| *share /= present[name]);
        for (name, value) in parts.iter().flat_map(|part| &part.terms) {
            *mean.terms.entry(name.clone()).or_insert(0.0) += value / all;
        }
        mean.total = Some(parts.iter().filter_map(|part| part.total).map(|total| total / all).sum());
        mean
    }
}

impl LossTermConfig {
    /// Rows of the term: text terms skip rows without a caption.
    fn rows(&self, labels: &BatchLabels) -> Vec<usize> {
        if self.compares(Modality::Text) { labels.with_text() } else { (0..labels.rows()).collect() }
    }
}

/// The loss of a recipe: a weighted sum of terms.
#[derive(Clone, Debug)]
pub struct Objective {
    terms: BTreeMap<String, LossTermConfig>,
    gather: Gather,
}

impl Objective {
    /// An objective with these terms.
    ///
    /// # Errors
    /// If a term's options cannot be combined.
    pub fn new(terms: &BTreeMap<String, LossTermConfig>, gather: Gather) -> Result<Self, RecipeError> {
        for (name, term) in terms {
            let plain = term.negatives == NegativesMode::All;
            if !plain && term.kind != LossKind::Contrastive {
                return Err(RecipeError::loss(
                    name,
                    "negatives: only contrastive terms have them".to_owned(),
                ));
            }
            if term.between[0] == term.between[1] {
                return Err(RecipeError::loss(name, "between: expected two different modalities".to_owned()));
            }
            // Losses that compare no row with another are equal with and without gathering.
            let row_by_row =
                matches!(term.kind, LossKind::ClassText | LossKind::Cosine | LossKind::ClassHead);
            if gather == Gather::Detached && !row_by_row && (term.kind != LossKind::Contrastive || !plain) {
                let message = "run.gather = \"detached\" supports contrastive terms with negatives = \"all\" only; \
                               set it to \"with-gradient\"";
                return Err(RecipeError::loss(name, message.to_owned()));
            }
            let compared = |feature| terms.values().any(|term| term.compares(feature));
            if term.negatives == NegativesMode::Hard
                && !(compared(Modality::Image) && compared(Modality::Text))
            {
                let message = "negatives = \"hard\" requires both image and text terms";
                return Err(RecipeError::loss(name, message.to_owned()));
            }
        }
        Ok(Self { terms: terms.clone(), gather })
    }

    /// Whether any term compares this modality.
    pub fn uses(&self, modality: Modality) -> bool {
        self.terms.values().any(|term| term.compares(modality))
    }

    /// Whether any term compares shapes with class names.
    pub fn uses_class_text(&self) -> bool {
        self.terms.values().any(|term| term.kind == LossKind::ClassText)
    }

    /// Whether any term uses the classification head.
    pub fn uses_class_head(&self) -> bool {
        self.terms.values().any(|term| term.kind == LossKind::ClassHead)
    }

    /// Computes all terms, and the weighted sum of those active at `position`. `ranks` are the features of each device, in the
    /// order of the rows; `scale` is the logarithm of the temperature factor.
    pub fn evaluate(
        &self,
        ranks: &[BatchFeatures],
        labels: &BatchLabels,
        scale: &Tensor<1>,
        position: RunPosition,
    ) -> LossValues<Tensor<1>> {
        let mut found = LossValues::default();
        for (name, term) in &self.terms {
            let Some(value) = self.term(term, ranks, labels, scale) else { continue };
            // Inactive terms are computed too, for the log.
            if term.step_parity.includes(position) {
                let weighted = value.clone() * term.weight;
                found.total = Some(match found.total {
                    Some(total) => total + weighted,
                    None => weighted,
                });
            }
            found.terms.insert(name.clone(), value);
            if let Some(share) = term_accuracy(term, ranks, labels) {
                found.accuracies.insert(name.clone(), share);
            }
        }
        found
    }

    /// The value of a term; `None` if the batch has no features or rows for it.
    fn term(
        &self,
        term: &LossTermConfig,
        ranks: &[BatchFeatures],
        labels: &BatchLabels,
        scale: &Tensor<1>,
    ) -> Option<Tensor<1>> {
        match term.kind {
            LossKind::ClassText => {
                let class_text = ranks.first()?.class_text.clone()?;
                let logits =
                    terms::similarity_logits(all(ranks, Modality::Shape)?, class_text, scale.clone());
                Some(terms::cross_entropy(logits, targets(labels, scale), term.label_smoothing))
            }
            LossKind::ClassHead => {
                Some(terms::cross_entropy(class_logits(ranks)?, targets(labels, scale), term.label_smoothing))
            }
            LossKind::Contrastive | LossKind::MultiPositive | LossKind::Sigmoid | LossKind::Cosine => {
                self.between(term, ranks, labels, scale)
            }
        }
    }

    /// A term between two modalities, over the rows that have both.
    fn between(
        &self,
        term: &LossTermConfig,
        ranks: &[BatchFeatures],
        labels: &BatchLabels,
        scale: &Tensor<1>,
    ) -> Option<Tensor<1>> {
        let rows = term.rows(labels);
        if rows.is_empty() {
            return None;
        }
        let scale = scale.clone();
        if self.gather == Gather::Detached && ranks.len() > 1 && term.kind == LossKind::Contrastive {
            return gathered_contrastive(ranks, term.between, &rows, scale);
        }
        let side = |feature| all(ranks, feature).map(|features| subset(features, &rows));
        let (a, b) = (side(term.between[0])?, side(term.between[1])?);
        let (device, labels) = (a.device(), labels.select(&rows));
        Some(match term.kind {
            // SigLIP learns its bias from −10; here it is fixed, and only the temperature is learned.
            LossKind::Sigmoid => terms::pairwise_sigmoid(a, b, scale, Tensor::from_floats([-10.0], &device)),
            LossKind::MultiPositive => {
                terms::multi_positive(a, b, scale, &terms::equal_label_mask(&labels.caption_ids, &device))
            }
            LossKind::Cosine => terms::cosine_loss(a, b),
            LossKind::Contrastive | LossKind::ClassText | LossKind::ClassHead => {
                terms::contrastive(a, b, scale, &negatives(term.negatives, &labels, side, &device)?)
            }
        })
    }
}

/// Negatives of a contrastive term; `side` gives the features of the same rows.
fn negatives(
    rule: NegativesMode,
    labels: &BatchLabels,
    side: impl Fn(Modality) -> Option<Tensor<2>>,
    device: &Device,
) -> Option<Negatives> {
    Some(match rule {
        NegativesMode::All => Negatives::All,
        NegativesMode::MaskSameCategory => {
            Negatives::Masked(terms::same_category_mask(&labels.categories, &labels.is_class_name, device))
        }
        NegativesMode::Hard => Negatives::Zeroed(
            labels.hard_negative_mask([side(Modality::Image)?, side(Modality::Text)?], device),
        ),
    })
}

/// Mean over ranks of [`terms::contrastive_gathered`] on the given rows, as ULIP on several devices. Ranks without any of the
/// rows are skipped.
fn gathered_contrastive(
    ranks: &[BatchFeatures],
    [a, b]: [Modality; 2],
    rows: &[usize],
    scale: Tensor<1>,
) -> Option<Tensor<1>> {
    // Rows are numbered over the whole batch; each rank needs its own, from 0.
    let mut first = 0;
    let mut present: Vec<(&BatchFeatures, Vec<usize>)> = Vec::with_capacity(ranks.len());
    for rank in ranks {
        // Every rank has shape features, so their rows are the rows of the rank.
        let [count, _] = rank.shape.dims();
        let own = rows.iter().filter(|row| (first..first + count).contains(*row)).map(|row| row - first);
        present.push((rank, own.collect()));
        first += count;
    }
    present.retain(|(_, own)| !own.is_empty());
    let side = |feature| -> Option<Vec<terms::Gathered>> {
        let parts = present.iter().map(|(rank, own)| Some(subset(rank.get(feature)?, own)));
        Some(terms::gather(&parts.collect::<Option<Vec<Tensor<2>>>>()?, Gather::Detached))
    };
    let pairs = side(a)?.into_iter().zip(side(b)?);
    let sum =
        pairs.map(|(a, b)| terms::contrastive_gathered(&a, &b, scale.clone())).reduce(|sum, x| sum + x)?;
    Some(sum / present.len() as f64)
}

/// Rows of `[rows, dim]` by ascending index; no copy if all.
fn subset(features: Tensor<2>, picked: &[usize]) -> Tensor<2> {
    let [count, _] = features.dims();
    if picked.len() == count { features } else { terms::select_rows(features, picked) }
}

fn all(ranks: &[BatchFeatures], feature: Modality) -> Option<Tensor<2>> {
    concat_ranks(ranks.iter().map(|rank| rank.get(feature)))
}

/// Logits of the classification head on all ranks, `[rows, categories]`.
fn class_logits(ranks: &[BatchFeatures]) -> Option<Tensor<2>> {
    concat_ranks(ranks.iter().map(|rank| rank.class_logits.clone()))
}

fn concat_ranks(parts: impl Iterator<Item = Option<Tensor<2>>>) -> Option<Tensor<2>> {
    let mut parts = parts.collect::<Option<Vec<_>>>()?;
    // No copy with a single device.
    if parts.len() == 1 { parts.pop() } else { Some(Tensor::cat(parts, 0)) }
}

/// Accuracy of a term within the batch: fraction of rows whose most similar row is their match, has the same caption, or is
/// masked by the term; or whose most similar class is their category.
fn term_accuracy(term: &LossTermConfig, ranks: &[BatchFeatures], labels: &BatchLabels) -> Option<f64> {
    let categories = |row: usize| labels.categories[row];
    let still = |features: Option<Tensor<2>>| features.map(Tensor::without_autodiff);
    if term.kind == LossKind::ClassHead {
        let scores = still(class_logits(ranks))?;
        return Some(terms::accuracy(&terms::argmax_rows(scores), |row, found| found == categories(row)));
    }
    let rows = term.rows(labels);
    let [a, b] = match term.kind {
        LossKind::Cosine => return None,
        LossKind::ClassText => {
            [still(all(ranks, Modality::Shape))?, still(ranks.first()?.class_text.clone())?]
        }
        _ => {
            if rows.is_empty() {
                return None;
            }
            let side = |feature| still(all(ranks, feature)).map(|features| subset(features, &rows));
            [side(term.between[0])?, side(term.between[1])?]
        }
    };
    let found = terms::nearest(a, b);
    Some(match term.kind {
        LossKind::ClassText => terms::accuracy(&found, |row, found| found == categories(row)),
        _ => {
            let alike = |row: usize, found: usize| {
                let is_class_name = labels.is_class_name[row] || labels.is_class_name[found];
                // A masked pair is no error: both captions fit.
                let masked = term.negatives == NegativesMode::MaskSameCategory && is_class_name;
                (term.compares(Modality::Text) && labels.caption_ids[row] == labels.caption_ids[found])
                    || (masked && categories(row) == categories(found))
            };
            terms::accuracy(&found, |row, found| found == row || alike(rows[row], rows[found]))
        }
    })
}

impl BatchFeatures {
    /// Applies a function to every tensor.
    pub(crate) fn map(self, apply: impl Fn(Tensor<2>) -> Tensor<2>) -> Self {
        Self {
            shape: apply(self.shape),
            text: self.text.map(&apply),
            image: self.image.map(&apply),
            class_text: self.class_text.map(&apply),
            class_logits: self.class_logits.map(&apply),
        }
    }

    /// The tensors with a row per shape, in a fixed order.
    pub(crate) fn by_row(self) -> [Option<Tensor<2>>; 4] {
        [Some(self.shape), self.text, self.image, self.class_logits]
    }

    /// Features of consecutive parts of a batch as one; those of class names are in the first part.
    ///
    /// # Panics
    /// Without parts.
    pub(crate) fn concat(parts: Vec<Self>) -> Self {
        let rows = |feature: fn(&Self) -> Option<Tensor<2>>| concat_ranks(parts.iter().map(feature));
        Self {
            shape: rows(|part| Some(part.shape.clone())).expect("a batch has rows"),
            text: rows(|part| part.text.clone()),
            image: rows(|part| part.image.clone()),
            class_text: parts.iter().find_map(|part| part.class_text.clone()),
            class_logits: rows(|part| part.class_logits.clone()),
        }
    }

    /// Features of a modality, `[rows, dim]`.
    pub fn get(&self, modality: Modality) -> Option<Tensor<2>> {
        match modality {
            Modality::Shape => Some(self.shape.clone()),
            Modality::Text => self.text.clone(),
            Modality::Image => self.image.clone(),
        }
    }
}

fn targets(labels: &BatchLabels, like: &Tensor<1>) -> Tensor<1, Int> {
    let targets: Vec<i64> = labels.categories.iter().map(|category| *category as i64).collect();
    let count = targets.len();
    Tensor::from_data(TensorData::new(targets, [count]), &like.device())
}
