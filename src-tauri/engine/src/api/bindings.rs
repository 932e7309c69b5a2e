//! Writes the page's TypeScript from the command table. Knows types only, no behaviour.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use ts_rs::{Config, TS, TypeVisitor};

/// A page's worth of declarations, collected command by command.
pub struct Page {
    config: Config,
    types: BTreeMap<String, String>,
    // A type may hold itself in a box or a list, which have no declaration of their own.
    seen: HashSet<TypeId>,
    commands: Vec<(String, String, String)>,
    frame: String,
}

impl Default for Page {
    fn default() -> Self {
        // Numbers of the engine stay below 2^53: milliseconds, bytes, counts.
        Self {
            config: Config::default().with_large_int("number"),
            types: BTreeMap::new(),
            seen: HashSet::new(),
            commands: vec![],
            frame: String::new(),
        }
    }
}

impl Page {
    /// Notes a command and every type it needs.
    pub fn command<Request: TS + 'static, Response: TS + 'static>(&mut self, name: &str) {
        self.add::<Request>();
        self.add::<Response>();
        self.commands.push((name.to_owned(), Request::name(&self.config), Response::name(&self.config)));
    }

    /// Notes a type that no command names.
    pub fn note<T: TS + 'static>(&mut self) {
        self.add::<T>();
    }

    /// Notes the type of what is pushed.
    pub fn frame<T: TS + 'static>(&mut self) {
        self.add::<T>();
        self.frame = T::name(&self.config);
    }

    fn add<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        T::visit_generics(self);
        if T::output_path().is_none() {
            T::visit_dependencies(self);
            return;
        }
        let name = T::ident(&self.config);
        if self.types.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        self.types.insert(name, format!("{docs}export {}", T::decl(&self.config)));
        T::visit_dependencies(self);
    }

    /// The whole file.
    pub fn finish(self) -> String {
        let mut out = String::from("// Written from Rust by `cargo xtask bindings`. Never edited.\n\n");
        for declaration in self.types.values() {
            out.push_str(declaration);
            out.push_str("\n\n");
        }
        out.push_str("/** Every command: what it takes and what it gives. */\nexport interface Commands {\n");
        for (name, request, response) in &self.commands {
            out.push_str(&format!("  \"{name}\": {{ request: {request}; response: {response} }};\n"));
        }
        out.push_str("}\n\n/** What `subscribe` pushes. */\n");
        out.push_str(&format!("export type Pushed = {};\n", self.frame));
        out
    }
}

impl TypeVisitor for Page {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        self.add::<T>();
    }
}
