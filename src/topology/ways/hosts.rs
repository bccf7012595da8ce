//! Host names of listeners and routes. Input: two lists of names, perhaps with a leading `*.`; output: what both mean.
//!
//! kubernetes-sigs/gateway-api `apis/v1/httproute_types.go` (hostnames): a wildcard covers any number of labels, never none.

/// The narrower of two names; `None` when no host fits both. `*` and the empty name are every host.
pub(super) fn both<'h>(a: &'h str, b: &'h str) -> Option<&'h str> {
    if is_any(a) {
        return Some(b);
    }
    if is_any(b) || a.eq_ignore_ascii_case(b) {
        return Some(a);
    }
    if covers(a, b) {
        Some(b)
    } else if covers(b, a) {
        Some(a)
    } else {
        None
    }
}

/// The names that fit a listener's and a route's; `None` when there is none. An empty list is every host.
pub(super) fn common(listener: &[&str], route: &[&str]) -> Option<Vec<String>> {
    let every = [""];
    let side = |list: &[&str]| -> Vec<String> {
        let list = if list.is_empty() { &every[..] } else { list };
        list.iter().map(|h| (*h).to_owned()).collect()
    };
    let (left, right) = (side(listener), side(route));
    let mut found: Vec<String> = left
        .iter()
        .flat_map(|a| right.iter().filter_map(|b| both(a, b)))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    if found.is_empty() {
        return None;
    }
    if found.iter().any(|h| is_any(h)) {
        found.clear();
    }
    Some(found)
}

fn is_any(host: &str) -> bool {
    matches!(host, "" | "*")
}

/// Whether `*.example.com` covers a host or a narrower wildcard.
fn covers(wide: &str, narrow: &str) -> bool {
    let Some(suffix) = wide.strip_prefix('*') else {
        return false;
    };
    let (narrow, suffix) = (narrow.to_ascii_lowercase(), suffix.to_ascii_lowercase());
    let rest = narrow.strip_prefix('*').unwrap_or(&narrow);
    rest.len() >= suffix.len() && rest.ends_with(&suffix) && narrow != suffix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_covers_labels_but_never_none() {
        assert_eq!(both("*.a.com", "x.a.com"), Some("x.a.com"));
        assert_eq!(both("x.y.a.com", "*.a.com"), Some("x.y.a.com"));
        assert_eq!(both("*.a.com", "*.b.a.com"), Some("*.b.a.com"));
        assert_eq!(both("*.a.com", "a.com"), None);
        assert_eq!(both("*.a.com", "ba.com"), None);
        assert_eq!(both("*", "a.com"), Some("a.com"));
        assert_eq!(both("A.com", "a.COM"), Some("A.com"));
    }

    #[test]
    fn lists_meet_in_their_common_hosts() {
        assert_eq!(common(&[], &[]), Some(vec![]));
        assert_eq!(common(&["*.a.com"], &[]), Some(vec!["*.a.com".to_owned()]));
        assert_eq!(common(&["b.com"], &["a.com"]), None);
        assert_eq!(
            common(&["*.a.com"], &["x.a.com", "x.b.com"]),
            Some(vec!["x.a.com".to_owned()])
        );
    }
}
