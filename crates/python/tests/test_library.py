"""Libraries: indexing, searching, adding."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import lexiform
from conftest import SAMPLES


def test_a_folder_is_indexed_and_searched(folder: Path, nano: lexiform.Model) -> None:
    events: list[dict[str, object]] = []
    library = lexiform.Library(folder, nano)
    assert len(library) == 0
    assert library.index(progress=events.append)["indexed"] == 4
    assert [event["event"] for event in events].count("step") == 4 and events[0] == {"event": "planned", "files": 4}
    assert library.index(progress=False) == {"indexed": 0, "unchanged": 4, "renamed": 0, "failed": 0, "removed": 0}
    assert len(library) == 4 and library.root == folder and library.path == folder / ".lexiform"
    found = library.search("something to sit on", k=2, rank_by="semantic")
    assert len(found) == 2 and found[0].name == "armchair.glb" and found[0].rank == 1
    assert found[0].path == folder / "armchair.glb" and found[0].score > found[1].score
    assert found[0].metadata["format"] == "glb" and found[0].metadata["triangles"] > 0


def test_queries_are_texts_pictures_shapes_and_vectors(folder: Path, nano: lexiform.Model) -> None:
    library = lexiform.Library(folder, nano)
    library.index(progress=False)
    picture = lexiform.render(SAMPLES / "banana.glb", 1)[0]
    first = lambda **query: library.search(k=1, **query)[0].name  # noqa: E731
    assert first(shapes=SAMPLES / "banana.glb") == "banana.glb"
    assert first(shapes=lexiform.read(SAMPLES / "axe.stl")) == "axe.stl"
    assert first(features=nano.encode_shape(SAMPLES / "axe.stl")) == "axe.stl"
    assert first(images=[picture, picture]) == "banana.glb"
    assert first(text="fruit", negative="a banana", rank_by="semantic") == "apple_02.ply"
    assert first(text="a banana", images=picture, weights={"images": 0.5}) == "banana.glb"
    assert first(text="axe", rank_by="name") == "axe.stl"
    lexiform.Picture(picture).save(folder.parent / "banana.png")
    assert first(images=folder.parent / "banana.png") == "banana.glb"
    listed = library.search(where="format = glb")
    assert sorted(result.name for result in listed) == ["armchair.glb", "banana.glb"]
    assert library.count("format = glb") == 2
    assert library.search("a chair", min_score=0.99) == [] or len(library.search("a chair", min_score=0.99)) == 0
    assert [result.name for result in library.search("chair", where="format = stl")] == ["axe.stl"]


def test_similar_records_are_found_by_result_id_and_path(folder: Path, nano: lexiform.Model) -> None:
    library = lexiform.Library(folder, nano)
    library.index(progress=False)
    banana = library.search("banana", k=1)[0]
    expected = [result.name for result in library.similar(banana, k=4)]
    assert expected[0] == "banana.glb" and len(expected) == 4
    for item in (banana.id, "banana.glb", folder / "banana.glb"):
        assert [result.name for result in library.similar(item, k=4)] == expected
    with pytest.raises(ValueError, match="not in the library"):
        library.similar("pear.glb")


def test_results_are_shown_and_converted(folder: Path, nano: lexiform.Model) -> None:
    library = lexiform.Library(folder, nano)
    library.index(progress=False)
    found = library.search("fruit", k=3)
    assert found.show().pixels.shape[2] == 3 and found._repr_png_()
    assert found[0].thumbnail()[:2] == b"\xff\xd8"  # type: ignore[index]
    assert isinstance(found, lexiform.Results) and isinstance(found[0], lexiform.Result)
    assert "1." in repr(found) and "banana" in repr(found[0]) + repr(found[1]) and len(found[:2]) == 2
    assert [row["rank"] for row in found.to_dicts()] == [1, 2, 3]
    unknown = library.search("qwertyuiop")
    assert unknown.unknown_texts == ["qwertyuiop"] and "not understood" in repr(unknown)
    assert library.search("bananna").corrections == {"bananna": "banana"}
    pandas = pytest.importorskip("pandas")
    frame = found.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and list(frame["rank"]) == [1, 2, 3]


def test_vectors_and_shapes_are_added_under_names(tmp_path: Path, nano: lexiform.Model) -> None:
    library = lexiform.Library(tmp_path / "words", nano)
    words = ["a chair", "a table", "an airplane"]
    assert library.add(words, nano.encode_text(words))["indexed"] == 3
    assert library.add(words, nano.encode_text(words))["unchanged"] == 3
    assert library.search("an aeroplane", k=1, rank_by="semantic")[0].name == "an airplane"
    assert library.add(["triangle"], [lexiform.Shape.from_mesh(np.eye(3), [[0, 1, 2]])], source="shapes")["indexed"] == 1
    names, rows = library.embeddings()
    assert sorted(names) == sorted([*words, "triangle"]) and rows.shape == (4, nano.dim)
    np.testing.assert_allclose(rows[names.index("a table")], nano.encode_text("a table"), atol=1e-6)
    assert library.root is None and len(lexiform.Library(tmp_path / "words")) == 4
    with pytest.raises(ValueError, match="expected 1 names"):
        library.add(["a", "b"], nano.encode_text(["a"]))
    with pytest.raises(ValueError, match="expected features of length"):
        library.add(["a"], np.ones((1, 3), np.float32))
    with pytest.raises(ValueError, match="name the files"):
        library.index()


def test_broken_files_are_failures_not_errors(folder: Path, nano: lexiform.Model) -> None:
    (folder / "broken.glb").write_bytes(b"glTF junk")
    library = lexiform.Library(folder, nano)
    assert library.index(progress=False)["failed"] == 1
    assert list(library.failures()) == ["broken.glb"]
    (folder / "axe.stl").unlink()
    assert library.index(progress=False, prune=True)["removed"] == 1 and len(library) == 3


def test_a_library_is_pickled_as_its_path(folder: Path) -> None:
    library = lexiform.Library(folder, "nano", up="y")
    library.index(progress=False)
    again = pickle.loads(pickle.dumps(library))
    assert len(again) == 4 and again.root == folder and "4 records" in repr(again)


def test_wrong_queries_are_errors(folder: Path, nano: lexiform.Model) -> None:
    library = lexiform.Library(folder, nano)
    with pytest.raises(lexiform.LibraryError):
        library.search("a chair")
    library.index(progress=False)
    with pytest.raises(lexiform.LibraryError):
        library.search("a chair", where="triangles <")
    for options in ({"combine": "max"}, {"rank_by": "size"}, {"weights": {"txt": 1}}):
        with pytest.raises(lexiform.InvalidArgument):
            library.search("a chair", **options)  # type: ignore[arg-type]
    with pytest.raises(lexiform.InvalidArgument, match="expected a folder"):
        lexiform.Library(folder / "axe.stl", nano)
    with pytest.raises(lexiform.NotFound):
        library.index("missing", progress=False)


def test_an_interrupted_run_goes_on(folder: Path, nano: lexiform.Model) -> None:
    class Stop(Exception):
        pass

    def stop(event: dict[str, object]) -> None:
        if event["event"] == "step":
            raise Stop

    library = lexiform.Library(folder, nano)
    with pytest.raises(Stop):
        library.index(progress=stop, jobs=1)
    summary = library.index(progress=False)
    assert summary["indexed"] + summary["unchanged"] == 4 and len(library) == 4
