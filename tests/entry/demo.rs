//! `meshgov demo`.

use std::fs;
use std::path::Path;

use super::{meshgov, text};

#[test]
fn the_tree_is_unpacked_whole_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let output = meshgov(&["demo", "--dir", "d"], folder.path());
    let printed = text(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    // The story, one finding a line; no two findings about the same thing.
    for (rule, place) in [
        ("ISTPA004", "fraud/model.yaml:45:13"),
        ("AIKEY001", "web/assistant.yaml:22:22"),
        ("AIKEY006", "gateway/tools.yaml:18:19"),
        ("AIEGR001", "web/assistant.yaml:20:22"),
        ("AIPRV001", "chat/model.yaml:13:19"),
        ("ISTAP006", "chat/model.yaml:30:26"),
    ] {
        assert!(printed.contains(&format!("({rule})]")), "{rule}: {printed}");
        assert!(
            printed.contains(&format!("[{place}]")),
            "{place}: {printed}"
        );
    }
    assert!(printed.contains("cd d && meshgov check"), "{printed}");

    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo");
    for part in ["mesh/istio.yaml", "chat/model.yaml", "gateway/tools.yaml"] {
        let unpacked = fs::read(folder.path().join("d").join(part)).unwrap();
        assert_eq!(unpacked, fs::read(source.join(part)).unwrap(), "{part}");
    }
    let again = meshgov(&["check", "--no-config"], &folder.path().join("d"));
    let same = String::from_utf8(again.stdout).unwrap();
    assert!(printed.starts_with(&same), "{same}");
}

#[test]
fn a_folder_that_exists_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let output = meshgov(&["demo", "--dir", "."], folder.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("cannot create `.`"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
