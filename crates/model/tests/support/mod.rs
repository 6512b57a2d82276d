//! Golden tensors and how to compare with them.
#![allow(dead_code, reason = "each test uses its part")]

use std::path::PathBuf;

use burn::tensor::Tensor;
use image::{Rgba, RgbaImage};
pub use lexiform_golden::check;
use lexiform_model::weights::TensorList;

/// A folder of golden files.
pub struct Golden {
    folder: PathBuf,
}

impl Golden {
    /// A folder of `fixtures/`.
    pub fn new(name: &str) -> Self {
        Self { folder: lexiform_golden::fixture(name) }
    }

    /// A folder of golden values that are too large for the repository.
    pub fn shared(name: &str) -> Self {
        Self { folder: lexiform_golden::shared("fixtures").join(name) }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Shape and bytes of a tensor.
    pub fn bytes(&self, file: &str, name: &str) -> (Vec<usize>, Vec<u8>) {
        let file = self.read(file);
        (file.shape(name), file.bytes(name))
    }

    /// An i64 tensor of indices.
    pub fn indices(&self, file: &str, name: &str) -> Vec<usize> {
        self.read(file).indices(name)
    }

    /// An f32 tensor.
    pub fn values(&self, file: &str, name: &str) -> Vec<f32> {
        self.read(file).values_f32(name)
    }

    fn read(&self, file: &str) -> lexiform_golden::Golden {
        lexiform_golden::Golden::read(&self.path(file))
    }
}

/// The views of a fixture, `[views, height, width, 3]` bytes.
pub fn views(golden: &Golden) -> Vec<RgbaImage> {
    let (shape, bytes) = golden.bytes("expected.safetensors", "views");
    let [_, height, width, _] = shape[..] else { panic!("{shape:?}") };
    let image = |view: &[u8]| {
        RgbaImage::from_fn(width as u32, height as u32, |x, y| {
            let i = (y as usize * width + x as usize) * 3;
            Rgba([view[i], view[i + 1], view[i + 2], 255])
        })
    };
    bytes.chunks(height * width * 3).map(image).collect()
}

/// `expected.json` of a fixture.
pub fn expected_json(golden: &Golden) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(golden.path("expected.json")).unwrap()).unwrap()
}

/// Values of a tensor.
pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().unwrap()
}

/// The folder of released files' key lists.
pub fn key_lists() -> PathBuf {
    lexiform_golden::shared("spec/keys")
}

/// Writes a safetensors file of zeros with the names, shapes and types of a key list; gives the number of parameters.
/// The zeros are a hole in the file and need no disk.
pub fn zero_file(list: &std::path::Path, path: &std::path::Path) -> usize {
    let text = std::fs::read_to_string(list).unwrap();
    let (mut header, mut end, mut parameters) = (serde_json::Map::new(), 0_u64, 0);
    let mut lines: Vec<(&str, Vec<usize>, &str)> = (text.lines().filter(|line| !line.starts_with('#')))
        .map(|line| {
            let mut fields = line.split('\t');
            let (name, shape) = (fields.next().unwrap(), fields.next().unwrap());
            (name, serde_json::from_str(shape).unwrap(), fields.next().unwrap())
        })
        .collect();
    lines.sort();
    for (name, shape, kind) in lines {
        let count: usize = shape.iter().product();
        let (dtype, size) = if kind == "int64" { ("I64", 8) } else { ("F32", 4) };
        parameters += if kind == "int64" { 0 } else { count };
        let start = end;
        end += (count * size) as u64;
        let entry = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]});
        header.insert(name.to_owned(), entry);
    }
    let mut header = serde_json::to_string(&header).unwrap();
    header.extend(std::iter::repeat_n(' ', (8 - header.len() % 8) % 8));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    std::fs::write(path, &bytes).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(bytes.len() as u64 + end).unwrap();
    parameters
}

/// The tensors of a fixture whose weights follow CG3D's language-neutral rule ("detw", cg3d.md section 9), checked
/// against the sums it states.
pub fn detw(golden: &Golden) -> TensorList {
    let text = std::fs::read_to_string(golden.path("config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&text).unwrap();
    let prefix = config["detw_prefix"].as_str().unwrap();
    let (mut list, mut sums) = (TensorList::default(), [0.0_f64; 3]);
    for (name, shape) in config["state_dict"].as_object().unwrap() {
        let shape: Vec<usize> =
            shape.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
        if name.ends_with("num_batches_tracked") {
            continue;
        }
        let values = detw_values(&format!("{prefix}{name}"), &shape);
        for value in values.iter().map(|v| f64::from(*v)) {
            sums = [sums[0] + 1.0, sums[1] + value, sums[2] + value * value];
        }
        list.push_values(name.clone(), shape, values);
    }
    let expected = ["n_float", "sum", "sumsq"].map(|key| config["checksum"][key].as_f64().unwrap());
    for (found, expected) in sums.into_iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} {expected}");
    }
    list
}

fn detw_values(key: &str, shape: &[usize]) -> Vec<f32> {
    let fnv = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let start = fnv ^ 20_230_411;
    let unit = |i: usize| {
        let mut z = start.wrapping_add((i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24)
    };
    let (base, spread) = detw_rule(key, shape);
    let count: usize = shape.iter().product();
    (0..count).map(|i| (base + spread * (2.0 * unit(i) - 1.0)) as f32).collect()
}

/// Middle and half width of a tensor's values.
fn detw_rule(key: &str, shape: &[usize]) -> (f64, f64) {
    let last = key.rsplit('.').next().unwrap();
    let fan = |from: usize| (3.0 / shape[from..].iter().product::<usize>() as f64).sqrt();
    match last {
        "running_mean" => (0.0, 0.2),
        "running_var" => (1.0, 0.5),
        "affine_alpha" => (1.0, 0.2),
        "affine_beta" => (0.0, 0.1),
        "logit_scale" => (3.0, 0.0),
        "image_projection" | "text_projection" => (0.0, (3.0 / shape[0] as f64).sqrt()),
        "cls_token"
        | "cls_pos"
        | "pos_embed"
        | "positional_embedding"
        | "prompt_embeddings"
        | "deep_prompt_embeddings" => (0.0, 0.3),
        _ if key.ends_with("token_embedding.weight") => (0.0, 0.5),
        "weight" if shape.len() == 1 => (1.0, 0.2),
        _ if shape.len() <= 1 => (0.0, 0.05),
        _ => (0.0, fan(1)),
    }
}
