//! meshgov's own CEL functions as pure functions: strings in, values or typed errors out.

pub mod cluster_local;
pub mod image;
pub mod version;

mod register;

pub(crate) use register::rows;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{cluster_local, image::Image, version::Version};

    proptest! {
        #[test]
        fn no_text_makes_a_function_panic(text in "[a-z0-9.:/@_%*\u{e4}A-Z -]{0,40}") {
            if let Ok(image) = Image::parse(&text) {
                prop_assert_eq!(Image::parse(&image.to_string()), Ok(image), "normalising is stable");
            }
            let _ = Version::parse(&text).map(|version| version.is_prerelease());
            let _ = cluster_local::is_cluster_local(&text, &text, None);
        }
    }
}
