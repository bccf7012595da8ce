//! What the checker refuses when a rule is loaded: the kind, the exact bytes, what it says and proposes; the types it infers;
//! and the trace of an evaluation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use std::sync::Arc;

use meshgov::cel::{
    Bindings, Environment, ErrorKind, Field, Fuel, FunctionTable, RecordType, Type, Value,
    Variable, compile, trace_program,
};

static TRANSPORT: RecordType = RecordType {
    name: "transport",
    fields: &[field("mode", Type::String), field("why", Type::String)],
};

static PORT: RecordType = RecordType {
    name: "port",
    fields: &[
        field("number", Type::Int),
        field("transport", Type::Record(&TRANSPORT)),
        field("callers", Type::List(&Type::String)),
        field("siblings", Type::List(&Type::Record(&PORT))),
        field("labels", Type::Map(&Type::String, &Type::String)),
    ],
};

const fn field(name: &'static str, ty: Type) -> Field {
    Field { name, ty, doc: "" }
}

fn environment() -> Environment {
    let variables = vec![
        Variable::new("object", Type::Dyn),
        Variable::new("port", Type::Record(&PORT)),
        Variable::quiet("params", Type::Dyn),
    ];
    Environment::new(variables, Arc::new(FunctionTable::standard()))
}

use ErrorKind::{Arity, BadKey, NoOverload, Syntax, UnknownFunction, UnknownName};

/// Expression with the refused bytes in `«…»`, kind, message, help.
const REFUSED: &[(&str, ErrorKind, &str, Option<&str>)] = &[
    (
        "«objct».kind == 'Pod'",
        UnknownName,
        "no variable `objct`",
        Some("did you mean `object`?"),
    ),
    ("size(«zzz») > 1", UnknownName, "no variable `zzz`", None),
    ("[1].all(x, «y» > 0)", UnknownName, "no variable `y`", None),
    (
        "[1].all(x, x > 0) && «x» == 1",
        UnknownName,
        "no variable `x`",
        None,
    ),
    (
        "cel.bind(a, 1, a) == «a»",
        UnknownName,
        "no variable `a`",
        None,
    ),
    (
        "«port.numbr» == 80",
        UnknownName,
        "`port` has no field `numbr`",
        Some("did you mean `number`?"),
    ),
    (
        "«port.transport.x» == ''",
        UnknownName,
        "`transport` has no field `x`",
        Some("it has mode, why"),
    ),
    (
        "«has(port.mode)»",
        UnknownName,
        "`port` has no field `mode`",
        Some("it has number, transport, callers, siblings, labels"),
    ),
    (
        "«port.?numbre».hasValue()",
        UnknownName,
        "`port` has no field `numbre`",
        Some("did you mean `number`?"),
    ),
    (
        "port.siblings.all(p, «p.numer» > 1)",
        UnknownName,
        "`port` has no field `numer`",
        Some("did you mean `number`?"),
    ),
    (
        "port.siblings.filter(p, p.number > 1).all(q, «q.x» > 1)",
        UnknownName,
        "`port` has no field `x`",
        Some("it has number, transport, callers, siblings, labels"),
    ),
    (
        "«port.number.x» == 1",
        NoOverload,
        "`int` has no field `x`",
        None,
    ),
    (
        "«sizes(object)» > 1",
        UnknownFunction,
        "no function `sizes`",
        Some("did you mean `size`?"),
    ),
    (
        "«object.name.startWith('a')»",
        UnknownFunction,
        "no function `startWith`",
        Some("did you mean `startsWith`?"),
    ),
    (
        "«math.gratest(1, 2)» == 2",
        UnknownFunction,
        "no function `math.gratest`",
        Some("did you mean `math.greatest`?"),
    ),
    (
        "«'a'.startsWith()»",
        Arity,
        "`startsWith` does not take 0 arguments",
        Some("it is `string.startsWith(string) -> bool`"),
    ),
    (
        "«'a'.startsWith('b', 'c')»",
        Arity,
        "`startsWith` does not take 2 arguments",
        Some("it is `string.startsWith(string) -> bool`"),
    ),
    (
        "«startsWith('a', 'b')»",
        UnknownFunction,
        "no function `startsWith`",
        Some("it is called as `string.startsWith(string) -> bool`"),
    ),
    (
        "«1 + 'a'» == 2",
        NoOverload,
        "`+` does not take `int` and `string`",
        None,
    ),
    (
        "«1 < 'a'»",
        NoOverload,
        "`<` does not take `int` and `string`",
        None,
    ),
    (
        "«port.number == '80'»",
        NoOverload,
        "`int` and `string` are never equal",
        None,
    ),
    (
        "«port.transport == 'strict'»",
        NoOverload,
        "`transport` and `string` cannot be compared; compare their fields",
        None,
    ),
    (
        "«port == port»",
        NoOverload,
        "`port` and `port` cannot be compared; compare their fields",
        None,
    ),
    (
        "«port.callers == 'a'»",
        NoOverload,
        "`list(string)` and `string` are never equal",
        None,
    ),
    (
        "«1 in port.callers»",
        NoOverload,
        "`in` does not take `int` and `list(string)`",
        None,
    ),
    (
        "«'a' in port.number»",
        NoOverload,
        "`in` does not take `string` and `int`",
        None,
    ),
    (
        "«port.number» && true",
        NoOverload,
        "`&&` wants a bool, not `int`",
        None,
    ),
    (
        "!«port.number»",
        NoOverload,
        "`!` wants a bool, not `int`",
        None,
    ),
    (
        "«'a'» ? 1 : 2",
        NoOverload,
        "`?:` wants a bool, not `string`",
        None,
    ),
    (
        "port.callers.all(c, «c»)",
        NoOverload,
        "the macro's condition wants a bool, not `string`",
        None,
    ),
    (
        "«port.number».all(c, true)",
        NoOverload,
        "a macro wants a list or a map, not `int`",
        None,
    ),
    (
        "«port.number.startsWith('8')»",
        NoOverload,
        "`startsWith` does not take `int` and `string`",
        Some("it is `string.startsWith(string) -> bool`"),
    ),
    (
        "«port.labels[1]» == ''",
        NoOverload,
        "`[]` does not take `map(string, string)` and `int`",
        None,
    ),
    (
        "«port.number[0]» == 1",
        NoOverload,
        "`[]` does not take `int` and `int`",
        None,
    ),
    (
        "«-'a'» == 1",
        NoOverload,
        "`-` does not take `string`",
        None,
    ),
    ("{«1.5»: 1}", BadKey, "a `double` cannot be a map key", None),
    (
        "[?«1»]",
        NoOverload,
        "`?` wants an optional value, not `int`",
        None,
    ),
    ("«object.a.exists(a.b, true)»", Syntax, "", None),
    ("1 +«»", Syntax, "", None),
    ("(1 + 2«»", Syntax, "", None),
    ("1 «2»", Syntax, "", None),
    (
        "a == «'x»\ny'",
        Syntax,
        "line break in a quoted literal",
        Some("write `\\n`, or quote with three quotes"),
    ),
    ("«é» == 1", Syntax, "", None),
    ("«Foo{a: 1}»", UnknownName, "no message type `Foo`", None),
];

#[test]
fn what_cannot_work_is_refused_with_its_bytes() {
    let environment = environment();
    let mut wrong = Vec::new();
    for (marked, kind, message, help) in REFUSED {
        let text = marked.replace(['«', '»'], "");
        let Err(error) = compile(&text, &environment) else {
            wrong.push(format!("{marked}: accepted"));
            continue;
        };
        let (start, end) = (error.range.start, error.range.end);
        let got = format!("{}«{}»{}", &text[..start], &text[start..end], &text[end..]);
        let said = message.is_empty() || error.message == *message;
        if got != *marked || error.kind != *kind || !said || error.help.as_deref() != *help {
            wrong.push(format!(
                "{marked}\n  got {got}\n  {:?} {:?} {:?}",
                error.kind, error.message, error.help
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_may_work_is_accepted() {
    let environment = environment();
    for text in [
        "object.a == 1 || object.a == 'x' || object.a == null",
        "port.number == 80.0 && port.number < 443u",
        "port.transport == null || port.transport.mode != 'x'",
        "port.labels['app'] == 'x' && port.labels.app == 'x'",
        "params.list.exists(p, p == port.number)",
        "[1, 'a'].exists(x, x == 'a')",
        "dyn(port.number) == '80'",
        "object.a + 1 == 2 || object.a + 'x' == 'yx'",
        "port.siblings.map(p, p.number).all(n, n > 0)",
        "port.callers.map(c, c.size()).exists(n, n > 2)",
        "(object.a ? 1 : 'x') == 'x'",
        "[1, 2].all(x, [3].all(x, x == 3) && x < 3)",
    ] {
        if let Err(error) = compile(text, &environment) {
            panic!("{text}: {}", error.message);
        }
    }
}

#[test]
fn types_are_inferred_as_far_as_the_tables_know() {
    let environment = environment();
    for (text, expected) in [
        ("object.a", "dyn"),
        ("port.number", "int"),
        ("port.number + 1", "int"),
        ("port.siblings", "list(port)"),
        ("port.siblings.filter(p, p.number > 1)", "list(port)"),
        ("port.siblings.map(p, p.number)", "list(int)"),
        ("port.siblings[0].transport.mode", "string"),
        ("port.?number", "optional(int)"),
        ("port.?number.orValue(1)", "int"),
        ("port.labels.map(k, k)", "list(string)"),
        ("{'a': 1}", "map(string, int)"),
        (
            "{'a': 1}.transformMap(k, v, string(v))",
            "map(string, string)",
        ),
        ("size('a') > 1 ? 'a' : 'b'", "string"),
        ("true ? 1 : 'b'", "dyn"),
        ("timestamp(1) - timestamp(2)", "duration"),
        ("object.a + [1]", "list(dyn)"),
    ] {
        let program = compile(text, &environment).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(program.result_type().to_string(), expected, "{text}");
    }
}

#[test]
fn a_trace_lists_every_sub_expression_with_its_value() {
    let environment = environment();
    let text = "object.a.b + 1 > 2 && object.c.all(x, x == 'p')";
    let program = trace_program(text, &environment).unwrap();
    let source = meshgov::source::Sources::default().add("a.yaml", "a: {b: 2}\nc: [p, q]\n");
    let parsed = meshgov::yaml::parse(&source);
    let mut bindings = Bindings::new(&environment);
    bindings.set(0, Value::Node(parsed.tree.node(0)));
    let (value, steps) = program.trace(&bindings, Fuel::default());
    assert!(matches!(value, Ok(Value::Bool(false))));
    let shown: Vec<_> = steps
        .iter()
        .map(|step| format!("{} = {}", &text[step.range.clone()], step.value))
        .collect();
    assert_eq!(
        shown,
        [
            "object = {\"a\": {\"b\": 2}, \"c\": [\"p\", \"q\"]}",
            "object.a = {\"b\": 2}",
            "object.a.b = 2",
            "1 = 1",
            "object.a.b + 1 = 3",
            "2 = 2",
            "object.a.b + 1 > 2 = true",
            "object = {\"a\": {\"b\": 2}, \"c\": [\"p\", \"q\"]}",
            "object.c = [\"p\", \"q\"]",
            "x = \"p\"",
            "'p' = \"p\"",
            "x == 'p' = true",
            "x = \"q\"",
            "'p' = \"p\"",
            "x == 'p' = false",
            "object.c.all(x, x == 'p') = false",
            "object.a.b + 1 > 2 && object.c.all(x, x == 'p') = false",
        ]
    );
}
