//! A k-d tree over points: exact nearest neighbors in logarithmic time.

use glam::Vec3;

use crate::Bounds;

/// Points per leaf; scanning this many costs less than another level of the tree.
const LEAF_SIZE: usize = 8;
/// Larger halves are built in parallel.
const MIN_PARALLEL_NODES: usize = 1 << 14;

/// An index for nearest-neighbor queries. Holds its own copy of the points.
pub struct KdTree {
    /// An implicit tree: the middle node of a range splits it along its axis; ranges of at most [`LEAF_SIZE`] are leaves.
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Node {
    position: Vec3,
    index: u32,
    axis: u8,
}

/// A point near a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbor {
    /// Index in the list the tree was built from.
    pub index: usize,
    /// Squared distance to the query.
    pub distance_squared: f32,
}

impl KdTree {
    /// A tree over finite `positions`.
    ///
    /// ```
    /// use glam::Vec3;
    /// use lexiform_geometry::neighbors::KdTree;
    ///
    /// let tree = KdTree::new(&[Vec3::ZERO, Vec3::X, Vec3::X * 5.0]);
    /// let nearest = tree.nearest(Vec3::X * 1.2, 2);
    /// assert_eq!(nearest.iter().map(|n| n.index).collect::<Vec<_>>(), [1, 0]);
    /// ```
    pub fn new(positions: &[Vec3]) -> Self {
        let node = |(&position, index): (&Vec3, u32)| Node { position, index, axis: 0 };
        let mut nodes: Vec<Node> = positions.iter().zip(0..).map(node).collect();
        split(&mut nodes);
        Self { nodes }
    }

    /// The `count` points nearest to `query`, nearest first, ties by index; all of them if there are fewer.
    pub fn nearest(&self, query: Vec3, count: usize) -> Vec<Neighbor> {
        let count = count.min(self.nodes.len());
        let mut search = Search { query, count, found: Vec::with_capacity(count + 1) };
        if count > 0 {
            search.visit(&self.nodes);
        }
        search.found
    }
}

/// Orders nodes so that the middle one of each range splits it along its longest extent.
fn split(nodes: &mut [Node]) {
    if nodes.len() <= LEAF_SIZE {
        return;
    }
    let axis = longest_axis(nodes);
    let middle = nodes.len() / 2;
    nodes.select_nth_unstable_by(middle, |a, b| {
        a.position[axis].total_cmp(&b.position[axis]).then(a.index.cmp(&b.index))
    });
    nodes[middle].axis = axis as u8;
    let (below, above) = nodes.split_at_mut(middle);
    if below.len() > MIN_PARALLEL_NODES {
        rayon::join(|| split(below), || split(&mut above[1..]));
    } else {
        split(below);
        split(&mut above[1..]);
    }
}

fn longest_axis(nodes: &[Node]) -> usize {
    let extents = Bounds::from_points(nodes.iter().map(|n| n.position)).map_or(Vec3::ZERO, |b| b.extents());
    if extents.x >= extents.y && extents.x >= extents.z {
        0
    } else if extents.y >= extents.z {
        1
    } else {
        2
    }
}

struct Search {
    query: Vec3,
    count: usize,
    /// Best so far, nearest first.
    found: Vec<Neighbor>,
}

impl Search {
    fn visit(&mut self, nodes: &[Node]) {
        if nodes.len() <= LEAF_SIZE {
            nodes.iter().for_each(|node| self.offer(node));
            return;
        }
        let middle = nodes.len() / 2;
        let node = &nodes[middle];
        let axis = usize::from(node.axis);
        let beyond = self.query[axis] - node.position[axis];
        let (below, above) = (&nodes[..middle], &nodes[middle + 1..]);
        let (near, far) = if beyond < 0.0 { (below, above) } else { (above, below) };
        self.visit(near);
        self.offer(node);
        // `<=`: a point at the same distance as the worst may still win by its index.
        if self.found.len() < self.count || beyond * beyond <= self.worst() {
            self.visit(far);
        }
    }

    fn offer(&mut self, node: &Node) {
        let offset = node.position - self.query;
        let distance_squared = offset.x * offset.x + offset.y * offset.y + offset.z * offset.z;
        let index = node.index as usize;
        if self.found.len() == self.count && distance_squared > self.worst() {
            return;
        }
        let place = self.found.partition_point(|n| (n.distance_squared, n.index) < (distance_squared, index));
        self.found.insert(place, Neighbor { index, distance_squared });
        self.found.truncate(self.count);
    }

    fn worst(&self) -> f32 {
        self.found.last().map_or(f32::INFINITY, |n| n.distance_squared)
    }
}
