"""Small JPEG images and what libjpeg-turbo decodes them to, for `lexiform_formats::jpeg`.

Usage: python jpeg.py OUT_FOLDER (needs numpy and pillow, whose wheels contain libjpeg-turbo).
"""

import pathlib
import sys

import numpy as np
from PIL import Image


def picture(width, height):
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 120 * np.sin(x / 3 + y / 7), 127 + 120 * np.cos(y / 2), (x * 13 + y * 29) % 256]
    return Image.fromarray(np.stack(waves, -1).clip(0, 255).astype(np.uint8))


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    color, gray = picture(37, 21), picture(29, 18).convert("L")
    for name, image, options in [
        ("h1v1", color, {"subsampling": 0, "quality": 95}),
        ("h2v1", color, {"subsampling": 1, "quality": 60}),
        ("h2v2", color, {"subsampling": 2, "quality": 75}),
        ("h2v2_progressive", color, {"subsampling": 2, "quality": 90, "progressive": True}),
        ("h1v1_progressive", color, {"subsampling": 0, "quality": 40, "progressive": True}),
        ("restart", color, {"subsampling": 2, "quality": 80, "restart_marker_blocks": 2}),
        ("gray", gray, {"quality": 85}),
        ("gray_progressive", gray, {"quality": 85, "progressive": True}),
        ("rgb", color, {"keep_rgb": True, "quality": 90}),
        ("narrow", picture(2, 9), {"subsampling": 2, "quality": 90}),
    ]:
        path = folder / f"{name}.jpg"
        image.save(path, **options)
        Image.open(path).convert("RGB").save(path.with_suffix(".png"), optimize=True)


main(*sys.argv[1:])
