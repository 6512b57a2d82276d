//! Loss functions. Each paper's loss is a weighted sum of these.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, activation};

use crate::recipe::Gather;

/// How non-matching pairs enter a contrastive loss.
#[derive(Clone, Debug, Default)]
pub enum Negatives {
    /// All are negatives (CLIP).
    #[default]
    All,
    /// Pairs that are true in `[rows, rows]` are excluded.
    Masked(Tensor<2, Bool>),
    /// Logits of pairs that are false in `[rows, rows]` are set to 0 (not −∞), as in
    /// [OpenShape](https://arxiv.org/abs/2305.10764).
    Zeroed(Tensor<2, Bool>),
}

/// Features of one rank and of all ranks.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// This rank, `[rows, dim]`.
    pub own: Tensor<2>,
    /// All ranks in order, `[all rows, dim]`.
    pub all: Tensor<2>,
    /// First row of this rank in `all`.
    pub first: usize,
}

/// Normalizes rows to unit length, `[rows, dim]`.
pub fn normalize_rows(features: Tensor<2>) -> Tensor<2> {
    // torch's `normalize` clamps the norm at 1e-12; squared here because the gradient of a root at 0 is not finite.
    let norms = features.clone().square().sum_dim(1).clamp_min(1e-24).sqrt();
    features / norms
}

/// Logits: cosine similarities times `exp(scale)`; `[a, dim]`, `[b, dim]` → `[a, b]`.
pub fn similarity_logits(a: Tensor<2>, b: Tensor<2>, scale: Tensor<1>) -> Tensor<2> {
    normalize_rows(a).matmul(normalize_rows(b).transpose()) * scale.exp().unsqueeze::<2>()
}

/// Symmetric InfoNCE between matching rows of `a` and `b`, `[rows, dim]` ([CLIP](https://arxiv.org/abs/2103.00020);
/// [Duoduo CLIP](https://arxiv.org/abs/2406.11579), section 3.2; [CG3D](https://arxiv.org/abs/2303.11313), section 3.1).
pub fn contrastive(a: Tensor<2>, b: Tensor<2>, scale: Tensor<1>, negatives: &Negatives) -> Tensor<1> {
    let logits = similarity_logits(a, b, scale);
    let logits = match negatives {
        Negatives::All => logits,
        // Finite: −∞ can give NaN gradients through softmax, and e^(−1e9) is 0 all the same.
        Negatives::Masked(pairs) => logits.mask_fill(pairs.clone(), -1e9),
        Negatives::Zeroed(kept) => logits.mask_fill(kept.clone().bool_not(), 0.0),
    };
    let targets = diagonal(&logits, 0);
    let one = cross_entropy(logits.clone(), targets.clone(), 0.0);
    (one + cross_entropy(logits.transpose(), targets, 0.0)) * 0.5
}

/// Symmetric InfoNCE of this rank's rows against those of all ranks ([ULIP](https://arxiv.org/abs/2212.05171),
/// `ULIPWithImageLoss`). Its mean over equally large ranks is [`contrastive`] of the whole batch.
pub fn contrastive_gathered(a: &Gathered, b: &Gathered, scale: Tensor<1>) -> Tensor<1> {
    let one_way = |own: &Tensor<2>, all: &Tensor<2>, first: usize| {
        let logits = similarity_logits(own.clone(), all.clone(), scale.clone());
        let targets = diagonal(&logits, first);
        cross_entropy(logits, targets, 0.0)
    };
    (one_way(&a.own, &b.all, a.first) + one_way(&b.own, &a.all, b.first)) * 0.5
}

/// All-gather: features of all ranks for each rank.
pub fn gather(ranks: &[Tensor<2>], mode: Gather) -> Vec<Gathered> {
    let all = Tensor::cat(ranks.to_vec(), 0);
    // With one rank the reference does not gather, so nothing is detached.
    let all = if mode == Gather::Detached && ranks.len() > 1 { all.detach() } else { all };
    let mut first = 0;
    let mut seen = Vec::with_capacity(ranks.len());
    for own in ranks {
        seen.push(Gathered { own: own.clone(), all: all.clone(), first });
        first += own.dims()[0];
    }
    seen
}

/// Symmetric InfoNCE with several positives per row ([supervised contrastive](https://arxiv.org/abs/2004.11362)): targets are
/// uniform over the pairs that are true in `matches`, `[rows, rows]`. Every row and column needs a positive.
pub fn multi_positive(a: Tensor<2>, b: Tensor<2>, scale: Tensor<1>, matches: &Tensor<2, Bool>) -> Tensor<1> {
    let logits = similarity_logits(a, b, scale);
    let matches = matches.clone().float();
    let one = soft_cross_entropy(logits.clone(), matches.clone());
    (one + soft_cross_entropy(logits.transpose(), matches.transpose())) * 0.5
}

/// [SigLIP](https://arxiv.org/abs/2303.15343), equation 1: binary classification of every pair,
/// `−log σ(±(logit + bias))`, summed over pairs and divided by rows.
pub fn pairwise_sigmoid(a: Tensor<2>, b: Tensor<2>, scale: Tensor<1>, bias: Tensor<1>) -> Tensor<1> {
    let logits = similarity_logits(a, b, scale) + bias.unsqueeze::<2>();
    let [rows, _] = logits.dims();
    // +1 on the diagonal, −1 elsewhere.
    let sign = Tensor::<2>::eye(rows, &logits.device()) * 2.0 - 1.0;
    activation::log_sigmoid(logits * sign).sum().neg() / rows as f64
}

/// 1 − mean cosine similarity of matching rows of `a` and `b`, `[rows, dim]`.
pub fn cosine_loss(a: Tensor<2>, b: Tensor<2>) -> Tensor<1> {
    let [rows, _] = a.dims();
    (normalize_rows(a) * normalize_rows(b)).sum() / -(rows.max(1) as f64) + 1.0
}

/// Mean cross entropy of logits `[rows, classes]` with label smoothing, as `torch.nn.CrossEntropyLoss`.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>, smoothing: f32) -> Tensor<1> {
    let log_probabilities = activation::log_softmax(logits, 1);
    // Label smoothing as a mixture of the target and the uniform distribution.
    let picked = log_probabilities.clone().gather(1, targets.unsqueeze_dim::<2>(1)).mean();
    let spread = log_probabilities.mean();
    (picked * (1.0 - smoothing) + spread * smoothing).neg()
}

/// Mean cross entropy against soft targets: `weights`, `[rows, classes]`, normalized per row.
pub fn soft_cross_entropy(logits: Tensor<2>, weights: Tensor<2>) -> Tensor<1> {
    let targets = weights.clone() / weights.sum_dim(1);
    (targets * activation::log_softmax(logits, 1)).sum_dim(1).mean().neg()
}

/// For each row of `a` the index of the most similar row of `b`.
pub fn nearest(a: Tensor<2>, b: Tensor<2>) -> Vec<usize> {
    // Only `b` is normalized: the length of a row of `a` scales all its similarities alike.
    argmax_rows(a.matmul(normalize_rows(b).transpose()))
}

/// Index of the largest value in each row; the first of equal ones.
pub fn argmax_rows(scores: Tensor<2>) -> Vec<usize> {
    scores.argmax(1).into_data().iter::<i64>().map(|at| at as usize).collect()
}

/// Fraction of rows for which `right(row, found)` holds; 0 without rows.
pub fn accuracy(found: &[usize], right: impl Fn(usize, usize) -> bool) -> f64 {
    let count = found.iter().enumerate().filter(|(row, found)| right(*row, **found)).count();
    count as f64 / found.len().max(1) as f64
}

/// Rows of `[rows, dim]` by index.
pub fn select_rows(features: Tensor<2>, picked: &[usize]) -> Tensor<2> {
    let indices: Vec<i64> = picked.iter().map(|i| *i as i64).collect();
    let count = indices.len();
    let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [count]), &features.device());
    features.select(0, indices)
}

/// Pairs of different shapes of the same category where one caption is only the class name: `[rows, rows]`, true if masked.
pub fn same_category_mask(categories: &[usize], is_class_name: &[bool], device: &Device) -> Tensor<2, Bool> {
    pairs(categories.len(), device, |i, j| {
        i != j && categories[i] == categories[j] && (is_class_name[i] || is_class_name[j])
    })
}

/// Pairs to keep among hard negatives ([OpenShape](https://arxiv.org/abs/2305.10764), section 3.3), `[rows, rows]`: pairs of
/// different groups, matches, and pairs whose text is less similar to the image than the image's own by more than `margin`.
/// `similarity` is `[rows, rows]`, image by text, row-major.
pub fn hard_negative_mask(
    groups: &[usize],
    similarity: &[f32],
    margin: f32,
    device: &Device,
) -> Tensor<2, Bool> {
    let count = groups.len();
    let at = |i: usize, j: usize| similarity.get(i * count + j).copied().unwrap_or(0.0);
    pairs(count, device, |i, j| groups[i] != groups[j] || i == j || at(i, i) - at(i, j) > margin)
}

/// True for pairs of equal labels, `[rows, rows]`.
pub fn equal_label_mask(labels: &[usize], device: &Device) -> Tensor<2, Bool> {
    pairs(labels.len(), device, |i, j| labels[i] == labels[j])
}

fn pairs(count: usize, device: &Device, holds: impl Fn(usize, usize) -> bool) -> Tensor<2, Bool> {
    let values: Vec<bool> = (0..count * count).map(|k| holds(k / count, k % count)).collect();
    Tensor::from_data(TensorData::new(values, [count, count]), device)
}

fn diagonal(logits: &Tensor<2>, first: usize) -> Tensor<1, Int> {
    let [rows, _] = logits.dims();
    Tensor::arange(first as i64..(first + rows) as i64, &logits.device())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [[f32; 3]; 3] = [[0.2, 0.1, 0.5], [0.4, -0.3, 0.2], [-0.1, 0.6, 0.3]];
    const B: [[f32; 3]; 3] = [[0.3, -0.2, 0.9], [0.5, 0.4, -0.1], [-0.7, 0.1, 0.2]];
    const SCALE: f32 = 1.5;

    fn tensor<const R: usize, const C: usize>(values: [[f32; C]; R], device: &Device) -> Tensor<2> {
        Tensor::from_floats(values, device)
    }

    /// Gradients of `term` by every element of `A` and `B` and by the scale agree with central differences.
    fn check(name: &str, term: impl Fn(Tensor<2>, Tensor<2>, Tensor<1>) -> Tensor<1>) {
        let device = Device::flex().autodiff();
        let scale = Tensor::<1>::from_floats([SCALE], &device).require_grad();
        let (a, b) = (tensor(A, &device).require_grad(), tensor(B, &device).require_grad());
        let gradients = term(a.clone(), b.clone(), scale.clone()).backward();
        let found = [&a, &b].map(|t| t.grad(&gradients).unwrap().into_data().try_to_vec::<f32>().unwrap());

        let plain = Device::flex();
        let value = |a: [[f32; 3]; 3], b: [[f32; 3]; 3], scale: f32| {
            let scale = Tensor::from_floats([scale], &plain);
            term(tensor(a, &plain), tensor(b, &plain), scale).into_scalar::<f32>()
        };
        let step = 1e-2;
        for i in 0..9 {
            let moved = |mut m: [[f32; 3]; 3], by: f32| {
                m[i / 3][i % 3] += by;
                m
            };
            let slopes = [
                value(moved(A, step), B, SCALE) - value(moved(A, -step), B, SCALE),
                value(A, moved(B, step), SCALE) - value(A, moved(B, -step), SCALE),
            ];
            for (side, slope) in slopes.map(|difference| difference / (2.0 * step)).into_iter().enumerate() {
                let gap = (slope - found[side][i]).abs();
                assert!(gap < 3e-3, "{name}: side {side}, element {i}: {slope} {}", found[side][i]);
            }
        }
        let slope = (value(A, B, SCALE + step) - value(A, B, SCALE - step)) / (2.0 * step);
        let found: f32 = scale.grad(&gradients).unwrap().into_scalar();
        assert!((slope - found).abs() < 3e-3, "{name}: scale: {slope} {found}");
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        check("contrastive", |a, b, scale| contrastive(a, b, scale, &Negatives::All));
        check("masked", |a, b, scale| {
            let pairs = same_category_mask(&[1, 1, 2], &[true, false, false], &a.device());
            contrastive(a, b, scale, &Negatives::Masked(pairs))
        });
        check("zeroed", |a, b, scale| {
            let kept = hard_negative_mask(&[1, 1, 2], &[0.5; 9], 0.1, &a.device());
            contrastive(a, b, scale, &Negatives::Zeroed(kept))
        });
        check("multi-positive", |a, b, scale| {
            let matches = equal_label_mask(&[1, 1, 2], &a.device());
            multi_positive(a, b, scale, &matches)
        });
        check("sigmoid", |a, b, scale| {
            let bias = Tensor::from_floats([-2.0], &a.device());
            pairwise_sigmoid(a, b, scale, bias)
        });
        // It has no temperature: the second term gives the check a gradient by it.
        check("cosine", |a, b, scale| cosine_loss(a, b) + scale);
        check("gathered", |a, b, scale| {
            let halves = |t: Tensor<2>| [t.clone().slice([0..1, 0..3]), t.slice([1..3, 0..3])];
            let a = gather(&halves(a), Gather::WithGradient);
            let b = gather(&halves(b), Gather::WithGradient);
            contrastive_gathered(&a[0], &b[0], scale.clone()) + contrastive_gathered(&a[1], &b[1], scale)
        });
    }

    #[test]
    fn masked_pairs_have_no_loss() {
        let device = Device::flex();
        let same = tensor([[1.0, 0.0], [1.0, 0.0]], &device);
        let scale = Tensor::<1>::from_floats([2.0], &device);
        let ignored = Negatives::Masked(same_category_mask(&[4, 4], &[true, false], &device));
        let loss = contrastive(same.clone(), same.clone(), scale.clone(), &ignored).into_scalar::<f32>();
        assert!(loss.abs() < 1e-6);
        assert!(contrastive(same.clone(), same, scale, &Negatives::All).into_scalar::<f32>() > 0.5);
    }

    #[test]
    fn one_positive_per_row_is_the_plain_loss() {
        let device = Device::flex();
        let scale = || Tensor::<1>::from_floats([SCALE], &device);
        let (a, b) = (tensor(A, &device), tensor(B, &device));
        let plain = contrastive(a.clone(), b.clone(), scale(), &Negatives::All).into_scalar::<f32>();
        let several = multi_positive(a.clone(), b.clone(), scale(), &equal_label_mask(&[0, 1, 2], &device));
        assert!((plain - several.into_scalar::<f32>()).abs() < 1e-6);
        let ranks = gather(&[a], Gather::Detached);
        let among = contrastive_gathered(&ranks[0], &gather(&[b], Gather::Detached)[0], scale());
        assert!((plain - among.into_scalar::<f32>()).abs() < 1e-6);
    }
}
