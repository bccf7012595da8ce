//! Rules as people write them for admission policies, with the kinds they are for (empty: every object).

const WORKLOADS: &[&str] = &["Deployment", "StatefulSet", "DaemonSet"];

/// Kinds and condition; `object` is the manifest.
pub(crate) const RULES: &[(&[&str], &str)] = &[
    (
        &[],
        "has(object.metadata.name) && size(object.metadata.name) <= 63",
    ),
    (
        &[],
        "has(object.metadata.labels) && 'app.kubernetes.io/name' in object.metadata.labels",
    ),
    (
        &[],
        "!has(object.metadata.namespace) || object.metadata.namespace != 'default'",
    ),
    (
        &[],
        "has(object.metadata.name) && object.metadata.name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    ),
    (
        &[],
        "!has(object.metadata.annotations) || !object.metadata.annotations.exists(k, k.startsWith('kubectl.kubernetes.io/'))",
    ),
    (
        &[],
        "object.apiVersion != 'extensions/v1beta1' && !object.apiVersion.startsWith('apps/v1beta')",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, has(c.resources) && has(c.resources.limits) && has(c.resources.limits.memory))",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, has(c.resources) && has(c.resources.requests) && has(c.resources.requests.cpu))",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest') && c.image.contains(':'))",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.runAsNonRoot) && c.securityContext.runAsNonRoot == true)",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || c.securityContext.privileged == false)",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.allowPrivilegeEscalation) || !c.securityContext.allowPrivilegeEscalation)",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.capabilities) && has(c.securityContext.capabilities.drop) && c.securityContext.capabilities.drop.exists(d, d == 'ALL'))",
    ),
    (
        WORKLOADS,
        "!has(object.spec.template.spec.hostNetwork) || object.spec.template.spec.hostNetwork == false",
    ),
    (
        WORKLOADS,
        "!has(object.spec.template.spec.hostPID) || !object.spec.template.spec.hostPID",
    ),
    (
        WORKLOADS,
        "!has(object.spec.template.spec.volumes) || object.spec.template.spec.volumes.all(v, !has(v.hostPath))",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, has(c.livenessProbe))",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, has(c.readinessProbe))",
    ),
    (
        WORKLOADS,
        "!has(object.spec.replicas) || object.spec.replicas >= 2",
    ),
    (
        WORKLOADS,
        "has(object.spec.template.metadata) && has(object.spec.template.metadata.labels) && object.spec.selector.matchLabels.all(k, k in object.spec.template.metadata.labels && object.spec.template.metadata.labels[k] == object.spec.selector.matchLabels[k])",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, !has(c.env) || c.env.all(e, !(e.name.contains('PASSWORD') || e.name.contains('SECRET')) || has(e.valueFrom)))",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0))",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.map(c, c.name).all(n, size(n) > 0 && size(n) < 64)",
    ),
    (
        WORKLOADS,
        "size(object.spec.template.spec.containers.filter(c, !has(c.imagePullPolicy) || c.imagePullPolicy != 'Always')) >= 0",
    ),
    (
        WORKLOADS,
        "has(object.spec.template.spec.serviceAccountName) && object.spec.template.spec.serviceAccountName != 'default'",
    ),
    (
        WORKLOADS,
        "has(object.spec.template.metadata) && has(object.spec.template.metadata.labels) && ('version' in object.spec.template.metadata.labels || 'app' in object.spec.template.metadata.labels)",
    ),
    (
        WORKLOADS,
        "object.spec.template.spec.containers.exists_one(c, has(c.image)) || size(object.spec.template.spec.containers) > 1",
    ),
    (
        &["VirtualService"],
        "!has(object.spec.http) || object.spec.http.all(h, !has(h.route) || h.route.all(r, has(r.destination) && has(r.destination.host)))",
    ),
    (
        &["VirtualService"],
        "!has(object.spec.http) || object.spec.http.all(h, has(h.timeout))",
    ),
    (
        &["VirtualService"],
        "!has(object.spec.hosts) || !object.spec.hosts.exists(h, h == '*')",
    ),
    (
        &["DestinationRule"],
        "has(object.spec.host) && (!has(object.spec.trafficPolicy) || !has(object.spec.trafficPolicy.tls) || object.spec.trafficPolicy.tls.mode in ['ISTIO_MUTUAL', 'MUTUAL', 'SIMPLE'])",
    ),
    (
        &["PeerAuthentication"],
        "has(object.spec.mtls) && object.spec.mtls.mode == 'STRICT'",
    ),
    (
        &["AuthorizationPolicy"],
        "has(object.spec) && has(object.spec.rules) && object.spec.rules.all(r, !has(r.from) || r.from.all(f, !has(f.source) || !has(f.source.principals) || f.source.principals.all(p, p != '*')))",
    ),
    (
        &["Gateway"],
        "has(object.spec.servers) ? object.spec.servers.all(s, !has(s.port) || s.port.protocol != 'HTTP' || (has(s.tls) && has(s.tls.httpsRedirect) && s.tls.httpsRedirect)) : true",
    ),
    (
        &["Service"],
        "!has(object.spec.type) || object.spec.type != 'NodePort'",
    ),
    (
        &["Service"],
        "has(object.spec.ports) && object.spec.ports.all(p, has(p.name) && (p.name.startsWith('http') || p.name.startsWith('grpc') || p.name.startsWith('tcp')))",
    ),
    (
        &["Pod"],
        "object.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.runAsNonRoot))",
    ),
    (
        &["Pod"],
        "object.spec.containers.all(c, has(c.image) && (c.image.startsWith('registry.example.com/') || c.image.startsWith('docker.io/')))",
    ),
    (
        &["Pod"],
        "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))",
    ),
    (
        &["ClusterRole", "Role"],
        "!has(object.rules) || object.rules.all(r, !has(r.verbs) || !('*' in r.verbs))",
    ),
    (
        &["ConfigMap"],
        "!has(object.data) || object.data.all(k, !k.endsWith('.pem'))",
    ),
    (
        &["InferenceService"],
        "has(object.spec.predictor) && (has(object.spec.predictor.minReplicas) ? object.spec.predictor.minReplicas > 0 : true)",
    ),
];

/// Conditions that use more of the language; for the comparison of results, not of speed.
pub(crate) const FURTHER: &[&str] = &[
    "object.?spec.?replicas.orValue(1) > 1",
    "object.metadata.?labels[?'app'].orValue('none') + '/' + object.kind",
    "size(object) + size(object.metadata)",
    "object.metadata.name.size() % 7",
    "[object.kind, object.apiVersion].map(t, t.lowerAscii()).join('/')",
    "object.metadata.name.split('-').filter(p, p != '')",
    "object.metadata.labels.map(k, k + '=' + string(object.metadata.labels[k])).size() >= 0",
    "object.spec",
    "object.metadata == object.metadata && object != object.metadata",
    "[object.metadata.name] + ['x']",
    "{'name': object.metadata.name, 'kind': object.kind}",
    "type(object.spec)",
    "object.spec.replicas * 2 - 1 == object.spec.replicas + (object.spec.replicas - 1)",
    "double(object.spec.replicas) / 2.0 < 1.5",
    "object.spec.ports.map(p, p.port).exists(n, n in [80, 443, 8080])",
    "string(object.spec.replicas) + 'x'",
    "dyn(object.spec) == dyn(null)",
];
