"""Search a folder of 3D files: ``python search_folder.py FOLDER "a red chair"``."""

import sys

import lexiform


def main(folder: str, text: str) -> None:
    library = lexiform.Library(folder)
    library.index()
    results = library.search(text, k=5)
    print(results)
    if results:
        results.show().save("results.png")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
