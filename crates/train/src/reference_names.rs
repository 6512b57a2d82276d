//! Options and configuration keys of the papers' own code, and what they are called here. docs/migrate.md has the same table.

use std::sync::OnceLock;

/// An option, configuration key or script of a paper's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceName {
    /// The paper: `duoduo`, `ulip`, `cg3d` or `openshape`.
    pub paper: &'static str,
    /// Its name there, such as `trainer.devices` or `--npoints`.
    pub name: &'static str,
    /// What to use here, as Markdown.
    pub ours: &'static str,
}

impl ReferenceName {
    /// A sentence for error messages.
    pub fn hint(&self) -> String {
        let paper = match self.paper {
            "duoduo" => "Duoduo CLIP",
            "ulip" => "ULIP",
            "cg3d" => "CG3D",
            _ => "OpenShape",
        };
        format!("{paper}'s `{}` is here: {} (docs/migrate.md)", self.name, self.ours)
    }
}

/// All names, in the order of docs/migrate.md.
pub fn reference_names() -> &'static [ReferenceName] {
    static NAMES: OnceLock<Vec<ReferenceName>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let row = |line: &'static str| {
            let mut columns = line.split('\t');
            let [paper, name, ours] = [columns.next()?, columns.next()?, columns.next()?];
            Some(ReferenceName { paper, name, ours })
        };
        include_str!("reference_names.tsv").lines().filter_map(row).collect()
    })
}

/// The name that an unknown argument or key has in a paper's code: `--npoints=1024`, `trainer.devices=4`, `+train_seed=1` or
/// the last part of a dotted key, `layers_threshold`.
///
/// ```
/// use lexiform_train::find_reference_name;
///
/// let found = find_reference_name("trainer.devices=4").expect("a key of Duoduo CLIP");
/// assert!(found.ours.contains("--devices"));
/// assert!(find_reference_name("--no-such-option").is_none());
/// ```
pub fn find_reference_name(argument: &str) -> Option<&'static ReferenceName> {
    let written = argument.split('=').next().unwrap_or(argument);
    let written = written.rsplit(['/', '\\']).next().unwrap_or(written);
    let plain = |name: &str| name.trim_start_matches(['-', '+', '~']).replace('-', "_");
    let wanted = plain(written);
    let names = reference_names();
    let is_option = written.starts_with("--");
    let same = |name: &&ReferenceName| plain(name.name) == wanted;
    // An option is rather one of argparse, a key one of hydra.
    let best = names.iter().filter(same).min_by_key(|name| name.name.starts_with("--") != is_option);
    let suffix = format!(".{wanted}");
    // Single words such as `name` mean something else in every file.
    best.or_else(|| names.iter().find(|name| wanted.contains('_') && name.name.ends_with(&suffix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        let check = |argument: &str, name: Option<&str>| {
            assert_eq!(find_reference_name(argument).map(|found| found.name), name, "{argument}");
        };
        check("trainer.devices=4", Some("trainer.devices"));
        check("+trainer.devices=4", Some("trainer.devices"));
        check("--output_dir", Some("--output-dir"));
        check("--npoints=1024", Some("--npoints"));
        check("num_views", Some("data.train.metadata.num_views"));
        check("lr", Some("--lr"));
        check("preprocess/combine_four_h5.py", Some("combine_four_h5.py"));
        check("devices", None);
        check("", None);
        check("--", None);
        check("network.layers", None);
    }

    #[test]
    fn every_row_has_three_columns_and_its_own_name() {
        let lines = include_str!("reference_names.tsv").lines().count();
        assert_eq!(reference_names().len(), lines);
        let mut names: Vec<_> = reference_names().iter().map(|row| (row.paper, row.name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), lines);
    }
}
