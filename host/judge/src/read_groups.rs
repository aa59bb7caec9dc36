// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads the groups of promises, and finds what a promise needs.

use std::ops::Range;

use koru_error::{Error, Result};
use koru_kernels::nearest;

use crate::{
    contract::{Group, Promise},
    fields::Fields,
};

/// The names of promises or groups, each with the error if there is none of this name.
pub type NeedsDraft = Vec<(String, Error)>;

/// A group while the texts are read.
pub struct GroupDraft {
    pub name: String,
    title: Option<String>,
    text: Option<String>,
    needs: NeedsDraft,
    /// The error if no promise is in it.
    pub unused: Error,
}

/// Takes the names of what is needed.
pub fn needs(fields: &mut Fields) -> Result<Option<NeedsDraft>> {
    let text = fields.text;
    let error = |(need, span): (String, Range<usize>)| {
        let message = format!("no promise or group above has the name `{need}`");
        (need, text.error(&span, message))
    };
    let needs = fields.strings("needs")?;
    Ok(needs.map(|needs| needs.into_iter().map(error).collect()))
}

/// Reads a group, or what differs from the one of this name that is there.
pub fn group(mut fields: Fields, groups: &mut Vec<GroupDraft>) -> Result<String> {
    let no_name = fields
        .error("this group has no `name`")
        .help("give it a short name, such as name = \"reads\"; promises say group = \"reads\"");
    let name = fields.string("name")?.ok_or(no_name)?;
    let unused = fields
        .error(format!("no promise is in the group `{name}`"))
        .help(format!("a promise in it says group = \"{name}\""));
    let at = groups.iter().position(|g| g.name == name);
    let at = at.unwrap_or_else(|| {
        groups.push(GroupDraft {
            name: name.clone(),
            title: None,
            text: None,
            needs: Vec::new(),
            unused,
        });
        groups.len() - 1
    });
    let group = &mut groups[at];
    if let Some(title) = fields.string("title")? {
        group.title = Some(title);
    }
    if let Some(text) = fields.string("text")? {
        group.text = Some(text);
    }
    if let Some(needs) = needs(&mut fields)? {
        group.needs = needs;
    }
    fields.end("a group")?;
    Ok(name)
}

impl GroupDraft {
    /// Returns the group. What it needs stands above its first promise.
    pub fn group(self, above: &[Promise]) -> Result<Group> {
        Ok(Group {
            title: self.title.unwrap_or_else(|| self.name.clone()),
            name: self.name,
            text: self.text.unwrap_or_default(),
            needs: resolved(self.needs, above)?,
        })
    }
}

/// Returns the names of the promises that are needed: all those of a group, if one is named.
pub fn resolved(needs: NeedsDraft, above: &[Promise]) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for (need, error) in needs {
        let is_it = |p: &&Promise| p.name == need || p.group.as_ref() == Some(&need);
        let before = found.len();
        let names = above.iter().filter(is_it).map(|p| p.name.clone());
        found.extend(names);
        if found.len() == before {
            let groups = above.iter().filter_map(|p| p.group.as_deref());
            let known = above.iter().map(|p| p.name.as_str()).chain(groups);
            let near = nearest(&need, known);
            return Err(match &near[..] {
                [] => error,
                near => error.help(format!("did you mean {}?", near.join(" or "))),
            });
        }
    }
    Ok(found)
}
