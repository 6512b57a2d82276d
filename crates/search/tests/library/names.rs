//! Hybrid search: names and meaning.

use std::sync::Arc;

use crate::support::{BLUE, ColorEncoder, GREEN, RED, write_shape};
use lexiform_search::{
    Answer, Combine, Error, IndexOptions, Library, LibraryPath, Query, QueryTerm, RankBy, SpellingCorrection,
};

/// A library of colored shapes, of which some names say something else than their color.
fn library(encoder: ColorEncoder) -> (tempfile::TempDir, Library) {
    let folder = tempfile::tempdir().unwrap();
    let root = fs_err::canonicalize(folder.path()).unwrap();
    for (path, color) in [
        ("garden/old_chair.ply", GREEN),
        ("garden/1.ply", RED),
        ("office/desk-lamp.ply", BLUE),
        ("office/2.ply", [120, 120, 10]),
        ("green.ply", GREEN),
    ] {
        fs_err::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        write_shape(&root.join(path), color, 1.0);
    }
    let library = Library::open(LibraryPath::for_assets(&root), Arc::new(encoder), "color").unwrap();
    library.index(&[root], &IndexOptions::default(), &mut |_| {}).unwrap();
    (folder, library)
}

fn paths(answers: &[Answer]) -> Vec<&str> {
    answers.iter().map(|answer| answer.payload.path.as_str()).collect()
}

#[test]
fn names_lift_answers_and_keep_their_scores() {
    let (_folder, library) = library(ColorEncoder::new("color-1"));
    let query = Query::text("a red chair", 9);
    let semantic = library.search(&Query { rank_by: RankBy::Semantic, ..query.clone() }).unwrap();
    assert_eq!(semantic[0].payload.path, "garden/1.ply");
    let hybrid = library.search(&query).unwrap();
    assert_eq!(hybrid.len(), 5);
    let chair = hybrid.iter().find(|answer| answer.payload.path == "garden/old_chair.ply").unwrap();
    assert_eq!((chair.name_rank, chair.rank), (Some(1), 1));
    for answer in &semantic {
        let same = hybrid.iter().find(|other| other.id == answer.id).unwrap();
        assert_eq!((same.score, same.semantic_rank), (answer.score, Some(answer.rank)));
    }
    let by_name = library.search(&Query { rank_by: RankBy::Name, ..query }).unwrap();
    assert_eq!(by_name, std::slice::from_ref(chair));
}

#[test]
fn names_that_say_nothing_change_nothing() {
    let (_folder, library) = library(ColorEncoder::new("color-1"));
    for text in ["a red boat", "something blue", "12"] {
        let query = Query::text(text, 3);
        let semantic = library.search(&Query { rank_by: RankBy::Semantic, ..query.clone() }).unwrap();
        assert_eq!(library.search(&query).unwrap(), semantic, "{text}");
    }
    let nothing = Query { rank_by: RankBy::Name, ..Query::text("a red boat", 3) };
    assert!(library.search(&nothing).unwrap().is_empty());
    let record = library.search(&Query::text("red", 1)).unwrap()[0].id;
    let without_text =
        Query { k: 3, rank_by: RankBy::Name, ..Query::default() }.with(1.0, QueryTerm::Record(record));
    assert!(matches!(library.search(&without_text), Err(Error::Query { .. })));
}

#[test]
fn several_texts_must_all_have_a_name() {
    let (_folder, library) = library(ColorEncoder::new("color-1"));
    let both = |first: &str, second: &str, combine| {
        let query = Query::text(first, 9).with(1.0, QueryTerm::Text(second.into()));
        let query = Query { combine, rank_by: RankBy::Name, ..query };
        library.search(&query).unwrap().iter().map(|answer| answer.payload.path.clone()).collect::<Vec<_>>()
    };
    for combine in [Combine::Mean, Combine::Min] {
        assert_eq!(both("a desk", "a lamp", combine), ["office/desk-lamp.ply"]);
        assert!(both("a lamp", "a chair", combine).is_empty());
    }
    // Unwanted texts are not searched for.
    let query = Query::text("office", 9).with(-0.5, QueryTerm::Text("lamp".into()));
    let found = library.search(&Query { rank_by: RankBy::Name, ..query }).unwrap();
    // Shorter names first: "office" is all of the second one's words.
    assert_eq!(paths(&found), ["office/2.ply", "office/desk-lamp.ply"]);
}

#[test]
fn corrections_reach_models_that_do_not_know_the_word() {
    let known = ColorEncoder { known_words: Some(&["green", "grren"]), ..ColorEncoder::new("color-1") };
    let (_folder, library) = library(known);
    let corrections = |query: &Query| library.search_results(query).unwrap().corrections;
    let query = Query::text("greeen", 9);
    let expected = SpellingCorrection { typed: "greeen".into(), corrected: "green".into() };
    assert_eq!(corrections(&query), [expected]);
    let answers = library.search(&query).unwrap();
    assert_eq!(answers[0].payload.path, "green.ply");
    assert!(answers[0].score > 0.9, "the model has read green: {}", answers[0].score);
    // A word is spelled right if the model knows it, or if it is a usual one.
    let known = Query::text("grren", 9);
    assert!(corrections(&known).is_empty());
    assert!(library.search(&known).unwrap().iter().all(|answer| answer.name_rank.is_none()));
    let usual = library.search_results(&Query::text("dusk", 9)).unwrap();
    assert!(usual.corrections.is_empty() && usual.answers.iter().all(|answer| answer.name_rank.is_none()));
    let semantic = Query { rank_by: RankBy::Semantic, ..query };
    assert!(corrections(&semantic).is_empty());
}
