// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether a change is a user's to make.
//!
//! Old and new tree are compared; every difference takes its right: an attribute set, changed or removed that to write
//! its element; an element (or comment) removed that to write it; one made that to write it, or none for scaffolding.
//! To move takes none. What both trees share is not looked at.

use super::marks::{Mark, Marks, Rights, Verdict};
use super::{Acl, Note, NoteKind};
use crate::path::Path;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use xml::{Element, Node};

/// How a change was made: it says by which tree elements are judged.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// To elements in their places, so they are what they were before. What is removed at these places is removed, even if
    /// the like of it is there afterwards; what is written at those places is written, even with what was there before.
    /// `merged` is what is made by merging, attribute by attribute.
    InPlace { removed: Vec<Path>, written: Vec<Path>, merged: bool },
    /// By putting something else in the place of an element. What is in it is judged as it is then (so an element can be
    /// made one's own by what it is called; Pacemaker decides so, and all nodes must decide alike).
    Replaced { at: Path },
}

impl Change {
    /// In place, and this is removed.
    pub fn removing(removed: Vec<Path>) -> Change {
        Change::InPlace { removed, written: Vec::new(), merged: false }
    }
}

/// No more decisions than this are told.
const MAX_NOTES: usize = 1_000;

/// Whether a user may turn `old` into `new`, and what was decided on the way.
pub(crate) fn check(acl: &Acl, old: &Element, new: &Element, change: &Change) -> (bool, Vec<Note>) {
    let (removed, written, replaced) = match change {
        Change::InPlace { removed, written, .. } => (removed.as_slice(), written.as_slice(), None),
        Change::Replaced { at } => (&[][..], &[][..], Some(at.as_slice())),
    };
    let mut checker = Checker {
        acl,
        old_marks: Marks::of(acl, old),
        new_marks: Marks::of(acl, new),
        removed: removed.iter().map(Path::as_slice).collect(),
        replaced,
        merged: matches!(change, Change::InPlace { merged: true, .. }),
        allowed: true,
        finishing: false,
        notes: Vec::new(),
        made: Vec::new(),
    };
    for place in removed.iter().chain(written) {
        checker.take_write_at(old, place);
    }
    checker.pair(At::root(old), At::root(new), Judged::default());
    checker.finishing = true;
    for (made, rights) in std::mem::take(&mut checker.made) {
        checker.creation(made, rights);
    }
    (checker.allowed, checker.notes)
}

/// A place in a tree: the elements that lead to it, and their positions.
#[derive(Clone)]
struct At<'a> {
    chain: Vec<&'a Element>,
    path: Path,
}

impl<'a> At<'a> {
    fn root(root: &'a Element) -> At<'a> {
        At { chain: vec![root], path: Path::new() }
    }

    fn element(&self) -> Option<&'a Element> {
        self.chain.last().copied()
    }

    fn below(&self, index: usize, child: &'a Element) -> At<'a> {
        let mut below = self.clone();
        below.chain.push(child);
        below.path.push(index);
        below
    }

    fn address(&self) -> String {
        let mut address = String::new();
        for element in &self.chain {
            address.push('/');
            address.push_str(element.name());
            if let Some(id) = element.id() {
                address.push_str(&format!("[@id='{id}']"));
            }
        }
        address
    }
}

/// The rights to what was there before, and (with all marks there are) to what is made below it.
#[derive(Clone, Copy, Default)]
struct Judged {
    present: Rights,
    made: Rights,
}

struct Checker<'a> {
    acl: &'a Acl,
    old_marks: Marks<'a>,
    new_marks: Marks<'a>,
    removed: BTreeSet<&'a [usize]>,
    replaced: Option<&'a [usize]>,
    merged: bool,
    allowed: bool,
    /// All differences have been seen; what was made is judged (in a replacement: once more, as Pacemaker does and logs).
    finishing: bool,
    notes: Vec<Note>,
    /// What was made, to be judged when all else is done, with the rights above it.
    made: Vec<(Made<'a>, Rights)>,
}

/// Something that was not there before.
#[derive(Clone)]
enum Made<'a> {
    Element(At<'a>),
    /// A comment in an element.
    Comment(At<'a>),
}

impl<'a> Checker<'a> {
    fn is_removed(&self, parent: &[usize], index: usize) -> bool {
        !self.removed.is_empty() && self.removed.contains([parent, &[index]].concat().as_slice())
    }

    fn in_place(&self) -> bool {
        self.replaced.is_none()
    }

    // Recursion is bounded by the depth that the parser accepts.
    fn pair(&mut self, old_at: At<'a>, new_at: At<'a>, above: Judged) {
        let (Some(old), Some(new)) = (old_at.element(), new_at.element()) else { return };
        if old.ptr_eq(new) {
            return;
        }
        let before = self.old_marks.on(&old_at.chain, &old_at.path);
        let after = self.new_marks.on(&new_at.chain, &new_at.path);
        let within = self.replaced.is_some_and(|place| new_at.path.starts_with(place));
        let (present, made) = match (self.replaced, within) {
            (None, _) => (before, before | after),
            (Some(_), true) => (after, after),
            (Some(_), false) => (before | after, before | after),
        };
        let judged = Judged { present: above.present.below(present), made: above.made.below(made) };
        self.attributes(old, new, &new_at, judged.present);
        self.children(&old_at, &new_at, judged);
    }

    fn attributes(&mut self, old: &Element, new: &Element, at: &At<'a>, rights: Rights) {
        for attribute in old.attributes() {
            match new.attr(attribute.name()) {
                None => self.take_write(at, None, rights),
                Some(value) if value != attribute.value() => {
                    self.take_write(at, Some(attribute.name()), rights)
                }
                Some(_) => {}
            }
        }
        for attribute in new.attributes() {
            if old.attr(attribute.name()).is_none() {
                self.take_write(at, Some(attribute.name()), rights);
            }
        }
    }

    fn children(&mut self, old_at: &At<'a>, new_at: &At<'a>, judged: Judged) {
        let (Some(old), Some(new)) = (old_at.element(), new_at.element()) else { return };
        let pairs = self.pairs(old, new, &old_at.path);
        // What is the same before and after needs no look.
        let (olds, news) = (pairs.begin..pairs.old_end, pairs.begin..pairs.new_end);
        for (index, node) in olds.clone().zip(old.children().range(olds)) {
            match (node, pairs.new_of_old.get(&index)) {
                (_, None) if self.is_removed(&old_at.path, index) => {}
                (Node::Element(child), None) => self.removal(old_at.below(index, child), new_at, judged),
                (Node::Comment(_), None) => self.take_write_of_comment(new_at, judged.present),
                (Node::Element(child), Some(&place)) => {
                    let now = new.children().get(place).and_then(Node::element);
                    if let Some(now) = now.filter(|now| !now.ptr_eq(child)) {
                        self.pair(old_at.below(index, child), new_at.below(place, now), judged);
                    }
                }
                _ => {}
            }
        }
        for (index, node) in news.clone().zip(new.children().range(news)) {
            if pairs.news_paired.contains(&index) {
                continue;
            }
            let made = match node {
                Node::Element(child) => Made::Element(new_at.below(index, child)),
                Node::Comment(_) => Made::Comment(new_at.clone()),
                Node::Text(_) => continue,
            };
            if !self.in_place() {
                self.creation(made.clone(), judged.made);
            }
            self.made.push((made, judged.made));
        }
    }

    /// The removal, or a change, of what is at a place of the old tree.
    fn take_write_at(&mut self, old: &'a Element, place: &[usize]) {
        let mut at = At::root(old);
        let mut rights = Rights::default().below(self.old_marks.on(&at.chain, &at.path));
        for &index in place {
            match at.element().and_then(|element| element.children().get(index)) {
                Some(Node::Element(child)) => at = at.below(index, child),
                Some(Node::Comment(_)) => return self.take_write_of_comment(&at, rights),
                Some(Node::Text(_)) | None => return,
            }
            rights = rights.below(self.old_marks.on(&at.chain, &at.path));
        }
        self.take_write(&at, None, rights);
    }

    fn removal(&mut self, old_at: At<'a>, new_parent: &At<'a>, judged: Judged) {
        let mark = if self.in_place() {
            self.old_marks.on(&old_at.chain, &old_at.path)
        } else {
            // It is judged as if it were in its new parent still.
            let mut chain = new_parent.chain.clone();
            chain.extend(old_at.element());
            self.new_marks.on_pattern(&chain) | self.old_marks.on_found(&old_at.path)
        };
        self.take_write(&old_at, None, judged.present.below(mark));
    }

    fn creation(&mut self, made: Made<'a>, above: Rights) {
        let at = match made {
            Made::Element(at) => at,
            Made::Comment(parent) => return self.comment_creation(&parent, above),
        };
        let Some(element) = at.element() else { return };
        let rights = above.below(self.new_marks.on(&at.chain, &at.path));
        if self.merged && self.acl.is_empty() {
            // To set an attribute takes some right, even where any would do.
            for attribute in element.attributes() {
                self.take_write(&at, Some(attribute.name()), rights);
            }
        }
        let described = || described(element.name(), element.id());
        let mut attributes = element.attributes().iter();
        if attributes.all(|attribute| attribute.name().as_str() == "id") && !at.address().contains("/acls/") {
            self.note(NoteKind::Creation, || scaffolding(&described()));
        } else if rights.write == Verdict::Allowed && !self.acl.is_empty() {
            self.note(NoteKind::Creation, || format!("ACLs allow creation of {}", described()));
        } else {
            if !self.is_repetition() {
                self.take_write(&at, None, rights);
                self.note(NoteKind::Creation, || format!("ACLs disallow creation of {}", described()));
            }
            return;
        }
        for (index, node) in element.children().iter().enumerate() {
            match node {
                Node::Element(child) => self.creation(Made::Element(at.below(index, child)), rights),
                Node::Comment(_) => self.creation(Made::Comment(at.clone()), rights),
                Node::Text(_) => {}
            }
        }
    }

    fn comment_creation(&mut self, parent: &At<'a>, above: Rights) {
        if !format!("{}/comment", parent.address()).contains("/acls/") {
            self.note(NoteKind::Creation, || scaffolding(&described("comment", None)));
        } else if !self.is_repetition() {
            self.take_write_of_comment(parent, above);
        }
    }

    /// What was refused the first time is not there the second time.
    fn is_repetition(&self) -> bool {
        self.finishing && !self.in_place()
    }

    fn take_write_of_comment(&mut self, parent: &At<'a>, rights: Rights) {
        let address = || format!("{}/comment", parent.address());
        self.decide(address, rights.below(Mark::default()).write);
    }

    /// Says no if an element is not to be written.
    fn take_write(&mut self, at: &At<'a>, attribute: Option<&str>, rights: Rights) {
        let suffix = attribute.map(|name| format!("[@{name}]")).unwrap_or_default();
        self.decide(|| at.address() + &suffix, rights.write);
    }

    fn decide(&mut self, address: impl Fn() -> String, verdict: Verdict) {
        let why = match verdict {
            _ if self.acl.is_empty() => "Lack of ",
            Verdict::Allowed => return,
            Verdict::Unsaid => "Default ",
            Verdict::Denied => "",
            Verdict::ParentDenied => "Parent ",
        };
        self.allowed = false;
        let user = self.acl.user();
        self.note(NoteKind::Check, || {
            format!("{why}ACL denies user '{user}' read/write access to {}", address())
        });
    }

    fn note(&mut self, kind: NoteKind, text: impl FnOnce() -> String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Note { kind, text: text() });
        }
    }
}

fn described(name: &str, id: Option<&str>) -> String {
    format!("<{name}> with id=\"{}\"", id.unwrap_or("<unset>"))
}

fn scaffolding(described: &str) -> String {
    let (name, id) = described.split_once(" with ").unwrap_or((described, ""));
    format!("Creation of {name} scaffolding with {id} is implicitly allowed")
}

/// Which child of the old element is which of the new one, where they are not the same anyway.
struct Pairs {
    new_of_old: BTreeMap<usize, usize>,
    news_paired: BTreeSet<usize>,
    /// Children before this are the same in both.
    begin: usize,
    /// So are the old ones from here on, and the new ones from there on.
    old_end: usize,
    new_end: usize,
}

impl Checker<'_> {
    /// Children of one name and id go together, in their order. Those both share are the same anyway.
    fn pairs(&self, old: &Element, new: &Element, path: &[usize]) -> Pairs {
        let (olds, news) = (old.children(), new.children());
        let begin = olds.shared_begin(news);
        let most = olds.len().min(news.len()) - begin;
        let end = if self.in_place() { olds.shared_end(news, most) } else { 0 };
        let (old_end, new_end) = (olds.len() - end, news.len() - end);
        let mut pairs =
            Pairs { new_of_old: BTreeMap::new(), news_paired: BTreeSet::new(), begin, old_end, new_end };
        if self.in_place() && self.removed.is_empty() && only_ids_removed(old, new, begin..old_end) {
            pairs.new_of_old.extend((begin..old_end).zip(begin..old_end));
            pairs.news_paired.extend(begin..old_end);
            return pairs;
        }
        let mut free: BTreeMap<Key<'_>, VecDeque<usize>> = BTreeMap::new();
        for index in begin..new_end {
            if let Some(key) = news.get(index).and_then(|node| self.key(node, index)) {
                free.entry(key).or_default().push_back(index);
            }
        }
        for index in begin..old_end {
            let Some(key) = olds.get(index).and_then(|node| self.key(node, index)) else { continue };
            if self.is_removed(path, index) {
                continue;
            }
            if let Some(place) = free.get_mut(&key).and_then(VecDeque::pop_front) {
                pairs.new_of_old.insert(index, place);
                pairs.news_paired.insert(place);
            }
        }
        pairs
    }

    /// By what a child is told from others. Comments of a replacement have to be in the same place.
    fn key<'n>(&self, node: &'n Node, index: usize) -> Option<Key<'n>> {
        match node {
            Node::Element(element) => Some(Key::Element(element.name(), element.id())),
            Node::Comment(text) if self.in_place() => Some(Key::Comment(text, 0)),
            Node::Comment(text) => Some(Key::Comment(text, index)),
            Node::Text(_) => None,
        }
    }
}

/// Whether the children are the same ones in the same places, but that some have no id any more. `within` are those that
/// are not the same in memory.
fn only_ids_removed(old: &Element, new: &Element, within: Range<usize>) -> bool {
    let mut removed = false;
    let mut same = |(old, new): (&Node, &Node)| match (old, new) {
        (Node::Element(old), Node::Element(new)) => {
            removed |= old.id().is_some() && new.id().is_none();
            old.name() == new.name() && (new.id().is_none() || old.id() == new.id())
        }
        (old, new) => old == new,
    };
    let (olds, news) = (old.children(), new.children());
    olds.len() == news.len() && olds.range(within.clone()).zip(news.range(within)).all(&mut same) && removed
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'n> {
    Element(&'n str, Option<&'n str>),
    Comment(&'n str, usize),
}
