//! A counting semaphore.

use std::sync::{Condvar, Mutex, PoisonError};

/// Bounds the number of threads that do something at the same time.
pub(crate) struct Semaphore {
    available: Mutex<usize>,
    released: Condvar,
}

/// Permission to proceed, returned when dropped.
pub(crate) struct Permit<'a>(&'a Semaphore);

impl Semaphore {
    pub fn new(permits: usize) -> Self {
        Self { available: Mutex::new(permits.max(1)), released: Condvar::new() }
    }

    /// Waits until fewer than the maximum number of threads have a permission.
    pub fn acquire(&self) -> Permit<'_> {
        let mut available = self.available.lock().unwrap_or_else(PoisonError::into_inner);
        while *available == 0 {
            available = self.released.wait(available).unwrap_or_else(PoisonError::into_inner);
        }
        *available -= 1;
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.available.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.released.notify_one();
    }
}
