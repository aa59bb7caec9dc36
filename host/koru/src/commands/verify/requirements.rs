// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads requirements: the doc comments of a contract's conformance tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::nearest;
use syn::{Attribute, Expr, Item, Lit, Meta};

/// A conformance test, and the requirement that it checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The name of the test in the test binary.
    pub test: String,
    /// The requirement in plain words.
    pub text: String,
    /// Whether the test takes minutes (`#[ignore]`).
    pub slow: bool,
}

/// The conformance tests of a module.
pub struct Tests {
    pub name: String,
    /// The requirements, in the order of the source.
    pub requirements: Vec<Requirement>,
    /// The sources of these tests and of what all tests share.
    sources: String,
    /// The file with Koru's version of the contract.
    pub contract: PathBuf,
}

/// Returns the conformance tests of this name.
pub fn tests(root: &Path, name: &str) -> Result<Tests> {
    let dir = root.join("tests/conformance");
    let name = name.replace('-', "_");
    let path = dir.join(format!("{name}.rs"));
    let known = names(&dir)?;
    if !known.contains(&name) {
        let near = nearest(&name, known.iter().map(String::as_str));
        let help = match &near[..] {
            [] => format!("there are: {}", known.join(", ")),
            near => format!("did you mean {}?", near.join(" or ")),
        };
        return Err(Error::new(
            Kind::Usage,
            format!("looking for the conformance tests of `{name}`"),
            "there are none of this name",
        )
        .help(help));
    }
    let source = fs::read_to_string(&path).path_context("reading", &path)?;
    let file = syn::parse_file(&source).map_err(|e| {
        let attempted = format!("reading {}", path.display());
        Error::new(Kind::System, attempted, e.to_string())
    })?;
    let mut requirements = Vec::new();
    collect(&file.items, "", &mut requirements);
    let mut sources = source;
    for shared in files(&root.join("tests/src"))? {
        sources += &fs::read_to_string(&shared).path_context("reading", &shared)?;
    }
    Ok(Tests {
        requirements,
        sources,
        contract: dir.join(format!("{name}.toml")),
        name,
    })
}

impl Tests {
    /// Returns whether the tests contain a module's name, and so may load that module.
    pub fn name_module(&self, module: &str) -> bool {
        self.sources.contains(&format!("\"{module}\""))
    }
}

fn names(dir: &Path) -> Result<Vec<String>> {
    let name = |p: &PathBuf| Some(p.file_stem()?.to_string_lossy().into_owned());
    Ok(files(dir)?.iter().filter_map(name).collect())
}

/// Returns the Rust files of a folder.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).path_context("reading", dir)?;
    let paths = entries.flatten().map(|e| e.path());
    let mut files: Vec<PathBuf> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .collect();
    files.sort();
    Ok(files)
}

fn collect(items: &[Item], module: &str, requirements: &mut Vec<Requirement>) {
    for item in items {
        match item {
            Item::Fn(function) if has(&function.attrs, "test") => {
                let name = function.sig.ident.to_string();
                let docs = documentation(&function.attrs);
                requirements.push(Requirement {
                    text: if docs.is_empty() {
                        name.replace('_', " ")
                    } else {
                        docs
                    },
                    test: format!("{module}{name}"),
                    slow: has(&function.attrs, "ignore"),
                });
            }
            Item::Mod(inner) => {
                if let Some((_, items)) = &inner.content {
                    collect(items, &format!("{module}{}::", inner.ident), requirements);
                }
            }
            _ => {}
        }
    }
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|a| a.path().is_ident(name))
}

/// Returns a doc comment as running text.
fn documentation(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let words: Vec<&str> = lines.iter().flat_map(|l| l.split_whitespace()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doc_comments_are_promises() {
        let source = "
            /// Not a test.
            fn helper() {}
            /// One line
            /// and another.
            #[test]
            fn first() {}
            #[test]
            fn no_words_here() {}
            mod inner {
                /// Inside.
                #[test]
                #[ignore]
                fn third() {}
            }";
        let mut requirements = Vec::new();
        collect(
            &syn::parse_file(source).unwrap().items,
            "",
            &mut requirements,
        );
        let requirement = |test: &str, text: &str, slow| Requirement {
            test: test.into(),
            text: text.into(),
            slow,
        };
        assert_eq!(
            requirements,
            [
                requirement("first", "One line and another.", false),
                requirement("no_words_here", "no words here", false),
                requirement("inner::third", "Inside.", true),
            ]
        );
    }
}
