//! Development tasks: `cargo xtask check | tidy | structure | bench | parity`.

mod bench;
mod check;
mod dependencies;
mod parity;
mod paths;
mod structure;
mod tidy;
mod words;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["check"] => check::run(),
        ["tidy"] => tidy::run(),
        ["structure"] => structure::run(),
        ["bench", names @ ..] => bench::run(names),
        ["parity", names @ ..] => parity::run(names),
        _ => bail!(
            "usage: cargo xtask check | tidy | structure | bench [NAME…] | parity [CASE…]\n\
             check  everything that CI runs: format, tidy, clippy, tests, dependency invariants\n\
             tidy   sizes, headers and words of the source files\n\
             structure  lengths, cycles, comments and examples, measured against their limits\n\
             bench  timings beside the peers; numbers go to docs/benchmarks.md\n\
             parity full-size networks beside PyTorch's, data sets by others' readers; numbers go to docs/parity.md"
        ),
    }
}
