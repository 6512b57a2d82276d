"""Costs of calls from Python: overhead, the lock while models compute, views of a CLIP model.

    python calls.py [CHECKPOINT]     # CHECKPOINT: a Duoduo CLIP for the last lines
"""

import statistics
import sys
import threading
import time

import numpy as np

import lexiform


def median(call, n=9):
    call()
    times = []
    for _ in range(n):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def overhead(model):
    """What a call costs besides computing: a sentence in one call, and the same sentence 64 times in one call."""
    cloud = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    shape = lexiform.Shape.from_points(cloud)
    print(f"a call that computes nothing: {1e6 * median(lambda: shape.n_points, 999):.1f} µs")
    print(f"64 points to native and back: {1e6 * median(lambda: lexiform.Shape.from_points(cloud).clouds(), 999):.1f} µs")
    try_text = lambda: model._native.understands("chair")  # noqa: E731
    print(f"a word looked up: {1e6 * median(try_text, 99):.1f} µs")


def spinning(model):
    """How fast another thread counts while features are computed, compared with alone."""
    counts, done = [0], threading.Event()

    def spin():
        while not done.is_set():
            counts[0] += 1

    def rate(seconds_of_work):
        thread = threading.Thread(target=spin)
        done.clear()
        counts[0] = 0
        thread.start()
        started = time.perf_counter()
        seconds_of_work()
        seconds = time.perf_counter() - started
        done.set()
        thread.join()
        return counts[0] / seconds

    clouds = [np.random.default_rng(i).normal(size=(2048, 3)).astype(np.float32) for i in range(1000)]
    alone = rate(lambda: time.sleep(2))
    during = rate(lambda: model.encode_points(clouds))
    print(f"a spinning thread keeps {during / alone:.0%} of its speed")


def views(checkpoint):
    from lexiform.duoduo import get_model

    images = np.random.default_rng(0).integers(0, 255, (12, 224, 224, 3), dtype=np.uint8)
    for precision in ("f32", "auto"):
        model = get_model(checkpoint, precision=precision)
        print(f"12 views, {precision}: {1e3 * median(lambda: model.encode_image(images)):.0f} ms")
        print(f"one text, {precision}: {1e3 * median(lambda: model.encode_text('a 3D model of a couch')):.1f} ms")


if __name__ == "__main__":
    nano = lexiform.load("nano")
    overhead(nano)
    spinning(nano)
    if len(sys.argv) > 1:
        views(sys.argv[1])
