"""Captions and scenes, which the command computes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lexiform
from conftest import SAMPLES


def test_shapes_are_described() -> None:
    (one,) = lexiform.caption(SAMPLES / "banana.glb")
    assert "banana" in one["caption"]
    several = lexiform.caption([SAMPLES / "armchair.glb", SAMPLES / "axe.stl"], count=3, seed=1)
    assert len(several) == 2 and len(several[0]["captions"]) == 3
    with pytest.raises(lexiform.ModelError, match="missing"):
        lexiform.caption("missing.glb")


def test_models_describe_shapes_in_memory(nano: lexiform.Model, tiny: lexiform.Model) -> None:
    banana = lexiform.read(SAMPLES / "banana.glb")
    assert "banana" in nano.caption(banana)
    several = nano.caption([banana, SAMPLES / "armchair.glb"])
    assert len(several) == 2 and several[0] == nano.caption(nano.encode_shape(banana))
    # The same sentence as the command's.
    assert lexiform.caption(SAMPLES / "banana.glb", precision="f32")[0]["caption"] == several[0]
    with pytest.raises(lexiform.InvalidArgument, match="describes vectors of nano"):
        tiny.caption(banana)


def test_captions_are_evaluated(tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text(json.dumps({"a": "a red chair", "b": "a small wooden table"}))
    (tmp_path / "wanted.json").write_text(json.dumps({"a": "a red chair", "b": "a small wooden table"}))
    scores = lexiform.captions.evaluate(tmp_path / "found.json", tmp_path / "wanted.json")
    # Equal sentences: BLEU and ROUGE-L are 1 by their definitions.
    flat = json.dumps(scores)
    assert "bleu_1" in flat and "rouge_l" in flat
    with pytest.raises(lexiform.EvalError):
        lexiform.captions.evaluate(tmp_path / "missing.json")


def test_objects_are_found_in_a_generated_room(tmp_path: Path) -> None:
    results = lexiform.scene.evaluate(generated=1, keep=tmp_path / "rooms")
    assert results and all(isinstance(result, dict) for result in results)
    room = next(path for path in sorted((tmp_path / "rooms").rglob("*")) if path.suffix in (".glb", ".ply"))
    answers = lexiform.scene.find(room, "a chair", k=2, up="y")
    assert len(answers) <= 2 and all(len(answer["min"]) == 3 for answer in answers)
    with pytest.raises(lexiform.ShapeError, match="missing"):
        lexiform.scene.find("missing.ply", "a chair")
