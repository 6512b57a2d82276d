"""Prints one JSON line per measurement for `cargo xtask bench`: the median of several runs of `per` units each."""
import json, time


def report(what, wall, cpu, per=1):
    """Wall-clock seconds and CPU seconds over all cores."""
    print(json.dumps({"what": what, "milliseconds": wall * 1000 / per, "cpu": cpu * 1000 / per}))


def once(run):
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(what, run, repeats=5, per=1):
    run()
    walls, cpus = zip(*(once(run) for _ in range(repeats)))
    report(what, sorted(walls)[repeats // 2], sum(cpus) / repeats, per)
