//! `ui/src/bindings/api.ts` is what the engine's command table says. `cargo xtask bindings` (`BLESS=1`) writes it anew.

use std::path::Path;

#[test]
fn the_page_s_types_are_those_of_the_command_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/bindings/api.ts");
    let wanted = relayscope_engine::api::typescript();
    assert!(!wanted.trim().is_empty(), "the command table gives no types");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &wanted).expect("the bindings can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    // Not assert_eq!: two files of a thousand lines help nobody.
    let differs = wanted.lines().zip(committed.lines()).position(|(wanted, committed)| wanted != committed);
    assert!(
        wanted == committed,
        "{} is stale, first at line {}: run cargo xtask bindings",
        path.display(),
        differs.unwrap_or_else(|| wanted.lines().count().min(committed.lines().count())) + 1
    );
}
