//! L6: one rule on one subject. Input: `CompiledRule`, subject, `World`; output: drafts. Any false condition = does not
//! apply; all validations true = pass; a false validation with all conditions true = finding; anything else = undecided.

use crate::cel::{Bindings, Fuel, NoValue, Origin, Outcome, Program, Reasons, Value};
use crate::evaluate::compile::{CompiledRule, CompiledValidation, Ready};
use crate::evaluate::counterpart;
use crate::evaluate::draft::{self, Draft, DraftKind};
use crate::evaluate::locate::{self, Place};
use crate::evaluate::values;
use crate::facts::Confidence;
use crate::facts::subject::{Subject, World};
use crate::finding::{NotEvaluatedKind, ObjectRef};
use crate::resource::Resource;
use crate::source::Span;
use crate::view::Member;
use std::sync::Arc;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub enum Judged<'w> {
    /// An object of the view.
    Member(&'w Member),
    /// Facts.
    Fact(&'w dyn Subject),
    /// The whole view.
    Tree,
}

/// Why something is not decided.
#[derive(Clone, Debug)]
struct Undecided {
    why: NotEvaluatedKind,
    reason: String,
    span: Option<Span>,
}

/// The verdicts of a rule on a subject; none = it passes or does not apply.
#[must_use]
pub fn judge(rule: &CompiledRule, judged: &Judged<'_>, world: &World) -> Vec<Draft> {
    let mut run = Run {
        rule,
        judged,
        world,
        bindings: Bindings::new(&rule.environment),
        done: Vec::new(),
        drafts: Vec::new(),
    };
    run.bind();
    run.validate();
    run.drafts
}

struct Run<'r, 'w> {
    rule: &'r CompiledRule,
    judged: &'r Judged<'w>,
    world: &'w World,
    bindings: Bindings<'w>,
    /// Variables computed so far, with the fault of those that failed.
    done: Vec<Option<Result<(), Undecided>>>,
    drafts: Vec<Draft>,
}

/// An evaluation's answer.
enum Truth {
    True,
    False(Option<Place>),
    Undecided(Undecided),
}

impl<'r, 'w> Run<'r, 'w>
where
    'r: 'w,
{
    fn bind(&mut self) {
        let rule = self.rule;
        for (slot, variable) in rule.row.variables.iter().enumerate() {
            if rule.unread.contains(&slot) {
                continue;
            }
            let value = match (self.judged, variable.name) {
                (Judged::Member(m), "object") => Value::Node(m.resource.object()),
                (Judged::Member(m), "namespaceObject") => self.world.namespace_object(m),
                (Judged::Member(m), "oldObject") => self.world.old_object(&m.resource),
                (Judged::Member(m), "request") => {
                    values::request(m, &self.world.old_object(&m.resource))
                }
                (Judged::Member(_), _) => Value::Null,
                (Judged::Fact(subject), "oldObject") => self.world.old_object(subject.resource()),
                (Judged::Fact(subject), _) => subject.value(slot),
                (Judged::Tree, _) => self.world.objects(),
            };
            self.bindings.set(slot, value);
        }
        self.bindings.set(rule.slots.params, rule.params.clone());
    }

    fn validate(&mut self) {
        let mut pending = None;
        for condition in &self.rule.conditions {
            match self.applies(condition) {
                Truth::True => {}
                Truth::False(_) => return,
                Truth::Undecided(why) => {
                    pending.get_or_insert(why);
                }
            }
        }
        for validation in &self.rule.validations {
            match &validation.each {
                None => self.one(validation, pending.as_ref(), None),
                Some(each) => self.each(validation, each, pending.as_ref()),
            }
        }
    }

    fn each(
        &mut self,
        validation: &'r CompiledValidation,
        each: &'r Ready,
        pending: Option<&Undecided>,
    ) {
        let list = match self.value(each) {
            Ok(list) => list.lift(),
            Err(why) => return self.undecided(why),
        };
        let (items, open): (Vec<Value<'w>>, Option<Reasons>) = match &list {
            Value::List(list) => (list.items().to_vec(), list.open().cloned()),
            Value::Node(node) if node.is_seq() => (node.items().map(Value::Node).collect(), None),
            Value::Unknown(reasons) => return self.undecided(self.unknown(reasons)),
            other => {
                return self.undecided(Undecided {
                    why: NotEvaluatedKind::Error,
                    reason: format!("`each` is a {}, not a list", other.type_name()),
                    span: None,
                });
            }
        };
        let before = self.drafts.len();
        for item in items {
            self.bindings.set(self.rule.slots.item, item.clone());
            self.one(validation, pending, Some(&item));
        }
        if let Some(reasons) = open.filter(|_| self.drafts.len() == before) {
            self.undecided(self.unknown(&reasons));
        }
    }

    fn one(
        &mut self,
        validation: &'r CompiledValidation,
        pending: Option<&Undecided>,
        item: Option<&Value<'w>>,
    ) {
        match (self.truth(&validation.expression), pending) {
            (Truth::True, _) => {}
            (Truth::Undecided(why), _) => self.undecided(why),
            (Truth::False(_), Some(why)) => self.undecided(why.clone()),
            (Truth::False(blame), None) => self.finding(validation, blame, item),
        }
    }

    /// The truth of a condition. Nobody asks why a false one is false, and most rules end here.
    fn applies(&mut self, ready: &'r Ready) -> Truth {
        self.outcome(ready, Program::decide)
    }

    fn truth(&mut self, ready: &'r Ready) -> Truth {
        self.outcome(ready, Program::evaluate)
    }

    fn outcome(
        &mut self,
        ready: &'r Ready,
        of: fn(&'r Program, &Bindings<'w>, Fuel) -> Outcome<'w>,
    ) -> Truth {
        if let Err(why) = self.prepare(&ready.needs) {
            return Truth::Undecided(why);
        }
        match of(&ready.program, &self.bindings, Fuel::default()) {
            Outcome::True => Truth::True,
            Outcome::False(blame) => Truth::False(self.place(&blame.origin)),
            Outcome::Unknown(reasons) => Truth::Undecided(self.unknown(&reasons)),
            Outcome::Error(error) => Truth::Undecided(failed(&error.message)),
            Outcome::Exhausted(_) => Truth::Undecided(out_of_fuel()),
        }
    }

    fn value(&mut self, ready: &'r Ready) -> Result<Value<'w>, Undecided> {
        self.prepare(&ready.needs)?;
        match ready.program.value(&self.bindings, Fuel::default()) {
            Ok(Value::Unknown(reasons)) => Err(self.unknown(&reasons)),
            Ok(value) => Ok(value),
            Err(none) => Err(no_value(&none)),
        }
    }

    /// Computes the variables that an expression names, once a subject.
    fn prepare(&mut self, needs: &[usize]) -> Result<(), Undecided> {
        let rule = self.rule;
        for &at in needs {
            let Some(variable) = rule.variables.get(at) else {
                continue;
            };
            if let Some(Some(done)) = self.done.get(at) {
                done.clone()?;
                continue;
            }
            let computed = match self.prepare(&variable.ready.needs) {
                Err(why) => Err(why),
                Ok(()) => match variable
                    .ready
                    .program
                    .value(&self.bindings, Fuel::default())
                {
                    Ok(value) => {
                        // An unknown variable is a value: an expression may not depend on it after all.
                        self.bindings.set(variable.slot, value);
                        Ok(())
                    }
                    Err(none) => Err(no_value(&none)),
                },
            };
            if self.done.is_empty() {
                // Most rules end at a condition that needs no variable.
                self.done.resize(rule.variables.len(), None);
            }
            if let Some(slot) = self.done.get_mut(at) {
                *slot = Some(computed.clone());
            }
            computed?;
        }
        Ok(())
    }

    fn unknown(&self, reasons: &Reasons) -> Undecided {
        let reasons: Vec<_> = self.world.reasons(reasons).collect();
        let words: Vec<_> = reasons.iter().map(|r| r.missing.as_str()).collect();
        Undecided {
            why: NotEvaluatedKind::Unknown,
            reason: words.join("; "),
            span: reasons.iter().find_map(|r| r.span),
        }
    }

    fn finding(
        &mut self,
        validation: &'r CompiledValidation,
        blame: Option<Place>,
        item: Option<&Value<'w>>,
    ) {
        let item_place = item.and_then(|item| self.place(&locate::origin_of_item(item)));
        let named = validation
            .at
            .as_ref()
            .and_then(|path| path.resolve(&self.bindings));
        let place = named
            .or(blame)
            .or_else(|| item_place.clone())
            .unwrap_or_else(|| Place::new(self.own_span()));
        let computed = validation
            .message_expression
            .as_ref()
            .and_then(|m| self.value(m).ok())
            .and_then(|v| v.lifted().as_str().map(one_line));
        let message = computed
            .filter(|m| !m.is_empty())
            .or_else(|| validation.message.clone())
            .unwrap_or_else(|| self.rule.rule.info.summary.clone());
        let mut assumptions = match self.judged {
            Judged::Fact(subject) => subject.assumptions(),
            Judged::Member(_) | Judged::Tree => Vec::new(),
        };
        if let Some(Value::Record(record)) = item {
            assumptions.extend_from_slice(record.assumptions());
        }
        let own = self.rule.rule.info.confidence;
        let confidence = if assumptions.is_empty() {
            own
        } else {
            Confidence::Low
        };
        let kind = DraftKind::Finding {
            confidence,
            message,
            label: place.label,
            related: place.related,
            assumptions,
        };
        self.push(place.span, item_place.map(|p| p.span), kind);
    }

    fn undecided(&mut self, undecided: Undecided) {
        let span = undecided.span.unwrap_or_else(|| self.own_span());
        let kind = DraftKind::NotEvaluated {
            why: undecided.why,
            reason: undecided.reason,
        };
        self.push(span, None, kind);
    }

    /// The place of an origin; what stands in the old object is shown in the new one.
    fn place(&self, origin: &Origin<'_>) -> Option<Place> {
        let resource = match self.judged {
            Judged::Member(member) => Some(&member.resource),
            Judged::Fact(subject) => Some(subject.resource()),
            Judged::Tree => None,
        };
        let old = resource.and_then(|r| self.world.old(r));
        counterpart::place(
            origin,
            old.map(|o| o.object()),
            resource.map(|r| r.object()),
        )
    }

    fn own_span(&self) -> Span {
        match self.judged {
            Judged::Member(member) => member.resource.name_span(),
            Judged::Fact(subject) => subject.span(),
            Judged::Tree => self
                .world
                .view
                .members
                .first()
                .map_or(NO_SPAN, |m| m.resource.name_span()),
        }
    }

    fn push(&mut self, span: Span, item: Option<Span>, kind: DraftKind) {
        let (resource, identity, words) = match self.judged {
            Judged::Member(member) => object(&member.resource, Some(member)),
            Judged::Fact(subject) => {
                let resource = subject.resource();
                let member = self.world.member(resource.id);
                let (found, identity, _) = object(resource, member);
                (found, identity, subject.words())
            }
            Judged::Tree => {
                let none = draft::no_object;
                (none(), none(), format!("view {}", self.world.view.name))
            }
        };
        self.drafts.push(Draft {
            rule: Arc::clone(&self.rule.rule.info),
            severity: self.rule.severity,
            view: self.world.view.name.clone(),
            holder: self.holder(span),
            resource,
            identity,
            subject: words,
            span,
            item,
            kind,
        });
    }

    /// The object that holds a place: usually the one judged.
    fn holder(&self, span: Span) -> Option<Arc<Resource>> {
        let own = match self.judged {
            Judged::Member(member) => Some(&member.resource),
            Judged::Fact(subject) => Some(subject.resource()),
            Judged::Tree => None,
        };
        let holds =
            |r: &&Arc<Resource>| r.object().tree().is_mixed() || r.object().span().contains(span);
        own.filter(holds)
            .or_else(|| self.world.holder(span).map(|m| &m.resource))
            .map(Arc::clone)
    }
}

/// Where nothing is to point at: an empty view.
const NO_SPAN: Span = Span {
    source: crate::source::SourceId(0),
    start: 0,
    end: 0,
};

fn object(resource: &Arc<Resource>, member: Option<&Member>) -> (ObjectRef, ObjectRef, String) {
    let identity = draft::identity(resource);
    let found = ObjectRef {
        namespace: member.map_or_else(
            || identity.namespace.clone(),
            |m| m.namespace.as_str().to_owned(),
        ),
        ..identity.clone()
    };
    let words = found.to_string();
    (found, identity, words)
}

fn failed(message: &str) -> Undecided {
    Undecided {
        why: NotEvaluatedKind::Error,
        reason: message.to_owned(),
        span: None,
    }
}

fn no_value(none: &NoValue) -> Undecided {
    match none {
        NoValue::Error(error) => failed(&error.message),
        NoValue::Exhausted(_) => out_of_fuel(),
    }
}

fn out_of_fuel() -> Undecided {
    Undecided {
        why: NotEvaluatedKind::Fuel,
        reason: String::from("the expression is too expensive for this object"),
        span: None,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
