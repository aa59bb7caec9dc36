// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru dev kernels-table`: writes what the guest tests found on each kernel into
//! `docs/kernels.toml`, and from there into a part of `docs/kernels.md`.

mod page;
mod results;

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{cli::KernelsTableArgs, commands::dev::commit, context::Context, ui::out};
use results::{Results, TestedKernel, of_reports};

pub fn kernels_table(context: &Context, args: &KernelsTableArgs) -> Result<u8> {
    let place = Place::of(&context.home.root);
    let mut results = place.results()?;
    if !args.reports.is_empty() {
        let commit = match &args.commit {
            Some(commit) => commit.clone(),
            None => commit::current(context)?,
        };
        let paths = args.reports.iter().map(|path| context.cwd.join(path));
        let kernels = of_reports(&paths.collect::<Vec<_>>(), &commit)?;
        for TestedKernel { release, .. } in &kernels {
            out(&format!("new results of {release}"));
        }
        results.replace(kernels);
    }
    let (old, new) = place.page(&results)?;
    if args.check {
        return match old == new {
            true => Ok(0),
            false => Err(Error::new(
                Kind::System,
                format!("checking {}", place.page.display()),
                "its table is not what the results say",
            )
            .help("`koru dev kernels-table` writes the table")),
        };
    }
    fs::write(&place.results, results.text()?).path_context("writing", &place.results)?;
    fs::write(&place.page, new).path_context("writing", &place.page)?;
    Ok(0)
}

/// The files in a checkout.
struct Place {
    results: PathBuf,
    page: PathBuf,
    modules: PathBuf,
}

impl Place {
    fn of(root: &Path) -> Place {
        Place {
            results: root.join("docs/kernels.toml"),
            page: root.join("docs/kernels.md"),
            modules: root.join("modules"),
        }
    }

    fn results(&self) -> Result<Results> {
        let text = fs::read_to_string(&self.results).path_context("reading", &self.results)?;
        Results::parse(&text)
    }

    /// Returns the page as it is, and as it is to be.
    fn page(&self, results: &Results) -> Result<(String, String)> {
        let old = fs::read_to_string(&self.page).path_context("reading", &self.page)?;
        let folders = fs::read_dir(&self.modules).path_context("reading", &self.modules)?;
        let name = |e: fs::DirEntry| e.file_name().to_string_lossy().into_owned();
        let modules: Vec<String> = folders.flatten().map(name).collect();
        let new = page::with_table(&old, &page::table(results, &modules)).ok_or_else(|| {
            Error::new(
                Kind::System,
                format!("reading {}", self.page.display()),
                "it lacks the marks of the generated part",
            )
            .help(format!(
                "write them where the table belongs: `{}` and `{}`",
                page::BEGIN,
                page::END
            ))
        })?;
        Ok((old, new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_is_what_the_results_say() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let place = Place::of(&root);
        let results = place.results().expect("docs/kernels.toml");
        let (old, new) = place.page(&results).expect("docs/kernels.md");
        assert!(
            old == new,
            "the table of docs/kernels.md is generated: `koru dev kernels-table` writes it"
        );
        assert_eq!(
            results.text().expect("TOML"),
            fs::read_to_string(&place.results).expect("docs/kernels.toml"),
            "docs/kernels.toml is generated: `koru dev kernels-table REPORT...` writes it"
        );
    }
}
