//! L6: answers drawn from facts. Input: views, an `Analysis`, a question; output: values that reports print; nothing is printed here.

pub mod assets;
pub mod diff;
pub mod expectation;
pub mod verify;
