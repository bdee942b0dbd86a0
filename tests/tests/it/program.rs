//! Starting the program, and what comes out of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_c0di3-tested");

/// What a run of the program gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Standard output as JSON lines.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    /// A field of every JSON line, sorted.
    pub(crate) fn sorted(&self, field: &str) -> Vec<String> {
        let mut values: Vec<_> =
            self.lines().iter().map(|line| line[field].as_str().unwrap_or("").to_owned()).collect();
        values.sort();
        values
    }

    pub(crate) fn last_error_line(&self) -> &str {
        self.err.lines().last().unwrap_or("")
    }
}

pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Sandbox { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The program in this folder, with an environment of its own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(PROGRAM), arguments)
    }

    /// Another program in this folder.
    pub(crate) fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("C0DI3_")) {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        finish(self.command(arguments))
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let run = collect(child);
        writer.join().unwrap();
        run
    }
}

pub(crate) fn finish(mut command: Command) -> Run {
    collect(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

pub(crate) fn collect(child: Child) -> Run {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The repository's folder of sample logs.
pub(crate) fn samples() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/sample-logs").display().to_string()
}

/// `count` failed SSH logins of one address, a second apart, from second `start` of a day on.
pub(crate) fn failures(address: &str, start: u32, count: u32) -> String {
    let line = |at: u32| {
        let second = start + at;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!(
            "2026-11-23T{hour:02}:{minute:02}:{second:02}Z gate sshd[{at}]: Failed password for root from {address} port 4000 ssh2\n"
        )
    };
    (0..count).map(line).collect()
}

/// How often the long tests repeat what they do: once, unless `SOAK_ROUNDS` says more.
pub(crate) fn rounds() -> u32 {
    std::env::var("SOAK_ROUNDS").map_or(1, |rounds| rounds.parse().expect("SOAK_ROUNDS is a number"))
}
