// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the names that a source file uses and defines.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, UseTree, Visibility};

/// A module's path inside its crate. The path of the crate's root is empty.
pub type ModulePath = Vec<String>;

/// A path as it is written, such as `crate`, `a`, `B`.
pub type Path = Vec<String>;

/// The names that a file uses and defines.
#[derive(Debug, Default)]
pub struct File {
    /// All paths in the file.
    pub paths: Vec<Path>,
    /// The names that the file's `use` items import, and where they come from.
    pub uses: BTreeMap<String, Path>,
    /// The paths from which the file imports everything (`use a::*`).
    pub globs: Vec<Path>,
    /// The names of the items that the file itself defines.
    pub defines: BTreeSet<String>,
    /// The names that the file re-exports.
    passed_on: BTreeSet<String>,
    /// All words of the file's code.
    words: BTreeSet<String>,
}

impl File {
    /// Reads the text of a source file.
    pub fn parse(text: &str) -> syn::Result<File> {
        let mut file = File::default();
        file.add_items(syn::parse_file(text)?.items);
        let used = file.passed_on.intersection(&file.words);
        let used = used.filter_map(|name| file.uses.get(name).cloned());
        file.paths.extend(used.collect::<Vec<_>>());
        Ok(file)
    }

    fn add_items(&mut self, items: Vec<Item>) {
        for item in items {
            if is_test(attributes(&item)) {
                continue;
            }
            match item {
                Item::Use(item) => {
                    let is_private = matches!(item.vis, Visibility::Inherited);
                    self.add_use(&mut Vec::new(), &item.tree, is_private);
                }
                // This module is inside of the same file.
                Item::Mod(module) => {
                    if let Some((_, items)) = module.content {
                        self.defines.insert(module.ident.to_string());
                        self.add_items(items);
                    }
                }
                item => {
                    self.defines.extend(name(&item));
                    self.add_paths(item.to_token_stream());
                }
            }
        }
    }

    fn add_use(&mut self, before: &mut Path, tree: &UseTree, is_private: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_use(before, &path.tree, is_private);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(before, tree, is_private);
                }
            }
            UseTree::Name(name) => {
                self.add_name(before, &name.ident.to_string(), None, is_private);
            }
            UseTree::Rename(rename) => {
                let new = rename.rename.to_string();
                self.add_name(before, &rename.ident.to_string(), Some(new), is_private);
            }
            UseTree::Glob(_) => {
                self.globs.push(before.clone());
                if is_private {
                    self.paths.push(before.clone());
                }
            }
        }
    }

    fn add_name(&mut self, before: &Path, name: &str, new: Option<String>, is_private: bool) {
        let mut path = before.clone();
        if name != "self" {
            path.push(name.to_owned());
        }
        let bound = new.or_else(|| path.last().cloned());
        if let Some(bound) = bound {
            if !is_private {
                self.passed_on.insert(bound.clone());
            }
            self.uses.insert(bound, path.clone());
        }
        if is_private {
            self.paths.push(path);
        }
    }

    /// Adds the paths in some code, including those in macros.
    fn add_paths(&mut self, code: TokenStream) {
        let mut path: Path = Vec::new();
        let mut colons = 0;
        for token in code {
            if let TokenTree::Ident(ident) = &token {
                self.words.insert(ident.to_string());
            }
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                _ => {}
            }
            self.end_path(&mut path);
            colons = 0;
            match token {
                TokenTree::Ident(ident) => path.push(ident.to_string()),
                TokenTree::Group(group) => self.add_paths(group.stream()),
                _ => {}
            }
        }
        self.end_path(&mut path);
    }

    fn end_path(&mut self, path: &mut Path) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.paths.push(path);
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.to_token_stream().to_string().contains("(test)"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Union(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(i) => i.ident.to_string(),
        Item::Enum(i) => i.ident.to_string(),
        Item::Fn(i) => i.sig.ident.to_string(),
        Item::Macro(i) => i.ident.as_ref()?.to_string(),
        Item::Static(i) => i.ident.to_string(),
        Item::Struct(i) => i.ident.to_string(),
        Item::Trait(i) => i.ident.to_string(),
        Item::Type(i) => i.ident.to_string(),
        Item::Union(i) => i.ident.to_string(),
        _ => return None,
    })
}
