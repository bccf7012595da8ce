//! L6: answers drawn from facts. Input: views, an `Analysis`, a question; output: values that reports print; nothing is printed here.

pub mod access;
pub mod assets;
pub mod assume;
pub mod diff;
pub mod environments;
pub mod expectation;
pub mod reference;
pub mod verify;
