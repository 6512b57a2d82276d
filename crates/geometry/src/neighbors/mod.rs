//! Neighborhoods in point clouds: farthest point sampling, k nearest neighbors, ball query.

mod farthest;
mod grid;
mod kd_tree;
mod query;

pub use farthest::{FpsVariant, farthest_point_sample, farthest_point_sample_by};
pub use kd_tree::{KdTree, Neighbor};
pub use query::{Ball, ball_query, knn};
