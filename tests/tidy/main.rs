//! Keeps what must stay true of the sources and no compiler sees: the invariants of the architecture (README, “Code
//! map”). Every rule carries a sample that breaks it, so that none of them can go blind unnoticed.

#![allow(clippy::expect_used)]

mod rules;
mod source;

use rules::RULES;
use source::{Source, sources};

#[test]
fn the_sources_keep_every_rule() {
    let sources = sources();
    assert!(sources.len() > 100, "the sources were not found");
    let mut broken = Vec::new();
    for rule in RULES {
        for source in &sources {
            broken.extend((rule.check)(source).into_iter().map(|at| format!("{at}\n    {}", rule.why)));
        }
    }
    assert!(broken.is_empty(), "{} places:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn every_rule_can_fail() {
    for rule in RULES {
        let (path, text) = rule.broken_by;
        let found = (rule.check)(&Source::new(path, text));
        assert!(!found.is_empty(), "not found by “{}”: {text:?} in {path}", rule.why);
    }
}

#[test]
fn every_rule_lets_the_right_thing_pass() {
    for rule in RULES {
        let (path, text) = rule.kept_by;
        let found = (rule.check)(&Source::new(path, text));
        assert!(found.is_empty(), "“{}”: {found:?}", rule.why);
    }
}

#[test]
fn tests_inside_a_product_file_are_no_product_code() {
    let text = "//! X.\nfn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { x.unwrap() }\n}\nfn c() {}\n";
    let source = Source::new("src-tauri/engine/src/x.rs", text);
    let product: Vec<usize> = source.product().map(|line| line.number).collect();
    assert_eq!(product, [2, 7]);
}

#[test]
fn comments_are_no_code_and_addresses_are_no_comments() {
    let source = Source::new("src-tauri/engine/src/x.rs", "//! X.\nlet a = \"https://b\"; // .unwrap()\n/// c\n");
    let code: Vec<&str> = source.code().map(|line| line.text).collect();
    assert_eq!(code, ["let a = \"https://b\"; "]);
}
