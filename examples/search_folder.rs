//! Indexes a folder of 3D files and searches it by text. A second run indexes only what has changed.
//!
//! ```console
//! cargo run --release -p lexiform-examples --bin search_folder -- samples "a red chair"
//! ```

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lexiform_search::{
    EncoderOptions, FileStatus, Filter, IndexEvent, IndexOptions, Library, LibraryPath, Query,
};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: search_folder FOLDER TEXT";
    let folder = PathBuf::from(arguments.next().context(usage)?).canonicalize()?;
    let text = arguments.next().context(usage)?;

    // The library is an SQLite file in the folder's `.lexiform/`, next to the assets it describes.
    let encoder = EncoderOptions::default().open("nano")?;
    let library = Library::open(LibraryPath::for_assets(&folder), encoder, "nano")?;
    let summary = library.index(&[folder], &IndexOptions::default(), &mut |event| {
        // Broken files are reported and left out; they do not stop the others.
        if let IndexEvent::File { path, status: FileStatus::Failed { error } } = event {
            eprintln!("{path}: {error}");
        }
    })?;
    println!("{} files indexed, {} unchanged", summary.indexed, summary.unchanged);

    // The filter is the same expression as `lexiform search --where`.
    let filter = Some(Filter::parse("triangles > 0")?);
    let query = Query { filter, ..Query::text(text, 5) };
    for answer in library.search(&query)? {
        println!("{}. {:.3}  {}", answer.rank, answer.score, answer.file.display());
    }
    Ok(())
}
