//! Toys, musical instruments, and small things of games.

pub(super) mod instruments;
pub(super) mod toys;
pub(super) mod treasures;
