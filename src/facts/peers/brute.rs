//! The set algebra against brute force: every request of a small universe, one by one.

use proptest::prelude::*;

use super::identity::{IdentityPattern, TokenPattern};
use super::{Address, Atom, Cube, Identity, Literal, PeerSet, Request, Text, Token};
use crate::facts::pattern::Pattern;
use crate::facts::peers::addresses::Network;

/// One string for every cell that patterns over `a`, `ab`, `b` can tell apart.
const WORDS: [&str; 8] = ["a", "ab", "b", "-", "a-", "ab-", "-b", "ab-b"];
const PATTERNS: [&str; 7] = ["a", "ab", "b", "a*", "ab*", "*b", "*"];
const NETS: [&str; 4] = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "192.168.0.1"];
const SOURCES: [&str; 5] = [
    "10.1.0.1",
    "10.2.0.1",
    "192.168.0.1",
    "172.16.0.1",
    "fd00::1",
];

fn words() -> impl Strategy<Value = Vec<Pattern>> {
    prop::collection::vec(prop::sample::select(&PATTERNS[..]), 1..3)
        .prop_map(|list| list.into_iter().map(Pattern::star).collect())
}

fn atom() -> impl Strategy<Value = Atom> {
    let part = || prop::sample::select(&PATTERNS[..]).prop_map(Pattern::star);
    let identity = (part(), part()).prop_map(|(namespace, account)| IdentityPattern {
        trust_domain: Pattern::Any,
        namespace,
        account,
    });
    let token = part().prop_map(|subject| TokenPattern {
        issuer: Pattern::Exact("i".to_owned()),
        subject_optional: subject == Pattern::Any,
        subject,
    });
    prop_oneof![
        prop::collection::vec(identity, 1..3).prop_map(Atom::Identity),
        prop::collection::vec(token, 1..3).prop_map(Atom::Token),
        words().prop_map(|w| Atom::Text(Text::Path, w)),
        words().prop_map(|w| Atom::Text(Text::Header("h".to_owned()), w)),
        prop::collection::vec(prop::sample::select(&NETS[..]), 1..3).prop_map(|list| {
            let nets = list.into_iter().map(|n| Network::parse(n).unwrap());
            Atom::Address(Address::Source, nets.collect())
        }),
    ]
}

fn set() -> impl Strategy<Value = PeerSet> {
    let literal = (atom(), any::<bool>()).prop_map(|(atom, positive)| Literal {
        atom: std::sync::Arc::new(atom),
        positive,
    });
    let cube = prop::collection::vec(literal, 0..3).prop_map(Cube::of);
    prop::collection::vec(cube, 0..3).prop_map(PeerSet::of)
}

/// Every request of the universe, built once.
fn universe() -> &'static [Request] {
    static ALL: std::sync::OnceLock<Vec<Request>> = std::sync::OnceLock::new();
    ALL.get_or_init(requests)
}

fn requests() -> Vec<Request> {
    let mut identities = vec![None];
    for namespace in WORDS {
        for account in WORDS {
            identities.push(Some(Identity {
                trust_domain: "t".to_owned(),
                namespace: namespace.to_owned(),
                account: account.to_owned(),
            }));
        }
    }
    let tokens = WORDS.iter().map(|s| {
        Some(Token {
            issuer: "i".to_owned(),
            subject: (*s).to_owned(),
            ..Token::default()
        })
    });
    let tokens: Vec<Option<Token>> = tokens.chain([None]).collect();
    let mut all = Vec::new();
    for identity in &identities {
        for token in &tokens {
            for source in SOURCES {
                for (path, header) in WORDS.iter().zip(WORDS.iter().cycle().skip(3)) {
                    for header in [Some(header), Some(path), None] {
                        all.push(Request {
                            identity: identity.clone(),
                            token: token.clone(),
                            source: source.parse().unwrap(),
                            path: (*path).to_owned(),
                            headers: header
                                .map(|h| ("h".to_owned(), (*h).to_owned()))
                                .into_iter()
                                .collect(),
                            ..Request::default()
                        });
                    }
                }
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn operations_agree_with_every_request(a in set(), b in set()) {
        let both = a.intersect(&b);
        let either = a.clone().union(b.clone());
        let left = a.subtract(&b);
        prop_assert!(!left.widened);
        let (mut in_both, mut in_left) = (false, false);
        for request in universe().iter().step_by(31) {
            let (x, y) = (a.admits(request), b.admits(request));
            prop_assert_eq!(both.admits(request), x && y);
            prop_assert_eq!(either.admits(request), x || y);
            prop_assert_eq!(left.admits(request), x && !y);
            in_both |= x && y;
            in_left |= x && !y;
        }
        // What the algebra calls empty holds nothing.
        prop_assert!(!(both.is_empty() && in_both));
        prop_assert!(!(a.is_subset(&b) && in_left));
    }

    #[test]
    fn a_cube_is_empty_exactly_when_no_request_fits(a in set()) {
        let universe = universe();
        for cube in &a.cubes {
            // Paths and headers are drawn together; a cube over both may need a pair that is not there.
            let texts = cube.literals.iter().filter(|l| matches!(l.atom.as_ref(), Atom::Text(..)));
            if texts.count() < 2 {
                prop_assert!(universe.iter().any(|r| cube.admits(r)), "{cube:?}");
            }
        }
    }
}
