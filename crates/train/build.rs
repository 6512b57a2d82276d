//! Builds the C layer over MPI, with the compiler of the machine's MPI library. Without the feature `mpi`, nothing.

fn main() {
    println!("cargo:rerun-if-changed=src/processes/mpi.c");
    #[cfg(feature = "mpi")]
    mpi();
}

#[cfg(feature = "mpi")]
fn mpi() {
    println!("cargo:rerun-if-env-changed=MPICC");
    let wrapper = std::env::var("MPICC").unwrap_or_else(|_| "mpicc".to_owned());
    // Open MPI and MPICH both print the command that the wrapper would run.
    let shown = std::process::Command::new(&wrapper).arg("-show").output();
    let shown = match shown {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        _ => panic!(
            "feature mpi: cannot run the MPI compiler {wrapper:?}; install one (Debian: apt-get install \
             libopenmpi-dev), or name it in MPICC"
        ),
    };
    let mut build = cc::Build::new();
    build.file("src/processes/mpi.c");
    for flag in shown.split_whitespace() {
        if let Some(folder) = flag.strip_prefix("-I") {
            build.include(folder);
        } else if let Some(folder) = flag.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={folder}");
        } else if let Some(library) = flag.strip_prefix("-l") {
            println!("cargo:rustc-link-lib=dylib={library}");
        }
    }
    build.compile("lexiform_mpi");
}
