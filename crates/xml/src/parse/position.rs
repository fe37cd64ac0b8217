// SPDX-License-Identifier: GPL-2.0-or-later
//! Places in texts, for people; also those of a tree's elements, which do not know them: the text is read again when
//! somebody has to be told.

use super::Limits;
use super::scan::{InTag, Mark, Scanner};
use std::fmt;

/// A place in a text, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Position {
    /// The place of a byte offset.
    pub(super) fn of(text: &str, offset: usize) -> Position {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = text.get(..end).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.get(line_start..).unwrap_or_default();
        Position { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Where an element of a tree is in the text that [`crate::parse()`] made the tree of: the place of its `<`.
///
/// The path is that of [`crate::Element::at`]: positions among all children, comments too, from the root (the empty
/// path) on. `None` if the text has no such element.
pub fn locate(text: &str, path: &[usize]) -> Option<Position> {
    Some(Position::of(text, find(text, path)?.1))
}

/// Where an attribute of an element is: the place of the first character of its name. See [`locate`].
pub fn locate_attribute(text: &str, path: &[usize], attribute: &str) -> Option<Position> {
    let (mut scanner, _) = find(text, path)?;
    while let InTag::Attribute { at, name, .. } = scanner.attribute(None).ok()? {
        if name == attribute {
            return Some(Position::of(text, at));
        }
    }
    None
}

/// Where several elements are, or attributes of them, found in one go through the text. They must be in the order of the
/// document, which is that of their paths. See [`locate`].
pub fn locate_all(text: &str, places: &[(&[usize], Option<&str>)]) -> Vec<Option<Position>> {
    let mut found = vec![None; places.len()];
    // What cannot be read further holds no more places.
    let _ = locate_each(text, places, &mut found);
    found
}

fn locate_each(
    text: &str,
    places: &[(&[usize], Option<&str>)],
    found: &mut [Option<Position>],
) -> Option<()> {
    let mut scanner = Scanner::new(text, Limits::NONE).ok()?;
    let mut ruler = Ruler { text, at: 0, here: Position { line: 1, column: 1 } };
    // The way to the innermost open element, and how many children each open element (and the document) has had so far.
    let (mut path, mut counts) = (Vec::new(), vec![0_usize]);
    let mut next = 0;
    while next < places.len() {
        let at = scanner.at;
        match scanner.mark().ok()? {
            Mark::Open(_) => {
                let count = counts.last_mut()?;
                let index = *count;
                *count += 1;
                if counts.len() > 1 {
                    path.push(index);
                }
                let here =
                    places.iter().skip(next).take_while(|(place, _)| *place == path.as_slice()).count();
                let wanted = next..next + here;
                next = wanted.end;
                if here > 0 {
                    let element = ruler.position(at);
                    found.get_mut(wanted.clone())?.fill(Some(element));
                }
                let has_content = loop {
                    match scanner.attribute(None).ok()? {
                        InTag::Attribute { at, name, .. } if here > 0 => {
                            let position = ruler.position(at);
                            for place in wanted.clone() {
                                if places.get(place)?.1 == Some(name) {
                                    *found.get_mut(place)? = Some(position);
                                }
                            }
                        }
                        InTag::Attribute { .. } => {}
                        InTag::End => break true,
                        InTag::EmptyEnd => break false,
                    }
                };
                if has_content {
                    counts.push(0);
                } else if counts.len() > 1 {
                    path.pop();
                }
            }
            Mark::Close(_) => {
                counts.pop();
                path.pop();
            }
            Mark::Comment(_) if counts.len() > 1 => *counts.last_mut()? += 1,
            Mark::End => return None,
            Mark::Comment(_) | Mark::Text(_) | Mark::Data(_) | Mark::Instruction => {}
        }
    }
    Some(())
}

/// Counts lines and columns forwards, each once.
struct Ruler<'t> {
    text: &'t str,
    at: usize,
    here: Position,
}

impl Ruler<'_> {
    /// The position of a byte that is not before the last one asked for.
    fn position(&mut self, at: usize) -> Position {
        let between = self.text.get(self.at..at).unwrap_or_default();
        match between.rsplit_once('\n') {
            Some((before, line)) => {
                self.here.line += before.matches('\n').count() + 1;
                self.here.column = line.chars().count() + 1;
            }
            None => self.here.column += between.chars().count(),
        }
        self.at = self.at.max(at);
        self.here
    }
}

/// A scanner behind the name in the tag of an element, and where that tag begins.
fn find<'t>(text: &'t str, path: &[usize]) -> Option<(Scanner<'t>, usize)> {
    let mut scanner = Scanner::new(text, Limits::NONE).ok()?;
    // How many elements are open, how many of those are on the path, and how many children the innermost of these has
    // had so far. The document has one child, the root.
    let (mut open, mut on_path, mut count) = (0_usize, 0_usize, 0_usize);
    loop {
        let at = scanner.at;
        let mark = scanner.mark().ok()?;
        let here = open == on_path;
        match mark {
            Mark::Open(_) => {
                let wanted = on_path.checked_sub(1).map_or(Some(0), |step| path.get(step).copied());
                if here && wanted == Some(count) {
                    if on_path == path.len() {
                        return Some((scanner, at));
                    }
                    (on_path, count) = (on_path + 1, 0);
                } else if here {
                    count += 1;
                }
                if scanner.skip_attributes().ok()? {
                    open += 1;
                } else if on_path > open {
                    // It was on the path, but there is nothing in it.
                    return None;
                }
            }
            Mark::Close(_) => {
                if here {
                    return None;
                }
                open = open.checked_sub(1)?;
            }
            Mark::Comment(_) if here && open > 0 => count += 1,
            Mark::End => return None,
            Mark::Comment(_) | Mark::Text(_) | Mark::Data(_) | Mark::Instruction => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_where_it_is_said_to_be() {
        let text = "<?xml version='1.0'?><!-- x -->\n<a é='1'>\n <!-- <b/> --> <b/>text<![CDATA[<b>]]>\n <b id='2'><c/><!-- --><c\n   x='1'\n y='2'/></b></a>";
        let at = |path: &[usize]| locate(text, path).map(|at| (at.line, at.column));
        assert_eq!(at(&[]), Some((2, 1)));
        assert_eq!(at(&[1]), Some((3, 16)));
        assert_eq!(at(&[2]), Some((4, 2)));
        assert_eq!(at(&[2, 0]), Some((4, 12)));
        assert_eq!(at(&[2, 2]), Some((4, 24)));
        for nowhere in [&[0][..], &[3], &[1, 0], &[2, 1], &[2, 0, 0], &[2, 3]] {
            assert_eq!(at(nowhere), None, "{nowhere:?}");
        }
        let all = [&[][..], &[1], &[2], &[2, 0], &[2, 2]].map(|path| (path, None));
        let one_by_one: Vec<_> = all.iter().map(|(path, _)| locate(text, path)).collect();
        assert_eq!(locate_all(text, &all), one_by_one);
        let mixed =
            [(&[][..], Some("é")), (&[1], Some("z")), (&[2, 2], Some("y")), (&[2, 2], None), (&[9], None)];
        let mixed: Vec<_> =
            locate_all(text, &mixed).iter().map(|at| at.map(|at| (at.line, at.column))).collect();
        assert_eq!(mixed, [Some((2, 4)), Some((3, 16)), Some((6, 2)), Some((4, 24)), None]);
        let attribute =
            |path: &[usize], name| locate_attribute(text, path, name).map(|at| (at.line, at.column));
        assert_eq!(attribute(&[], "é"), Some((2, 4)));
        assert_eq!(attribute(&[2, 2], "y"), Some((6, 2)));
        assert_eq!(attribute(&[2, 2], "z"), None);
    }
}
