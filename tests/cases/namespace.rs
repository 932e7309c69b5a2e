//! Runs a test of this binary in namespaces of its own (`unshare`), where it may mount a small disk or take a network
//! address away without touching the machine.

use tokio::process::Command;

/// Set in the process that runs inside.
const INSIDE: &str = "RELAYSCOPE_TEST_INSIDE";

/// Whether this process is the one inside.
pub(crate) fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs the ignored test `name` with these flags of `unshare`; prints why when the machine does not permit it.
pub(crate) async fn run(flags: &str, name: &str) {
    let allowed = Command::new("unshare").args([flags, "true"]).output().await;
    match allowed {
        Ok(output) if output.status.success() => {}
        Ok(output) => return skip(name, &String::from_utf8_lossy(&output.stderr)),
        Err(error) => return skip(name, &error.to_string()),
    }
    let mut command = Command::new("unshare");
    command.arg(flags).arg(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]).env(INSIDE, "1");
    match crate::process::prints(&mut command).await {
        Ok(said) => {
            assert!(said.contains("1 passed"), "{said}");
            println!("{said}");
        }
        Err(said) => panic!("{said}"),
    }
}

/// Says why a case did not run.
pub(crate) fn skip(name: &str, why: &str) {
    println!("skipped: {name}: not permitted here: {}", why.trim());
}
