"""Shares of caption sources in the references' own sampling: fixtures/training/caption_sources.json.

    python xtask/peers/caption_sources.py DUODUO_CLIP OPENSHAPE_CODE > fixtures/training/caption_sources.json

DUODUO_CLIP and OPENSHAPE_CODE are checkouts of github.com/3dlg-hcvc/DuoduoCLIP and github.com/Colin97/OpenShape_code. Their
data set classes sample captions of a shape that has every combination of sources; each feature is a number that names its
source. Duoduo CLIP requires retrieved texts, so combinations without them are OpenShape's alone.
"""

import importlib.util
import itertools
import json
import sys
import types
from collections import Counter
from pathlib import Path

import numpy as np

DRAWS = 200_000
SOURCES = ["text", "blip", "msft", "retrieval"]
ROWS = {"text": 3, "blip": 1, "msft": 1, "retrieval": 2}


def module(path, name, **stubs):
    """A file of a checkout as a module; `stubs` stand for imports that sampling does not use."""
    for stub, value in stubs.items():
        sys.modules[stub.replace("__", ".")] = value
    spec = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def duoduo(checkout):
    folder = Path(checkout) / "src/data/dataset"
    package = types.ModuleType("dataset")
    package.__path__ = [str(folder)]
    sys.modules["dataset"] = package
    four = module(folder / "four.py", "dataset.four")
    keys = {"text": "text_feat", "blip": "blip_caption_feat", "msft": "msft_caption_feat", "retrieval": "retrieval_text_feat"}

    def sampler(present):
        if "retrieval" not in present:
            return None
        vector = lambda source: np.full(1, SOURCES.index(source), np.float32)
        rows = lambda source: np.stack([vector(source)] * ROWS[source]) if ROWS[source] > 1 else vector(source)
        data = types.SimpleNamespace(text_data={0: {keys[source]: rows(source) for source in present}})
        return lambda: four.Four._process_text_data(data, 0)

    return sampler


def openshape(checkout):
    stub = types.ModuleType("MinkowskiEngine")
    sys.path.insert(0, str(Path(checkout) / "src"))
    data = module(Path(checkout) / "src/data.py", "openshape_data", MinkowskiEngine=stub)

    def sampler(present):
        feature = lambda source: dict.fromkeys(["prompt_avg", "original"], np.full(1, SOURCES.index(source), np.float32))
        shape = {"xyz": np.zeros((2, 3)), "rgb": np.zeros((2, 3)), "image_feat": np.zeros((1, 1)), "thumbnail_feat": np.zeros(1)}
        shape |= {"text": ["t"] * ROWS["text"], "text_feat": [feature("text")] * ROWS["text"]}
        for source in ["blip", "msft"]:
            shape |= {f"{source}_caption": "c" if source in present else "", f"{source}_caption_feat": feature(source)}
        count = ROWS["retrieval"] if "retrieval" in present else 0
        shape |= {"retrieval_text": ["r"] * count, "retrieval_text_feat": [feature("retrieval")] * count}
        holder = types.SimpleNamespace(item=lambda: shape)
        data.np = types.SimpleNamespace(**{**vars(np), "load": lambda *_, **__: holder})
        this = types.SimpleNamespace(
            phase="train", num_points=1, y_up=False, normalize=False, augment=False, random_z_rotate=False, use_color=False,
            text_source=["text", "caption", "retrieval_text"], text_embed_version="prompt_avg", use_text_filtering=True,
            gpt4_filtering={"u": {"flag": "Y" if "text" in present else "N"}},
        )
        meta = {"id": "u", "group": "g", "data_path": "p"}
        return lambda: data.Four.get_objaverse(this, meta)["text_feat"]

    return sampler


def main():
    references = {"duoduo": duoduo(sys.argv[1]), "openshape": openshape(sys.argv[2])}
    table = []
    for name, sampler in references.items():
        for count in range(len(SOURCES) + 1):
            for present in itertools.combinations(SOURCES, count):
                sample = sampler(present)
                if sample is None:
                    continue
                np.random.seed(len(table))
                drawn = Counter("none" if (row := sample()) is None else SOURCES[int(row[0])] for _ in range(DRAWS))
                shares = {source: round(drawn[source] / DRAWS, 4) for source in [*SOURCES, "none"] if drawn[source]}
                table.append({"reference": name, "present": list(present), "shares": shares})
    print(json.dumps({"draws": DRAWS, "rows": table}, indent=1))


main()
