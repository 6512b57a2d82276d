"""Small files in Duoduo CLIP's layouts, and what its own data sets and collate functions make of them:
fixtures/data/duoduo_two_sources.

    python xtask/peers/two_sources.py DUODUO_CLIP fixtures/data/duoduo_two_sources

DUODUO_CLIP is a checkout of github.com/3dlg-hcvc/DuoduoCLIP. `four/` are training shapes with one retrieved text each, so that
the reference has nothing to choose; `mvimgnet/` have a caption per view; `lvis/` are validation shapes of five classes.
"""

import importlib
import json
import sys
import types
from pathlib import Path

import h5py
import numpy as np
from safetensors.numpy import save_file

VIEWS, SIZE, DIM = 12, 8, 128
SELECTED = [[3], [0, 5], [1, 2, 7, 11], [0, 1, 2, 3, 4, 5]]


def write_h5(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file.create_dataset(name, data=values)


def write_files(out, random):
    features = lambda *shape: random.standard_normal(shape).astype(np.float16)
    images = lambda count: random.integers(0, 256, (count, VIEWS, 3, SIZE, SIZE), dtype=np.uint8)
    names = {"four": [f"{i:032x}" for i in range(7)], "mvimgnet": sorted(f"{i % 3}_{i:08x}" for i in range(5))}
    names["lvis"] = [f"{100 + i:032x}" for i in range(4)]
    index = lambda ids: json.dumps({id: (row * 3) % len(ids) for row, id in enumerate(ids)})
    for folder, ids in names.items():
        (out / folder).mkdir(parents=True, exist_ok=True)
    four, mvimgnet, lvis = [out / folder for folder in names]
    write_h5(four / "mv_images.h5", imgs=images(7))
    write_h5(four / "image_embeddings.h5", img_feat=features(7, VIEWS, DIM))
    (four / "model_to_idx.json").write_text(index(names["four"]))
    texts = {id: {"retrieval_text_feat": features(1, DIM)} for id in names["four"]}
    np.save(four / "text_embeddings.npy", texts, allow_pickle=True)
    (four / "four_model_ids.txt").write_text("\n".join(names["four"][1:]) + "\n")
    write_h5(mvimgnet / "mvimgnet_mv_images.h5", imgs=images(5))
    write_h5(mvimgnet / "mvimgnet_embeddings.h5", img_feat=features(5, VIEWS, DIM), text_feat=features(5, VIEWS, DIM))
    (mvimgnet / "mvimgnet_model_to_idx.json").write_text(index(names["mvimgnet"]))
    (mvimgnet / "mvpnet_train_model_ids.txt").write_text("\n".join(names["mvimgnet"][:4]) + "\n")
    write_h5(lvis / "lvis_images.h5", imgs=images(4))
    (lvis / "lvis_model_to_idx.json").write_text(index(names["lvis"]))
    rows = [(4, "wheel"), (0, "Band_Aid"), (3, "cup"), (0, "Band_Aid")]
    lines = [f"{number},{name},{id}" for (number, name), id in zip(rows, names["lvis"])]
    # Classes without a shape here are classes to choose from all the same.
    lines += ["1,aerosol_can,ffff", "2,monitor_(computer_equipment) computer_monitor,eeee"]
    (lvis / "lvis.csv").write_text("\n".join(lines) + "\n")
    np.save(lvis / "lvis_class_label_embeddings.npy", features(5, DIM))
    return names


def reference(checkout):
    """The reference's module of data loaders."""
    sys.path.insert(0, checkout)
    stub = types.ModuleType("lightning.pytorch")
    stub.LightningDataModule = object
    sys.modules["lightning"] = types.ModuleType("lightning")
    sys.modules["lightning"].pytorch = stub
    sys.modules["lightning.pytorch"] = stub
    for name in ["src", "src.data"]:
        package = types.ModuleType(name)
        package.__path__ = [str(Path(checkout) / name.replace(".", "/"))]
        sys.modules[name] = package
    return importlib.import_module("src.data.data_module"), importlib.import_module("src.data.dataset.four").Four


def main():
    out = Path(sys.argv[2])
    names = write_files(out, np.random.default_rng(11))
    loaders, four_class = reference(sys.argv[1])
    path = lambda name: str(out / name)
    metadata = types.SimpleNamespace(
        num_views=[1, 6], mv_data_h5=path("four/mv_images.h5"), vision_data=path("four/image_embeddings.h5"),
        model_to_idx=path("four/model_to_idx.json"), mvimgnet_mode="mvpnet",
        mvpnet_list=path("mvimgnet/mvpnet_train_model_ids.txt"), mvimgnet_emb_h5=path("mvimgnet/mvimgnet_embeddings.h5"),
        mvimgnet_mv_data_h5=path("mvimgnet/mvimgnet_mv_images.h5"),
        mvimgnet_model_to_idx=path("mvimgnet/mvimgnet_model_to_idx.json"),
    )
    config = types.SimpleNamespace(metadata=metadata)
    ids = (out / "four/four_model_ids.txt").read_text().split()
    texts = np.load(path("four/text_embeddings.npy"), allow_pickle=True).item()
    info = [{"model_id": id} for id in ids]
    four = four_class(config, "train", "fit", "ViT-B-32", info, {i: texts[id] for i, id in enumerate(ids)})
    mvimgnet = loaders.mvimgnet.MVImgNet(config, "train", "fit")
    found = {}
    for selected in SELECTED:
        for name, data, collate in [
            ("four", four, loaders._train_collate_fn),
            ("mvimgnet", mvimgnet, loaders._mvimgnet_train_collate_fn),
        ]:
            data.selected_numbers = np.array(selected)
            batch = collate(data, [data[i] for i in range(len(data))])
            key = f"{name}/{'-'.join(map(str, selected))}"
            for kind in ["image", "text"]:
                found[f"{key}/{kind}"] = batch[f"{kind}_features"].float().numpy()
            # Bytes of the views in order, as sums over each plane.
            found[f"{key}/views"] = batch["mv_images"].sum(dim=(3, 4)).float().numpy()
    save_file(found, out / "expected.safetensors")
    assert names["mvimgnet"][:4] == mvimgnet.model_ids


main()
