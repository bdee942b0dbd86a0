//! Named pipes among `tail.paths`, and standard input (`-`), into the spool. Whoever writes is held back by not being read.

use std::path::PathBuf;

use anyhow::Context;
use async_trait::async_trait;
use ingest::pipes;
use ingest::shippers::ShipperOptions;
use ingest::tail::Wanted;
use tokio::net::unix::pipe::{OpenOptions, Receiver};
use tokio::task::JoinHandle;

use super::kind::{LiveSource, Serving, SourceKind};
use crate::clock;
use crate::config::AnalyzerConfig;

pub(super) struct Pipes;

#[async_trait]
impl SourceKind for Pipes {
    fn name(&self) -> &'static str {
        "pipes"
    }

    async fn open(&self, config: &AnalyzerConfig) -> anyhow::Result<Option<Box<dyn LiveSource>>> {
        let mut pipes = Vec::new();
        for wanted in config.tail.iter().flat_map(|tail| &tail.wanted) {
            if let Wanted::Path(path) = wanted
                && wanted.is_stream()
            {
                pipes.push(open(path.clone())?);
            }
        }
        Ok((!pipes.is_empty()).then(|| Box::new(PipeSource(pipes)) as Box<dyn LiveSource>))
    }
}

/// The pipe and the name of its events' source.
fn open(path: PathBuf) -> anyhow::Result<(String, Receiver)> {
    if path.as_os_str() == "-" {
        let opened = OpenOptions::new().open_receiver("/dev/stdin");
        let pipe =
            opened.context("tail.paths has `-`, but standard input is no pipe: a file is followed by its name")?;
        return Ok(("stdin://".to_owned(), pipe));
    }
    // Open for writing as well, it never ends: writers may come and go.
    let opened = OpenOptions::new().read_write(true).open_receiver(&path);
    let pipe = opened.with_context(|| format!("tail.paths: cannot read the pipe {}", path.display()))?;
    Ok((format!("pipe://{}", path.display()), pipe))
}

struct PipeSource(Vec<(String, Receiver)>);

impl LiveSource for PipeSource {
    fn place(&self) -> String {
        self.0.iter().map(|(origin, _)| origin.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn serve(&mut self, serving: &Serving) -> Vec<JoinHandle<()>> {
        let options = ShipperOptions { spool: serving.spool.clone(), clock: clock::now };
        let pipes = self.0.drain(..).map(|(origin, pipe)| {
            tokio::spawn(pipes::serve_pipe(pipe, origin, options.clone(), serving.drain.clone()))
        });
        pipes.collect()
    }
}
