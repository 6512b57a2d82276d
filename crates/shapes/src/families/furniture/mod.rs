//! Furniture, lights, and parts of a room.

pub(super) mod chairs_and_tables;
pub(super) mod interior;
pub(super) mod lighting;
pub(super) mod sofas_and_beds;
pub(super) mod storage;
