//! What is promised: the doc comments of a module's conformance tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_build::{Error, Kind, Result, nearest};
use syn::{Attribute, Expr, Item, Lit, Meta};

/// One test, and the promise that it checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// As the test binary calls it.
    pub test: String,
    /// In plain words.
    pub text: String,
    /// `#[ignore]`: it takes minutes.
    pub slow: bool,
}

/// A module's conformance tests.
pub struct Tests {
    pub name: String,
    /// In the order of the source.
    pub promises: Vec<Promise>,
    pub source: String,
    /// Our text of the contract.
    pub contract: PathBuf,
}

/// The tests of this name.
pub fn tests(root: &Path, name: &str) -> Result<Tests> {
    let dir = root.join("tests/conformance");
    let name = name.replace('-', "_");
    let path = dir.join(format!("{name}.rs"));
    let known = names(&dir)?;
    if !known.contains(&name) {
        let near = nearest(&name, known.iter().map(String::as_str));
        let todo = match &near[..] {
            [] => format!("there are: {}", known.join(", ")),
            near => format!("did you mean {}?", near.join(" or ")),
        };
        return Err(Error::new(
            Kind::Usage,
            format!("looking for the conformance tests of `{name}`"),
            "there are none of this name",
        )
        .todo(todo));
    }
    let source = fs::read_to_string(&path).map_err(|e| Error::io("reading", &path, e))?;
    let file = syn::parse_file(&source).map_err(|e| {
        let attempted = format!("reading {}", path.display());
        Error::new(Kind::System, attempted, e.to_string())
    })?;
    let mut promises = Vec::new();
    collect(&file.items, "", &mut promises);
    Ok(Tests {
        promises,
        source,
        contract: dir.join(format!("{name}.toml")),
        name,
    })
}

fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(dir).map_err(|e| Error::io("reading", dir, e))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .filter_map(|p| Some(p.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn collect(items: &[Item], module: &str, promises: &mut Vec<Promise>) {
    for item in items {
        match item {
            Item::Fn(function) if has(&function.attrs, "test") => {
                let name = function.sig.ident.to_string();
                let docs = documentation(&function.attrs);
                promises.push(Promise {
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
                    collect(items, &format!("{module}{}::", inner.ident), promises);
                }
            }
            _ => {}
        }
    }
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|a| a.path().is_ident(name))
}

/// A doc comment as running text.
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
        let mut promises = Vec::new();
        collect(&syn::parse_file(source).unwrap().items, "", &mut promises);
        let promise = |test: &str, text: &str, slow| Promise {
            test: test.into(),
            text: text.into(),
            slow,
        };
        assert_eq!(
            promises,
            [
                promise("first", "One line and another.", false),
                promise("no_words_here", "no words here", false),
                promise("inner::third", "Inside.", true),
            ]
        );
    }
}
