//! L2: names for places inside objects. Input: an object and a node, or a written path; output: `FieldPath`, nodes, spans.
