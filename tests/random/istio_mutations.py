#!/usr/bin/env python3
"""Breaks the Istio engine in one place at a time and says whether the random test against the reference evaluator notices.

usage: istio_mutations.py [NAME…]      works in place and puts every file back; exit 1 when a break goes unnoticed.
The names follow the surprises of domain/istio.md, section 0.
"""
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ENGINE = "src/engine/istio/"
MUTATIONS = {
    "01a ambient DENY with only HTTP fields is not dead": (
        "ztunnel.rs",
        "if clauses.is_empty() {\n                dead_entry = true;",
        "if clauses.is_empty() {\n                cubes.push(Cube::all());",
    ),
    "01b DENY with HTTP fields on TCP falls as a whole": (
        "compile.rs",
        "Action::Custom | Action::Deny | Action::Audit => Ok(Clause::True)",
        "Action::Custom | Action::Deny | Action::Audit => Err(Dropped::HttpOnly)",
    ),
    "03a bare selector binds in ambient": ("policy.rs", "&& !p.bare_selector", ""),
    "03b root policy with an empty selector counts in ambient": (
        "peer_authentication.rs",
        "!(only_absent && p.has_selector)",
        "(!only_absent || p.selector.is_empty())",
    ),
    "05 clients infer nothing from namespace policies": (
        "client.rs", "if inferred.mode == PaMode::Disable", "if inferred.mode == PaMode::Disable && !self.internal",
    ),
    "06a port settings are merged, not replaced": (
        "destination_rule.rs",
        "let tls = entry.unwrap_or(policy).get(\"tls\").filter(|t| t.is_map());",
        "let tls = entry.and_then(|e| e.get(\"tls\")).or_else(|| policy.get(\"tls\")).filter(|t| t.is_map());",
    ),
    "06b a credential reaches sidecars": (
        "client.rs", "!name.starts_with(\"configmap://\") && !chosen.is_for_pods()", "name.is_empty()",
    ),
    "07 the most specific rule wins over the client's namespace": (
        "destination_rule.rs", "Found::Rules(rules) => return Some(Chosen { rules }),",
        "Found::Rules(rules) if rules.iter().any(|r| r.host == host) => return Some(Chosen { rules }),\n            Found::Rules(_) => {}",
    ),
    "10 the ztunnel sees the client behind a waypoint": (
        "access.rs",
        ".seen_as(&waypoint.identity(trust_domain));",
        ";\n        let _ = trust_domain;",
    ),
    "11 a waypoint sees the container port": (
        "access.rs", "port: service_port.map_or(port.number, |s| s.port),", "port: port.number,",
    ),
    "14a cluster.local is not rewritten": ("compile.rs", "if *domain != \"cluster.local\" && ", "if "),
    "14b ztunnel counts trustDomains": (
        "ztunnel.rs", "        Field::TrustDomains\n        | Field::RequestPrincipals",
        "        Field::TrustDomains => constant(true),\n        Field::RequestPrincipals",
    ),
    "15a a pod opts in against the namespace": (
        "membership.rs", "if injection.value == \"enabled\" {",
        "if injection.value == \"enabled\" || labels.pod_inject.as_ref().is_some_and(|l| l.value == \"true\") {",
    ),
    "15b an annotation opts in": (
        "membership.rs", "let Some(called) = webhook(istio, labels, steps) else {\n        return false;",
        "let Some(called) = webhook(istio, labels, steps) else {\n        return workload.annotation(INJECT).is_some_and(|n| n.text() == \"true\");",
    ),
    "16a a dry-run policy counts": (
        "authorization.rs", ".filter(move |p| p.action == action && !p.dry_run)", ".filter(move |p| p.action == action)",
    ),
    "16b a dropped rule drops the implicit deny": (
        "authorization.rs", "if !allow.is_empty() {\n            let cubes", "if allow.iter().any(|p| !p.rules.is_empty()) {\n            let cubes",
    ),
}


def noticed(path, old, new):
    path = os.path.join(ROOT, ENGINE, path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(old) < 1:
        raise SystemExit(f"{path}: nothing to break at {old!r}")
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))
        command = ["cargo", "test", "-q", "--features", "suites", "--test", "suite_istio_random"]
        environment = dict(os.environ, MESHES=os.environ.get("MESHES", "1500"), SHRINK="0")
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    if "could not compile" in run.stderr:
        raise SystemExit(run.stderr[-3000:])
    first = next((line for line in run.stdout.splitlines() if line.startswith("mesh ")), "")
    first = first or next((line for line in run.stderr.splitlines() if line.startswith("mesh ")), "")
    return run.returncode != 0, first


missed = 0
for name, (path, old, new) in MUTATIONS.items():
    if len(sys.argv) > 1 and not any(name.startswith(wanted) for wanted in sys.argv[1:]):
        continue
    seen, first = noticed(path, old, new)
    missed += not seen
    print(f"{'noticed' if seen else 'MISSED ':8} {name:60} {first[:100]}", flush=True)
sys.exit(1 if missed else 0)
