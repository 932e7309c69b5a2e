//! Relayscope as a test uses it: by what is on the page, named by `data-testid`. Every action waits for its element, so
//! that no test waits by the clock.

use crate::desk::{Desk, free_port};
use crate::driver::{Element, Session};
use crate::process::{Process, family, is_alive, kill_hard, name};
use crate::wait::{PATIENCE, until};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// The key, as WebDriver spells it.
const BACKSPACE: &str = "\u{e003}";

/// The open app.
pub(crate) struct App<'a> {
    session: Session,
    driver: Process,
    desk: &'a Desk,
}

/// The app under test: the one that cargo built for this test, or another one to measure.
pub(crate) fn binary() -> String {
    std::env::var("RELAYSCOPE_WINDOW_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_relayscope").to_owned())
}

/// Where pictures go.
pub(crate) fn pictures() -> PathBuf {
    let chosen = std::env::var_os("RELAYSCOPE_SCREENSHOTS").map(PathBuf::from);
    let folder = chosen.unwrap_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots"));
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

impl<'a> App<'a> {
    /// Opens the app and waits for its page.
    #[track_caller]
    pub(crate) fn open(desk: &'a Desk) -> Self {
        // "0" also stops the app's own choice: without the renderer, WebKitGTK takes no pictures of a still page.
        let app = Self::launch(desk, &[("WEBKIT_DISABLE_DMABUF_RENDERER", "0")]);
        app.wait_for("nav-overview");
        app
    }

    /// Opens the app and returns as soon as it has a window.
    #[track_caller]
    pub(crate) fn launch(desk: &'a Desk, environment: &[(&str, &str)]) -> Self {
        let port = free_port();
        let mut command = desk.command("WebKitWebDriver");
        command.args([format!("--port={port}"), "--host=127.0.0.1".to_owned()]);
        // The app's part of the agreement: it lets itself be driven.
        command.env("TAURI_WEBVIEW_AUTOMATION", "true").envs(environment.iter().copied());
        let driver = Process::start(&mut command);
        let url = format!("http://127.0.0.1:{port}");
        until(PATIENCE, "WebKitWebDriver answers", || Session::is_ready(&url).then_some(()));
        let args = ["--data-dir".to_owned(), desk.data_dir().display().to_string()];
        match Session::open(&url, &binary(), &args) {
            Ok(session) => Self { session, driver, desk },
            Err(error) => panic!("the app did not open: {error}\n{}", log(desk)),
        }
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Waits for something visible.
    #[track_caller]
    pub(crate) fn wait_for(&self, id: &str) -> Element<'_> {
        self.wait_for_css(&css(id), PATIENCE)
    }

    /// Waits for something visible that a selector finds.
    #[track_caller]
    pub(crate) fn wait_for_css(&self, css: &str, limit: Duration) -> Element<'_> {
        until(limit, css, || self.session.elements(css).ok()?.into_iter().find(Element::is_displayed))
    }

    /// Waits until nothing of that name is there.
    #[track_caller]
    pub(crate) fn wait_gone(&self, id: &str) {
        until(PATIENCE, &format!("{id} goes"), || self.session.elements(&css(id)).ok()?.is_empty().then_some(()));
    }

    /// Whether something of that name is visible now.
    pub(crate) fn shows(&self, id: &str) -> bool {
        self.session.elements(&css(id)).is_ok_and(|found| found.iter().any(Element::is_displayed))
    }

    /// Clicks it, once it can be clicked.
    #[track_caller]
    pub(crate) fn click(&self, id: &str) {
        until(PATIENCE, &format!("click on {id}"), || {
            // The page may replace an element between finding and clicking it; then it is found anew.
            let element = self.wait_for(id);
            if element.property("disabled") == Ok(Value::Bool(true)) {
                return None;
            }
            element.click().ok()
        });
    }

    /// Types a text in place of what is in a field.
    #[track_caller]
    pub(crate) fn fill(&self, id: &str, text: &str) {
        let field = self.wait_for(id);
        // Not Ctrl+A: the driver does not let go of Ctrl.
        self.script(&format!(
            "const field = document.querySelector(`{}`); field.focus(); field.select(); done()",
            css(id)
        ));
        let keys = if text.is_empty() { BACKSPACE } else { text };
        field.keys(keys).unwrap_or_else(|error| panic!("{id}: {error}"));
        until(PATIENCE, &format!("{id} holds {text:?}"), || (field.property("value") == Ok(text.into())).then_some(()));
    }

    /// Chooses the option of a select whose label contains `words`.
    #[track_caller]
    pub(crate) fn choose(&self, id: &str, words: &str) {
        until(PATIENCE, &format!("{words:?} in {id}"), || {
            let options = self.session.elements(&format!("{} option", css(id))).ok()?;
            let option = options.iter().find(|option| option.text().is_ok_and(|text| text.contains(words)))?;
            option.click().ok()
        });
    }

    /// Waits until the text of some such element contains `words`.
    #[track_caller]
    pub(crate) fn wait_text(&self, id: &str, words: &str) -> String {
        let mut seen = Vec::new();
        let end = std::time::Instant::now() + PATIENCE;
        until(PATIENCE + Duration::from_secs(1), id, || {
            let found = self.session.elements(&css(id)).ok()?;
            seen = found.iter().filter_map(|element| element.text().ok()).collect();
            assert!(std::time::Instant::now() < end, "{id}: no {words:?} in {seen:?}");
            seen.iter().find(|text| text.contains(words)).cloned()
        })
    }

    /// Clicks the one among such elements whose text contains `words`.
    #[track_caller]
    pub(crate) fn click_text(&self, id: &str, words: &str) {
        until(PATIENCE, &format!("{words:?} in {id}"), || {
            let found = self.session.elements(&css(id)).ok()?;
            let element = found.iter().find(|element| element.text().is_ok_and(|text| text.contains(words)))?;
            // The driver can't click on the row of a table; a person would click on its button.
            element.click().or_else(|_| element.first("button")?.click()).ok()
        });
    }

    /// Drags the pointer over something, between two parts of its width.
    #[track_caller]
    pub(crate) fn drag(&self, css: &str, from: f64, to: f64) {
        self.wait_for_css(css, PATIENCE);
        let place = self.script(&format!(
            "const {{ left, top, width, height }} = document.querySelector(`{css}`).getBoundingClientRect();
             done([left, top + height / 2, width])"
        ));
        let [left, middle, width] = [0, 1, 2].map(|at| place[at].as_f64().expect("a place"));
        let point = |share: f64| ((left + width * share) as i64, middle as i64);
        self.session.drag(point(from), point(to)).unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Runs a script; see [`Session::script`].
    #[track_caller]
    pub(crate) fn script(&self, script: &str) -> Value {
        self.session.script(script).unwrap_or_else(|error| panic!("{error} in {script}"))
    }

    /// The process of the app itself.
    #[track_caller]
    pub(crate) fn process(&self) -> u32 {
        until(PATIENCE, "the app's process", || {
            family(self.driver.id()).into_iter().find(|id| name(*id).starts_with("relayscope"))
        })
    }

    /// Ends the app as a crash or a power cut would.
    pub(crate) fn crash(self) {
        let process = self.process();
        kill_hard(process);
        until(PATIENCE, "the app is dead", || (!is_alive(process)).then_some(()));
    }

    /// Takes a picture of the page.
    #[track_caller]
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        let to = pictures().join(format!("{name}.png"));
        self.session.screenshot(&to).unwrap_or_else(|error| panic!("{name}: {error}"));
        to
    }
}

impl Drop for App<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
            let to = pictures().join(format!("failed-{test}.png"));
            let picture = self.session.screenshot(&to).map(|()| to);
            println!("the window when it failed: {picture:?}\n{}", log(self.desk));
        }
        let _ = self.session.close();
    }
}

fn css(id: &str) -> String {
    format!("[data-testid='{id}']")
}

/// The end of the app's log.
fn log(desk: &Desk) -> String {
    let files = std::fs::read_dir(desk.data_dir().join("logs")).into_iter().flatten().flatten();
    let text: String = files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
    let lines: Vec<&str> = text.lines().collect();
    format!("log:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"))
}
