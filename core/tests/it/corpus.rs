//! The committed corpora of the fuzz targets, through the same functions that the targets call.

use std::{fs, path::Path};

// A library of its own there, where `pub` is right; and a panic is how a fuzz target fails.
#[allow(unreachable_pub, clippy::expect_used, clippy::unwrap_used)]
#[path = "../../fuzz/src/lib.rs"]
mod doors;

// What is printed is captured by the test runner, so that a failure names its input.
#[allow(clippy::print_stdout, clippy::unwrap_used)]
fn each(target: &str, door: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        door(&fs::read(path).unwrap());
        files += 1;
    }
    assert!(files > 0, "the corpus of {target} is empty");
}

#[test]
fn uri() {
    each("uri", doors::uri);
}

#[test]
fn migration() {
    each("migration", doors::migration);
}

#[test]
fn vault_file() {
    each("vault_file", doors::vault_file);
}

#[test]
fn backup_text() {
    each("backup_text", doors::backup_text);
}

#[test]
fn picture() {
    each("picture", doors::picture);
}

#[test]
fn import_json() {
    each("import_json", doors::import_json);
}

#[test]
fn import_text() {
    each("import_text", doors::import_text);
}

#[test]
fn import_database() {
    each("import_database", doors::import_database);
}

#[test]
fn import_binary() {
    each("import_binary", doors::import_binary);
}
