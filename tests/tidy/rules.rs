//! The rules. Each says why it stands, what breaks it and what keeps it; the samples are tests of the rule itself.

use crate::source::{Line, Source};

/// Something that must hold in every file.
pub(crate) struct Rule {
    /// What must hold, and why; shown where it does not.
    pub(crate) why: &'static str,
    /// The places that break it, one line each.
    pub(crate) check: fn(&Source) -> Vec<String>,
    /// A path and a text that break it.
    pub(crate) broken_by: (&'static str, &'static str),
    /// A path and a text that do not, though they come close.
    pub(crate) kept_by: (&'static str, &'static str),
}

pub(crate) const RULES: &[Rule] = &[
    Rule {
        why: "Tauri is named under src-tauri/src only: the engine runs without a window.",
        check: |source| {
            let named = |line: &Line<'_>| has_any(line.text, &["tauri::", "use tauri;", "tauri.workspace", "tauri ="]);
            let allowed = source.path.starts_with("src-tauri/src/") || source.path == "Cargo.toml";
            unless(allowed || source.path.starts_with("tests/tidy/"), || source.places(source.code().filter(named)))
        },
        broken_by: ("src-tauri/engine/src/lib.rs", "use tauri::State;"),
        kept_by: ("src-tauri/src/rpc.rs", "use tauri::State;"),
    },
    Rule {
        why: "@tauri-apps is imported in ui/src/backend/tauri.ts only: the page runs in a browser as well.",
        check: |source| {
            let allowed = !source.is_page() || source.path == "ui/src/backend/tauri.ts";
            unless(allowed, || source.places(source.code().filter(|line| line.text.contains("@tauri-apps"))))
        },
        broken_by: ("ui/src/state/app.svelte.ts", "import { invoke } from '@tauri-apps/api/core';"),
        kept_by: ("ui/src/backend/tauri.ts", "import { invoke } from '@tauri-apps/api/core';"),
    },
    Rule {
        why: "The domain neither awaits, nor reads a clock, nor does I/O: time and randomness come in as arguments.",
        check: |source| {
            const OUTSIDE: &[&str] = &[
                ".await",
                "async fn",
                "std::fs",
                "TcpStream",
                "UdpSocket",
                "std::env",
                "std::thread",
                "::now(",
                "tokio::",
                "rand::",
            ];
            let outside = |line: &Line<'_>| has_any(line.text, OUTSIDE);
            unless(!source.path.starts_with("src-tauri/domain/"), || source.places(source.product().filter(outside)))
        },
        broken_by: ("src-tauri/domain/src/relay.rs", "let now = SystemTime::now();"),
        kept_by: ("src-tauri/domain/src/relay.rs", "pub fn check(now: i64) {}"),
    },
    Rule {
        why: "Sockets to brokers are read in mqtt/link/ only; everybody else polls the link.",
        check: |source| {
            let inside = source.path.starts_with("src-tauri/engine/src/mqtt/");
            let link = source.path.starts_with("src-tauri/engine/src/mqtt/link/");
            let reads = |line: &Line<'_>| has_any(line.text, &["poll_read", ".read_buf(", ".read_exact("]);
            let codec = |line: &Line<'_>| has_any(line.text, &["rmqtt_codec"]);
            let mut found = unless(link || !inside, || source.places(source.product().filter(reads)));
            // The front reads a copy of what it forwards.
            let copy =
                matches!(source.path.strip_prefix("src-tauri/engine/src/front/"), Some("parser.rs" | "packet.rs"));
            found.extend(unless(link || copy || !source.path.starts_with("src-tauri/"), || {
                source.places(source.product().filter(codec))
            }));
            found
        },
        broken_by: ("src-tauri/engine/src/relay/uplink.rs", "use rmqtt_codec::v5;"),
        kept_by: ("src-tauri/engine/src/mqtt/link/up.rs", "let read = match poll_read_buf(stream, cx, room) {"),
    },
    Rule {
        why: "rumqttc is a second client for tests; product code has its own.",
        check: |source| {
            let names = |line: &Line<'_>| has_any(line.text, &["rumqttc"]);
            let product = source.is_rust() && source.path.starts_with("src-tauri/");
            unless(!product, || source.places(source.product().filter(names)))
        },
        broken_by: ("src-tauri/engine/src/mqtt/session.rs", "use rumqttc::EventLoop;"),
        kept_by: ("tests/engine/relay.rs", "use rumqttc::QoS;"),
    },
    Rule {
        why: "SQL stands under store/, queue/, broker/disk/, feed/history and platform/bucket only.",
        check: |source| {
            const SQL: &[&str] = &[
                "sqlx::query",
                "\"SELECT ",
                "\"INSERT ",
                "\"UPDATE ",
                "\"DELETE FROM ",
                "\"CREATE TABLE ",
                "\"PRAGMA ",
            ];
            const PLACES: &[&str] =
                &["store/", "store.", "queue/", "queue.", "broker/disk/", "feed/history", "platform/bucket"];
            let home = source.path.strip_prefix("src-tauri/engine/src/").unwrap_or_default();
            let allowed = !source.is_rust() || PLACES.iter().any(|place| home.starts_with(place));
            unless(allowed, || source.places(source.product().filter(|line| has_any(line.text, SQL))))
        },
        broken_by: ("src-tauri/engine/src/relay/worker.rs", "sqlx::query(\"SELECT 1\")"),
        kept_by: ("src-tauri/engine/src/store/relays.rs", "sqlx::query(\"SELECT 1\")"),
    },
    Rule {
        why: "Long-lived tasks belong to the supervisor or to a unit that joins them: nothing outlives its unit.",
        check: |source| {
            let home = source.path.strip_prefix("src-tauri/engine/src/").unwrap_or(&source.path);
            let allowed = !source.is_rust() || home.starts_with("supervisor") || home == "startup.rs";
            let spawns = |line: &Line<'_>| has_any(line.text, &["tokio::spawn(", "task::spawn(", "thread::spawn("]);
            unless(allowed, || source.places(source.product().filter(spawns)))
        },
        broken_by: ("src-tauri/engine/src/relay/worker.rs", "tokio::spawn(async {});"),
        kept_by: ("src-tauri/engine/src/relay/worker.rs", "self.parts.spawn(async {});"),
    },
    Rule {
        why: "Every channel is bounded: whoever is too slow is felt, not stored.",
        check: |source| {
            // rmqtt gives no other way into a session than its unbounded channel. This file alone may use it; it says how
            // it bounds what goes in, and `broker_load` proves it with live and with retained messages.
            let sessions = source.path == "src-tauri/engine/src/broker/sessions.rs";
            let rmqtt = |line: &Line<'_>| sessions && line.text.contains("unbounded_send(Message::");
            let unbounded = |line: &Line<'_>| has_any(line.text, &["unbounded", "mpsc::channel()"]) && !rmqtt(line);
            unless(!source.is_rust(), || source.places(source.product().filter(unbounded)))
        },
        broken_by: ("src-tauri/engine/src/feed/mod.rs", "let (a, b) = mpsc::unbounded_channel();"),
        kept_by: ("src-tauri/engine/src/feed/mod.rs", "let (a, b) = mpsc::channel(64); // not unbounded"),
    },
    Rule {
        why: "Product code does not panic and does not end the process: errors are values.",
        check: |source| {
            const ENDS: &[&str] = &[
                ".unwrap()",
                ".expect(\"",
                "panic!(",
                "process::exit",
                "todo!(",
                "unimplemented!(",
                "unreachable!(",
                "allow(clippy::unwrap",
                "allow(clippy::expect",
                "allow(clippy::panic",
            ];
            unless(!source.is_rust(), || source.places(source.product().filter(|line| has_any(line.text, ENDS))))
        },
        broken_by: ("src-tauri/engine/src/lib.rs", "let port = text.parse().unwrap();"),
        kept_by: ("src-tauri/engine/src/lib.rs", "#[cfg(test)]\nmod tests {\n    fn a() { b.unwrap(); }\n}"),
    },
    Rule {
        why: "A module begins with `//!`: what it owns, what it does not know, what always holds.",
        check: |source| {
            let allowed = !source.is_rust() || source.text.starts_with("//!");
            unless(allowed, || vec![source.path.clone()])
        },
        broken_by: ("src-tauri/engine/src/lib.rs", "pub mod api;"),
        kept_by: ("src-tauri/engine/src/lib.rs", "//! The engine.\npub mod api;"),
    },
    Rule {
        why: "A file has at most 400 lines of code, comments not counted: more is two files.",
        check: |source| {
            let count = source.code().count();
            unless(count <= 400, || vec![format!("{}: {count} lines of code", source.path)])
        },
        broken_by: ("src-tauri/engine/src/lib.rs", LONG),
        kept_by: ("src-tauri/engine/src/lib.rs", "//! Short.\n"),
    },
    Rule {
        why: "The page writes text, never markup: what a device sends is not to be trusted.",
        check: |source| {
            const MARKUP: &[&str] =
                &["{@html", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser"];
            unless(!source.is_page(), || source.places(source.product().filter(|line| has_any(line.text, MARKUP))))
        },
        broken_by: ("ui/src/views/inspector/Payload.svelte", "{@html payload}"),
        kept_by: ("ui/src/views/inspector/Payload.svelte", "{payload}"),
    },
    Rule {
        why: "The page keeps nothing and talks to nobody but the engine.",
        check: |source| {
            const WAYS: &[&str] = &[
                "localStorage",
                "sessionStorage",
                "indexedDB",
                "XMLHttpRequest",
                "new WebSocket",
                "window.fetch",
                " fetch(\"",
            ];
            unless(!source.is_page(), || source.places(source.product().filter(|line| has_any(line.text, WAYS))))
        },
        broken_by: ("ui/src/state/app.svelte.ts", "localStorage.setItem('theme', 'dark');"),
        kept_by: ("ui/src/state/app.svelte.ts", "await this.#fetch(from);"),
    },
    Rule {
        why: "A place is named by what it holds; these names hold anything.",
        check: |source| {
            let vague = |part: &str| matches!(part, "utils" | "util" | "helpers" | "helper" | "common" | "misc");
            let parts = source.path.split('/').map(|part| part.split('.').next().unwrap_or_default());
            unless(!parts.into_iter().any(vague), || vec![source.path.clone()])
        },
        broken_by: ("ui/src/utils/time.ts", ""),
        kept_by: ("ui/src/format/time.ts", ""),
    },
    Rule {
        why: "A type is named by what it is; these names say that nobody knew.",
        check: |source| {
            unless(!source.is_rust(), || source.places(source.product().filter(|line| vague_type(line.text))))
        },
        broken_by: ("src-tauri/engine/src/relay/mod.rs", "pub struct RelayManager {"),
        kept_by: ("src-tauri/engine/src/relay/mod.rs", "pub struct ManagerOfRelays(Service);"),
    },
    Rule {
        why: "Tests await an event; they sleep only in a function that is named for waiting (wait…, until…, pause, eventually).",
        check: |source| {
            let rust_test =
                source.is_rust() && source.path.starts_with("tests/") && !source.path.starts_with("tests/tidy/");
            unless(!rust_test, || source.places(sleeps_elsewhere(source)))
        },
        broken_by: ("tests/engine/broker.rs", "fn a_device_connects() {\n    sleep(SECOND);\n}"),
        kept_by: ("tests/engine/support/mod.rs", "async fn until(what: &str) {\n    sleep(SECOND).await;\n}"),
    },
];

/// More lines than a file may have.
const LONG: &str = concat!(include_str!("rules.rs"), include_str!("rules.rs"), include_str!("rules.rs"));

fn unless(allowed: bool, places: impl FnOnce() -> Vec<String>) -> Vec<String> {
    if allowed { Vec::new() } else { places() }
}

fn has_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Whether the line declares a type with a name that fits anything.
fn vague_type(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_').skip_while(|word| word.is_empty());
    let declares = words.by_ref().take(4).any(|word| matches!(word, "struct" | "enum" | "trait" | "type"));
    let name = words.next().unwrap_or_default();
    declares && ["Manager", "Service", "Helper", "Util", "Utils", "Processor"].iter().any(|end| name.ends_with(end))
}

/// Lines that sleep in a function whose name does not say so.
fn sleeps_elsewhere(source: &Source) -> impl Iterator<Item = Line<'_>> {
    let mut waits = false;
    source.code().filter(move |line| {
        if let Some((_, rest)) = line.text.split_once("fn ") {
            waits = ["wait", "until", "pause", "eventually"].iter().any(|name| rest.starts_with(name));
        }
        !waits && has_any(line.text, &["sleep(", "sleep_until("])
    })
}
