"""Evaluations: of features that are arrays, and of files by any of the papers' protocols.

Functions on arrays return a ``Report``. Functions on files run ``lexiform eval`` with ``--json`` and return its results; every
option of the command is a keyword argument (``views=[1, 4, 12]`` is ``--views 1,4,12``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _lexiform
from ._arrays import PathLike, as_array, as_floats
from ._lines import lines
from .errors import EvalError, InvalidArgument

__all__ = [
    "Report",
    "attributes",
    "few_shot",
    "few_shot_files",
    "linear_probe",
    "linear_probe_files",
    "retrieval",
    "retrieval_files",
    "zero_shot",
    "zero_shot_files",
]


class Report(Mapping[str, Any]):
    """Metrics by name, fractions from 0 to 1.

    Attributes
    ----------
    intervals
        95 % bootstrap confidence intervals by metric.
    details
        Everything else: ``per_class`` metrics, the ``top_k`` classes or items of each row.
    """

    def __init__(self, metrics: Mapping[str, Any], intervals: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        self._metrics = dict(metrics)
        self.intervals = dict(intervals)
        self.details = dict(details)

    def __getitem__(self, name: str) -> Any:
        return self._metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def to_pandas(self) -> Any:
        """The metrics as a ``Series``; needs pandas."""
        import pandas

        return pandas.Series(self._metrics)

    def per_class(self) -> Any:
        """Metrics of each class as a ``DataFrame``; needs pandas."""
        import pandas

        if "per_class" not in self.details:
            raise InvalidArgument("this report has no classes")
        return pandas.DataFrame(self.details["per_class"])

    def __repr__(self) -> str:
        lines = []
        for name, value in self._metrics.items():
            text = f"{value:.4f}" if isinstance(value, float) else str(value)
            interval = self.intervals.get(name)
            low_high = f"  [{interval['low']:.4f}, {interval['high']:.4f}]" if isinstance(interval, dict) else ""
            lines.append(f"{name:22} {text}{low_high}")
        return "\n".join(lines)


def zero_shot(features: Any, class_features: Any, labels: Any, *, resamples: int = 1000, seed: int = 0) -> Report:
    """Zero-shot classification by the nearest class feature.

    Parameters
    ----------
    features
        Features of the shapes, ``[n, dim]``; they need not be unit vectors.
    class_features
        A feature per class, ``[classes, dim]``.
    labels
        The class of each shape, ``[n]``, from 0.
    resamples, seed
        Of the bootstrap for confidence intervals.

    Returns
    -------
    Report
        ``top_1``, ``top_3``, ``top_5``, ``mean_class_accuracy`` and ``macro_f1``.

    Examples
    --------
    >>> import numpy as np, lexiform
    >>> report = lexiform.eval.zero_shot(np.eye(3), np.eye(3), [0, 1, 1])
    >>> round(report["top_1"], 3), report["top_3"]
    (0.667, 1.0)
    """
    found = _lexiform.zero_shot(
        as_floats(features, "features", 2),
        as_floats(class_features, "class_features", 2),
        _labels(labels, "labels"),
        resamples,
        seed,
    )
    return _classification(json.loads(found))


def retrieval(
    queries: Any,
    gallery: Any,
    relevant: Sequence[int] | Sequence[Sequence[int]] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Report:
    """Retrieval by cosine similarity.

    Parameters
    ----------
    queries
        ``[n, dim]``.
    gallery
        ``[m, dim]``.
    relevant
        The relevant items of each query: an index, or several; the item of the same row by default.

    Returns
    -------
    Report
        ``recall_1``, ``recall_3``, ``recall_5``, ``recall_10``, ``mean_rank``, ``median_rank``, ``mean_reciprocal_rank``,
        ``mean_average_precision`` and ``ndcg_k``.

    Examples
    --------
    >>> import numpy as np, lexiform
    >>> lexiform.eval.retrieval(np.eye(4), np.eye(4))["recall_1"]
    1.0
    """
    rows = as_floats(queries, "queries", 2)
    given = range(len(rows)) if relevant is None else relevant
    lists = [[int(one) for one in item] if isinstance(item, Sequence) else [int(item)] for item in given]
    found = json.loads(
        _lexiform.retrieval(rows, as_floats(gallery, "gallery", 2), lists, resamples, seed)
    )
    details = {"top_k": found["top_k"], "first_ranks": found["first_ranks"]}
    return Report(_flat(found["metrics"]), _flat(found["intervals"]), details)


def linear_probe(
    train: Any,
    train_labels: Any,
    test: Any,
    test_labels: Any,
    *,
    c: float | None = None,
    val_fraction: float = 0.2,
    seed: int = 0,
    resamples: int = 1000,
) -> Report:
    """A linear classifier of frozen features (logistic regression, as in CLIP).

    Parameters
    ----------
    train, test
        Features, ``[n, dim]``.
    train_labels, test_labels
        Classes from 0, ``[n]``.
    c
        Inverse regularization strength, scikit-learn's C; by default it is chosen on a part of the training features.
    val_fraction
        That part.

    Returns
    -------
    Report
        Accuracies as of ``zero_shot``; ``details`` has ``c`` and ``c_search``.
    """
    found = _lexiform.linear_probe(
        as_floats(train, "train", 2),
        _labels(train_labels, "train_labels"),
        as_floats(test, "test", 2),
        _labels(test_labels, "test_labels"),
        c=c,
        val_fraction=val_fraction,
        seed=seed,
        resamples=resamples,
    )
    return _classification(json.loads(found))


def few_shot(
    features: Any,
    labels: Any,
    *,
    ways: int = 5,
    shots: int = 1,
    queries: int = 15,
    episodes: int = 600,
    seed: int = 0,
    learner: str = "prototype",
) -> Report:
    """Few-shot classification over sampled episodes.

    Parameters
    ----------
    features
        ``[n, dim]``.
    labels
        Classes from 0, ``[n]``.
    ways, shots, queries
        Classes, examples and queries of an episode.
    episodes, seed
        Number of episodes, and the seed that they are sampled with.
    learner
        ``prototype``, the nearest class mean, or ``probe``, a linear classifier.

    Returns
    -------
    Report
        ``accuracy``; ``details`` has ``ci95`` and the ``accuracies`` of the episodes.
    """
    found = json.loads(
        _lexiform.few_shot(
            as_floats(features, "features", 2),
            _labels(labels, "labels"),
            ways=ways,
            shots=shots,
            queries=queries,
            episodes=episodes,
            seed=seed,
            learner=learner,
        )
    )
    accuracy = found.pop("accuracy")
    half = found["ci95"]
    return Report({"accuracy": accuracy}, {"accuracy": {"low": accuracy - half, "high": accuracy + half}}, found)


def zero_shot_files(
    labels: PathLike | None = None, *, assets: PathLike | None = None, **options: Any
) -> list[dict[str, Any]]:
    """``lexiform eval zero-shot``: a table of files with labels, or ``folders``; or a data set with ``data=…``."""
    return _eval("zero-shot", labels=labels, assets=assets, **options)


def retrieval_files(
    captions: PathLike | None = None, *, assets: PathLike | None = None, **options: Any
) -> list[dict[str, Any]]:
    """``lexiform eval retrieval``: a table of files with captions; or a data set with ``data=…``."""
    return _eval("retrieval", captions=captions, assets=assets, **options)


def linear_probe_files(
    labels: PathLike | None = None, *, assets: PathLike | None = None, **options: Any
) -> list[dict[str, Any]]:
    """``lexiform eval probe``: a table of files with labels, or ``folders``; or a data set with ``data=…``."""
    return _eval("probe", labels=labels, assets=assets, **options)


def few_shot_files(
    labels: PathLike | None = None, *, assets: PathLike | None = None, **options: Any
) -> list[dict[str, Any]]:
    """``lexiform eval few-shot``: a table of files with labels, or ``folders``; or a data set with ``data=…``."""
    return _eval("few-shot", labels=labels, assets=assets, **options)


def attributes(model: PathLike = "nano", **options: Any) -> list[dict[str, Any]]:
    """``lexiform eval attributes``: recognition of color, material, parts and counts on generated shapes."""
    return _eval("attributes", model=model, **options)


def _eval(command: str, **options: Any) -> list[dict[str, Any]]:
    return lines(EvalError, ["eval", command], [], **options)


def _labels(values: Any, what: str) -> npt.NDArray[np.int64]:
    array = as_array(values)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        found = f"{list(array.shape)} of {array.dtype}"
        raise InvalidArgument(f"{what}: expected integers of shape [n], found {found}")
    return np.ascontiguousarray(array, dtype=np.int64)


def _classification(found: dict[str, Any]) -> Report:
    metrics = found.pop("metrics")
    details = {"per_class": metrics.pop("per_class", []), **{k: v for k, v in found.items() if k != "intervals"}}
    return Report(metrics, found["intervals"], details)


#: Ranks up to which retrieval is measured.
_CUTOFFS = (1, 3, 5, 10)


def _flat(scores: Mapping[str, Any]) -> dict[str, Any]:
    """``recall: [a, b, …]`` as ``recall_1: a``, ``recall_3: b`` …"""
    flat: dict[str, Any] = {}
    for name, value in scores.items():
        if isinstance(value, list) and len(value) == len(_CUTOFFS):
            flat.update({f"{name}_{k}": one for k, one in zip(_CUTOFFS, value)})
        else:
            flat[name] = value
    return flat
