"""Writes a checkpoint of the size of OpenCLIP's ViT-bigG-14 (2.5 billion parameters, 10 GB in f32) with random weights, to
measure the memory that loading needs:

    python3 xtask/baselines/big_checkpoint.py /tmp/bigg.safetensors
    /usr/bin/time -v lexiform embed --model /tmp/bigg.safetensors --text "a red chair" -o /tmp/t.npy
"""
import json, random, struct, sys
from array import array

VISION = dict(width=1664, layers=48, mlp=8192, patch=14, tokens=257)
TEXT = dict(width=1280, layers=32, mlp=5120, context=77, vocabulary=49408)
DIM = 1280


def block(name, width, mlp):
    yield f"{name}.ln_1.weight", [width]
    yield f"{name}.ln_1.bias", [width]
    yield f"{name}.attn.in_proj_weight", [3 * width, width]
    yield f"{name}.attn.in_proj_bias", [3 * width]
    yield f"{name}.attn.out_proj.weight", [width, width]
    yield f"{name}.attn.out_proj.bias", [width]
    yield f"{name}.ln_2.weight", [width]
    yield f"{name}.ln_2.bias", [width]
    yield f"{name}.mlp.c_fc.weight", [mlp, width]
    yield f"{name}.mlp.c_fc.bias", [mlp]
    yield f"{name}.mlp.c_proj.weight", [width, mlp]
    yield f"{name}.mlp.c_proj.bias", [width]


def tensors():
    v, t = VISION, TEXT
    yield "positional_embedding", [t["context"], t["width"]]
    yield "text_projection", [t["width"], DIM]
    yield "logit_scale", []
    yield "visual.class_embedding", [v["width"]]
    yield "visual.positional_embedding", [v["tokens"], v["width"]]
    yield "visual.proj", [v["width"], DIM]
    yield "visual.conv1.weight", [v["width"], 3, v["patch"], v["patch"]]
    for norm in ("visual.ln_pre", "visual.ln_post"):
        yield f"{norm}.weight", [v["width"]]
        yield f"{norm}.bias", [v["width"]]
    for layer in range(v["layers"]):
        yield from block(f"visual.transformer.resblocks.{layer}", v["width"], v["mlp"])
    for layer in range(t["layers"]):
        yield from block(f"transformer.resblocks.{layer}", t["width"], t["mlp"])
    yield "token_embedding.weight", [t["vocabulary"], t["width"]]
    yield "ln_final.weight", [t["width"]]
    yield "ln_final.bias", [t["width"]]


def count(shape):
    n = 1
    for size in shape:
        n *= size
    return n


header, end = {}, 0
for name, shape in tensors():
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + 4 * count(shape)]}
    end += 4 * count(shape)
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
rng = random.Random(0)
numbers = array("f", (rng.gauss(0.0, 0.02) for _ in range(1 << 20))).tobytes()
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    left = end
    while left:
        left -= file.write(numbers[: min(left, len(numbers))])
print(f"{end / 1e9:.2f} GB, {end // 4:,} numbers")
