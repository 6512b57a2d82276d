//! Development tasks: `cargo xtask check | tidy | structure | paths | python | bench | parity | nano`.

mod bench;
mod check;
mod dependencies;
mod environment;
mod nano;
mod parity;
mod paths;
mod python;
mod structure;
mod target;
mod tidy;
mod words;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["check"] => check::run(),
        ["tidy"] => tidy::run(),
        ["structure"] => structure::run(),
        ["paths"] => paths::run(),
        ["python"] => python::check(&target::folder()?),
        ["bench", names @ ..] => bench::run(names),
        ["parity", names @ ..] => parity::run(names),
        ["nano", arguments @ ..] => nano::run(arguments),
        _ => bail!(
            "usage: cargo xtask check | tidy | structure | paths | python | bench [NAME…] | parity [CASE…] | nano OUT [FOLDER]\n\
             check  everything CI runs: format, tidy, paths, structure, dependencies, clippy, docs, tests, Python\n\
             tidy   file sizes, headers and refused words\n\
             structure  lengths, import cycles, comments and doc examples, checked against limits\n\
             paths  files and folders that documents name\n\
             python builds the wheel of the Python package and runs its tests\n\
             bench  benchmarks against other libraries, recorded in docs/benchmarks.md\n\
             parity numerical parity with PyTorch and other readers, recorded in docs/parity.md\n\
             nano   trains the built-in model from an empty folder"
        ),
    }
}
