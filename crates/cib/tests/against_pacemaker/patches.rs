// SPDX-License-Identifier: GPL-2.0-or-later
//! Patches, between Pacemaker's `crm_diff` and us, both ways: it applies what we make, and we do with what it makes (which
//! is not always what it should be) what it does itself.

use crate::random::Random;
use crate::{Theirs, first_difference, number};
use cib::patch;
use model::Profile;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use xml::{Element, Escaping, Limits, TextPolicy};

/// `crm_diff` of the same Pacemaker.
struct CrmDiff<'a> {
    program: PathBuf,
    theirs: &'a Theirs,
}

impl CrmDiff<'_> {
    fn file(&self, name: &str, element: &Element) -> PathBuf {
        let path = self.theirs.path(name);
        fs::write(&path, xml::write_indented(element)).unwrap();
        path
    }

    fn run(&self, original: &Element, options: &[&str], other: &Element) -> Option<Element> {
        let mut command = Command::new(&self.program);
        command.arg("-o").arg(self.file("original.xml", original));
        command.args(options).arg(self.file("other.xml", other)).stdin(Stdio::null());
        command.env("PCMK_logfile", "none").env("PCMK_logfacility", "none").env_remove("PCMK_stderr");
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        xml::parse_with(&text, TextPolicy::Drop, Limits::default()).ok()
    }

    /// What it makes of a tree by a patch; none if it refuses.
    fn applied(&self, original: &Element, patch: &Element) -> Option<Element> {
        self.run(original, &["-p"], patch)
    }

    /// Its patch; none if there is nothing to say.
    fn made(&self, original: &Element, new: &Element) -> Option<Element> {
        // Before 3.0, it makes patches of an old form for what is no CIB.
        self.run(original, &["-c", "-n"], new)
    }
}

/// Two CIBs: one and what became of it, or two that have nothing to do with each other.
fn pair(random: &mut Random, beginnings: &[Element]) -> (Element, Element) {
    let old = random.one_of(beginnings).clone();
    if random.once_in(8) && beginnings.len() > 1 {
        return (old, random.one_of(beginnings).clone());
    }
    let mut new = old.clone();
    for _ in 0..=random.below(12) {
        new = random.edited(&new, &old, 0);
    }
    (old, new)
}

fn shown(element: Option<&Element>) -> String {
    element.map_or("(refused)".to_owned(), xml::write_indented)
}

pub fn compare(theirs: &Theirs, beginnings: &[Element]) {
    let program = theirs.program.with_file_name("crm_diff");
    assert!(program.is_file(), "{} is missing beside cibadmin", program.display());
    let crm_diff = CrmDiff { program, theirs };
    let (pairs, seed) = (number("SYSTOLE_STEPS", 150), number("SYSTOLE_SEED", 1));
    let mut random = Random::new(seed, theirs.writes_odd_values());
    let (mut differences, mut alike) = (Vec::new(), 0);
    for pair_number in 0..pairs {
        let (old, new) = pair(&mut random, beginnings);
        // Which digest is meant Pacemaker 2.1 decides by what the CIB says it needs.
        if theirs.profile == Profile::V2_1 && old.attr("crm_feature_set") != new.attr("crm_feature_set") {
            continue;
        }
        let mut differs = |what: &str, patch: &Element, wanted: Option<&Element>, found: Option<&Element>| {
            if wanted != found {
                let (wanted, found) = first_difference(&shown(wanted), &shown(found));
                differences.push(format!(
                    "--- pair {pair_number}: {what}\n{patch}\nwanted\n{wanted}\nfound\n{found}\nfrom\n{old}"
                ));
            }
        };
        if let Some(ours) = patch::make(&old, &new) {
            let signed = patch::with_digest(ours.clone(), &new, theirs.escaping());
            differs("they apply ours", &signed, Some(&new), crm_diff.applied(&old, &signed).as_ref());
            let applied = patch::apply_unversioned(&old, &signed, theirs.escaping()).map(|done| done.cib);
            differs("we apply ours", &signed, Some(&new), applied.ok().as_ref());
        }
        if let Some(made) = crm_diff.made(&old, &new) {
            let wanted = crm_diff.applied(&old, &made);
            let found = patch::apply_unversioned(&old, &made, Escaping::Modern).ok().map(|done| done.cib);
            differs("we apply theirs", &made, wanted.as_ref(), found.as_ref());
            alike += u64::from(wanted.as_ref() == Some(&new));
        }
    }
    eprintln!(
        "patches: {pairs} pairs from seed {seed}, {} differences; of theirs, {alike} lead where they should",
        differences.len()
    );
    // Those of 2.1 seldom do where elements have no id.
    assert!(alike * 20 > pairs, "too few of their patches mean something");
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences[..differences.len().min(number("SYSTOLE_SHOWN", 3) as usize)].join("\n")
    );
}
