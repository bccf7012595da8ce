//! Random expressions over the grammar: mostly of the right types, sometimes not. Deterministic.

/// A generator of expressions over the variable `o`.
pub(crate) struct Random(u64);

/// What an expression should yield, most of the time.
#[derive(Clone, Copy)]
enum Sort {
    Bool,
    Int,
    Double,
    Text,
    List,
    Map,
    Any,
}

fn body_is_condition(name: &str) -> bool {
    matches!(name, "all" | "exists" | "exists_one")
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<'s>(&mut self, from: &[&'s str]) -> &'s str {
        from[self.below(from.len())]
    }

    /// An expression of random sort and depth.
    pub(crate) fn expression(&mut self) -> String {
        let depth = 1 + self.below(4);
        let sort = match self.below(8) {
            0..=2 => Sort::Bool,
            3 => Sort::Int,
            4 => Sort::Text,
            5 => Sort::List,
            6 => Sort::Map,
            _ => Sort::Double,
        };
        self.of(sort, depth, &[])
    }

    fn of(&mut self, sort: Sort, depth: usize, scope: &[String]) -> String {
        // One in forty has another type than its place wants.
        let sort = if self.below(40) == 0 { Sort::Any } else { sort };
        if depth == 0 {
            return self.leaf(sort, scope);
        }
        let d = depth - 1;
        match sort {
            Sort::Bool => self.boolean(d, scope),
            Sort::Int => self.int(d, scope),
            Sort::Double => self.double(d, scope),
            Sort::Text => self.text(d, scope),
            Sort::List => self.list(d, scope),
            Sort::Map => self.map(d, scope),
            Sort::Any => {
                let sort = [
                    Sort::Bool,
                    Sort::Int,
                    Sort::Double,
                    Sort::Text,
                    Sort::List,
                    Sort::Map,
                ];
                let sort = sort[self.below(6)];
                self.of(sort, depth, scope)
            }
        }
    }

    fn leaf(&mut self, sort: Sort, scope: &[String]) -> String {
        if !scope.is_empty() && !matches!(sort, Sort::List | Sort::Map) && self.below(4) == 0 {
            return scope[self.below(scope.len())].clone();
        }
        let leaves: &[&str] = match sort {
            Sort::Bool => &[
                "true",
                "false",
                "o.d.e",
                "has(o.a)",
                "has(o.z)",
                "has(o.d.f)",
                "'a' in o",
            ],
            // One leaf in thirty is likely to end in an error.
            Sort::Int if self.below(30) == 0 => &["o.c[5]", "9223372036854775807", "3u"],
            Sort::Text if self.below(30) == 0 => &["o.z", "o.d.g[2]"],
            Sort::Int => &[
                "0",
                "1",
                "2",
                "3",
                "-1",
                "10",
                "o.a",
                "o.c[0]",
                "o.c[2]",
                "size(o.c)",
            ],
            Sort::Double => &["0.5", "1.0", "-2.5", "o.h", "0.25", "0.0"],
            Sort::Text => &[
                "'x'", "''", "'abc'", "o.b", "o.d.g[1]", "'1'", "'a'", "'xyz'", "o.d.g[0]",
            ],
            Sort::List => &["[]", "[1, 2]", "o.c", "o.d.g", "['x']", "[1, 'x', 2.0]"],
            Sort::Map => &["{}", "{'a': 1}", "o", "o.d", "{1: 'x', true: 2}"],
            Sort::Any => &["null", "o.d.f", "o.q", "b'ab'", "int", "o.d.e.x"],
        };
        self.pick(leaves).to_owned()
    }

    fn boolean(&mut self, d: usize, scope: &[String]) -> String {
        match self.below(14) {
            0 | 1 => format!(
                "({} && {})",
                self.of(Sort::Bool, d, scope),
                self.of(Sort::Bool, d, scope)
            ),
            2 | 3 => format!(
                "({} || {})",
                self.of(Sort::Bool, d, scope),
                self.of(Sort::Bool, d, scope)
            ),
            4 => format!("!({})", self.of(Sort::Bool, d, scope)),
            5 => format!(
                "({} ? {} : {})",
                self.of(Sort::Bool, d, scope),
                self.of(Sort::Bool, d, scope),
                self.of(Sort::Bool, d, scope)
            ),
            6 | 7 => {
                let sort = [
                    Sort::Int,
                    Sort::Double,
                    Sort::Text,
                    Sort::List,
                    Sort::Map,
                    Sort::Any,
                ][self.below(6)];
                let relation = self.pick(&["==", "!="]);
                format!(
                    "({} {relation} {})",
                    self.of(sort, d, scope),
                    self.of(sort, d, scope)
                )
            }
            8 => {
                let sort = [Sort::Int, Sort::Double, Sort::Text][self.below(3)];
                let relation = self.pick(&["<", "<=", ">", ">="]);
                format!(
                    "({} {relation} {})",
                    self.of(sort, d, scope),
                    self.of(sort, d, scope)
                )
            }
            9 => {
                let (sort, range) =
                    [(Sort::Any, Sort::List), (Sort::Text, Sort::Map)][self.below(2)];
                format!(
                    "({} in {})",
                    self.of(sort, d, scope),
                    self.of(range, d, scope)
                )
            }
            10 => {
                let test = self.pick(&["startsWith", "endsWith", "contains"]);
                format!(
                    "({}).{test}({})",
                    self.of(Sort::Text, d, scope),
                    self.of(Sort::Text, d, scope)
                )
            }
            11 => format!(
                "has(({}).{})",
                self.of(Sort::Map, d, scope),
                self.pick(&["a", "d", "z"])
            ),
            _ => {
                let name = self.pick(&["all", "exists", "exists_one"]);
                self.macro_call(name, Sort::Bool, d, scope)
            }
        }
    }

    fn macro_call(&mut self, name: &str, body: Sort, d: usize, scope: &[String]) -> String {
        // The order of a map's keys is nobody's to know, so only quantifiers go over maps.
        let range = match (body_is_condition(name), self.below(4)) {
            (true, 0) => self.of(Sort::Map, d, scope),
            (true, _) => self.of(Sort::List, d, scope),
            (false, _) => self.lists_only(d, &[]),
        };
        let variable = self.pick(&["x", "y", "z"]).to_owned();
        let mut inner = scope.to_vec();
        inner.push(variable.clone());
        format!("({range}).{name}({variable}, {})", self.of(body, d, &inner))
    }

    fn int(&mut self, d: usize, scope: &[String]) -> String {
        match self.below(6) {
            0..=2 => {
                let sign = self.pick(&["+", "-", "*", "/", "%"]);
                format!(
                    "({} {sign} {})",
                    self.of(Sort::Int, d, scope),
                    self.of(Sort::Int, d, scope)
                )
            }
            3 => {
                let sort = [Sort::Text, Sort::List, Sort::Map][self.below(3)];
                format!("size({})", self.of(sort, d, scope))
            }
            4 => format!("-({})", self.of(Sort::Int, d, scope)),
            _ => format!(
                "({})[{}]",
                self.of(Sort::List, d, scope),
                self.of(Sort::Int, d, scope)
            ),
        }
    }

    fn double(&mut self, d: usize, scope: &[String]) -> String {
        match self.below(3) {
            0 => {
                let sign = self.pick(&["+", "-", "*", "/"]);
                format!(
                    "({} {sign} {})",
                    self.of(Sort::Double, d, scope),
                    self.of(Sort::Double, d, scope)
                )
            }
            1 => format!("double({})", self.of(Sort::Int, d, scope)),
            _ => format!("-({})", self.of(Sort::Double, d, scope)),
        }
    }

    fn text(&mut self, d: usize, scope: &[String]) -> String {
        match self.below(4) {
            0 | 1 => format!(
                "({} + {})",
                self.of(Sort::Text, d, scope),
                self.of(Sort::Text, d, scope)
            ),
            2 => format!("string({})", self.of(Sort::Int, d, scope)),
            _ => format!(
                "({} ? {} : {})",
                self.of(Sort::Bool, d, scope),
                self.of(Sort::Text, d, scope),
                self.of(Sort::Text, d, scope)
            ),
        }
    }

    fn list(&mut self, d: usize, scope: &[String]) -> String {
        match self.below(5) {
            0 => format!(
                "[{}, {}]",
                self.of(Sort::Any, d, scope),
                self.of(Sort::Int, d, scope)
            ),
            1 => format!(
                "({} + {})",
                // The crate concatenates a list and a map, which CEL has no overload for.
                self.lists_only(d, &[]),
                self.lists_only(d, &[])
            ),
            2 => {
                let sort = [Sort::Int, Sort::Text, Sort::Any][self.below(3)];
                self.macro_call("map", sort, d, scope)
            }
            _ => self.macro_call("filter", Sort::Bool, d, scope),
        }
    }

    fn lists_only(&mut self, d: usize, scope: &[String]) -> String {
        if d == 0 {
            self.leaf(Sort::List, scope)
        } else {
            self.list(d - 1, scope)
        }
    }

    fn map(&mut self, d: usize, scope: &[String]) -> String {
        match self.below(2) {
            0 => format!(
                "{{{}: {}, 'k': {}}}",
                self.of(Sort::Text, d, scope),
                self.of(Sort::Any, d, scope),
                self.of(Sort::Int, d, scope)
            ),
            _ => format!("({}).d", self.of(Sort::Map, d, scope)),
        }
    }
}
