"""Threads, processes, signals: what a library must not get in the way of."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import lexiform
from conftest import SAMPLES


def encode(text: str) -> np.ndarray:
    return lexiform.load("nano").encode_text(text)


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_other_processes_can_use_models(nano: lexiform.Model, method: str) -> None:
    expected = nano.encode_text("a chair")
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = list(pool.map(encode, ["a chair", "a chair"]))
    np.testing.assert_array_equal(found[0], expected)


def test_models_are_pickled_without_their_weights(nano: lexiform.Model) -> None:
    content = pickle.dumps(nano)
    assert len(content) < 1000
    np.testing.assert_array_equal(pickle.loads(content).encode_text("a chair"), nano.encode_text("a chair"))


def test_threads_share_a_model(nano: lexiform.Model) -> None:
    texts = [f"chair {i}" for i in range(16)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(nano.encode_text, texts))
    for row, text in zip(found, texts):
        np.testing.assert_allclose(row, nano.encode_text(text), atol=1e-6)


def test_the_lock_is_free_while_a_model_computes(nano: lexiform.Model) -> None:
    # A call that held the lock would let the thread count only between calls.
    shape, counts, done = lexiform.read(SAMPLES / "armchair.glb"), [0], threading.Event()

    def count() -> None:
        while not done.is_set():
            counts[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    started = time.monotonic()
    nano.encode_shape([shape] * 8)
    seconds = time.monotonic() - started
    during = counts[0]
    done.set()
    thread.join()
    assert during > 20 * seconds, f"{during} counts in {seconds:.2f} s"


def test_an_interrupt_ends_a_run_and_leaves_a_library(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for i in range(40):
        (models / f"{i}.glb").write_bytes((SAMPLES / "banana.glb").read_bytes())
    script = (
        "import lexiform, sys\n"
        "library = lexiform.Library(sys.argv[1])\n"
        "try:\n"
        "    library.index(progress=lambda event: print(event, flush=True), jobs=1)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(models)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=120)
    assert "interrupted" in rest or rest.count("'step'") >= 39, (lines, rest)
    assert process.returncode == 0
    library = lexiform.Library(models)
    library.index(progress=False)
    assert len(library) == 40


def test_errors_can_be_pickled() -> None:
    for error in (lexiform.NotFound("a", "b"), lexiform.ModelError("a"), lexiform.InvalidArgument("a", "b")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error) and again.hint == error.hint
    assert str(lexiform.ModelError("broken", "mend it")) == "broken\nhint: mend it"
    assert issubclass(lexiform.NotFound, FileNotFoundError) and issubclass(lexiform.InvalidArgument, ValueError)
    for error_type in (lexiform.DataError, lexiform.EvalError, lexiform.LibraryError, lexiform.TrainingError):
        assert issubclass(error_type, lexiform.LexiformError)


def test_many_calls_leave_no_memory_behind(nano: lexiform.Model) -> None:
    resource = pytest.importorskip("resource")

    def peak() -> int:
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    cloud = np.random.default_rng(0).normal(size=(2000, 3)).astype(np.float32)
    shape = lexiform.Shape.from_points(cloud)
    for _ in range(500):
        shape.normalized().clouds()
    before = peak()
    for _ in range(10_000):
        shape.normalized().clouds()
    # 10,000 leaked clouds would be 240 MB.
    assert peak() - before < 20_000, "kilobytes"


def test_the_command_is_part_of_the_package() -> None:
    outcome = lexiform.run("info", SAMPLES / "axe.stl", json=True)
    assert outcome.returncode == 0 and '"triangles"' in outcome.stdout
    failed = lexiform.run("sample", "missing.stl", output="points.ply")
    assert failed.returncode == 1 and "missing.stl" in failed.error()[0]
    assert lexiform.run("serch").returncode == 2
    script = os.path.join(os.path.dirname(sys.executable), "lexiform")
    if os.path.exists(script):
        version = subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout
        assert version.split() == ["lexiform", lexiform.__version__]
