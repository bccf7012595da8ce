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
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        let mut both = self.0.clone();
        both.extend(&other.0);
        Self::from_list(both)
    }

    /// Numbers of both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut both = Self::none();
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            let (low, high) = (a.0.max(b.0), a.1.min(b.1));
            if low <= high {
                both.push((low, high));
            }
            if a.1 <= b.1 {
                ours.next();
            } else {
                theirs.next();
            }
        }
        both
    }

    /// Numbers of this set that the other does not hold.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut left = Self::none();
        let mut cuts = other.0.iter().peekable();
        for &(low, high) in &self.0 {
            let mut start = Some(low);
            while let (Some(from), Some(cut)) = (start, cuts.peek()) {
                if cut.1 < from {
                    cuts.next();
                    continue;
                }
                if cut.0 > high {
                    break;
                }
                if cut.0 > from {
                    left.push((from, cut.0 - 1));
                }
                start = cut.1.checked_add(1).filter(|next| *next <= high);
                if start.is_some() {
                    cuts.next();
                }
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
    fn the_ends_of_the_numbers_do_not_overflow() {
        let all = Intervals::of(0, u128::MAX);
        assert!(all.subtract(&all).is_empty());
        assert_eq!(all.union(&all), all);
        let one = Intervals::of(u128::MAX, u128::MAX);
        assert_eq!(all.subtract(&one), Intervals::of(0, u128::MAX - 1));
        assert!(Intervals::of(2, 1).is_empty());
    }
}
