//! glTF features one by one, on documents written here.

use std::path::Path;

use base64::Engine as _;
use glam::{Affine2, Affine3A, Quat, Vec2, Vec3, Vec4};
use image::{Rgba, RgbaImage};
use lexiform_geometry::{AlphaMode, Material, Mesh, PointCloud, Scene, Texture, TextureRef, Wrap};
use lexiform_mesh_io::{ReadError, ReadOptions};
use serde_json::{Value, json};

const FLOAT: u32 = 5126;
const UNSIGNED_BYTE: u32 = 5121;
const UNSIGNED_SHORT: u32 = 5123;

/// Exact in f32, or nearly so.
const TOLERANCE: f32 = 1e-5;

/// A document with one accessor a list of numbers.
struct Document(Value);

impl Document {
    fn new() -> Self {
        Self(json!({
            "asset": { "version": "2.0" },
            "accessors": [], "bufferViews": [], "buffers": [],
            "scene": 0, "scenes": [{ "nodes": [0] }], "nodes": [{ "mesh": 0 }],
        }))
    }

    fn view(&mut self, bytes: &[u8]) -> usize {
        let uri = format!("data:;base64,{}", base64::prelude::BASE64_STANDARD.encode(bytes));
        let lists = [("buffers", json!({ "uri": uri, "byteLength": bytes.len() }))];
        let buffer = self.0["buffers"].as_array().unwrap().len();
        for (list, value) in lists {
            self.0[list].as_array_mut().unwrap().push(value);
        }
        let views = self.0["bufferViews"].as_array_mut().unwrap();
        views.push(json!({ "buffer": buffer, "byteLength": bytes.len() }));
        views.len() - 1
    }

    fn accessor(&mut self, bytes: &[u8], component: u32, kind: &str, count: usize) -> usize {
        let view = self.view(bytes);
        let accessors = self.0["accessors"].as_array_mut().unwrap();
        accessors
            .push(json!({ "bufferView": view, "componentType": component, "type": kind, "count": count }));
        accessors.len() - 1
    }

    fn floats(&mut self, kind: &str, width: usize, values: &[f32]) -> usize {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.accessor(&bytes, FLOAT, kind, values.len() / width)
    }

    fn shorts(&mut self, values: &[u16]) -> usize {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.accessor(&bytes, UNSIGNED_SHORT, "SCALAR", values.len())
    }

    /// One primitive of the corner triangle (0,0,0), (1,0,0), (0,1,0).
    fn triangle() -> Self {
        let mut document = Self::new();
        let positions = document.floats("VEC3", 3, &[0., 0., 0., 1., 0., 0., 0., 1., 0.]);
        document.0["meshes"] = json!([{ "primitives": [{ "attributes": { "POSITION": positions } }] }]);
        document
    }

    fn primitive(&mut self) -> &mut Value {
        &mut self.0["meshes"][0]["primitives"][0]
    }

    fn read(&self) -> Result<Scene, ReadError> {
        lexiform_mesh_io::read_bytes(
            Path::new("nowhere/made.gltf"),
            self.0.to_string().as_bytes(),
            &ReadOptions::default(),
        )
    }
}

fn assert_close(found: Vec3, expected: Vec3) {
    assert!(found.abs_diff_eq(expected, TOLERANCE), "expected {expected}, found {found}");
}

#[test]
fn transforms_multiply_down_the_hierarchy() {
    let mut document = Document::triangle();
    document.0["nodes"] = json!([
        { "children": [1], "translation": [10, 0, 0] },
        { "children": [2], "rotation": [0, 0, 0.70710677, 0.70710677], "scale": [2, 2, 2] },
        { "mesh": 0, "name": "leaf", "matrix": [1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,5,1] },
    ]);
    let scene = document.read().unwrap();
    let mesh = &scene.meshes[0];
    assert_close(mesh.positions()[0], Vec3::new(10.0, 0.0, 10.0));
    assert_close(mesh.positions()[1], Vec3::new(10.0, 2.0, 10.0));
    assert_eq!(mesh.name.as_deref(), Some("leaf"));
}

#[test]
fn groups_are_named_without_duplicates() {
    let mut document = Document::triangle();
    let leaf = |name: &str| json!({ "mesh": 0, "name": name });
    document.0["nodes"] = json!([
        { "children": [1, 2, 5], "name": "Room" },
        { "children": [3], "name": "Chair" },
        { "children": [4], "name": "Chair" },
        leaf("seat"), leaf("back"),
        { "name": "empty" },
    ]);
    let scene = document.read().unwrap();
    assert_eq!(scene.groups, ["Chair", "Room"]);
    assert_eq!(scene.meshes.len(), 2);
    let chain = (1..=100).map(|next| json!({ "children": [next], "name": format!("{next}") }));
    document.0["nodes"] = chain.chain([leaf("seat")]).collect::<Vec<Value>>().into();
    let groups = document.read().unwrap().groups;
    assert_eq!((groups.len(), groups[0].as_str()), (64, "100"));
}

#[test]
fn a_shared_node_counts_once_and_a_cycle_is_refused() {
    let mut document = Document::triangle();
    document.0["nodes"] = json!([{ "children": [1, 2] }, { "children": [2] }, { "mesh": 0 }]);
    let scene = document.read().unwrap();
    assert_eq!((scene.meshes.len(), scene.notes.len()), (1, 1));
    document.0["nodes"] = json!([{ "children": [1] }, { "children": [0], "mesh": 0 }]);
    assert!(document.read().unwrap_err().to_string().contains("its own ancestor"));
    // Every level lists the next twice: 2⁴⁰ paths, 41 nodes.
    let mut nodes: Vec<Value> = (1..=40).map(|next| json!({ "children": [next, next] })).collect();
    nodes.push(json!({ "mesh": 0 }));
    document.0["nodes"] = nodes.into();
    assert_eq!(document.read().unwrap().meshes.len(), 1);
    // A chain deeper than any stack.
    let mut nodes: Vec<Value> = (1..=200_000).map(|next| json!({ "children": [next] })).collect();
    nodes.push(json!({ "mesh": 0 }));
    document.0["nodes"] = nodes.into();
    assert_eq!(document.read().unwrap().meshes.len(), 1);
}

#[test]
fn instances_are_placed_one_by_one() {
    let mut document = Document::triangle();
    let translation = document.floats("VEC3", 3, &[0., 0., 0., 5., 0., 0.]);
    let scale = document.floats("VEC3", 3, &[1., 1., 1., 3., 3., 3.]);
    document.0["nodes"] = json!([{ "mesh": 0, "translation": [0, 0, 1], "extensions": {
        "EXT_mesh_gpu_instancing": { "attributes": { "TRANSLATION": translation, "SCALE": scale } } } }]);
    document.0["extensionsRequired"] = json!(["EXT_mesh_gpu_instancing"]);
    let scene = document.read().unwrap();
    assert_eq!(scene.meshes.len(), 2);
    assert_close(scene.meshes[1].positions()[1], Vec3::new(8.0, 0.0, 1.0));
}

#[test]
fn morph_targets_follow_the_default_weights() {
    let mut document = Document::triangle();
    let target = document.floats("VEC3", 3, &[0., 0., 2., 0., 0., 2., 0., 0., 2.]);
    document.primitive()["targets"] = json!([{ "POSITION": target }]);
    assert_close(document.read().unwrap().meshes[0].positions()[0], Vec3::ZERO);
    document.0["meshes"][0]["weights"] = json!([0.5]);
    assert_close(document.read().unwrap().meshes[0].positions()[0], Vec3::Z);
    document.0["nodes"][0]["weights"] = json!([1.0]);
    assert_close(document.read().unwrap().meshes[0].positions()[0], Vec3::Z * 2.0);
}

#[test]
fn a_skinned_mesh_stands_where_its_joints_stand() {
    let mut document = Document::triangle();
    let joints = document.accessor(&[0, 1, 0, 0].repeat(3), UNSIGNED_BYTE, "VEC4", 3);
    let weights = document.floats("VEC4", 4, &[1., 0., 0., 0., 0.5, 0.5, 0., 0., 0., 1., 0., 0.]);
    let mut bind = Affine3A::IDENTITY.to_cols_array_4x4();
    bind[14] = -1.0;
    let bind = document.floats("MAT4", 16, &[bind, bind].concat());
    document.primitive()["attributes"]["JOINTS_0"] = joints.into();
    document.primitive()["attributes"]["WEIGHTS_0"] = weights.into();
    document.0["skins"] = json!([{ "joints": [1, 2], "inverseBindMatrices": bind }]);
    document.0["nodes"] = json!([
        { "mesh": 0, "skin": 0, "translation": [100, 0, 0] },
        { "translation": [0, 0, 1] }, { "translation": [0, 0, 3] },
    ]);
    document.0["scenes"] = json!([{ "nodes": [0, 1, 2] }]);
    let scene = document.read().unwrap();
    let positions = scene.meshes[0].positions();
    assert_close(positions[0], Vec3::ZERO);
    assert_close(positions[1], Vec3::new(1.0, 0.0, 1.0));
    assert_close(positions[2], Vec3::new(0.0, 1.0, 2.0));
}

trait ToArray {
    fn to_cols_array_4x4(self) -> [f32; 16];
}

impl ToArray for Affine3A {
    fn to_cols_array_4x4(self) -> [f32; 16] {
        glam::Mat4::from(self).to_cols_array()
    }
}

#[test]
fn vertex_colors_of_any_kind_are_linear() {
    let mut document = Document::triangle();
    let bytes = document.accessor(&[255, 0, 51, 0, 255, 0, 0, 0, 255], UNSIGNED_BYTE, "VEC3", 3);
    document.primitive()["attributes"]["COLOR_0"] = bytes.into();
    assert_eq!(document.read().unwrap().meshes[0].colors().unwrap()[0], Vec4::new(1.0, 0.0, 0.2, 1.0));
    let floats = document.floats("VEC4", 4, &[0.5; 12]);
    document.primitive()["attributes"]["COLOR_0"] = floats.into();
    assert_eq!(document.read().unwrap().meshes[0].colors().unwrap()[2], Vec4::splat(0.5));
    let short = document.floats("VEC4", 4, &[0.5; 8]);
    document.primitive()["attributes"]["COLOR_0"] = short.into();
    let scene = document.read().unwrap();
    assert!(scene.meshes[0].colors().is_none());
    assert_eq!(scene.notes, ["COLOR_0 is left out: 2 values for 3 vertices"]);
}

#[test]
fn quantized_positions_are_scaled_by_their_node() {
    let mut document = Document::new();
    let bytes: Vec<u8> =
        [0_u16, 0, 0, 0, 1000, 0, 0, 0, 0, 1000, 0, 0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let view = document.view(&bytes);
    document.0["bufferViews"][view]["byteStride"] = 8.into();
    document.0["accessors"] =
        json!([{ "bufferView": view, "componentType": 5123, "type": "VEC3", "count": 3 }]);
    document.0["meshes"] = json!([{ "primitives": [{ "attributes": { "POSITION": 0 } }] }]);
    document.0["nodes"][0]["scale"] = json!([0.001, 0.001, 0.001]);
    assert_close(document.read().unwrap().meshes[0].positions()[1], Vec3::X);
}

#[test]
fn strips_and_fans_become_triangles() {
    let mut document = Document::triangle();
    let indices = document.shorts(&[0, 1, 2, 0, 1]);
    document.primitive()["indices"] = indices.into();
    document.primitive()["mode"] = 5.into();
    assert_eq!(document.read().unwrap().n_faces(), 3);
    document.primitive()["mode"] = 6.into();
    assert_eq!(document.read().unwrap().meshes[0].faces(), [[1, 2, 0]]);
    document.primitive()["mode"] = 9.into();
    assert!(document.read().is_err());
}

#[test]
fn points_take_color_from_material_and_vertex() {
    let mut document = Document::triangle();
    document.primitive()["mode"] = 0.into();
    document.primitive()["material"] = 0.into();
    document.0["materials"] = json!([{ "pbrMetallicRoughness": { "baseColorFactor": [0.5, 1, 1, 1] } }]);
    let scene = document.read().unwrap();
    assert_eq!(scene.clouds[0].colors().unwrap()[1], Vec3::new(0.5, 1.0, 1.0));
    assert_eq!(scene.n_faces(), 0);
}

#[test]
fn materials_keep_what_a_view_needs() {
    let mut document = Document::triangle();
    document.primitive()["material"] = 0.into();
    document.0["materials"] = json!([{
        "name": "glow", "alphaMode": "MASK", "alphaCutoff": 0.25, "doubleSided": true,
        "emissiveFactor": [1, 0.5, 0],
        "extensions": {
            "KHR_materials_unlit": {},
            "KHR_materials_emissive_strength": { "emissiveStrength": 4 },
            "KHR_materials_pbrSpecularGlossiness": { "diffuseFactor": [0.1, 0.2, 0.3, 1], "glossinessFactor": 0.75 },
        },
    }]);
    let material = &document.read().unwrap().materials[0];
    let expected = Material {
        name: Some("glow".into()),
        base_color: Vec4::new(0.1, 0.2, 0.3, 1.0),
        emissive: Vec3::new(4.0, 2.0, 0.0),
        metallic: 0.0,
        roughness: 0.25,
        alpha: AlphaMode::Mask { cutoff: 0.25 },
        double_sided: true,
        unlit: true,
        ..Material::default()
    };
    assert_eq!(material, &expected);
}

fn png(width: u32, height: u32, color: [u8; 4]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = RgbaImage::from_pixel(width, height, Rgba(color));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn the_texture_names_its_coordinates() {
    let mut document = Document::triangle();
    let first = document.floats("VEC2", 2, &[0.0; 6]);
    let second = document.floats("VEC2", 2, &[0.25; 6]);
    let view = document.view(&png(2, 2, [255, 0, 0, 255]));
    document.primitive()["attributes"]["TEXCOORD_0"] = first.into();
    document.primitive()["attributes"]["TEXCOORD_1"] = second.into();
    document.primitive()["material"] = 0.into();
    document.0["images"] = json!([{ "bufferView": view }]);
    document.0["samplers"] = json!([{ "wrapS": 33071, "wrapT": 33648 }]);
    document.0["textures"] = json!([{ "source": 0, "sampler": 0 }]);
    document.0["materials"] = json!([{ "pbrMetallicRoughness": { "baseColorTexture": {
        "index": 0, "texCoord": 0,
        "extensions": { "KHR_texture_transform": { "texCoord": 1, "offset": [0.5, 0], "scale": [2, 3] } },
    } } }]);
    let scene = document.read().unwrap();
    assert_eq!(scene.meshes[0].uvs().unwrap()[0], Vec2::splat(0.25));
    assert_eq!(scene.textures[0].wrap, [Wrap::Clamp, Wrap::Mirror]);
    let used = scene.materials[0].base_color_texture.unwrap();
    assert!(
        used.image_from_uv.transform_point2(Vec2::splat(0.25)).abs_diff_eq(Vec2::new(1.0, 0.75), TOLERANCE)
    );
}

#[test]
fn a_texture_that_cannot_be_had_costs_a_note() {
    let mut document = Document::triangle();
    document.primitive()["material"] = 0.into();
    document.0["materials"] = json!([{ "emissiveFactor": [1, 1, 1], "emissiveTexture": { "index": 0 },
        "pbrMetallicRoughness": { "baseColorTexture": { "index": 0 }, "baseColorFactor": [0, 1, 0, 1] } }]);
    document.0["textures"] = json!([{ "source": 0 }]);
    for uri in ["missing.png", "../../../etc/passwd", "https://example.org/a.png", "data:;base64,AAAA"] {
        document.0["images"] = json!([{ "uri": uri }]);
        let scene = document.read().unwrap();
        assert_eq!(scene.materials[0].base_color, Vec4::new(0.0, 1.0, 0.0, 1.0));
        assert_eq!(scene.materials[0].base_color_texture, None);
        assert_eq!(
            scene.materials[0].emissive,
            Vec3::ZERO,
            "white emission must not replace a missing texture"
        );
        assert_eq!(scene.notes.len(), 1, "{:?}", scene.notes);
    }
}

#[test]
fn vertices_at_infinity_take_their_triangles_with_them() {
    let mut document = Document::triangle();
    let positions =
        document.floats("VEC3", 3, &[f32::NAN, 0., 0., 0., 0., 0., 1., 0., 0., 0., 1., 0., 1., 1., 0.]);
    let indices = document.shorts(&[0, 1, 2, 1, 2, 3, 2, 4, 3]);
    document.primitive()["attributes"]["POSITION"] = positions.into();
    document.primitive()["indices"] = indices.into();
    let scene = document.read().unwrap();
    assert_eq!(scene.meshes[0].faces(), [[0, 1, 2], [1, 3, 2]]);
    assert_eq!(scene.notes, ["1 of 5 vertices are not finite and left out"]);
}

#[test]
fn what_a_file_may_ask_for_is_bounded() {
    let refused = |document: &Document| document.read().unwrap_err().to_string();
    let mut document = Document::triangle();
    document.0["accessors"][0]["count"] = 1_000_000.into();
    assert!(refused(&document).contains("expected 1000000 elements"));
    document.0["accessors"][0].as_object_mut().unwrap().remove("bufferView");
    assert!(refused(&document).contains("more than the file has bytes"));
    document.0["accessors"][0]["count"] = 4_000_000_000_u64.into();
    assert!(refused(&document).contains("the limit is"));
    // A thousand primitives of the same hundred thousand vertices.
    let mut document = Document::new();
    let positions = document.floats("VEC3", 3, &vec![0.5; 300_000]);
    let primitive = json!({ "attributes": { "POSITION": positions } });
    document.0["meshes"] = json!([{ "primitives": vec![primitive; 1000] }]);
    assert!(refused(&document).contains("number of vertices"));
    // A thousand nodes with the same hundred thousand instances each.
    let mut document = Document::triangle();
    let translation = document.accessor(&[0; 3], UNSIGNED_BYTE, "VEC3", 1);
    document.0["accessors"][translation] = json!({ "bufferView": document.view(&vec![0; 300_000]),
        "componentType": UNSIGNED_BYTE, "type": "VEC3", "count": 100_000 });
    let node = json!({ "mesh": 0, "extensions": {
        "EXT_mesh_gpu_instancing": { "attributes": { "TRANSLATION": translation } } } });
    document.0["nodes"] = vec![node; 1000].into();
    document.0["scenes"] = json!([{ "nodes": (0..1000).collect::<Vec<_>>() }]);
    assert!(refused(&document).contains("number of instances"));
    let mut document = Document::triangle();
    document.0["extensionsRequired"] = json!(["KHR_materials_wet", "ACME_bent_space"]);
    assert!(refused(&document).contains("ACME_bent_space"));
}

fn varied_scene() -> Scene {
    let turned = Affine3A::from_quat(Quat::from_rotation_y(0.5));
    let square = vec![Vec3::ZERO, Vec3::X, Vec3::new(1.0, 1.0, 0.0), Vec3::Y];
    let mesh = Mesh::new(square.clone(), vec![[0, 1, 2], [0, 2, 3]])
        .and_then(|m| m.with_normals(vec![Vec3::Z; 4]))
        .and_then(|m| m.with_uvs(square.iter().map(|p| p.truncate()).collect()))
        .and_then(|m| m.with_colors(vec![Vec4::new(0.1, 0.2, 0.3, 1.0); 4]))
        .unwrap()
        .with_material(Some(1))
        .with_name(Some("square".into()))
        .transformed(turned);
    let plain = Mesh::new(square.clone(), vec![[0, 1, 2]]).unwrap();
    let cloud = PointCloud::new(square).and_then(|c| c.with_colors(vec![Vec3::splat(0.25); 4])).unwrap();
    let image = RgbaImage::from_fn(3, 2, |x, y| Rgba([x as u8 * 80, y as u8 * 200, 7, 255 - x as u8]));
    let shiny = Material {
        name: Some("shiny".into()),
        base_color_texture: Some(TextureRef {
            texture: 0,
            image_from_uv: Affine2::from_scale_angle_translation(
                Vec2::new(2.0, 0.5),
                0.25,
                Vec2::new(0.1, 0.2),
            ),
        }),
        emissive: Vec3::new(3.0, 1.5, 0.0),
        emissive_texture: Some(TextureRef::new(0)),
        metallic: 0.5,
        roughness: 0.25,
        alpha: AlphaMode::Blend,
        unlit: true,
        ..Material::default()
    };
    Scene {
        meshes: vec![mesh, plain.with_material(Some(0))],
        clouds: vec![cloud],
        materials: vec![
            Material { base_color: Vec4::new(0.5, 0.25, 1.0, 0.5), ..Material::default() },
            shiny,
        ],
        textures: vec![Texture { image, wrap: [Wrap::Mirror, Wrap::Clamp] }],
        ..Scene::default()
    }
}

#[test]
fn what_is_written_reads_back() {
    let scene = varied_scene();
    let bytes = lexiform_mesh_io::write_glb(&scene).unwrap();
    assert_eq!(bytes, lexiform_mesh_io::write_glb(&scene).unwrap());
    let mut found =
        lexiform_mesh_io::read_bytes(Path::new("a.glb"), &bytes, &ReadOptions::default()).unwrap();
    // The reader lists materials as the meshes name them.
    assert_eq!(found.meshes[0].material, Some(0));
    found.materials.reverse();
    let swapped = |mesh: Mesh| {
        let material = mesh.material.map(|m| 1 - m);
        mesh.with_material(material)
    };
    found.meshes = found.meshes.into_iter().map(swapped).collect();
    let close = |a: Affine2, b: Affine2| a.abs_diff_eq(b, TOLERANCE);
    let [a, b] = [&scene, &found].map(|s| s.materials[1].base_color_texture.unwrap().image_from_uv);
    assert!(close(a, b), "expected {a}, found {b}");
    found.materials[1].base_color_texture = scene.materials[1].base_color_texture;
    assert_eq!(found, scene);
    assert!(lexiform_mesh_io::write_glb(&Scene::default()).is_ok());
}
