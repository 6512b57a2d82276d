//! Source files of a crate: their lines, functions, comments, examples and imports.

use std::path::Path;

use anyhow::{Context as _, Result};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// One `.rs` file below a crate's `src/`.
pub(super) struct SourceFile {
    /// Path from the repository root.
    pub path: String,
    /// Module path in the crate; empty for `lib.rs` and `main.rs`.
    pub module: Vec<String>,
    /// Lines before the file's tests.
    pub own_lines: usize,
    /// Lines that are neither blank nor comments, before the tests.
    pub code_lines: usize,
    /// Lines with an inline comment (`//`, not documentation), before the tests.
    pub comments: usize,
    /// Compiled code blocks in documentation.
    pub examples: usize,
    /// Items that are `pub` without a restriction.
    pub public_items: usize,
    /// Lines and name of every function outside tests.
    pub functions: Vec<(usize, String)>,
    /// Paths that the file imports or names, from the first segment on, tests excluded.
    pub paths: Vec<Vec<String>>,
    /// Names re-exported by `pub use`, with their paths.
    pub reexports: Vec<(String, Vec<String>)>,
}

/// Names of the folders below `crates/`, sorted, and `xtask`.
pub(super) fn crates(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join("crates"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    names.push("xtask".to_owned());
    Ok(names)
}

/// Every source file of a crate, sorted by path.
pub(super) fn read_crate(root: &Path, name: &str) -> Result<Vec<SourceFile>> {
    let folder = if name == "xtask" { "xtask/src".to_owned() } else { format!("crates/{name}/src") };
    let mut paths = Vec::new();
    list(&root.join(&folder), &mut paths)?;
    paths.sort();
    paths.iter().map(|path| read(root, &folder, path)).collect()
}

fn list(folder: &Path, paths: &mut Vec<std::path::PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

fn read(root: &Path, folder: &str, path: &Path) -> Result<SourceFile> {
    let text = std::fs::read_to_string(path)?;
    let relative = path.strip_prefix(root.join(folder))?.with_extension("");
    let mut module: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    // `a/mod.rs` is module `a`; `lib.rs` and `main.rs` are the root.
    if module.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
        module.pop();
    }
    let tree = syn::parse_file(&text).with_context(|| format!("cannot parse {}", path.display()))?;
    let mut items = Items::default();
    items.visit_file(&tree);
    let own: Vec<&str> = text.lines().take_while(|line| *line != "#[cfg(test)]").collect();
    let path = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
    Ok(SourceFile {
        functions: items.functions.into_iter().map(|(n, name)| (n, format!("{path}: {name}"))).collect(),
        path,
        module,
        own_lines: own.len(),
        code_lines: own.iter().filter(|line| is_code(line)).count(),
        comments: own.iter().filter(|line| has_inline_comment(line)).count(),
        examples: doc_examples(&text),
        public_items: items.public,
        paths: items.paths,
        reexports: items.reexports,
    })
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

fn has_inline_comment(line: &str) -> bool {
    let line = line.trim_start();
    match line.find("//") {
        Some(0) => !line.starts_with("///") && !line.starts_with("//!"),
        // `https://` in a string is no comment.
        Some(at) => line[..at].ends_with(' ') && line[at..].starts_with("// "),
        None => false,
    }
}

/// Code blocks in `///` and `//!` that rustdoc compiles.
fn doc_examples(text: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for line in text.lines().map(str::trim_start) {
        let Some(line) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { continue };
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        if !inside && ["", "rust", "no_run", "should_panic"].contains(&language.trim()) {
            count += 1;
        }
        inside = !inside;
    }
    count
}

/// What a file's syntax tree holds, tests excluded.
#[derive(Default)]
struct Items {
    functions: Vec<(usize, String)>,
    public: usize,
    paths: Vec<Vec<String>>,
    reexports: Vec<(String, Vec<String>)>,
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        path.is_ident("test")
            || path.is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
    })
}

impl Items {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        // From the signature to the closing brace, without docs and attributes.
        let lines = block.span().end().line - signature.span().start().line + 1;
        self.functions.push((lines, signature.ident.to_string()));
    }

    fn use_tree(&mut self, prefix: &[String], tree: &syn::UseTree, public: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                let prefix = [prefix, &[path.ident.to_string()]].concat();
                self.use_tree(&prefix, &path.tree, public);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.use_tree(prefix, tree, public));
            }
            syn::UseTree::Name(name) => self.used(prefix, &name.ident, &name.ident, public),
            syn::UseTree::Rename(name) => self.used(prefix, &name.ident, &name.rename, public),
            syn::UseTree::Glob(_) => self.paths.push(prefix.to_vec()),
        }
    }

    fn used(&mut self, prefix: &[String], ident: &syn::Ident, name: &syn::Ident, public: bool) {
        let mut path = prefix.to_vec();
        if ident != "self" {
            path.push(ident.to_string());
        }
        // A re-export hands a name on; who imports it depends on where it comes from.
        if public {
            self.reexports.push((name.to_string(), path));
        } else {
            self.paths.push(path);
        }
    }
}

impl<'ast> Visit<'ast> for Items {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let (attributes, visibility) = match item {
            syn::Item::Const(item) => (&item.attrs, Some(&item.vis)),
            syn::Item::Enum(item) => (&item.attrs, Some(&item.vis)),
            syn::Item::Fn(item) => (&item.attrs, Some(&item.vis)),
            syn::Item::Impl(item) => (&item.attrs, None),
            syn::Item::Mod(item) => (&item.attrs, Some(&item.vis)),
            syn::Item::Static(item) => (&item.attrs, Some(&item.vis)),
            syn::Item::Struct(item) => (&item.attrs, Some(&item.vis)),
            syn::Item::Trait(item) => (&item.attrs, Some(&item.vis)),
            syn::Item::Type(item) => (&item.attrs, Some(&item.vis)),
            syn::Item::Use(item) => (&item.attrs, Some(&item.vis)),
            _ => return visit::visit_item(self, item),
        };
        if is_test(attributes) {
            return;
        }
        self.public += usize::from(matches!(visibility, Some(syn::Visibility::Public(_))));
        match item {
            syn::Item::Use(item) => {
                let public = !matches!(item.vis, syn::Visibility::Inherited);
                self.use_tree(&[], &item.tree, public);
            }
            syn::Item::Fn(item) => self.function(&item.sig, &item.block),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            self.public += usize::from(matches!(item.vis, syn::Visibility::Public(_)));
            self.function(&item.sig, &item.block);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // A single segment is a local name or an imported one, which `use` has recorded.
        if path.segments.len() > 1 {
            self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_examples_are_counted() {
        assert!(has_inline_comment("    let a = 1; // why"));
        assert!(has_inline_comment("// why"));
        assert!(!has_inline_comment("/// what"));
        assert!(!has_inline_comment("let url = \"https://example.com\";"));
        assert_eq!(doc_examples("/// ```\n/// let a = 1;\n/// ```\n//! ```text\n//! x\n//! ```\n"), 1);
    }

    #[test]
    fn items_leave_tests_out() {
        let text = "use super::a::{B, c as d};\npub use self::e::F;\nfn f() {\n crate::g::h();\n}\n#[cfg(test)]\nmod tests { use crate::i::J; fn k() {} }";
        let mut items = Items::default();
        items.visit_file(&syn::parse_file(text).unwrap());
        let paths: Vec<String> = items.paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["super::a::B", "super::a::c", "crate::g::h"]);
        assert_eq!(items.reexports, [("F".to_owned(), ["self", "e", "F"].map(str::to_owned).to_vec())]);
        assert_eq!(items.functions, [(3, "f".to_owned())]);
        assert_eq!(items.public, 1);
    }
}
