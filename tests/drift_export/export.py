#!/usr/bin/env python3
"""What `kubectl get … -A -o yaml` prints of a cluster that a tree was applied to: a slow, plain model for tests.

Usage: export.py TREE OUT.yaml [--json]

Every object gets what the API server and the usual admission plugins fill in, and the cluster gets the objects that its controllers make.
Upstream, read at v1.33: kubernetes/kubernetes pkg/apis/core/v1/defaults.go, pkg/apis/apps/v1/defaults.go, pkg/apis/batch/v1/defaults.go,
pkg/apis/networking/v1/defaults.go, pkg/apis/autoscaling/v2/defaults.go, pkg/registry/core/service/storage/alloc.go (cluster IPs, node
ports), plugin/pkg/admission/serviceaccount (token volume); gateway-api apis/v1 `+kubebuilder:default`; istio
pkg/kube/inject/webhook.go and manifests/charts/istio-control/istio-discovery/files/injection-template.yaml (sidecar, annotations, labels).
"""
import copy
import hashlib
import json
import os
import sys

import yaml

CLUSTER_SCOPED = {"Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "GatewayClass", "StorageClass",
                  "PriorityClass", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterIssuer"}
TEMPLATES = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"}


def uid(*parts):
    h = hashlib.sha256("/".join(parts).encode()).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:32]}"


def number(*parts):
    return int(hashlib.sha256("/".join(parts).encode()).hexdigest()[:6], 16)


def live(o):
    """metadata that the API server sets"""
    m = o["metadata"]
    for field in ("labels", "annotations"):
        if m.get(field, 0) is None:
            del m[field]
    if o["kind"] not in CLUSTER_SCOPED:
        m.setdefault("namespace", "default")
    key = (o["apiVersion"], o["kind"], m.get("namespace", ""), m["name"])
    applied = json.dumps({k: v for k, v in o.items() if k != "status"}, default=str)
    m.setdefault("annotations", {})["kubectl.kubernetes.io/last-applied-configuration"] = applied + "\n"
    m["creationTimestamp"] = "2026-03-01T08:00:00Z"
    m["resourceVersion"] = str(1000 + number(*key))
    m["uid"] = uid(*key)
    if o["kind"] in TEMPLATES or o["kind"].endswith(("Policy", "Route", "Gateway", "Rule", "Authentication")):
        m["generation"] = 1
    m["managedFields"] = [{"apiVersion": o["apiVersion"], "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}, "manager": "kubectl-client-side-apply",
                           "operation": "Update", "time": "2026-03-01T08:00:00Z"}]


def container(c, host_network=False):
    image = c.get("image", "")
    tag = image.split("@")[0].rsplit("/", 1)[-1].partition(":")[2]
    latest = tag == "latest" or (not tag and "@" not in image)
    c.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
    c.setdefault("terminationMessagePath", "/dev/termination-log")
    c.setdefault("terminationMessagePolicy", "File")
    c.setdefault("resources", {})
    for port in c.get("ports") or []:
        port.setdefault("protocol", "TCP")
        if host_network:
            port.setdefault("hostPort", port["containerPort"])
    for env in c.get("env") or []:
        ref = (env.get("valueFrom") or {}).get("fieldRef")
        if ref:
            ref.setdefault("apiVersion", "v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = c.get(name)
        if probe:
            for field, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
                probe.setdefault(field, value)
            if "httpGet" in probe:
                probe["httpGet"].setdefault("path", "/")
                probe["httpGet"].setdefault("scheme", "HTTP")
            if "grpc" in probe:
                probe["grpc"].setdefault("service", "")


def pod_spec(spec, is_pod=False, restart="Always"):
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", restart)
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    for c in (spec.get("containers") or []) + (spec.get("initContainers") or []):
        container(c, is_pod and spec.get("hostNetwork", False))
    for v in spec.get("volumes", []) or []:
        if list(v) == ["name"]:
            v["emptyDir"] = {}
        for kind in ("secret", "configMap", "projected", "downwardAPI"):
            if isinstance(v.get(kind), dict):
                v[kind].setdefault("defaultMode", 420)


def template(t):
    t.setdefault("metadata", {}).setdefault("creationTimestamp", None)
    pod_spec(t["spec"])


def service(o):
    s, m = o.setdefault("spec", {}), o["metadata"]
    s.setdefault("sessionAffinity", "None")
    s.setdefault("type", "ClusterIP")
    for p in s.get("ports") or []:
        p.setdefault("protocol", "TCP")
        p.setdefault("targetPort", p["port"])
        if s["type"] in ("NodePort", "LoadBalancer"):
            p.setdefault("nodePort", 30000 + number(m["name"], str(p["port"])) % 2768)
    if s["type"] != "ExternalName":
        ip = f"10.96.{number(m['name']) % 256}.{number(m['namespace']) % 256}"
        s.setdefault("clusterIP", ip)
        s.setdefault("clusterIPs", [s["clusterIP"]])
        s.setdefault("ipFamilies", ["IPv4"])
        s.setdefault("ipFamilyPolicy", "SingleStack")
        s.setdefault("internalTrafficPolicy", "Cluster")
    if s["type"] in ("NodePort", "LoadBalancer"):
        s.setdefault("externalTrafficPolicy", "Cluster")
    o["status"] = {"loadBalancer": {}}
    if s["type"] == "LoadBalancer":
        s.setdefault("allocateLoadBalancerNodePorts", True)
        o["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7", "ipMode": "VIP"}]}}


def gateway_api(o):
    s = o["spec"]
    for ref in s.get("parentRefs", []) or []:
        ref.setdefault("group", "gateway.networking.k8s.io")
        ref.setdefault("kind", "Gateway")
    for listener in s.get("listeners", []) or []:
        listener["allowedRoutes"] = listener.get("allowedRoutes") or {}
        listener["allowedRoutes"].setdefault("namespaces", {}).setdefault("from", "Same")
        if "tls" in listener:
            listener["tls"].setdefault("mode", "Terminate")
            for ref in listener["tls"].get("certificateRefs", []):
                ref.setdefault("group", "")
                ref.setdefault("kind", "Secret")
    for rule in s.get("rules", []) or []:
        if o["kind"] == "HTTPRoute":
            rule.setdefault("matches", [{"path": {"type": "PathPrefix", "value": "/"}}])
            for match in rule["matches"]:
                path = match.setdefault("path", {})
                path.setdefault("type", "PathPrefix")
                path.setdefault("value", "/")
        for ref in rule.get("backendRefs", []) or []:
            ref.setdefault("group", "")
            ref.setdefault("kind", "Service")
            ref.setdefault("weight", 1)


def defaults(o):
    kind, s = o["kind"], o.get("spec") or {}
    if kind in ("Deployment", "StatefulSet", "ReplicaSet"):
        s.setdefault("replicas", 1)
    if kind in ("Deployment", "StatefulSet", "DaemonSet"):
        s.setdefault("revisionHistoryLimit", 10)
        template(s["template"])
    if kind == "Deployment":
        s.setdefault("progressDeadlineSeconds", 600)
        strategy = s.setdefault("strategy", {})
        if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
            strategy.setdefault("rollingUpdate", {}).setdefault("maxUnavailable", "25%")
            strategy["rollingUpdate"].setdefault("maxSurge", "25%")
    if kind == "StatefulSet":
        s.setdefault("podManagementPolicy", "OrderedReady")
        s.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
        s.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})
    if kind == "DaemonSet":
        s.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}})
    if kind == "Job":
        for field, value in (("completions", 1), ("parallelism", 1), ("backoffLimit", 6), ("completionMode", "NonIndexed"), ("suspend", False)):
            s.setdefault(field, value)
        template(s["template"])
        labels = {"batch.kubernetes.io/controller-uid": o["metadata"]["uid"], "batch.kubernetes.io/job-name": o["metadata"]["name"],
                  "controller-uid": o["metadata"]["uid"], "job-name": o["metadata"]["name"]}
        s["template"]["metadata"].setdefault("labels", {}).update(labels)
        s.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": o["metadata"]["uid"]}})
    if kind == "CronJob":
        for field, value in (("concurrencyPolicy", "Allow"), ("suspend", False), ("successfulJobsHistoryLimit", 3), ("failedJobsHistoryLimit", 1)):
            s.setdefault(field, value)
        job = s["jobTemplate"]
        job.setdefault("metadata", {}).setdefault("creationTimestamp", None)
        template(job["spec"]["template"])
    if kind == "Pod":
        pod_spec(s, is_pod=True)
        s.setdefault("enableServiceLinks", True)
        s.setdefault("serviceAccountName", "default")
        s["serviceAccount"] = s["serviceAccountName"]
        s.setdefault("preemptionPolicy", "PreemptLowerPriority")
        s.setdefault("priority", 0)
        s["nodeName"] = "node-1"
        o["status"] = {"phase": "Running", "podIP": "10.244.0.9", "hostIP": "192.0.2.1"}
    if kind == "Service":
        service(o)
    if kind == "NetworkPolicy":
        for rule in (s.get("ingress") or []) + (s.get("egress") or []):
            for port in rule.get("ports", []) or []:
                port.setdefault("protocol", "TCP")
        if not s.get("policyTypes"):
            s["policyTypes"] = ["Ingress"] + (["Egress"] if s.get("egress") else [])
    if kind == "Namespace":
        o["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = o["metadata"]["name"]
        o["spec"] = {"finalizers": ["kubernetes"]}
        o["status"] = {"phase": "Active"}
    if kind == "HorizontalPodAutoscaler":
        s.setdefault("minReplicas", 1)
    if kind == "Secret":
        o.setdefault("type", "Opaque")
        if "stringData" in o:
            import base64
            data = {k: base64.b64encode(v.encode()).decode() for k, v in o.pop("stringData").items()}
            o["data"] = {**o.get("data", {}), **data}
    if kind == "PersistentVolumeClaim":
        s.setdefault("volumeMode", "Filesystem")
        o["status"] = {"phase": "Bound"}
    if o["apiVersion"].startswith("gateway.networking.k8s.io/") and s:
        gateway_api(o)


def owned(kind, api, name, owner, spec, labels):
    ref = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
           "controller": True, "blockOwnerDeletion": True}
    o = {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": owner["metadata"]["namespace"], "labels": labels}, "spec": spec}
    live(o)
    del o["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    o["metadata"]["ownerReferences"] = [ref]
    return o


def is_injected(namespaces, namespace, labels):
    own = str(labels.get("sidecar.istio.io/inject", "")).lower()
    return own == "true" or (own != "false" and namespaces.get(namespace, {}).get("istio-injection") == "enabled")


def inject(pod):
    m, s = pod["metadata"], pod["spec"]
    status = {"initContainers": ["istio-init"], "containers": ["istio-proxy"], "volumes": ["workload-socket", "istio-envoy", "istio-data"],
              "imagePullSecrets": None, "revision": "default"}
    m.setdefault("annotations", {}).update({"sidecar.istio.io/status": json.dumps(status), "istio.io/rev": "default",
                                            "kubectl.kubernetes.io/default-container": s["containers"][0]["name"]})
    m.setdefault("labels", {}).update({"security.istio.io/tlsMode": "istio", "service.istio.io/canonical-revision": "latest",
                                       "service.istio.io/canonical-name": m["labels"].get("app", m["name"])})
    proxy = {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.27.0", "args": ["proxy", "sidecar"],
             "env": [{"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
             "ports": [{"containerPort": 15090, "name": "http-envoy-prom"}], "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021}}}
    s["containers"].insert(0, proxy)
    s.setdefault("initContainers", []).append({"name": "istio-init", "image": "docker.io/istio/proxyv2:1.27.0", "args": ["istio-iptables"]})
    for v in status["volumes"]:
        s.setdefault("volumes", []).append({"name": v, "emptyDir": {}})


def children(o, namespaces):
    """ReplicaSets, Jobs and Pods that controllers make, sidecars injected"""
    kind, s, m = o["kind"], o.get("spec") or {}, o["metadata"]
    made = []
    holder = o
    if kind == "CronJob":
        job = owned("Job", "batch/v1", f"{m['name']}-29000000", o, copy.deepcopy(s["jobTemplate"]["spec"]), {})
        defaults(job)
        return [job] + children(job, namespaces)
    if kind not in TEMPLATES:
        return made
    labels = copy.deepcopy((s["template"].get("metadata") or {}).get("labels") or {})
    if kind == "Deployment":
        labels["pod-template-hash"] = uid(m["name"])[:8]
        spec = {"replicas": s["replicas"], "selector": {"matchLabels": labels}, "template": copy.deepcopy(s["template"])}
        spec["template"]["metadata"]["labels"] = dict(labels)
        holder = owned("ReplicaSet", "apps/v1", f"{m['name']}-{labels['pod-template-hash']}", o, spec, labels)
        made.append(holder)
    pod = owned("Pod", "v1", f"{holder['metadata']['name']}-x7k2p", holder, copy.deepcopy(s["template"]["spec"]), dict(labels))
    notes = (s["template"].get("metadata") or {}).get("annotations") or {}
    pod["metadata"]["annotations"].update(notes)
    if is_injected(namespaces, m["namespace"], labels):
        inject(pod)
    defaults(pod)
    return made + [pod]


def bare(kind, api, namespace, name, **rest):
    o = {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **rest}
    live(o)
    del o["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    return o


def of_cluster(namespaces, services):
    """what every cluster has besides"""
    made = []
    for namespace in sorted(namespaces):
        made.append(bare("ConfigMap", "v1", namespace, "kube-root-ca.crt", data={"ca.crt": "-----BEGIN CERTIFICATE-----\n"}))
        made.append(bare("ConfigMap", "v1", namespace, "istio-ca-root-cert", data={"root-cert.pem": "-----BEGIN CERTIFICATE-----\n"}))
        made.append(bare("ServiceAccount", "v1", namespace, "default"))
        made.append(bare("Secret", "v1", namespace, "default-token-abcde", type="kubernetes.io/service-account-token", data={"token": "bm90LWEtdG9rZW4="}))
    for o in services:
        m = o["metadata"]
        ports = [{"name": p.get("name", ""), "port": p["port"], "protocol": p["protocol"]} for p in o["spec"].get("ports") or []]
        made.append(bare("EndpointSlice", "discovery.k8s.io/v1", m["namespace"], f"{m['name']}-8xk2q", addressType="IPv4", endpoints=[], ports=ports))
    api = bare("Service", "v1", "default", "kubernetes", spec={"ports": [{"name": "https", "port": 443, "targetPort": 6443}]})
    service(api)
    dns = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns", "namespace": "kube-system"},
           "spec": {"selector": {"matchLabels": {"k8s-app": "kube-dns"}}, "template": {"metadata": {"labels": {"k8s-app": "kube-dns"}}, "spec": {
               "containers": [{"name": "coredns", "image": "registry.k8s.io/coredns/coredns:v1.12.0", "ports": [{"containerPort": 53, "protocol": "UDP"}]}]}}}}
    live(dns)
    defaults(dns)
    made += [api, dns] + children(dns, {})
    made.append(bare("Lease", "coordination.k8s.io/v1", "kube-system", "kube-scheduler", spec={"holderIdentity": "node-1"}))
    made.append(bare("Event", "v1", "default", "chat.17f0", reason="Scheduled", message="ok"))
    return made


def is_object(o):
    """what an API server would take: a name, a kind, and a spec where the kind asks for one"""
    if not (isinstance(o, dict) and isinstance(o.get("apiVersion"), str) and isinstance(o.get("kind"), str)):
        return False
    name = (o.get("metadata") or {}).get("name")
    spec = o.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    whole = o["kind"] not in TEMPLATES or (isinstance(template, dict) and (template.get("spec") or {}).get("containers"))
    asks = o["kind"] in TEMPLATES | {"Service", "Pod", "CronJob", "NetworkPolicy"} or "gateway.networking" in o["apiVersion"]
    return isinstance(name, str) and whole and (isinstance(spec, dict) or not asks) and (spec is not None or "spec" not in o)


def read(tree):
    found = []
    paths = [tree] if os.path.isfile(tree) else sorted(os.path.join(d, f) for d, _, fs in os.walk(tree) for f in fs if f.endswith((".yaml", ".yml")))
    for path in paths:
        with open(path) as text:
            for o in yaml.safe_load_all(text):
                items = o["items"] if isinstance(o, dict) and o.get("kind") == "List" else [o]
                found += [item for item in items or [] if is_object(item)]
    return found


def main():
    tree, out = sys.argv[1:3]
    seen, objects = set(), []
    for o in read(tree):
        key = (o["apiVersion"].rpartition("/")[0], o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"])
        if key not in seen:
            seen.add(key)
            objects.append(o)
    namespaces = {o["metadata"]["name"]: (o["metadata"].get("labels") or {}) for o in objects if o["kind"] == "Namespace"}
    items = []
    for o in objects:
        live(o)
        if o["kind"] == "Pod" and is_injected(namespaces, o["metadata"]["namespace"], o["metadata"].get("labels") or {}):
            inject(o)
        defaults(o)
        items.append(o)
        items += children(o, namespaces)
    every = {o["metadata"]["namespace"] for o in items if "namespace" in o["metadata"]} | {"default", "kube-system"}
    items += of_cluster(every, [o for o in items if o["kind"] == "Service"])
    # kubectl prints lists of several kinds kind by kind.
    items.sort(key=lambda o: (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]))
    document = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}
    with open(out, "w") as text:
        if "--json" in sys.argv[3:]:
            json.dump(document, text, indent=1, default=str)
        else:
            class Plain(yaml.CSafeDumper):
                def ignore_aliases(self, data):
                    return True
            yaml.dump(document, text, Dumper=Plain, sort_keys=True)


if __name__ == "__main__":
    main()
