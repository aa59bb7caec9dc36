// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads a contract, and the contracts that it extends.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use koru_error::{Error, Kind, Result};
use toml::de::{DeTable, DeValue};

use crate::{
    contract::{Always, Contract, Group, Judged, Promise, Rule, Untried},
    fields::{Field, Fields, Text},
    names::{Names, Seed},
    read_groups::{GroupDraft, NeedsDraft, group, needs, resolved},
    read_step::{parameters, steps},
};

/// The name of a contract's file in its folder.
pub const CONTRACT_FILE: &str = "contract.toml";

/// How many contracts one may extend, one above the other.
const DEEPEST: usize = 8;

/// Returns whether a folder is a contract.
pub fn is_contract(folder: &Path) -> bool {
    folder.join(CONTRACT_FILE).is_file()
}

/// Reads the contract in a folder. The contracts that it may extend by name are in `shipped`, and
/// the seed chooses what differs between students.
///
/// # Errors
///
/// What is wrong with the text, by its line.
pub fn read(folder: &Path, shipped: &Path, seed: Seed) -> Result<Contract> {
    let texts = chain(folder, shipped)?;
    let mut names = Names::default();
    let mut places = BTreeMap::new();
    for (at, text) in texts.iter().enumerate() {
        read_names(text, seed, &mut names, &mut |name, span| {
            places.insert(name, (at, span));
        })?;
    }
    let mut draft = Draft::default();
    for text in &texts {
        let table = text.parse()?;
        let fields = Fields::new(text, &names, 0..0, table);
        draft.add(fields)?;
    }
    let contract = draft.contract(folder, &names, texts.last())?;
    let has_program = |p: &Promise| matches!(p.judged, Judged::Program { .. });
    // A program finds all names in its environment.
    if !contract.promises.iter().any(has_program) {
        for (name, (at, span)) in places {
            if !names.is_used(&name) {
                let others = names.keys().filter(|other| names.is_used(other));
                let message = format!("nothing in the contract says `${{{name}}}`");
                return Err(texts[at].unknown(&span, message, &name, others));
            }
        }
    }
    Ok(contract)
}

/// Returns the texts of a contract and of those that it extends, the one at the bottom first.
pub(crate) fn chain(folder: &Path, shipped: &Path) -> Result<Vec<Text>> {
    let mut texts = vec![text(folder)?];
    loop {
        let last = &texts[texts.len() - 1];
        let table = last.parse()?;
        let Some(extends) = field(&table, "extends") else {
            break;
        };
        let span = extends.span();
        let Some(base) = extends.get_ref().as_str() else {
            return Err(last.error(&span, "`extends` is the name or the folder of a contract"));
        };
        let here = last.path.parent().unwrap_or(Path::new("."));
        let base = match is_contract(&here.join(base)) {
            true => here.join(base),
            false => shipped.join(base),
        };
        if !is_contract(&base) {
            let known = contracts(shipped);
            let name = extends.get_ref().as_str().unwrap_or_default();
            let message = format!("there is no contract `{name}`");
            return Err(last.unknown(&span, message, name, known.iter().map(String::as_str)));
        }
        if texts.len() == DEEPEST {
            let message = format!("more than {DEEPEST} contracts extend each other");
            return Err(last.error(&span, message));
        }
        texts.push(text(&base)?);
    }
    texts.reverse();
    Ok(texts)
}

/// Returns the names of the contracts in a folder.
fn contracts(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let found = entries.filter(|e| is_contract(&e.path()));
    let mut names: Vec<String> = found
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn text(folder: &Path) -> Result<Text> {
    let path = folder.join(CONTRACT_FILE);
    let text = fs::read_to_string(&path).map_err(|e| {
        let attempted = format!("reading the contract {}", path.display());
        Error::new(Kind::Usage, attempted, e.to_string())
            .help("a contract is a folder with a contract.toml; `koru contract new` makes one")
    })?;
    Ok(Text { path, text })
}

fn field<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Option<&'a Field<'t>> {
    let mut all = table.iter();
    all.find(|(k, _)| &**k.get_ref() == key).map(|(_, v)| v)
}

/// Reads the table `names`: texts, numbers, lists of which the seed chooses one, and ranges
/// `{ from = 1, to = 9 }` of whole numbers.
fn read_names(
    text: &Text,
    seed: Seed,
    names: &mut Names,
    place: &mut dyn FnMut(String, Range<usize>),
) -> Result<()> {
    let table = text.parse()?;
    let Some(field) = field(&table, "names") else {
        return Ok(());
    };
    let none = Names::default();
    let outer = Fields::new(text, &none, field.span(), DeTable::new());
    let mut read: Vec<(String, String, Range<usize>)> = Vec::new();
    for (name, span, value) in outer.table_of("names", field.clone())?.rest() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(is_word) {
            return Err(text.error(&span, "a name has letters, digits, `_` and `-` only"));
        }
        let value = one_of(&outer, seed, &name, &value)?;
        read.push((name, value, span));
    }
    for (name, value, span) in read {
        place(name.clone(), span);
        names.set(name, value);
    }
    Ok(())
}

fn one_of(fields: &Fields, seed: Seed, name: &str, value: &Field) -> Result<String> {
    let wrong = || {
        let message = format!("the name `{name}` stands for a text, a number, or one of several");
        let help = "write \"/proc/timer\", 5, [\"a\", \"b\"] or { from = 3, to = 9 }";
        fields.text.error(&value.span(), message).help(help)
    };
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(_) => Ok(fields.integer_of(name, value)?.to_string()),
        DeValue::Array(items) if !items.is_empty() => {
            let at = seed.choose(name, items.len() as u64) as usize;
            let mut items = items.iter();
            one_of(fields, seed, name, items.nth(at).ok_or_else(wrong)?)
        }
        DeValue::Table(table) => {
            let bound = |key: &str| -> Result<i64> {
                fields.integer_of(key, field(table, key).ok_or_else(wrong)?)
            };
            let (from, to) = (bound("from")?, bound("to")?);
            let Some(count) = to.checked_sub(from).filter(|n| (0..i64::MAX).contains(n)) else {
                return Err(wrong());
            };
            let chosen = seed.choose(name, count as u64 + 1);
            Ok((from + chosen as i64).to_string())
        }
        _ => Err(wrong()),
    }
}

/// Takes the files or folders of helpers, which are inside the contract's folder.
fn helpers(fields: &mut Fields) -> Result<Option<Vec<PathBuf>>> {
    let Some(names) = fields.strings("helpers")? else {
        return Ok(None);
    };
    let folder = fields.text.path.parent().unwrap_or(Path::new("."));
    let helper = |(name, span): (String, Range<usize>)| {
        let path = folder.join(&name);
        if path.exists() {
            return Ok(path);
        }
        let message = format!("there is no helper {}", path.display());
        let help = "a helper is a folder with a Kbuild or a Cargo.toml, a .c or .rs file, or a .ko";
        Err(fields.text.error(&span, message).help(help))
    };
    names
        .into_iter()
        .map(helper)
        .collect::<Result<_>>()
        .map(Some)
}

/// Takes what a promise costs that is not tried.
fn untried(fields: &mut Fields) -> Result<Option<Untried>> {
    let Some((word, span)) = fields.strings("untried")?.and_then(|mut all| all.pop()) else {
        return Ok(None);
    };
    match &*word {
        "free" => Ok(Some(Untried::Free)),
        "lost" => Ok(Some(Untried::Lost)),
        _ => {
            let message = format!("`{word}` is nothing that `untried` can be");
            Err(fields.text.unknown(&span, message, &word, ["free", "lost"]))
        }
    }
}

/// A contract while its texts are read.
#[derive(Default)]
struct Draft {
    title: Option<String>,
    text: Option<String>,
    module: Option<String>,
    limit: Option<Duration>,
    untried: Option<Untried>,
    helpers: Option<Vec<PathBuf>>,
    usual: Option<Vec<String>>,
    groups: Vec<GroupDraft>,
    promises: Vec<PromiseDraft>,
    always: Always,
}

struct PromiseDraft {
    name: String,
    title: Option<String>,
    text: Option<String>,
    points: Option<f64>,
    secret: Option<bool>,
    needs: Option<NeedsDraft>,
    group: Option<(String, Error)>,
    judged: Option<Judged>,
    /// The error if something is missing in the end.
    incomplete: Error,
}

/// Puts what a later text says over what an earlier one said.
fn set<T>(over: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *over = value;
    }
}

impl Draft {
    /// Puts a text over those before.
    fn add(&mut self, mut fields: Fields) -> Result<()> {
        fields.take("extends");
        fields.take("names");
        set(&mut self.title, fields.string("title")?);
        set(&mut self.text, fields.string("text")?);
        set(&mut self.module, fields.string("module")?);
        set(&mut self.limit, fields.duration("limit")?);
        set(&mut self.untried, untried(&mut fields)?);
        set(&mut self.helpers, helpers(&mut fields)?);
        let usual = fields.strings("usual")?;
        let usual = usual.map(|all| all.into_iter().map(|(name, _)| name).collect());
        set(&mut self.usual, usual);
        for (name, span) in fields.strings("without")?.unwrap_or_default() {
            let before = self.promises.len();
            self.promises.retain(|p| p.name != name);
            if self.promises.len() == before {
                let known = self.promises.iter().map(|p| p.name.as_str());
                let message = format!("there is no promise `{name}` to leave out");
                return Err(fields.text.unknown(&span, message, &name, known));
            }
        }
        if let Some(mut always) = fields.table("always")? {
            self.rule(&mut always)?;
            always.end("[always]")?;
        }
        let mut seen = Vec::new();
        for table in fields.tables("group")?.unwrap_or_default() {
            let name = group(table, &mut self.groups)?;
            if seen.contains(&name) {
                return Err(fields.error(format!("two groups have the name `{name}`")));
            }
            seen.push(name);
        }
        // A promise names both kinds in `needs`.
        for promise in fields.tables("promise")?.unwrap_or_default() {
            let name = self.promise(promise)?;
            if seen.contains(&name) {
                let what = "two promises, or a promise and a group, have the name";
                return Err(fields.error(format!("{what} `{name}`")));
            }
            seen.push(name);
        }
        fields.end("a contract")
    }

    fn rule(&mut self, fields: &mut Fields) -> Result<()> {
        let read = |fields: &mut Fields, rule: &mut Rule| -> Result<()> {
            let Some(field) = fields.take(rule.name) else {
                return Ok(());
            };
            if let DeValue::Boolean(on) = field.get_ref() {
                rule.on = *on;
                return Ok(());
            }
            let mut table = fields.table_of(rule.name, field)?;
            rule.on = true;
            rule.points = table.points("points")?.unwrap_or(rule.points);
            if let Some(title) = table.string("title")? {
                rule.title = title;
            }
            table.end("a rule of [always]")
        };
        read(fields, &mut self.always.no_crash)?;
        read(fields, &mut self.always.no_report)?;
        read(fields, &mut self.always.nothing_left)
    }

    /// Reads a promise, or what differs from the one of this name that is there.
    fn promise(&mut self, mut fields: Fields) -> Result<String> {
        let missing = |what: &str| fields.error(format!("this promise has no `{what}`"));
        let no_name = missing("name").help("give it a short name, such as name = \"opens\"");
        let incomplete = missing("title").help(
            "a promise has a title, and steps or a check; one that changes an extended contract's \
             has the name of that one",
        );
        let name = fields.string("name")?.ok_or(no_name)?;
        let at = self.promises.iter().position(|p| p.name == name);
        let at = at.unwrap_or_else(|| {
            self.promises.push(PromiseDraft {
                name: name.clone(),
                title: None,
                text: None,
                points: None,
                secret: None,
                needs: None,
                group: None,
                judged: None,
                incomplete,
            });
            self.promises.len() - 1
        });
        let promise = &mut self.promises[at];
        set(&mut promise.title, fields.string("title")?);
        set(&mut promise.text, fields.string("text")?);
        set(&mut promise.points, fields.points("points")?);
        set(&mut promise.secret, fields.boolean("secret")?);
        set(&mut promise.needs, needs(&mut fields)?);
        if let Some((name, span)) = fields.strings("group")?.and_then(|mut all| all.pop()) {
            let message = format!("there is no group `{name}`");
            let known = self.groups.iter().map(|g| g.name.as_str());
            let error = fields.text.unknown(&span, message, &name, known);
            promise.group = Some((name, error));
        }
        let judged = steps(&mut fields)?.map(Judged::Steps);
        let check = fields.strings("check")?;
        let loaded = fields.take("load");
        if let Some((file, span)) = check.and_then(|mut files| files.pop()) {
            if judged.is_some() {
                return Err(fields.error("a promise has steps or a check, and not both"));
            }
            let folder = fields.text.path.parent().unwrap_or(Path::new("."));
            let path: PathBuf = folder.join(&file);
            if !path.is_file() {
                let message = format!("there is no file {}", path.display());
                return Err(fields.text.error(&span, message));
            }
            let parameters = loaded.map(|field| parameters(&fields, field)).transpose()?;
            promise.judged = Some(Judged::Program {
                file: path,
                parameters: parameters.unwrap_or_default(),
            });
        } else if let Some(field) = loaded {
            let message = "`load` beside `check` has the parameters of the module for the check";
            return Err(fields.text.error(&field.span(), message));
        }
        set(&mut promise.judged, judged);
        fields.end("a promise")?;
        Ok(name)
    }

    fn contract(self, folder: &Path, names: &Names, last: Option<&Text>) -> Result<Contract> {
        let error = |message: &str| match last {
            Some(text) => text.error(&(0..0), message),
            None => Error::new(Kind::Usage, "reading a contract", message),
        };
        if self.promises.is_empty() {
            let help = "a promise begins with [[promise]]; docs/teach.md has examples";
            return Err(error("the contract promises nothing").help(help));
        }
        let mut promises: Vec<Promise> = Vec::new();
        let mut groups = Vec::new();
        let mut unread = self.groups;
        for draft in self.promises {
            let (Some(title), Some(judged)) = (draft.title, draft.judged) else {
                return Err(draft.incomplete);
            };
            let own = resolved(draft.needs.unwrap_or_default(), &promises)?;
            let mut needs = Vec::new();
            let mut in_group = None;
            if let Some((name, error)) = draft.group {
                if let Some(at) = unread.iter().position(|g| g.name == name) {
                    groups.push(unread.remove(at).group(&promises)?);
                }
                let group: Option<&Group> = groups.iter().find(|g| g.name == name);
                needs.extend(group.ok_or(error)?.needs.clone());
                in_group = Some(name);
            }
            needs.extend(own);
            promises.push(Promise {
                name: draft.name,
                title,
                text: draft.text.unwrap_or_default(),
                points: draft.points.unwrap_or(1.0),
                secret: draft.secret.unwrap_or(false),
                group: in_group,
                needs,
                judged,
            });
        }
        if let Some(group) = unread.pop() {
            return Err(group.unused);
        }
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let name = real.file_name().unwrap_or_default().to_string_lossy();
        Ok(Contract {
            title: self.title.unwrap_or_else(|| name.clone().into_owned()),
            name: name.into_owned(),
            folder: folder.to_owned(),
            text: self.text.unwrap_or_default(),
            module: self.module,
            limit: self.limit.unwrap_or(Duration::from_secs(60)),
            names: names
                .values()
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect(),
            untried: self.untried.unwrap_or_default(),
            helpers: self.helpers.unwrap_or_default(),
            usual: self.usual.unwrap_or_default(),
            groups,
            promises,
            always: self.always,
        })
    }
}
