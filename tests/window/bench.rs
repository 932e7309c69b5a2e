//! Programs of the benchmark that measures use: loads, and a sink that counts. They stand beside the app's program.

use crate::app::binary;
use crate::process::Process;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

/// Topics of every load here.
const TOPICS: u32 = 100;
/// Bytes of a payload.
const SIZE: u32 = 200;

/// A running program of the benchmark; dropping it ends it.
pub(crate) struct Bench {
    process: Process,
    output: BufReader<ChildStdout>,
}

impl Bench {
    #[track_caller]
    pub(crate) fn start(name: &str, args: &[(&str, String)]) -> Self {
        let mut command = Command::new(Path::new(&binary()).with_file_name("relayscope-bench"));
        command.arg(name).args(args.iter().flat_map(|(name, value)| [(*name).to_owned(), value.clone()]));
        let mut process = Process::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let output = BufReader::new(process.child().stdout.take().expect("its output"));
        Self { process, output }
    }

    /// A load at QoS 1; a rate of 0 is as fast as the broker takes it.
    #[track_caller]
    pub(crate) fn publisher(port: u16, run: u32, rate: u64, messages: u64) -> Self {
        let args = [
            ("--broker-port", port.to_string()),
            ("--run", run.to_string()),
            ("--rate", rate.to_string()),
            ("--messages", messages.to_string()),
            ("--topics", TOPICS.to_string()),
            ("--size", SIZE.to_string()),
            ("--qos", "1".to_owned()),
        ];
        Self::start("publisher", &args)
    }

    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.process.child().try_wait(), Ok(None))
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn finish(&mut self) {
        let status = self.process.child().wait().expect("its end");
        assert!(status.success(), "a program of the benchmark failed: {status}");
    }

    /// The next line it prints.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("its line");
        line.trim().to_owned()
    }

    /// Has a sink count the messages of this run and no others.
    #[track_caller]
    pub(crate) fn begin(&mut self, run: u32) {
        self.ask(&json!({ "begin": { "run": run, "topics": TOPICS, "size": SIZE } }));
    }

    /// What a sink has seen.
    #[track_caller]
    pub(crate) fn seen(&mut self) -> Value {
        self.ask(&json!("report"))
    }

    #[track_caller]
    fn ask(&mut self, order: &Value) -> Value {
        let input = self.process.child().stdin.as_mut().expect("its input");
        writeln!(input, "{order}").expect("an order");
        serde_json::from_str(&self.line()).expect("an answer")
    }
}
