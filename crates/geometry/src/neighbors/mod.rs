//! Which points are near which: farthest-point sampling, nearest neighbors, balls.

mod cells;
mod farthest;
mod kd_tree;
mod near;

pub use farthest::{FarthestRule, farthest_point_sample, farthest_point_sample_by};
pub use kd_tree::{KdTree, Neighbor};
pub use near::{Ball, ball_query, knn};
