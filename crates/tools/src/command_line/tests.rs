// SPDX-License-Identifier: GPL-2.0-or-later
//! What every tool does with its command line, shown on one that does nothing but tell what it was given.

use super::*;
use clap::Parser;

/// tell what was given
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:\n\n\tcrm_tell -n 5")]
struct Tell {
    #[command(flatten)]
    common: CommonOptions,
    /// A number
    #[arg(short = 'n', long, value_parser = integer, help_heading = "Commands")]
    number: Option<i32>,
    /// Anything, or nothing
    #[arg(short = 'a', long, num_args = 0..=1, default_missing_value = "", help_heading = "Commands")]
    any: Option<String>,
    /// Say less
    #[arg(short = 'q', long)]
    quiet: bool,
    #[arg(skip)]
    last: String,
}

impl Tool for Tell {
    const NAME: &'static str = "crm_tell";
    const GROUPS: &'static [Group] =
        &[Group { option: "help-commands", heading: "Commands", about: "Show command help" }];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn see(&mut self, order: &Order<'_>) {
        self.last = order.last(&["number", "any"]).unwrap_or_default().to_owned();
    }
}

struct Given(String);

impl Message for Given {
    fn text(&self, quiet: bool) -> String {
        if quiet { format!("{}\n", self.0) } else { format!("given: {}\n", self.0) }
    }

    fn entries(&self) -> Vec<Entry> {
        vec![Entry::new("given").attr("what", &self.0)]
    }
}

fn tell(line: &[&str]) -> (i32, String, String) {
    let args: Vec<OsString> = ["crm_tell"].iter().chain(line).map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(&args, &mut out, &mut err, |tell: &Tell, out| {
        if tell.number == Some(13) {
            return Err(Failure::new(ExitCode::NOSUCH, "no such number"));
        }
        out.info("about to tell")?;
        out.say(&Given(format!("{:?} {:?} {}", tell.number, tell.any, tell.last)))?;
        Ok(if tell.number == Some(1) { ExitCode::ERROR } else { ExitCode::OK })
    });
    (code.value(), String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn refused(line: &[&str]) -> (i32, String) {
    let (code, out, err) = tell(line);
    assert_eq!(out, "", "{line:?}");
    (code, err)
}

#[test]
fn is_told_as_text() {
    let text = |given: &str| (0, format!("about to tell\ngiven: {given}\n"), String::new());
    assert_eq!(tell(&[]), text("None None "));
    assert_eq!(tell(&["-n", "-5", "-a"]), text("Some(-5) Some(\"\") any"));
    assert_eq!(tell(&["--any=x", "-n5", "-n", "0x6"]), text("Some(6) Some(\"x\") number"));
    assert_eq!(tell(&["-qax"]).1, "None Some(\"x\") any\n");
    assert_eq!(tell(&["-n1"]).0, 1);
    assert_eq!(tell(&["-n13"]), (105, String::new(), "crm_tell: no such number\n".into()));
}

#[test]
fn is_told_as_xml_and_json() {
    let (code, out, err) = tell(&["-n", "13", "--output-as=xml"]);
    assert_eq!((code, err.as_str()), (105, ""));
    assert_eq!(
        out,
        "<pacemaker-result api-version=\"2.42\" request=\"crm_tell -n 13 --output-as=xml\">\n  \
         <status code=\"105\" message=\"No such object\">\n    <errors>\n      \
         <error>crm_tell: no such number</error>\n    </errors>\n  </status>\n</pacemaker-result>\n"
    );
    let (code, out, _) = tell(&["-n", "1", "--output-as", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["status"]["code"]), (1, &serde_json::json!(1)));
    assert_eq!(json["given"], serde_json::json!([{"what": "Some(1) None number"}]));
}

#[test]
fn wrong_calls_are_refused_in_pacemakers_words() {
    let refusal = |text: &str| (64, format!("crm_tell: {text}\n"));
    assert_eq!(refused(&["--numb=3"]), refusal("Unknown option --numb=3"));
    assert_eq!(refused(&["-Z"]), refusal("Unknown option -Z"));
    assert_eq!(refused(&["-qn"]), refusal("Missing argument for -n"));
    assert_eq!(refused(&["-q", "--number"]), refusal("Missing argument for --number"));
    assert_eq!(refused(&["-n", "x"]), refusal("Cannot parse integer value \u{201c}x\u{201d} for -n"));
    assert_eq!(
        refused(&["--number=99999999999"]),
        refusal("Integer value \u{201c}99999999999\u{201d} for --number out of range")
    );
    let unknown = "crm_tell: Error creating output format html: Unknown output format\n";
    assert_eq!(refused(&["--output-as=html"]), (1, unknown.to_owned()));
    let (code, err) = refused(&["--output-to=/nonexistent/x"]);
    assert_eq!((code, err.ends_with("/nonexistent/x: No such file or directory\n")), (1, true), "{err}");
    let (code, _, err) = tell(&["stray", "words"]);
    assert_eq!((code, err.as_str()), (0, "crm_tell: ignored, as no option: stray words\n"));
}

#[test]
fn output_goes_where_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let (code, out, _) = tell(&["-q", &format!("--output-to={}", file.display())]);
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "None None \n");
    assert_eq!(tell(&["-q", "--output-to=-"]).1, "None None \n");
    let (code, _, err) = tell(&["-q", "--output-to=/dev/full"]);
    assert_eq!((code, err.contains("cannot print")), (74, true), "{err}");
}

#[test]
fn help_shows_the_group_that_was_asked_for() {
    let (code, out, _) = tell(&["-?"]);
    assert_eq!(code, 0);
    assert_eq!(
        out,
        "Usage:\n  crm_tell [OPTION...]\n\ntell what was given\n\nHelp Options:\n  -h, --help       Show help \
         options\n  --help-all       Show all help options\n  --help-output    Show output help\n  --help-commands  \
         Show command help\n\nApplication Options:\n  -$, --version  Display software version and exit\n  -V, \
         --verbose  Increase debug output (may be specified multiple times)\n  -q, --quiet    Say less\n\n\
         Examples:\n\n\tcrm_tell -n 5\n"
    );
    let (_, out, _) = tell(&["--help-commands"]);
    assert!(out.contains("  -n, --number=NUMBER  A number\n  -a, --any[=ANY]      Anything"), "{out}");
    assert!(!out.contains("--version"), "{out}");
    let (_, all, _) = tell(&["--help-all"]);
    assert!(
        ["--output-as=FORMAT", "--number", "--version", "Examples"].iter().all(|s| all.contains(s)),
        "{all}"
    );
    definition::<Tell>().debug_assert();
    documentation::<Tell>().debug_assert();
}

#[test]
fn the_version_is_told_in_every_form() {
    assert!(tell(&["-$"]).1.starts_with("Pacemaker 3.0.2\nWritten by"));
    assert!(
        tell(&["--version", "--output-as=xml"]).1.contains(r#"<version program="Pacemaker" version="3.0.2""#)
    );
}
