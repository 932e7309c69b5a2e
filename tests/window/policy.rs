//! What the page may not do, and that it never tries to: the content security policy and the window's permissions.

use crate::app::App;
use crate::desk::Desk;
use serde_json::{Value, json};

const PLACES: [&str; 9] =
    ["overview", "inspector", "brokers", "taps", "relays", "tokens", "queue", "bucket", "settings"];

#[test]
fn the_page_keeps_to_its_own_policy() {
    let desk = Desk::new();
    let app = App::open(&desk);
    app.script("window.seen = []; addEventListener('securitypolicyviolation', (e) => seen.push(`${e.violatedDirective} ${e.blockedURI}`)); done()");
    app.wait_for("welcome");
    for place in PLACES {
        app.click(&format!("nav-{place}"));
        app.wait_for_css("main h1", crate::wait::PATIENCE);
    }
    app.click("nav-relays");
    app.click("relay-new");
    assert_eq!(app.script("done(seen)"), json!([]));
    // What a violation before the script above would have left behind.
    assert_eq!(app.script("done(document.querySelectorAll('style, script:not([src])').length)"), json!(0));
    assert_ne!(app.script("done(document.styleSheets.length)"), json!(0));
}

#[test]
fn foreign_code_and_foreign_hosts_are_refused() {
    let desk = Desk::new();
    let app = App::open(&desk);
    let seen = app.script(
        r#"
        const out = { blocked: [] };
        addEventListener("securitypolicyviolation", (event) => out.blocked.push(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.inline = true";
        document.head.append(script);
        const style = document.createElement("style");
        style.textContent = "body { color: red }";
        document.head.append(style);
        out.inline = window.inline === true;
        try { out.eval = window.eval("1"); } catch (error) { out.eval = error.name; }
        const { invoke } = window.__TAURI_INTERNALS__;
        const outcome = (promise) => promise.then(() => "allowed", (error) => String(error));
        (async () => {
          out.fetch = await outcome(fetch("https://example.com"));
          out.emit = await outcome(invoke("plugin:event|emit", { event: "x", payload: null }));
          out.version = await outcome(invoke("plugin:app|version"));
          out.frozen = Object.isFrozen(Object.prototype);
          done(out);
        })();
        "#,
    );
    assert_eq!(seen["inline"], Value::Bool(false), "{seen}");
    assert_eq!(seen["eval"], json!("EvalError"), "{seen}");
    assert_ne!(seen["fetch"], json!("allowed"), "{seen}");
    for command in ["emit", "version"] {
        assert!(seen[command].as_str().is_some_and(|answer| answer.contains("not allowed")), "{seen}");
    }
    assert_eq!(seen["frozen"], Value::Bool(true), "{seen}");
    let blocked = seen["blocked"].to_string();
    for directive in ["script-src", "style-src", "connect-src"] {
        assert!(blocked.contains(directive), "{directive} in {seen}");
    }
}
