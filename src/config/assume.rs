//! L5: `assume:` → `Assumptions`. Input: the section of a config or of a rule's example; output: the typed value.
