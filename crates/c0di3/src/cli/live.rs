//! Arguments of the commands that ask a running analyzer.

use clap::{Args, ValueEnum};

/// Which analyzer is asked.
#[derive(Args, Clone, Debug)]
pub(crate) struct LiveArguments {
    /// Address of the analyzer, such as http://127.0.0.1:5001; the configured one where absent
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A token of the role viewer, where tokens are needed
    #[arg(long, value_name = "TOKEN", env = "C0DI3_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct TopArguments {
    #[command(flatten)]
    pub(crate) live: LiveArguments,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub(crate) every: u64,
    /// Print once and end, as where standard output is no terminal
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TapArguments {
    #[command(flatten)]
    pub(crate) live: LiveArguments,
    /// Where samples are taken
    #[arg(long, value_enum, default_value_t = SampleStage::Events)]
    pub(crate) stage: SampleStage,
    /// A text that each sample holds, as its JSON has it
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Samples, then the end
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    pub(crate) limit: usize,
    /// Seconds, then the end
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SampleStage {
    Lines,
    Events,
    Hits,
    Findings,
}

impl SampleStage {
    /// As the analyzer names it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SampleStage::Lines => "lines",
            SampleStage::Events => "events",
            SampleStage::Hits => "hits",
            SampleStage::Findings => "findings",
        }
    }
}
