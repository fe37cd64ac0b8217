// SPDX-License-Identifier: GPL-2.0-or-later
//! Saves inputs: the compressed file, and the series' counter beside it.

use crate::core::Series;
use bzip2::Compression;
use bzip2::write::BzEncoder;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use xml::{Element, write_indented};

/// Reads the number of the next input of every series; one that cannot be read begins with 0.
pub(crate) fn read_numbers(directory: &Path) -> BTreeMap<Series, u32> {
    let read = |series: Series| {
        let text = fs::read_to_string(directory.join(series.counter_file())).ok()?;
        Some((series, text.trim().parse().ok()?))
    };
    Series::ALL.into_iter().filter_map(read).collect()
}

/// Writes an input and the counter. A half-written file never has the name of a whole one.
pub(crate) fn save(
    directory: &Path,
    input: &Element,
    file: &str,
    counter_file: &str,
    next: u32,
) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o750).create(directory)?;
    let mut encoder = BzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(write_indented(input).as_bytes())?;
    replace(directory, file, &encoder.finish()?)?;
    replace(directory, counter_file, next.to_string().as_bytes())
}

fn replace(directory: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let temporary = directory.join(format!(".{name}.new"));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    drop(file);
    fs::rename(&temporary, directory.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_saved_can_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("var/pengine");
        assert_eq!(read_numbers(&directory), BTreeMap::new());
        let input = xml::parse("<cib epoch='1'><configuration/></cib>").unwrap();
        save(&directory, &input, "pe-warn-7.bz2", "pe-warn.last", 8).unwrap();
        assert_eq!(read_numbers(&directory), BTreeMap::from([(Series::Warn, 8)]));
        let packed = fs::read(directory.join("pe-warn-7.bz2")).unwrap();
        let mut text = String::new();
        bzip2::read::BzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(xml::parse(&text).unwrap(), input);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").unwrap();
        assert!(save(&blocked.join("pengine"), &Element::new("cib"), "a", "b", 1).is_err());
    }
}
