"""Cosine similarities of a strip of views and a text by Duoduo CLIP's own code, for `embed --views … --text …`.

Usage: python duoduo_views.py DUODUO OUT.json, where DUODUO is a clone of https://github.com/3dlg-hcvc/DuoduoCLIP
(needs torch, torchvision, lightning, hydra-core, torchmetrics, ftfy, pillow).

Runs `DuoduoCLIP.encode_text` and `.encode_image` on a small network whose weights follow a rule, so that neither weights nor
images are stored: tests make both again. The reference is written for CUDA; on a CPU its half-precision pixels are cast before
the first convolution, which is all that differs ("half"). "full" are the same calls with pixels in single precision.
"""

import json
import pathlib
import sys
import tempfile

import numpy as np
import torch
from PIL import Image

VISION = {"image_size": 224, "layers": 3, "width": 64, "head_width": 32, "patch_size": 32}
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 1, "layers": 1}
THRESHOLD = 1
SENTENCE = "a 3D model of a white couch"


def uniform(name, count):
    """`count` numbers in -1..1: SplitMix64 from the FNV-1a hash of the name."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)


def rule(name, shape):
    """Offset and scale of a tensor's values."""
    if name.endswith("logit_scale"):
        return 2.65, 0.0
    if ".ln_" in name or "ln_final" in name:
        return (1.0, 0.25) if name.endswith("weight") else (0.0, 0.125)
    if name.endswith("bias"):
        return 0.0, 0.125
    if "embedding" in name:
        return 0.0, 0.5
    fan_in = int(np.prod(shape[1:])) if len(shape) != 2 or name.endswith("weight") else shape[0]
    return 0.0, float(2.0 ** np.round(np.log2(2.0 / np.sqrt(fan_in))))


def view(index):
    """View `index` of the strip, u8 `[224, 224, 3]`."""
    y, x = np.mgrid[0:224, 0:224]
    red = (x * 3 + index * 20) % 256
    green = ((y * 2) ^ x) % 256
    blue = (x // 8 + y // 8 + index) % 2 * 200
    disc = (x - 60 - index * 8) ** 2 + (y - 112) ** 2 < 45 ** 2
    image = np.stack([red, green, blue], -1)
    image[~disc] = 255
    return image.astype(np.uint8)


def photo():
    """A photo that is neither square nor of the network's size, u8 `[200, 300, 3]`."""
    y, x = np.mgrid[0:200, 0:300]
    return np.stack([(x * y // 16) % 256, (x + y) % 256, (x ^ y) % 256], -1).astype(np.uint8)


def reference(duoduo):
    sys.path[:0] = [str(duoduo), str(duoduo / "open_clip_mod/src")]
    from src import custom_clip
    from src.model.duoduoclip import DuoduoCLIP

    with tempfile.TemporaryDirectory() as folder:
        for name, extra in [("tiny", {}), ("tiny-MV", {"is_multi_view": True})]:
            config = {"embed_dim": 32, "vision_cfg": VISION | extra, "text_cfg": TEXT}
            pathlib.Path(folder, name + ".json").write_text(json.dumps(config))
        custom_clip.add_model_config(pathlib.Path(folder))
        network = {"layers_threshold": THRESHOLD, "base_name": "tiny", "pretrained_name": None}
        network |= {"lambda_text": 1.0, "lambda_image": 1.0}
        loss = {"_target_": "src.loss.contrastive_loss.ContrastiveLoss", "temperature": 2.65}
        accuracy = {"_target_": "torchmetrics.Accuracy", "task": "multiclass", "num_classes": 6}
        config = {"model": {"network": network, "loss": {"flag": loss}}, "data": {"val": {"evaluator": accuracy}}}
        return DuoduoCLIP(config).eval()


def main(duoduo, out):
    torch.Tensor.cuda = lambda self, *args, **kwargs: self
    model = reference(pathlib.Path(duoduo))
    tensors, state = {}, {}
    for name, old in model.state_dict().items():
        offset, scale = rule(name, old.shape)
        values = np.float32(offset) + np.float32(scale) * uniform(name, old.numel())
        state[name] = torch.from_numpy(values).reshape(old.shape)
        tensors[name] = {"shape": list(old.shape), "offset": offset, "scale": scale}
    model.load_state_dict(state, strict=True)
    visual = model.duoduoclip.visual
    visual.register_forward_pre_hook(lambda module, args, kwargs: ((args[0].float(), *args[1:]), kwargs), with_kwargs=True)

    text = model.encode_text(SENTENCE).squeeze()
    strip = np.concatenate([view(i) for i in range(12)])
    views = strip.reshape(12, 224, 224, 3)
    resized = np.asarray(Image.fromarray(photo()).resize((224, 224)))
    cases = {"strip": views, "three": views[:3], "single": views[0], "photo": resized}
    expected = {}
    for name, images in cases.items():
        for seed in (0, 678):
            torch.manual_seed(seed)
            half = text @ model.encode_image(images).squeeze()
            torch.manual_seed(seed)
            pixels = torch.from_numpy(images.reshape(-1, 224, 224, 3)[None].copy()).permute(0, 1, 4, 2, 3).float() / 255
            with torch.no_grad():
                full = model({"mv_images": pixels}, is_training=False)["mv_image_features"]
            full = text @ torch.nn.functional.normalize(full, dim=1).squeeze()
            expected[f"{name} {seed}"] = {"half": half.item(), "full": full.item()}
    sizes = {"embed_dim": 32, "vision_cfg": VISION, "text_cfg": TEXT}
    config = {"model": sizes, "layers_threshold": THRESHOLD}
    found = {"text": SENTENCE, "config": config, "tensors": tensors, "cosine": expected}
    pathlib.Path(out).write_text(json.dumps(found, indent=1) + "\n")


main(*sys.argv[1:])
