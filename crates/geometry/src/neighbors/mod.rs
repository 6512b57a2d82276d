//! Which points are near which: farthest-point sampling, nearest neighbors, balls.

mod kd_tree;

pub use kd_tree::{KdTree, Neighbor};
