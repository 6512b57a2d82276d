"""Label 3D files with words of your own: ``python label_shapes.py chair,table,lamp FILE…``."""

import sys

import lexiform


def main(labels: list[str], files: list[str]) -> None:
    model = lexiform.load("nano")
    for file, row in zip(files, model.classify(files, labels)):
        print(f"{file}: {row[0].label} ({row[0].probability:.0%})")


if __name__ == "__main__":
    main(sys.argv[1].split(","), sys.argv[2:])
