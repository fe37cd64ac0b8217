// SPDX-License-Identifier: GPL-2.0-or-later
//! A disk that stops after any system call, or refuses any: afterwards the old CIB or the new one is there.

use super::disk::{Disk, Owner};
use super::{Source, Store};
use model::Profile;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use xml::Element;

/// Names, and the numbers of the files that have them.
type Names = BTreeMap<PathBuf, usize>;

#[derive(Clone, Debug, Default)]
struct Inode {
    /// What a program sees.
    content: Vec<u8>,
    /// What is really on the disk.
    synced: Vec<u8>,
    /// When its names changed last, by calls.
    changed_at: usize,
}

#[derive(Clone, Debug, Default)]
struct State {
    inodes: Vec<Inode>,
    names: Names,
    /// The names as they were when the folder was synced, and after every change since.
    history: Vec<Names>,
    calls: usize,
    /// The calls that were made, for people.
    log: Vec<String>,
}

/// What happens to the call of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing is done from that one on: the power is gone.
    Stops(usize),
    /// That one fails.
    Fails(usize),
    /// That one and all that need room after it fail: the disk is full.
    Full(usize),
    Works,
}

#[derive(Debug)]
struct FakeDisk {
    state: Mutex<State>,
    fate: Fate,
}

impl FakeDisk {
    fn new(state: State, fate: Fate) -> Arc<FakeDisk> {
        Arc::new(FakeDisk { state: Mutex::new(State { calls: 0, log: Vec::new(), ..state }), fate })
    }

    fn state(&self) -> State {
        self.state.lock().unwrap().clone()
    }

    /// Does a call that changes something, if it is to be done.
    fn call<T>(
        &self,
        what: &str,
        needs_room: bool,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state.lock().unwrap();
        let number = state.calls;
        state.calls += 1;
        state.log.push(what.to_owned());
        match self.fate {
            Fate::Stops(at) if number >= at => return Err(io::Error::other("no power")),
            Fate::Fails(at) if number == at => return Err(io::Error::other("no luck")),
            Fate::Full(at) if number >= at && needs_room => return Err(io::ErrorKind::StorageFull.into()),
            _ => {}
        }
        work(&mut state)
    }
}

impl State {
    fn inode(&mut self, path: &Path) -> io::Result<&mut Inode> {
        let number = *self.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        self.inodes.get_mut(number).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn renamed(&mut self, path: &Path) {
        let calls = self.calls;
        if let Ok(inode) = self.inode(path) {
            inode.changed_at = calls;
        }
        self.history.push(self.names.clone());
    }

    /// What may be found after the power is back: of the changes of names since the folder was synced any number may be
    /// on the disk, the first ones first; and of files what was written, or only what was synced.
    fn after_a_crash(&self) -> Vec<State> {
        let settle = |names: &Names, keeps_writes: bool| {
            let inodes = self.inodes.iter().map(|inode| {
                let content = if keeps_writes { inode.content.clone() } else { inode.synced.clone() };
                Inode { synced: content.clone(), content, changed_at: inode.changed_at }
            });
            let (inodes, names) = (inodes.collect(), names.clone());
            State { inodes, history: vec![names.clone()], names, ..State::default() }
        };
        self.history.iter().flat_map(|names| [settle(names, true), settle(names, false)]).collect()
    }
}

impl Disk for FakeDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.state.lock().unwrap().inode(path).map(|inode| inode.content.clone())
    }

    fn create(&self, path: &Path, _owner: Option<Owner>) -> io::Result<()> {
        self.call(&format!("create {}", path.display()), true, |state| {
            if state.names.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.inodes.push(Inode::default());
            state.names.insert(path.to_owned(), state.inodes.len() - 1);
            state.renamed(path);
            Ok(())
        })
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.call(&format!("write {}", path.display()), true, |state| {
            state.inode(path)?.content = content.to_vec();
            Ok(())
        })
        .inspect_err(|_| {
            // Half of it may be there all the same.
            if let Ok(inode) = self.state.lock().unwrap().inode(path) {
                inode.content = content.get(..content.len() / 2).unwrap_or_default().to_vec();
            }
        })
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.call(&format!("sync {}", path.display()), false, |state| {
            let inode = state.inode(path)?;
            inode.synced.clone_from(&inode.content);
            Ok(())
        })
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        self.call("sync the folder", false, |state| {
            state.history = vec![state.names.clone()];
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(&format!("rename {} {}", from.display(), to.display()), false, |state| {
            let number = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.names.insert(to.to_owned(), number);
            state.renamed(to);
            Ok(())
        })
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(&format!("link {} {}", from.display(), to.display()), true, |state| {
            let number = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
            if state.names.contains_key(to) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.names.insert(to.to_owned(), number);
            state.renamed(to);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(&format!("remove {}", path.display()), false, |state| {
            state.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
            state.history.push(state.names.clone());
            Ok(())
        })
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.call(&format!("make {}", path.display()), true, |_| Ok(()))
    }

    fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let state = self.state();
        let mut files: Vec<(usize, PathBuf)> = state
            .names
            .iter()
            .filter(|(path, _)| path.parent() == Some(folder))
            .map(|(path, number)| {
                (state.inodes.get(*number).map_or(0, |inode| inode.changed_at), path.clone())
            })
            .collect();
        files.sort();
        files.into_iter().rev().map(|(_, path)| path).collect()
    }
}

fn store(disk: &Arc<FakeDisk>) -> Store {
    Store { disk: Arc::clone(disk) as Arc<dyn Disk>, ..Store::new("/cib", Profile::V3_0) }
}

fn numbered(epoch: usize) -> Element {
    let mut cib = crate::empty(Profile::V3_0).with_attr("epoch", epoch);
    cib.child_or_insert("configuration").push(Element::new("tags").with_attr("x", "y".repeat(epoch)));
    cib
}

/// Which CIB is there.
fn epoch_of(disk: &Arc<FakeDisk>) -> usize {
    let loaded = store(disk).read();
    assert_ne!(loaded.source, Source::Nothing, "{:?}", loaded.warnings);
    let epoch = loaded.cib.attr("epoch").unwrap().parse().unwrap();
    let found = loaded.cib.descend(&["configuration", "tags"]).and_then(|tags| tags.attr("x")).map(str::len);
    assert_eq!(found, Some(epoch), "it is whole");
    epoch
}

/// A disk to which CIBs up to this epoch have been written.
fn with_cibs(epoch: usize) -> State {
    let disk = FakeDisk::new(State { history: vec![Names::new()], ..State::default() }, Fate::Works);
    for epoch in 1..=epoch {
        store(&disk).write(&numbered(epoch), "now").unwrap();
    }
    disk.state()
}

/// How many calls a write takes that nothing disturbs.
fn calls_of_a_write(before: &State, epoch: usize) -> usize {
    let disk = FakeDisk::new(before.clone(), Fate::Works);
    store(&disk).write(&numbered(epoch), "now").unwrap();
    disk.state().calls
}

/// Writes on a disk that has this fate; what is then on it, and whether it was said to be done.
fn written(before: &State, epoch: usize, fate: Fate) -> (State, bool) {
    let disk = FakeDisk::new(before.clone(), fate);
    let done = store(&disk).write(&numbered(epoch), "now").is_ok();
    (disk.state(), done)
}

#[test]
fn a_crash_between_any_two_calls_leaves_the_old_or_the_new() {
    // The first ones, some in the middle, and one that takes the number of an old backup.
    for old in [1, 2, 101, 102] {
        let before = with_cibs(old);
        let new = old + 1;
        let calls = calls_of_a_write(&before, new);
        assert!(calls > 10, "{calls}");
        for at in 0..=calls {
            let (state, done) = written(&before, new, Fate::Stops(at));
            assert_eq!(done, at == calls);
            for after in state.after_a_crash() {
                let disk = FakeDisk::new(after, Fate::Works);
                let found = epoch_of(&disk);
                let context = || format!("power lost after call {at} of {:?}: {found}", state.log);
                assert!(found == new || found == old && !done, "{}", context());
                // And life goes on.
                store(&disk)
                    .write(&numbered(new + 1), "now")
                    .unwrap_or_else(|error| panic!("{error}; {}", context()));
                assert_eq!(epoch_of(&disk), new + 1, "{}", context());
            }
        }
    }
}

#[test]
fn a_call_that_fails_or_a_full_disk_leave_the_old_or_the_new() {
    for old in [1, 2, 101] {
        let before = with_cibs(old);
        let new = old + 1;
        for at in 0..calls_of_a_write(&before, new) {
            for fate in [Fate::Fails(at), Fate::Full(at)] {
                let (state, done) = written(&before, new, fate);
                let disk = FakeDisk::new(state.clone(), Fate::Works);
                let found = epoch_of(&disk);
                assert!(found == new || found == old && !done, "{fate:?} of {:?}: {found}", state.log);
                assert!(
                    !state.names.contains_key(Path::new("/cib/cib.new")),
                    "{fate:?} leaves half a CIB behind"
                );
                store(&disk).write(&numbered(new + 1), "now").unwrap();
                assert_eq!(epoch_of(&disk), new + 1, "{fate:?} of {:?}", state.log);
            }
        }
    }
}

#[test]
fn a_disk_that_stays_full_keeps_what_it_has() {
    let mut state = with_cibs(3);
    for epoch in 4..8 {
        let (after, done) = written(&state, epoch, Fate::Full(0));
        assert!(!done);
        state = after;
    }
    assert_eq!(epoch_of(&FakeDisk::new(state, Fate::Works)), 3);
}

#[test]
fn what_is_damaged_is_not_used_and_the_newest_backup_is() {
    let live = || PathBuf::from("/cib/cib.xml");
    let signature = || PathBuf::from("/cib/cib.xml.sig");
    let cut = |content: &mut Vec<u8>| content.truncate(content.len() / 2);
    let empty = |content: &mut Vec<u8>| content.clear();
    let edit = |content: &mut Vec<u8>| {
        let text = String::from_utf8(content.clone()).unwrap().replace("epoch=\"3\"", "epoch=\"9\"");
        *content = text.into_bytes();
    };
    let foreign = |content: &mut Vec<u8>| *content = b"\xff\xfe<cib/>".to_vec();
    let other = |content: &mut Vec<u8>| *content = b"<html/>".to_vec();
    type Damage<'a> = &'a dyn Fn(&mut Vec<u8>);
    let damages: [(PathBuf, Damage<'_>); 8] = [
        (live(), &cut),
        (live(), &empty),
        (live(), &edit),
        (live(), &foreign),
        (live(), &other),
        (signature(), &cut),
        (signature(), &empty),
        (signature(), &foreign),
    ];
    for (number, (path, damage)) in damages.into_iter().enumerate() {
        let mut state = with_cibs(3);
        // A backup is the same file under another name: what is damaged is a new one in its place.
        let mut content = state.inode(&path).unwrap().content.clone();
        damage(&mut content);
        state.inodes.push(Inode { synced: content.clone(), content, changed_at: 1_000 });
        state.names.insert(path, state.inodes.len() - 1);
        let disk = FakeDisk::new(state, Fate::Works);
        let loaded = store(&disk).read();
        assert_eq!(loaded.cib.attr("epoch"), Some("2"), "damage {number}: {:?}", loaded.warnings);
        assert!(matches!(loaded.source, Source::Backup(_)), "damage {number}");
        assert!(
            loaded.warnings.iter().any(|text| text.starts_with("Continuing but NOT using CIB")),
            "damage {number}"
        );
        store(&disk).write(&numbered(4), "now").unwrap();
        assert_eq!(epoch_of(&disk), 4, "damage {number}");
    }
    // Without any signature it is believed, as Pacemaker believes it.
    let mut state = with_cibs(3);
    state.names.remove(&signature());
    assert_eq!(epoch_of(&FakeDisk::new(state, Fate::Works)), 3);
}

#[test]
fn backups_begin_again_after_the_last_number() {
    let state = with_cibs(103);
    let backups = state.names.keys().filter(|path| path.to_string_lossy().ends_with(".raw")).count();
    assert_eq!(backups, 100);
    let content = |name: &str| {
        let number = state.names.get(Path::new(name)).unwrap();
        String::from_utf8(state.inodes.get(*number).unwrap().content.clone()).unwrap()
    };
    assert!(content("/cib/cib-0.raw").contains("epoch=\"101\""));
    assert!(content("/cib/cib-1.raw").contains("epoch=\"102\""));
    assert!(content("/cib/cib-2.raw").contains("epoch=\"3\""));
    assert_eq!(content("/cib/cib.last"), "2");
}
