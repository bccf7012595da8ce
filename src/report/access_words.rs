//! L7: access in words. Input: facts of ports and ways in; output: phrases that every format of the access report shares.

use crate::facts::Fact;
use crate::facts::access::{Access, By, Level};
use crate::facts::exposure::{Copies, Exposure, Way};
use crate::query::access::edge::Edge;
use crate::source::{Sources, Span};

use super::{and_more, one_line, place};

/// Members that a phrase names before it counts the rest.
const SHOWN: usize = 4;

/// Who may call: `sa:apps/chat, ns:web except sa:web/front · only method:POST`.
pub(super) fn who(fact: &Fact<Access>) -> String {
    let access = match &fact.value {
        Ok(access) => access,
        Err(reasons) => {
            let missing = reasons.iter().map(|r| one_line(&r.missing));
            return format!("? {}", missing.collect::<Vec<_>>().join("; "));
        }
    };
    let mut text = whom(access);
    if !access.except.is_empty() {
        text = format!("{text} except {}", and_more(access.except.iter(), SHOWN));
    }
    if !access.nets.is_empty() {
        text = format!("{text} from {}", and_more(access.nets.iter(), SHOWN));
    }
    if access.level != Level::Nobody && !access.requests.is_empty() {
        text = format!("{text}, only {}", and_more(access.requests.iter(), SHOWN));
    }
    if access.delegated {
        text = format!("{text}, when an external authorizer agrees");
    }
    text
}

fn whom(access: &Access) -> String {
    let jwt = access.by.contains(&By::Jwt);
    let members = || and_more(access.set.iter(), SHOWN);
    match access.level {
        Level::Nobody => "nobody".to_owned(),
        Level::Anyone if !access.proxied => "anyone, no proxy in the way".to_owned(),
        Level::Anyone => "anyone".to_owned(),
        Level::Mesh if access.set.is_empty() && jwt => "anyone with a token".to_owned(),
        Level::Mesh if access.set.is_empty() => "any mesh identity".to_owned(),
        Level::Mesh => members(),
        Level::Namespaces | Level::Identities if is_by_network_only(access) => {
            format!("{} by network only", members())
        }
        Level::Namespaces | Level::Identities => members(),
    }
}

/// Whether nothing but labels and addresses tells callers apart: no identity is asked for.
fn is_by_network_only(access: &Access) -> bool {
    access.by.contains(&By::Network) && access.by.len() == 1
}

/// Copies of requests: `of requests to ml/llm, by VirtualService:ml/llm`.
pub(super) fn copied(copies: &Copies) -> String {
    let of = and_more(copies.of.iter(), SHOWN);
    format!("of requests to {of}, by {}", copies.opened_by())
}

/// A way in: `HTTPRoute:ml/llm at edge/gw:443 (simple)`.
pub(super) fn way_in(exposure: &Exposure) -> String {
    let mut text = exposure.opened_by();
    if exposure.way != Way::Route {
        text = format!("{} of {text}", exposure.way.as_str());
    }
    let gateway = exposure.gateway();
    let port = match exposure.outside_port {
        0 => String::new(),
        port => format!(":{port}"),
    };
    if !gateway.is_empty() {
        text = format!("{text} at {gateway}{port}");
    } else if exposure.outside_port > 0 {
        text = format!("{text} on port {}", exposure.outside_port);
    }
    let tls = exposure.tls.map_or("TLS unknown", |t| match t.as_str() {
        "none" => "cleartext",
        other => other,
    });
    let inside = if exposure.internal { ", internal" } else { "" };
    let copies = if exposure.mirror { ", copies only" } else { "" };
    format!("{text} ({tls}{inside}{copies})")
}

/// A call's answer: `allow, only method:POST`.
pub(super) fn answer(edge: &Edge) -> String {
    let mut text = edge.verdict.as_str().to_owned();
    if !edge.requests.is_empty() {
        text = format!("{text}, only {}", and_more(edge.requests.iter(), SHOWN));
    }
    if edge.via != "direct" {
        text = format!("{text}, through waypoint {}", edge.via);
    }
    text
}

/// `path:line:column`.
pub(super) fn at(sources: &Sources, span: Span) -> String {
    let place = place(sources, span);
    format!(
        "{}:{}:{}",
        one_line(place.path),
        place.start.line,
        place.start.column
    )
}

/// Words broken into lines of at most `width` characters; a longer word stands alone.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_between_words_only() {
        assert_eq!(wrapped("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrapped("abcdef g", 3), ["abcdef", "g"]);
        assert_eq!(wrapped("", 3), [""]);
    }

    #[test]
    fn access_reads_as_a_phrase() {
        let mut access = Access::unprotected();
        assert_eq!(
            who(&Fact::known(access.clone(), Vec::new())),
            "anyone, no proxy in the way"
        );
        access.proxied = true;
        access.level = Level::Namespaces;
        access.by = [By::Mtls].into();
        access.set = ["ns:web".to_owned()].into();
        access.except = ["sa:web/front".to_owned()].into();
        access.requests = ["method:GET".to_owned()].into();
        assert_eq!(
            who(&Fact::known(access, Vec::new())),
            "ns:web except sa:web/front, only method:GET"
        );
    }
}
