//! L6: answers drawn from facts. Input: views; output: values that reports print; nothing is printed here.

pub mod assets;
