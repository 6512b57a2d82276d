//! `tokenizer.model` against SentencePiece. The fixture is from `xtask/peers/sentence_piece.py`.

use lexiform_model::tokenizer::BytePairTokenizer;
use serde_json::Value;

fn ids(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

#[test]
fn pieces_are_those_of_sentence_piece() {
    let folder = lexiform_golden::fixture("sentence_piece");
    let tokenizer = BytePairTokenizer::read(&folder.join("tokenizer.model")).unwrap();
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    for pair in expected["encoded"].as_array().unwrap() {
        let text = pair[0].as_str().unwrap();
        assert_eq!(tokenizer.encode(text), ids(&pair[1]), "{text:?}");
    }
    for pair in expected["decoded"].as_array().unwrap() {
        assert_eq!(tokenizer.decode(&ids(&pair[0])), pair[1].as_str().unwrap());
    }
    let size = expected["size"].as_u64().unwrap() as u32;
    assert_eq!(tokenizer.start(), [expected["start"].as_u64().unwrap() as u32]);
    assert_eq!(tokenizer.encode("<point_start><point_patch>"), [size + 1, size]);
    assert_eq!(tokenizer.len() as u32, size + 2);
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.model");
    let whole = std::fs::read(lexiform_golden::fixture("sentence_piece").join("tokenizer.model")).unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        BytePairTokenizer::read(&path).map(|_| ())
    };
    assert!(read(&whole).is_ok());
    // Cut in the middle of a piece, of its length, and everywhere else: never a panic.
    (0..whole.len()).step_by(7).for_each(|length| drop(read(&whole[..length])));
    for damaged in [&whole[..1], b"{}", &[]] {
        assert!(read(damaged).unwrap_err().contains("no model of SentencePiece"));
    }
    std::fs::write(folder.path().join("added_tokens.json"), r#"{"<a>": 4000000000}"#).unwrap();
    assert!(read(&whole).unwrap_err().contains("added_tokens.json: expected an id below 421"));
}
