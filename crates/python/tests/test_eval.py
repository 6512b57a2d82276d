"""Evaluations, against scikit-learn's definitions computed here by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lexiform
from conftest import SAMPLES


def rows(n: int, dim: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def test_zero_shot_counts_ranks() -> None:
    features, classes = rows(200, 16, 0), rows(12, 16, 1)
    labels = np.random.default_rng(2).integers(0, 12, 200)
    cosines = features @ (classes / np.linalg.norm(classes, axis=1, keepdims=True)).T
    ranks = (cosines > cosines[np.arange(200), labels][:, None]).sum(axis=1)
    report = lexiform.eval.zero_shot(features, classes, labels)
    for k in (1, 3, 5):
        assert report[f"top_{k}"] == pytest.approx((ranks < k).mean())
    per_class = [np.mean(ranks[labels == c] == 0) for c in range(12) if (labels == c).any()]
    assert report["mean_class_accuracy"] == pytest.approx(np.mean(per_class))
    best = np.array([row[0] for row in report.details["top_k"]])
    np.testing.assert_array_equal(best, cosines.argmax(axis=1))
    assert report.intervals["top_1"]["low"] <= report["top_1"] <= report.intervals["top_1"]["high"]
    assert "top_1" in repr(report) and len(report) == len(list(report))
    pytest.importorskip("pandas")
    assert report.to_pandas()["top_1"] == report["top_1"] and len(report.per_class()) == 12


def test_retrieval_ranks_the_gallery() -> None:
    queries, gallery = rows(50, 8, 3), rows(80, 8, 4)
    relevant = [[i, 79 - i] for i in range(50)]
    cosines = queries @ (gallery / np.linalg.norm(gallery, axis=1, keepdims=True)).T
    order = np.argsort(-cosines, axis=1, kind="stable")
    first = np.array([min(int(np.where(order[i] == item)[0][0]) for item in relevant[i]) for i in range(50)])
    report = lexiform.eval.retrieval(queries, gallery, relevant)
    for k in (1, 3, 5, 10):
        assert report[f"recall_{k}"] == pytest.approx((first < k).mean())
    assert report["mean_reciprocal_rank"] == pytest.approx((1 / (first + 1)).mean())
    assert report.details["first_ranks"] == (first + 1).tolist()
    assert lexiform.eval.retrieval(gallery, gallery)["recall_1"] == 1.0


def test_a_probe_separates_what_is_separable() -> None:
    labels = np.repeat(np.arange(4), 30)
    features = (np.eye(4)[labels] * 4 + rows(120, 4, 5)).astype(np.float32)
    report = lexiform.eval.linear_probe(features[::2], labels[::2], features[1::2], labels[1::2])
    assert report["top_1"] > 0.9 and report.details["c"] > 0 and report.details["c_search"]
    fixed = lexiform.eval.linear_probe(features[::2], labels[::2], features[1::2], labels[1::2], c=1.0)
    assert fixed.details["c"] == 1.0
    shots = lexiform.eval.few_shot(features, labels, ways=4, shots=5, episodes=50)
    assert shots["accuracy"] > 0.9 and len(shots.details["accuracies"]) == 50 and shots.details["ci95"] >= 0
    assert lexiform.eval.few_shot(features, labels, ways=2, queries=5, episodes=5, learner="probe")["accuracy"] > 0.8


def test_files_are_evaluated_by_the_command(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    names = {"armchair.glb": "chair", "banana.glb": "banana", "axe.stl": "axe"}
    table.write_text("file,label\n" + "".join(f"{name},{label}\n" for name, label in names.items()))
    (found,) = lexiform.eval.zero_shot_files(table, assets=SAMPLES, model="nano", views=[4])
    assert found["views"] == 4
    assert found["shapes"] == 3 and 0 <= found["top_1"] <= 1
    with pytest.raises(lexiform.EvalError, match="missing"):
        lexiform.eval.zero_shot_files(tmp_path / "missing.csv")
    with pytest.raises(lexiform.EvalError):
        lexiform.eval.retrieval_files(table, no_such_option=1)


def test_every_evaluation_of_files_has_its_command(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    kinds = {"chair": ["armchair.glb", "chair_01.glb"], "fruit": ["banana.glb", "apple_01.glb"]}
    pairs = [(name, label) for label, names in kinds.items() for name in names if (SAMPLES / name).exists()]
    table.write_text("file,label\n" + "".join(f"{name},{label}\n" for name, label in pairs))
    with pytest.raises(lexiform.EvalError):
        lexiform.eval.few_shot_files(table, assets=SAMPLES, ways=9)
    with pytest.raises(lexiform.EvalError):
        lexiform.eval.linear_probe_files(tmp_path / "none.csv")
    captions = tmp_path / "captions.csv"
    captions.write_text("file,caption\nbanana.glb,a banana\naxe.stl,an axe\n")
    found = lexiform.eval.retrieval_files(captions, assets=SAMPLES)
    assert found and all(isinstance(row, dict) for row in found)
    assert isinstance(lexiform.eval.zero_shot(np.eye(2), np.eye(2), [0, 1]), lexiform.eval.Report)


def test_wrong_arrays_are_errors() -> None:
    ones = np.ones((3, 2))
    cases = [
        lambda: lexiform.eval.zero_shot(ones, ones, [0, 1]),
        lambda: lexiform.eval.zero_shot(ones, ones, [0, 1, 3]),
        lambda: lexiform.eval.zero_shot(ones, ones, [0, 1, -1]),
        lambda: lexiform.eval.zero_shot(ones, ones, [0.0, 1.0, 1.0]),
        lambda: lexiform.eval.zero_shot(ones, np.ones((3, 5)), [0, 1, 2]),
        lambda: lexiform.eval.zero_shot(np.zeros((3, 2)), ones, [0, 1, 2]),
        lambda: lexiform.eval.zero_shot(np.ones(3), ones, [0]),
        lambda: lexiform.eval.retrieval(ones, ones, [[0], [1], [9]]),
        lambda: lexiform.eval.few_shot(ones, [0, 0, 0]),
        lambda: lexiform.eval.few_shot(ones, [0, 1, 0], learner="tree"),
        lambda: lexiform.eval.linear_probe(ones, [0, 0, 0], ones, [0, 0, 0]),
    ]
    for case in cases:
        with pytest.raises(ValueError):
            case()
