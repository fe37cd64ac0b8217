// SPDX-License-Identifier: GPL-2.0-or-later
//! Debian's own `iso8601` and `crm_rule` beside ours, on dates, durations, periods and rules by chance (always the same
//! chance): what both print, and what both exit with.
//!
//! Debian's are of an older Pacemaker. Only what did not change since is asked: offsets after a blank, and spans of
//! which no part is one second. Where they are missing the test says so and, under `CI=true`, fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/not_run.rs"]
mod not_run;

use not_run::not_run;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Numbers that look like chance (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    fn one_of(&mut self, all: &[&str]) -> String {
        let index = usize::try_from(self.below(all.len() as u64)).unwrap();
        all[index].to_owned()
    }

    /// In any form, now and then one that there is not.
    fn date(&mut self) -> String {
        let year = self.between(1_900, 2_100);
        match self.below(5) {
            0 => format!("{year}-{:02}-{:02}", self.between(1, 13), self.between(1, 31)),
            1 => format!("{year}-{:03}", self.between(1, 367)),
            2 => format!("{year}-W{:02}-{}", self.between(1, 54), self.between(1, 8)),
            3 => format!("{year}{:02}{:02}", self.between(1, 12), self.between(1, 28)),
            _ => "epoch".to_owned(),
        }
    }

    fn moment(&mut self) -> String {
        let date = self.date();
        if date == "epoch" || self.below(3) == 0 {
            return date;
        }
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        let time = match self.below(4) {
            0 => format!("T{hour:02}:{minute:02}:{second:02}"),
            1 => format!(" {:02}:{:02}", self.between(0, 24), self.between(0, 60)),
            2 => format!("T{hour:02}{minute:02}{second:02}"),
            _ => " 24:00:00".to_owned(),
        };
        let offset = match self.below(3) {
            0 => format!(" +{:02}:{:02}", self.below(15), self.below(60)),
            1 => format!(" -{:02}:00", self.below(13)),
            _ => "Z".to_owned(),
        };
        date + &time + &offset
    }

    fn span(&mut self) -> String {
        let mut text = "P".to_owned();
        for unit in ["Y", "M", "D"] {
            if self.below(2) == 0 {
                write!(text, "{}{unit}", self.between(1, 90)).unwrap();
            }
        }
        match self.below(3) {
            0 => write!(text, "T{}H", self.between(1, 200)).unwrap(),
            1 => write!(text, "T{}M{}S", self.between(1, 90), self.between(2, 59)).unwrap(),
            _ => {}
        }
        text
    }
}

/// True if Debian's tools are here; else it is said, or a failure.
fn debian_has(program: &str) -> bool {
    let is_there = Path::new(program).exists();
    if !is_there {
        not_run("dates and rules", &format!("{program} is not installed (Debian's pacemaker-cli-utils)"));
    }
    is_there
}

/// What Debian's program and ours print, and what they exit with, to the same arguments.
fn both(name: &str, args: &[String]) -> [(Option<i32>, String); 2] {
    let ours = (env!("CARGO_BIN_EXE_systole"), Some(name));
    let debian = format!("/usr/sbin/{name}");
    [(debian.as_str(), None), ours].map(|(program, name)| {
        let mut command = Command::new(program);
        command.args(name).args(args).env("TZ", "UTC").env_remove("PCMK_stderr").env("CIB_user", "root");
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    })
}

#[test]
fn dates_and_durations_are_understood_alike() {
    if !debian_has("/usr/sbin/iso8601") {
        return;
    }
    let mut chance = Chance(0x05EE_DDA7_E500);
    let mut read = 0;
    for _ in 0..80 {
        let second = if chance.below(2) == 0 { chance.moment() } else { chance.span() };
        let period = format!("{}/{second}", chance.moment());
        let mut args =
            vec!["-d".to_owned(), chance.moment(), "-D".to_owned(), chance.span(), "-p".to_owned(), period];
        let form = chance.one_of(&["", "-W", "-O", "-S", "-L", "-s"]);
        args.extend(Some(form).filter(|form| !form.is_empty()));
        let [debian, ours] = both("iso8601", &args);
        assert_eq!(debian, ours, "{args:?}");
        read += usize::from(ours.0 == Some(0));
    }
    assert!((20..80).contains(&read), "of 80 calls {read} were right");
}

#[test]
fn rules_are_judged_alike() {
    if !debian_has("/usr/sbin/crm_rule") {
        return;
    }
    const RULES: u64 = 60;
    let mut chance = Chance(0x05EE_D201_E500);
    let mut rules = String::new();
    for number in 0..RULES {
        let [start, end] =
            [(); 2].map(|()| format!("20{:02}-{:02}-15", chance.below(40), chance.between(1, 12)));
        let duration = format!(
            r#"<duration id="u{number}" months="{}" hours="{}"/>"#,
            chance.below(99),
            chance.below(99)
        );
        let spec = format!(
            r#"<date_spec id="s{number}" years="20{}-" months="{}-12" monthdays="1-{}"/>"#,
            chance.between(10, 30),
            chance.between(1, 12),
            chance.between(1, 31)
        );
        let expression = match chance.below(5) {
            0 => format!(r#"operation="gt" start="{start}"/>"#),
            1 => format!(r#"operation="lt" end="{end}"/>"#),
            2 => format!(r#"operation="in_range" start="{start}" end="{end}"/>"#),
            3 => format!(r#"operation="in_range" start="{start}">{duration}</date_expression>"#),
            _ => format!(r#"operation="date_spec">{spec}</date_expression>"#),
        };
        write!(
            rules,
            r#"<rsc_location id="l{number}" rsc="r"><rule id="r{number}" score="1">
               <date_expression id="d{number}" {expression}</rule></rsc_location>"#
        )
        .unwrap();
    }
    let cib = format!(
        r#"<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.0"><configuration><crm_config/>
           <nodes/><resources><primitive id="r" class="ocf" provider="pacemaker" type="Dummy"/></resources>
           <constraints>{rules}</constraints></configuration><status/></cib>"#
    );
    let mut words = BTreeSet::new();
    for asked in 0..20 {
        let date =
            format!("20{:02}-{:02}-{:02}", chance.below(40), chance.between(1, 12), chance.between(1, 28));
        let mut args = ["-c", "-X", &cib, "-d", &date, "-r"].map(str::to_owned).to_vec();
        args.push(format!("r{asked}"));
        let [debian, ours] = both("crm_rule", &args);
        assert_eq!(debian, ours, "r{asked} at {date}");
        for number in 0..RULES {
            args.extend(["-r".to_owned(), format!("r{number}")]);
        }
        // Which of several exit codes counts is not what it was.
        let [(_, debian), (_, ours)] = both("crm_rule", &args);
        assert_eq!(debian, ours, "at {date}");
        // `Rule r1 is expired`: what is said of it.
        words.extend(ours.lines().map(|line| line.splitn(4, ' ').last().unwrap_or_default().to_owned()));
    }
    let expected = ["expired", "not yet taken effect", "still in effect"];
    assert!(expected.iter().all(|said| words.contains(*said)), "{words:?}");
}
