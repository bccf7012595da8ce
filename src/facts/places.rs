//! L4: which member of a view an id or a place belongs to. Input: a view; output: `Places`, for one look-up a verdict.

use std::collections::HashMap;

use crate::resource::ResourceId;
use crate::source::Span;
use crate::view::{Member, View};

/// Members of a view by id and by the bytes they stand in.
#[derive(Debug, Default)]
pub struct Places {
    by_id: HashMap<ResourceId, usize>,
    /// Spans of the objects that stand in one source as a whole, sorted, each with the member's position.
    spans: Vec<(Span, usize)>,
}

impl Places {
    /// Indexes a view.
    #[must_use]
    pub fn of(view: &View) -> Self {
        let mut places = Self::default();
        for (at, member) in view.members.iter().enumerate() {
            places.by_id.entry(member.resource.id).or_insert(at);
            let object = member.resource.object();
            if !object.tree().is_mixed() {
                places.spans.push((object.span(), at));
            }
        }
        places
            .spans
            .sort_unstable_by_key(|(span, at)| (span.source, span.start, span.end, *at));
        places
    }

    /// The member that is this object.
    #[must_use]
    pub fn member<'v>(&self, view: &'v View, id: ResourceId) -> Option<&'v Member> {
        view.members.get(*self.by_id.get(&id)?)
    }

    /// The member whose text holds this place. Objects of a file do not overlap, so only the last that begins before it can.
    #[must_use]
    pub fn holder<'v>(&self, view: &'v View, place: Span) -> Option<&'v Member> {
        let begins_before =
            |(span, _): &(Span, usize)| (span.source, span.start) <= (place.source, place.start);
        let end = self.spans.partition_point(begins_before);
        let (span, _) = self.spans.get(end.checked_sub(1)?)?;
        let same_start =
            |(other, _): &(Span, usize)| (other.source, other.start) < (span.source, span.start);
        let first = self.spans.partition_point(same_start);
        let (_, at) = self
            .spans
            .get(first..end)?
            .iter()
            .find(|(span, _)| span.contains(place))?;
        view.members.get(*at)
    }
}
