//! L8: `meshgov eval`. Input: a CEL expression and manifests; output: its value for each object, or for the whole view.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::cel::{Bindings, Fuel, NoValue, Program, Value};
use crate::cli::pipeline;
use crate::cli::settings::{ConfigFlags, FilterFlags};
use crate::cli::{EXIT_EMPTY, EXIT_OK, Io, print};
use crate::error::Error;
use crate::evaluate::expression;
use crate::facts::subject::{SUBJECTS, SubjectKind, World};
use crate::rule::KindPattern;
use crate::shape::Problem;
use crate::source::{SourceFile, SourceId, Span, to_u32};
use std::sync::Arc;

/// Arguments of `eval`.
#[derive(Debug, Args)]
pub(super) struct Eval {
    /// CEL expression over `object` (one value an object) or `objects` (one value a view)
    #[arg(value_name = "CEL")]
    expression: String,
    /// Files, folders, or `-` for standard input; without any the expression is evaluated once
    paths: Vec<PathBuf>,
    /// Only objects of this kind: `Deployment`, `security.istio.io/*`
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Print every sub-expression with its value
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

impl Eval {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let kind = match &self.kind {
            None => None,
            Some(text) => Some(KindPattern::parse(text).ok_or_else(|| {
                Error::usage_help(
                    format!("`{text}` names no kind"),
                    "write `Deployment`, `security.istio.io/PeerAuthentication` or `security.istio.io/*`",
                )
            })?),
        };
        let environment = expression::environment(SubjectKind::Resource);
        let tree = expression::environment(SubjectKind::Tree);
        let compile = |environment| expression::compile(&self.expression, environment, self.trace);
        let (program, of_tree) = match compile(&environment) {
            Ok(program) => (program, false),
            Err(error) => match compile(&tree) {
                Ok(program) => (program, true),
                Err(_) => return Err(self.faulty(&error)),
            },
        };
        let mut text = String::new();
        if self.paths.is_empty() {
            self.print_value(&mut text, &program, &Bindings::new(&environment));
            print(io, &text)?;
            return Ok(EXIT_OK);
        }
        let settings = self.config.settings(&FilterFlags::default(), io)?;
        let Some(input) = pipeline::asked(&self.paths, &settings.config, None, io)? else {
            return Ok(EXIT_EMPTY);
        };
        for (world, _) in input.worlds(&io.today) {
            if of_tree {
                let _ = write!(text, "view {}: ", world.view.name);
                let mut bindings = Bindings::new(&tree);
                bindings.set(0, world.objects());
                self.print_value(&mut text, &program, &bindings);
                continue;
            }
            self.objects(&mut text, &program, &world, kind.as_ref(), &input.sources);
        }
        print(io, &text)?;
        Ok(EXIT_OK)
    }

    fn objects(
        &self,
        text: &mut String,
        program: &Program,
        world: &World,
        kind: Option<&KindPattern>,
        sources: &crate::source::Sources,
    ) {
        let environment = expression::environment(SubjectKind::Resource);
        for member in &world.view.members {
            let resource = &member.resource;
            if kind.is_some_and(|k| !k.matches(&resource.group_kind)) {
                continue;
            }
            let span = resource.name_span();
            if let Some(file) = sources.get(span.source) {
                let line = file.position(span.start).line;
                let _ = write!(text, "{}:{line}: ", file.path);
            }
            let name = crate::evaluate::draft::identity(resource);
            let _ = write!(text, "{name}: ");
            let bindings = expression::bind_member(&environment, member, world);
            self.print_value(text, program, &bindings);
        }
    }

    fn print_value<'a>(&self, text: &mut String, program: &'a Program, bindings: &Bindings<'a>) {
        let (value, steps) = if self.trace {
            program.trace(bindings, Fuel::default())
        } else {
            (program.value(bindings, Fuel::default()), Vec::new())
        };
        let _ = writeln!(text, "{}", shown(&value));
        for step in steps {
            let part = self.expression.get(step.range).unwrap_or("");
            let _ = writeln!(text, "  {part}  =  {}", step.value);
        }
    }

    /// The expression as a file of its own, so that the fault gets its caret.
    fn faulty(&self, error: &crate::cel::CompileError) -> Error {
        let file = SourceFile::new(SourceId(0), "expression", self.expression.as_str());
        Error::Problems(vec![Problem {
            file: Arc::new(file),
            span: Span {
                source: SourceId(0),
                start: to_u32(error.range.start),
                end: to_u32(error.range.end),
            },
            message: error.message.clone(),
            help: error.help.clone().or_else(|| of_rules(&error.message)),
        }])
    }
}

/// Variables that a rule has and an expression by itself has not.
fn of_rules(message: &str) -> Option<String> {
    let name = message.strip_prefix("no variable `")?.strip_suffix('`')?;
    let variables = SUBJECTS.iter().flat_map(|row| row.variables);
    let known = variables.into_iter().any(|variable| variable.name == name);
    known.then(|| {
        format!("an expression by itself sees `object` or `objects`; `{name}` is there in a rule: meshgov check --rules DIR")
    })
}

fn shown(value: &Result<Value<'_>, NoValue>) -> String {
    match value {
        Ok(value) => value.to_display(),
        Err(NoValue::Error(error)) => format!("error: {}", error.message),
        Err(NoValue::Exhausted(_)) => String::from("error: the expression is too expensive"),
    }
}
