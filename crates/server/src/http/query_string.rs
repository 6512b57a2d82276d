//! Query strings of URLs.

use percent_encoding::percent_decode_str;

/// Names and values of a query string, as forms write it.
pub(super) fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings_are_decoded() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            pairs(Some("text=a+red%20chair&not=&x")),
            [pair("text", "a red chair"), pair("not", ""), pair("x", "")]
        );
        assert_eq!(pairs(Some("a=%26%3D%2B&b=%ff")), [pair("a", "&=+"), pair("b", "\u{fffd}")]);
        assert!(pairs(None).is_empty());
    }
}
