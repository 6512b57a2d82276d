"""Golden values of fixtures/eval, from NumPy, SciPy and scikit-learn (and torchmetrics, if installed, as a second
opinion): random features in, the metrics of these libraries out.

    python -m venv ENV && ENV/bin/pip install numpy scipy scikit-learn safetensors   # torchmetrics is optional
    ENV/bin/python xtask/baselines/metrics.py fixtures/eval [SEED]
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    ndcg_score,
    top_k_accuracy_score,
)

CUTOFFS = [1, 3, 5, 10]
# Counts are the same, so only the order of 64-bit sums differs.
TOLERANCE = 1e-9
MASK = (1 << 64) - 1


class SplitMix64:
    """The generator of lexiform_metrics::SplitMix64."""

    def __init__(self, state):
        self.state = state & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, limit):
        return (self.next() * limit) >> 64


def unit(x):
    x = x.astype(np.float64)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def classification(rng, tensors, expected):
    classes, templates, items, dim = 12, 3, 150, 24
    centers = rng.normal(size=(classes, dim))
    sentences = (centers[:, None] + rng.normal(size=(classes, templates, dim))).astype(np.float32)
    sentences *= rng.uniform(0.5, 2.0, size=(classes, templates, 1)).astype(np.float32)
    # Class 11 has no items, class 10 a single one.
    truth = rng.integers(0, 10, size=items)
    truth[7] = 10
    features = (centers[truth] + 1.6 * rng.normal(size=(items, dim))).astype(np.float32)
    tensors |= {"sentences": sentences.reshape(-1, dim), "items": features, "truth": truth}
    heads = {
        "directions": unit(unit(sentences).mean(axis=1)),
        "features": unit(sentences.astype(np.float64).mean(axis=1)),
        "lengths": sentences.astype(np.float64).mean(axis=1),
    }
    for name, head in heads.items():
        scores = unit(features) @ head.T
        first = scores.argmax(axis=1)
        numbers = {f"top_{k}": top_k_accuracy_score(truth, scores, k=k, labels=range(classes)) for k in (1, 3, 5)}
        numbers["mean_class_accuracy"] = balanced_accuracy_score(truth, first)
        numbers["macro_f1"] = f1_score(truth, first, average="macro")
        numbers["first"] = first.tolist()
        expected[name] = numbers
        check_classification_with_torchmetrics(scores, truth, numbers)
    intervals(unit(features) @ heads["directions"].T, truth, expected)


def intervals(scores, truth, expected, resamples=200, seed=7):
    ranks = (scores > scores[np.arange(len(truth)), truth][:, None]).sum(axis=1) + 1
    values = []
    for i in range(resamples):
        start = SplitMix64(seed).next()
        stream = SplitMix64(start ^ ((i * 0xD1B54A32D192ED03) & MASK))
        draw = np.array([stream.below(len(truth)) for _ in truth])
        r, t = ranks[draw], truth[draw]
        values.append([*(float((r <= k).mean()) for k in (1, 3, 5)), np.mean([(r[t == c] == 1).mean() for c in np.unique(t)])])
    ends = np.percentile(np.array(values), [2.5, 97.5], axis=0)
    expected["intervals"] = {"resamples": resamples, "seed": seed, "low": ends[0].tolist(), "high": ends[1].tolist()}


def retrieval(rng, tensors, expected):
    queries, gallery, dim = 40, 70, 16
    items = rng.normal(size=(gallery, dim)).astype(np.float32)
    right = np.zeros((queries, gallery), dtype=np.int64)
    asked = np.empty((queries, dim), dtype=np.float32)
    for i in range(queries):
        answers = rng.choice(gallery, size=rng.integers(1, 5), replace=False)
        right[i, answers] = 1
        asked[i] = items[answers[0]] + 1.5 * rng.normal(size=dim)
    tensors |= {"queries": asked, "gallery": items, "right": right}
    scores = unit(asked) @ unit(items).T
    order = np.argsort(-scores, axis=1, kind="stable")
    sorted_right = np.take_along_axis(right, order, axis=1)
    first = sorted_right.argmax(axis=1) + 1
    expected["retrieval"] = {
        "recall": [float((first <= k).mean()) for k in CUTOFFS],
        "recall_all": [float((sorted_right[:, :k].sum(1) / right.sum(1)).mean()) for k in CUTOFFS],
        "ndcg": [float(ndcg_score(right, scores, k=k)) for k in CUTOFFS],
        "mean_rank": float(first.mean()),
        "median_rank": float(np.median(first)),
        "mean_reciprocal_rank": float((1.0 / first).mean()),
        "mean_average_precision": float(np.mean([average_precision_score(r, s) for r, s in zip(right, scores)])),
    }
    check_retrieval_with_torchmetrics(scores, right, expected["retrieval"])


def use_float64(torch):
    """torchmetrics counts in 32 bits, by the default, by `.float()` and by name: here all three are set to 64."""
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double
    torch.float32 = torch.float64


def has_torchmetrics():
    try:
        import torchmetrics  # noqa: F401
    except ImportError:
        print("torchmetrics is not installed: no second opinion")
        return False
    import torch

    use_float64(torch)
    return True


def agrees(reference, numbers):
    for name, value in reference.items():
        worst = np.abs(np.array(value) - np.array(numbers[name])).max()
        assert worst < TOLERANCE, (name, worst)
        print(f"torchmetrics agrees on {name}: {worst:.1e}")


def check_retrieval_with_torchmetrics(scores, right, numbers):
    if not has_torchmetrics():
        return
    import torch
    from torchmetrics.retrieval import (
        RetrievalHitRate,
        RetrievalMAP,
        RetrievalMRR,
        RetrievalNormalizedDCG,
        RetrievalRecall,
    )

    # torchmetrics' average precision leaves out right answers whose score is not above zero.
    flat = [torch.tensor(x.ravel()) for x in (scores + 2.0, right)]
    index = torch.arange(len(scores)).repeat_interleave(scores.shape[1])
    reference = {
        "recall": [float(RetrievalHitRate(top_k=k)(*flat, indexes=index)) for k in CUTOFFS],
        "recall_all": [float(RetrievalRecall(top_k=k)(*flat, indexes=index)) for k in CUTOFFS],
        "ndcg": [float(RetrievalNormalizedDCG(top_k=k)(*flat, indexes=index)) for k in CUTOFFS],
        "mean_reciprocal_rank": float(RetrievalMRR()(*flat, indexes=index)),
        "mean_average_precision": float(RetrievalMAP()(*flat, indexes=index)),
    }
    agrees(reference, numbers)


def check_classification_with_torchmetrics(scores, truth, numbers):
    if not has_torchmetrics():
        return
    import torch
    from torchmetrics.functional.classification import multiclass_accuracy, multiclass_f1_score

    # It treats scores between 0 and 1 as probabilities.
    pair, classes = (torch.tensor(scores + 2.0), torch.tensor(truth)), scores.shape[1]
    reference = {f"top_{k}": float(multiclass_accuracy(*pair, classes, "micro", top_k=k)) for k in (1, 3, 5)}
    reference["macro_f1"] = float(multiclass_f1_score(*pair, classes, "macro"))
    agrees(reference, numbers)


def probe(rng, tensors, expected):
    classes, items, dim, c = 4, 120, 10, 30.0
    centers = rng.normal(size=(classes, dim))
    labels = rng.integers(0, classes, size=items)
    features = (centers[labels] + rng.normal(size=(items, dim))).astype(np.float32)
    tensors |= {"probe_items": features, "probe_labels": labels}
    x = unit(features).astype(np.float32).astype(np.float64)
    model = LogisticRegression(C=c, tol=1e-12, max_iter=100_000, solver="newton-cg").fit(x, labels)
    probabilities = model.predict_proba(x)
    entropy = -np.log(probabilities[np.arange(items), labels]).mean()
    expected["probe"] = {
        "c": c,
        "loss": entropy + (model.coef_**2).sum() / (2 * c * items),
        "coefficients": model.coef_.ravel().tolist(),
        "first": model.predict(x).tolist(),
        "accuracy": float(model.score(x, labels)),
    }


def paired(rng, tensors, expected):
    first, second = rng.random(80) < 0.6, rng.random(80) < 0.72
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    expected["paired"] = {
        "first": first.tolist(),
        "second": second.tolist(),
        "difference": float(second.mean() - first.mean()),
        "p_value": float(binomtest(only_first, only_first + only_second, 0.5).pvalue),
    }


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    rng, tensors, expected = np.random.default_rng(seed), {}, {}
    for part in (classification, retrieval, probe, paired):
        part(rng, tensors, expected)
    save_file({name: np.ascontiguousarray(x) for name, x in tensors.items()}, folder / "metrics.safetensors")
    (folder / "metrics.json").write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in expected.items()) + "\n}\n")


main()
