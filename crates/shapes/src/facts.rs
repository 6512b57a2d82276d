//! Everyday knowledge about categories: what people call them, what they are for, where they are, what they look like.

use std::sync::LazyLock;

/// The columns of the table; phrases in a column are separated by semicolons.
const COLUMNS: [&str; 6] = ["name", "synonyms", "kinds", "uses", "places", "descriptions"];
static TABLE: LazyLock<Vec<Facts>> = LazyLock::new(|| {
    let rows = include_str!("facts.tsv").lines().skip(1).filter_map(Facts::row);
    rows.collect()
});

/// What is known about a kind of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The name, as in captions.
    pub name: String,
    /// Other names.
    pub synonyms: Vec<String>,
    /// What it is a kind of, nearest first.
    pub kinds: Vec<String>,
    /// What it is for, and what it does.
    pub uses: Vec<String>,
    /// Where it is, and what it goes with.
    pub places: Vec<String>,
    /// What it looks like.
    pub descriptions: Vec<String>,
}

impl Facts {
    fn row(line: &str) -> Option<Self> {
        let mut columns = line.split('\t').map(|column| {
            let phrases = column.split(';').map(|phrase| phrase.trim().to_owned());
            phrases.filter(|phrase| !phrase.is_empty()).collect::<Vec<_>>()
        });
        let mut next = || columns.next();
        let name = next()?.into_iter().next()?;
        let [synonyms, kinds, uses, places, descriptions] = [next()?, next()?, next()?, next()?, next()?];
        Some(Self { name, synonyms, kinds, uses, places, descriptions })
    }

    /// Reads a table of tab-separated columns with a header.
    ///
    /// ```
    /// use lexiform_shapes::Facts;
    ///
    /// let table = "name\tsynonyms\tkinds\tuses\tplaces\tdescriptions\nanvil\t\ttool\tto forge on\ta smithy\theavy; iron\n";
    /// let facts = Facts::parse(table)?;
    /// assert_eq!(facts[0].phrases().collect::<Vec<_>>(), ["tool", "to forge on", "a smithy", "heavy", "iron"]);
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// Names the first line without the columns.
    pub fn parse(table: &str) -> Result<Vec<Self>, String> {
        let expected = COLUMNS.join(", ");
        let mut lines = table.lines();
        if lines.next().is_none_or(|header| header.split('\t').ne(COLUMNS)) {
            return Err(format!("expected a table with the columns {expected}, separated by tabs"));
        }
        let row = |(i, line)| {
            Self::row(line).ok_or_else(|| format!("line {}: expected the columns {expected}", i + 2))
        };
        lines.enumerate().filter(|(_, line)| !line.trim().is_empty()).map(row).collect()
    }

    /// All phrases except the name.
    pub fn phrases(&self) -> impl Iterator<Item = &str> {
        let Self { synonyms, kinds, uses, places, descriptions, .. } = self;
        [synonyms, kinds, uses, places, descriptions].into_iter().flatten().map(String::as_str)
    }
}

/// The table of this crate: one row for each category of generated shapes.
pub fn facts() -> &'static [Facts] {
    &TABLE
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::categories;

    #[test]
    fn all_categories_are_described() {
        let parsed = Facts::parse(include_str!("facts.tsv")).unwrap();
        assert_eq!(parsed, facts());
        let names: BTreeSet<&str> = facts().iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names.len(), facts().len(), "a name is described twice");
        for category in categories() {
            assert!(names.contains(category.name), "{} is not described", category.name);
        }
        for row in facts() {
            assert!(
                !row.kinds.is_empty() && !row.uses.is_empty() && !row.descriptions.is_empty(),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn other_tables_are_errors() {
        assert!(Facts::parse("label,kind\nchair,seat\n").unwrap_err().contains("separated by tabs"));
        let short = format!("{}\nchair\tseat\n", COLUMNS.join("\t"));
        assert!(Facts::parse(&short).unwrap_err().starts_with("line 2: "));
    }
}
