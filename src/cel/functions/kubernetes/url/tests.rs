use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// net/url/url_test.go: `parseRequestURLTests`.
#[test]
fn request_uris_are_absolute() {
    for (text, valid) in [
        ("http://foo.com", true),
        ("http://foo.com/", true),
        ("http://foo.com/path", true),
        ("/", true),
        ("//not.a.user@not.a.host/just/a/path", true),
        ("//not.a.user@%66%6f%6f.com/just/a/path/also", true),
        ("*", true),
        ("http://192.168.0.1/", true),
        ("http://192.168.0.1:8080/", true),
        ("http://[fe80::1]/", true),
        ("http://[fe80::1]:8080/", true),
        ("http://[fe80::1%25en0]/", true),
        ("http://[fe80::1%25en0]:8080/", true),
        ("http://[fe80::1%25%65%6e%301-._~]/", true),
        ("http://[fe80::1%25%65%6e%301-._~]:8080/", true),
        ("http://a:1:2/", false),
        ("db://a:1,b:2/", true),
        ("foo.html", false),
        ("../dir/", false),
        (" http://foo.com", false),
        ("http://192.168.0.%31/", false),
        ("http://192.168.0.%31:8080/", false),
        ("http://[fe80::%31]/", false),
        ("http://[fe80::%31]:8080/", false),
        ("http://[fe80::1", false),
        ("http://[1.2.3.4]/", false),
        ("", false),
    ] {
        assert_eq!(Url::is_url(text), valid, "{text}");
    }
}

/// net/url/url_test.go: `escapedPath` and `RawPath` cases of `urltests`.
#[test]
fn a_written_encoding_is_kept_and_a_default_one_made() {
    assert_eq!(url("http://www.google.com/a%20b").escaped_path(), "/a%20b");
    assert_eq!(url("http://x.com/a%2Fb").escaped_path(), "/a%2Fb");
    assert_eq!(url("http://x.com/[a]").escaped_path(), "/[a]");
    assert_eq!(url("http://x.com/a|b").escaped_path(), "/a%7Cb");
    assert_eq!(url("http://x.com/\u{e4}").escaped_path(), "/%C3%A4");
    assert_eq!(url("mailto:webmaster@golang.org").escaped_path(), "");
}

#[test]
fn a_fragment_is_no_path() {
    let parsed = url("https://example.com/path#anchor");
    assert_eq!(parsed.escaped_path(), "/path");
    assert!(Url::is_url("https://example.com/?a#%zz"));
    assert_eq!(
        Url::parse("https://example.com/?a#%zz"),
        Err(UrlError::Escape("%zz".to_owned()))
    );
}

#[test]
fn query_pairs_that_cannot_be_read_are_left_out() {
    let query = url("/p?a=1&b=%zz&c;d=2&=e&a=%20+").query();
    let expected: BTreeMap<_, _> = [
        (String::new(), vec!["e".to_owned()]),
        ("a".to_owned(), vec!["1".to_owned(), "  ".to_owned()]),
    ]
    .into();
    assert_eq!(query, expected);
}

#[test]
fn errors_say_what_is_wrong() {
    assert_eq!(Url::parse(":x"), Err(UrlError::MissingScheme));
    assert_eq!(Url::parse("http://a b/"), Err(UrlError::HostCharacter(' ')));
    assert_eq!(
        Url::parse("http://a:b/"),
        Err(UrlError::Port(":b".to_owned()))
    );
    assert_eq!(Url::parse("http://u\u{7f}@a/"), Err(UrlError::Control));
    assert_eq!(Url::parse("http://u|@a/"), Err(UrlError::UserInfo));
    assert_eq!(Url::parse("/%g1"), Err(UrlError::Escape("%g1".to_owned())));
}
