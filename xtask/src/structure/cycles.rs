//! Modules of a crate that import each other in a cycle.
//!
//! A module is a file. It imports another where it names one of the other's items, directly or by a re-export that
//! leads there; `mod` declarations and re-exports themselves are no imports.

use std::collections::{BTreeMap, BTreeSet};

use super::source::SourceFile;

type Module = Vec<String>;

/// One line for each cycle: its modules and the imports that tie them.
pub(super) fn find(files: &[SourceFile]) -> Vec<String> {
    let crate_graph = Graph::new(files);
    crate_graph.components().into_iter().map(|cycle| crate_graph.describe(&cycle)).collect()
}

/// The modules of a crate and what each imports.
struct Graph {
    modules: Vec<Module>,
    /// For each module, those it imports and the names it takes.
    imports: Vec<BTreeMap<usize, BTreeSet<String>>>,
}

impl Graph {
    fn new(files: &[SourceFile]) -> Self {
        let names = Names::new(files);
        let modules: Vec<Module> = files.iter().map(|file| file.module.clone()).collect();
        let imports = files.iter().enumerate().map(|(from, file)| {
            let mut imports: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
            for path in &file.paths {
                let Some(to) = names.resolve(&file.module, path, 0) else { continue };
                if to != from {
                    imports.entry(to).or_default().extend(path.last().cloned());
                }
            }
            imports
        });
        Self { imports: imports.collect(), modules }
    }

    /// Strongly connected components of more than one module (Tarjan 1972).
    fn components(&self) -> Vec<Vec<usize>> {
        let mut search = Search {
            graph: self,
            index: vec![None; self.modules.len()],
            low: vec![0; self.modules.len()],
            stack: Vec::new(),
            found: Vec::new(),
            next: 0,
        };
        for module in 0..self.modules.len() {
            if search.index[module].is_none() {
                search.visit(module);
            }
        }
        search.found
    }

    fn describe(&self, cycle: &[usize]) -> String {
        let name = |at: usize| match self.modules[at].join("/") {
            root if root.is_empty() => "(root)".to_owned(),
            name => name,
        };
        let mut ties = Vec::new();
        for from in cycle {
            for (to, items) in self.imports[*from].iter().filter(|(to, _)| cycle.contains(to)) {
                let items: Vec<&str> = items.iter().map(String::as_str).take(4).collect();
                ties.push(format!("{} -> {} ({})", name(*from), name(*to), items.join(", ")));
            }
        }
        ties.join("; ")
    }
}

/// State of Tarjan's depth-first search.
struct Search<'g> {
    graph: &'g Graph,
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    stack: Vec<usize>,
    found: Vec<Vec<usize>>,
    next: usize,
}

impl Search<'_> {
    fn visit(&mut self, at: usize) {
        self.index[at] = Some(self.next);
        self.low[at] = self.next;
        self.next += 1;
        self.stack.push(at);
        for to in self.graph.imports[at].keys().copied() {
            match self.index[to] {
                None => {
                    self.visit(to);
                    self.low[at] = self.low[at].min(self.low[to]);
                }
                // Only modules on the stack can be in the same component.
                Some(index) if self.stack.contains(&to) => self.low[at] = self.low[at].min(index),
                Some(_) => {}
            }
        }
        if Some(self.low[at]) == self.index[at] {
            let start = self.stack.iter().rposition(|on| *on == at).unwrap_or(0);
            let mut component = self.stack.split_off(start);
            component.sort_unstable();
            if component.len() > 1 {
                self.found.push(component);
            }
        }
    }
}

/// Resolves paths to modules.
struct Names {
    modules: BTreeMap<Module, usize>,
    reexports: BTreeMap<(Module, String), Module>,
}

/// Longest chain of re-exports that is followed.
const LONGEST_CHAIN: usize = 8;

impl Names {
    fn new(files: &[SourceFile]) -> Self {
        let modules = files.iter().enumerate().map(|(at, file)| (file.module.clone(), at)).collect();
        let reexports = files.iter().flat_map(|file| {
            file.reexports.iter().map(|(name, path)| ((file.module.clone(), name.clone()), path.clone()))
        });
        Self { modules, reexports: reexports.collect() }
    }

    /// Index of the module that a path written in `from` leads to; `None` for other crates.
    fn resolve(&self, from: &Module, path: &[String], chain: usize) -> Option<usize> {
        let mut at = from.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            // A path without such a start is ours only where it begins with a child module.
            first if self.modules.contains_key(&[&at[..], &[first.to_owned()]].concat()) => {}
            _ => return None,
        }
        // Follow child modules as deep as the path goes; the rest names an item.
        while let [first, tail @ ..] = rest {
            let child = [&at[..], std::slice::from_ref(first)].concat();
            if !self.modules.contains_key(&child) {
                break;
            }
            (at, rest) = (child, tail);
        }
        if let Some(name) = rest.first()
            && chain < LONGEST_CHAIN
            && let Some(path) = self.reexports.get(&(at.clone(), name.clone()))
            && let Some(module) = self.resolve(&at, path, chain + 1)
        {
            return Some(module);
        }
        self.modules.get(&at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(module: &[&str], paths: &[&str], reexports: &[(&str, &str)]) -> SourceFile {
        let split = |path: &str| path.split("::").map(str::to_owned).collect::<Vec<_>>();
        SourceFile {
            path: module.join("/"),
            module: module.iter().map(|part| (*part).to_owned()).collect(),
            own_lines: 0,
            code_lines: 0,
            comments: 0,
            examples: 0,
            public_items: 0,
            functions: Vec::new(),
            paths: paths.iter().map(|path| split(path)).collect(),
            reexports: reexports.iter().map(|(name, path)| ((*name).to_owned(), split(path))).collect(),
        }
    }

    #[test]
    fn finds_a_cycle_through_a_reexport() {
        let files = [
            file(&[], &[], &[("A", "a::A")]),
            file(&["a"], &["super::b::B"], &[]),
            file(&["b"], &["crate::A"], &[]),
        ];
        assert_eq!(find(&files), ["a -> b (B); b -> a (A)"]);
    }

    #[test]
    fn a_facade_is_no_cycle() {
        let files = [
            file(&[], &[], &[("A", "a::A"), ("B", "b::B")]),
            file(&["a"], &["crate::B", "std::fmt"], &[]),
            file(&["b"], &[], &[]),
        ];
        assert!(find(&files).is_empty());
    }

    #[test]
    fn a_parent_that_calls_a_child_which_uses_the_parent_is_a_cycle() {
        let files = [file(&[], &["child::run"], &[]), file(&["child"], &["super::Config"], &[])];
        assert_eq!(find(&files).len(), 1);
    }
}
