"""Blender's Cycles through its Python module: 12 views at 224 px of a textured sphere of 100k triangles, 16 samples per pixel."""
import math, os, tempfile

import bpy
import numpy as np

from measure import measure

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_uv_sphere_add(segments=316, ring_count=158)
ball = bpy.context.object
image = bpy.data.images.new("noise", 1024, 1024)
image.pixels = np.random.default_rng(0).random(1024 * 1024 * 4, dtype=np.float32)
material = bpy.data.materials.new("textured")
material.use_nodes = True
texture = material.node_tree.nodes.new("ShaderNodeTexImage")
texture.image = image
material.node_tree.links.new(texture.outputs["Color"], material.node_tree.nodes["Principled BSDF"].inputs["Base Color"])
ball.data.materials.append(material)
bpy.ops.object.light_add(type="SUN")
bpy.ops.object.camera_add()
camera = bpy.context.object
scene = bpy.context.scene
scene.camera = camera
scene.render.engine = "CYCLES"
scene.cycles.samples = 16
scene.cycles.use_denoising = False
scene.render.use_persistent_data = True
scene.render.resolution_x = scene.render.resolution_y = 224
scene.render.filepath = os.path.join(tempfile.mkdtemp(), "view.png")


def views():
    for i in range(12):
        angle = 2 * math.pi * i / 12
        camera.location = (2.6 * math.sin(angle), -2.6 * math.cos(angle), 0)
        camera.rotation_euler = (math.pi / 2, 0, angle)
        bpy.ops.render.render(write_still=True)


measure("12 views, 224 px, 100k triangles (Blender Cycles, 16 samples)", views, repeats=1)
