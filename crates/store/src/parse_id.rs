//! Parsing record ids. Separate from `record_id`, because errors name ids and parsing returns errors.

use std::str::FromStr;

use crate::{RecordId, StoreError};

impl FromStr for RecordId {
    type Err = StoreError;

    /// Parses the output of [`Display`](std::fmt::Display).
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let hexadecimal = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = if hexadecimal { u64::from_str_radix(text, 16).ok() } else { None };
        value.and_then(Self::new).ok_or_else(|| StoreError::InvalidId { found: text.into() })
    }
}

impl TryFrom<String> for RecordId {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_and_parse_back() {
        let id = RecordId::derive("chairs/red.glb", "abc", 0);
        assert_eq!(id, RecordId::derive("chairs/red.glb", "abc", 0));
        assert_eq!(id.to_string().parse::<RecordId>().unwrap(), id);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
        // Written down once: an id that changed with a release would break ids that people saved.
        assert_eq!(id.to_string(), "47fa10d69366f9a9");
    }

    #[test]
    fn ids_differ_where_any_part_differs() {
        let base = RecordId::derive("a", "bc", 0);
        for other in [("ab", "c", 0), ("a", "bd", 0), ("a", "bc", 1), ("", "abc", 0)] {
            assert_ne!(base, RecordId::derive(other.0, other.1, other.2), "{other:?}");
        }
    }

    #[test]
    fn invalid_ids_are_rejected() {
        for text in ["", "12", "+123456789abcdef", "ffffffffffffffff", "g000000000000000"] {
            assert!(text.parse::<RecordId>().is_err(), "{text}");
        }
    }
}
