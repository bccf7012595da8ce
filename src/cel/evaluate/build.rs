//! List and map literals. Input: the planned entries; output: a list or map; unknown entries stay inside.

use std::collections::BTreeMap;

use super::{Evaluated, Machine};
use crate::cel::error::{At, ErrorKind, Fault};
use crate::cel::plan::Plan;
use crate::cel::value::{MapKey, Reasons, Value};

impl<'a> Machine<'_, 'a> {
    pub(super) fn list(&mut self, items: &'a [(Plan, bool)], place: u32) -> Evaluated<'a> {
        let mut values = Vec::with_capacity(items.len());
        for (item, optional) in items {
            let value = self.kept(item)?;
            if !optional {
                values.push(value);
                continue;
            }
            match value.lift() {
                Value::Optional(None) => {}
                Value::Optional(Some(inner)) => values.push((*inner).clone()),
                // Whether the element is there is not known.
                unknown @ Value::Unknown(_) => return Ok(unknown),
                _ => return Err(Fault::new(ErrorKind::NoOverload, place)),
            }
        }
        Value::list(values).at(place)
    }

    pub(super) fn map(&mut self, entries: &'a [(Plan, Plan, bool)], place: u32) -> Evaluated<'a> {
        let mut map = BTreeMap::new();
        let mut unknown: Option<Reasons> = None;
        for (key, value, optional) in entries {
            let key = self.value(key)?;
            let value = self.kept(value)?;
            if let Value::Unknown(reasons) = key {
                unknown = Some(unknown.map_or(reasons.clone(), |seen| seen.merge(&reasons)));
                continue;
            }
            let value = match (optional, value) {
                (false, value) => value,
                (true, value) => match value.lift() {
                    Value::Optional(None) => continue,
                    Value::Optional(Some(inner)) => (*inner).clone(),
                    Value::Unknown(reasons) => {
                        unknown =
                            Some(unknown.map_or(reasons.clone(), |seen| seen.merge(&reasons)));
                        continue;
                    }
                    _ => return Err(Fault::new(ErrorKind::NoOverload, place)),
                },
            };
            let Some(key) = MapKey::of(&key) else {
                return Err(Fault::new(ErrorKind::BadKey, place));
            };
            if map.insert(key, value).is_some() {
                return Err(Fault::new(ErrorKind::DuplicateKey, place));
            }
        }
        if let Some(reasons) = unknown {
            return Ok(Value::Unknown(reasons));
        }
        Value::map(map).at(place)
    }
}
