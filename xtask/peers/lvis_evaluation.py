"""Duoduo CLIP's own evaluation on a small stand-in for Objaverse-LVIS.

    python lvis_evaluation.py DUODUO tiny FOLDER > fixtures/eval/lvis_tiny.json
    python lvis_evaluation.py DUODUO b32 FOLDER > /tmp/expected.json

DUODUO is a checkout of github.com/3dlg-hcvc/DuoduoCLIP; FOLDER receives the files that the evaluation reads. The views are
made from integers, so that a test can make the same ones. `tiny` takes the weights of fixtures/duoduo_tiny224, `b32` random
ones, which are saved as a checkpoint. Only what cannot run without a GPU is replaced: halves by floats.
"""

import importlib
import json
import sys
from pathlib import Path

import h5py
import numpy as np
import torch
from omegaconf import OmegaConf

SHAPES, CLASSES, VIEWS, SIZE, BLOCK = 40, 10, 12, 224, 28
SEEDS, WORKERS, COUNTS = (678, 789, 900), (0, 4), (1, 5, 12)
TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 224, "layers": 3, "width": 64, "head_width": 32, "patch_size": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 1024, "width": 64, "heads": 2, "layers": 2},
}


def mixed(numbers):
    """Bytes that look random, by the finalizer of MurmurHash3."""
    x = numbers.astype(np.uint64) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return (x >> np.uint64(24)).astype(np.int64)


def images(shape):
    """Views of a shape, [12, 3, 224, 224]: blocks whose values depend on the class, and on shape and view."""
    view, channel, y, x = np.indices((VIEWS, 3, SIZE // BLOCK, SIZE // BLOCK))
    place = (channel * 8 + y) * 8 + x
    own = mixed(((shape + 1) * VIEWS + view) * 192 + place + 1_000_000)
    of_class = mixed((shape % CLASSES) * 192 + place)
    values = ((3 * of_class + 5 * own) // 8).astype(np.uint8)
    return values.repeat(BLOCK, axis=2).repeat(BLOCK, axis=3)


def uid(shape):
    return f"{(shape * 7919 + 13) % 99991:032x}"


def write_files(folder):
    folder.mkdir(parents=True, exist_ok=True)
    # Rows, list and ids are in three different orders.
    row = {shape: (shape * 17 + 5) % SHAPES for shape in range(SHAPES)}
    with h5py.File(folder / "lvis_images.h5", "w") as file:
        data = file.create_dataset("imgs", (SHAPES, VIEWS, 3, SIZE, SIZE), dtype="u1")
        for shape in range(SHAPES):
            data[row[shape]] = images(shape)
    (folder / "lvis_model_to_idx.json").write_text(json.dumps({uid(s): row[s] for s in range(SHAPES)}))
    listed = sorted(range(SHAPES), key=lambda s: (s % CLASSES, s))
    rows = [f"{s % CLASSES},class_{s % CLASSES},{uid(s)}\n" for s in listed]
    (folder / "lvis.csv").write_text("".join(rows))


def config(folder, base, threshold):
    val = {
        "dataset": "LVIS",
        "dataloader": {"num_workers": 4},
        "metadata": {
            "mv_data_h5": str(folder / "lvis_images.h5"),
            "model_to_idx": str(folder / "lvis_model_to_idx.json"),
            "data_list_path": str(folder / "lvis.csv"),
            "clip_feat_path": str(folder / "lvis_class_label_embeddings.npy"),
            "num_views": 12,
        },
        "evaluator": {
            "average": "micro",
            "task": "multiclass",
            "num_classes": CLASSES,
            "_target_": "torchmetrics.Accuracy",
        },
    }
    network = {"lambda_text": 1.0, "lambda_image": 1.0, "layers_threshold": threshold, "base_name": base}
    loss = {"_target_": "src.loss.contrastive_loss.ContrastiveLoss", "temperature": 2.658859956911438}
    model = {"network": {**network, "pretrained_name": None}, "loss": {"flag": loss}}
    return OmegaConf.create({"data": {"val": val}, "model": model, "test_seed": 123})


def build(folder, size):
    from src.custom_clip import factory
    from src.model.duoduoclip import DuoduoCLIP

    torch.manual_seed(1)
    if size == "b32":
        model = DuoduoCLIP(config(folder, "ViT-B-32", 6))
        torch.save({"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}, folder / "model.ckpt")
        return model.eval()
    for name, joint in (("Tiny", False), ("Tiny-MV", True)):
        path = folder / f"{name}.json"
        vision = TINY["vision_cfg"] | ({"is_multi_view": True} if joint else {})
        path.write_text(json.dumps(TINY | {"vision_cfg": vision}))
        factory.add_model_config(path)
    model = DuoduoCLIP(config(folder, "Tiny", 1))
    weights = Path(__file__).parents[2] / "fixtures/duoduo_tiny224/model.safetensors"
    from safetensors.torch import load_file

    model.load_state_dict(load_file(weights), strict=True)
    return model.eval()


@torch.no_grad()
def class_features(folder, model):
    """Features that leave the right answer open: the mean direction of each class with noise, in half precision."""
    rows = []
    for shape in range(SHAPES):
        pixels = torch.from_numpy(images(shape))[None].float() / 255
        torch.manual_seed(0)
        rows.append(model({"mv_images": pixels})["mv_image_features"][0].numpy())
    rows = np.stack(rows)
    rows -= rows.mean(0)
    means = np.stack([rows[c::CLASSES].mean(0) for c in range(CLASSES)])
    noise = np.random.default_rng(3).normal(size=means.shape) * means.std() * 0.5
    features = (means + noise).astype(np.float16)
    np.save(folder / "lvis_class_label_embeddings.npy", features)
    return features


def reference(source):
    """The authors' module, in 32 bits on a CPU."""
    text = (Path(source) / "test_objaverse_lvis.py").read_text().replace("torch.float16", "torch.float32")
    text = text.replace('data_dict["category_clip_features"], dim', 'data_dict["category_clip_features"].float(), dim')
    module = type(sys)("reference")
    exec(compile(text, "test_objaverse_lvis.py", "exec"), module.__dict__)
    return module


def main(source, size, folder):
    sys.path[:0] = [source, str(Path(source) / "open_clip_mod/src")]
    import lightning.pytorch as pl

    importlib.import_module("src.custom_clip")
    folder = Path(folder)
    write_files(folder)
    model = build(folder, size)
    features = class_features(folder, model)
    evaluate, lines, printed = reference(source), [], sys.stdout
    for workers in WORKERS if size == "tiny" else (4,):
        model.cfg.data.val.dataloader.num_workers = workers
        for views in COUNTS:
            model.cfg.data.val.metadata.num_views = views
            results = []
            for seed in SEEDS:
                sys.stdout = sys.stderr
                pl.seed_everything(seed, workers=True)
                results.append(evaluate.run_objaverse_test_epoch(model.cfg, model))
                sys.stdout = printed
            mean = np.array(results).mean(0).round(decimals=2)
            line = {"num_workers": workers, "views": views, "percent": results, "mean": mean.tolist()}
            lines.append(json.dumps(line))
    shown = [[float(x) for x in row] for row in features] if size == "tiny" else []
    print('{"seeds": ' + json.dumps(SEEDS) + ', "class_features": ' + json.dumps(shown) + ', "runs": [')
    print(",\n".join(lines) + "\n]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
