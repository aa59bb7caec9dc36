// SPDX-License-Identifier: MIT OR Apache-2.0

//! Creates the folder of a contract.

use koru_error::{Error, Kind, Result};
use koru_judge::Seed;

use crate::{
    cli::ContractNewArgs,
    context::Context,
    judging::{folders, report::write_text},
    ui::{self, json},
};

/// The files of an empty lab, whose module is called `lab`.
const FILES: [(&str, &str); 4] = [
    (
        "contract.toml",
        include_str!("../../../templates/contract/contract.toml"),
    ),
    (
        "solution/Kbuild",
        include_str!("../../../templates/contract/Kbuild"),
    ),
    (
        "solution/lab.c",
        include_str!("../../../templates/contract/lab.c"),
    ),
    (
        "wrong/says-hello/Kbuild",
        include_str!("../../../templates/contract/Kbuild"),
    ),
];

pub fn new(context: &Context, args: &ContractNewArgs) -> Result<u8> {
    let folder = context.cwd.join(&args.folder);
    let attempted = format!("creating the contract {}", args.folder.display());
    if folder.exists() {
        return Err(
            Error::new(Kind::Usage, attempted, "this folder is there already")
                .help("choose another name"),
        );
    }
    let mut written = Vec::new();
    let mut write = |path: &str, text: &str| {
        written.push(args.folder.join(path).display().to_string());
        write_text(&folder.join(path), text)
    };
    match &args.from {
        Some(from) => write("contract.toml", &extending(context, from)?)?,
        None => {
            for (path, text) in FILES {
                write(path, text)?;
            }
            // The wrong module is the solution with one word less.
            let wrong = FILES[2].1.replace("hello from the lab", "the lab is empty");
            write("wrong/says-hello/lab.c", &wrong)?;
        }
    }
    if context.json {
        json(&serde_json::json!({ "written": written }));
    } else {
        let name = args.folder.display();
        ui::out(&format!(
            "created {name}/contract.toml\n\nNext: edit it, then `koru contract check {name}`; \
             docs/teach.md has all words"
        ));
    }
    Ok(0)
}

/// Returns a contract that extends another one and changes nothing yet.
fn extending(context: &Context, from: &str) -> Result<String> {
    let base = folders::contract(context, from, Seed::default())?;
    let folder = folders::contract_folder(context, from).unwrap_or_default();
    let path = match folder.starts_with(folders::shipped(context)) {
        true => base.name.clone(),
        false => folder.display().to_string(),
    };
    let names: Vec<String> = base
        .promises
        .iter()
        .map(|p| format!("{:?}", p.name))
        .collect();
    let mut text = format!(
        "# What differs from the contract {}.\nextends = {path:?}\n\n\
         # Promises to leave out; these are all.\n# without = [{}]\n\n\
         # The names that differ.\n[names]\n",
        base.name,
        names.join(", ")
    );
    for (name, value) in &base.names {
        text += &format!("# {name} = {value:?}\n");
    }
    text += "\n# What differs of a promise, or a promise of your own.\n\
             # [[promise]]\n# name = \"NAME\"\n# points = 5\n";
    Ok(text)
}
