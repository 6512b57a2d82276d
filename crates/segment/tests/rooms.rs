//! Generated rooms: the up axis is found, and most objects are among the proposals.

use glam::{Affine3A, Quat, Vec3};
use lexiform_geometry::Scene;
use lexiform_segment::{SegmentConfig, Segmentation, overlap, segment};
use lexiform_shapes::{Room, RoomConfig, ScanConfig};

/// Intersection over union from which a proposal is an object.
const MIN_IOU: f32 = 0.5;

/// Objects that are among the proposals, and all that have any element in the scene.
fn recall(found: &Segmentation, room: &Room, instances: &[u32]) -> (usize, usize) {
    let masks: Vec<Vec<u32>> = found.proposals.iter().map(|p| found.elements(&p.voxels)).collect();
    let objects = (0..room.instances.len()).filter(|&i| room.instances[i].is_object);
    let truths = objects.map(|object| {
        let elements = instances.iter().zip(0..).filter(|(i, _)| **i as usize == object);
        elements.map(|(_, element)| element).collect::<Vec<u32>>()
    });
    let truths: Vec<Vec<u32>> = truths.filter(|truth| !truth.is_empty()).collect();
    let is_found = |truth: &&Vec<u32>| masks.iter().any(|mask| overlap(mask, truth).1 >= MIN_IOU);
    (truths.iter().filter(is_found).count(), truths.len())
}

#[test]
fn objects_of_scanned_rooms_are_proposed_whatever_is_up() {
    let (mut found, mut all) = (0, 0);
    let turns = [Quat::IDENTITY, Quat::from_rotation_x(1.5), Quat::from_rotation_z(-1.6)];
    for (turn, seed) in turns.into_iter().zip(0..) {
        let room = Room::generate(&RoomConfig::of_seed(seed));
        let scan = room.scan(&ScanConfig { seed, ..ScanConfig::default() }).unwrap();
        let scene = Scene::from_cloud(scan.cloud).transformed(Affine3A::from_quat(turn));
        let segmentation = segment(&scene, &SegmentConfig::default());
        assert!(segmentation.up.dot(turn * Vec3::Y) > 0.99, "seed {seed}: {}", segmentation.up);
        let (of_room, objects) = recall(&segmentation, &room, &scan.instances);
        (found, all) = (found + of_room, all + objects);
    }
    assert!(found * 100 >= all * 80, "{found} of {all} objects");
}

#[test]
fn objects_of_meshes_are_proposed_as_triangles() {
    let room = Room::generate(&RoomConfig { ceiling: true, ..RoomConfig::of_seed(3) });
    let found = segment(&room.scene, &SegmentConfig::default());
    let (proposed, objects) = recall(&found, &room, &room.triangle_instances);
    assert!(proposed * 100 >= objects * 75, "{proposed} of {objects} objects");
}
