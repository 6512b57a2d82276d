//! burn's own operations are the slow twins, forward and backward.

use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Device, Tensor, TensorData, module};
use lexiform_golden::{Golden, fixture};

use super::*;

/// Every activation.
const ACTIVATIONS: [Activation; 5] =
    [Activation::Gelu, Activation::QuickGelu, Activation::GeluTanh, Activation::Silu, Activation::Relu];

/// Deterministic pseudo-random numbers around 0.
fn some<const D: usize>(shape: [usize; D], seed: usize, device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let number = |i: usize| ((i * 7919 + seed * 104_729) % 2017) as f32 / 1008.5 - 1.0;
    Tensor::from_data(TensorData::new((0..count).map(number).collect(), shape), device)
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec().unwrap()
}

#[track_caller]
fn assert_close(fast: &[f32], slow: &[f32], tolerance: f32) {
    assert_eq!(fast.len(), slow.len());
    let size = slow.iter().fold(1e-3f32, |most, x| most.max(x.abs()));
    let worst = fast.iter().zip(slow).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / size;
    assert!(worst < tolerance, "{worst:e}");
}

/// The result and the gradients of tensors, where the loss weighs each number of the result by another amount.
macro_rules! learned {
    (|$($input:ident),+| $body:expr) => {{
        $(let $input = $input.clone().require_grad();)+
        let result = $body;
        let weights = some(result.dims(), 99, &Device::flex().autodiff());
        let gradients = (result.clone() * weights).sum().backward();
        vec![numbers(result.inner()), $(numbers($input.grad(&gradients).unwrap())),+]
    }};
}

/// Activations, with everything that products are computed in.
fn cases<A: Copy>(activations: &[A]) -> Vec<(A, Products)> {
    let precisions = [Some(Products::F32), Products::bf16()].into_iter().flatten();
    precisions
        .flat_map(|products| activations.iter().map(move |activation| (*activation, products)))
        .collect()
}

/// Close to results in `f32`; on the average only if operands are rounded to 8 bits, which turns a few derivatives of ReLU over.
#[track_caller]
fn assert_near(products: Products, fast: &[f32], slow: &[f32]) {
    if products == Products::F32 {
        return assert_close(fast, slow, 3e-6);
    }
    let size = |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let off = size(&mut fast.iter().zip(slow).map(|(a, b)| a - b)) / size(&mut slow.iter().copied());
    assert!(off < 0.1, "{off:e}");
}

#[test]
fn linear_maps_agree_with_the_tensor_operations() {
    let device = Device::flex().autodiff();
    let (x, weight) = (some([3, 50, 20], 1, &device), some([20, 36], 2, &device));
    let (bias, skip) = (some([36], 3, &device), some([3, 50, 36], 4, &device));
    let activations: Vec<_> = ACTIVATIONS.map(Some).into_iter().chain([None]).collect();
    for (activation, products) in cases(&activations) {
        let fused = FusedLinear { activation, products };
        let fast = learned!(|x, weight, bias, skip| linear(
            x.clone(),
            weight.clone(),
            Some(bias.clone()),
            Some(skip.clone()),
            fused
        ));
        let apply = |x| if let Some(activation) = activation { Activation::apply(activation, x) } else { x };
        let slow = learned!(|x, weight, bias, skip| {
            apply(module::linear(x.clone(), weight.clone(), Some(bias.clone()))) + skip.clone()
        });
        fast.iter().zip(&slow).for_each(|(fast, slow)| assert_near(products, fast, slow));
        let fast = learned!(|x, weight| linear(x.clone(), weight.clone(), None, None, fused));
        let slow = learned!(|x, weight| apply(module::linear(x.clone(), weight.clone(), None)));
        fast.iter().zip(&slow).for_each(|(fast, slow)| assert_near(products, fast, slow));
        let plain = linear(x.clone().inner(), weight.clone().inner(), None, None, fused);
        assert_eq!(numbers(plain), fast[0]);
    }
}

#[test]
fn mlps_agree_with_the_tensor_operations() {
    let device = Device::flex().autodiff();
    let (x, skip) = (some([3, 50, 20], 1, &device), some([3, 50, 24], 6, &device));
    let (w_1, b_1) = (some([20, 36], 2, &device), some([36], 3, &device));
    let (w_2, b_2) = (some([36, 24], 4, &device), some([24], 5, &device));
    for (activation, products) in cases(&ACTIVATIONS) {
        let fused = FusedMlp { activation, products };
        let fast = learned!(|x, w_1, b_1, w_2, b_2, skip| {
            let maps = [(w_1.clone(), Some(b_1.clone())), (w_2.clone(), Some(b_2.clone()))];
            mlp(x.clone(), maps, Some(skip.clone()), fused)
        });
        let slow = learned!(|x, w_1, b_1, w_2, b_2, skip| {
            let hidden = module::linear(x.clone(), w_1.clone(), Some(b_1.clone()));
            module::linear(activation.apply(hidden), w_2.clone(), Some(b_2.clone())) + skip.clone()
        });
        fast.iter().zip(&slow).for_each(|(fast, slow)| assert_near(products, fast, slow));
        // Frozen weights, as in CLIP's towers: gradients go through to what comes before.
        let through = learned!(|x| mlp(x.clone(), [(w_1.clone(), None), (w_2.clone(), None)], None, fused));
        let slow = learned!(|x| {
            let hidden = activation.apply(module::linear(x.clone(), w_1.clone(), None));
            module::linear(hidden, w_2.clone(), None)
        });
        through.iter().zip(&slow).for_each(|(fast, slow)| assert_near(products, fast, slow));
        let maps = [(w_1.clone().inner(), None), (w_2.clone().inner(), None)];
        assert_eq!(numbers(mlp(x.clone().inner(), maps, None, fused)), through[0]);
    }
}

#[test]
fn frozen_tensors_get_no_gradient() {
    let device = Device::flex().autodiff();
    let (x, weight) = (some([6, 8], 1, &device), some([8, 4], 2, &device).require_grad());
    let with_gelu = FusedLinear { activation: Some(Activation::Gelu), ..FusedLinear::default() };
    let result = linear(x.clone(), weight.clone(), None, None, with_gelu);
    let gradients = result.sum().backward();
    assert!(x.grad(&gradients).is_none() && weight.grad(&gradients).is_some());
    let frozen = linear(x.clone(), weight.clone().detach(), None, None, FusedLinear::default());
    assert!(!frozen.is_require_grad());
}

#[test]
fn norms_agree_with_the_tensor_operation() {
    let device = Device::flex().autodiff();
    let (x, weight, bias) = (some([5, 17, 33], 1, &device), some([33], 2, &device), some([33], 3, &device));
    let fast = learned!(|x, weight, bias| norm(x.clone(), weight.clone(), bias.clone(), 1e-5));
    let slow =
        learned!(|x, weight, bias| module::layer_norm(x.clone(), weight.clone(), Some(bias.clone()), 1e-5));
    fast.iter().zip(&slow).for_each(|(fast, slow)| assert_close(fast, slow, 3e-6));
}

#[test]
fn batch_norms_agree_with_the_tensor_operation() {
    let device = Device::flex().autodiff();
    let (x, weight, bias) = (some([700, 19], 1, &device), some([19], 2, &device), some([19], 3, &device));
    let x = x + 0.3;
    for relu in [false, true] {
        let of = |x: &Tensor<2>, weight: &Tensor<1>, bias: &Tensor<1>| {
            batch_norm(x.clone(), [weight.clone(), bias.clone()], 1e-5, relu)
        };
        let slowly = |x: &Tensor<2>, weight: &Tensor<1>, bias: &Tensor<1>| {
            module::batch_norm_train(x.clone(), weight.clone(), bias.clone(), 1e-5)
        };
        let cut = |y: Tensor<2>| if relu { burn::tensor::activation::relu(y) } else { y };
        let fast = learned!(|x, weight, bias| of(&x, &weight, &bias).output);
        let slow = learned!(|x, weight, bias| cut(slowly(&x, &weight, &bias).output));
        fast.iter().zip(&slow).for_each(|(fast, slow)| assert_close(fast, slow, 2e-5));
        let (fast, slow) = (of(&x, &weight, &bias), slowly(&x, &weight, &bias));
        assert_close(&numbers(fast.mean.inner()), &numbers(slow.mean.inner()), 1e-6);
        assert_close(&numbers(fast.variance.inner()), &numbers(slow.variance.inner()), 1e-6);
    }
}

/// Attention in burn's operations.
fn slowly(packed: Tensor<3>, attn_shape: AttentionShape) -> Tensor<3> {
    let [groups, length, _] = packed.dims();
    let AttentionShape { heads, head_width: width, row, first, causal } = attn_shape;
    let packed = packed.reshape([groups, length, 3, heads, width]);
    let part = |i: usize| {
        packed.clone().slice([0..groups, 0..length, i..i + 1]).reshape([groups, length, heads, width])
    };
    let rows = length / row;
    let query = part(0).reshape([groups * rows, row, heads, width]).slice([0..groups * rows, 0..first]);
    let query = query.reshape([groups, rows * first, heads, width]);
    let [query, key, value] = [query, part(1), part(2)].map(|x| x.swap_dims(1, 2));
    let options = AttentionModuleOptions { is_causal: causal, ..Default::default() };
    let mixed = module::attention(query, key, value, None, None, options);
    mixed.swap_dims(1, 2).reshape([groups, rows * first, heads * width])
}

#[test]
fn attention_agrees_with_the_tensor_operation() {
    let device = Device::flex().autodiff();
    // The third is taken in several pieces, the fourth and fifth see only some queries.
    for (groups, length, row, first, causal) in [
        (3, 17, 17, 17, false),
        (2, 40, 40, 40, true),
        (1, 1100, 1100, 1100, false),
        (2, 24, 8, 1, false),
        (2, 24, 8, 3, false),
        (1, 700, 700, 700, true),
    ] {
        let attn_shape = AttentionShape { heads: 3, head_width: 8, row, first, causal };
        let packed = some([groups, length, 72], 5, &device) * 3.0;
        let fast = learned!(|packed| attention(packed.clone(), attn_shape));
        let slow = learned!(|packed| slowly(packed.clone(), attn_shape));
        fast.iter().zip(&slow).for_each(|(fast, slow)| assert_close(fast, slow, 1e-5));
    }
}

/// Every n-th value, as many as the reference kept.
fn sample(values: &[f32], count: usize) -> Vec<f32> {
    values.iter().step_by((values.len() / 600).max(1)).copied().take(count).collect()
}

/// PyTorch's `scaled_dot_product_attention` and its gradient, computed in 64 bits (`xtask/peers/attention.py`).
#[test]
fn attention_matches_pytorch() {
    let golden = Golden::read(&fixture("nn/attention.safetensors"));
    let device = Device::flex().autodiff();
    for name in golden.names().iter().filter_map(|name| name.strip_suffix(".shape")) {
        let sizes: Vec<usize> =
            golden.values(&format!("{name}.shape")).into_iter().map(|x| x as usize).collect();
        let [groups, length, heads, head_width, row, first, causal] = sizes[..] else { panic!("{name}") };
        let attn_shape = AttentionShape { heads, head_width, row, first, causal: causal == 1 };
        let packed = some([groups, length, 3 * heads * head_width], 5, &device) * 1.5;
        let found = learned!(|packed| attention(packed.clone(), attn_shape));
        for (found, part) in found.iter().zip(["output", "gradient"]) {
            let expected: Vec<f32> =
                golden.values(&format!("{name}.{part}")).into_iter().map(|x| x as f32).collect();
            assert_close(&sample(found, expected.len()), &expected, 1e-5);
        }
    }
}

/// Output and gradient of one group and head, by the formulas, in 64 bits: query `i` sees the tokens that `sees` says.
fn naively(
    [query, key, value, weights]: [&[Vec<f64>]; 4],
    sees: impl Fn(usize, usize) -> bool,
) -> [Vec<Vec<f64>>; 4] {
    let (queries, tokens, width) = (query.len(), key.len(), value[0].len());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let scale = (width as f64).powf(-0.5);
    let zeros = |rows: usize| vec![vec![0.0; width]; rows];
    let [mut out, mut of_query, mut of_key, mut of_value] = [queries, queries, tokens, tokens].map(zeros);
    let add = |sum: &mut [f64], row: &[f64], by: f64| sum.iter_mut().zip(row).for_each(|(s, x)| *s += x * by);
    for i in 0..queries {
        let score = |j: usize| if sees(i, j) { (scale * dot(&query[i], &key[j])).exp() } else { 0.0 };
        let sum: f64 = (0..tokens).map(score).sum();
        for j in 0..tokens {
            add(&mut out[i], &value[j], score(j) / sum);
            add(&mut of_value[j], &weights[i], score(j) / sum);
        }
        let mean = dot(&weights[i], &out[i]);
        for j in 0..tokens {
            let of_score = score(j) / sum * (dot(&weights[i], &value[j]) - mean) * scale;
            add(&mut of_query[i], &key[j], of_score);
            add(&mut of_key[j], &query[i], of_score);
        }
    }
    [out, of_query, of_key, of_value]
}

#[test]
fn attention_matches_its_formulas() {
    let device = Device::flex().autodiff();
    for (length, row, first, width, causal) in
        [(70, 70, 70, 24, true), (150, 50, 50, 64, false), (66, 33, 2, 5, false), (300, 300, 300, 16, false)]
    {
        let packed = some([1, length, 3 * width], 7, &device) * 2.0;
        let attn_shape = AttentionShape { heads: 1, head_width: width, row, first, causal };
        let found = learned!(|packed| attention(packed.clone(), attn_shape));
        let rows = |values: &[f32], width: usize| -> Vec<Vec<f64>> {
            values.chunks(width).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect()
        };
        let packed = rows(&numbers(packed.inner()), width);
        let part = |i: usize| -> Vec<Vec<f64>> { packed.iter().skip(i).step_by(3).cloned().collect() };
        let is_query = |at: &usize| at % row < first;
        let of_queries = |values: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
            (0..length).filter(is_query).map(|at| values[at].clone()).collect()
        };
        let query = of_queries(part(0));
        let weights = rows(&numbers(some([1, query.len(), width], 99, &Device::flex())), width);
        let sees = |i: usize, j: usize| !causal || j <= i;
        let [out, of_query, of_key, of_value] = naively([&query, &part(1), &part(2), &weights], sees);
        let gradient = rows(&found[1], width);
        let of = |i: usize| -> Vec<Vec<f64>> { gradient.iter().skip(i).step_by(3).cloned().collect() };
        let flat = |rows: &[Vec<f64>]| -> Vec<f32> { rows.concat().into_iter().map(|x| x as f32).collect() };
        assert_close(&found[0], &flat(&out), 1e-5);
        assert_close(&flat(&of_queries(of(0))), &flat(&of_query), 1e-5);
        assert_close(&flat(&of(1)), &flat(&of_key), 1e-5);
        assert_close(&flat(&of(2)), &flat(&of_value), 1e-5);
    }
}

#[test]
fn empty_batches_give_empty_results() {
    let device = Device::flex();
    let attn_shape = AttentionShape { heads: 2, head_width: 4, row: 5, first: 5, causal: false };
    assert_eq!(attention(Tensor::empty([0, 5, 24], &device), attn_shape).dims(), [0, 5, 8]);
    let empty = linear(
        Tensor::<2>::empty([0, 3], &device),
        some([3, 2], 1, &device),
        None,
        None,
        FusedLinear::default(),
    );
    assert_eq!(empty.dims(), [0, 2]);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let work = || {
        let device = Device::flex().autodiff();
        let (x, weight) = (some([300, 64], 1, &device), some([64, 192], 2, &device));
        let (ones, bias) = (some([64], 3, &device), some([192], 4, &device));
        learned!(|x, weight, ones, bias| {
            let normed = norm(x.clone(), ones.clone(), ones.clone(), 1e-5);
            let fused = FusedLinear { activation: Some(Activation::Gelu), ..FusedLinear::default() };
            let packed = linear(normed, weight.clone(), Some(bias.clone()), None, fused);
            let attn_shape = AttentionShape { heads: 4, head_width: 16, row: 50, first: 50, causal: false };
            attention(packed.reshape([6, 50, 192]), attn_shape)
        })
    };
    let with = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work);
    assert_eq!(with(1), with(3));
}
