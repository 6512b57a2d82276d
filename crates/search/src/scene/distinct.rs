//! Answers of libraries with objects in scenes: no two are the same thing.

use std::collections::HashSet;

use super::OBJECTNESS_WEIGHT;
use crate::Answer;
use crate::scene::SceneObjectRef;

/// Orders answers by score and, for objects in scenes, by how separate they are, as
/// [`SceneIndex::ranked`](super::SceneIndex::ranked) does.
pub(crate) fn prefer_separate(answers: &mut [Answer]) {
    let key = |answer: &Answer| {
        let objectness = SceneObjectRef::of(&answer.payload).map_or(1.0, |object| object.objectness);
        answer.score + OBJECTNESS_WEIGHT * objectness
    };
    answers.sort_by(|a, b| key(b).total_cmp(&key(a)).then(a.id.cmp(&b.id)));
    for (i, answer) in answers.iter_mut().enumerate() {
        (answer.rank, answer.semantic_rank) = (i + 1, Some(i + 1));
    }
}

/// Keeps the `k` best answers of which none is the same object as a better one.
pub(crate) fn keep_distinct(answers: &mut Vec<Answer>, k: usize) {
    let mut hidden: HashSet<(String, u32)> = HashSet::new();
    answers.retain(|answer| {
        let Some(object) = SceneObjectRef::of(&answer.payload) else { return true };
        if hidden.contains(&(object.scene.clone(), object.object)) {
            return false;
        }
        hidden.extend(object.overlaps.iter().map(|other| (object.scene.clone(), *other)));
        true
    });
    answers.truncate(k);
    answers.iter_mut().enumerate().for_each(|(i, answer)| answer.rank = i + 1);
}
