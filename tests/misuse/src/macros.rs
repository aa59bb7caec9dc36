// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the exported macros that expand to code about which the lint `unsafe_code` would warn. The
//! lint does not look into macros of other crates, so each of these macros must be sound by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Item};

/// The words that `forbid(unsafe_code)` keeps out of a module's own source.
const MARKS: [&str; 6] = [
    "unsafe",
    "no_mangle",
    "link_section",
    "export_name",
    "asm",
    "global_asm",
];

/// The exported macros of the ring-0 crates.
pub struct Macros {
    /// The macros by example, with what each expands to.
    rules: BTreeMap<String, Body>,
    /// The procedural macros, with whether the code that each writes is unsafe.
    code: BTreeMap<String, bool>,
}

impl Macros {
    /// Reads the macros from the sources below `kernel`, which has crates of both kinds.
    pub fn read(kernel: &Path) -> Result<Macros, String> {
        let mut macros = Macros {
            rules: BTreeMap::new(),
            code: BTreeMap::new(),
        };
        for folder in ["kernel/src", "pin-init/src"] {
            for file in rust_files(&kernel.join(folder))? {
                by_rules(&parse(&file)?.items, &mut macros.rules);
            }
        }
        for folder in ["macros/src", "pin-init/macros/src"] {
            macros.code.extend(by_code(&kernel.join(folder))?);
        }
        Ok(macros)
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.rules.keys().chain(self.code.keys()).cloned().collect()
    }

    /// Returns the names of the macros that expand to unsafe code, themselves or by another macro.
    pub fn with_unsafe(&self) -> BTreeSet<String> {
        let code = self.code.iter().filter(|(_, is_unsafe)| **is_unsafe);
        let mut found: BTreeSet<String> = code.map(|(name, _)| name.clone()).collect();
        loop {
            let more: Vec<String> = self
                .rules
                .iter()
                .filter(|(name, body)| {
                    !found.contains(*name)
                        && (body.words.iter().any(|w| MARKS.contains(&w.as_str()))
                            || body.called.iter().any(|name| found.contains(name)))
                })
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }
}

/// The words in a macro's expansion, and the macros that it calls.
#[derive(Default)]
struct Body {
    words: BTreeSet<String>,
    called: BTreeSet<String>,
}

impl Body {
    fn add(&mut self, tokens: TokenStream) {
        let mut last = None;
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    self.add(group.stream());
                    last = None;
                }
                TokenTree::Ident(word) => {
                    self.words.insert(word.to_string());
                    last = Some(word.to_string());
                }
                TokenTree::Punct(p) if p.as_char() == '!' => self.called.extend(last.take()),
                _ => last = None,
            }
        }
    }
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|a| a.path().is_ident(name))
}

fn by_rules(items: &[Item], rules: &mut BTreeMap<String, Body>) {
    for item in items {
        match item {
            Item::Mod(inner) => {
                by_rules(
                    inner.content.as_ref().map_or(&[], |(_, items)| items),
                    rules,
                );
            }
            Item::Macro(rule) if has(&rule.attrs, "macro_export") => {
                let Some(name) = &rule.ident else { continue };
                let body = rules.entry(name.to_string()).or_default();
                let mut arrow = false;
                for token in rule.mac.tokens.clone() {
                    match token {
                        // The part before the arrow is a pattern.
                        TokenTree::Group(group) if arrow => body.add(group.stream()),
                        TokenTree::Punct(p) => arrow = p.as_char() == '>',
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns the procedural macros of a crate. A macro consists of what its function names: files of
/// its crate, with `quote!`, and the functions of `trusted`, whose code lints are meant to see.
fn by_code(folder: &Path) -> Result<BTreeMap<String, bool>, String> {
    let mut files = BTreeMap::new();
    for path in rust_files(folder)? {
        let tokens: TokenStream = read(&path)?
            .parse()
            .map_err(|e| format!("{}: {e}", path.display()))?;
        let mut body = Body::default();
        body.add(tokens.clone());
        let mut quoted = Body::default();
        add_quoted(tokens, &mut quoted);
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        files.insert(stem, (body.words, quoted.words));
    }
    let mut found = BTreeMap::new();
    for item in parse(&folder.join("lib.rs"))?.items {
        let Item::Fn(function) = item else { continue };
        if !["proc_macro", "proc_macro_attribute", "proc_macro_derive"]
            .iter()
            .any(|a| has(&function.attrs, a))
        {
            continue;
        }
        let mut body = Body::default();
        body.add(quote::ToTokens::to_token_stream(&function.block));
        let mut to_see: Vec<String> = body.words.into_iter().collect();
        let mut seen = BTreeSet::new();
        let mut is_unsafe = false;
        while let Some(stem) = to_see.pop() {
            let Some((words, quoted)) = files.get(&stem).filter(|_| stem != "lib") else {
                continue;
            };
            if !seen.insert(stem) {
                continue;
            }
            is_unsafe |= quoted.iter().any(|w| MARKS.contains(&w.as_str()));
            is_unsafe |= ["unsafe_block", "unsafe_impl"]
                .iter()
                .any(|w| words.contains(*w));
            to_see.extend(words.iter().cloned());
        }
        // A derive macro has another name than its function, which is `derive_NAME`.
        found.insert(function.sig.ident.to_string(), is_unsafe);
    }
    Ok(found)
}

fn add_quoted(tokens: TokenStream, body: &mut Body) {
    let mut quote = 0;
    for token in tokens {
        quote = match token {
            TokenTree::Ident(word) if word.to_string().contains("quote") => 1,
            TokenTree::Punct(p) if p.as_char() == '!' && quote == 1 => 2,
            TokenTree::Group(group) => {
                match quote {
                    2 => body.add(group.stream()),
                    _ => add_quoted(group.stream(), body),
                }
                0
            }
            _ => 0,
        };
    }
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))
}

fn parse(file: &Path) -> Result<syn::File, String> {
    syn::parse_file(&read(file)?).map_err(|e| format!("{}: {e}", file.display()))
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_end_in_unsafe() {
        let file = syn::parse_file(
            r#"
            #[macro_export] macro_rules! pattern { (unsafe) => { 1 } }
            #[macro_export] macro_rules! direct { () => { 1 }; ($e:expr) => { { unsafe { f() } } } }
            #[macro_export] macro_rules! through { () => { $crate::direct!(1) } }
            macro_rules! private { () => { unsafe { f() } } }
            #[macro_export] macro_rules! comment { () => { /* unsafe */ "unsafe" } }
            "#,
        )
        .expect("Rust");
        let mut rules = BTreeMap::new();
        by_rules(&file.items, &mut rules);
        let marked: Vec<_> = rules
            .iter()
            .filter(|(_, b)| b.words.contains("unsafe"))
            .map(|(n, _)| n.as_str())
            .collect();
        assert_eq!(marked, ["direct"]);
        assert!(rules["through"].called.contains("direct"));
        assert!(!rules.contains_key("private"));
    }

    #[test]
    fn ours() {
        let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernel");
        let macros = Macros::read(&kernel).expect("readable");
        let found = macros.with_unsafe();
        for name in [
            "module",
            "new_mutex",
            "static_lock_class",
            "impl_list_item",
            "pin_init",
            "try_init",
            "pin_data",
            "derive_zeroable",
        ] {
            assert!(found.contains(name), "{name} is not among {found:?}");
        }
        for name in ["static_assert", "fmt", "vtable", "pr_info"] {
            assert!(!found.contains(name), "{name} is among {found:?}");
            assert!(macros.names().contains(name), "{name}");
        }
    }
}
