"""3D shapes: read, made from arrays, rendered, sampled, written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _lexiform
from ._arrays import Bytes, Floats, PathLike, as_array, as_floats, as_picture, is_path
from ._display import Picture, shape_page
from .errors import InvalidArgument

__all__ = ["Shape", "as_shape", "contact_sheet", "read", "render", "sample"]


class Shape:
    """A 3D shape in memory: triangles and points with their materials, +Y up."""

    def __init__(self, native: _lexiform.Shape, name: str = "") -> None:
        self._native = native
        #: Name of the file that it was read from, or empty.
        self.name = name

    @staticmethod
    def from_mesh(vertices: Any, faces: Any, colors: Any = None) -> Shape:
        """A mesh.

        Parameters
        ----------
        vertices
            ``[n, 3]``, +Y up.
        faces
            ``[m, 3]``, indices of vertices.
        colors
            sRGB colors of vertices, ``[n, 3 or 4]`` in bytes, or in floats from 0 to 1.

        Examples
        --------
        >>> import lexiform
        >>> triangle = lexiform.Shape.from_mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
        >>> triangle.n_triangles
        1
        """
        corners = as_array(faces)
        if corners.ndim != 2 or corners.dtype.kind not in "iu":
            found = f"{list(corners.shape)} of {corners.dtype}"
            raise InvalidArgument(f"faces: expected integers of shape [n, 3], found {found}")
        if corners.size and (corners.min() < 0 or corners.max() > np.iinfo(np.uint32).max):
            raise InvalidArgument("faces: expected indices of vertices, found one that is out of range")
        linear = None if colors is None else _linear(colors)
        native = _lexiform.Shape.from_mesh(
            as_floats(vertices, "vertices", 2), np.ascontiguousarray(corners, dtype=np.uint32), linear
        )
        return Shape(native)

    @staticmethod
    def from_points(points: Any) -> Shape:
        """A point cloud: ``[n, 3]``, or ``[n, 6]`` with sRGB colors from 0 to 1."""
        return Shape(_lexiform.Shape.from_points(as_floats(points, "points", 2)))

    @property
    def n_triangles(self) -> int:
        """Number of triangles."""
        return self._native.n_triangles

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return self._native.n_vertices

    @property
    def n_points(self) -> int:
        """Number of points of point clouds."""
        return self._native.n_points

    @property
    def notes(self) -> list[str]:
        """What was dropped, repaired or ignored when the file was read."""
        return self._native.notes

    @property
    def bounds(self) -> Floats:
        """Smallest and largest coordinates, ``[2, 3]``."""
        bounds = self._native.bounds
        if bounds is None:
            raise InvalidArgument("the shape is empty")
        return np.array(bounds, dtype=np.float32)

    def meshes(self) -> list[dict[str, Any]]:
        """The meshes, in world space: dictionaries with ``vertices`` ``[n, 3]``, ``faces`` ``[m, 3]``, ``name``, and where the file has
        them ``normals`` ``[n, 3]``, ``uvs`` ``[n, 2]``, linear ``colors`` ``[n, 4]`` and ``base_color``."""
        return self._native.meshes()

    def clouds(self) -> list[Floats]:
        """The point clouds: ``[n, 3]``, or ``[n, 6]`` with sRGB colors from 0 to 1."""
        return self._native.clouds()

    def normalized(self) -> Shape:
        """The shape in the unit sphere, its bounding box around the origin."""
        return Shape(self._native.normalized(), self.name)

    def render(
        self,
        views: int = 1,
        size: int = 224,
        *,
        rig: str | None = None,
        seed: int = 0,
        transparent: bool = False,
    ) -> Bytes:
        """Views of the shape.

        Parameters
        ----------
        views
            Number of views.
        size
            Width and height in pixels.
        rig
            Camera positions: ``ring``, ``zero123`` (random, as in Duoduo CLIP's training) or ``openshape``. By default one view
            from the front, or a ring.
        seed
            Seed of the random cameras.
        transparent
            Whether the background is transparent instead of white.

        Returns
        -------
        ndarray
            ``[views, size, size, 3]``, with an alpha channel if ``transparent``.
        """
        kind = rig if rig is not None or views == 1 else "ring"
        return self._native.render(views, size, rig=kind, seed=seed, transparent=transparent)

    def sample(self, n: int = 10_000, *, seed: int = 0) -> Floats:
        """Points on the surface, uniform by area: ``[n, 3]``, or ``[n, 6]`` with sRGB colors from 0 to 1."""
        return self._native.sample(n, seed)

    def write(self, path: PathLike) -> None:
        """Writes a file, in the format of its extension: ``.glb``, ``.obj``, ``.ply``, ``.stl``, ``.3mf``."""
        self._native.write(os.fspath(path))

    def __repr__(self) -> str:
        name = f" {self.name}" if self.name else ""
        return f"<lexiform.Shape{name}: {self.n_triangles:,} triangles, {self.n_points:,} points>"

    def _repr_html_(self) -> str:
        return shape_page(self)


def read(path: PathLike | bytes, *, up: str = "format", name: str | None = None) -> Shape:
    """Reads a 3D file.

    Parameters
    ----------
    path
        A path, or the content of a file.
    up
        Up axis: ``y``, ``z``, ``x``, ``auto`` to decide from the shape, or ``format`` for what the format says.
    name
        A file name for content, whose extension says the format.
    """
    if isinstance(path, (bytes, bytearray, memoryview)):
        if name is None:
            raise InvalidArgument("name: expected a file name for the content, such as chair.glb")
        return Shape(_lexiform.Shape.from_bytes(bytes(path), name, up), name)
    return Shape(_lexiform.Shape.read(os.fspath(path), up), os.path.basename(os.fspath(path)))


def as_shape(value: Any, *, up: str = "format") -> Shape:
    """A shape from what other libraries have.

    Parameters
    ----------
    value
        A ``Shape``, a path, the content of a glTF binary as ``bytes``, a ``Trimesh``, ``Scene`` or ``PointCloud`` of trimesh, a
        ``TriangleMesh`` or ``PointCloud`` of Open3D, also of ``open3d.t``, or a dictionary with ``vertices`` and ``faces`` and perhaps
        ``colors``, or with ``points``. Coordinates in memory are +Y up.
    """
    if isinstance(value, Shape):
        return value
    if is_path(value):
        return read(value, up=up)
    if isinstance(value, (bytes, bytearray, memoryview)):
        content = bytes(value)
        return read(content, up=up, name=_name_of(content))
    if isinstance(value, Mapping):
        return _from_dictionary(value)
    module = type(value).__module__.split(".")[0]
    if module == "trimesh":
        return _from_trimesh(value)
    if module == "open3d":
        return _from_open3d(value)
    found = type(value).__name__
    raise InvalidArgument(f"expected a shape, found {found}", "arrays: encode_points, or Shape.from_mesh")


def render(
    shape: Any,
    views: int = 1,
    size: int = 224,
    *,
    rig: str | None = None,
    seed: int = 0,
    transparent: bool = False,
    up: str = "format",
) -> Bytes:
    """Views of a shape, ``[views, size, size, 3]``; see ``Shape.render`` and ``as_shape``."""
    return as_shape(shape, up=up).render(views, size, rig=rig, seed=seed, transparent=transparent)


def sample(shape: Any, n: int = 10_000, *, seed: int = 0, up: str = "format") -> Floats:
    """Points on the surface of a shape, ``[n, 3 or 6]``; see ``Shape.sample`` and ``as_shape``."""
    return as_shape(shape, up=up).sample(n, seed=seed)


def contact_sheet(images: Sequence[Any], captions: Sequence[str] | None = None, columns: int | None = None) -> Picture:
    """A grid of pictures with captions, which notebooks show.

    Examples
    --------
    >>> import lexiform, numpy
    >>> sheet = lexiform.contact_sheet(numpy.zeros((4, 32, 32, 3), numpy.uint8))
    >>> sheet.pixels.shape[2]
    3
    """
    pictures = [as_picture(image) for image in images]
    if not pictures:
        raise InvalidArgument("images: expected at least one picture, found none")
    texts = [""] * len(pictures) if captions is None else [str(caption) for caption in captions]
    if len(texts) != len(pictures):
        raise InvalidArgument(f"captions: expected {len(pictures)}, found {len(texts)}")
    count = columns or int(np.ceil(np.sqrt(len(pictures))))
    return Picture(_lexiform.contact_sheet(pictures, texts, count))


def _linear(colors: Any) -> Floats:
    """sRGB colors, in bytes or from 0 to 1, as linear ones; alpha is linear."""
    array = as_array(colors)
    if array.ndim != 2 or array.shape[1] not in (3, 4):
        raise InvalidArgument(f"colors: expected shape [n, 3 or 4], found {list(array.shape)}")
    srgb = np.clip(_unit(array), 0.0, 1.0)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    if array.shape[1] == 4:
        linear[:, 3] = srgb[:, 3]
    return np.ascontiguousarray(linear, dtype=np.float32)


def _unit(colors: npt.NDArray[Any]) -> Floats:
    """Colors from 0 to 1, which may be given in bytes."""
    return colors.astype(np.float32) / np.float32(255.0 if colors.dtype.kind in "iu" else 1.0)


def _name_of(content: bytes) -> str:
    """A file name for content whose format its first bytes say."""
    extension = _lexiform.content_format(content)
    if extension is None and content.startswith(b"PK"):
        extension = "3mf"
    if extension is not None:
        return f"shape.{extension}"
    raise InvalidArgument(
        "the content has no signature of a format", 'say which: lexiform.read(content, name="chair.stl")'
    )


def _from_dictionary(value: Mapping[str, Any]) -> Shape:
    if "points" in value:
        return Shape.from_points(value["points"])
    if missing := {"vertices", "faces"} - set(value):
        keys = ", ".join(sorted(missing))
        raise InvalidArgument(f"expected a dictionary with vertices and faces, or points; missing: {keys}")
    return Shape.from_mesh(value["vertices"], value["faces"], value.get("colors"))


def _from_trimesh(value: Any) -> Shape:
    kind = type(value).__name__
    if kind == "PointCloud":
        colors = getattr(value, "colors", None)
        return _cloud(value.vertices, colors if colors is not None and len(colors) else None)
    # With materials and textures, as the file that trimesh would write.
    content = value.export(file_type="glb")
    return read(bytes(content), up="y", name="shape.glb")


def _from_open3d(value: Any) -> Shape:
    if hasattr(value, "to_legacy"):
        # Of `open3d.t.geometry`, whose arrays may be on a GPU and of any type.
        value = value.to_legacy()
    kind = type(value).__name__
    if kind == "PointCloud":
        return _cloud(value.points, value.colors if value.has_colors() else None)
    if kind == "TriangleMesh":
        colors = np.asarray(value.vertex_colors) if value.has_vertex_colors() else None
        return Shape.from_mesh(np.asarray(value.vertices), np.asarray(value.triangles), colors)
    raise InvalidArgument(f"expected a TriangleMesh or PointCloud of Open3D, found {kind}")


def _cloud(positions: Any, colors: Any) -> Shape:
    points = np.asarray(positions, dtype=np.float32)
    if colors is None:
        return Shape.from_points(points)
    return Shape.from_points(np.concatenate([points, _unit(np.asarray(colors)[:, :3])], axis=1))
