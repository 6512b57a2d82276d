//! Processes that `mpirun` started, through a small C layer over the machine's MPI library: MPI specifies a C interface, not
//! how its types look in memory, so a compiler must read the library's header.

use std::ffi::{CStr, c_char, c_int, c_void};

use super::{Transport, TransportError};

// Declared in `mpi.c`, which says what they do. All return an MPI error code; 0 is success.
unsafe extern "C" {
    fn lexiform_mpi_start(rank: *mut c_int, count: *mut c_int) -> c_int;
    fn lexiform_mpi_lengths(sent: *const u64, received: *mut u64) -> c_int;
    fn lexiform_mpi_exchange(
        count: c_int,
        sent: *const *const c_void,
        sent_lengths: *const u64,
        received: *const *mut c_void,
        received_lengths: *const u64,
    ) -> c_int;
    fn lexiform_mpi_stop() -> c_int;
    fn lexiform_mpi_message(code: c_int, message: *mut c_char, capacity: c_int);
}

/// The processes of an MPI job.
#[derive(Debug)]
pub struct Mpi {
    rank: usize,
    count: usize,
}

impl Mpi {
    /// Joins the job that `mpirun` started, or a job of this process alone. Once per process, on the thread that trains.
    ///
    /// # Errors
    /// If the MPI library cannot be initialized.
    pub fn start() -> Result<Self, TransportError> {
        let (mut rank, mut count) = (0, 1);
        // SAFETY: both pointers are to integers on the stack.
        let code = unsafe { lexiform_mpi_start(&raw mut rank, &raw mut count) };
        let this = Self { rank: rank.max(0) as usize, count: count.max(1) as usize };
        this.check("MPI_Init_thread", code)?;
        Ok(this)
    }

    /// Leaves the job once all processes have come this far. A process that ends without it, after an error, ends the job.
    ///
    /// # Errors
    /// If the MPI library reports one.
    pub fn stop(&self) -> Result<(), TransportError> {
        // SAFETY: no pointers; MPI has been initialized.
        self.check("MPI_Finalize", unsafe { lexiform_mpi_stop() })
    }

    fn check(&self, call: &str, code: c_int) -> Result<(), TransportError> {
        if code == 0 {
            return Ok(());
        }
        let mut message = [0 as c_char; 512];
        // SAFETY: the function writes at most the capacity, the final zero included.
        let message = unsafe {
            lexiform_mpi_message(code, message.as_mut_ptr(), message.len() as c_int);
            CStr::from_ptr(message.as_ptr()).to_string_lossy().into_owned()
        };
        Err(TransportError { rank: self.rank, count: self.count, message: format!("{call}: {message}") })
    }
}

impl Transport for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn exchange(&self, messages: &[&[u8]]) -> Result<Vec<Vec<u8>>, TransportError> {
        assert_eq!(messages.len(), self.count, "a message for each process");
        let lengths: Vec<u64> = messages.iter().map(|message| message.len() as u64).collect();
        let mut incoming = vec![0u64; self.count];
        // SAFETY: both lists have a number for each process.
        let code = unsafe { lexiform_mpi_lengths(lengths.as_ptr(), incoming.as_mut_ptr()) };
        self.check("MPI_Alltoall", code)?;
        let mut received: Vec<Vec<u8>> = incoming.iter().map(|length| vec![0; *length as usize]).collect();
        let sent: Vec<*const c_void> = messages.iter().map(|message| message.as_ptr().cast()).collect();
        let into: Vec<*mut c_void> = received.iter_mut().map(|bytes| bytes.as_mut_ptr().cast()).collect();
        // SAFETY: every pointer is to as many bytes as the list of lengths says, and no two of `into` overlap.
        let code = unsafe {
            lexiform_mpi_exchange(
                self.count as c_int,
                sent.as_ptr(),
                lengths.as_ptr(),
                into.as_ptr(),
                incoming.as_ptr(),
            )
        };
        self.check("MPI_Isend and MPI_Irecv", code)?;
        Ok(received)
    }
}
