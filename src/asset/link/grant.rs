//! Powers over the whole cluster. Input: ClusterRoles and ClusterRoleBindings of a `View`; output: what a service account may do.
//!
//! Only grants that hold everywhere count: a RoleBinding gives power in one namespace, whatever role it names.

use std::collections::HashMap;
use std::sync::Arc;

use crate::asset::link::Place;
use crate::resource::Resource;
use crate::view::View;
use crate::yaml::NodeRef;

const GROUP: &str = "rbac.authorization.k8s.io";

/// A power that a ClusterRoleBinding gives.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The binding.
    pub binding: Arc<Resource>,
    /// The power in words, to follow "may": `do anything`, `read every Secret`.
    pub power: &'static str,
}

/// Grants by what the binding names.
#[derive(Default)]
pub(super) struct Grants {
    accounts: HashMap<Place, Vec<Grant>>,
    /// Groups that hold service accounts, by name.
    groups: HashMap<String, Vec<Grant>>,
}

impl Grants {
    pub(super) fn of(view: &View) -> Self {
        let mut grants = Self::default();
        let roles: HashMap<&str, &Arc<Resource>> = view
            .of_kind(GROUP, "ClusterRole")
            .map(|m| (m.resource.name.as_str(), &m.resource))
            .collect();
        for member in view.of_kind(GROUP, "ClusterRoleBinding") {
            let object = member.resource.object();
            let name = object.at(&["roleRef", "name"]).and_then(NodeRef::as_str);
            let Some(power) = name.and_then(|name| power(name, roles.get(name).copied())) else {
                continue;
            };
            let grant = Grant {
                binding: Arc::clone(&member.resource),
                power,
            };
            for subject in object.get("subjects").into_iter().flat_map(NodeRef::items) {
                grants.add(subject, &grant);
            }
        }
        grants
    }

    fn add(&mut self, subject: NodeRef<'_>, grant: &Grant) {
        let text = |name: &str| subject.get(name).and_then(NodeRef::as_str).unwrap_or("");
        let list = match text("kind") {
            // The API server refuses an account without namespace.
            "ServiceAccount" if !text("namespace").is_empty() => {
                let place = (text("namespace").to_owned(), text("name").to_owned());
                self.accounts.entry(place).or_default()
            }
            "Group" => self.groups.entry(text("name").to_owned()).or_default(),
            "User" => {
                let account = text("name").strip_prefix("system:serviceaccount:");
                let Some((namespace, name)) = account.and_then(|a| a.split_once(':')) else {
                    return;
                };
                let place = (namespace.to_owned(), name.to_owned());
                self.accounts.entry(place).or_default()
            }
            _ => return,
        };
        list.push(grant.clone());
    }

    /// Grants to a service account, by name or by a group that every service account is in.
    pub(super) fn of_account(&self, namespace: &str, name: &str) -> Vec<Grant> {
        let place = (namespace.to_owned(), name.to_owned());
        let groups = [
            "system:authenticated".to_owned(),
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
        ];
        let by_name = self.accounts.get(&place).into_iter().flatten();
        let by_group = groups.iter().filter_map(|g| self.groups.get(g)).flatten();
        let mut found: Vec<Grant> = by_name.chain(by_group).cloned().collect();
        found.sort_by_key(|grant| grant.binding.id);
        found
    }
}

/// The widest power of a ClusterRole; of one that is not in the view, by its well-known name (Kubernetes: user-facing roles).
fn power(name: &str, role: Option<&Arc<Resource>>) -> Option<&'static str> {
    match (name, role) {
        ("cluster-admin", _) => return Some("do anything in the cluster"),
        ("admin", None) => return Some("administer every namespace"),
        ("edit", None) => return Some("change workloads and read Secrets in every namespace"),
        _ => {}
    }
    let rules: Vec<NodeRef<'_>> = role?.object().get("rules")?.items().collect();
    let has = |rule: NodeRef<'_>, list: &str, wanted: &[&str]| {
        let items = rule.get(list).into_iter().flat_map(NodeRef::items);
        items
            .filter_map(NodeRef::as_str)
            .any(|item| item == "*" || wanted.contains(&item))
    };
    let unnamed = |rule: &NodeRef<'_>| rule.get("resourceNames").is_none_or(NodeRef::is_empty);
    let any = |groups: &[&str], resources: &[&str], verbs: &[&str]| {
        rules.iter().filter(|rule| unnamed(rule)).any(|&rule| {
            has(rule, "apiGroups", groups)
                && has(rule, "resources", resources)
                && has(rule, "verbs", verbs)
        })
    };
    if any(&[], &[], &[]) {
        Some("do anything in the cluster")
    } else if any(
        &[GROUP],
        &["clusterrolebindings", "rolebindings"],
        &["create", "update", "patch", "bind", "escalate"],
    ) {
        Some("give itself any role")
    } else if any(&[""], &["secrets"], &["get", "list", "watch"]) {
        Some("read every Secret")
    } else if any(&[""], &["pods/exec"], &["create", "get"]) {
        Some("run commands in every pod")
    } else {
        None
    }
}
