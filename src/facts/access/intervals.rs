//! Sets of numbers: ports, addresses, numbered pods. Input: closed intervals; output: union, intersection, difference, exact.

/// A set as sorted intervals, closed on both sides.
///
/// INVARIANT: intervals are sorted, do not overlap and do not touch, so that equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Intervals(Vec<(u128, u128)>);

impl Intervals {
    /// The empty set.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// All numbers from `low` to `high`; empty when `low` is the greater.
    #[must_use]
    pub fn of(low: u128, high: u128) -> Self {
        Self(if low <= high {
            vec![(low, high)]
        } else {
            Vec::new()
        })
    }

    /// The union of intervals in any order.
    #[must_use]
    pub fn from_list(mut list: Vec<(u128, u128)>) -> Self {
        list.retain(|(low, high)| low <= high);
        list.sort_unstable();
        let mut set = Self::none();
        for next in list {
            set.push(next);
        }
        set
    }

    /// Adds an interval that starts no lower than the last one.
    fn push(&mut self, (low, high): (u128, u128)) {
        match self.0.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => self.0.push((low, high)),
        }
    }

    /// The intervals in order.
    #[must_use]
    pub fn ranges(&self) -> &[(u128, u128)] {
        &self.0
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a number is in the set.
    #[must_use]
    pub fn contains(&self, number: u128) -> bool {
        let after = self.0.partition_point(|(low, _)| *low <= number);
        after
            .checked_sub(1)
            .and_then(|at| self.0.get(at))
            .is_some_and(|(_, high)| number <= *high)
    }

    /// Numbers of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = Self(Vec::with_capacity(self.0.len() + other.0.len()));
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            let next = if a <= b { &mut ours } else { &mut theirs };
            if let Some(range) = next.next() {
                both.push(*range);
            }
        }
        ours.chain(theirs).for_each(|range| both.push(*range));
        both
    }

    /// Numbers of both sets. A short set meets a long one without a walk through the long one.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut both = Self::none();
        let (mut ours, mut theirs) = (self.0.as_slice(), other.0.as_slice());
        while let ([a, our_rest @ ..], [b, their_rest @ ..]) = (ours, theirs) {
            if a.1 < b.0 {
                ours = from(ours, b.0);
            } else if b.1 < a.0 {
                theirs = from(theirs, a.0);
            } else {
                both.push((a.0.max(b.0), a.1.min(b.1)));
                if a.1 <= b.1 {
                    ours = our_rest;
                } else {
                    theirs = their_rest;
                }
            }
        }
        both
    }

    /// Numbers of this set that the other does not hold. A short set is cut without a walk through a long one.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut left = Self::none();
        let mut cuts = other.0.as_slice();
        for &(low, high) in &self.0 {
            cuts = from(cuts, low);
            let mut start = Some(low);
            for cut in cuts.iter().take_while(|cut| cut.0 <= high) {
                if let Some(from) = start.filter(|from| cut.0 > *from) {
                    left.push((from, cut.0 - 1));
                }
                start = cut.1.checked_add(1).filter(|next| *next <= high);
            }
            if let Some(from) = start {
                left.push((from, high));
            }
        }
        left
    }

    /// Whether the other set holds all of this one.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.subtract(other).is_empty()
    }
}

/// The intervals that do not end before a number. Gallops: cheap where few are left out, and where many are.
fn from(ranges: &[(u128, u128)], low: u128) -> &[(u128, u128)] {
    let ends_before = |range: &(u128, u128)| range.1 < low;
    let mut bound = 1;
    while ranges.get(bound - 1).is_some_and(ends_before) {
        bound *= 2;
    }
    let (known, open) = (bound / 2, bound.min(ranges.len()));
    let within = ranges.get(known..open).unwrap_or_default();
    let first = known + within.partition_point(ends_before);
    ranges.get(first..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every subset of 0..8 as a bit mask.
    fn set(mask: u32) -> Intervals {
        let bits = (0..8).filter(|bit| mask >> bit & 1 == 1);
        Intervals::from_list(bits.map(|bit| (bit, bit)).collect())
    }

    fn mask(set: &Intervals) -> u32 {
        (0..8)
            .filter(|bit| set.contains(*bit))
            .map(|bit| 1u32 << bit)
            .sum()
    }

    #[test]
    fn algebra_agrees_with_bits_on_all_small_sets() {
        for a in 0..256u32 {
            assert_eq!(mask(&set(a)), a);
            for b in 0..256u32 {
                let (left, right) = (set(a), set(b));
                assert_eq!(left.union(&right), set(a | b));
                assert_eq!(left.intersect(&right), set(a & b));
                assert_eq!(left.subtract(&right), set(a & !b));
                assert_eq!(left.is_subset(&right), a & !b == 0);
            }
        }
    }

    #[test]
    fn a_short_set_meets_a_long_one() {
        let long = Intervals::from_list((0..1000).map(|n| (n * 4, n * 4 + 1)).collect());
        let short = Intervals::from_list(vec![(7, 9), (2001, 2004), (3998, 9999)]);
        let both = Intervals::from_list(vec![(8, 9), (2001, 2001), (2004, 2004)]);
        assert_eq!(short.intersect(&long), both);
        assert_eq!(long.intersect(&short), both);
        let left = Intervals::from_list(vec![(7, 7), (2002, 2003), (3998, 9999)]);
        assert_eq!(short.subtract(&long), left);
        assert_eq!(left.union(&both), short);
    }

    #[test]
    fn the_ends_of_the_numbers_do_not_overflow() {
        let all = Intervals::of(0, u128::MAX);
        assert!(all.subtract(&all).is_empty());
        assert_eq!(all.union(&all), all);
        let one = Intervals::of(u128::MAX, u128::MAX);
        assert_eq!(all.subtract(&one), Intervals::of(0, u128::MAX - 1));
        assert!(Intervals::of(2, 1).is_empty());
    }
}
