//! Gives Tauri its inputs where this repository keeps them: capabilities and permissions under `src-tauri`, the page
//! in `ui/dist`. Leaves the top level of the repository as it found it.

use std::{error::Error, fs, path::Path};

/// Stands in for the page in a fresh clone, so that the crate always compiles.
const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Relayscope</title>\
    <p>The page is not built yet: <code>cargo xtask run</code> builds and opens it.</p>";

fn main() -> Result<(), Box<dyn Error>> {
    let page = Path::new("ui/dist/index.html");
    if !page.exists() {
        fs::create_dir_all("ui/dist")?;
        fs::write(page, NOT_BUILT)?;
    }
    // `generate_context!` alone does not notice a new page.
    for input in ["ui/dist", "icons", "src-tauri/capabilities", "src-tauri/permissions"] {
        println!("cargo:rerun-if-changed={input}");
    }
    let manifest = tauri_build::AppManifest::new().permissions_path_pattern("./src-tauri/permissions/**/*");
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(manifest);
    tauri_build::try_build(attributes).map_err(|error| format!("tauri_build: {error:#}"))?;
    move_schemas()
}

/// Tauri writes its editor schemas to `./gen`, whatever the layout; they belong beside the capabilities.
fn move_schemas() -> Result<(), Box<dyn Error>> {
    let (written, wanted) = (Path::new("gen"), Path::new("src-tauri/gen"));
    if written.exists() {
        if wanted.exists() {
            fs::remove_dir_all(wanted)?;
        }
        fs::rename(written, wanted)?;
    }
    Ok(())
}
