//! Commands of any shell: the surest reading of the three languages. They share most names of commands, so that their
//! points must not add up. Nothing is read here.

use crate::Part;
use crate::batch::BatchGrammar;
use crate::grammar::{Grammar, Reading};
use crate::powershell::PowershellGrammar;
use crate::shell::ShellGrammar;
use crate::vocabulary::Vocabulary;

/// Points from which on no other reading is asked for.
const SURE: u32 = 5;

/// The languages of shells.
#[derive(Debug)]
pub(crate) struct CommandGrammar {
    shell: ShellGrammar,
    batch: BatchGrammar,
    powershell: PowershellGrammar,
}

impl CommandGrammar {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        CommandGrammar {
            shell: ShellGrammar::new(words),
            batch: BatchGrammar::new(words),
            powershell: PowershellGrammar::new(words),
        }
    }
}

impl Grammar for CommandGrammar {
    fn name(&self) -> &'static str {
        "command"
    }

    fn needs(&self) -> Vec<String> {
        let mut needs = [self.shell.needs(), self.batch.needs(), self.powershell.needs()].concat();
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    fn read(&self, text: &str, part: Part) -> Option<Reading> {
        let languages: [&dyn Grammar; 3] = [&self.shell, &self.batch, &self.powershell];
        languages.into_iter().fold(None, |best: Option<Reading>, language| {
            if best.as_ref().is_some_and(|best| best.points >= SURE) {
                best
            } else {
                Reading::surer(best, language.read(text, part))
            }
        })
    }
}
