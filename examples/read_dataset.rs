//! Reads a data set: labels, splits and captions from its index, views and points from its shards.
//!
//! ```console
//! cargo run --release -- data prepare samples/labels.csv --out set
//! cargo run --release -p lexiform-examples --bin read_dataset -- set
//! ```

use std::path::PathBuf;

use anyhow::{Context as _, Error, Result};
use lexiform_data::{Dataset, POINTS};
use lexiform_formats::view_format::decode_view;

/// Shapes that are shown.
const SHOWN: usize = 5;

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("usage: read_dataset FOLDER")?);
    // A folder, or an address as in s3://bucket/set in builds with the feature `cloud`.
    let dataset = Dataset::open(&folder)?;
    println!("{} shapes in {} shards", dataset.len(), dataset.manifest().shards.len());

    for shape in 0..dataset.len().min(SHOWN) {
        let label = dataset.label(shape).unwrap_or("no label");
        println!("{} ({}, {label})", dataset.key(shape), dataset.split(shape));
        for caption in dataset.metadata(shape)?.captions {
            println!("  \"{}\", from {}", caption.text, caption.source);
        }
        // Any views of any shape, by offset: the shard is not read from its beginning.
        for view in dataset.view_indices(shape).take(2) {
            let bytes = &dataset.views(shape, &[view])?[0];
            let image = decode_view(bytes).map_err(Error::msg)?;
            println!("  view {view}: {} × {} pixels", image.width(), image.height());
        }
        if let Some(points) = dataset.array(shape, POINTS)? {
            println!("  points: {:?}", points.shape);
        }
    }
    Ok(())
}
