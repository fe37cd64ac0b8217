// SPDX-License-Identifier: GPL-2.0-or-later
//! The terminal: keys one at a time, what they change, and the page that explains them.
//!
//! Decides: which key does what (Pacemaker's keys). Given: settings. Leaves to others: drawing.

use super::settings::{FenceLevel, Settings};
use crate::status::Sections;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal};

/// Puts the cursor of a terminal to the top left, and clears what is there.
pub(super) const CLEAR: &str = "\x1b[H\x1b[2J";

/// Keys come one at a time and are not shown, as long as this lives.
pub(super) struct Keys(Termios);

impl Keys {
    /// If there is a terminal that keys come from.
    pub fn read_singly() -> Option<Keys> {
        let input = io::stdin();
        let before = tcgetattr(&input).ok().filter(|_| input.is_terminal())?;
        let mut single = before.clone();
        single.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        tcsetattr(&input, SetArg::TCSANOW, &single).ok()?;
        Some(Keys(before))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The status is drawn.
    Draw,
    /// The keys are explained.
    Explain,
    /// That is all.
    End,
}

/// Does what a key says.
pub(super) fn press(key: u8, settings: &mut Settings) -> Next {
    let (sections, show) = (&mut settings.sections, &mut settings.show);
    match key {
        b'm' => {
            let next = settings.fence_level().number() + 1;
            settings.set_fence_level(FenceLevel::numbered(next).unwrap_or(FenceLevel::Off));
        }
        b'c' => sections.tickets ^= true,
        b'f' => sections.fail_counts ^= true,
        b'n' => show.by_node ^= true,
        b'o' => {
            sections.operations ^= true;
            show.timing &= sections.operations;
        }
        b'r' => show.inactive ^= true,
        b'R' => show.set_details(!show.clone_detail),
        b't' => {
            show.timing ^= true;
            sections.operations |= show.timing;
        }
        b'A' => sections.attributes ^= true,
        b'L' => sections.bans ^= true,
        b'D' => {
            // If anything of it is shown, all of it goes.
            let on = !has_summary(sections);
            sections.set("summary", on);
            sections.options = false;
        }
        b'b' => show.brief ^= true,
        b'j' => show.pending ^= true,
        b'?' => return Next::Explain,
        b'q' => return Next::End,
        _ => {}
    }
    Next::Draw
}

fn has_summary(sections: &Sections) -> bool {
    sections.stack || sections.dc || sections.times || sections.counts || sections.maintenance
}

/// The page that explains the keys.
pub(super) fn explanation(settings: &Settings) -> String {
    let (sections, show) = (&settings.sections, &settings.show);
    let keys = [
        ('c', sections.tickets, "Display cluster tickets"),
        ('f', sections.fail_counts, "Display resource fail counts"),
        ('n', show.by_node, "Group resources by node"),
        ('o', sections.operations, "Display resource operation history"),
        ('r', show.inactive, "Display inactive resources"),
        ('t', show.timing, "Display resource operation history with timing details"),
        ('A', sections.attributes, "Display node attributes"),
        ('L', sections.bans, "Display negative location constraints"),
        ('D', !has_summary(sections), "Hide all headers"),
        ('R', show.clone_detail, "Show more details (node IDs, individual clone instances)"),
        ('b', show.brief, "Brief output"),
        ('j', show.pending, "Display pending state"),
    ];
    let mut text = "Display option change mode\n".to_owned();
    for (key, on, about) in keys {
        text.push_str(&format!("{} {key}: \t{about}\n", if on { '*' } else { ' ' }));
    }
    let level = settings.fence_level().number();
    text.push_str(&format!("{level} m: \tShow fence history (0=off, 3=full)\n  q: \tQuit\n"));
    text + "\nToggle fields via field letter, type any other key to return\n"
}
