// A small WebGL 2 viewer for the flat buffers of /v1/assets/{id}/mesh: the server has read the file, whatever its format.

const FOV = 0.6;
/** The view of thumbnails: from the front, slightly from above and from the side. */
const START = { yaw: Math.atan2(0.4, 0.85), pitch: Math.asin(0.35 / Math.hypot(0.4, 0.35, 0.85)), distance: 3.7 };
const MAX_PITCH = Math.PI / 2 - 0.001;
const UP = { y: [1, 0, 0, 0, 1, 0, 0, 0, 1], z: [1, 0, 0, 0, 0, -1, 0, 1, 0], x: [0, 1, 0, -1, 0, 0, 0, 0, 1] };

const VERTEX = `#version 300 es
in vec3 position; in vec4 normal; in vec4 color; in vec2 uv;
uniform mat4 clip_from_world; uniform mat3 world_from_model; uniform float point_size;
out vec3 world; out vec3 world_normal; out vec4 tint; out vec2 texel;
void main() {
  world = world_from_model * position;
  world_normal = world_from_model * normal.xyz;
  tint = vec4(pow(color.rgb, vec3(2.2)), color.a);
  texel = uv;
  gl_Position = clip_from_world * vec4(world, 1.0);
  gl_PointSize = point_size / gl_Position.w;
}`;

// The light of the server's renderer: a sky, a key light, and a light at the camera; both sides of a face are lit.
const FRAGMENT = `#version 300 es
precision highp float;
in vec3 world; in vec3 world_normal; in vec4 tint; in vec2 texel;
uniform vec3 eye; uniform vec4 base; uniform vec3 emissive; uniform float cutoff; uniform bool textured; uniform bool blended;
uniform int mode; // 0 lit, 1 unlit, 2 lines, 3 points

uniform sampler2D image;
out vec4 result;
void main() {
  if (mode == 2) { result = base; return; }
  vec4 surface = base * tint;
  if (textured) surface *= texture(image, texel);
  if (surface.a < cutoff) discard;
  if (mode == 3 && length(gl_PointCoord - 0.5) > 0.5) discard;
  vec3 light = vec3(1.0);
  if (mode == 0) {
    vec3 to_eye = normalize(eye - world);
    vec3 face = cross(dFdx(world), dFdy(world));
    vec3 n = dot(world_normal, world_normal) > 0.01 ? normalize(world_normal) : normalize(face);
    if (dot(n, to_eye) < 0.0) n = -n;
    float sky = 0.16 + 0.52 * (0.5 + 0.5 * n.y);
    light = vec3(sky + 0.28 * max(0.0, dot(n, normalize(vec3(0.5, 0.75, 0.35)))) + 0.14 * max(0.0, dot(n, to_eye)));
  }
  vec3 lit = surface.rgb * light + emissive;
  result = vec4(pow(clamp(lit, 0.0, 1.0), vec3(1.0 / 2.2)), blended ? surface.a : 1.0);
}`;

export class Viewer {
  constructor(canvas) {
    this.canvas = canvas;
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: true, premultipliedAlpha: false });
    if (!gl) throw new Error("This browser has no WebGL 2.");
    this.gl = gl;
    this.program = link(gl, VERTEX, FRAGMENT);
    this.uniforms = {};
    for (const name of ["clip_from_world", "world_from_model", "point_size", "eye", "base", "emissive", "cutoff", "mode", "textured", "blended", "image"]) {
      this.uniforms[name] = gl.getUniformLocation(this.program, name);
    }
    this.scene = null;
    this.wireframe = false;
    this.up = UP.y;
    this.reset();
    this.listen();
  }

  /** Shows the buffers of a file, if they are still wanted once its images are decoded. */
  async load(buffers, isCurrent) {
    const { header, bytes } = parse(buffers);
    const images = await Promise.all(header.textures.map(({ image, media_type }) =>
      createImageBitmap(new Blob([bytes(image)], { type: media_type }), { premultiplyAlpha: "none", colorSpaceConversion: "none" })));
    if (!isCurrent()) {
      images.forEach((image) => image.close());
      return;
    }
    this.clear();
    const { gl } = this;
    const vertices = gl.createVertexArray();
    gl.bindVertexArray(vertices);
    const made = [];
    const buffer = (target, range) => {
      const created = gl.createBuffer();
      made.push(created);
      gl.bindBuffer(target, created);
      gl.bufferData(target, bytes(range), gl.STATIC_DRAW);
      return created;
    };
    const attribute = (name, range, width, type, normalized) => {
      const location = gl.getAttribLocation(this.program, name);
      buffer(gl.ARRAY_BUFFER, range);
      if (location < 0) return;
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, width, type, normalized, 0, 0);
    };
    attribute("position", header.positions, 3, gl.FLOAT, false);
    attribute("normal", header.normals, 4, gl.BYTE, true);
    attribute("color", header.colors, 4, gl.UNSIGNED_BYTE, true);
    attribute("uv", header.uvs, 2, gl.FLOAT, false);
    const triangles = buffer(gl.ELEMENT_ARRAY_BUFFER, header.indices);
    const textures = images.map((image, i) => texture(gl, image, header.textures[i].wrap));
    const indices = new Uint32Array(buffers, bytes(header.indices).byteOffset, header.triangles * 3);
    this.scene = { header, vertices, made, triangles, textures, indices, edges: null };
    this.up = UP.y;
    this.reset();
  }

  /** Forgets the file, and frees its memory. */
  clear() {
    const { gl, scene } = this;
    if (scene) {
      scene.made.forEach((buffer) => gl.deleteBuffer(buffer));
      scene.textures.forEach((texture) => gl.deleteTexture(texture));
      if (scene.edges) gl.deleteBuffer(scene.edges.buffer);
      gl.deleteVertexArray(scene.vertices);
    }
    this.scene = null;
    this.redraw();
  }

  reset() {
    Object.assign(this, START);
    this.redraw();
  }

  setWireframe(on) {
    this.wireframe = on;
    this.redraw();
  }

  setUp(axis) {
    this.up = UP[axis];
    this.redraw();
  }

  /** Draws once before the next frame, however often it is called. */
  redraw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { gl, canvas, scene } = this;
    const scale = Math.min(devicePixelRatio, 2);
    const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    if (!scene || !width || !height) return;
    const { eye, clip_from_world } = this.camera(width / height);
    gl.useProgram(this.program);
    gl.bindVertexArray(scene.vertices);
    gl.enable(gl.DEPTH_TEST);
    const { uniforms } = this;
    gl.uniformMatrix4fv(uniforms.clip_from_world, false, clip_from_world);
    gl.uniformMatrix3fv(uniforms.world_from_model, false, this.up);
    gl.uniform3fv(uniforms.eye, eye);
    gl.uniform1i(uniforms.image, 0);
    const points = scene.header.points;
    // As large as the distance between points on a surface: more points are smaller ones.
    gl.uniform1f(uniforms.point_size, Math.max(4, Math.min(0.06, 3 / Math.sqrt(points + 1)) * height * 2.2));
    const opaque = scene.header.draws.filter((draw) => !draw.blend);
    if (this.wireframe) {
      this.drawEdges();
    } else {
      opaque.forEach((draw) => this.drawTriangles(draw));
    }
    if (points) {
      this.setMaterial({ color: [1, 1, 1, 1], emissive: [0, 0, 0], cutoff: 0, unlit: true, texture: null });
      gl.uniform1i(uniforms.mode, 3);
      gl.drawArrays(gl.POINTS, scene.header.vertices - points, points);
    }
    if (this.wireframe) return;
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthMask(false);
    scene.header.draws.filter((draw) => draw.blend).forEach((draw) => this.drawTriangles(draw));
    gl.depthMask(true);
    gl.disable(gl.BLEND);
  }

  drawTriangles(draw) {
    const { gl } = this;
    this.setMaterial(draw);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.scene.triangles);
    gl.drawElements(gl.TRIANGLES, draw.count, gl.UNSIGNED_INT, 4 * draw.first);
  }

  setMaterial({ color, emissive, cutoff, unlit, texture, blend }) {
    const { gl, uniforms, scene } = this;
    gl.uniform4fv(uniforms.base, color);
    // Without blending, alpha decides at most what is cut off: the texture of an opaque material may have any.
    gl.uniform1i(uniforms.blended, blend ? 1 : 0);
    gl.uniform3fv(uniforms.emissive, emissive);
    gl.uniform1f(uniforms.cutoff, cutoff);
    gl.uniform1i(uniforms.mode, unlit ? 1 : 0);
    gl.uniform1i(uniforms.textured, texture === null ? 0 : 1);
    if (texture !== null) gl.bindTexture(gl.TEXTURE_2D, scene.textures[texture]);
  }

  /** All edges of all triangles, hidden ones too: made when first wanted. */
  drawEdges() {
    const { gl, scene, uniforms } = this;
    if (!scene.edges) {
      const lines = new Uint32Array(scene.indices.length * 2);
      for (let i = 0; i < scene.indices.length; i += 3) {
        const [a, b, c] = scene.indices.subarray(i, i + 3);
        lines.set([a, b, b, c, c, a], 2 * i);
      }
      scene.edges = { buffer: gl.createBuffer(), count: lines.length };
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, scene.edges.buffer);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, lines, gl.STATIC_DRAW);
    }
    const dark = document.documentElement.dataset.theme === "dark";
    gl.uniform4fv(uniforms.base, dark ? [0.85, 0.9, 1, 1] : [0.12, 0.2, 0.4, 1]);
    gl.uniform1i(uniforms.mode, 2);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, scene.edges.buffer);
    gl.drawElements(gl.LINES, scene.edges.count, gl.UNSIGNED_INT, 0);
  }

  camera(aspect) {
    const { yaw, pitch, distance } = this;
    const back = [Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch)];
    const right = [Math.cos(yaw), 0, -Math.sin(yaw)];
    const up = [back[1] * right[2] - back[2] * right[1], back[2] * right[0] - back[0] * right[2], back[0] * right[1] - back[1] * right[0]];
    const eye = back.map((value) => value * distance);
    // The whole shape is in the image, also in a high and narrow one.
    const f = Math.min(1, aspect) / Math.tan(FOV / 2);
    const [near, far] = [Math.max(0.02, distance - 1.8), distance + 1.8];
    const [z, w] = [(far + near) / (near - far), (2 * far * near) / (near - far)];
    const column = (i) => [(f / aspect) * right[i], f * up[i], z * back[i], -back[i]];
    return { eye, clip_from_world: [...column(0), ...column(1), ...column(2), 0, 0, w - z * distance, distance] };
  }

  turn(right, up) {
    this.yaw -= right;
    this.pitch = Math.max(-MAX_PITCH, Math.min(MAX_PITCH, this.pitch + up));
    this.redraw();
  }

  /** Turns the shape once in ten seconds, until told otherwise; still, in steps of a second, for those who want less motion. */
  setTurning(on) {
    clearInterval(this.turning);
    const step = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 33;
    if (on) this.turning = setInterval(() => this.turn(-step / 10000 * 2 * Math.PI, 0), step);
  }

  zoom(factor) {
    this.distance = Math.max(0.4, Math.min(20, this.distance * factor));
    this.redraw();
  }

  listen() {
    const { canvas } = this;
    const pointers = new Map();
    const spread = () => {
      const [a, b] = [...pointers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const before = pointers.size === 2 ? spread() : 0;
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (pointers.size === 2) {
        this.zoom(before / Math.max(1, spread()));
      } else {
        this.turn((event.clientX - last.x) / 140, (event.clientY - last.y) / 140);
      }
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY / 500))));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const turn = { ArrowLeft: [0.15, 0], ArrowRight: [-0.15, 0], ArrowUp: [0, 0.15], ArrowDown: [0, -0.15] }[event.key];
      const zoom = { "+": 0.9, "=": 0.9, "-": 1.1 }[event.key];
      if (turn) this.turn(...turn);
      else if (zoom) this.zoom(zoom);
      else if (event.key === "0" || event.key === "Home") this.reset();
      else return;
      event.preventDefault();
    });
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }
}

/** The header, and the bytes of a range that it names. */
function parse(buffers) {
  const view = new DataView(buffers);
  const length = view.getUint32(4, true);
  if (view.getUint32(0, true) !== 0x314d584c) throw new Error("The server sent something else than a shape.");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffers, 8, length)));
  return { header, bytes: ({ offset, bytes }) => new Uint8Array(buffers, 8 + length + offset, bytes) };
}

function texture(gl, image, [u, v]) {
  const made = gl.createTexture();
  const wrap = { repeat: gl.REPEAT, mirror: gl.MIRRORED_REPEAT, clamp: gl.CLAMP_TO_EDGE };
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.SRGB8_ALPHA8, gl.RGBA, gl.UNSIGNED_BYTE, image);
  gl.generateMipmap(gl.TEXTURE_2D);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, wrap[u]);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, wrap[v]);
  image.close();
  return made;
}

function link(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}
