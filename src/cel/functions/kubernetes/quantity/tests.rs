use super::*;

fn q(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

/// `TestQuantityParse`, resource/quantity_test.go: input, mantissa, exponent, notation.
#[test]
fn values_and_notations_follow_the_upstream_parse_table() {
    use Notation::{BinarySi as B, DecimalExponent as E, DecimalSi as D};
    let table: &[(&str, &str, Notation)] = &[
        ("0Ki", "0", B),
        ("5n", "5e-9", D),
        ("3Ei", "3458764513820540928", B),
        ("1E", "1e18", D),
        ("1E-3", "1e-3", E),
        ("1.3E+6", "13e5", E),
        ("100.035k", "100035", D),
        ("0.0005k", "5e-1", D),
        ("3.001n", "4e-9", D),
        ("1.1E-9", "2e-9", E),
        ("0.0000000001", "1e-9", D),
        ("0.00000012345", "124e-9", D),
        ("9Ei", "9223372036854775807", B),
        ("9223372036854775807Ki", "9223372036854775807", B),
        ("100.035Ki", "10243584e-2", B),
        ("0.05Gi", "536870912e-1", B),
        ("0.000000000001Ki", "2e-9", D),
        (".001", "1e-3", D),
        ("1.G", "1e9", D),
    ];
    for (text, value, notation) in table {
        let parsed = q(text);
        assert_eq!(parsed, q(value), "{text}");
        assert_eq!(parsed.notation(), *notation, "{text}");
    }
}

/// resource/quantity_golden_test.go, column `wantCanonical`.
#[test]
fn canonical_form_follows_the_upstream_golden_table() {
    for (text, canonical) in [
        ("1024Mi", "1Gi"),
        ("1000M", "1G"),
        ("1e3", "1e3"),
        ("0.1", "100m"),
        ("0.000000000000001", "1n"),
        ("1.441", "1441m"),
        ("1.000001", "1000001u"),
        ("9223372036854775808", "9223372036854775808"),
        ("100E", "100E"),
        ("1000E", "1e21"),
        ("1e100", "10e99"),
        ("8Ei", "9223372036854775807"),
        ("-20Ei", "-9223372036854775807"),
        ("-9.5Gi", "-9728Mi"),
        ("-9.5000000001Gi", "-10200547328107374183n"),
        ("1.5Gi", "1536Mi"),
        ("0Mi", "0"),
    ] {
        assert_eq!(q(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn order_holds_where_exponents_are_too_far_apart_to_align() {
    assert!(q("1e2147483647") > q("1"));
    assert!(q("-1e2147483647") < q("-1"));
    assert!(q("1") < q("1e2147483647"));
    assert!(q("-1") > q("-1e2147483647"));
    assert!(q("1n") < q("9999999999999999999999999999999999999G"));
    assert_eq!(q("1e400").as_approximate_float(), f64::INFINITY);
    assert_eq!(q("1e2147483647").add(&q("1")), Err(QuantityError::Digits));
}

#[test]
fn a_value_past_the_exact_range_is_refused_not_rounded() {
    let nines = "9".repeat(39);
    assert_eq!(Quantity::parse(&nines), Err(QuantityError::Digits));
    assert!(Quantity::parse(&format!("1{}", "0".repeat(500))).is_ok());
    assert_eq!(
        q(&format!("0.{}1", "0".repeat(5000))),
        q("1n"),
        "finer than a billionth rounds up"
    );
}

#[test]
fn a_zero_takes_the_notation_of_what_is_added() {
    assert_eq!(q("0").add(&q("1Gi")).unwrap().to_string(), "1Gi");
    assert_eq!(q("100m").add(&q("0")).unwrap().to_string(), "100m");
    assert_eq!(q("0").sub(&q("1Gi")).unwrap().to_string(), "-1Gi");
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    /// Any quantity of the grammar that the exact range holds.
    fn any_quantity() -> impl Strategy<Value = Quantity> {
        let text =
            "[+-]?[0-9]{1,12}(\\.[0-9]{0,9})?(n|u|m||k|M|G|T|P|E|Ki|Mi|Gi|Ti|e[0-9]|E-[0-9])";
        text.prop_filter_map("out of range", |text| Quantity::parse(&text).ok())
    }

    proptest! {
        #[test]
        fn the_canonical_form_reads_back(quantity in any_quantity()) {
            prop_assert_eq!(q(&quantity.to_string()), quantity);
        }

        #[test]
        fn differences_agree_with_the_order(one in any_quantity(), two in any_quantity()) {
            if let Ok(difference) = one.sub(&two) {
                prop_assert_eq!(difference.sign(), one.cmp(&two) as i64);
                prop_assert_eq!(difference.add(&two), Ok(one));
            }
        }

        #[test]
        fn integers_are_exact(value in any::<i64>()) {
            prop_assert_eq!(q(&value.to_string()).as_integer(), Ok(value));
        }
    }
}
