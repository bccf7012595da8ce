//! L6: single expressions over objects and views, without a rule: for `eval`. Input: a kind of subject; output: what its
//! rules' expressions see.

use crate::cel::{self, Bindings, CompileError, Environment, Program, Value, Variable};
use crate::evaluate::functions::functions;
use crate::evaluate::values;
use crate::facts::subject::{self, OBJECT_VARIABLES, SubjectKind, World};
use crate::view::Member;

/// The variables and functions of rules on a kind of subject, without those a rule declares itself.
#[must_use]
pub fn environment(kind: SubjectKind) -> Environment {
    let variables = subject::row(kind).map_or(OBJECT_VARIABLES, |row| row.variables);
    Environment::new(
        variables
            .iter()
            .map(|v| Variable::new(v.name, v.ty))
            .collect(),
        functions(),
    )
}

/// Compiles an expression; with `trace` every sub-expression stays visible.
///
/// # Errors
/// The author's.
pub fn compile(
    text: &str,
    environment: &Environment,
    trace: bool,
) -> Result<Program, CompileError> {
    if trace {
        cel::trace_program(text, environment)
    } else {
        cel::compile(text, environment)
    }
}

/// The values of an object's variables, in the order of [`OBJECT_VARIABLES`].
#[must_use]
pub fn bind_member<'w>(
    environment: &Environment,
    member: &'w Member,
    world: &'w World,
) -> Bindings<'w> {
    let mut bindings = Bindings::new(environment);
    let old = world.old_object(&member.resource);
    let request = values::request(member, &old);
    let values = [
        Value::Node(member.resource.object()),
        old,
        world.namespace_object(member),
        request,
    ];
    for (slot, value) in values.into_iter().enumerate() {
        bindings.set(slot, value);
    }
    bindings
}
