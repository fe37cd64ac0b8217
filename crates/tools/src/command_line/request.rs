// SPDX-License-Identifier: GPL-2.0-or-later
//! A command line as reports repeat it: a word that a shell would not read back as itself alone is quoted.

use std::ffi::OsString;

/// The command line as one text.
pub(crate) fn quoted(args: &[OsString]) -> String {
    let words: Vec<String> = args.iter().map(|arg| word(&arg.to_string_lossy())).collect();
    words.join(" ")
}

fn word(arg: &str) -> String {
    if shell_words(arg) == Some(1) { arg.to_owned() } else { format!("'{}'", arg.replace('\'', r"'\''")) }
}

/// How many words a shell makes of it; `None` if it cannot be read at all, as with a quote that does not end.
fn shell_words(text: &str) -> Option<usize> {
    let mut words = 0;
    let mut in_word = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' => in_word = false,
            '#' if !in_word => {
                chars.find(|&c| c == '\n');
            }
            c => {
                words += usize::from(!in_word);
                in_word = true;
                match c {
                    '\\' => drop(chars.next()?),
                    '\'' => drop(chars.find(|&c| c == '\'')?),
                    '"' => loop {
                        match chars.next()? {
                            '"' => break,
                            '\\' => drop(chars.next()?),
                            _ => {}
                        }
                    },
                    _ => {}
                }
            }
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(word("--xpath=//node[@id='1']"), "--xpath=//node[@id='1']");
        assert_eq!(word("<cib epoch='1'/>"), r"'<cib epoch='\''1'\''/>'");
        assert_eq!(word(""), "''");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word("#x"), "'#x'");
        assert_eq!(word(r"a\"), r"'a\'");
        assert_eq!(quoted(&["crm_x".into(), "-n".into(), "a b".into()]), "crm_x -n 'a b'");
    }
}
