"""Our Python package next to the Duoduo CLIP authors', on random weights of ViT-B/32.

    python duoduo_package.py expect DUODUO FOLDER     # with torch: writes a checkpoint, images and the authors' features
    python duoduo_package.py compare FOLDER           # with lexiform: prints 1 - cosine for each of them

DUODUO is a checkout of github.com/3dlg-hcvc/DuoduoCLIP. Their code needs a GPU for two things, which are replaced: moving tokens there, and
automatic mixed precision, in whose place pixels in half precision are widened before the network.
"""

import sys
from pathlib import Path

import numpy as np

TEXT, SEED = "a 3D model of a white couch", 5


def expect(source, folder):
    import torch
    from PIL import Image

    sys.path[:0] = [source, str(Path(source) / "open_clip_mod/src")]
    from lvis_evaluation import build, write_files

    write_files(folder)
    model = build(folder, "b32")
    torch.Tensor.cuda = lambda tensor: tensor
    transform = model.val_norm_transform
    model.val_norm_transform = lambda pixels: transform(pixels).float()
    random = np.random.default_rng(0)
    blocks = [Image.fromarray(random.integers(0, 255, (14, 14, 3), dtype=np.uint8)) for _ in range(12)]
    images = np.stack([np.asarray(block.resize((224, 224), Image.BILINEAR)) for block in blocks])
    expected = {}
    with torch.no_grad():
        expected["text"] = model.encode_text(TEXT).float().numpy()
        for n in (1, 3, 12):
            torch.manual_seed(SEED)
            expected[f"views_{n}"] = model.encode_image(images[:n]).float().numpy()
    np.savez(folder / "expected.npz", images=images, **expected)


def compare(folder):
    from lexiform.duoduo import get_model

    model, expected = get_model(folder / "model.ckpt"), np.load(folder / "expected.npz")
    found = {"text": model.encode_text(TEXT)}
    for n in (1, 3, 12):
        found[f"views_{n}"] = model.encode_image(expected["images"][:n], seed=SEED)
    for name, row in found.items():
        print(f"{name:10} {row.shape}  1 - cosine {1 - float((row @ expected[name].T).item()):.1e}")


if __name__ == "__main__":
    if sys.argv[1] == "expect":
        expect(sys.argv[2], Path(sys.argv[3]))
    else:
        compare(Path(sys.argv[2]))
