//! Kubernetes' CEL libraries as pure functions: strings and numbers in, values or typed errors out.
//!
//! Semantics follow the doc comments of `k8s.io/apiserver/pkg/cel/library` (Kubernetes 1.36) and
//! <https://kubernetes.io/docs/reference/using-api/cel/>; each file names its source and where it
//! had to choose between a documented rule and what the Go code happens to do.

pub mod cidr;
pub mod format;
pub mod ip;
pub mod lists;
pub mod named_format;
pub mod quantity;
pub mod regex;
pub mod semver;
pub mod url;

mod register;

pub(crate) use register::{rows, with_constant_pattern};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{cidr::Cidr, format, ip::Ip, named_format::NamedFormat, quantity::Quantity};
    use super::{semver::Semver, url::Url};

    proptest! {
        #[test]
        fn no_text_makes_a_function_panic(text in "\\PC{0,30}|[0-9a-fA-F.:/%+#?=&\\[\\]@eEKimT-]{0,30}") {
            let _ = Quantity::parse(&text).map(|quantity| quantity.to_string());
            let _ = Semver::parse(&text, true);
            let _ = Cidr::parse(&text).map(|cidr| cidr.masked());
            let _ = Ip::parse(&text).map(|ip| ip.is_global_unicast());
            let _ = format::pieces(&text);
            if let Ok(url) = Url::parse(&text) {
                prop_assert!(Url::is_url(&text));
                let _ = (url.escaped_path(), url.hostname().len(), url.query());
            }
            for named in NamedFormat::ALL {
                let _ = named.validate(&text);
            }
        }
    }
}
