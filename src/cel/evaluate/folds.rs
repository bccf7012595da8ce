//! Macros over collections. Input: a fold and the collection; output: what it makes of the elements.
//!
//! An open list may have more elements: `all` over it is never true, `exists` never false, `exists_one` neither.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::build::unsettled;
use super::{Evaluated, Machine, Truth};
use crate::cel::equal;
use crate::cel::error::{At, CallError, ErrorKind, Fault};
use crate::cel::fuel::to_u64;
use crate::cel::plan::{Fold, FoldKind};
use crate::cel::value::{List, Map, MapKey, Origin, Reasons, Value};
use crate::yaml::NodeRef;

/// The elements of a collection, one at a time: the value of a one-variable macro, or both of a two-variable one.
enum Elements<'a> {
    Items(crate::yaml::Items<'a>, i64),
    Entries(Box<dyn Iterator<Item = (NodeRef<'a>, NodeRef<'a>)> + 'a>),
    List(Arc<List<'a>>, usize),
    Map(Arc<Map<'a>>, usize),
}

/// One element: first and second macro variable, and where the element stands.
struct Element<'a> {
    first: Value<'a>,
    second: Option<Value<'a>>,
    origin: Option<NodeRef<'a>>,
}

impl<'a> Elements<'a> {
    fn of(value: &Value<'a>) -> Option<(Self, Option<Reasons>)> {
        Some(match value {
            Value::Node(node) if node.is_seq() => (Self::Items(node.items(), 0), None),
            Value::Node(node) if node.is_map() => (Self::Entries(Box::new(node.entries())), None),
            Value::List(list) => (Self::List(Arc::clone(list), 0), list.open().cloned()),
            Value::Map(map) => (Self::Map(Arc::clone(map), 0), None),
            _ => return None,
        })
    }

    fn next(&mut self, pairs: bool) -> Option<Element<'a>> {
        let indexed = |position: i64, item: Value<'a>| {
            let (first, second) = if pairs {
                (Value::Int(position), Some(item))
            } else {
                (item, None)
            };
            Element {
                first,
                second,
                origin: None,
            }
        };
        match self {
            Self::Items(items, position) => {
                let item = items.next()?;
                let element = indexed(*position, Value::Node(item));
                *position += 1;
                Some(element)
            }
            Self::Entries(entries) => {
                let (key, value) = entries.next()?;
                let first = match key.key_text() {
                    std::borrow::Cow::Borrowed(text) => Value::Str(text),
                    std::borrow::Cow::Owned(text) => Value::text(text),
                };
                Some(Element {
                    first,
                    second: pairs.then_some(Value::Node(value)),
                    origin: Some(key),
                })
            }
            Self::List(list, position) => {
                let item = list.items().get(*position)?.clone();
                let element = indexed(i64::try_from(*position).unwrap_or(i64::MAX), item);
                *position += 1;
                Some(element)
            }
            Self::Map(map, position) => {
                let (key, value) = map.entries().get(*position)?;
                *position += 1;
                Some(Element {
                    first: key.to_value(),
                    second: pairs.then(|| value.clone()),
                    origin: None,
                })
            }
        }
    }
}

impl<'a> Machine<'_, 'a> {
    pub(super) fn fold(&mut self, fold: &'a Fold, place: u32) -> Evaluated<'a> {
        let range = self.value(&fold.range)?;
        if let Value::Unknown(_) = range {
            return Ok(range);
        }
        let Some((elements, open)) = Elements::of(&range) else {
            return Err(Fault::new(ErrorKind::NoOverload, fold.range.place));
        };
        match fold.kind {
            FoldKind::All => {
                let truth = self.quantified(fold, elements, open, place, false)?;
                Ok(truth.into_value())
            }
            FoldKind::Exists => {
                let truth = self.quantified(fold, elements, open, place, true)?;
                if truth == Truth::False && fold.blamed {
                    self.note(&range);
                }
                Ok(truth.into_value())
            }
            FoldKind::ExistsOne => {
                let truth = self.exists_one(fold, elements, open, place)?;
                Ok(truth.into_value())
            }
            FoldKind::List => self.list_fold(fold, elements, open, &range, place),
            FoldKind::Map | FoldKind::Entries => self.map_fold(fold, elements, open, place),
            FoldKind::Sort => self.sort_by(fold, elements, open, place),
        }
    }

    fn bind_element(
        &mut self,
        fold: &'a Fold,
        element: Element<'a>,
        place: u32,
    ) -> Result<(), Fault> {
        self.fuel.charge(1).at(place)?;
        if fold.blamed && self.is_watched() {
            match element.origin {
                Some(key) => {
                    if let Some(watch) = &mut self.watch {
                        watch.set(Origin::Node(key));
                    }
                }
                None => self.note(element.second.as_ref().unwrap_or(&element.first)),
            }
        }
        self.set_local(fold.local, Ok(element.first));
        if let Some(second) = element.second {
            self.set_local(fold.local + 1, Ok(second));
        }
        Ok(())
    }

    /// `all` is decided by one `false`, `exists` by one `true`, whatever the other elements are.
    fn quantified(
        &mut self,
        fold: &'a Fold,
        mut elements: Elements<'a>,
        open: Option<Reasons>,
        place: u32,
        decisive: bool,
    ) -> Result<Truth, Fault> {
        let mut unknown = open;
        let mut fault = None;
        while let Some(element) = elements.next(fold.pairs) {
            self.bind_element(fold, element, place)?;
            match self.truth(&fold.body) {
                Ok(Truth::Unknown(reasons)) => add(&mut unknown, &reasons),
                Ok(truth) if truth == decisive.into() => return Ok(truth),
                Ok(_) => {}
                Err(error) => fault = fault.or(Some(error.unless_exhausted()?)),
            }
        }
        settle(unknown, fault, (!decisive).into())
    }

    /// Unlike the other two it absorbs no error, as cel-spec has it.
    fn exists_one(
        &mut self,
        fold: &'a Fold,
        mut elements: Elements<'a>,
        open: Option<Reasons>,
        place: u32,
    ) -> Result<Truth, Fault> {
        let mut unknown = open;
        let mut fault = None;
        let mut count = 0;
        while let Some(element) = elements.next(fold.pairs) {
            self.bind_element(fold, element, place)?;
            match self.truth(&fold.body) {
                Ok(Truth::True) => count += 1,
                Ok(Truth::False) => {}
                Ok(Truth::Unknown(reasons)) => add(&mut unknown, &reasons),
                Err(error) => fault = fault.or(Some(error.unless_exhausted()?)),
            }
        }
        // Two fits are not enough to say no while another element may be an error.
        settle(unknown, fault, (count == 1).into())
    }

    /// Whether an element passes the macro's condition; an unknown answer makes the whole result unknown.
    fn passes(&mut self, fold: &'a Fold) -> Result<Truth, Fault> {
        match &fold.filter {
            None => Ok(Truth::True),
            Some(filter) => self.truth(filter),
        }
    }

    fn list_fold(
        &mut self,
        fold: &'a Fold,
        mut elements: Elements<'a>,
        open: Option<Reasons>,
        range: &Value<'a>,
        place: u32,
    ) -> Evaluated<'a> {
        let mut items = Vec::new();
        let mut unknown: Option<Reasons> = None;
        let mut fault = None;
        while let Some(element) = elements.next(fold.pairs) {
            self.bind_element(fold, element, place)?;
            let passed = match self.passes(fold) {
                Ok(Truth::False) => continue,
                Ok(Truth::True) => true,
                Ok(Truth::Unknown(reasons)) => {
                    add(&mut unknown, &reasons);
                    false
                }
                Err(error) => {
                    fault = fault.or(Some(error.unless_exhausted()?));
                    false
                }
            };
            if !passed {
                continue;
            }
            match self.kept(&fold.body) {
                Ok(value) => {
                    let value = value.stored();
                    if let Some(reasons) = unsettled(&fold.body, &value) {
                        add(&mut unknown, &reasons);
                    }
                    items.push(value);
                }
                Err(error) => fault = fault.or(Some(error.unless_exhausted()?)),
            }
        }
        // An element that may or may not be in the list leaves its size and order open.
        if let Some(reasons) = unknown {
            return Ok(Value::Unknown(
                open.map_or(reasons.clone(), |open| open.merge(&reasons)),
            ));
        }
        if let Some(fault) = fault {
            let list = List::new(items, open).at(place)?;
            return match list.partial() {
                Some(reasons) => Ok(Value::Unknown(reasons.clone())),
                None => Err(fault),
            };
        }
        if self.is_watched() && fold.blamed {
            match items.first() {
                Some(first) if fold.filter.is_some() => self.note(&first.clone()),
                _ => self.note(range),
            }
        }
        List::new(items, open)
            .map(|list| Value::List(Arc::new(list)))
            .at(place)
    }

    fn map_fold(
        &mut self,
        fold: &'a Fold,
        mut elements: Elements<'a>,
        open: Option<Reasons>,
        place: u32,
    ) -> Evaluated<'a> {
        let mut entries = BTreeMap::new();
        let mut unknown = open;
        let mut fault = None;
        while let Some(element) = elements.next(fold.pairs) {
            let key = element.first.clone();
            self.bind_element(fold, element, place)?;
            match self.passes(fold) {
                Ok(Truth::True) => {}
                Ok(Truth::False) => continue,
                Ok(Truth::Unknown(reasons)) => {
                    add(&mut unknown, &reasons);
                    continue;
                }
                Err(error) => {
                    fault = fault.or(Some(error.unless_exhausted()?));
                    continue;
                }
            }
            let value = match self.kept(&fold.body) {
                Ok(value) => {
                    let value = value.stored();
                    if let Some(reasons) = unsettled(&fold.body, &value) {
                        add(&mut unknown, &reasons);
                        continue;
                    }
                    value
                }
                Err(error) => {
                    fault = fault.or(Some(error.unless_exhausted()?));
                    continue;
                }
            };
            if fold.kind == FoldKind::Map {
                let Some(key) = MapKey::of(&key) else {
                    return Err(Fault::new(ErrorKind::BadKey, place));
                };
                entries.insert(key, value);
                continue;
            }
            match value.lift() {
                Value::Unknown(reasons) => add(&mut unknown, &reasons),
                value => {
                    for (key, value) in equal::entries(&value)
                        .ok_or_else(|| Fault::new(ErrorKind::NoOverload, place))?
                    {
                        self.fuel.charge(1).at(place)?;
                        if entries.insert(key, value).is_some() {
                            return Err(Fault::new(ErrorKind::DuplicateKey, place));
                        }
                    }
                }
            }
        }
        match (unknown, fault) {
            (Some(reasons), _) => Ok(Value::Unknown(reasons)),
            (None, Some(fault)) => Err(fault),
            (None, None) => Value::map(entries).at(place),
        }
    }

    fn sort_by(
        &mut self,
        fold: &'a Fold,
        mut elements: Elements<'a>,
        open: Option<Reasons>,
        place: u32,
    ) -> Evaluated<'a> {
        let mut keyed = Vec::new();
        let mut unknown = open;
        while let Some(element) = elements.next(false) {
            let item = element.first.clone();
            self.bind_element(fold, element, place)?;
            let key = self.value(&fold.body)?;
            if let Some(reasons) = key.partial() {
                add(&mut unknown, reasons);
            }
            keyed.push((key, item));
        }
        if let Some(reasons) = unknown {
            return Ok(Value::Unknown(reasons));
        }
        let count = to_u64(keyed.len());
        self.fuel
            .charge(count * u64::from(count.checked_ilog2().unwrap_or(0)))
            .at(place)?;
        let sorted = sorted(keyed).at(place)?;
        Value::list(sorted).at(place)
    }
}

/// Sorts by key, stably; all keys must be comparable.
pub(crate) fn sorted<'a>(
    mut keyed: Vec<(Value<'a>, Value<'a>)>,
) -> Result<Vec<Value<'a>>, CallError> {
    let comparable = keyed.windows(2).all(|pair| match pair {
        [(one, _), (two, _)] => {
            one.type_name() == two.type_name() && equal::compare(one, two).is_ok()
        }
        _ => true,
    });
    if !comparable {
        return Err(CallError::bare(ErrorKind::NoOverload));
    }
    keyed.sort_by(|(one, _), (two, _)| {
        equal::compare(one, two)
            .ok()
            .flatten()
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

fn add(unknown: &mut Option<Reasons>, reasons: &Reasons) {
    *unknown = Some(match unknown.take() {
        None => reasons.clone(),
        Some(seen) => seen.merge(reasons),
    });
}

fn settle(unknown: Option<Reasons>, fault: Option<Fault>, known: Truth) -> Result<Truth, Fault> {
    match (unknown, fault) {
        (Some(reasons), _) => Ok(Truth::Unknown(reasons)),
        (None, Some(fault)) => Err(fault),
        (None, None) => Ok(known),
    }
}
