//! Connected components of points by distance: density clustering where every point counts, because voxels have evened out density.

use std::collections::HashMap;

use glam::{IVec3, Vec3};

use crate::graph::DisjointSets;

/// Cells per radius: neighboring cells are then 0 to 1.9 radii apart at most, and 1 on average.
const CELLS_PER_RADIUS: f32 = 1.5;

/// Groups of the chosen points that are about `radius` apart from each other, each in ascending order.
pub(crate) fn components(positions: &[Vec3], chosen: &[u32], radius: f32) -> Vec<Vec<u32>> {
    let edge = (radius / CELLS_PER_RADIUS).max(f32::MIN_POSITIVE);
    let cell = |i: u32| (positions[i as usize] / edge).floor().as_ivec3();
    let mut numbers: HashMap<IVec3, u32> = HashMap::with_capacity(chosen.len());
    let of_chosen: Vec<u32> = chosen
        .iter()
        .map(|&i| {
            let next = numbers.len() as u32;
            *numbers.entry(cell(i)).or_insert(next)
        })
        .collect();
    let mut sets = DisjointSets::new(numbers.len());
    // The order of joins changes representatives, not sets.
    for (cell, &number) in &numbers {
        for offset in HALF_NEIGHBORS {
            if let Some(&other) = numbers.get(&cell.saturating_add(IVec3::from(offset))) {
                let (a, b) = (sets.find(number), sets.find(other));
                sets.join(a, b);
            }
        }
    }
    let labels = sets.labels();
    let mut groups = vec![Vec::new(); labels.iter().max().map_or(0, |&l| l as usize + 1)];
    for (&i, &number) in chosen.iter().zip(&of_chosen) {
        groups[labels[number as usize] as usize].push(i);
    }
    groups
}

/// Half of the 26 neighbors of a cell; the other half are their opposites.
const HALF_NEIGHBORS: [[i32; 3]; 13] = [
    [1, 0, 0],
    [-1, 1, 0],
    [0, 1, 0],
    [1, 1, 0],
    [-1, -1, 1],
    [0, -1, 1],
    [1, -1, 1],
    [-1, 0, 1],
    [0, 0, 1],
    [1, 0, 1],
    [-1, 1, 1],
    [0, 1, 1],
    [1, 1, 1],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_separate_groups() {
        let line: Vec<Vec3> = [0.0, 0.1, 0.2, 1.0, 1.1, 5.0].iter().map(|&x| Vec3::X * x).collect();
        assert_eq!(components(&line, &[0, 1, 2, 3, 4, 5], 0.15), [vec![0, 1, 2], vec![3, 4], vec![5]]);
        assert_eq!(components(&line, &[0, 2, 5], 0.15), [vec![0], vec![2], vec![5]]);
        assert_eq!(components(&line, &[0, 2, 5], 9.0), [vec![0, 2, 5]]);
        assert!(components(&line, &[], 1.0).is_empty());
    }

    #[test]
    fn half_of_the_neighbors_are_the_opposites_of_the_others() {
        let mut all: Vec<[i32; 3]> = HALF_NEIGHBORS.iter().flat_map(|&o| [o, o.map(|x| -x)]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 26);
        assert!(!all.contains(&[0; 3]));
    }
}
