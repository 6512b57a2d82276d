"""One line a measurement, as `cargo xtask bench` reads them: the median of some runs, each of `per` units."""
import json, time


def report(what, wall, cpu, per=1):
    """Seconds of the clock and of all processors."""
    print(json.dumps({"what": what, "milliseconds": wall * 1000 / per, "cpu": cpu * 1000 / per}))


def once(run):
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(what, run, repeats=5, per=1):
    run()
    walls, cpus = zip(*(once(run) for _ in range(repeats)))
    report(what, sorted(walls)[repeats // 2], sum(cpus) / repeats, per)
