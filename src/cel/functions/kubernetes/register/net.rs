//! Rows of the IP and CIDR libraries.

use crate::cel::error::CallError;
use crate::cel::functions::kubernetes::cidr::Cidr;
use crate::cel::functions::kubernetes::ip::Ip;
use crate::cel::functions::opaque::{
    Library, carried, carry, charged_text, exactly, global, invalid, member, receiver,
};
use crate::cel::functions::{CallContext, Function};
use crate::cel::types::Type;
use crate::cel::value::Value;

impl Library for Ip {
    const TYPE_NAME: &'static str = "net.IP";

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Library for Cidr {
    const TYPE_NAME: &'static str = "net.CIDR";

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

const IP: Type = Type::Opaque(Ip::TYPE_NAME);
const CIDR: Type = Type::Opaque(Cidr::TYPE_NAME);

pub(super) fn rows() -> Vec<Function> {
    [parsing(), ip_members(), containment(), cidr_members()].concat()
}

fn parsing() -> Vec<Function> {
    let string = &[Type::String];
    vec![
        global(
            "ip",
            string,
            IP,
            "Reads an IP address.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                Ip::parse(charged_text(context, text)?)
                    .map(carry)
                    .map_err(invalid)
            },
        ),
        global(
            "isIP",
            string,
            Type::Bool,
            "Whether the string is an IP address.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                Ok(Value::Bool(Ip::parse(charged_text(context, text)?).is_ok()))
            },
        ),
        global(
            "ip.isCanonical",
            string,
            Type::Bool,
            "Whether the string is the canonical spelling of its address.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                let canonical = Ip::is_canonical(charged_text(context, text)?);
                canonical.map(Value::Bool).map_err(invalid)
            },
        ),
        global(
            "cidr",
            string,
            CIDR,
            "Reads an address range.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                Cidr::parse(charged_text(context, text)?)
                    .map(carry)
                    .map_err(invalid)
            },
        ),
        global(
            "isCIDR",
            string,
            Type::Bool,
            "Whether the string is an address range.",
            |context, arguments| {
                let [text] = exactly(arguments)?;
                Ok(Value::Bool(
                    Cidr::parse(charged_text(context, text)?).is_ok(),
                ))
            },
        ),
    ]
}

fn ip_members() -> Vec<Function> {
    let only = &[IP];
    vec![
        member("family", only, Type::Int, "4 or 6.", |_, arguments| {
            Ok(Value::Int(receiver::<Ip>(arguments)?.family()))
        }),
        member(
            "isUnspecified",
            only,
            Type::Bool,
            "Whether it is `0.0.0.0` or `::`.",
            |_, arguments| is(arguments, Ip::is_unspecified),
        ),
        member(
            "isLoopback",
            only,
            Type::Bool,
            "Whether it is a loopback address.",
            |_, arguments| is(arguments, Ip::is_loopback),
        ),
        member(
            "isLinkLocalMulticast",
            only,
            Type::Bool,
            "Whether it is a link-local multicast address.",
            |_, arguments| is(arguments, Ip::is_link_local_multicast),
        ),
        member(
            "isLinkLocalUnicast",
            only,
            Type::Bool,
            "Whether it is a link-local unicast address.",
            |_, arguments| is(arguments, Ip::is_link_local_unicast),
        ),
        member(
            "isGlobalUnicast",
            only,
            Type::Bool,
            "Whether it is a global unicast address; private ranges count.",
            |_, arguments| is(arguments, Ip::is_global_unicast),
        ),
    ]
}

fn is<'a>(arguments: &[Value<'a>], test: fn(&Ip) -> bool) -> Result<Value<'a>, CallError> {
    Ok(Value::Bool(test(receiver::<Ip>(arguments)?)))
}

fn containment() -> Vec<Function> {
    let mut rows = Vec::new();
    for other in [IP, Type::String] {
        rows.push(member(
            "containsIP",
            &[CIDR, other],
            Type::Bool,
            "Whether the range holds the address.",
            |context, arguments| {
                let [range, ip] = exactly(arguments)?;
                let ip = ip_argument(context, ip)?;
                Ok(Value::Bool(carried::<Cidr>(range)?.contains_ip(&ip)))
            },
        ));
    }
    for other in [CIDR, Type::String] {
        rows.push(member(
            "containsCIDR",
            &[CIDR, other],
            Type::Bool,
            "Whether the range holds every address of the other.",
            |context, arguments| {
                let [range, other] = exactly(arguments)?;
                let other = cidr_argument(context, other)?;
                Ok(Value::Bool(carried::<Cidr>(range)?.contains_cidr(&other)))
            },
        ));
    }
    rows
}

fn cidr_members() -> Vec<Function> {
    let only = &[CIDR];
    vec![
        member(
            "ip",
            only,
            IP,
            "The address before the slash.",
            |_, arguments| Ok(carry(receiver::<Cidr>(arguments)?.ip())),
        ),
        member(
            "masked",
            only,
            CIDR,
            "The range with its host bits cleared.",
            |_, arguments| Ok(carry(receiver::<Cidr>(arguments)?.masked())),
        ),
        member(
            "prefixLength",
            only,
            Type::Int,
            "The prefix length in bits.",
            |_, arguments| Ok(Value::Int(receiver::<Cidr>(arguments)?.prefix_length())),
        ),
    ]
}

fn ip_argument(context: &mut CallContext<'_>, value: &Value<'_>) -> Result<Ip, CallError> {
    if let Ok(ip) = carried::<Ip>(value) {
        return Ok(*ip);
    }
    Ip::parse(charged_text(context, value)?).map_err(invalid)
}

fn cidr_argument(context: &mut CallContext<'_>, value: &Value<'_>) -> Result<Cidr, CallError> {
    if let Ok(cidr) = carried::<Cidr>(value) {
        return Ok(*cidr);
    }
    Cidr::parse(charged_text(context, value)?).map_err(invalid)
}
