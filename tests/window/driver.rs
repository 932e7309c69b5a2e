//! A blocking client of the part of WebDriver that the tests use. Knows elements and scripts, nothing of Relayscope.

use base64::Engine as _;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The key under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Reads a WebDriver answer: its value, or its error in words.
type Answer = Result<Value, String>;

/// An open window as the driver sees it.
pub(crate) struct Session {
    agent: ureq::Agent,
    url: String,
}

impl Session {
    /// Asks the driver at `url` to start `binary`. Bounded: a driver never answers for an app that dies at its start.
    pub(crate) fn open(url: &str, binary: &str, args: &[String]) -> Result<Self, String> {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(120)));
        let mut session = Self { agent: config.build().into(), url: url.to_owned() };
        let options = json!({ "binary": binary, "args": args });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": options } } });
        let answer = session.post("/session", &wanted)?;
        let id = answer["sessionId"].as_str().ok_or_else(|| format!("no session: {answer}"))?;
        session.url = format!("{url}/session/{id}");
        Ok(session)
    }

    /// Whether a driver answers at `url`.
    pub(crate) fn is_ready(url: &str) -> bool {
        ureq::get(format!("{url}/status")).call().is_ok()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        read(self.agent.post(format!("{}{path}", self.url)).send_json(body))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        read(self.agent.get(format!("{}{path}", self.url)).call())
    }

    /// The elements a CSS selector finds now, in the order of the page.
    pub(crate) fn elements(&self, css: &str) -> Result<Vec<Element<'_>>, String> {
        let found = self.post("/elements", &json!({ "using": "css selector", "value": css }))?;
        let ids = found.as_array().into_iter().flatten().filter_map(|element| element[ELEMENT].as_str());
        Ok(ids.map(|id| Element { session: self, id: id.to_owned() }).collect())
    }

    /// Runs a script in the page; it gives its result to `done`, and may throw.
    pub(crate) fn script(&self, script: &str) -> Answer {
        let script = format!("const done = arguments[arguments.length - 1];\n{script}");
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Drags the pointer over the page, from one point of the window to another.
    pub(crate) fn drag(&self, from: (i64, i64), to: (i64, i64)) -> Answer {
        let go = |(x, y): (i64, i64)| json!({ "type": "pointerMove", "duration": 50, "x": x, "y": y });
        let middle = ((from.0 + to.0) / 2, (from.1 + to.1) / 2);
        let [down, up] = ["pointerDown", "pointerUp"].map(|what| json!({ "type": what, "button": 0 }));
        let mouse = json!({
            "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" },
            "actions": [go(from), down, go(middle), go(to), up],
        });
        self.post("/actions", &json!({ "actions": [mouse] }))
    }

    /// Presses keys one after the other, and lets go of them from the last to the first.
    pub(crate) fn press(&self, keys: &[&str]) -> Answer {
        let down = keys.iter().map(|key| json!({ "type": "keyDown", "value": key }));
        let up = keys.iter().rev().map(|key| json!({ "type": "keyUp", "value": key }));
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": down.chain(up).collect::<Vec<_>>() });
        self.post("/actions", &json!({ "actions": [keyboard] }))
    }

    pub(crate) fn resize(&self, width: u32, height: u32) -> Answer {
        self.post("/window/rect", &json!({ "x": 0, "y": 0, "width": width, "height": height }))
    }

    pub(crate) fn screenshot(&self, to: &Path) -> Result<(), String> {
        let picture = self.get("/screenshot")?;
        let decoded = base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap_or_default());
        std::fs::write(to, decoded.map_err(|error| error.to_string())?)
            .map_err(|error| format!("{}: {error}", to.display()))
    }

    /// Closes the window, which ends the app.
    pub(crate) fn close(&self) -> Answer {
        read(self.agent.delete(&self.url).call())
    }
}

/// An element of the page; stale once the page has replaced it.
pub(crate) struct Element<'a> {
    session: &'a Session,
    id: String,
}

impl Element<'_> {
    /// The first element inside it that a CSS selector finds.
    pub(crate) fn first(&self, css: &str) -> Result<Self, String> {
        let found = self.post("element", &json!({ "using": "css selector", "value": css }))?;
        let id = found[ELEMENT].as_str().ok_or_else(|| format!("no {css}: {found}"))?;
        Ok(Self { session: self.session, id: id.to_owned() })
    }

    pub(crate) fn click(&self) -> Answer {
        self.post("click", &json!({}))
    }

    pub(crate) fn keys(&self, text: &str) -> Answer {
        self.post("value", &json!({ "text": text }))
    }

    /// What is to be read in it. (WebDriver's own way to ask gives nothing for text in some flex boxes.)
    pub(crate) fn text(&self) -> Result<String, String> {
        Ok(self.property("innerText")?.as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn property(&self, name: &str) -> Answer {
        self.get(&format!("property/{name}"))
    }

    pub(crate) fn is_displayed(&self) -> bool {
        self.get("displayed") == Ok(Value::Bool(true))
    }

    fn post(&self, action: &str, body: &Value) -> Answer {
        self.session.post(&format!("/element/{}/{action}", self.id), body)
    }

    fn get(&self, what: &str) -> Answer {
        self.session.get(&format!("/element/{}/{what}", self.id))
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = answer.map_err(|error| error.to_string())?;
    let mut body: Value =
        response.body_mut().with_config().limit(64 << 20).read_json().map_err(|error| error.to_string())?;
    match body["value"]["error"].as_str() {
        Some(error) => Err(format!("{error}: {}", body["value"]["message"].as_str().unwrap_or_default())),
        None => Ok(body["value"].take()),
    }
}
