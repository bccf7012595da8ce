//! A small deterministic source of choices.

/// Splitmix64: enough for drawing test input.
pub(crate) struct Pick(u64);

impl Pick {
    /// Starts at a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n).unwrap()).unwrap()
    }

    /// True in `percent` of cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the list.
    pub(crate) fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// Between `low` and `high` different members, in list order.
    pub(crate) fn some<T: Clone>(&mut self, list: &[T], low: usize, high: usize) -> Vec<T> {
        let want = low + self.below(high - low + 1);
        let mut places: Vec<usize> = Vec::new();
        while places.len() < want.min(list.len()) {
            let place = self.below(list.len());
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.sort_unstable();
        places.into_iter().map(|p| list[p].clone()).collect()
    }
}
