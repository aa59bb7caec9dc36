// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads requirements: the doc comments of a contract's conformance tests.

use std::{
    collections::BTreeMap,
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
    let package = root.join("tests/conformance");
    let name = name.replace('-', "_");
    let known = test_files(&package.join("tests"))?;
    let Some(file) = known.get(&name) else {
        let near = nearest(&name, known.keys().map(String::as_str));
        let help = match &near[..] {
            [] => {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                format!("there are: {}", names.join(", "))
            }
            near => format!("did you mean {}?", near.join(" or ")),
        };
        return Err(Error::new(
            Kind::Usage,
            format!("looking for the conformance tests of `{name}`"),
            "there are none of this name",
        )
        .help(help));
    };
    let mut source = TestSource::default();
    source.read(file, file.parent().unwrap_or(&package), "")?;
    for shared in files(&root.join("tests/src"))? {
        source.text += &read(&shared)?;
    }
    Ok(Tests {
        requirements: source.requirements,
        sources: source.text,
        contract: package.join(format!("{name}.toml")),
        name,
    })
}

impl Tests {
    /// Returns whether the tests contain a module's name, and so may load that module.
    pub fn name_module(&self, module: &str) -> bool {
        self.sources.contains(&format!("\"{module}\""))
    }
}

/// Returns the test files that cargo finds in a folder, by their names: `NAME.rs`, or
/// `NAME/main.rs` with the files of its modules beside it.
fn test_files(dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let folders = entries(dir)?.into_iter().map(|path| path.join("main.rs"));
    let folders = folders.filter(|main| main.is_file());
    let name = |file: &Path| {
        let named = file.ends_with("main.rs").then(|| file.parent()).flatten();
        let stem = named.unwrap_or(file).file_stem()?;
        Some(stem.to_string_lossy().into_owned())
    };
    let all = files(dir)?.into_iter().chain(folders);
    Ok(all.filter_map(|file| Some((name(&file)?, file))).collect())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).path_context("reading", dir)?;
    Ok(entries.flatten().map(|e| e.path()).collect())
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).path_context("reading", file)
}

/// Returns the Rust files of a folder.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = entries(dir)?;
    files.retain(|file| file.extension().is_some_and(|e| e == "rs"));
    files.sort();
    Ok(files)
}

/// The source of a test binary.
#[derive(Default)]
struct TestSource {
    text: String,
    requirements: Vec<Requirement>,
}

impl TestSource {
    /// Reads a file, and the files of its modules, which are in `folder`.
    fn read(&mut self, file: &Path, folder: &Path, module: &str) -> Result<()> {
        let text = read(file)?;
        let parsed = syn::parse_file(&text).map_err(|e| {
            let attempted = format!("reading {}", file.display());
            Error::new(Kind::System, attempted, e.to_string())
        })?;
        self.text += &text;
        self.collect(&parsed.items, folder, module)
    }

    fn collect(&mut self, items: &[Item], folder: &Path, module: &str) -> Result<()> {
        for item in items {
            match item {
                Item::Fn(function) if has(&function.attrs, "test") => {
                    let name = function.sig.ident.to_string();
                    let docs = documentation(&function.attrs);
                    self.requirements.push(Requirement {
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
                    let name = inner.ident.to_string();
                    let folder_of_inner = folder.join(&name);
                    let module = format!("{module}{name}::");
                    match &inner.content {
                        Some((_, items)) => self.collect(items, &folder_of_inner, &module)?,
                        None => {
                            let file = folder.join(format!("{name}.rs"));
                            self.read(&file, &folder_of_inner, &module)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
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

    fn requirement(test: &str, text: &str, slow: bool) -> Requirement {
        Requirement {
            test: test.into(),
            text: text.into(),
            slow,
        }
    }

    #[test]
    fn doc_comment_is_the_requirement() {
        let text = "
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
        let mut source = TestSource::default();
        let items = syn::parse_file(text).unwrap().items;
        source.collect(&items, Path::new("/"), "").unwrap();
        assert_eq!(
            source.requirements,
            [
                requirement("first", "One line and another.", false),
                requirement("no_words_here", "no words here", false),
                requirement("inner::third", "Inside.", true),
            ]
        );
    }

    #[test]
    fn tests_of_a_folder_are_in_the_order_of_its_modules() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join("tests").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let test = |name: &str| format!("/// About {name}.\n#[test]\nfn {name}() {{}}\n");
        write("src/lib.rs", "");
        write("conformance/tests/plain.rs", &test("only"));
        write("conformance/tests/common/helpers.rs", "");
        let main = format!("mod reads;\n\nmod around;\n{}", test("last"));
        write("conformance/tests/large/main.rs", &main);
        write("conformance/tests/large/reads.rs", &test("first"));
        write("conformance/tests/large/around.rs", "mod deep;");
        write(
            "conformance/tests/large/around/deep.rs",
            "fn x() { \"beside\"; }\n#[test] fn second() {}",
        );

        let large = tests(root.path(), "large").unwrap();
        assert_eq!(
            large.requirements,
            [
                requirement("reads::first", "About first.", false),
                requirement("around::deep::second", "second", false),
                requirement("last", "About last.", false),
            ]
        );
        assert!(large.name_module("beside") && !large.name_module("first"));
        let expected = [requirement("only", "About only.", false)];
        assert_eq!(tests(root.path(), "plain").unwrap().requirements, expected);
        let error = tests(root.path(), "nothing").err().unwrap();
        assert_eq!(error.help.as_deref(), Some("there are: large, plain"));
    }
}
