//! Caption metrics and their tokenizer compared with pycocoevalcap (`xtask/peers/captions.py`).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use lexiform_golden::fixture;
use lexiform_metrics::caption::meteor::{Meteor, MeteorTables};
use lexiform_metrics::caption::{CaptionItem, CaptionScores, bleu, cider, ptb_tokenize, rouge_l};
use serde_json::Value;

/// The order of 64-bit sums differs.
const TOLERANCE: f64 = 1e-9;

fn read(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

fn text(name: &str) -> String {
    std::fs::read_to_string(fixture(&format!("captions/{name}"))).unwrap()
}

fn check(name: &str, found: &CaptionScores, expected: &Value) {
    let near = |what: &str, found: f64, expected: &Value| {
        let expected = expected.as_f64().unwrap();
        assert!((found - expected).abs() < TOLERANCE, "{name}, {what}: {found}, expected {expected}");
    };
    near("all", found.corpus, &expected["corpus"]);
    let items = expected["items"].as_array().unwrap();
    assert_eq!(found.items.len(), items.len());
    for (place, (found, expected)) in found.items.iter().zip(items).enumerate() {
        near(&format!("item {place}"), *found, expected);
    }
}

fn items(golden: &Value) -> Vec<CaptionItem> {
    let string = |value: &Value| value.as_str().unwrap().to_owned();
    let item = |item: &Value| CaptionItem {
        candidate: string(&item["candidate"]),
        references: item["references"].as_array().unwrap().iter().map(string).collect(),
    };
    golden["items"].as_array().unwrap().iter().map(item).collect()
}

#[test]
fn tokens_equal_those_of_the_reference() {
    let golden = read("tokens.json");
    let golden = golden.as_array().unwrap();
    assert!(golden.len() > 100);
    for pair in golden {
        let [caption, expected] = [0, 1].map(|i| pair[i].as_str().unwrap());
        assert_eq!(ptb_tokenize(caption), expected, "{caption:?}");
    }
}

#[test]
fn scores_equal_those_of_the_reference() {
    let golden = read("scores.json");
    let (items, scores) = (items(&golden), &golden["scores"]);
    let found = bleu(&items).unwrap();
    for n in 0..4 {
        let of_order = CaptionScores {
            corpus: found.corpus[n],
            items: found.items.iter().map(|scores| scores[n]).collect(),
        };
        let name = format!("bleu_{}", n + 1);
        check(&name, &of_order, &scores[&name]);
    }
    check("rouge_l", &rouge_l(&items).unwrap(), &scores["rouge_l"]);
    check("cider", &cider(&items).unwrap(), &scores["cider"]);
}

/// METEOR with the small tables.
fn meteor() -> Meteor {
    let names = ["function/english.words", "nonbreaking/english.prefixes"];
    let [function_words, prefixes] = names.map(|name| text(&format!("meteor/{name}")));
    let names = ["synonym/english.exceptions", "synonym/english.synsets"];
    let [exceptions, synsets] = names.map(|name| text(&format!("meteor/{name}")));
    let tables = MeteorTables {
        function_words: &function_words,
        prefixes: &prefixes,
        exceptions: &exceptions,
        synsets: &synsets,
    };
    Meteor::new(&tables).unwrap()
}

#[test]
fn meteor_equals_the_reference_with_the_same_tables() {
    let golden = read("scores.json");
    let meteor = meteor();
    let paraphrases = text("meteor/data/paraphrase-en");
    let found = meteor.scores(&items(&golden), paraphrases.as_bytes()).unwrap();
    check("meteor", &found, &golden["scores"]["meteor"]);
    // The table has an effect.
    let none = meteor.scores(&items(&golden), &b""[..]).unwrap();
    assert!(none.corpus < found.corpus);
}

#[test]
fn long_captions_are_scored_or_refused() {
    let item = |candidate: usize, reference: usize| CaptionItem {
        candidate: "the chair ".repeat(candidate),
        references: vec!["the chair ".repeat(reference)],
    };
    let scores = meteor().scores(&[item(100, 90)], &b""[..]).unwrap();
    // Of METEOR's archive: its beam search does not find the alignment of one chunk.
    assert!((scores.corpus - 0.774_716_309_745_258_8).abs() < TOLERANCE, "{scores:?}");
    let error = meteor().scores(&[item(1, 1), item(1, 501)], &b""[..]).unwrap_err().to_string();
    assert_eq!(error, "item 1: METEOR aligns captions of at most 1000 words, found 1002");
}

#[test]
fn any_text_is_tokenized() {
    // Every character of the first planes alone, in words and in a row.
    let all: String = (0..0x2_0000).filter_map(char::from_u32).collect();
    assert!(ptb_tokenize(&all).len() > 100_000);
    for place in (0..0x2_0000).step_by(97) {
        let Some(c) = char::from_u32(place) else { continue };
        let tokens = ptb_tokenize(&format!("a{c}b {c} 7{c}8 {c}{c}'n"));
        assert!(tokens.starts_with('a') && !tokens.contains("  "), "{c:?}: {tokens:?}");
    }
    assert_eq!(ptb_tokenize(&"(".repeat(10_000)).len(), 6 * 10_000 - 1);
    // Each part could begin an address or a tag that ends at the end of the text.
    for part in ["a,", "<a b=\"", "http://a|", "(1)"] {
        assert!(ptb_tokenize(&part.repeat(20_000)).len() >= 20_000, "{part}");
    }
}
