//! Signal: provider hosts. Input: a text; output: a vote when the API host of an LLM provider stands in it.

use crate::asset::class::Class;
use crate::asset::provider;
use crate::asset::signal::{Ballot, Signal, Vote};
use crate::yaml::NodeRef;

pub(super) fn read(text: &str, place: &str, node: NodeRef<'_>, ballot: &mut Ballot) {
    if let Some((host, provider)) = provider::in_text(text).next() {
        let vote = Vote {
            signal: Signal::Host,
            class: Class::LlmClient,
            weight: 0.75,
            product: "",
        };
        let words = || format!("{place} names {host}, a host of {}", provider.name);
        ballot.add(vote, words, node);
    }
}
