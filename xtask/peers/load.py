"""Load on `lexiform serve`: distinct text searches over many connections; prints rate, latencies and memory.

    python xtask/peers/load.py library big.npz samples.npz 10000     # rows of `lexiform embed samples -o samples.npz`, with noise
    lexiform index big.npz --library big && lexiform serve big &
    python xtask/peers/load.py search 127.0.0.1:7070 --connections 64 --seconds 20

The client needs a processor of its own for its numbers to be those of the server.
"""

import argparse
import asyncio
import itertools
import json
import random
import time
import urllib.parse
import urllib.request


def library(args):
    import numpy

    source = numpy.load(args.source, allow_pickle=False)
    key = next(key for key in source.files if source[key].ndim == 2)
    matrix = source[key]
    rng = numpy.random.default_rng(0)
    rows = matrix[rng.integers(0, len(matrix), args.rows)]
    rows = rows + rng.normal(0, 0.02, rows.shape)
    rows /= numpy.linalg.norm(rows, axis=1, keepdims=True)
    names = numpy.array([f"item_{i:06}" for i in range(args.rows)])
    other = next((key for key in source.files if source[key].ndim == 1), "names")
    numpy.savez(args.out, **{key: rows.astype(numpy.float32), other: names})


ADJECTIVES = "red green blue old small tall round wooden metal broken shiny flat heavy thin curved striped".split()
NOUNS = "chair table lamp car plane mug bottle house tree dog cat fish sword hammer guitar clock sofa bed boat truck".split()
PLACES = "kitchen garden street office bedroom harbor forest museum school station hospital castle farm island desert".split()


def texts():
    """Texts that never repeat."""
    for i in itertools.count():
        random.seed(i)
        pick = random.choice
        yield f"a {pick(ADJECTIVES)} {pick(NOUNS)} with a {pick(ADJECTIVES)} {pick(NOUNS)} in the {pick(PLACES)} {i}"


async def client(host, port, source, end, latencies, statuses, rank_by):
    reader, writer = await asyncio.open_connection(host, port)
    while time.perf_counter() < end:
        path = f"/v1/search?k=24&rank_by={rank_by}&text={urllib.parse.quote(next(source))}"
        started = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(next(line for line in head.lower().split("\r\n") if line.startswith("content-length")).split(":")[1])
        await reader.readexactly(length)
        latencies.append(time.perf_counter() - started)
        statuses[head.split(" ")[1]] = statuses.get(head.split(" ")[1], 0) + 1
    writer.close()


def memory(host, port):
    text = urllib.request.urlopen(f"http://{host}:{port}/metrics").read().decode()
    return int(next(line for line in text.splitlines() if line.startswith("process_resident")).split()[1]) / 1e6


async def search(args):
    host, port = args.address.split(":")
    before = memory(host, port)
    latencies, statuses, source = [], {}, itertools.islice(texts(), args.first, None)
    started = time.perf_counter()
    end = started + args.seconds
    await asyncio.gather(*(client(host, port, source, end, latencies, statuses, args.rank_by) for _ in range(args.connections)))
    seconds = time.perf_counter() - started
    latencies.sort()
    at = lambda share: round(1000 * latencies[int(share * (len(latencies) - 1))], 1)
    print(json.dumps({
        "searches": len(latencies), "per_second": round(len(latencies) / seconds, 1), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1),
        "statuses": statuses, "memory_mb_before": round(before), "memory_mb_after": round(memory(host, port)),
    }))


parser = argparse.ArgumentParser()
commands = parser.add_subparsers(required=True)
make = commands.add_parser("library")
make.add_argument("out")
make.add_argument("source")
make.add_argument("rows", type=int)
make.set_defaults(run=library)
run = commands.add_parser("search")
run.add_argument("address")
run.add_argument("--connections", type=int, default=64)
run.add_argument("--seconds", type=float, default=20)
run.add_argument("--first", type=int, default=0, help="number of the first text; another one for texts that are not cached yet")
run.add_argument("--rank-by", default="hybrid")
run.set_defaults(run=lambda args: asyncio.run(search(args)))
arguments = parser.parse_args()
arguments.run(arguments)
