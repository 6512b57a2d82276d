"""One line a measurement, as `cargo xtask bench` reads them: the median of some runs, each of `per` units."""
import json, time


def measure(what, run, repeats=5, per=1):
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"what": what, "milliseconds": sorted(times)[len(times) // 2] / per}))
