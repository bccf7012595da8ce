#!/usr/bin/env python3
"""Breaks an engine in one place at a time and says whether the random test that guards it notices.

usage: mutations.py istio|network|layers [NAME…]      works in place and puts every file back; exit 1 when a break goes unnoticed.

istio: against the reference evaluator; the names follow the surprises of domain/istio.md, section 0.
network: network policies against their reference evaluator; domain/meshes.md, section 5.
layers: sets and the combination of layers against the naive evaluator in src/engine/brute.
"""
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ISTIO = {
    "01a ambient DENY with only HTTP fields is not dead": (
        "src/engine/istio/ztunnel.rs",
        "if clauses.is_empty() {\n                dead_entry = true;",
        "if clauses.is_empty() {\n                cubes.push(Cube::all());",
    ),
    "01b DENY with HTTP fields on TCP falls as a whole": (
        "src/engine/istio/compile.rs",
        "Action::Custom | Action::Deny | Action::Audit => Ok(Clause::True)",
        "Action::Custom | Action::Deny | Action::Audit => Err(Dropped::HttpOnly)",
    ),
    "03a bare selector binds in ambient": ("src/engine/istio/policy.rs", "&& !p.bare_selector", ""),
    "03b root policy with an empty selector counts in ambient": (
        "src/engine/istio/peer_authentication.rs",
        "!(only_absent && p.has_selector)",
        "(!only_absent || p.selector.is_empty())",
    ),
    "05 clients infer nothing from namespace policies": (
        "src/engine/istio/client.rs", "if inferred.mode == PaMode::Disable", "if inferred.mode == PaMode::Disable && !self.internal",
    ),
    "06a port settings are merged, not replaced": (
        "src/engine/istio/destination_rule.rs",
        "let tls = entry.unwrap_or(policy).get(\"tls\").filter(|t| t.is_map());",
        "let tls = entry.and_then(|e| e.get(\"tls\")).or_else(|| policy.get(\"tls\")).filter(|t| t.is_map());",
    ),
    "06b a credential reaches sidecars": (
        "src/engine/istio/client.rs", "!name.starts_with(\"configmap://\") && !chosen.is_for_pods()", "name.is_empty()",
    ),
    "07 the most specific rule wins over the client's namespace": (
        "src/engine/istio/destination_rule.rs", "Found::Rules(rules) => return Some(Chosen { rules }),",
        "Found::Rules(rules) if rules.iter().any(|r| r.host == host) => return Some(Chosen { rules }),\n            Found::Rules(_) => {}",
    ),
    "10 the ztunnel sees the client behind a waypoint": (
        "src/engine/istio/access.rs",
        ".seen_as(&waypoint.identity(trust_domain));",
        ";\n        let _ = trust_domain;",
    ),
    "11 a waypoint sees the container port": (
        "src/engine/istio/access.rs", "port: service_port.map_or(port.number, |s| s.port),", "port: port.number,",
    ),
    "14a cluster.local is not rewritten": ("src/engine/istio/compile.rs", "if *domain != \"cluster.local\" && ", "if "),
    "14b ztunnel counts trustDomains": (
        "src/engine/istio/ztunnel.rs", "        Field::TrustDomains\n        | Field::RequestPrincipals",
        "        Field::TrustDomains => constant(true),\n        Field::RequestPrincipals",
    ),
    "15a a pod opts in against the namespace": (
        "src/engine/istio/membership.rs", "if injection.value == \"enabled\" {",
        "if injection.value == \"enabled\" || labels.pod_inject.as_ref().is_some_and(|l| l.value == \"true\") {",
    ),
    "15b an annotation opts in": (
        "src/engine/istio/membership.rs", "let Some(called) = webhook(istio, labels, steps) else {\n        return false;",
        "let Some(called) = webhook(istio, labels, steps) else {\n        return workload.annotation(INJECT).is_some_and(|n| n.text() == \"true\");",
    ),
    "16a a dry-run policy counts": (
        "src/engine/istio/authorization.rs", ".filter(move |p| p.action == action && !p.dry_run)", ".filter(move |p| p.action == action)",
    ),
    "16b a dropped rule drops the implicit deny": (
        "src/engine/istio/authorization.rs", "if !allow.is_empty() {\n            let cubes", "if allow.iter().any(|p| !p.rules.is_empty()) {\n            let cubes",
    ),
}
READ, POLICY, TRAFFIC = "src/engine/network_policy/read.rs", "src/engine/network_policy.rs", "src/facts/access/traffic.rs"
CLUSTER, SELECTOR = "src/engine/network_policy/cluster.rs", "src/engine/network_policy/selector.rs"
NETWORK = {
    "01 a policy without types is about egress too": (
        READ, "if spec.is_some_and(|s| items(s, \"egress\").next().is_some()) {", "if spec.is_some() {",
    ),
    "02 a rule without peers admits nobody": (READ, "    if any {\n", "    if any && namespace.is_empty() {\n"),
    "03 selectors of one item are alternatives": (
        READ, "cluster.select(Scope::Selected(of), pods.as_ref())", "cluster.select(Scope::Selected(of), None)",
    ),
    "04 a bare podSelector is about all namespaces": (
        READ, "(None, None, Some(_)) => {\n            let set = cluster.select(Scope::Own(namespace), pods.as_ref());",
        "(None, None, Some(_)) => {\n            let set = cluster.select(Scope::Selected(&LabelSelector::default()), pods.as_ref());",
    ),
    "05 NotIn wants the label": (
        SELECTOR, "Test::NotIn(values) => label(key).is_none_or", "Test::NotIn(values) => label(key).is_some_and",
    ),
    "06 a port without protocol is UDP": (READ, "None => Ok(Protocol::Tcp),", "None => Ok(Protocol::Udp),"),
    "07 endPort is not read": (READ, "let high = end.map_or(Ok(low), number)?;", "let high = low;"),
    "08 a named port holds for any protocol": (
        TRAFFIC, "protocol.is_none_or(|p| p == called.protocol) && called.names", "called.names",
    ),
    "09 except is not read": (READ, ".subtract(&Callers::networks(&except)))", ".subtract(&Callers::networks(&except[..0])))"),
    "10 Pass does not end the tier": (
        TRAFFIC, "let decided = self.allow.union(&self.pass).union(&self.deny);\n        let new", 
        "let decided = self.allow.union(&self.deny);\n        let new",
    ),
    "11 the baseline counts beside NetworkPolicies": (
        TRAFFIC, "let by_network = open.intersect(selected).intersect(admitted);",
        "let by_network = open.intersect(selected).intersect(admitted).subtract(&baseline.deny);",
    ),
    "12 a higher number decides first": (
        POLICY, "policy.map(|p| (p.layer, p.priority))", "policy.map(|p| (p.layer, -p.priority))",
    ),
    "13 namespaces do not carry their name": (CLUSTER, "if key.name() == NAMESPACE_NAME {", "if key.name().is_empty() {"),
    "14 the caller's own policies do not count": (
        POLICY, "Fact::known(through.callers.pods.contains(u128::from(to)), through.steps)", "Fact::known(to == to, through.steps)",
    ),
    "15 a policy is about every namespace": (
        READ, "let subject = cluster.select(Scope::Own(namespace), Some(&labels));",
        "let subject = cluster.select(Scope::Selected(&LabelSelector::default()), Some(&labels));",
    ),
}
LAYERS = {
    "01 subtraction forgets a condition": (
        "src/facts/peers.rs", "for literal in &cube.literals {\n                    rest.add", "for literal in cube.literals.iter().skip(1) {\n                    rest.add",
    ),
    "02 intersection keeps one side": ("src/facts/peers.rs", "both.add(a.and(b));", "both.add(if b.literals.is_empty() { b.clone() } else { a.clone() });"),
    "03 empty parts stay": ("src/facts/peers.rs", "if cube.is_empty() {\n            return;", "if cube.is_empty() && self.widened {\n            return;"),
    "04 policies of the caller do not count": (
        "src/engine.rs", "ingress.callers.intersect(&out)", "ingress.callers.clone()",
    ),
    "05 callers of the mesh arrive on the port itself": (
        "src/engine.rs", "identified = self.carried(pod, &tunnel, &layers);", "identified = plain.clone();",
    ),
    "06 a strict port takes callers without identity": (
        "src/engine/istio/access.rs", "Mode::Strict => Cube::of(vec![authenticated]),", "Mode::Strict => Cube::all(),",
    ),
    "07 one part for callers of both ports": (
        "src/facts/access/reach.rs", "if identified || callers(true) == callers(false) {", "if identified || !self.is_open() {",
    ),
    "08 a denied namespace stays a member": (
        "src/facts/access/network.rs", "refused.iter().any(|r| super::within(&here(p), r))", "refused.iter().any(|r| super::within(&here(p), r) && false)",
    ),
    "09 the network's set does not narrow identities": (
        "src/facts/access.rs", "if holders.members.is_empty() {\n            return None;", "if holders.members.is_empty() {\n            return Some(part);",
    ),
    "10 Pass refuses": (TRAFFIC, "Effect::Pass => &mut self.pass,", "Effect::Pass => &mut self.deny,"),
}
SUITE = ["cargo", "test", "-q", "--features", "suites", "--test"]
TABLES = {
    "istio": (ISTIO, [*SUITE, "suite_istio_random"], {"MESHES": "1500"}),
    "network": (NETWORK, [*SUITE, "suite_netpol", "random"], {"CLUSTERS": "400"}),
    "layers": (LAYERS, ["cargo", "test", "-q", "--lib", "engine::brute"], {"CLUSTERS": "150"}),
}


def noticed(path, old, new, command, amount):
    path = os.path.join(ROOT, path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(old) < 1:
        raise SystemExit(f"{path}: nothing to break at {old!r}")
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))
        environment = {**amount, **os.environ, "SHRINK": "0"}
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    if "could not compile" in run.stderr:
        raise SystemExit(run.stderr[-3000:])
    first = next((line for line in run.stdout.splitlines() if line.startswith(("mesh ", "cluster "))), "")
    first = first or next((line for line in run.stderr.splitlines() if line.startswith(("mesh ", "cluster "))), "")
    return run.returncode != 0, first


if len(sys.argv) < 2 or sys.argv[1] not in TABLES:
    raise SystemExit(__doc__)
table, command, amount = TABLES[sys.argv[1]]
missed = 0
for name, (path, old, new) in table.items():
    if len(sys.argv) > 2 and not any(name.startswith(wanted) for wanted in sys.argv[2:]):
        continue
    seen, first = noticed(path, old, new, command, amount)
    missed += not seen
    print(f"{'noticed' if seen else 'MISSED ':8} {name:60} {first[:100]}", flush=True)
sys.exit(1 if missed else 0)
