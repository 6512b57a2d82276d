//! The tools: names, schemas of their arguments (`tools.json`), and what they do.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reach::Reach;
use crate::{CaptionRequest, ClassifyRequest, CompareRequest, Item, Problem, SearchRequest, Service};

/// What `tools/list` returns.
const TOOLS: &str = include_str!("tools.json");
/// What `search` is for clients that may not name files of this machine.
const SEARCH_OF_LIBRARY: &str = "Find 3D files by text, by files of the library, or a mix of them. Without any of these, lists the \
    files that `where` selects. Returns ids, paths, scores (cosine similarity) and facts; `low_confidence` says that nothing matches \
    well.";
/// Answers of a search, unless the model asks for another number.
const DEFAULT_K: usize = 10;
/// Most thumbnails of a search: images fill the context of a model.
const MAX_THUMBNAILS: usize = 12;
/// Pixels of a thumbnail.
const THUMBNAIL_SIZE: u32 = 256;

/// Arguments of `search`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Search {
    text: Option<String>,
    not: Vec<String>,
    like: Vec<String>,
    files: Vec<PathBuf>,
    #[serde(rename = "where")]
    filter: Option<String>,
    min_score: Option<f32>,
    offset: usize,
    k: Option<usize>,
    thumbnails: bool,
}

/// Arguments of `similar`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Similar {
    id: String,
    k: Option<usize>,
    #[serde(default)]
    thumbnails: bool,
}

/// Arguments of `describe`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Describe {
    id: String,
    #[serde(default)]
    labels: Vec<String>,
}

/// Arguments of `thumbnail`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thumbnail {
    id: String,
    size: Option<u32>,
}

/// Arguments of `statistics`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// All tools with their schemas, as far as the client may use them.
pub(super) fn list(reach: Reach) -> serde_json::Result<Value> {
    let mut listed: Value = serde_json::from_str(TOOLS)?;
    if reach == Reach::Library
        && let Some(properties) = listed["tools"][0]["inputSchema"]["properties"].as_object_mut()
    {
        properties.remove("files");
        listed["tools"][0]["description"] = SEARCH_OF_LIBRARY.into();
    }
    Ok(listed)
}

/// The result of a tool; `None` if there is no such tool.
pub(super) fn call(
    service: &Service,
    reach: Reach,
    name: &str,
    arguments: Value,
) -> Option<Result<Value, Problem>> {
    Some(match name {
        "search" => parsed(arguments).and_then(|arguments| search(service, reach, arguments)),
        "similar" => parsed(arguments).and_then(|arguments| similar(service, &arguments)),
        "classify" => {
            parsed::<ClassifyRequest>(arguments).and_then(|request| text(&service.classify(&request)?))
        }
        "describe" => parsed(arguments).and_then(|arguments| describe(service, arguments)),
        "compare" => {
            parsed::<CompareRequest>(arguments).and_then(|request| text(&service.compare(&request)?))
        }
        "thumbnail" => parsed(arguments).and_then(|arguments| thumbnail(service, &arguments)),
        "statistics" => parsed::<Nothing>(arguments).and_then(|Nothing {}| text(&service.statistics()?)),
        _ => return None,
    })
}

fn parsed<T: DeserializeOwned>(arguments: Value) -> Result<T, Problem> {
    serde_json::from_value(arguments)
        .map_err(|error| Problem::bad_request(format!("invalid arguments: {error}")))
}

fn search(service: &Service, reach: Reach, arguments: Search) -> Result<Value, Problem> {
    let Search { text: words, not, like, files, filter, min_score, offset, k, thumbnails } = arguments;
    if reach == Reach::Library && !files.is_empty() {
        return Err(Problem::bad_request("files of the server's machine cannot be searched by")
            .with_hint("search by text, or by ids of files of the library in `like`"));
    }
    let uploads =
        files.iter().map(|file| Ok(service.upload_file(file)?.id)).collect::<Result<_, Problem>>()?;
    let k = k.unwrap_or(DEFAULT_K);
    let request = SearchRequest {
        text: words,
        not,
        like,
        uploads,
        filter,
        min_score,
        offset,
        k,
        ..SearchRequest::default()
    };
    let found = service.search(&request)?;
    let ids: Vec<String> = found.answers.iter().map(|answer| answer.id.to_string()).collect();
    with_thumbnails(service, text(&found)?, &ids, thumbnails)
}

fn similar(service: &Service, Similar { id, k, thumbnails }: &Similar) -> Result<Value, Problem> {
    let found = service.similar(id, k.unwrap_or(DEFAULT_K))?;
    let ids: Vec<String> = found.answers.iter().map(|answer| answer.id.to_string()).collect();
    with_thumbnails(service, text(&found)?, &ids, *thumbnails)
}

fn describe(service: &Service, Describe { id, labels }: Describe) -> Result<Value, Problem> {
    let details = service.asset(&id)?;
    // Only the built-in model has a captioner.
    let caption = service.caption(&CaptionRequest { item: Item::Asset(id.clone()) }).ok();
    let labels = match labels.is_empty() {
        true => service.labels(&id)?,
        false => {
            service.classify(&ClassifyRequest { item: Item::Asset(id), labels, templates: Vec::new() })?
        }
    };
    let caption = caption.map(|found| found.caption);
    text(&json!({ "asset": details, "caption": caption, "labels": labels.labels }))
}

fn thumbnail(service: &Service, Thumbnail { id, size }: &Thumbnail) -> Result<Value, Problem> {
    let image = image(service, id, size.unwrap_or(THUMBNAIL_SIZE))?;
    Ok(json!({ "content": [image] }))
}

/// A result as text, which every client shows to the model, and as data.
fn text(result: &impl Serialize) -> Result<Value, Problem> {
    let data = serde_json::to_value(result).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(json!({ "content": [{ "type": "text", "text": data.to_string() }], "structuredContent": data }))
}

fn with_thumbnails(
    service: &Service,
    mut result: Value,
    ids: &[String],
    wanted: bool,
) -> Result<Value, Problem> {
    if let Some(content) = result["content"].as_array_mut().filter(|_| wanted) {
        for id in ids.iter().take(MAX_THUMBNAILS) {
            // A file that cannot be drawn leaves no gap: each image has its id before it.
            if let Ok(image) = image(service, id, THUMBNAIL_SIZE / 2) {
                content.push(json!({ "type": "text", "text": id }));
                content.push(image);
            }
        }
    }
    Ok(result)
}

fn image(service: &Service, id: &str, size: u32) -> Result<Value, Problem> {
    let png = service.thumbnail(id, size, None)?.content.unwrap_or_default();
    Ok(json!({ "type": "image", "data": STANDARD.encode(&png), "mimeType": "image/png" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_have_names_descriptions_and_schemas() {
        let listed = list(Reach::Machine).unwrap();
        let tools = listed["tools"].as_array().unwrap();
        let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["search", "similar", "classify", "describe", "compare", "thumbnail", "statistics"]
        );
        for tool in tools {
            assert!(tool["description"].as_str().unwrap().len() > 30, "{tool}");
            let schema = &tool["inputSchema"];
            assert_eq!(
                (&schema["type"], &schema["additionalProperties"]),
                (&"object".into(), &false.into()),
                "{tool}"
            );
            let properties = schema["properties"].as_object().unwrap();
            for required in schema["required"].as_array().into_iter().flatten() {
                assert!(properties.contains_key(required.as_str().unwrap()), "{tool}");
            }
        }
    }

    #[test]
    fn files_of_the_machine_are_for_its_own_clients() {
        let has_files = |reach| {
            let listed = list(reach).unwrap();
            let search = &listed["tools"][0];
            assert_eq!(search["name"], "search");
            let in_text = search["description"].as_str().unwrap().contains("this machine");
            assert_eq!(in_text, search["inputSchema"]["properties"].get("files").is_some());
            in_text
        };
        assert_eq!((has_files(Reach::Machine), has_files(Reach::Library)), (true, false));
    }
}
