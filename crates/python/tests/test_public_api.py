"""What is public has a docstring, and a test or a doctest that calls it."""

from __future__ import annotations

import inspect
from pathlib import Path

import lexiform

MODULES = [lexiform, lexiform.captions, lexiform.scene, lexiform.data, lexiform.duoduo, lexiform.eval, lexiform.shape]


def public() -> list[tuple[str, object]]:
    """Functions, classes and their methods and properties."""
    found: dict[str, object] = {}
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.ismodule(value) or not callable(value):
                continue
            found[name] = value
            if inspect.isclass(value) and value.__module__.startswith("lexiform"):
                for member, attribute in vars(value).items():
                    if not member.startswith("_") and (callable(attribute) or isinstance(attribute, (property, staticmethod))):
                        found[f"{name}.{member}"] = attribute
    return sorted(found.items())


def test_everything_public_is_documented() -> None:
    missing = [name for name, value in public() if not inspect.getdoc(getattr(value, "__func__", value))]
    assert not missing


def test_everything_public_is_tested() -> None:
    here = Path(__file__)
    texts = [path.read_text() for path in here.parent.glob("test_*.py") if path != here]
    texts += [path.read_text() for path in (here.parents[1] / "notebooks").glob("*.ipynb")]
    text = "\n".join(texts)
    names = [name for name, _ in public()]
    untested = [name for name in names if name.split(".")[-1] not in text]
    assert len(untested) <= 0.05 * len(names), untested
