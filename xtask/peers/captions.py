"""Caption metrics of pycocoevalcap 1.2 (Java 11 or later): golden values, and a comparison on generated captions.

    python xtask/peers/captions.py fixtures/captions
    python xtask/peers/captions.py --compare target/release/lexiform [--seed 0] [--items 500]

The first writes `tokens.json` (captions and how PTBTokenizer splits them) and `scores.json` (captions, their tokens and scores).
METEOR is run with the small tables in `fixtures/captions/meteor`, which were written for this purpose, so that tests need no
other: a copy of its archive gets them in place of its own. The second evaluates random changes of captions with
`lexiform eval caption` and METEOR's own tables.
"""

import argparse
import contextlib
import csv
import gzip
import io
import json
import random
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

import pycocoevalcap
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor import meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

PACKAGE = Path(pycocoevalcap.__file__).parent if pycocoevalcap.__file__ else Path(list(pycocoevalcap.__path__)[0])
TABLES = ["function/english.words", "nonbreaking/english.prefixes", "synonym/english.exceptions", "synonym/english.synsets"]

CAPTIONS = """
A red chair.|a red chair with four legs|It's a chair; don't sit!|A 3D model of a t-shirt, in dark-blue.
"EXIT" sign|the word 'OPEN' on a door|two (2) handles [broken] {old}|a black/white cow and/or dog
1/2" bolts|1 1/2 inch|3.5mm plug|3,000 pieces|10:30pm|-5 and +5|50% off, $5.00|US$5 £5 €5 5¢ ¥5|No. 5|#3 painted on it|½ cup, 1½ cups
5'11" tall|the '80s|90's style|rock'n'roll|o'clock|O'Neill's|ma'am|y'all|'tis|somethin'|dogs' bowls|l'eau d'arc
U.S. flag|e.g. doors, etc.|Mr. X vs. Dr. Y|St. Louis|object A. The end|A. Smith|a.m. and p.m.|Ph.D. hat|v1.2.3|Inc., Co.; Ltd.
cannot gonna wanna gimme|can't won't isn't ain't|should've they're we'll|DON'T SHOUT|Cannot
x--y|x---y|a - b|-- dash|semi-transparent low-poly sci-fi|F-16 and AK-47|U.S.-made|a_b model_v2|100-200|2x4x6
.|...|. . .|!!|?!|a...b|a. b|wait...|,|;|:|'|"|''|``quoted''|-|--
“smart” ‘quotes’|it’s don’t|– — ―|café naïve ñ|45° tilt × 2 ± 1|m² x³ H₂O|中文 日本語|a😀b|★ ♥ → ☺|ﬁne Ａ１|soft\u00adhyphen|a\u00a0b\u3000c|…
http://a.com/b?c=d|www.example.com|me@example.org|@user #tag #1|file.jpg model.stl a.html|C++ C# AT&T R&B Q&A|a&amp;b &lt;b&gt; &quot;c&quot;
<b>bold</b>|3<4 a>b|:) :-( ;D|^_^|(555) 555-1234|12/25/2020|2020-12-25|1.800.555.1234|* ** a*b|~ ^ | \\ / = + == %|++
|   |a|the the the the
""".strip("\n")
# `|` separates captions, except where it is one.
CAPTIONS = [caption for line in CAPTIONS.split("\n") for caption in line.replace("\\u00ad", "\u00ad").replace("\\u00a0", "\u00a0").replace("\\u3000", "\u3000").split("|")]

ITEMS = [
    ("A red chair.", ["A red chair with four legs.", "Red chair", "there is a chair, it's red"]),
    ("a small sofa", ["a little couch", "the big couches"]),
    ("", ["a table", "a wooden table"]),
    ("a table", ["", "a table"]),
    ("", [""]),
    ("chair", ["chair"]),
    ("the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"]),
    ("a dark-blue t-shirt", ["a dark blue T-shirt!", "dark-blue t-shirt, 3D model"]),
    ("two wheels and 3 doors", ["3 doors and two wheels", "two-wheeled, 3-door car", "2 wheels"]),
    ("a man's hat vs. a cap", ["a cap and a man's hat", "the hat of a man"]),
    ("café table with 1/2\" top…", ["a cafe table", "café tables, 1/2 inch", "“café” table"]),
    ("walking dogs ran quickly", ["a dog walks", "the dog runs quick", "dogs walked"]),
    ("a great number of boxes in front of the house", ["many boxes before the home", "lots of boxes in front of a house"]),
    ("red red blue", ["blue red red", "red blue red blue"]),
    ("a chair a table a chair a table a chair", ["a table a chair a table a chair", "a chair and a table"]),
    ("中文 model ★", ["model 中文", "a ★ model"]),
    ("men carry a glass box", ["a man carries boxes of glass", "the men carried the box"]),
    ("a very very long description of a very old and very large wooden ship with many sails", ["a ship", "large old ship with sails"]),
]


def tokenize(captions):
    """Each caption on its own line, with a line between, because the reference looks beyond the end of a line."""
    lines = {}
    for key, caption in enumerate(captions):
        lines[2 * key] = [{"caption": caption}]
        lines[2 * key + 1] = [{"caption": "x"}]
    tokens = PTBTokenizer().tokenize(lines)
    return [tokens[2 * key][0] for key in range(len(captions))]


@contextlib.contextmanager
def meteor_with(tables):
    """METEOR with these tables: a folder with the files of its archive and `data/paraphrase-en`."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        with zipfile.ZipFile(PACKAGE / "meteor" / "meteor-1.5.jar") as own, zipfile.ZipFile(folder / "meteor-1.5.jar", "w") as other:
            for name in own.namelist():
                other.writestr(name, (tables / name).read_bytes() if name in TABLES else own.read(name))
        (folder / "data").mkdir()
        with gzip.open(folder / "data" / "paraphrase-en.gz", "wb") as file:
            file.write((tables / "data" / "paraphrase-en").read_bytes())
        shutil.copy(meteor.__file__, folder / "meteor.py")
        namespace = {"__file__": str(folder / "meteor.py"), "__name__": "meteor"}
        exec((folder / "meteor.py").read_text(), namespace)
        yield namespace["Meteor"]()


def scores(items, scorer):
    """Scores of tokenized items."""
    references = {key: item["references"] for key, item in enumerate(items)}
    candidates = {key: [item["candidate"]] for key, item in enumerate(items)}
    with contextlib.redirect_stdout(io.StringIO()):
        bleu, bleus = Bleu(4).compute_score(references, candidates, verbose=0)
    found = {f"bleu_{n + 1}": (bleu[n], bleus[n]) for n in range(4)}
    found["rouge_l"] = Rouge().compute_score(references, candidates)
    found["cider"] = Cider().compute_score(references, candidates)
    found["meteor"] = scorer.compute_score(references, candidates)
    return {name: {"corpus": float(corpus), "items": [float(score) for score in each]} for name, (corpus, each) in found.items()}


def tokenized(items):
    tokens = iter(tokenize([caption for candidate, references in items for caption in [candidate, *references]]))
    return [{"candidate": next(tokens), "references": [next(tokens) for _ in references]} for _, references in items]


def write(folder):
    dump = lambda value: json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    (folder / "tokens.json").write_text(dump(list(zip(CAPTIONS, tokenize(CAPTIONS)))))
    items = [{"caption": caption, "captions": captions, **tokens} for (caption, captions), tokens in zip(ITEMS, tokenized(ITEMS))]
    with meteor_with(folder / "meteor") as scorer:
        (folder / "scores.json").write_text(dump({"items": items, "scores": scores(items, scorer)}))


def changed(caption, rng):
    words = caption.split()
    for _ in range(rng.randrange(6)):
        if not words:
            break
        place, other = rng.randrange(len(words)), rng.randrange(len(words))
        match rng.randrange(5):
            case 0: del words[place]
            case 1: words.insert(place, words[other])
            case 2: words[place], words[other] = words[other], words[place]
            case 3: words[place] += rng.choice(["s", "ing", "ed", ",", ".", "'s", "-like"])
            case 4: words[place] = rng.choice(["the", "a", "of", "sofa", "couch", "car", "automobile", "large", "big", "3D", "t-shirt", "don't"])
    return " ".join(words)


def compare(program, seed, count):
    rng = random.Random(seed)
    base = [caption for candidate, references in ITEMS for caption in [candidate, *references] if caption]
    items = []
    for _ in range(count):
        caption = " ".join(rng.sample(base, rng.choice([1, 1, 2])))
        items.append((changed(caption, rng), [changed(caption, rng) for _ in range(rng.randint(1, 5))]))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "predictions.json").write_text(json.dumps([{"image_id": key, "caption": item[0]} for key, item in enumerate(items)]))
        annotations = [{"image_id": key, "caption": caption} for key, item in enumerate(items) for caption in item[1]]
        (folder / "references.json").write_text(json.dumps({"annotations": annotations}))
        command = [program, "eval", "caption", folder / "predictions.json", folder / "references.json"]
        output = subprocess.run([*command, "--meteor", PACKAGE / "meteor", "--per-item-csv", folder / "items.csv", "--json"], check=True, capture_output=True)
        found = json.loads(output.stdout)
        with open(folder / "items.csv", newline="") as file:
            rows = list(csv.DictReader(file))
    expected = scores(tokenized(items), meteor.Meteor())
    for name, score in expected.items():
        differences = [abs(float(row[name]) - item) for row, item in zip(rows, score["items"], strict=True)]
        differences.append(abs(score["corpus"] - found["scores"][name]))
        print(f"{name}: {score['corpus']:.6f}, largest difference {max(differences):.1e}")
        assert max(differences) < 1e-6, name


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--compare", metavar="PROGRAM")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--items", type=int, default=500)
    options = parser.parse_args()
    if options.folder:
        write(options.folder)
    if options.compare:
        compare(options.compare, options.seed, options.items)
