// SPDX-License-Identifier: GPL-2.0-or-later
//! Sorting that bears comparisons which contradict themselves.
//!
//! Decides: a stable merge sort that halves its input the same way as the peers' do. Histories are compared by call
//! ids where there are any and by other things where not, which is no total order; the outcome then depends on who is
//! compared with whom, and it has to be the same in every implementation of a cluster.

use std::cmp::Ordering;

/// Sorts; equal ones stay in their order.
pub fn merge_sort<T: Clone>(items: &[T], compare: &impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    if items.len() < 2 {
        return items.to_vec();
    }
    if let [first, second] = items {
        let in_order = compare(first, second) != Ordering::Greater;
        let (first, second) = if in_order { (first, second) } else { (second, first) };
        return vec![first.clone(), second.clone()];
    }
    let (left, right) = items.split_at(items.len() / 2);
    let (left, right) = (merge_sort(left, compare), merge_sort(right, compare));
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut out = Vec::with_capacity(items.len());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let take_left = compare(a, b) != Ordering::Greater;
        out.extend(if take_left { left.next() } else { right.next() });
    }
    out.extend(left);
    out.extend(right);
    out
}

/// Puts an item into a sorted list, before those equal to it.
pub fn insert_sorted<T>(list: &mut Vec<T>, item: T, compare: impl Fn(&T, &T) -> Ordering) {
    let place = list.iter().position(|other| compare(&item, other) != Ordering::Greater);
    list.insert(place.unwrap_or(list.len()), item);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_and_keeps_equals_in_order() {
        let items = [(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        let sorted = merge_sort(&items, &|a, b| a.0.cmp(&b.0));
        assert_eq!(sorted, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
    }

    #[test]
    fn contradictions_do_no_harm() {
        let items: Vec<i32> = (0..100).collect();
        let odd = merge_sort(&items, &|a, b| if (a + b) % 3 == 0 { Ordering::Greater } else { a.cmp(b) });
        assert_eq!(odd.len(), 100);
    }

    #[test]
    fn inserts_before_equals() {
        let mut list = vec![(1, 'a'), (2, 'b'), (3, 'c')];
        insert_sorted(&mut list, (2, 'x'), |a, b| a.0.cmp(&b.0));
        assert_eq!(list, [(1, 'a'), (2, 'x'), (2, 'b'), (3, 'c')]);
    }
}
