//! `include/btwq.h` is what this package says: written with `BTWQ_WRITE_HEADER=1`, else compared.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

#[test]
fn header_is_fresh() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = here.join("../include/btwq.h");
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).unwrap();
    let bindings =
        cbindgen::Builder::new().with_crate(here).with_config(config).generate().unwrap();
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = for_c(&String::from_utf8(text).unwrap());
    if std::env::var_os("BTWQ_WRITE_HEADER").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "include/btwq.h is stale: run `make header` and commit it");
}

/// What cbindgen can not be told: no sections that only rustdoc wants, negative numbers in
/// parentheses, magic numbers as a debugger is asked to show them, no empty lines in a row.
fn for_c(text: &str) -> String {
    let mut out = String::new();
    for line in text.replace(" *\n * # Safety\n * As said above.\n", "").lines() {
        if line.is_empty() && out.ends_with("\n\n") {
            continue;
        }
        out.push_str(&constant_for_c(line).unwrap_or_else(|| line.to_string()));
        out.push('\n');
    }
    out
}

/// A `#define` of a number that is to be shown in another way.
fn constant_for_c(line: &str) -> Option<String> {
    let (name, value) = line.strip_prefix("#define ")?.split_once(' ')?;
    let value: i64 = value.parse().ok()?;
    match value {
        ..0 => Some(format!("#define {name} ({value})")),
        _ if name.ends_with("_MAGIC") => Some(format!("#define {name} {value:#x}")),
        _ => None,
    }
}
