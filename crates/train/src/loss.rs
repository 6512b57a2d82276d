//! Losses as plain functions of features.

use burn::tensor::{Bool, Int, Tensor, TensorData, activation};

/// Rows divided by their norms; `[rows, dim]`.
pub fn normalize_rows(features: Tensor<2>) -> Tensor<2> {
    // torch's `normalize` clamps the norm at 1e-12; squared here because the gradient of a root at 0 is not finite.
    let norms = features.clone().square().sum_dim(1).clamp_min(1e-24).sqrt();
    features / norms
}

/// Symmetric InfoNCE between matching rows of `a` and `b`, `[rows, dim]`, with `scale` the logarithm of the
/// multiplier (CLIP; Duoduo CLIP, section 3.2). Pairs in `ignored` are neither positive nor negative.
pub fn contrastive(
    a: Tensor<2>,
    b: Tensor<2>,
    scale: Tensor<1>,
    ignored: Option<Tensor<2, Bool>>,
) -> Tensor<1> {
    let multiplier = scale.exp().unsqueeze::<2>();
    let logits = normalize_rows(a).matmul(normalize_rows(b).transpose()) * multiplier;
    let logits = match ignored {
        Some(ignored) => logits.mask_fill(ignored, -1e9),
        None => logits,
    };
    let [rows, _] = logits.dims();
    let targets = Tensor::<1, Int>::arange(0..rows as i64, &logits.device());
    let one = cross_entropy(logits.clone(), targets.clone(), 0.0);
    (one + cross_entropy(logits.transpose(), targets, 0.0)) * 0.5
}

/// Mean cross entropy of `[rows, classes]` logits, with `smoothing` of the mass spread over all classes.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>, smoothing: f32) -> Tensor<1> {
    let log_probabilities = activation::log_softmax(logits, 1);
    let picked = log_probabilities.clone().gather(1, targets.unsqueeze_dim::<2>(1)).mean();
    let spread = log_probabilities.mean();
    (picked * (1.0 - smoothing) + spread * smoothing).neg()
}

/// Pairs to ignore: the same category, but another shape, under a caption that fits both.
pub fn ignored_pairs(
    categories: &[usize],
    general: &[bool],
    device: &burn::tensor::Device,
) -> Tensor<2, Bool> {
    let rows = categories.len();
    let pairs: Vec<bool> = (0..rows * rows)
        .map(|k| (k / rows, k % rows))
        .map(|(i, j)| i != j && categories[i] == categories[j] && (general[i] || general[j]))
        .collect();
    Tensor::from_data(TensorData::new(pairs, [rows, rows]), device)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn tensor<const R: usize, const C: usize>(values: [[f32; C]; R], device: &Device) -> Tensor<2> {
        Tensor::from_floats(values, device)
    }

    fn loss(a: Tensor<2>, scale: f32) -> f32 {
        let device = a.device();
        let b = tensor([[0.3, -0.2, 0.9], [0.5, 0.4, -0.1], [-0.7, 0.1, 0.2]], &device);
        contrastive(a, b, Tensor::from_floats([scale], &device), None).into_scalar::<f32>()
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let device = Device::flex().autodiff();
        let start = [[0.2, 0.1, 0.5], [0.4, -0.3, 0.2], [-0.1, 0.6, 0.3]];
        let a = tensor(start, &device).require_grad();
        let b = tensor([[0.3, -0.2, 0.9], [0.5, 0.4, -0.1], [-0.7, 0.1, 0.2]], &device);
        let scale = Tensor::<1>::from_floats([1.5], &device).require_grad();
        let gradients = contrastive(a.clone(), b, scale.clone(), None).backward();
        let found: Vec<f32> = a.grad(&gradients).unwrap().into_data().try_to_vec().unwrap();
        let plain = Device::flex();
        let step = 1e-2;
        for i in 0..9 {
            let (mut up, mut down) = (start, start);
            up[i / 3][i % 3] += step;
            down[i / 3][i % 3] -= step;
            let slope = (loss(tensor(up, &plain), 1.5) - loss(tensor(down, &plain), 1.5)) / (2.0 * step);
            assert!((slope - found[i]).abs() < 2e-3, "{i}: {slope} {}", found[i]);
        }
        let slope = (loss(tensor(start, &plain), 1.51) - loss(tensor(start, &plain), 1.49)) / 0.02;
        let found: f32 = scale.grad(&gradients).unwrap().into_scalar();
        assert!((slope - found).abs() < 2e-3, "{slope} {found}");
    }

    #[test]
    fn ignored_pairs_do_not_push() {
        let device = Device::flex();
        let same = tensor([[1.0, 0.0], [1.0, 0.0]], &device);
        let scale = Tensor::<1>::from_floats([2.0], &device);
        let ignored = ignored_pairs(&[4, 4], &[true, false], &device);
        let apart =
            contrastive(same.clone(), same.clone(), scale.clone(), Some(ignored)).into_scalar::<f32>();
        assert!(apart.abs() < 1e-6);
        assert!(contrastive(same.clone(), same, scale, None).into_scalar::<f32>() > 0.5);
    }
}
