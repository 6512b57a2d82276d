//! Encodes given pixels and tokens with given weights, for `xtask/baselines/clip_towers.py` to compare with PyTorch.
//!
//! `parity_towers WEIGHTS FOLDER [IMAGE_SIZE]` reads `FOLDER/inputs.safetensors` (`pixels` `[images, 3, size, size]`,
//! `tokens` `[texts, length]` as f32) and writes `FOLDER/found.safetensors` (`image`, `text`: un-normalized features).

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_model::tokenizer::Tokens;
use lexiform_model::weights::{Precision, TensorList, WeightFile};
use lexiform_model::{JointModel, OpenOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [weights, folder, size @ ..] = arguments.as_slice() else {
        return Err("usage: parity_towers WEIGHTS FOLDER [IMAGE_SIZE]".into());
    };
    let image_size = size.first().map(|size| size.parse()).transpose()?;
    let model = JointModel::open(weights, &OpenOptions { image_size, ..OpenOptions::default() })?;
    let folder = Path::new(folder);
    let inputs = WeightFile::open(&folder.join("inputs.safetensors"))?;
    let mut found = TensorList::default();

    let &[images, channels, height, width] = inputs.shape("pixels")? else {
        return Err("pixels need four axes".into());
    };
    let pixels = TensorData::new(inputs.read("pixels")?, [images, channels, height, width]);
    let pixels = Tensor::<4>::from_data(pixels, &Device::flex());
    found.push("image".to_owned(), model.vision().encode(pixels, 1, model.config().joint_from));

    let &[_, length] = inputs.shape("tokens")? else { return Err("tokens need two axes".into()) };
    let ids = inputs.read("tokens")?.into_iter().map(|id| id as u32).collect();
    found.push("text".to_owned(), model.text().encode(&Tokens::new(ids, length)));
    found.write(&folder.join("found.safetensors"), Precision::Full, HashMap::new())?;
    Ok(())
}
