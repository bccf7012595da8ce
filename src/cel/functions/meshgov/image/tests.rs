use super::*;

const HASH: &str = "sha256:86e0e091d0da6bde2456dbb48306f3956bbeb2eae1b5b9a43045843f69fe4aaa";

/// distribution/reference normalize_test.go: `TestNormalizedSplitHostname`, `TestParseRepositoryInfo`.
#[test]
fn names_normalise_as_docker_does() {
    for (text, registry, repository) in [
        ("test.com/foo", "test.com", "foo"),
        ("test_com/foo", "docker.io", "test_com/foo"),
        ("docker/migrator", "docker.io", "docker/migrator"),
        ("test.com:8080/foo", "test.com:8080", "foo"),
        ("test-com:8080/foo", "test-com:8080", "foo"),
        ("foo", "docker.io", "library/foo"),
        ("xn--n3h.com:18080/foo", "xn--n3h.com:18080", "foo"),
        ("docker.io/foo", "docker.io", "library/foo"),
        ("docker.io/library/foo/bar", "docker.io", "library/foo/bar"),
        ("index.docker.io/fooo/bar", "docker.io", "fooo/bar"),
        ("index.docker.io/debian", "docker.io", "library/debian"),
        (
            "127.0.0.1:8000/private/moonbase",
            "127.0.0.1:8000",
            "private/moonbase",
        ),
        ("localhost/x", "localhost", "x"),
        ("Foo/bar", "Foo", "bar"),
        (
            "[fc00::1]:5000/docker/docker",
            "[fc00::1]:5000",
            "docker/docker",
        ),
    ] {
        let image = Image::parse(text).unwrap();
        assert_eq!(
            (image.registry(), image.repository()),
            (registry, repository),
            "{text}"
        );
    }
}

/// distribution/reference reference_test.go and `TestParseReferenceWithTagAndDigest`.
#[test]
fn tags_and_digests_are_kept_as_written() {
    let image = Image::parse(&format!("busybox:latest@{HASH}")).unwrap();
    assert_eq!((image.tag(), image.digest()), ("latest", HASH));
    assert_eq!(
        image.to_string(),
        format!("docker.io/library/busybox:latest@{HASH}")
    );
    assert_eq!(image.identifier(), HASH);

    let image = Image::parse("192.168.1.1:5000/repo:5050").unwrap();
    assert_eq!(
        (image.registry(), image.tag()),
        ("192.168.1.1:5000", "5050")
    );
    let image = Image::parse("test.com:5000").unwrap();
    assert_eq!(
        (image.repository(), image.tag()),
        ("library/test.com", "5000")
    );
    let image = Image::parse("vllm/vllm-openai").unwrap();
    assert_eq!(
        (image.tag(), image.contains_digest(), image.identifier()),
        ("", false, "latest")
    );
}

/// The invalid names of reference_test.go and normalize_test.go.
#[test]
fn names_outside_the_grammar_are_refused() {
    let long = "a/".repeat(128) + "a:tag";
    for text in [
        "",
        ":justtag",
        "@sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "repo@sha256:ffffffffffffffffffffffffffffffffff",
        "validname@invaliddigest:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "Uppercase:tag",
        "test:5000/Uppercase/lowercase:tag",
        "aa/asdf$$^/aa",
        "[2001:db8::1]:5000",
        "[fe80::1%eth0]:5000/repo",
        "https://github.com/docker/docker",
        "docker///docker",
        "-docker/docker",
        "docker-/docker",
        "____/____",
        "dock..er/docker",
        "dock_.er/docker",
        "docker/",
        "fc00::1:5000/debian",
        "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a",
        "busybox:-foo",
        "registry.k8s.io/kube-apiserver-arm64:@",
        &long,
    ] {
        assert!(Image::parse(text).is_err(), "{text}");
    }
    for text in ["docker---rules/docker", "dock__er/docker", "d/docker"] {
        assert!(Image::parse(text).is_ok(), "{text}");
    }
}
