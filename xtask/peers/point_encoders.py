"""Expected features of PointNet++ MSG, PointConv and Uni3D, by the authors' own classes.

    python xtask/peers/point_encoders.py [--ulip CLONE] [--cg3d CLONE] [--uni3d CLONE] fixtures

CLONE is a checkout of salesforce/ULIP, deeptibhegde/CLIP-goes-3D or baaivision/Uni3D, which needs timm, easydict and open_clip_torch. Weights follow a rule by name ("detw": FNV-1a and
SplitMix64), so that no file of weights is needed. The random start of farthest-point sampling is pinned to the first point.
"""

import argparse
import importlib.util
import json
import pathlib
import sys
import types

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
    if last in ("cls_token", "cls_pos", "pos_embed", "positional_embedding"):
        return 0.0, 0.3
    if last == "text_projection":
        return 0.0, np.sqrt(3.0 / shape[0])
    if key.endswith("token_embedding.weight"):
        return 0.0, 0.5
    if last == "logit_scale":
        return 3.0, 0.0
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


def pointnet2_msg(clone, out):
    sys.path.insert(0, str(clone))
    from models.pointnet2 import pointnet2

    zeros = lambda low, high, size, **kw: torch.zeros(size, dtype=torch.long)
    torch.randint = zeros
    network = pointnet2.Pointnet2_Msg().eval()
    config = fill(network, "pn2_msg.")
    points = clouds(2, 700)
    write(out / "pointnet2_msg", config, points, {"features": network(torch.from_numpy(points))})


def point_conv(clone, out):
    network = module(clone / "models" / "PointConv.py", "cg3d_pointconv").PointConvDensityClsSsgProject().eval()
    config = fill(network, "pointconv.")
    points = clouds(2, 700)
    latent = network(torch.from_numpy(points).transpose(1, 2).contiguous())
    pooled = {}
    network.projection.register_forward_hook(lambda _, inputs, __: pooled.update(value=inputs[0].squeeze(-1)))
    network(torch.from_numpy(points).transpose(1, 2).contiguous())
    write(out / "cg3d_pointconv", config, points, {"features": pooled["value"].contiguous(), "latent": latent})


def pointnet2_ops():
    """The two operations of pointnet2_ops that Uni3D calls, which need CUDA there."""

    def furthest_point_sample(xyz, count):
        found = torch.zeros(len(xyz), count, dtype=torch.long)
        for row, cloud in enumerate(xyz):
            seen = (cloud**2).sum(1) > 1e-3
            nearest = torch.full((len(cloud),), 1e10)
            last = 0
            for step in range(1, count):
                nearest[seen] = torch.minimum(nearest, ((cloud - cloud[last]) ** 2).sum(1))[seen]
                last = int(torch.where(seen, nearest, torch.tensor(-1.0)).argmax())
                found[row, step] = last
        return found

    def gather_operation(features, index):
        return torch.gather(features, 2, index[:, None, :].expand(-1, features.shape[1], -1))

    utils = types.SimpleNamespace(furthest_point_sample=furthest_point_sample, gather_operation=gather_operation)
    package = types.ModuleType("pointnet2_ops")
    package.pointnet2_utils = utils
    return package


def uni3d(clone, out):
    """Uni3D with small transformers of the three kinds that its five sizes have."""
    from timm.models.eva import Eva

    sys.modules["pointnet2_ops"] = pointnet2_ops()
    encoders = module(clone / "models" / "point_encoder.py", "uni3d_point_encoder")
    gated = {"swiglu_mlp": True, "mlp_ratio": 4 * 2 / 3}
    kinds = {
        "eva": {"mlp_ratio": 6144 / 1408},
        "eva02": gated,
        "eva02_norm": {**gated, "scale_mlp": True, "qkv_fused": False},
    }
    rng = np.random.default_rng(7)
    positions = clouds(2, 300)
    points = np.concatenate([positions, rng.uniform(size=positions.shape).astype(np.float32)], axis=2)
    for kind, values in kinds.items():
        trunk = Eva(img_size=28, patch_size=14, embed_dim=128, depth=3, num_heads=2, num_classes=5, **values)
        sizes = {"pc_feat_dim": 128, "embed_dim": 1024, "group_size": 12, "num_group": 24, "pc_encoder_dim": 96, "patch_dropout": 0.0}
        network = torch.nn.Module()
        network.logit_scale = torch.nn.Parameter(torch.ones([]))
        network.point_encoder = encoders.PointcloudEncoder(trunk, types.SimpleNamespace(**sizes))
        network.eval()
        config = {**fill(network, f"uni3d_{kind}."), "num_group": 24, "group_size": 12}
        cloud = torch.from_numpy(points)
        features = network.point_encoder(cloud[:, :, :3].contiguous(), cloud[:, :, 3:].contiguous())
        write(out / f"uni3d_{kind}", config, points, {"projected": features})


def text_tower(out):
    """A text tower as OpenCLIP keeps it apart from an image tower of timm: that of EVA02-CLIP, which Uni3D is aligned to."""
    import open_clip
    from open_clip.transformer import TextTransformer

    network = torch.nn.Module()
    network.logit_scale = torch.nn.Parameter(torch.ones([]))
    network.text = TextTransformer(width=128, heads=2, layers=3, output_dim=48).eval()
    config = fill(network, "text_tower.")
    texts = ["a chair", "a red car with four wheels", "something to sit on"]
    folder = out / "text_tower"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**config, "texts": texts}, separators=(",", ":")) + "\n")
    save_file({"features": network.text(open_clip.tokenize(texts)).numpy()}, folder / "expected.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ulip", type=pathlib.Path)
    parser.add_argument("--cg3d", type=pathlib.Path)
    parser.add_argument("--uni3d", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    torch.set_grad_enabled(False)

    if options.ulip:
        pointnet2_msg(options.ulip, options.out)
    if options.cg3d:
        point_conv(options.cg3d, options.out)
    if options.uni3d:
        uni3d(options.uni3d, options.out)
        text_tower(options.out)


main()
