//! People and robots, and what people wear.

pub(super) mod accessories;
pub(super) mod clothing;
pub(super) mod figures;
