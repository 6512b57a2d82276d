//! The MPI job that a process may be part of.

use lexiform_train::processes::Processes;

use crate::error::{UsageError, WithHint as _};

/// The MPI job of this process, if any. After an error it is not left: the other processes may wait for this one, and `mpirun`
/// ends them.
#[derive(Default)]
pub(crate) struct MpiJob {
    #[cfg(feature = "mpi")]
    mpi: Option<std::sync::Arc<lexiform_train::processes::Mpi>>,
}

impl MpiJob {
    pub(crate) fn join(mpi: bool) -> anyhow::Result<Self> {
        // Set by Open MPI, and by launchers that use the process management interface of MPICH.
        let launched = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"].iter().find_map(|name| std::env::var(name).ok());
        let launched = launched.and_then(|count| count.parse::<usize>().ok()).unwrap_or(1);
        match mpi {
            false if launched > 1 => {
                let message =
                    format!("started as one of {launched} processes of an MPI job, but without --mpi");
                Err(UsageError(message))
                    .hint("add --mpi; otherwise all of them would write to the same folder")
            }
            false => Ok(Self::default()),
            true => Self::start(),
        }
    }

    #[cfg(feature = "mpi")]
    fn start() -> anyhow::Result<Self> {
        Ok(Self { mpi: Some(std::sync::Arc::new(lexiform_train::processes::Mpi::start()?)) })
    }

    #[cfg(not(feature = "mpi"))]
    fn start() -> anyhow::Result<Self> {
        Err(UsageError("--mpi: this build has no MPI".to_owned()))
            .hint("build with --features mpi; it needs an MPI library (Debian: libopenmpi-dev)")
    }

    #[cfg(feature = "mpi")]
    pub(crate) fn processes(&self) -> Processes {
        self.mpi.clone().map_or_else(Processes::default, |mpi| Processes::new(mpi))
    }

    #[cfg(not(feature = "mpi"))]
    pub(crate) fn processes(&self) -> Processes {
        Processes::default()
    }

    pub(crate) fn leave(self) -> anyhow::Result<()> {
        #[cfg(feature = "mpi")]
        if let Some(mpi) = self.mpi {
            mpi.stop()?;
        }
        Ok(())
    }
}
