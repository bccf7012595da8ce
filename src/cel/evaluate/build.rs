//! List and map literals. Input: the planned entries; output: a list or map; unknown entries stay inside.

use std::collections::BTreeMap;

use super::{Evaluated, Machine};
use crate::cel::error::{At, ErrorKind, Fault};
use crate::cel::plan::Plan;
use crate::cel::value::{MapKey, Reasons, Value};

impl<'a> Machine<'_, 'a> {
    pub(super) fn list(&mut self, items: &'a [(Plan, bool)], place: u32) -> Evaluated<'a> {
        let mut values = Vec::with_capacity(items.len());
        let mut unknown: Option<Reasons> = None;
        let mut fault = None;
        for (item, optional) in items {
            let value = match self.kept(item) {
                Ok(value) => value.stored(),
                Err(error) => {
                    fault = fault.or(Some(error.unless_exhausted()?));
                    continue;
                }
            };
            if !optional {
                if let Some(reasons) = unsettled(item, &value) {
                    unknown = Some(merged(unknown, &reasons));
                }
                values.push(value);
                continue;
            }
            match value.lift() {
                Value::Optional(None) => {}
                Value::Optional(Some(inner)) => values.push((*inner).clone()),
                // Whether the element is there is not known.
                Value::Unknown(reasons) => unknown = Some(merged(unknown, &reasons)),
                _ => fault = fault.or(Some(Fault::new(ErrorKind::NoOverload, place))),
            }
        }
        if let (None, Some(_)) = (&unknown, &fault) {
            unknown = values
                .iter()
                .filter_map(Value::partial)
                .cloned()
                .reduce(|all, more| all.merge(&more));
        }
        match (unknown, fault) {
            (Some(reasons), _) => Ok(Value::Unknown(reasons)),
            (None, Some(fault)) => Err(fault),
            (None, None) => Value::list(values).at(place),
        }
    }

    pub(super) fn map(&mut self, entries: &'a [(Plan, Plan, bool)], place: u32) -> Evaluated<'a> {
        let mut map = BTreeMap::new();
        let mut unknown: Option<Reasons> = None;
        let mut fault = None;
        for (key, step, optional) in entries {
            let (key, value) = match (self.value(key), self.kept(step)) {
                (Ok(Value::Unknown(reasons)), other) => {
                    unknown = Some(merged(unknown, &reasons));
                    if let Err(error) = other {
                        error.unless_exhausted()?;
                    }
                    continue;
                }
                (Err(error), Ok(Value::Unknown(reasons))) => {
                    error.unless_exhausted()?;
                    unknown = Some(merged(unknown, &reasons));
                    continue;
                }
                (Err(error), _) | (_, Err(error)) => {
                    fault = fault.or(Some(error.unless_exhausted()?));
                    continue;
                }
                (Ok(key), Ok(value)) => (key, value.stored()),
            };
            let value = match (optional, value) {
                (false, value) => {
                    if let Some(reasons) = unsettled(step, &value) {
                        unknown = Some(merged(unknown, &reasons));
                        continue;
                    }
                    value
                }
                (true, value) => match value.lift() {
                    Value::Optional(None) => continue,
                    Value::Optional(Some(inner)) => (*inner).clone(),
                    Value::Unknown(reasons) => {
                        unknown = Some(merged(unknown, &reasons));
                        continue;
                    }
                    _ => {
                        fault = fault.or(Some(Fault::new(ErrorKind::NoOverload, place)));
                        continue;
                    }
                },
            };
            let wrong = match MapKey::of(&key) {
                None => ErrorKind::BadKey,
                Some(key) => match map.insert(key, value) {
                    None => continue,
                    Some(_) => ErrorKind::DuplicateKey,
                },
            };
            fault = fault.or(Some(Fault::new(wrong, place)));
        }
        if let (None, Some(_)) = (&unknown, &fault) {
            unknown = map
                .values()
                .filter_map(Value::partial)
                .cloned()
                .reduce(|all, more| all.merge(&more));
        }
        match (unknown, fault) {
            (Some(reasons), _) => Ok(Value::Unknown(reasons)),
            (None, Some(fault)) => Err(fault),
            (None, None) => Value::map(map).at(place),
        }
    }
}

fn merged(unknown: Option<Reasons>, reasons: &Reasons) -> Reasons {
    match unknown {
        None => reasons.clone(),
        Some(seen) => seen.merge(reasons),
    }
}

/// Why an unknown element may turn out to be an error; a list with such an element is unknown itself.
pub(super) fn unsettled(step: &Plan, value: &Value<'_>) -> Option<Reasons> {
    match value {
        Value::Unknown(reasons) if !step.is_total() => Some(reasons.clone()),
        _ => None,
    }
}
