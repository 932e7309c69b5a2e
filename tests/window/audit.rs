//! The window under axe, the accessibility checker: roles, names, landmarks, focus and contrast. Knows how to ask and what
//! was found; what to open before, its callers know.

use crate::app::App;
use crate::screenshots::pictures;
use std::cell::RefCell;
use std::path::Path;
use std::time::Instant;

/// The sets of rules: WCAG 2.2 at the levels A and AA, and what axe holds for good practice.
const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";

/// Collects what axe finds; says it all at the end, so that one run names everything.
pub(crate) struct Audit<'a> {
    app: &'a App<'a>,
    began: Instant,
    seen: RefCell<u32>,
    found: RefCell<Vec<String>>,
}

impl<'a> Audit<'a> {
    /// Gives axe to the page, past its content security policy, as WebDriver may.
    #[track_caller]
    pub(crate) fn begin(app: &'a App<'a>) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        app.script(&format!("{axe}\n;done()"));
        Self { app, began: Instant::now(), seen: RefCell::new(0), found: RefCell::default() }
    }

    /// Checks what the window shows now, in both themes; `what` names it.
    #[track_caller]
    pub(crate) fn check(&self, what: &str) {
        for theme in ["dark", "light"] {
            // Colours on their way from one theme to the other are neither's.
            let found = self.app.script(&format!(
                "document.documentElement.dataset.theme = '{theme}';
                 const ending = (one) => one.effect.getTiming().iterations !== Infinity;
                 document.getAnimations().filter(ending).forEach((one) => one.finish());
                 const line = (rule, node) => `${{rule.id}} at ${{node.target.join(' ')}}: ${{node.failureSummary}}
                    ${{node.html.slice(0, 200)}}`;
                 axe.run(document, {{ runOnly: {RULES}, resultTypes: ['violations'] }})
                   .then(({{ violations }}) => done(violations.flatMap((rule) => rule.nodes.map((node) => line(rule, node)))))
                   .catch((error) => done([`axe failed: ${{error}}`]))"
            ));
            let found = found.as_array().unwrap_or_else(|| panic!("{what}: {found}"));
            let lines = found.iter().map(|one| format!("{what}, {theme}: {}", one.as_str().unwrap_or_default()));
            self.found.borrow_mut().extend(lines);
        }
        *self.seen.borrow_mut() += 1;
        if std::env::var_os("RELAYSCOPE_SCREENSHOTS").is_some() {
            pictures(self.app, what);
        }
    }

    /// Fails with everything that was found.
    #[track_caller]
    pub(crate) fn end(self) {
        let (seen, found) = (self.seen.into_inner(), self.found.into_inner());
        println!("axe looked at {seen} states of the window in {:?}", self.began.elapsed());
        assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
    }
}
