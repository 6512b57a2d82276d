//! Tests of searches in names.

use super::fixtures::{X, Y, id, put, record};
use crate::{
    Entry, Filter, IndexState, NameHit, NameRequest, NameSearch, NameWord, Payload, Record,
    SpellingCorrection, VectorStore, name_words,
};

pub(super) const TESTS: [fn(&dyn VectorStore); 7] = [
    finds_words_of_every_field,
    ranks_by_field_and_rarity,
    puts_all_words_before_some,
    follows_changes_of_records,
    filters_names,
    joins_and_splits_compounds,
    repairs_spelling,
];

/// A request for the words of some texts, each of which may be misspelled.
fn request(texts: &[&str]) -> NameRequest {
    let misspelled = texts.iter().flat_map(|text| name_words(text)).collect();
    let group =
        |text: &&str| name_words(text).into_iter().map(|word| NameWord { word, weight: 1.0 }).collect();
    NameRequest { groups: texts.iter().map(group).collect(), misspelled, filter: None }
}

fn search(store: &dyn VectorStore, text: &str) -> NameSearch {
    store.search_names(&request(&[text])).expect("search")
}

fn found(hits: &[NameHit]) -> Vec<u64> {
    hits.iter().map(|hit| hit.id.value()).collect()
}

fn ids(store: &dyn VectorStore, text: &str) -> Vec<u64> {
    found(&search(store, text).hits)
}

/// Records with these paths, numbered from 1.
fn put_paths(store: &dyn VectorStore, paths: &[&str]) {
    let numbered = paths.iter().zip(1..);
    put(store, &numbered.map(|(path, number)| record(number, path, X)).collect::<Vec<_>>());
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn finds_words_of_every_field(store: &dyn VectorStore) {
    let mut full = record(1, "Kitchen Things/WoodenChair_03b.glb", X);
    full.payload.objects = strings(&["seat", "LegLeft"]);
    full.payload.materials = strings(&["oak.001"]);
    full.payload.extra.insert("label".into(), "armchair".into());
    full.payload.extra.insert("tags".into(), serde_json::json!(["rustic"]));
    put(store, &[full.clone(), record(2, "0002.glb", Y)]);
    for text in ["chairs", "WOODEN", "kitchen", "seats", "left leg", "Oak", "armchair", "rústic"] {
        assert_eq!(ids(store, text), [1], "{text}");
    }
    for text in ["glb", "b", "03", "thin", "table", "", "\" OR chair", "2"] {
        let expected: &[u64] = if text.contains("chair") { &[1] } else { &[] };
        assert_eq!(ids(store, text), expected, "{text}");
    }
    assert_eq!(store.get(&[id(1)]).expect("get"), [Some(full)]);
}

fn ranks_by_field_and_rarity(store: &dyn VectorStore) {
    let mut of_material = record(1, "a/lamp.glb", X);
    of_material.payload.materials = strings(&["chair"]);
    put(store, &[of_material]);
    for (number, path) in [(2, "chair/lamp.glb"), (3, "a/chair.glb"), (4, "a/chair.obj"), (5, "b/cup.glb")] {
        put(store, &[record(number, path, X)]);
    }
    let hits = search(store, "chair").hits;
    assert_eq!(found(&hits), [3, 4, 2, 1], "file names before folders before materials, ties in order of id");
    assert_eq!(hits.iter().map(|hit| hit.rank).collect::<Vec<_>>(), [1, 1, 3, 4]);
    assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score) && hits[3].score > 0.0);
    let coverage: Vec<f32> = hits.iter().map(|hit| hit.coverage).collect();
    assert!(coverage[..3] == [1.0; 3] && (0.0..1.0).contains(&coverage[3]), "{coverage:?}");
    // One record of five has "cup", two have "lamp".
    let hits = search(store, "cup lamp").hits;
    assert_eq!(found(&hits)[0], 5, "the rarer word counts more");
    assert!(hits[0].coverage > 0.5 && hits[1].coverage < 0.5);
    assert!((hits[0].coverage + hits[1].coverage - 1.0).abs() < 1e-6);
}

fn puts_all_words_before_some(store: &dyn VectorStore) {
    put_paths(store, &["red.glb", "red_car_with_trailer_and_boat.glb", "blue_car.glb", "red_cube.glb"]);
    let hits = search(store, "red car").hits;
    assert_eq!((hits[0].id, hits[0].rank, hits[0].coverage), (id(2), 1, 1.0));
    assert!(hits[1..].iter().all(|hit| hit.rank > 1 && hit.coverage < 1.0), "{hits:?}");
    assert_eq!(hits.len(), 4);
    // A record must have a word of every text.
    let both = store.search_names(&request(&["red", "boat"])).expect("search").hits;
    assert_eq!(found(&both), [2]);
    let weighted = |weight: f32| {
        let word = |word: &str, weight| NameWord { word: word.to_owned(), weight };
        let groups = vec![vec![word("blue", 1.0), word("cube", weight)]];
        let hits =
            store.search_names(&NameRequest { groups, ..NameRequest::default() }).expect("search").hits;
        hits.iter().find(|hit| hit.id == id(4)).expect("the cube").coverage
    };
    // Both words are in one record of four.
    assert!((weighted(1.0) - 0.5).abs() < 1e-6 && (weighted(3.0) - 0.75).abs() < 1e-6);
}

fn follows_changes_of_records(store: &dyn VectorStore) {
    put_paths(store, &["chair.glb", "lamp.glb"]);
    store.rename(&[(id(1), "sofa.glb".into()), (id(2), "chair.glb".into())]).expect("rename");
    assert_eq!((ids(store, "chair"), ids(store, "sofa"), ids(store, "lamp")), (vec![2], vec![1], vec![]));
    let mut payload = Payload { path: "bed.glb".into(), ..Payload::default() };
    payload.objects = strings(&["pillow"]);
    store.update(&[Entry { id: id(1), payload, index_state: IndexState::default() }]).expect("update");
    assert_eq!((ids(store, "sofa"), ids(store, "pillow")), (vec![], vec![1]));
    put(store, &[Record { payload: Payload { path: "1".into(), ..Payload::default() }, ..record(1, "", X) }]);
    assert_eq!((ids(store, "bed"), ids(store, "pillow")), (vec![], vec![]));
    assert_eq!(store.delete(&[id(2)]).expect("delete"), 1);
    assert!(ids(store, "chair").is_empty());
    put(store, &[record(2, "chair.glb", Y)]);
    assert_eq!(ids(store, "chair"), [2]);
}

fn filters_names(store: &dyn VectorStore) {
    put_paths(store, &["a/chair.glb", "b/chair.glb", "b/desk_chair.glb", "b/chair.obj"]);
    let filter = Some(Filter::parse("path ~ 'b/*' and name != 'chair.obj'").expect("a filter"));
    let hits = store.search_names(&NameRequest { filter, ..request(&["chair"]) }).expect("search").hits;
    assert_eq!(found(&hits), [2, 3]);
}

fn joins_and_splits_compounds(store: &dyn VectorStore) {
    put_paths(store, &["trashcan_green.glb", "street_lamp.glb", "lamp_street.glb"]);
    let hits = search(store, "trash can").hits;
    assert_eq!((found(&hits), hits[0].coverage), (vec![1], 1.0));
    let split = search(store, "streetlamp");
    assert_eq!((found(&split.hits), split.corrections), (vec![2], vec![]));
}

fn repairs_spelling(store: &dyn VectorStore) {
    put_paths(store, &["chairs.glb", "Bicycle_01.glb", "african elephant.glb"]);
    for (typed, corrected, number) in
        [("bycicle", "bicycle", 2), ("elefant", "elephant", 3), ("chiars", "chairs", 1)]
    {
        let found = search(store, typed);
        assert_eq!(found.hits.iter().map(|hit| hit.id.value()).collect::<Vec<_>>(), [number], "{typed}");
        let correction = SpellingCorrection { typed: typed.into(), corrected: corrected.into() };
        assert_eq!((found.corrections, found.unmatched), (vec![correction], vec![]));
    }
    let right = search(store, "a chair");
    assert_eq!(
        (found(&right.hits), right.corrections),
        (vec![1], vec![]),
        "a stem that records have is right"
    );
    let far = search(store, "chandelier");
    assert_eq!((far.hits, far.corrections, far.unmatched), (vec![], vec![], vec!["chandelier".to_owned()]));
    let known = NameRequest { misspelled: Vec::new(), ..request(&["chiars elephants"]) };
    let known = store.search_names(&known).expect("search");
    assert_eq!(
        (found(&known.hits), known.corrections),
        (vec![3], vec![]),
        "only misspelled words are replaced"
    );
    assert_eq!(known.unmatched, ["chiars"]);
    assert_eq!(store.delete(&[id(1)]).expect("delete"), 1);
    assert!(search(store, "chiars").corrections.is_empty(), "a deleted word is not proposed");
}
