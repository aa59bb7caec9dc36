// SPDX-License-Identifier: MIT OR Apache-2.0

//! The symbols that a kernel and its modules have for other modules: `Module.symvers`.

use std::{fs, path::Path};

use crate::nearest;

/// A symbol that modules can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The module that has the symbol, such as `tun`, or `None` for the kernel itself.
    pub module: Option<String>,
    /// Whether only modules with a GPL-compatible licence can use it.
    pub gpl_only: bool,
    /// The namespace that a module has to import first.
    pub namespace: Option<String>,
}

/// What a build directory's `Module.symvers` says.
#[derive(Debug, Default)]
pub struct Symvers(String);

impl Symvers {
    /// Reads the file of a build directory. A tree without it exports nothing that is known.
    pub fn read(build_dir: &Path) -> Symvers {
        Symvers(fs::read_to_string(build_dir.join("Module.symvers")).unwrap_or_default())
    }

    /// Returns whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns where a symbol is.
    pub fn export(&self, symbol: &str) -> Option<Export> {
        // A line is `CRC<tab>SYMBOL<tab>FILE<tab>EXPORT_SYMBOL[_GPL]<tab>NAMESPACE`.
        let line = self.lines().find(|fields| fields.get(1) == Some(&symbol))?;
        let field = |n: usize| line.get(n).copied().unwrap_or_default();
        let module = field(2).rsplit('/').next().unwrap_or_default();
        Some(Export {
            module: (module != "vmlinux").then(|| module.to_owned()),
            gpl_only: field(3).ends_with("_GPL"),
            namespace: Some(field(4).to_owned()).filter(|n| !n.is_empty()),
        })
    }

    /// Returns symbols whose names are like this one.
    pub fn nearest(&self, symbol: &str) -> Vec<&str> {
        let mut near = nearest(symbol, self.lines().filter_map(|f| f.get(1).copied()));
        // Among so many names, some are a little like any other.
        near.retain(|name| strsim::normalized_damerau_levenshtein(symbol, name) > 0.7);
        near
    }

    fn lines(&self) -> impl Iterator<Item = Vec<&str>> {
        self.0.lines().map(|line| line.split('\t').collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0x1\tkfree\tvmlinux\tEXPORT_SYMBOL\t\n\
                        0x2\ttun_get_socket\tdrivers/net/tun\tEXPORT_SYMBOL_GPL\t\n\
                        0x3\tdma_buf_get\tvmlinux\tEXPORT_SYMBOL_GPL\tDMA_BUF\n";

    #[test]
    fn exports_say_where_they_are() {
        let symvers = Symvers(TEXT.to_owned());
        let kernel = symvers.export("kfree").unwrap();
        assert_eq!((kernel.module, kernel.gpl_only), (None, false));
        let module = symvers.export("tun_get_socket").unwrap();
        assert_eq!(module.module.as_deref(), Some("tun"));
        assert!(module.gpl_only);
        let namespace = symvers.export("dma_buf_get").unwrap().namespace;
        assert_eq!(namespace.as_deref(), Some("DMA_BUF"));
        assert_eq!(symvers.export("kfre"), None);
        assert_eq!(symvers.nearest("kfre"), ["kfree"]);
    }
}
