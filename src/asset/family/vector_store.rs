//! Operators of vector stores. Input: their objects; output: classes.

use crate::asset::class::Class;
use crate::asset::family::{Family, Kind, kind, no_refs};

pub(super) const FAMILY: Family = Family {
    name: "vector store operator",
    kinds: KINDS,
    refs: no_refs,
};

const KINDS: &[Kind] = &[
    kind("milvus.io", "Milvus", Class::VectorDb),
    kind("qdrant.io", "QdrantCluster", Class::VectorDb),
];
