//! Events exported to a file, the file opened again with a broken line in it, and its messages replayed into the embedded
//! broker; a long export and a long reading that are cancelled.

use crate::app::App;
use crate::desk::Desk;
use crate::screenshots::pictures;
use crate::wait::{PATIENCE, until};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};

fn written(folder: &Path, ending: &str) -> PathBuf {
    let files = std::fs::read_dir(folder).expect("the folder").flatten().map(|file| file.path());
    files.filter(|path| path.extension().is_some_and(|found| found == ending)).last().expect("a file")
}

/// Chooses a file as a person does in the file chooser, which no driver can open.
fn choose(app: &App<'_>, text: &str) {
    app.script(&format!(
        "const bytes = Uint8Array.from(atob('{}'), (one) => one.charCodeAt(0));
         const held = new DataTransfer();
         held.items.add(new File([bytes], 'plant.ndjson'));
         const input = document.querySelector('[data-testid=recording-file]');
         input.files = held.files;
         input.dispatchEvent(new Event('change', {{ bubbles: true }}));
         done()",
        STANDARD.encode(text)
    ));
}

/// As [`choose`], a file of so many messages that the page makes itself.
fn choose_large(app: &App<'_>, messages: u32) {
    app.script(&format!(
        "const lines = [];
         for (let at = 0; at < {messages}; at++) {{
             const payload = `reading ${{at}}`;
             lines.push(JSON.stringify({{ at: '2026-11-21T14:03:00Z', kind: 'publish', topic: `plant/${{at % 50}}`, payload }}));
         }}
         const held = new DataTransfer();
         held.items.add(new File([lines.join('\\n')], 'large.ndjson'));
         const input = document.querySelector('[data-testid=recording-file]');
         input.files = held.files;
         input.dispatchEvent(new Event('change', {{ bubbles: true }}));
         done()"
    ));
}

/// Opens the dialog and names a folder in place of the one it offers.
#[track_caller]
fn ask_for_export(app: &App<'_>, folder: &Path) {
    app.click("export");
    until(PATIENCE, "the folder that is offered", || {
        let offered = app.wait_for("field-folder").property("value").ok()?;
        offered.as_str().is_some_and(|offered| !offered.is_empty()).then_some(())
    });
    app.fill("field-folder", &folder.display().to_string());
}

#[test]
fn events_are_exported_opened_again_and_replayed() {
    let desk = Desk::new();
    let app = App::open(&desk);
    app.click("try-it");
    app.wait_for_css("[data-testid='feed-row'][data-kind='publish']", PATIENCE);
    app.fill("feed-search", "kind:publish source:broker dir:in");
    app.wait_for_css("[data-testid='feed-row'][data-kind='publish']", PATIENCE);
    app.click("feed-pause");
    app.wait_text("feed-pause", "Resume");

    // A folder that can't be one is said; nothing else suffers.
    let folder = desk.path().join("exports");
    std::fs::write(&folder, "a file").expect("a file in the way");
    ask_for_export(&app, &folder);
    app.click("export-write");
    app.wait_text("export-failure", "No file can be written to the folder");
    std::fs::remove_file(&folder).expect("the way is free");
    pictures(&app, "export-dialog");
    app.click("export-pcapng");
    app.wait_text("export-about", "Wireshark");
    app.click("export-write");
    app.wait_gone("export-dialog");
    assert!(std::fs::metadata(written(&folder, "pcapng")).expect("a file").len() > 1_000);
    ask_for_export(&app, &folder);
    app.click("export-write");
    app.wait_gone("export-dialog");
    let mut text = std::fs::read_to_string(written(&folder, "ndjson")).expect("the events");
    let events = text.lines().count();
    text.push_str("nonsense\n");

    choose(&app, &text);
    app.wait_text("recording", "plant.ndjson");
    let told = if events == 1 { "1 event".to_owned() } else { format!("{events} events") };
    app.wait_text("recording-events", &told);
    app.wait_text("recording-broken", "1 broken line");
    app.wait_text("recording-close", "Back to the live feed");
    app.wait_for("feed-row");
    pictures(&app, "recording");

    app.click("recording-replay");
    app.wait_for("replay-dialog");
    app.choose("field-broker-id", "emo");
    app.click("replay-most");
    app.click("replay-ask");
    app.wait_text("replay-question", "Publish ");
    pictures(&app, "replay-dialog");
    app.click("replay-start");
    app.wait_gone("replay-dialog");
    app.wait_text("replay-words", "Done: ");
    pictures(&app, "replay");
    app.click("recording-close");
    app.wait_gone("recording");
    app.click("feed-pause");
    app.fill("feed-search", "source:session dir:out");
    app.wait_for_css("[data-testid='feed-row'][data-kind='downlink']", PATIENCE);
}

#[test]
fn what_takes_long_shows_how_far_it_is_and_is_cancelled() {
    let desk = Desk::new();
    let app = App::open(&desk);
    app.click("nav-inspector");
    app.wait_for("export");
    choose_large(&app, 400_000);
    app.wait_text("recording-reading", "% read");
    app.wait_text("recording-close", "Cancel");
    app.click("recording-close");
    app.wait_gone("recording");

    choose_large(&app, 150_000);
    app.wait_text("recording-events", "150,000 events");
    app.wait_gone("recording-reading");
    let folder = desk.path().join("exports");
    ask_for_export(&app, &folder);
    app.click("export-pcapng");
    app.click("export-write");
    app.wait_for("export-progress");
    app.click("export-cancel");
    app.wait_text("export-failure", "Cancelled. No file was left behind.");
    app.wait_gone("export-progress");
    assert_eq!(std::fs::read_dir(&folder).expect("the folder").count(), 0);
    // Everything else is as it was.
    app.click("export-cancel");
    app.wait_gone("export-dialog");
    app.wait_text("feed-row", "reading 149999");
    app.click("recording-close");
    app.wait_gone("recording");
    app.wait_for("feed-pause");
}
