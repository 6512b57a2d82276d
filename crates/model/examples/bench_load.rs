//! Times loading a file of CLIP weights: `bench_load FILE [times]`.
//!
//! Peak memory is what `/usr/bin/time -v` reports; `bench_load FILE read` reads without loading, for comparison.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Instant;

use lexiform_model::weights::WeightFile;
use lexiform_model::{JointModel, OpenOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: bench_load FILE [times|read]")?;
    let path = Path::new(&path);
    let second = arguments.next();
    let only_read = second.as_deref() == Some("read");
    let times: usize = second.and_then(|text| text.parse().ok()).unwrap_or(3);
    for _ in 0..times {
        let started = Instant::now();
        read(path)?;
        say(&format!("read {:.3} s", started.elapsed().as_secs_f64()))?;
        if only_read {
            continue;
        }
        let started = Instant::now();
        let file = WeightFile::open(path)?;
        let opened = started.elapsed().as_secs_f64();
        let model = JointModel::from_file(&file, &OpenOptions::default().device)?;
        say(&format!(
            "load {:.3} s, of it opening {opened:.3} s: {}",
            started.elapsed().as_secs_f64(),
            model.id()
        ))?;
    }
    Ok(())
}

/// Reads all bytes into memory, as any loader must.
fn read(path: &Path) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(usize::try_from(path.metadata()?.len()).unwrap_or(0));
    fs_err::File::open(path)?.read_to_end(&mut bytes)?;
    std::hint::black_box(&bytes);
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
