"""How often captions name another color than a file has, as its rendered views show it.

    pip install lexiform                     # or the wheel of `cargo xtask python`
    python xtask/peers/caption_colors.py FOLDER LABELS.csv COMMAND

FOLDER and LABELS.csv: 3D files, and a table with the column `file`. COMMAND is the program `lexiform`. A file is judged if 60 % of the pixels
of four views have one color name, by hue, saturation and value; files without materials or colors are left out.
"""

import colorsys
import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import lexiform

SHARE = 0.6
NEIGHBORS = [
    ("black", "gray"), ("gray", "white"), ("brown", "orange"), ("brown", "red"), ("orange", "red"), ("orange", "yellow"), ("brown", "yellow"),
    ("yellow", "green"), ("green", "cyan"), ("cyan", "blue"), ("blue", "purple"), ("purple", "pink"), ("pink", "red"),
    ("brown", "black"), ("brown", "gray"), ("white", "yellow"), ("blue", "black"), ("green", "black"),
]  # fmt: skip
SYNONYMS = {
    "grey": "gray", "silver": "gray", "golden": "yellow", "gold": "yellow", "beige": "brown", "tan": "brown", "teal": "cyan", "turquoise": "cyan",
    "violet": "purple", "magenta": "pink", "navy": "blue", "cream": "white", "crimson": "red", "maroon": "red",
}  # fmt: skip
NAMES = {"black", "gray", "white", "red", "orange", "brown", "yellow", "green", "cyan", "blue", "purple", "pink"}


def name(red, green, blue):
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    hue *= 360
    if value < 0.2:
        return "black"
    if saturation < 0.15:
        return "white" if value > 0.85 else "gray"
    if 15 <= hue < 45:
        return "brown" if value < 0.65 or saturation < 0.45 else "orange"
    for end, found in [(15, "red"), (68, "yellow"), (165, "green"), (195, "cyan"), (255, "blue"), (290, "purple"), (340, "pink"), (361, "red")]:
        if hue < end:
            return found
    raise AssertionError


def seen(path):
    """The color name of at least 60 % of the pixels; none for several colors, or for a file without any of its own."""
    shape = lexiform.read(path)
    views = lexiform.render(shape, 4, rig="ring", size=96)
    # Views are on white: a background of exactly white is no part of the shape.
    pixels = [tuple(p) for p in views.reshape(-1, 3).tolist() if tuple(p) != (255, 255, 255)]
    counts = Counter(name(*pixel) for pixel in pixels)
    if not counts:
        return None
    best, count = counts.most_common(1)[0]
    return best if count >= SHARE * len(pixels) else None


def named(caption):
    words = [SYNONYMS.get(word, word) for word in caption.lower().replace(",", " ").split()]
    return next((word for word in words if word in NAMES), None)


def main(folder, labels, command):
    with open(labels, newline="") as file:
        files = [folder / row["file"] for row in csv.DictReader(file)]
    files = [path for path in files if path.suffix.lower() not in (".png", ".jpg", ".jpeg")]
    found = subprocess.run([command, "info", "--json", *files], capture_output=True, text=True).stdout
    has_color = {}
    for line in map(json.loads, found.splitlines()):
        has_color[line["path"]] = line.get("has_colors") or line.get("texture_sizes") or line.get("materials")
    lines = subprocess.run([command, "caption", "--json", *files], capture_output=True, text=True, check=True).stdout
    captions = {line["path"]: line["caption"] for line in map(json.loads, lines.splitlines())}
    judged, wrong, far = 0, [], []
    for path in map(str, files):
        if not has_color.get(path) or path not in captions:
            continue
        color = seen(path)
        if color is None:
            continue
        judged += 1
        said = named(captions[path])
        if said is not None and said != color:
            wrong.append((Path(path).name, color, captions[path]))
            if (said, color) not in NEIGHBORS and (color, said) not in NEIGHBORS:
                far.append(Path(path).name)
    for line in wrong:
        print(*line, sep=" | ")
    print(f"{judged} files of one color; another name {len(wrong)} ({len(wrong) / judged:.1%}), no neighbor of it {len(far)} ({len(far) / judged:.1%})")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
