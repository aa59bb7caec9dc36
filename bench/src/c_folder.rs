// SPDX-License-Identifier: MIT OR Apache-2.0

//! Measures how long users of a module in C wait, beside what make alone takes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{
    figures::Figures,
    koru::{Koru, output, seconds_to_line},
};

const EDIT: &str = "C: edit of a line to its first log line";
const MAKE: &str = "C: make alone after an edit";

/// A module in C, in a folder of its own.
struct Folder(PathBuf);

impl Folder {
    fn new(dir: PathBuf) -> Result<Folder> {
        fs::create_dir(&dir)?;
        fs::write(dir.join("Kbuild"), "obj-m := edited.o\n")?;
        Ok(Folder(dir))
    }

    /// Writes the module so that it says something new, which is returned.
    fn edit(&self, round: u32) -> Result<String> {
        let says = format!("edit number {round}!");
        let source = format!(
            "#include <linux/module.h>\n\
             static int __init edited_init(void)\n{{\n\tpr_info(\"{says}\\n\");\n\treturn 0;\n}}\n\
             static void __exit edited_exit(void) {{}}\n\
             module_init(edited_init);\nmodule_exit(edited_exit);\nMODULE_LICENSE(\"GPL\");\n"
        );
        fs::write(self.0.join("edited.c"), source)?;
        Ok(says)
    }
}

/// The folder that koru builds, and the one that make builds.
pub struct Folders {
    ours: Folder,
    makes: Folder,
    build_dir: PathBuf,
}

impl Folders {
    /// Makes both in `dir`, and builds them once.
    pub fn new(koru: &Koru, kernel: &str, dir: &Path) -> Result<Folders> {
        let folders = Folders {
            ours: Folder::new(dir.join("ours"))?,
            makes: Folder::new(dir.join("makes"))?,
            build_dir: koru.build_dir(kernel)?,
        };
        folders.measure(koru, kernel, 0, &mut Figures::default())?;
        Ok(folders)
    }

    /// Measures one round.
    pub fn measure(
        &self,
        koru: &Koru,
        kernel: &str,
        round: u32,
        figures: &mut Figures,
    ) -> Result<()> {
        let run = || {
            let mut command = koru.command(&["run", "--kernel", kernel]);
            command.current_dir(&self.ours.0);
            command
        };
        let says = self.ours.edit(round)?;
        let (first, _) = seconds_to_line(&mut run(), &says)?;
        self.makes.edit(round)?;
        let mut make = Command::new("make");
        make.arg("-s").arg("-C").arg(&self.build_dir);
        make.arg(format!("M={}", self.makes.0.display()));
        make.args(["CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"]);
        let (_, alone) = output(&mut make)?;
        let (_, unchanged) = output(&mut run())?;
        figures.add(EDIT, first);
        figures.add(MAKE, alone);
        figures.add("C: warm run of an unchanged folder", unchanged);
        figures.compare(EDIT, MAKE);
        Ok(())
    }
}
