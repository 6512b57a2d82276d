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
        // At least one, or `acquire` would block forever.
        Self { available: Mutex::new(permits.max(1)), released: Condvar::new() }
    }

    /// Waits until fewer than the maximum number of threads have a permission.
    pub fn acquire(&self) -> Permit<'_> {
        let mut available = self.available.lock().unwrap_or_else(PoisonError::into_inner);
        // A loop, because condition variables may wake up spuriously.
        while *available == 0 {
            available = self.released.wait(available).unwrap_or_else(PoisonError::into_inner);
        }
        *available -= 1;
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // Also runs when the holder panics, so that a permit is never lost.
        *self.0.available.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.released.notify_one();
    }
}
