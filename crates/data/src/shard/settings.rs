//! The settings that shapes were made with, as the manifest and the state files record them.

use std::collections::BTreeSet;

use serde_json::Value;

/// A setting with different values in two runs.
pub(crate) struct Difference {
    /// Its path in the settings: `prepare.views`.
    pub setting: String,
    /// The value of the first run.
    pub first: String,
    /// The value of the second run.
    pub second: String,
}

/// The first setting in which two runs differ.
pub(crate) fn first_difference(first: &Value, second: &Value) -> Option<Difference> {
    first_difference_below("", first, second)
}

fn first_difference_below(name: &str, first: &Value, second: &Value) -> Option<Difference> {
    match (first, second) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| {
                let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                first_difference_below(
                    &inner,
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                )
            })
        }
        _ if first == second => None,
        _ => Some(Difference {
            setting: name.to_owned(),
            first: first.to_string(),
            second: second.to_string(),
        }),
    }
}

/// The model of the features in a data set's settings, or in those of all the data sets that were concatenated into it.
pub(super) fn features_in(settings: &Value) -> Option<&str> {
    // Manifests of early versions have the keys `joined` and `look`.
    let either = |key: &str, early: &str| settings.get(key).or_else(|| settings.get(early));
    if let Some(inputs) = either("concatenated", "joined").and_then(Value::as_array) {
        let first = features_in(inputs.first()?)?;
        return inputs.iter().all(|input| features_in(input) == Some(first)).then_some(first);
    }
    // Before version 2 features were normalized when they were stored, which loses their length.
    let keeps_length = either("version", "look").and_then(Value::as_u64).is_some_and(|version| version >= 2);
    settings.get("features").and_then(Value::as_str).filter(|_| keeps_length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn features_are_of_one_model_or_of_none() {
        let of = |version: u32, model: &str| json!({ "version": version, "features": model });
        assert_eq!(features_in(&of(2, "a@1")), Some("a@1"));
        assert_eq!(features_in(&of(1, "a@1")), None);
        assert_eq!(features_in(&json!({ "made_by": "import openshape", "features": true })), None);
        let both = |a: &str, b: &str| features_in(&json!({ "concatenated": [of(2, a), of(2, b)] })).is_some();
        assert!(both("a@1", "a@1") && !both("a@1", "b@2"));
        let early = json!({ "joined": [{ "look": 2, "features": "a@1" }] });
        assert_eq!(features_in(&early), Some("a@1"));
    }

    #[test]
    fn the_first_difference_is_named_with_its_path() {
        let found =
            first_difference(&json!({ "a": { "b": 1, "c": 2 } }), &json!({ "a": { "b": 1 }, "d": 0 }))
                .unwrap();
        assert_eq!(
            (found.setting.as_str(), found.first.as_str(), found.second.as_str()),
            ("a.c", "2", "null")
        );
        assert!(first_difference(&json!([1]), &json!([1])).is_none());
    }
}
