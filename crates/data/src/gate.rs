//! A counting semaphore.

use std::sync::{Condvar, Mutex, PoisonError};

/// Bounds the number of threads that do something at the same time.
pub(crate) struct Gate {
    free: Mutex<usize>,
    left: Condvar,
}

/// Permission to proceed, returned when dropped.
pub(crate) struct Turn<'a>(&'a Gate);

impl Gate {
    pub fn new(places: usize) -> Self {
        Self { free: Mutex::new(places.max(1)), left: Condvar::new() }
    }

    /// Waits until fewer than the maximum number of threads have a permission.
    pub fn enter(&self) -> Turn<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self.left.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.left.notify_one();
    }
}
