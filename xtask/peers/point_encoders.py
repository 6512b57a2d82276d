"""Expected features of PointNet++ MSG and PointConv, by the authors' own classes.

    python xtask/peers/point_encoders.py --ulip CLONE --cg3d CLONE fixtures

CLONE is a checkout of salesforce/ULIP and of deeptibhegde/CLIP-goes-3D. Weights follow a rule by name ("detw": FNV-1a and
SplitMix64), so that no file of weights is needed. The random start of farthest-point sampling is pinned to the first point.
"""

import argparse
import importlib.util
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.numpy import save_file

SEED = 20230411
MASK = (1 << 64) - 1


def uniform(key, count):
    state = 0xCBF29CE484222325
    for byte in key.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(state ^ SEED) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2**24


def middle_and_half_width(key, shape):
    last = key.rsplit(".", 1)[-1]
    if last == "running_mean":
        return 0.0, 0.2
    if last == "running_var":
        return 1.0, 0.5
    if last == "weight" and len(shape) == 1:
        return 1.0, 0.2
    if len(shape) <= 1:
        return 0.0, 0.05
    return 0.0, np.sqrt(3.0 / np.prod(shape[1:]))


def fill(network, prefix):
    """Replaces the weights and returns what config.json states about them."""
    shapes, sums, state = {}, np.zeros(3), {}
    for name, tensor in network.state_dict().items():
        shape = list(tensor.shape)
        shapes[name] = shape
        if name.endswith("num_batches_tracked"):
            state[name] = torch.ones((), dtype=torch.int64)
            continue
        middle, half = middle_and_half_width(name, shape)
        values = (middle + half * (2 * uniform(prefix + name, tensor.numel()) - 1)).astype(np.float32)
        sums += [values.size, values.astype(np.float64).sum(), (values.astype(np.float64) ** 2).sum()]
        state[name] = torch.from_numpy(values.reshape(shape))
    network.load_state_dict(state)
    checksum = {"n_float": int(sums[0]), "sum": sums[1], "sumsq": sums[2]}
    return {"detw_prefix": prefix, "state_dict": shapes, "checksum": checksum}


def module(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found


def clouds(count, points):
    rng = np.random.default_rng(5)
    xyz = rng.normal(size=(count, points, 3)) * rng.uniform(0.2, 1.0, size=(count, 1, 3))
    xyz -= xyz.mean(axis=1, keepdims=True)
    return (xyz / np.linalg.norm(xyz, axis=2).max(axis=1)[:, None, None]).astype(np.float32)


def write(folder, config, points, expected):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, separators=(",", ":")) + "\n")
    save_file({"clouds": points}, folder / "inputs.safetensors")
    save_file({name: value.numpy() for name, value in expected.items()}, folder / "expected.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ulip", type=pathlib.Path, required=True)
    parser.add_argument("--cg3d", type=pathlib.Path, required=True)
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    torch.set_grad_enabled(False)

    sys.path.insert(0, str(options.ulip))
    from models.pointnet2 import pointnet2

    zeros = lambda low, high, size, **kw: torch.zeros(size, dtype=torch.long)
    torch.randint = zeros
    network = pointnet2.Pointnet2_Msg().eval()
    config = fill(network, "pn2_msg.")
    points = clouds(2, 700)
    write(options.out / "pointnet2_msg", config, points, {"features": network(torch.from_numpy(points))})

    network = module(options.cg3d / "models" / "PointConv.py", "cg3d_pointconv").PointConvDensityClsSsgProject().eval()
    config = fill(network, "pointconv.")
    latent = network(torch.from_numpy(points).transpose(1, 2).contiguous())
    pooled = {}
    network.projection.register_forward_hook(lambda _, inputs, __: pooled.update(value=inputs[0].squeeze(-1)))
    network(torch.from_numpy(points).transpose(1, 2).contiguous())
    write(options.out / "cg3d_pointconv", config, points, {"features": pooled["value"].contiguous(), "latent": latent})


main()
