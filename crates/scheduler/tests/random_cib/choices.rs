// SPDX-License-Identifier: GPL-2.0-or-later
//! Where choices come from.
//!
//! Decides: nothing, that is the point. Given: a seed, or a list. Leaves to others: what is chosen among.

/// A source of choices that is the same every time.
pub struct Choices {
    list: Vec<u16>,
    at: usize,
    /// What goes on when the list has ended; without it, with zeros.
    state: Option<u64>,
}

impl Choices {
    /// Endless choices from a seed.
    pub fn from_seed(seed: u64) -> Choices {
        Choices { list: Vec::new(), at: 0, state: Some(seed) }
    }

    /// These choices, then the plainest.
    #[allow(dead_code)] // used where properties are tested
    pub fn from_list(list: Vec<u16>) -> Choices {
        Choices { list, at: 0, state: None }
    }

    fn raw(&mut self) -> u16 {
        self.at += 1;
        if let Some(&choice) = self.list.get(self.at - 1) {
            return choice;
        }
        let Some(state) = &mut self.state else { return 0 };
        // SplitMix64: every seed begins somewhere else, neighbours too.
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 40) as u16
    }

    /// A number below a limit.
    pub fn next(&mut self, below: usize) -> usize {
        usize::from(self.raw()) % below.max(1)
    }

    /// A number below a limit, more often small.
    pub fn rarely(&mut self, below: usize) -> usize {
        let most = self.next(below) + 1;
        self.next(most)
    }

    /// Whether something that is so in so many cases of a hundred is so.
    pub fn chance(&mut self, percent: u32) -> bool {
        u32::from(self.raw()) % 100 >= 100 - percent
    }

    /// One of several.
    pub fn of<'t, T: ?Sized>(&mut self, several: &'t [&'t T]) -> &'t T {
        several[self.next(several.len())]
    }

    /// One of several, if there are any.
    pub fn pick<'t>(&mut self, several: &'t [String]) -> Option<&'t String> {
        several.get(self.next(several.len()))
    }
}
