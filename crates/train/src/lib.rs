//! Data, losses, recipes and the training loop; shapes made from nothing to train on.

pub mod shapes;
