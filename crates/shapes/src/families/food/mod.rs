//! Fruit, vegetables, meals and sweets.

pub(super) mod fruit;
pub(super) mod meals;
pub(super) mod sweets;
pub(super) mod vegetables;
