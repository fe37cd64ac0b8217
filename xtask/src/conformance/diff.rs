// SPDX-License-Identifier: GPL-2.0-or-later
//! How two texts differ, line by line, for people.

/// How many equal lines are shown around a difference.
const CONTEXT: usize = 3;

/// The differing lines, `-` those of the first text and `+` those of the second, with some of what is around them.
pub fn lines(first: &str, second: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (first.lines().collect(), second.lines().collect());
    let marked = mark(&a, &b);
    let shown = |at: usize| {
        let (from, to) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(marked.len()));
        marked[from..to].iter().any(|&(mark, _)| mark != ' ')
    };
    let (mut out, mut gap) = (String::new(), false);
    for (at, (mark, line)) in marked.iter().enumerate() {
        if shown(at) {
            out.push_str(&format!("{mark} {line}\n"));
            gap = false;
        } else if !gap {
            out.push_str("  ...\n");
            gap = true;
        }
    }
    out
}

/// All lines of both, equal ones once, by their longest common subsequence.
fn mark<'t>(a: &[&'t str], b: &[&'t str]) -> Vec<(char, &'t str)> {
    let same_start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let rest = a.len().min(b.len()) - same_start;
    let same_end = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(x, y)| x == y).count();
    let (middle_a, middle_b) = (&a[same_start..a.len() - same_end], &b[same_start..b.len() - same_end]);

    // lengths[i][j]: how long a subsequence the rests from i and j have in common.
    let mut lengths = vec![vec![0u32; middle_b.len() + 1]; middle_a.len() + 1];
    for i in (0..middle_a.len()).rev() {
        for j in (0..middle_b.len()).rev() {
            lengths[i][j] = if middle_a[i] == middle_b[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let mut out: Vec<(char, &str)> = a[..same_start].iter().map(|line| (' ', *line)).collect();
    let (mut i, mut j) = (0, 0);
    while i < middle_a.len() || j < middle_b.len() {
        if i < middle_a.len() && j < middle_b.len() && middle_a[i] == middle_b[j] {
            out.push((' ', middle_a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == middle_b.len() || (i < middle_a.len() && lengths[i + 1][j] >= lengths[i][j + 1]) {
            out.push(('-', middle_a[i]));
            i += 1;
        } else {
            out.push(('+', middle_b[j]));
            j += 1;
        }
    }
    out.extend(a[a.len() - same_end..].iter().map(|line| (' ', *line)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_differs_and_little_else() {
        let first = "1\n2\n3\n4\n5\n6\n7\nold\nsame\n8\n";
        let second = "1\n2\n3\n4\n5\n6\n7\nsame\nnew\n8\n";
        assert_eq!(lines(first, second), "  ...\n  5\n  6\n  7\n- old\n  same\n+ new\n  8\n");
        assert_eq!(lines("a\n", "a\n"), "  ...\n");
        assert_eq!(lines("", "a\n"), "+ a\n");
    }
}
