//! Makes a data set of 3D files with this crate alone, as `lexiform data prepare` does with its usual settings, and says what it took:
//!
//! ```bash
//! cargo run --release -p lexiform-data --example prepare -- png out samples/
//! ```
#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::path::Path;
use std::time::Instant;

use lexiform_data::prepare::{Prepare, PrepareConfig, Sources};
use lexiform_data::table::Table;
use lexiform_data::{MakeOptions, make, merge};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pictures, out, sources @ ..] = &arguments[..] else {
        return Err("expected png, qoi, webp or jpeg, a new folder, and 3D files, folders or lists".into());
    };
    let out = Path::new(out);
    let start = Instant::now();
    let source = Sources::open(sources)?;
    let config = PrepareConfig { pictures: pictures.parse()?, ..PrepareConfig::default() };
    let producer = Prepare::new(&source, config, Table::default())?;
    let made = make(&producer, out, &MakeOptions::default(), &mut |_| {})?;
    let manifest = merge(out)?;
    let milliseconds = 1e3 * start.elapsed().as_secs_f64() / manifest.shapes.max(1) as f64;
    let (shapes, bytes) = (made.written, manifest.bytes);
    println!(
        "{{\"what\": \"a shape\", \"milliseconds\": {milliseconds:.2}, \"shapes\": {shapes}, \"bytes\": {bytes}}}"
    );
    Ok(())
}
