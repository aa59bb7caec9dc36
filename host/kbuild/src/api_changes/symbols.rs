// SPDX-License-Identifier: MIT OR Apache-2.0

//! Explains what modpost finds: symbols that are nowhere, and what a module has to say of
//! itself.

use std::fs;

use koru_error::{Edit, Hint, Place};
use koru_kernels::{KernelTree, Symvers};

use super::{
    c_source::{CSource, Replacement},
    change::{Change, Sign, Site, Version, When, v},
    rewrite::import_as_word,
    sources::Sources,
    table::changes,
};

/// What modpost says about one module.
#[derive(Debug, PartialEq, Eq)]
struct Complaint<'a> {
    module: &'a str,
    problem: Problem<'a>,
}

#[derive(Debug, PartialEq, Eq)]
enum Problem<'a> {
    Undefined(&'a str),
    GplOnly(&'a str),
    NoLicence,
    Namespace { symbol: &'a str, name: &'a str },
}

fn complaints(output: &str) -> Vec<Complaint<'_>> {
    let mut all = Vec::new();
    for line in output.lines() {
        let Some(complaint) = complaint(line) else {
            continue;
        };
        if !all.contains(&complaint) {
            all.push(complaint);
        }
    }
    all
}

fn complaint(line: &str) -> Option<Complaint<'_>> {
    let message = [
        "ERROR: modpost: ",
        "WARNING: modpost: ",
        "ERROR: ",
        "WARNING: ",
    ]
    .iter()
    .find_map(|start| line.strip_prefix(start))?;
    let of = |file: &str, problem| {
        let name = file.rsplit('/').next().unwrap_or(file).trim();
        let module = name.trim_end_matches(".ko").trim_end_matches(".o");
        // The name is part of the line.
        let at = line.find(module)?;
        Some(Complaint {
            module: &line[at..at + module.len()],
            problem,
        })
    };
    let undefined = message
        .strip_suffix("] undefined!")
        .and_then(|m| m.strip_prefix('"'));
    if let Some((symbol, file)) = undefined.and_then(|m| m.split_once("\" [")) {
        return of(file, Problem::Undefined(symbol));
    }
    if let Some(object) = message.strip_prefix("missing MODULE_LICENSE() in ") {
        return of(object, Problem::NoLicence);
    }
    if let Some((module, rest)) = message.split_once(" uses GPL-only symbol '") {
        let symbol = rest.split('\'').next()?;
        return of(module.rsplit(' ').next()?, Problem::GplOnly(symbol));
    }
    let (module, rest) = message.split_once(" uses symbol ")?;
    let (symbol, rest) = rest.split_once(" from namespace ")?;
    let (name, _) = rest.split_once(", but does not import it")?;
    let name = name.trim_matches('"');
    of(
        module.rsplit(' ').next()?,
        Problem::Namespace { symbol, name },
    )
}

/// Returns the symbols of which modpost says that they are nowhere.
pub(crate) fn undefined_symbols(output: &str) -> Vec<String> {
    let symbols = complaints(output)
        .into_iter()
        .filter_map(|c| match c.problem {
            Problem::Undefined(symbol) => Some(symbol.to_owned()),
            _ => None,
        });
    symbols.collect()
}

/// Returns explanations of modpost's errors about a module in C.
pub(super) fn explain(output: &str, sources: &mut Sources<'_>, tree: &KernelTree) -> Vec<Hint> {
    let symvers = Symvers::read(&tree.build_dir);
    let complaints = complaints(output);
    let mut hints: Vec<Hint> = Vec::new();
    for Complaint { module, problem } in &complaints {
        let hint = match problem {
            Problem::GplOnly(_) => {
                let gpl_only = complaints.iter().filter(|c| c.module == *module);
                let symbols = gpl_only.filter_map(|c| match c.problem {
                    Problem::GplOnly(symbol) => Some(symbol),
                    _ => None,
                });
                licence(&symbols.collect::<Vec<_>>(), module, sources)
            }
            Problem::Undefined(symbol) => undefined(symbol, module, sources, tree, &symvers),
            Problem::NoLicence => no_licence(module, sources),
            Problem::Namespace { symbol, name } => namespace(symbol, name, module, sources, tree),
        };
        // Several symbols may have the same explanation.
        if !hints.iter().any(|h| h.message == hint.message) {
            hints.push(hint);
        }
    }
    hints
}

/// Returns explanations of the symbols that a module's object needs and that the kernel does
/// not export.
pub(crate) fn explain_missing(output: &str, tree: &KernelTree) -> Vec<Hint> {
    let symvers = Symvers::read(&tree.build_dir);
    let mut hints: Vec<Hint> = Vec::new();
    let mut gpl_only = Vec::new();
    for complaint in complaints(output) {
        match complaint.problem {
            Problem::Undefined(symbol) => {
                hints.push(plain(whereabouts(symbol, tree, &symvers), None));
            }
            Problem::GplOnly(symbol) => gpl_only.push(symbol),
            Problem::NoLicence | Problem::Namespace { .. } => {}
        }
    }
    if !gpl_only.is_empty() {
        let mut hint = plain(for_gpl_only(&gpl_only), None);
        hint.example = Some("license: \"GPL\",".to_owned());
        hints.push(hint);
    }
    hints
}

/// Says that these symbols are for some modules only.
fn for_gpl_only(symbols: &[&str]) -> String {
    const NAMED: usize = 4;
    let named = symbols.iter().take(NAMED);
    let mut names = named
        .map(|s| format!("`{s}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match symbols.len().saturating_sub(NAMED) {
        0 => {}
        1 => names += " and another symbol",
        more => names += &format!(" and {more} other symbols"),
    }
    let is = if symbols.len() == 1 { "is" } else { "are" };
    format!("{names} {is} for modules with a GPL-compatible licence only")
}

/// Says where a symbol is that a module needs: in which module, for which licences, since when
/// no longer, or nowhere.
pub fn explain_symbol(symbol: &str, tree: &KernelTree) -> String {
    whereabouts(symbol, tree, &Symvers::read(&tree.build_dir))
}

fn whereabouts(symbol: &str, tree: &KernelTree, symvers: &Symvers) -> String {
    let changed = |change: &Change| match change.when {
        When::Since(since) => format!("since Linux {since}, {}", change.what),
        _ => change.what.to_owned(),
    };
    if let Some(change) = change_of(symbol, tree) {
        return changed(change);
    }
    if let Some(export) = symvers.export(symbol) {
        let licence = match export.gpl_only {
            true => ", for modules with a GPL-compatible licence only",
            false => "",
        };
        return match export.module {
            Some(module) => format!("`{symbol}` is in the module {module}.ko{licence}"),
            None => format!("`{symbol}` is in the kernel{licence}"),
        };
    }
    // A built module may need what is not even declared any more.
    let is_gone = |sign: &Sign| matches!(sign, Sign::Name(name) if *name == symbol);
    if let Some(change) = change_with(is_gone, tree) {
        return changed(change);
    }
    if let Some(header) = declaring(symbol, tree) {
        return format!(
            "modules cannot use `{symbol}`: <{header}> declares it, but the kernel does not export \
             it"
        );
    }
    let near = symvers.nearest(symbol);
    match near.is_empty() {
        true => format!("`{symbol}` is nowhere: neither the kernel nor a module of it has it"),
        false => format!(
            "`{symbol}` is nowhere: neither the kernel nor a module of it has it; did you mean \
             {}?",
            near.iter()
                .map(|n| format!("`{n}`"))
                .collect::<Vec<_>>()
                .join(" or ")
        ),
    }
}

fn change_of(symbol: &str, tree: &KernelTree) -> Option<&'static Change> {
    let is_meant = |sign: &Sign| matches!(sign, Sign::Symbol(name) if *name == symbol);
    change_with(is_meant, tree)
}

fn change_with(is_meant: impl Fn(&Sign) -> bool, tree: &KernelTree) -> Option<&'static Change> {
    let version = Version::of_release(&tree.release)?;
    changes().find(|change| change.when.is_on(version) && change.signs.iter().any(&is_meant))
}

/// Returns the header of the kernel that declares a symbol.
fn declaring(symbol: &str, tree: &KernelTree) -> Option<String> {
    // The headers of Debian's flavours have their common part beside them.
    let release = tree.build_dir.file_name()?.to_string_lossy().into_owned();
    let beside = fs::read_dir(tree.build_dir.parent()?)
        .into_iter()
        .flatten()
        .flatten();
    let common = beside.map(|e| e.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_suffix("common")
            .is_some_and(|start| release.starts_with(start))
    });
    let roots = common.chain([tree.build_dir.clone(), tree.build_dir.join("source")]);
    roots.into_iter().find_map(|root| {
        let include = root.join("include");
        ["linux", "linux/sched"].iter().find_map(|folder| {
            let files = fs::read_dir(include.join(folder))
                .into_iter()
                .flatten()
                .flatten();
            let mut paths: Vec<_> = files.map(|e| e.path()).filter(|p| p.is_file()).collect();
            paths.sort();
            let declares = |path: &std::path::PathBuf| {
                let text = fs::read_to_string(path).unwrap_or_default();
                if !text.contains(symbol) {
                    return false;
                }
                let source = CSource::new("", text);
                source.call(symbol, 0..source.len()).is_some_and(|call| {
                    source
                        .code(call.range.end..source.len())
                        .trim_start()
                        .starts_with(';')
                })
            };
            let found = paths.into_iter().find(declares)?;
            Some(format!("{folder}/{}", found.file_name()?.to_string_lossy()))
        })
    })
}

fn undefined(
    symbol: &str,
    module: &str,
    sources: &mut Sources<'_>,
    tree: &KernelTree,
    symvers: &Symvers,
) -> Hint {
    let place = place_of(symbol, module, sources);
    let defining = sources
        .all()
        .into_iter()
        .find(|s| s.function(symbol).is_some());
    if let Some(source) = defining {
        let object = source.file.replace(".c", ".o");
        let mut hint = plain(
            format!(
                "`{symbol}` is defined in {}, which is not part of the module: list it among its \
                 objects",
                source.file
            ),
            place,
        );
        hint.example = Some(format!(
            "NAME-y := main.o {object}\t# in the Kbuild or Makefile"
        ));
        return hint;
    }
    let mut hint = plain(whereabouts(symbol, tree, symvers), place);
    let example = change_of(symbol, tree).map(|change| change.example);
    hint.example = example.filter(|e| !e.is_empty()).map(str::to_owned);
    hint
}

fn plain(message: String, place: Option<Place>) -> Hint {
    Hint {
        message,
        place,
        edits: Vec::new(),
        example: None,
    }
}

/// Returns the first line of the sources that has this word.
fn place_of(word: &str, module: &str, sources: &mut Sources<'_>) -> Option<Place> {
    sources.of_module(module).into_iter().find_map(|source| {
        let at = source.words(word, 0..source.len()).into_iter().next()?;
        Some(place(source, source.line_of(at)))
    })
}

fn place(source: &CSource, line: usize) -> Place {
    Place {
        file: source.file.clone(),
        line,
        text: source.line_text(line).to_owned(),
    }
}

/// Explains that a module's licence keeps it from using symbols.
fn licence(symbols: &[&str], module: &str, sources: &mut Sources<'_>) -> Hint {
    let message = for_gpl_only(symbols);
    let found = sources.of_module(module).into_iter().find_map(|source| {
        let call = source.call("MODULE_LICENSE", 0..source.len())?;
        let line = source.line_of(call.range.start);
        let argument = call.arguments.into_iter().next()?;
        let edits = source.edits(vec![Replacement {
            range: argument,
            text: "\"GPL\"".into(),
        }]);
        Some((place(source, line), edits))
    });
    let (place, edits) = found.unzip();
    Hint {
        edits: edits.unwrap_or_default(),
        ..plain(message, place)
    }
}

/// Explains that a module has no licence. The line goes to the end of its file.
fn no_licence(module: &str, sources: &mut Sources<'_>) -> Hint {
    let file = format!("{module}.c");
    let edit = sources.get(&file).map(|source| Edit {
        file: file.clone(),
        line: source.line_of(source.len().saturating_sub(1)) + 1,
        old: Vec::new(),
        new: vec!["MODULE_LICENSE(\"GPL\");".into()],
    });
    let example = edit
        .is_none()
        .then(|| "MODULE_LICENSE(\"GPL\");".to_owned());
    Hint {
        message: format!(
            "the module {module} does not say its licence, which each module must do once"
        ),
        place: None,
        edits: edit.into_iter().collect(),
        example,
    }
}

/// Explains that a symbol is in a namespace that the module does not import.
fn namespace(
    symbol: &str,
    name: &str,
    module: &str,
    sources: &mut Sources<'_>,
    tree: &KernelTree,
) -> Hint {
    let is_text = Version::of_release(&tree.release).is_some_and(|version| version >= v(6, 13));
    // A text became part of the name, quotes and all.
    let quoted = sources.of_module(module).into_iter().find_map(|source| {
        let call = source.call("MODULE_IMPORT_NS", 0..source.len())?;
        let argument = call.arguments.into_iter().next()?;
        let is_quoted = source.text(argument).trim_matches('"') == name;
        let line = source.line_of(call.range.start);
        let site = Site { source, line };
        is_quoted.then(|| (place(source, line), source.edits(import_as_word(&site))))
    });
    if let (false, Some((place, edits))) = (is_text, quoted) {
        let message = "before Linux 6.13, the argument of `MODULE_IMPORT_NS` is a word without \
                       quotes";
        return Hint {
            edits,
            ..plain(message.to_owned(), Some(place))
        };
    }
    let argument = if is_text {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    };
    let place = place_of(symbol, module, sources);
    Hint {
        example: Some(format!("MODULE_IMPORT_NS({argument});")),
        ..plain(
            format!("`{symbol}` is in the namespace {name}, which the module has to import"),
            place,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modposts_messages_of_all_versions() {
        for (line, problem) in [
            (
                "ERROR: modpost: \"kallsyms_lookup_name\" [/src/a.ko] undefined!",
                Problem::Undefined("kallsyms_lookup_name"),
            ),
            (
                "ERROR: \"vfs_read\" [/src/a.ko] undefined!",
                Problem::Undefined("vfs_read"),
            ),
            (
                "ERROR: modpost: GPL-incompatible module a.ko uses GPL-only symbol 'kthread_stop'",
                Problem::GplOnly("kthread_stop"),
            ),
            (
                "ERROR: modpost: missing MODULE_LICENSE() in /src/a.o",
                Problem::NoLicence,
            ),
            (
                "ERROR: modpost: module a uses symbol dma_buf_get from namespace DMA_BUF, but \
                 does not import it.",
                Problem::Namespace {
                    symbol: "dma_buf_get",
                    name: "DMA_BUF",
                },
            ),
        ] {
            let module = "a";
            assert_eq!(
                complaint(line),
                Some(Complaint { module, problem }),
                "{line}"
            );
        }
        assert_eq!(complaint("make: *** [Makefile:2] Error 2"), None);
    }
}
