"""What notebooks show: pictures, and shapes that turn."""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING

import numpy as np

from . import _lexiform
from ._arrays import Bytes, PathLike

if TYPE_CHECKING:
    from .shape import Shape

#: Triangles that a notebook can hold; larger shapes are shown as a picture.
_MAX_TRIANGLES = 200_000


class Picture:
    """A picture that notebooks show.

    Attributes
    ----------
    pixels
        ``[height, width, 3 or 4]``.
    """

    def __init__(self, pixels: Bytes) -> None:
        self.pixels = pixels

    def _repr_png_(self) -> bytes:
        return _lexiform.encode_png(np.ascontiguousarray(self.pixels))

    def save(self, path: PathLike) -> None:
        """Writes a PNG file."""
        with open(path, "wb") as file:
            file.write(self._repr_png_())

    def __array__(self, dtype: object = None, copy: bool | None = None) -> Bytes:
        return self.pixels

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"<lexiform.Picture {width} × {height}>"


def shape_page(shape: Shape) -> str:
    """A shape that can be turned with the mouse, without anything from the network."""
    if not 0 < shape.n_triangles <= _MAX_TRIANGLES:
        png = base64.b64encode(Picture(shape.render(1, 320)[0])._repr_png_()).decode()
        return f'<img alt="{_escaped(repr(shape))}" width="320" height="320" src="data:image/png;base64,{png}">'
    normalized = shape.normalized()
    positions, colors = [], []
    for mesh in normalized.meshes():
        corners = mesh["faces"].reshape(-1)
        positions.append(mesh["vertices"][corners])
        base = np.array(mesh.get("base_color", (0.8, 0.8, 0.8, 1.0)), np.float32)[:3]
        rows = mesh["colors"][corners, :3] * base if "colors" in mesh else np.tile(base, (len(corners), 1))
        colors.append(np.rint(255 * np.clip(rows, 0, 1) ** (1 / 2.2)).astype(np.uint8))
    vertices = np.concatenate(positions).astype("<f4")
    data = {
        "positions": base64.b64encode(vertices.tobytes()).decode(),
        "colors": base64.b64encode(np.concatenate(colors).tobytes()).decode(),
    }
    identifier = f"lexiform-{uuid.uuid4().hex}"
    return _PAGE.replace("__ID__", identifier).replace("__DATA__", json.dumps(data)).replace(
        "__LABEL__", _escaped(repr(shape))
    )


def _escaped(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text


# WebGL 2 without libraries. The normal of a face comes from derivatives of the position, so that none are sent.
_PAGE = """
<canvas id="__ID__" width="480" height="480" style="width:320px;height:320px;cursor:grab;touch-action:none" role="img"
 aria-label="__LABEL__" tabindex="0"></canvas>
<script>
(() => {
  const data = __DATA__, canvas = document.getElementById("__ID__");
  const gl = canvas.getContext("webgl2", { antialias: true });
  if (!gl) { canvas.replaceWith("This browser has no WebGL 2."); return; }
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const shader = (type, source) => { const s = gl.createShader(type); gl.shaderSource(s, source); gl.compileShader(s); return s; };
  const program = gl.createProgram();
  gl.attachShader(program, shader(gl.VERTEX_SHADER, `#version 300 es
    in vec3 position; in vec3 color; uniform vec4 view; out vec3 c; out vec3 p;
    void main() {
      float x = position.x * view.x - position.z * view.y, z = position.x * view.y + position.z * view.x;
      float y = position.y * view.z - z * view.w, d = position.y * view.w + z * view.z;
      p = vec3(x, y, d); c = color;
      gl_Position = vec4(x * 3.2, y * 3.2, -d * 0.9 + 0.0, 3.6 - d);
    }`));
  gl.attachShader(program, shader(gl.FRAGMENT_SHADER, `#version 300 es
    precision highp float; in vec3 c; in vec3 p; out vec4 o;
    void main() {
      vec3 n = normalize(cross(dFdx(p), dFdy(p)));
      float light = 0.35 + 0.45 * abs(n.z) + 0.2 * max(n.y, 0.0);
      o = vec4(c * light, 1.0);
    }`));
  gl.linkProgram(program); gl.useProgram(program);
  const attribute = (name, array, size, type, normalized) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
    const at = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(at); gl.vertexAttribPointer(at, size, type, normalized, 0, 0);
  };
  const positions = new Float32Array(bytes(data.positions).buffer);
  attribute("position", positions, 3, gl.FLOAT, false);
  attribute("color", bytes(data.colors), 3, gl.UNSIGNED_BYTE, true);
  gl.enable(gl.DEPTH_TEST); gl.clearColor(1, 1, 1, 1);
  let yaw = 0.5, pitch = 0.35;
  const draw = () => {
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniform4f(gl.getUniformLocation(program, "view"), Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch));
    gl.drawArrays(gl.TRIANGLES, 0, positions.length / 3);
  };
  const turn = (x, y) => { yaw -= x; pitch = Math.max(-1.5, Math.min(1.5, pitch + y)); requestAnimationFrame(draw); };
  canvas.addEventListener("pointerdown", (e) => canvas.setPointerCapture(e.pointerId));
  canvas.addEventListener("pointermove", (e) => { if (e.buttons) turn(e.movementX * 0.01, e.movementY * 0.01); });
  canvas.addEventListener("keydown", (e) => {
    const step = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] }[e.key];
    if (step) { turn(...step); e.preventDefault(); }
  });
  draw();
})();
</script>
"""
