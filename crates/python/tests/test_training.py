"""Training by recipes."""

from __future__ import annotations

from pathlib import Path

import pytest

import lexiform
from conftest import RECIPES

SMALL = {
    "network.width": 32,
    "network.layers": 2,
    "network.text_width": 32,
    "network.text_layers": 1,
    "network.joint_from": 1,
    "data.shapes": 24,
    "data.views": 2,
    "data.val_per_class": 0,
    "batch.size": {"images": 4},
    "batch.max_views": 2,
    "schedule.warmup": 1,
    "run.steps": 3,
    "run.evaluate_every": 3,
    "run.checkpoint_every": 1,
}


def test_a_recipe_trains_and_its_model_opens(tmp_path: Path) -> None:
    events: list[dict[str, object]] = []
    model = lexiform.train(RECIPES / "nano.toml", tmp_path / "run", SMALL, callbacks=events.append)
    kinds = [event["event"] for event in events]
    assert kinds.count("step") == 3 and kinds[-1] == "finished" and "start" in kinds
    steps = [event for event in events if event["event"] == "step"]
    assert all(isinstance(step["loss"], float) for step in steps)
    assert model.exists() and lexiform.load(model).encode_text("a chair").ndim == 1


def test_an_exception_of_a_callback_ends_the_run_which_resumes(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(event: dict[str, object]) -> None:
        if event["event"] == "checkpoint-saved":
            raise Enough

    with pytest.raises(Enough):
        lexiform.train(RECIPES / "nano.toml", tmp_path / "run", SMALL, callbacks=[stop])
    events: list[dict[str, object]] = []
    lexiform.train(RECIPES / "nano.toml", tmp_path / "run", SMALL, resume=True, callbacks=events.append)
    (start,) = [event for event in events if event["event"] == "start"]
    assert start["start_step"] >= 1  # type: ignore[operator]


def test_wrong_recipes_are_errors(tmp_path: Path) -> None:
    with pytest.raises(lexiform.TrainingError, match="stepz"):
        lexiform.train(RECIPES / "nano.toml", tmp_path / "run", ["run.stepz=1"])
    with pytest.raises(lexiform.LexiformError):
        lexiform.train(tmp_path / "missing.toml", tmp_path / "run")
    with pytest.raises(lexiform.InvalidArgument, match="device"):
        lexiform.train(RECIPES / "nano.toml", tmp_path / "run", devices=["tpu"])
