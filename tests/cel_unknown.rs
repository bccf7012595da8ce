//! Three-valued truth: every operator and macro with an unknown in every position, and a property: what is definite with
//! unknowns stays so whatever they turn out to be.
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
    Bindings, Environment, Field, Fuel, FunctionTable, Outcome, Reasons, Record, RecordType, Type,
    Value, Variable, compile,
};

/// A fact: known, absent and unknown fields, and an open list.
#[derive(Debug)]
struct Port;

static PORT: RecordType = RecordType {
    name: "port",
    fields: &[
        field("number", Type::Int),
        field("mode", Type::String),
        field("name", Type::String),
        field("callers", Type::List(&Type::String)),
        field("owner", Type::Record(&PORT)),
    ],
};

const fn field(name: &'static str, ty: Type) -> Field {
    Field { name, ty, doc: "" }
}

impl Record for Port {
    fn record_type(&self) -> &'static RecordType {
        &PORT
    }
    fn field(&self, index: usize) -> Value<'_> {
        match index {
            0 => Value::Int(80),
            1 => unknown(1),
            3 => Value::open_list(vec![Value::Str("a"), Value::Str("b")], Reasons::one(3)).unwrap(),
            4 => unknown(4),
            _ => Value::Null,
        }
    }
}

fn unknown<'a>(reason: u32) -> Value<'a> {
    Value::Unknown(Reasons::one(reason))
}

fn evaluate(text: &str) -> String {
    let names = ["u", "v", "open", "some"];
    let mut variables: Vec<_> = names.map(|name| Variable::new(name, Type::Dyn)).into();
    variables.push(Variable::new("port", Type::Record(&PORT)));
    let environment = Environment::new(variables, Arc::new(FunctionTable::standard()));
    let program = match compile(text, &environment) {
        Ok(program) => program,
        Err(error) => return format!("refused: {}", error.message),
    };
    let mut bindings = Bindings::new(&environment);
    bindings.set(0, unknown(1));
    bindings.set(1, unknown(2));
    bindings.set(
        2,
        Value::open_list(vec![Value::Int(1), Value::Int(2)], Reasons::one(3)).unwrap(),
    );
    bindings.set(3, Value::list(vec![Value::Int(1), unknown(4)]).unwrap());
    bindings.set(4, Value::Record(&Port));
    match program.evaluate(&bindings, Fuel::default()) {
        Outcome::True => "true".to_owned(),
        Outcome::False(_) => "false".to_owned(),
        Outcome::Unknown(reasons) => format!("{:?}", reasons.as_slice()),
        Outcome::Error(error) => format!("{:?}", error.kind),
        Outcome::Exhausted(_) => "exhausted".to_owned(),
    }
}

/// `err` stands for an expression that fails.
const TABLE: &[(&str, &str)] = &[
    // &&: false absorbs, then unknown, then the error.
    ("u && true", "[1]"),
    ("true && u", "[1]"),
    ("u && false", "false"),
    ("false && u", "false"),
    ("u && v", "[1, 2]"),
    ("u && u", "[1]"),
    ("u && err", "[1]"),
    ("err && u", "[1]"),
    ("err && false", "false"),
    ("err && true", "DivideByZero"),
    ("u && err && false", "false"),
    // ||: true absorbs.
    ("u || true", "true"),
    ("true || u", "true"),
    ("u || false", "[1]"),
    ("false || u", "[1]"),
    ("u || v", "[1, 2]"),
    ("u || err", "[1]"),
    ("err || u", "[1]"),
    ("err || true", "true"),
    ("u || err || true", "true"),
    ("!u", "[1]"),
    ("!!u", "[1]"),
    // The conditional: known only where both branches agree.
    ("u ? true : true", "true"),
    ("u ? false : false", "false"),
    ("u ? true : false", "[1]"),
    ("u ? v : true", "[1, 2]"),
    ("u ? v : v", "[1, 2]"),
    ("u ? err : true", "[1]"),
    ("true ? u : false", "[1]"),
    ("true ? false : u", "false"),
    ("false ? u : true", "true"),
    ("err ? u : u", "DivideByZero"),
    ("(u ? 1 : 1) == 1", "true"),
    ("(u ? 1 : 1u) == 1", "[1]"),
    ("(1 / u == 1) ? true : true", "[1]"),
    // Strict operators, on either side; an error on the other side does not win.
    ("u == 1", "[1]"),
    ("1 == u", "[1]"),
    ("u == u", "[1]"),
    ("u == v", "[1, 2]"),
    ("u != 'a'", "[1]"),
    ("'a' != u", "[1]"),
    ("u == 'a'", "[1]"),
    ("u == 1 / 0", "[1]"),
    ("1 / 0 == u", "[1]"),
    ("u == null", "[1]"),
    ("u < 1", "[1]"),
    ("1 < u", "[1]"),
    ("u <= v", "[1, 2]"),
    ("u > 1", "[1]"),
    ("1 >= u", "[1]"),
    ("u + 1 == 2", "[1]"),
    ("1 + u == 2", "[1]"),
    ("u - 1 == 2", "[1]"),
    ("2 * u == 2", "[1]"),
    ("0 * u == 0", "[1]"),
    ("u / 0 == 2", "[1]"),
    ("u % 2 == 2", "[1]"),
    ("-u == 2", "[1]"),
    ("'a' + u == 'b'", "[1]"),
    ("[1] + u == []", "[1]"),
    // Reads.
    ("u.a == 1", "[1]"),
    ("u.a.b.c", "[1]"),
    ("u[0]", "[1]"),
    ("[true][u]", "[1]"),
    ("u[v]", "[1, 2]"),
    ("u[1 / 0]", "[1]"),
    ("{'a': true}[u]", "[1]"),
    ("has(u.a)", "[1]"),
    ("!has(u.a) || u.a == 1", "[1]"),
    ("has(u.a.b)", "[1]"),
    ("u.?a.hasValue()", "[1]"),
    ("u.?a.orValue(true)", "[1]"),
    ("u[?0].hasValue()", "[1]"),
    ("[true][?u].orValue(false)", "[1]"),
    ("optional.none().orValue(u)", "[1]"),
    ("optional.of(true).orValue(u)", "true"),
    ("optional.of(u).orValue(true)", "[1]"),
    ("optional.of(u).hasValue()", "[1]"),
    ("u.orValue(true)", "[1]"),
    ("u.or(optional.of(true)).value()", "[1]"),
    ("optional.none().or(u).hasValue()", "[1]"),
    ("optional.of(1).or(u).hasValue()", "true"),
    ("u.optMap(x, true).orValue(false)", "[1]"),
    ("optional.of(1).optMap(x, u).orValue(true)", "[1]"),
    ("optional.none().optMap(x, u).orValue(true)", "true"),
    ("u.optFlatMap(x, optional.of(true)).orValue(false)", "[1]"),
    // Membership and size.
    ("1 in u", "[1]"),
    ("u in [1, 2]", "[1]"),
    ("u in ['a', 'b']", "[1]"),
    ("u in {'a': 1}", "[1]"),
    ("u in []", "[1]"),
    ("1 in [u, 1]", "true"),
    ("2 in [u, 1]", "[1]"),
    ("1 in some", "true"),
    ("2 in some", "[4]"),
    ("1 in open", "true"),
    ("3 in open", "[3]"),
    ("size(u) == 1", "[1]"),
    ("u.size() == 1", "[1]"),
    ("size([u]) == 1", "true"),
    ("size([1 / u]) == 1", "[1]"),
    ("size(open) > 1", "[3]"),
    ("size(some) == 2", "true"),
    // Equality of lists and maps: one definite difference decides.
    ("[u, 1] == [2, 2]", "false"),
    ("[u, 1] == [2, 1]", "[1]"),
    ("[u] == [1, 2]", "false"),
    ("[u] != [1, 2]", "true"),
    ("[u, v] == [1, 2]", "[1, 2]"),
    ("{'a': u} == {'a': 1}", "[1]"),
    ("{'a': u} == {'b': 1}", "false"),
    ("{'a': u, 'b': 1} == {'a': 1, 'b': 2}", "false"),
    ("{u: 1} == {'a': 1}", "[1]"),
    ("some == [2, 2]", "false"),
    ("some == [1, 2]", "[4]"),
    ("open == [1, 2]", "[3]"),
    ("open == [1]", "false"),
    ("[1] == open", "false"),
    ("open != [1]", "true"),
    ("open == open", "[3]"),
    // Building.
    ("[?u] == []", "[1]"),
    ("{?'a': u} == {}", "[1]"),
    ("{'a': u, 'b': true}.b", "true"),
    ("[u, true][1]", "true"),
    ("[u, err]", "[1]"),
    // Functions are strict, in every position and inside lists.
    ("string(u) == 'a'", "[1]"),
    ("type(u) == int", "[1]"),
    ("dyn(u) == 1", "[1]"),
    ("u.startsWith('a')", "[1]"),
    ("'a'.startsWith(u)", "[1]"),
    ("u.endsWith('a')", "[1]"),
    ("'a'.contains(u)", "[1]"),
    ("u.matches('a')", "[1]"),
    ("'a'.matches(u)", "[1]"),
    ("u.matches(v)", "[1, 2]"),
    ("'a'.replace('b', u) == 'a'", "[1]"),
    ("[u, 'a'].join('') == 'a'", "[1]"),
    ("math.greatest(1, u) == 1", "[1]"),
    ("math.greatest([1, u]) == 1", "[1]"),
    ("sets.contains([1, u], [1])", "[1]"),
    ("u.getFullYear() == 1", "[1]"),
    ("open.sort() == [1, 2]", "[3]"),
    ("u.f(1)", "refused: no function `f`"),
    // Macros: the collection, the condition, the elements.
    ("u.all(x, true)", "[1]"),
    ("u.exists(x, true)", "[1]"),
    ("u.exists_one(x, true)", "[1]"),
    ("u.map(x, x) == []", "[1]"),
    ("u.filter(x, true) == []", "[1]"),
    ("u.all(i, x, true)", "[1]"),
    ("u.transformList(i, x, x) == []", "[1]"),
    ("u.transformMap(k, x, x) == {}", "[1]"),
    ("u.sortBy(x, x) == []", "[1]"),
    ("[].all(x, u)", "true"),
    ("[].exists(x, u)", "false"),
    ("[1, 2].all(x, u)", "[1]"),
    ("[1, 2].all(x, x == 1 && u)", "false"),
    ("[1, 2].all(x, x == 1 || u)", "[1]"),
    ("[0, 1].all(x, 1 / x == 1 && u)", "[1]"),
    ("[0, 1].all(x, 1 / x == 2)", "false"),
    ("[1, 2].exists(x, u)", "[1]"),
    ("[1, 2].exists(x, x == 2 || u)", "true"),
    ("[1, 2].exists(x, x == 3 && u)", "false"),
    ("[0, 1].exists(x, 1 / x == 2 || u)", "[1]"),
    ("[u, 1].all(x, x == 1)", "[1]"),
    ("[u, 1].all(x, x == 2)", "false"),
    ("[u, 1].exists(x, x == 1)", "true"),
    ("[u, 1].exists(x, x == 2)", "[1]"),
    ("[1, 2].exists_one(x, u)", "[1]"),
    ("[1, 2].exists_one(x, x == 1 || u)", "[1]"),
    ("[1, 1, u].exists_one(x, x == 1)", "[1]"),
    ("[1, 2].filter(x, u) == []", "[1]"),
    ("[1, 2].filter(x, x == 3 && u) == []", "true"),
    ("[1, 2].map(x, u) == [1]", "false"),
    ("size([1, 2].map(x, u)) == 2", "true"),
    ("size([1, 2].map(x, x / u)) == 2", "[1]"),
    ("[1, 2].map(x, u, x) == []", "[1]"),
    ("2 in [1, 2].map(x, x == 1 ? u : x)", "true"),
    ("[1].transformList(i, x, u) == [1]", "[1]"),
    ("[1].transformList(i, x, u, x) == [1]", "[1]"),
    ("{'a': 1}.transformMap(k, x, u) == {}", "false"),
    ("{'a': 1}.transformMap(k, x, u, x) == {}", "[1]"),
    (
        "{'a': 1}.transformMapEntry(k, x, {k: u}) == {'a': 1}",
        "[1]",
    ),
    (
        "{'a': 1}.transformMapEntry(k, x, {u: k}) == {'a': 1}",
        "[1]",
    ),
    ("[2, 1].sortBy(x, u) == []", "[1]"),
    // Open collections: what is not there may be there.
    ("open.all(x, x > 0)", "[3]"),
    ("open.all(x, x == 1)", "false"),
    ("open.exists(x, x == 2)", "true"),
    ("open.exists(x, x == 3)", "[3]"),
    ("open.exists_one(x, x == 1)", "[3]"),
    ("open.exists_one(x, x > 0)", "[3]"),
    ("open.filter(x, x == 3) == []", "[3]"),
    ("size(open.filter(x, x == 1)) == 1", "[3]"),
    ("1 in open.map(x, x)", "true"),
    ("9 in open.map(x, x)", "[3]"),
    ("9 in open + [9]", "true"),
    ("8 in open + [9]", "[3]"),
    ("open[0] == 1", "[3]"),
    ("open[?0].hasValue()", "[3]"),
    ("open.all(i, x, x > 5)", "false"),
    // Binding.
    ("cel.bind(x, u, x == 1)", "[1]"),
    ("cel.bind(x, u, true)", "true"),
    ("cel.bind(x, err, true)", "true"),
    ("cel.bind(x, dyn(err), x == 1)", "DivideByZero"),
    // known() alone sees unknown.
    ("known(u)", "false"),
    ("known(1)", "true"),
    ("known(u) && u == 1", "false"),
    ("!known(u) || u == 1", "true"),
    ("known(u && false)", "true"),
    ("known(open)", "false"),
    ("known(some)", "false"),
    ("known(err)", "DivideByZero"),
    // Facts.
    ("port.number == 80", "true"),
    ("port.mode == 'strict'", "[1]"),
    ("port.mode in ['strict']", "[1]"),
    ("known(port.mode)", "false"),
    ("known(port.number)", "true"),
    ("has(port.number)", "true"),
    ("has(port.name)", "false"),
    ("has(port.mode)", "[1]"),
    ("!has(port.mode) || port.mode == 'strict'", "[1]"),
    ("!has(port.name) || port.name == 'x'", "true"),
    ("port.name == null", "true"),
    ("port.?mode.hasValue()", "[1]"),
    ("port.?name.hasValue()", "false"),
    ("port.?number.orValue(1) == 80", "true"),
    ("port.owner.number == 80", "[4]"),
    ("has(port.owner.number)", "[4]"),
    ("port.callers.exists(c, c == 'a')", "true"),
    ("'z' in port.callers", "[3]"),
    ("port.callers.all(c, c == 'a')", "false"),
    ("size(port.callers) == 2", "[3]"),
    ("[port].all(p, p.mode == 'strict')", "[1]"),
    ("[port].map(p, p.mode) == ['strict']", "[1]"),
    ("[port.number, port.mode] == [81, 'x']", "false"),
];

#[test]
fn every_operator_and_macro_with_an_unknown_in_every_position() {
    let mut wrong = Vec::new();
    for (text, expected) in TABLE {
        let text = text.replace("err", "(1 / 0 == 1)");
        let got = evaluate(&text);
        if got != *expected {
            wrong.push(format!("{text}: {got}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A small deterministic generator of typed expressions.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<'s>(&mut self, from: &[&'s str]) -> &'s str {
        from[self.below(from.len())]
    }

    fn boolean(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .pick(&[
                    "p", "q", "true", "false", "i == 1", "s == 'a'", "1 in l", "1 in m",
                ])
                .to_owned();
        }
        let d = depth - 1;
        match self.below(15) {
            0 | 1 => format!("({} && {})", self.boolean(d), self.boolean(d)),
            2 | 3 => format!("({} || {})", self.boolean(d), self.boolean(d)),
            4 => format!("!{}", self.boolean(d)),
            5 => format!(
                "({} ? {} : {})",
                self.boolean(d),
                self.boolean(d),
                self.boolean(d)
            ),
            6 => format!(
                "({} {} {})",
                self.int(d),
                self.pick(&["==", "!=", "<", ">="]),
                self.int(d)
            ),
            7 => format!("({} == {})", self.text(d), self.text(d)),
            8 => format!("({} in {})", self.int(d), self.list(d)),
            9 => format!("({} == {})", self.list(d), self.list(d)),
            10 => format!("{}.all(x, {})", self.list(d), self.with_x(d)),
            11 => format!("{}.exists(x, {})", self.list(d), self.with_x(d)),
            12 => format!("{}.exists_one(x, {})", self.list(d), self.with_x(d)),
            13 => format!("(size({}) == {})", self.list(d), self.int(d)),
            _ => format!(
                "optional.of({}).orValue({})",
                self.boolean(d),
                self.boolean(d)
            ),
        }
    }

    fn with_x(&mut self, depth: usize) -> String {
        let relation = self.pick(&["==", "<", "!="]);
        format!(
            "(x {relation} {} {} {})",
            self.int(depth),
            self.pick(&["&&", "||"]),
            self.boolean(depth)
        )
    }

    fn int(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.pick(&["i", "j", "0", "1", "2"]).to_owned();
        }
        let d = depth - 1;
        match self.below(6) {
            0 => format!("({} + {})", self.int(d), self.int(d)),
            1 => format!("({} / {})", self.int(d), self.int(d)),
            2 => format!("({} ? {} : {})", self.boolean(d), self.int(d), self.int(d)),
            3 => format!("size({})", self.list(d)),
            4 => format!("{}[{}]", self.list(d), self.int(d)),
            _ => self.int(d),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.pick(&["s", "'a'", "''"]).to_owned();
        }
        let d = depth - 1;
        match self.below(3) {
            0 => format!("({} + {})", self.text(d), self.text(d)),
            1 => format!(
                "({} ? {} : {})",
                self.boolean(d),
                self.text(d),
                self.text(d)
            ),
            _ => self.text(0),
        }
    }

    fn list(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.pick(&["l", "m", "[1]", "[]", "[1, 2]"]).to_owned();
        }
        let d = depth - 1;
        match self.below(6) {
            0 => format!("[{}, {}]", self.int(d), self.int(d)),
            1 => format!("{}.filter(x, {})", self.list(d), self.with_x(d)),
            2 => format!("{}.map(x, x + {})", self.list(d), self.int(d)),
            3 => format!("({} + {})", self.list(d), self.list(d)),
            4 => format!(
                "({} ? {} : {})",
                self.boolean(d),
                self.list(d),
                self.list(d)
            ),
            _ => self.list(0),
        }
    }

    /// Values of the right types for p, q, i, j, s, l and m.
    fn substitution(&mut self) -> Vec<Value<'static>> {
        let int = |random: &mut Self| Value::Int(i64::try_from(random.below(4)).unwrap() - 1);
        let mut open: Vec<Value<'static>> = vec![Value::Int(1), Value::Int(2)];
        for _ in 0..self.below(3) {
            let at = self.below(open.len() + 1);
            open.insert(at, int(self));
        }
        vec![
            Value::Bool(self.below(2) == 0),
            Value::Bool(self.below(2) == 0),
            int(self),
            int(self),
            Value::Str(self.pick(&["", "a", "b"])),
            Value::list(open).unwrap(),
            Value::list(vec![Value::Int(1), int(self)]).unwrap(),
        ]
    }
}

#[test]
fn a_definite_answer_stays_whatever_the_unknowns_turn_out_to_be() {
    const EXPRESSIONS: usize = 4_000;
    const SUBSTITUTIONS: usize = 12;
    let types = [
        ("p", Type::Bool),
        ("q", Type::Bool),
        ("i", Type::Int),
        ("j", Type::Int),
        ("s", Type::String),
        ("l", Type::List(&Type::Int)),
        ("m", Type::List(&Type::Int)),
    ];
    let variables = types.map(|(name, ty)| Variable::new(name, ty)).into();
    let environment = Environment::new(variables, Arc::new(FunctionTable::standard()));
    let mut unknowns = Bindings::new(&environment);
    for number in 0..5 {
        unknowns.set(number, unknown(u32::try_from(number).unwrap()));
    }
    let open = Value::open_list(vec![Value::Int(1), Value::Int(2)], Reasons::one(5)).unwrap();
    unknowns.set(5, open);
    unknowns.set(6, Value::list(vec![Value::Int(1), unknown(6)]).unwrap());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut definite, mut unsettled) = (0, 0);
    for _ in 0..EXPRESSIONS {
        let depth = 1 + random.below(4);
        let text = random.boolean(depth);
        let Ok(program) = compile(&text, &environment) else {
            continue;
        };
        let known = match program.decide(&unknowns, Fuel::default()) {
            Outcome::True => true,
            Outcome::False(_) => false,
            _ => {
                unsettled += 1;
                continue;
            }
        };
        definite += 1;
        for _ in 0..SUBSTITUTIONS {
            let mut bindings = Bindings::new(&environment);
            let values = random.substitution();
            let shown: Vec<_> = values.iter().map(Value::to_display).collect();
            for (number, value) in values.into_iter().enumerate() {
                bindings.set(number, value);
            }
            let outcome = program.decide(&bindings, Fuel::default());
            let same = match outcome {
                Outcome::True => known,
                Outcome::False(_) => !known,
                _ => false,
            };
            assert!(
                same,
                "{text}\nis {known} with unknowns, but {outcome:?} with {shown:?}"
            );
        }
    }
    // Both kinds must occur often, or the property says nothing.
    assert!(
        definite > 500 && unsettled > 500,
        "{definite} definite, {unsettled} not"
    );
}
