//! `cargo xtask long`: the long versions of every fault case, one after the other, in release mode, as a Markdown table.

use crate::machine;
use crate::shell::{cargo, output, sh, target};
use std::fs;
use std::process::Command;

const HEAD: &str = "\
| Case | Messages | Lost | Twice | Out of order | Recovery | Peak memory above idle | Remarks | Date |
|---|---|---|---|---|---|---|---|---|";

/// Runs the cases whose name contains the first argument that is no option, or all. `--soak-seconds N` has the soak last
/// N seconds instead of an hour, `--seed N` chooses its faults again.
pub(crate) fn long(args: &[String]) -> Result<(), String> {
    machine::ready_to_test()?;
    let wish = Wish::read(args)?;
    let results = target().join("long").join("results.tsv");
    fs::create_dir_all(target().join("long")).map_err(|error| error.to_string())?;
    // What is left of a run before would be taken for this one's.
    if results.exists() {
        fs::remove_file(&results).map_err(|error| format!("{}: {error}", results.display()))?;
    }
    let test = ["test", "--release", "--package", "relayscope-cli", "--test", "cases", "--", "--test-threads=1"];
    let mut command = cargo(&test);
    command.args(["--nocapture"]).args(&wish.name).env("RELAYSCOPE_LONG", &results);
    if let Some(seconds) = &wish.soak {
        command.env("RELAYSCOPE_SOAK_SECONDS", seconds);
    }
    if let Some(seed) = &wish.seed {
        command.env("RELAYSCOPE_SOAK_SEED", seed);
    }
    let outcome = sh(&mut command);
    let rows = fs::read_to_string(&results).unwrap_or_default();
    println!("{}", table(&rows, &output(Command::new("date").arg("+%F")).unwrap_or_default()));
    outcome
}

#[derive(Debug, Default, PartialEq)]
struct Wish {
    name: Option<String>,
    soak: Option<String>,
    seed: Option<String>,
}

impl Wish {
    fn read(args: &[String]) -> Result<Self, String> {
        let mut wish = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let option = match arg.as_str() {
                "--soak-seconds" => &mut wish.soak,
                "--seed" => &mut wish.seed,
                name if !name.starts_with('-') && wish.name.is_none() => {
                    wish.name = Some(name.to_owned());
                    continue;
                }
                other => return Err(format!("{other} is not known; see cargo xtask help")),
            };
            let number = args.next().filter(|number| number.parse::<u64>().is_ok());
            *option = Some(number.ok_or_else(|| format!("after {arg} stands a number"))?.clone());
        }
        Ok(wish)
    }
}

/// The results as Markdown, with the day on which they were got.
fn table(rows: &str, date: &str) -> String {
    let lines = rows.lines().map(|row| format!("\n| {} | {date} |", row.replace('\t', " | ")));
    HEAD.to_owned() + &lines.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::{Wish, table};

    fn read(args: &[&str]) -> Result<Wish, String> {
        Wish::read(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_have_numbers_and_anything_else_is_refused() {
        let wish = read(&["soak", "--soak-seconds", "60", "--seed", "7"]);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(wish, Ok(Wish { name: text("soak"), soak: text("60"), seed: text("7") }));
        for wrong in [&["--seed"][..], &["--seed", "x"], &["--fast"], &["one", "two"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn results_become_rows() {
        let table = table("kill -9\t10\t0\n", "2026-11-21");
        assert_eq!(table.lines().last(), Some("| kill -9 | 10 | 0 | 2026-11-21 |"));
    }
}
