//! What a recipe minimizes: a weighted sum of terms between features of the same shapes.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::terms::{self, Negatives};
use crate::loss::Labels;
use crate::recipe::{Feature, Gather, Kind, NegativesRule, Position, RecipeError, TermConfig};

/// Features of a batch's shapes, by kind; what no term asks for is absent.
#[derive(Clone, Debug)]
pub struct Features {
    /// From the encoder that is trained.
    pub shape: Tensor<2>,
    /// Of captions.
    pub text: Option<Tensor<2>>,
    /// Of pictures.
    pub image: Option<Tensor<2>>,
    /// Of one noun of every category, `[categories, dim]`.
    pub nouns: Option<Tensor<2>>,
    /// What a head says of the shapes, `[rows, categories]`.
    pub classes: Option<Tensor<2>>,
}

/// What a batch gives: terms as tensors while gradients are wanted, then as numbers.
#[derive(Clone, Debug)]
pub struct Value<T> {
    /// Each term by itself.
    pub terms: BTreeMap<String, T>,
    /// Share of rows whose own match, or category, is the most similar, in 0–1; for each term that asks for one.
    pub accuracies: BTreeMap<String, f64>,
    /// Weighted sum of the terms whose turn it is.
    pub total: Option<T>,
}

impl<T> Default for Value<T> {
    fn default() -> Self {
        Self { terms: BTreeMap::new(), accuracies: BTreeMap::new(), total: None }
    }
}

impl Value<Tensor<1>> {
    /// As numbers, with the sum that gradients are of.
    pub(crate) fn into_numbers(self) -> (Value<f64>, Option<Tensor<1>>) {
        let number = |value: Tensor<1>| f64::from(value.into_scalar::<f32>());
        let terms = self.terms.into_iter().map(|(name, value)| (name, number(value))).collect();
        let total = self.total.clone().map(number);
        (Value { terms, accuracies: self.accuracies, total }, self.total)
    }
}

impl Value<f64> {
    /// The mean of several batches; a batch without a term counts as 0 in it, as in the gradients, but not in its accuracy.
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

impl TermConfig {
    /// Rows that have a part in it: without a caption, none in a term of texts.
    fn rows(&self, labels: &Labels) -> Vec<usize> {
        if self.compares(Feature::Text) { labels.with_text() } else { (0..labels.rows()).collect() }
    }
}

/// All terms of a recipe.
#[derive(Clone, Debug)]
pub struct Objective {
    terms: BTreeMap<String, TermConfig>,
    gather: Gather,
}

impl Objective {
    /// Terms by name.
    ///
    /// # Errors
    /// If a term asks for what it cannot do, rather than that it does something else.
    pub fn new(terms: &BTreeMap<String, TermConfig>, gather: Gather) -> Result<Self, RecipeError> {
        for (name, term) in terms {
            let plain = term.negatives == NegativesRule::All;
            if !plain && term.kind != Kind::Contrastive {
                return Err(RecipeError::loss(name, "only contrastive terms have negatives".to_owned()));
            }
            if term.between[0] == term.between[1] {
                return Err(RecipeError::loss(name, "between must name two different features".to_owned()));
            }
            let row_by_row = matches!(term.kind, Kind::Naming | Kind::Cosine | Kind::Class);
            if gather == Gather::Detached && !row_by_row && (term.kind != Kind::Contrastive || !plain) {
                let message = "run.gather = \"detached\" suits contrastive terms with all negatives only; \
                               set it to \"with-gradient\"";
                return Err(RecipeError::loss(name, message.to_owned()));
            }
            let compared = |feature| terms.values().any(|term| term.compares(feature));
            if term.negatives == NegativesRule::Hard && !(compared(Feature::Image) && compared(Feature::Text))
            {
                let message = "negatives = \"hard\" asks which texts fit which images: one term must be of \
                               images, one of texts";
                return Err(RecipeError::loss(name, message.to_owned()));
            }
        }
        Ok(Self { terms: terms.clone(), gather })
    }

    /// Whether any term compares this feature.
    pub fn uses(&self, feature: Feature) -> bool {
        self.terms.values().any(|term| term.compares(feature))
    }

    /// Whether any term names categories.
    pub fn names(&self) -> bool {
        self.terms.values().any(|term| term.kind == Kind::Naming)
    }

    /// Whether any term is of what a head says.
    pub fn classifies(&self) -> bool {
        self.terms.values().any(|term| term.kind == Kind::Class)
    }

    /// Each term by itself, and the weighted sum of those whose turn it is. `ranks` are the features of each device,
    /// in the order of the batch's rows.
    pub fn value(
        &self,
        ranks: &[Features],
        labels: &Labels,
        scale: &Tensor<1>,
        position: Position,
    ) -> Value<Tensor<1>> {
        let mut found = Value::default();
        for (name, term) in &self.terms {
            let Some(value) = self.term(term, ranks, labels, scale) else { continue };
            if term.turn.takes_part(position) {
                let weighted = value.clone() * term.weight;
                found.total = Some(match found.total {
                    Some(total) => total + weighted,
                    None => weighted,
                });
            }
            found.terms.insert(name.clone(), value);
            if let Some(share) = accuracy(term, ranks, labels) {
                found.accuracies.insert(name.clone(), share);
            }
        }
        found
    }

    /// A term's value; none where the batch has not what it needs.
    fn term(
        &self,
        term: &TermConfig,
        ranks: &[Features],
        labels: &Labels,
        scale: &Tensor<1>,
    ) -> Option<Tensor<1>> {
        match term.kind {
            Kind::Naming => {
                let nouns = ranks.first()?.nouns.clone()?;
                let logits = terms::similarities(all(ranks, Feature::Shape)?, nouns, scale.clone());
                Some(terms::cross_entropy(logits, targets(labels, scale), term.smoothing))
            }
            Kind::Class => {
                Some(terms::cross_entropy(classes(ranks)?, targets(labels, scale), term.smoothing))
            }
            Kind::Contrastive | Kind::MultiPositive | Kind::Sigmoid | Kind::Cosine => {
                self.between(term, ranks, labels, scale)
            }
        }
    }

    /// A term that compares two features of the same shapes, of the rows that have both.
    fn between(
        &self,
        term: &TermConfig,
        ranks: &[Features],
        labels: &Labels,
        scale: &Tensor<1>,
    ) -> Option<Tensor<1>> {
        let rows = term.rows(labels);
        if rows.is_empty() {
            return None;
        }
        let scale = scale.clone();
        if self.gather == Gather::Detached && ranks.len() > 1 && term.kind == Kind::Contrastive {
            return among(ranks, term.between, &rows, scale);
        }
        let side = |feature| all(ranks, feature).map(|features| some(features, &rows));
        let (a, b) = (side(term.between[0])?, side(term.between[1])?);
        let (device, labels) = (a.device(), labels.of_rows(&rows));
        Some(match term.kind {
            // SigLIP starts its bias at -10; here it stays there, as the multiplier is learned.
            Kind::Sigmoid => terms::pairwise_sigmoid(a, b, scale, Tensor::from_floats([-10.0], &device)),
            Kind::MultiPositive => {
                terms::multi_positive(a, b, scale, &terms::equal_pairs(&labels.sayings, &device))
            }
            Kind::Cosine => terms::apart(a, b),
            Kind::Contrastive | Kind::Naming | Kind::Class => {
                terms::contrastive(a, b, scale, &negatives(term.negatives, &labels, side, &device)?)
            }
        })
    }
}

/// Which pairs of a contrastive term push apart; `side` gives the features of the same rows.
fn negatives(
    rule: NegativesRule,
    labels: &Labels,
    side: impl Fn(Feature) -> Option<Tensor<2>>,
    device: &Device,
) -> Option<Negatives> {
    Some(match rule {
        NegativesRule::All => Negatives::All,
        NegativesRule::OtherNouns => {
            Negatives::Ignored(terms::ignored_pairs(&labels.categories, &labels.general, device))
        }
        NegativesRule::Hard => {
            Negatives::Zeroed(labels.kept([side(Feature::Image)?, side(Feature::Text)?], device))
        }
    })
}

/// Mean over ranks of the term as each sees it (ULIP on several devices), of some rows of the batch; a rank that has none
/// of them sees nothing.
fn among(ranks: &[Features], [a, b]: [Feature; 2], rows: &[usize], scale: Tensor<1>) -> Option<Tensor<1>> {
    let mut first = 0;
    let mut present: Vec<(&Features, Vec<usize>)> = Vec::with_capacity(ranks.len());
    for rank in ranks {
        let [count, _] = rank.shape.dims();
        let own = rows.iter().filter(|row| (first..first + count).contains(*row)).map(|row| row - first);
        present.push((rank, own.collect()));
        first += count;
    }
    present.retain(|(_, own)| !own.is_empty());
    let side = |feature| -> Option<Vec<terms::Gathered>> {
        let parts = present.iter().map(|(rank, own)| Some(some(rank.get(feature)?, own)));
        Some(terms::gather(&parts.collect::<Option<Vec<Tensor<2>>>>()?, Gather::Detached))
    };
    let pairs = side(a)?.into_iter().zip(side(b)?);
    let sum = pairs.map(|(a, b)| terms::contrastive_among(&a, &b, scale.clone())).reduce(|sum, x| sum + x)?;
    Some(sum / present.len() as f64)
}

/// Some rows of features `[rows, dim]`, in ascending order.
fn some(features: Tensor<2>, picked: &[usize]) -> Tensor<2> {
    let [count, _] = features.dims();
    if picked.len() == count { features } else { terms::rows(features, picked) }
}

fn all(ranks: &[Features], feature: Feature) -> Option<Tensor<2>> {
    together(ranks.iter().map(|rank| rank.get(feature)))
}

/// What a head says of all shapes, `[rows, categories]`.
fn classes(ranks: &[Features]) -> Option<Tensor<2>> {
    together(ranks.iter().map(|rank| rank.classes.clone()))
}

fn together(parts: impl Iterator<Item = Option<Tensor<2>>>) -> Option<Tensor<2>> {
    let mut parts = parts.collect::<Option<Vec<_>>>()?;
    if parts.len() == 1 { parts.pop() } else { Some(Tensor::cat(parts, 0)) }
}

/// Share of rows that a term finds right: whose own match is the most similar, one that says the same or one that the term does not
/// tell apart; or whose category is.
fn accuracy(term: &TermConfig, ranks: &[Features], labels: &Labels) -> Option<f64> {
    let categories = |row: usize| labels.categories[row];
    let still = |features: Option<Tensor<2>>| features.map(Tensor::without_autodiff);
    if term.kind == Kind::Class {
        let scores = still(classes(ranks))?;
        return Some(terms::share_right(&terms::largest(scores), |row, found| found == categories(row)));
    }
    let rows = term.rows(labels);
    let [a, b] = match term.kind {
        Kind::Cosine => return None,
        Kind::Naming => [still(all(ranks, Feature::Shape))?, still(ranks.first()?.nouns.clone())?],
        _ => {
            if rows.is_empty() {
                return None;
            }
            let side = |feature| still(all(ranks, feature)).map(|features| some(features, &rows));
            [side(term.between[0])?, side(term.between[1])?]
        }
    };
    let found = terms::nearest(a, b);
    Some(match term.kind {
        Kind::Naming => terms::share_right(&found, |row, found| found == categories(row)),
        _ => {
            let alike = |row: usize, found: usize| {
                let general = labels.general[row] || labels.general[found];
                let ignored = term.negatives == NegativesRule::OtherNouns && general;
                (term.compares(Feature::Text) && labels.sayings[row] == labels.sayings[found])
                    || (ignored && categories(row) == categories(found))
            };
            terms::share_right(&found, |row, found| found == row || alike(rows[row], rows[found]))
        }
    })
}

impl Features {
    /// Features of a kind.
    pub fn get(&self, feature: Feature) -> Option<Tensor<2>> {
        match feature {
            Feature::Shape => Some(self.shape.clone()),
            Feature::Text => self.text.clone(),
            Feature::Image => self.image.clone(),
        }
    }
}

fn targets(labels: &Labels, like: &Tensor<1>) -> Tensor<1, Int> {
    let targets: Vec<i64> = labels.categories.iter().map(|category| *category as i64).collect();
    let count = targets.len();
    Tensor::from_data(TensorData::new(targets, [count]), &like.device())
}
