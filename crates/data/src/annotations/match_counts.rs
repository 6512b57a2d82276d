//! How many rows of an annotation table match shapes of a source.

/// How many rows of a user's table match a shape of the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatchCounts {
    /// Number of rows.
    pub rows: usize,
    /// Of these, rows that match a shape.
    pub matched: usize,
}

impl MatchCounts {
    /// A warning if there are rows and none matches a shape; `example` is the name of a shape.
    pub fn warning(self, example: Option<&str>) -> Option<String> {
        let names = example.map_or_else(String::new, |name| format!("; shapes have names such as {name:?}"));
        let rows = self.rows;
        (rows > 0 && self.matched == 0).then(|| format!("0 of {rows} rows of the table match a shape{names}"))
    }
}
