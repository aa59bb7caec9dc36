//! How the project's source files begin.

use std::{fs, path::Path};

use koru_project::{none_wrong, shown, source_files};

/// What `koru new` writes belongs to its user, who decides how it begins.
fn is_template(file: &Path) -> bool {
    shown(file).starts_with("host/koru/templates/")
}

#[test]
fn every_rust_file_documents_itself() {
    let has_doc = |file: &Path| {
        let text = fs::read_to_string(file).expect("a source file");
        let before_code = text
            .lines()
            .take_while(|line| line.is_empty() || line.starts_with("//") || line.starts_with("#!"));
        before_code.into_iter().any(|line| line.starts_with("//! "))
    };
    let files = source_files("rs").into_iter();
    let wrong: Vec<String> = files
        .filter(|f| !is_template(f) && !has_doc(f))
        .map(|f| shown(&f))
        .collect();
    none_wrong("These have no module doc (`//!`) at the beginning:", &wrong);
}
