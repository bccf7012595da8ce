//! L7: what a terminal can show. Input: a snapshot of the environment and the user's choice; output: `Terminal`.

/// The value of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// Decided by the environment.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the `human` format may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// ANSI colours.
    pub color: bool,
    /// OSC 8 links.
    pub links: bool,
    /// Box-drawing characters.
    pub unicode: bool,
    /// Columns to wrap prose at.
    pub width: usize,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            color: false,
            links: false,
            unicode: true,
            width: DEFAULT_WIDTH,
        }
    }
}

const DEFAULT_WIDTH: usize = 100;

impl Terminal {
    /// Decides from the variables that other tools read; `env` answers a variable's value.
    ///
    /// Order: the flag, `NO_COLOR` (no-color.org), `CLICOLOR_FORCE`/`FORCE_COLOR` (bixense.com/clicolors, force-color.org),
    /// `TERM=dumb`, `CLICOLOR=0`, the terminal itself, `GITHUB_ACTIONS` (its log shows colours and is no terminal).
    /// What is no terminal gets the same bytes under every locale and width.
    pub fn detect(
        env: impl Fn(&str) -> Option<String>,
        is_terminal: bool,
        columns: Option<usize>,
        choice: ColorChoice,
    ) -> Self {
        let set = |name: &str| env(name).filter(|v| !v.is_empty());
        let on = |name: &str| set(name).map(|v| v != "0" && v != "false");
        let dumb = set("TERM").is_some_and(|t| t == "dumb");
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR").is_some() => false,
            ColorChoice::Auto => match (on("CLICOLOR_FORCE"), on("FORCE_COLOR")) {
                (Some(true), _) | (_, Some(true)) => true,
                (_, Some(false)) => false,
                _ if dumb || on("CLICOLOR") == Some(false) => false,
                _ => is_terminal || set("GITHUB_ACTIONS").is_some_and(|v| v == "true"),
            },
        };
        let locale = set("LC_ALL")
            .or_else(|| set("LC_CTYPE"))
            .or_else(|| set("LANG"));
        let utf8 = locale.is_none_or(|l| {
            let l = l.to_ascii_lowercase();
            l.contains("utf-8") || l.contains("utf8")
        });
        let columns = columns
            .filter(|_| is_terminal)
            .map_or(DEFAULT_WIDTH, |c| c.clamp(40, 120));
        Self {
            color,
            links: color && is_terminal && !dumb,
            unicode: !is_terminal || (utf8 && !dumb),
            width: columns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(variables: &[(&str, &str)], is_terminal: bool, choice: ColorChoice) -> bool {
        let env = |name: &str| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        };
        Terminal::detect(env, is_terminal, None, choice).color
    }

    #[test]
    fn the_usual_variables_decide_the_colour() {
        use ColorChoice::{Always, Auto, Never};
        for (variables, is_terminal, choice, expected) in [
            (&[][..], true, Auto, true),
            (&[], false, Auto, false),
            (&[], true, Never, false),
            (&[("NO_COLOR", "1")], false, Always, true),
            (&[("NO_COLOR", "1")], true, Auto, false),
            (&[("NO_COLOR", "")], true, Auto, true),
            (
                &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")],
                true,
                Auto,
                false,
            ),
            (&[("CLICOLOR_FORCE", "1")], false, Auto, true),
            (&[("CLICOLOR_FORCE", "0")], true, Auto, true),
            (&[("FORCE_COLOR", "0")], true, Auto, false),
            (&[("FORCE_COLOR", "1"), ("TERM", "dumb")], false, Auto, true),
            (&[("TERM", "dumb")], true, Auto, false),
            (&[("CLICOLOR", "0")], true, Auto, false),
            (&[("CLICOLOR", "1")], false, Auto, false),
            (&[("GITHUB_ACTIONS", "true")], false, Auto, true),
            (
                &[("GITHUB_ACTIONS", "true"), ("TERM", "dumb")],
                false,
                Auto,
                false,
            ),
        ] {
            assert_eq!(
                color(variables, is_terminal, choice),
                expected,
                "{variables:?} {is_terminal} {choice:?}"
            );
        }
    }

    #[test]
    fn what_is_no_terminal_gets_the_same_bytes_under_every_locale_and_width() {
        let env = |name: &str| (name == "LANG").then(|| "C".to_owned());
        let piped = Terminal::detect(env, false, Some(200), ColorChoice::Auto);
        assert_eq!(piped, Terminal::default());
        let shown = Terminal::detect(env, true, Some(200), ColorChoice::Auto);
        assert!(!shown.unicode && shown.links && shown.width == 120);
    }
}
