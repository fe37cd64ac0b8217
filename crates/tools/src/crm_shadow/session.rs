// SPDX-License-Identifier: GPL-2.0-or-later
//! Working on a copy: a shell in which all tools use it, or an editor.
//!
//! Decides: whether a shell is started or people are told how to go on. Given: the environment. Leaves to others: the copy.

use crate::failure::{Failure, system_words};
use crate::output::{Entry, Message, Output};
use model::{ExitCode, LegacyRc};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// What of the environment matters here. What is empty is not there.
pub(super) struct Surroundings {
    /// The copy in use.
    pub active: Option<String>,
    prompt: Option<String>,
    shell: Option<String>,
    editor: Option<String>,
}

impl Surroundings {
    pub fn of_process() -> Surroundings {
        let set = |name| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(|value| value.to_string_lossy().into_owned())
        };
        Surroundings {
            active: set("CIB_shadow"),
            prompt: set("PS1"),
            shell: set("SHELL"),
            editor: set("EDITOR"),
        }
    }

    fn is_in_shell_of(&self, name: &str) -> bool {
        self.prompt.as_ref() == Some(&prompt(name))
    }

    fn is_active(&self, name: &str) -> bool {
        self.active.as_deref() == Some(name)
    }
}

/// What the shell of a copy asks with.
fn prompt(name: &str) -> String {
    let name: String = name.chars().take(40).collect();
    format!("shadow[{name}] # ")
}

/// What people should do next.
struct Instruction(String);

impl Message for Instruction {
    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.0)
    }

    fn entry(&self) -> Option<Entry> {
        Some(Entry::new("instruction").text(&self.0))
    }
}

/// Starts a shell that works on the copy (and does not return then), or says how to have one do so.
pub(super) fn set_up(
    surroundings: &Surroundings,
    name: &str,
    switches: bool,
    batch: bool,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if surroundings.is_active(name) && surroundings.is_in_shell_of(name) {
        return Ok(());
    }
    let Some(shell) = surroundings.shell.as_ref().filter(|_| !batch) else {
        let lead = match switches {
            true => "To switch to the named shadow instance",
            false => "A new shadow instance was created. To begin using it",
        };
        return out.say(&Instruction(format!(
            "{lead}, enter the following into your shell:\n\texport CIB_shadow={name}"
        )));
    };
    out.info("Setting up shadow instance")?;
    out.say(&Instruction("Press Ctrl+D to exit the crm_shadow shell".to_owned()))?;
    out.flush()?;
    let mut command = Command::new(shell);
    if Path::new(shell).file_name().is_some_and(|name| name == "bash") {
        // Neither must change the prompt again.
        command.args(["--norc", "--noprofile"]);
    }
    let error = command.env("PS1", prompt(name)).env("CIB_shadow", name).exec();
    let code = error.raw_os_error().map_or(ExitCode::ERROR, |number| LegacyRc::new(-number).exit_code());
    Err(Failure::new(code, format_args!("Failed to launch shell '{shell}': {}", system_words(&error))))
}

/// Says what is left to do when a copy is gone that was in use.
pub(super) fn tear_down(
    surroundings: &Surroundings,
    name: &str,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if !surroundings.is_active(name) {
        return Ok(());
    }
    let text = match surroundings.is_in_shell_of(name) {
        true => "Press Ctrl+D to exit the crm_shadow shell",
        false => {
            "Remember to unset the CIB_shadow variable by entering the following into your shell:\n\tunset CIB_shadow"
        }
    };
    out.say(&Instruction(text.to_owned()))
}

/// Becomes the user's editor; returns only why it could not. The variable may hold options as well.
pub(super) fn edit(surroundings: &Surroundings, file: &Path) -> Failure {
    let words: Vec<&str> = surroundings.editor.iter().flat_map(|editor| editor.split_whitespace()).collect();
    let Some((editor, options)) = words.split_first() else {
        return Failure::new(ExitCode::NOT_CONFIGURED, "No value for EDITOR defined");
    };
    let error = Command::new(editor).args(options).arg(file).exec();
    let (editor, file, why) = (words.join(" "), file.display(), system_words(&error));
    Failure::new(ExitCode::OSFILE, format_args!("Could not invoke EDITOR ({editor} {file}): {why}"))
}
