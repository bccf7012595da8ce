//! Arbitrary text as a CEL expression: parse, check, evaluate, explain, trace.
//!
//! `cargo +nightly fuzz run cel -- -dict=fuzz/cel.dict -max_len=2048` from the repository's root.
#![no_main]

#[path = "cel_harness.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|text: &str| {
    thread_local! {
        static SUBJECT: harness::Subject = harness::Subject::new();
    }
    SUBJECT.with(|subject| subject.run(text));
});
