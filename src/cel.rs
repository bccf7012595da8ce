//! CEL: expressions in, values out (the evaluator's entry lives here once it stands).

pub mod functions;
