//! Kubernetes' list functions, generic over the evaluator's values: a slice and a comparison in, an
//! answer out.
//!
//! Source: `k8s.io/apiserver/pkg/cel/library/lists.go` (Kubernetes 1.36). The functions know nothing of
//! CEL's types: which values compare, equal or add, and whether that can fail, is the caller's.

use std::cmp::Ordering;

/// True when no element is greater than the one after it. Elements that have no order (NaN) do not
/// make a list unsorted, as upstream.
///
/// # Errors
/// Whatever `compare` returns, at the first pair it refuses.
pub fn is_sorted<T, E>(
    items: &[T],
    mut compare: impl FnMut(&T, &T) -> Result<Option<Ordering>, E>,
) -> Result<bool, E> {
    for pair in items.windows(2) {
        if let [left, right] = pair
            && compare(left, right)? == Some(Ordering::Greater)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first least element; nothing for an empty list, which callers report as an error.
///
/// # Errors
/// Whatever `compare` returns.
pub fn min<T, E>(
    items: &[T],
    compare: impl FnMut(&T, &T) -> Result<Option<Ordering>, E>,
) -> Result<Option<&T>, E> {
    extreme(items, Ordering::Greater, compare)
}

/// The first greatest element; nothing for an empty list, which callers report as an error.
///
/// # Errors
/// Whatever `compare` returns.
pub fn max<T, E>(
    items: &[T],
    compare: impl FnMut(&T, &T) -> Result<Option<Ordering>, E>,
) -> Result<Option<&T>, E> {
    extreme(items, Ordering::Less, compare)
}

fn extreme<T, E>(
    items: &[T],
    replace_when: Ordering,
    mut compare: impl FnMut(&T, &T) -> Result<Option<Ordering>, E>,
) -> Result<Option<&T>, E> {
    let mut rest = items.iter();
    let Some(mut best) = rest.next() else {
        return Ok(None);
    };
    for item in rest {
        if compare(best, item)? == Some(replace_when) {
            best = item;
        }
    }
    Ok(Some(best))
}

/// The sum from the left; nothing for an empty list, whose sum is the zero of its element type and
/// `0` where the type is not known.
///
/// # Errors
/// Whatever `add` returns, for instance on overflow.
pub fn sum<T: Clone, E>(
    items: &[T],
    mut add: impl FnMut(T, &T) -> Result<T, E>,
) -> Result<Option<T>, E> {
    let mut rest = items.iter();
    let Some(first) = rest.next() else {
        return Ok(None);
    };
    let mut total = first.clone();
    for item in rest {
        total = add(total, item)?;
    }
    Ok(Some(total))
}

/// The position of the first element that equals, or -1.
///
/// # Errors
/// Whatever `equals` returns.
pub fn index_of<T, E>(items: &[T], equals: impl FnMut(&T) -> Result<bool, E>) -> Result<i64, E> {
    position(items.iter().enumerate(), equals)
}

/// The position of the last element that equals, or -1.
///
/// # Errors
/// Whatever `equals` returns.
pub fn last_index_of<T, E>(
    items: &[T],
    equals: impl FnMut(&T) -> Result<bool, E>,
) -> Result<i64, E> {
    position(items.iter().enumerate().rev(), equals)
}

fn position<'t, T: 't, E>(
    items: impl Iterator<Item = (usize, &'t T)>,
    mut equals: impl FnMut(&T) -> Result<bool, E>,
) -> Result<i64, E> {
    for (index, item) in items {
        if equals(item)? {
            return Ok(i64::try_from(index).unwrap_or(i64::MAX));
        }
    }
    Ok(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(a: &i64, b: &i64) -> Result<Option<Ordering>, ()> {
        Ok(Some(a.cmp(b)))
    }

    fn doubles(a: &f64, b: &f64) -> Result<Option<Ordering>, ()> {
        Ok(a.partial_cmp(b))
    }

    #[test]
    fn nan_neither_unsorts_nor_wins() {
        assert_eq!(is_sorted(&[1.0, f64::NAN, 0.5], doubles), Ok(true));
        assert_eq!(min(&[1.0, f64::NAN, 0.5], doubles), Ok(Some(&0.5)));
    }

    #[test]
    fn errors_and_empty_lists_are_told_apart() {
        assert_eq!(min(&[], ints), Ok(None));
        assert_eq!(min(&[1, 2], |_, _| Err("no order")), Err("no order"));
        assert_eq!(sum(&[], |a: i64, b| Ok::<_, ()>(a + b)), Ok(None));
        let checked = |a: i64, b: &i64| a.checked_add(*b).ok_or("overflow");
        assert_eq!(sum(&[i64::MAX, 1], checked), Err("overflow"));
    }

    #[test]
    fn positions_count_from_either_end() {
        let is = |wanted: i32| move |value: &i32| Ok::<_, ()>(*value == wanted);
        assert_eq!(index_of(&[1, 2, 2], is(2)), Ok(1));
        assert_eq!(last_index_of(&[1, 2, 2], is(2)), Ok(2));
        assert_eq!(last_index_of(&[1, 2, 2], is(3)), Ok(-1));
    }
}
