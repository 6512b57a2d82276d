//! Small sound files of every format.

use glam::{Vec2, Vec3, Vec4};
use lexiform_geometry::{Mesh, PointCloud, Scene};
use lexiform_mesh_io::Format;

pub const OBJ: &[u8] = b"mtllib a.mtl\no part\nv 0 0 0 1 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0.5 0.2 0\nvt 0 0\nvt 1 1\nvn 0 0 1\nusemtl red\ns 1\nf 1/1/1 2/2/1 3//1 -2\ng other\nf 1 2 5 \\\n 3 4\nusemtl blue\nf 4 5 1\nl 1 2\n";
pub const MTL: &[u8] = b"newmtl red\nKd 1 0 0\nKa 0.2 0.2 0.2\nNs 96\nd -halo 0.5\nmap_Kd -s 2 2 1 -o 0.5 0 -clamp on a b.png\nmap_d a.png\nnewmtl blue\nKd 0 0 1\nTr 0.25\nillum 2\nKe 0.1 0.1 0.1\n";
const STL: &[u8] = b"solid a b\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nfacet normal 0 0 1\nouter loop\nvertex 0 0 1\nvertex 1 0 1\nvertex 0 1 1\nendloop\nendfacet\nendsolid a b\n";
const PLY: &[u8] = b"ply\nformat ascii 1.0\ncomment TextureFile a.png\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nelement other 2\nproperty list uchar int values\nelement face 2\nproperty list uchar int vertex_indices\nproperty list uchar float texcoord\nproperty int texnumber\nend_header\n0 0 0 255 0 0\n1 0 0 0 255 0\n1 1 0 0 0 255\n0 1 0 9 9 9\n2 5 6\n0\n3 0 1 2 6 0 0 1 0 1 1 0\n4 0 1 2 3 8 0 0 1 0 1 1 0 1 0\n";
const STRIPS: &[u8] = b"ply\nformat ascii 1.0\nelement vertex 4\nproperty double x\nproperty double y\nproperty double z\nelement tristrips 1\nproperty list int int vertex_indices\nend_header\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n8 0 1 2 3 -1 0 1 2\n";
const OFF: &[u8] = b"OFF\n# comment\n5 3 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n0.5 0.5 1\n4 0 1 2 3 255 0 0\n3 0 1 4 0 255 0\n3 1 2 4 0 0 255\n";
const PCD: &[u8] = b"VERSION .7\nFIELDS x y z rgb _ normal_x normal_y normal_z\nSIZE 4 4 4 4 1 4 4 4\nTYPE F F F F U F F F\nCOUNT 1 1 1 1 2 1 1 1\nWIDTH 3\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 3\nDATA ascii\n0 0 0 4.2108e+06 0 0 0 0 1\n1 0 0 4.2108e+06 0 0 0 0 1\nnan 1 0 4.2108e+06 0 0 0 0 1\n";
const CSV: &[u8] =
    b"x;y;z;r;g;b;nx;ny;nz\n1,5;2;3;255;0;0;0;0;1\n1,6;2;3;255;0;0;0;0;1\n1,7;2;3;255;0;0;0;0;-1\n";
const PTS: &[u8] = b"3\n1 2 3 -1035 97 59 38\n2 3 4 -1164 32 19 11\n3 4 5 -1397 15 10 10\n";
const DAE: &[u8] = include_bytes!("square.dae");
const GLTF: &[u8] = br#"{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],"nodes":[{"mesh":0,"scale":[1,2,1]}],"meshes":[{"primitives":[{"attributes":{"POSITION":1},"indices":0}]}],"buffers":[{"uri":"data:application/octet-stream;base64,AAABAAIAAAAAAAAAAAAAAAAAAAAAAIA/AAAAAAAAAAAAAAAAAACAPwAAAAA=","byteLength":44}],"bufferViews":[{"buffer":0,"byteOffset":0,"byteLength":6},{"buffer":0,"byteOffset":8,"byteLength":36}],"accessors":[{"bufferView":0,"componentType":5123,"count":3,"type":"SCALAR"},{"bufferView":1,"componentType":5126,"count":3,"type":"VEC3","max":[1,1,0],"min":[0,0,0]}]}"#;

/// Names and contents.
pub fn synthetic() -> Vec<(String, Vec<u8>)> {
    let mut samples: Vec<(String, Vec<u8>)> = [
        ("a.obj", OBJ),
        ("a.stl", STL),
        ("a.ply", PLY),
        ("strips.ply", STRIPS),
        ("a.off", OFF),
        ("a.pcd", PCD),
        ("a.csv", CSV),
        ("a.pts", PTS),
        ("a.dae", DAE),
        ("a.gltf", GLTF),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
    .to_vec();
    let (mesh, cloud) = (mesh(), cloud());
    for name in ["written.obj", "written.stl", "written.ply", "written.off"] {
        samples.push((name.to_owned(), written(name, &mesh)));
    }
    for name in ["points.ply", "points.pcd", "points.xyz", "points.npy"] {
        samples.push((name.to_owned(), written(name, &cloud)));
    }
    samples.push(("big.ply".to_owned(), big_endian()));
    samples.push(("splat.ply".to_owned(), splats()));
    samples.push(("compressed.pcd".to_owned(), compressed_pcd()));
    let npy = written("points.npy", &cloud);
    samples.push(("stored.npz".to_owned(), zip("xyz.npy", &npy, false)));
    samples.push(("deflated.npz".to_owned(), zip("xyz.npy", &npy, true)));
    for format in [0, 1, 2, 3, 6, 7] {
        samples.push((format!("format{format}.las"), las(format, false)));
        samples.push((format!("format{format}.laz"), las(format, true)));
    }
    samples
}

/// Real files of at most 100 kB, smallest first.
pub fn assets() -> Vec<(String, Vec<u8>)> {
    let mut folders = vec![lexiform_golden::shared("assets")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if Format::from_path(&path).is_some()
                && path.metadata().unwrap().len().wrapping_sub(1) < 100_000
            {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                files.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort_by(|a, b| (a.1.len(), &a.0).cmp(&(b.1.len(), &b.0)));
    files
}

fn written(name: &str, scene: &Scene) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    lexiform_mesh_io::write(&path, scene).unwrap();
    std::fs::read(path).unwrap()
}

fn mesh() -> Scene {
    let positions = vec![Vec3::ZERO, Vec3::X, Vec3::ONE, Vec3::Y, Vec3::Z];
    let mesh = Mesh::new(positions, vec![[0, 1, 2], [0, 2, 3], [0, 1, 4]])
        .and_then(|m| m.with_normals(vec![Vec3::Z; 5]))
        .and_then(|m| m.with_uvs(vec![Vec2::ONE; 5]))
        .and_then(|m| m.with_colors(vec![Vec4::ONE; 5]));
    Scene::from_mesh(mesh.unwrap())
}

fn cloud() -> Scene {
    let positions: Vec<Vec3> = (0..12).map(|i| Vec3::new(i as f32, (i * i) as f32, 0.5)).collect();
    let colors = positions.iter().map(|p| *p / 121.0).collect();
    Scene::from_cloud(PointCloud::new(positions).and_then(|c| c.with_colors(colors)).unwrap())
}

fn big_endian() -> Vec<u8> {
    let mut bytes = b"ply\nformat binary_big_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_index\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n".to_vec();
    [0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0].iter().for_each(|v| bytes.extend(v.to_be_bytes()));
    bytes.push(3);
    [0_u32, 1, 2].iter().for_each(|v| bytes.extend(v.to_be_bytes()));
    bytes.extend([255, 0, 0]);
    bytes
}

fn splats() -> Vec<u8> {
    let names = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"];
    let mut bytes = b"ply\nformat binary_little_endian 1.0\nelement vertex 3\n".to_vec();
    names.iter().for_each(|n| bytes.extend(format!("property float {n}\n").bytes()));
    bytes.extend(b"end_header\n");
    (0..21).for_each(|i| bytes.extend((i as f32 * 0.1).to_le_bytes()));
    bytes
}

/// LZF of literals and one long run.
fn compressed_pcd() -> Vec<u8> {
    let mut bytes = b"VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 4\nHEIGHT 1\nPOINTS 4\nDATA binary_compressed\n".to_vec();
    let mut data = vec![15];
    (0..4).for_each(|i| data.extend((i as f32).to_le_bytes()));
    data.extend([0, 0, 0xE0, 22, 0]);
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(48_u32.to_le_bytes());
    bytes.extend(data);
    bytes
}

pub fn zip(name: &str, content: &[u8], deflate: bool) -> Vec<u8> {
    let data = if deflate { miniz_oxide::deflate::compress_to_vec(content, 6) } else { content.to_vec() };
    let mut shared = Vec::new();
    shared.extend([20, 0, 0, 0, if deflate { 8 } else { 0 }, 0]);
    shared.extend([0; 8]);
    [data.len(), content.len()].iter().for_each(|n| shared.extend((*n as u32).to_le_bytes()));
    shared.extend((name.len() as u16).to_le_bytes());
    shared.extend([0; 2]);
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.extend(&shared);
    bytes.extend(name.bytes());
    bytes.extend(&data);
    let directory = bytes.len() as u32;
    bytes.extend(b"PK\x01\x02\x14\x00");
    bytes.extend(&shared);
    bytes.extend([0; 14]);
    bytes.extend(name.bytes());
    let size = bytes.len() as u32 - directory;
    bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    bytes.extend(size.to_le_bytes());
    bytes.extend(directory.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

/// Three hundred points of a point format with times in jumps, plain or compressed in chunks of hundred.
pub fn las(format: u8, compressed: bool) -> Vec<u8> {
    let points = 300_u32;
    let items = laz::LazItemRecordBuilder::default_for_point_format_id(format, 0).unwrap();
    let record: usize = items.iter().map(|i| usize::from(i.size())).sum();
    let settings = laz::LazVlrBuilder::default().with_laz_items(items).with_fixed_chunk_size(100).build();
    let mut vlr = Vec::new();
    if compressed {
        let mut data = Vec::new();
        settings.write_to(&mut data).unwrap();
        vlr.extend([0; 2]);
        vlr.extend(b"laszip encoded\0\0");
        vlr.extend(22204_u16.to_le_bytes());
        vlr.extend((data.len() as u16).to_le_bytes());
        vlr.extend([0; 32]);
        vlr.extend(data);
    }
    let mut bytes = vec![0; 375];
    bytes[..4].copy_from_slice(b"LASF");
    bytes[24..26].copy_from_slice(&[1, 4]);
    bytes[94..96].copy_from_slice(&375_u16.to_le_bytes());
    bytes[96..100].copy_from_slice(&(375 + vlr.len() as u32).to_le_bytes());
    bytes[100..104].copy_from_slice(&u32::from(compressed).to_le_bytes());
    bytes[104] = format | if compressed { 0x80 } else { 0 };
    bytes[105..107].copy_from_slice(&(record as u16).to_le_bytes());
    bytes[107..111].copy_from_slice(&points.to_le_bytes());
    for axis in 0..3 {
        bytes[131 + 8 * axis..139 + 8 * axis].copy_from_slice(&0.01_f64.to_le_bytes());
    }
    bytes.extend(vlr);
    let mut raw = Vec::new();
    for i in 0..points {
        let start = raw.len();
        [i, i * i, 7 * i % 5].iter().for_each(|v| raw.extend((*v as i32).to_le_bytes()));
        raw.resize(start + record, (i % 3) as u8);
        // Times run in three series, with steps of many sizes, and jump now and then.
        let time = f64::from(i % 3) * 1e6 + f64::from(i * i) * 1e-3 + f64::from(i / 50) * 1e9;
        match format {
            1 | 3 => raw[start + 20..start + 28].copy_from_slice(&time.to_le_bytes()),
            6 | 7 => raw[start + 22..start + 30].copy_from_slice(&time.to_le_bytes()),
            _ => {}
        }
    }
    if !compressed {
        bytes.extend(raw);
        return bytes;
    }
    let mut cursor = std::io::Cursor::new(bytes);
    cursor.set_position(cursor.get_ref().len() as u64);
    let mut compressor = laz::LasZipCompressor::new(cursor, settings).unwrap();
    compressor.compress_many(&raw).unwrap();
    compressor.done().unwrap();
    compressor.into_inner().into_inner()
}
