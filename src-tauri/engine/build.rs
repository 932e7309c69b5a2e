//! New migration files count: the macro that embeds them does not notice them by itself.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
