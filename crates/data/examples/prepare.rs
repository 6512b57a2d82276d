//! Builds a data set from 3D files with this crate alone, with the defaults of `lexiform data prepare`, and prints the time per shape:
//!
//! ```bash
//! cargo run --release -p lexiform-data --example prepare -- png out samples/
//! ```
#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::path::Path;
use std::time::Instant;

use lexiform_data::annotations::AnnotationTable;
use lexiform_data::prepare::{CombinedSource, Prepare, PrepareConfig};
use lexiform_data::{BuildOptions, build_dataset, merge_partitions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [view_format, out, sources @ ..] = &arguments[..] else {
        return Err("expected png, qoi, webp or jpeg, a new folder, and 3D files, folders or lists".into());
    };
    let out = Path::new(out);
    let start = Instant::now();
    let source = CombinedSource::open(sources)?;
    let config = PrepareConfig { view_format: view_format.parse()?, ..PrepareConfig::default() };
    let producer = Prepare::new(&source, config, AnnotationTable::default())?;
    let made = build_dataset(&producer, out, &BuildOptions::default(), &mut |_| {})?;
    let manifest = merge_partitions(out)?;
    let milliseconds = 1e3 * start.elapsed().as_secs_f64() / manifest.shapes.max(1) as f64;
    let (shapes, bytes) = (made.written, manifest.bytes);
    println!(
        "{{\"what\": \"a shape\", \"milliseconds\": {milliseconds:.2}, \"shapes\": {shapes}, \"bytes\": {bytes}}}"
    );
    Ok(())
}
