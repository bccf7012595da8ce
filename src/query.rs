//! L6: answers from facts, without printing. Input: `Analysis` and a question; output: the answer with what it rests on.

pub mod expectation;
pub mod verify;
