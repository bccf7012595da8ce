//! One port compared. Input: our answer and the cluster; output: the first difference: the mesh's set, every call, the level and the members.

use crate::engine::Analysis;
use crate::facts::access::network::Sender;
use crate::facts::access::reach::Call;
use crate::facts::access::{Access, Level};
use crate::facts::peers::{Identity, PeerSet, Request};

use super::cluster::{ACCOUNTS, Cluster, NAMESPACES, PORTS};
use super::naive::{ADDRESSES, Caller, ELSEWHERE, of_mesh, requests};
use super::{Asked, Seen, universe};

impl Asked<'_> {
    /// What the mesh admits; nothing here looks at tokens.
    pub(super) fn set(&self) -> PeerSet {
        let paths = self.reach.paths.iter();
        paths.fold(PeerSet::nobody(), |set, path| {
            set.union(path.allowed.before_tokens())
        })
    }

    pub(super) fn naive(&self, request: &Request) -> bool {
        let lost = self.reach.anonymous && request.identity.is_some();
        !lost
            && self
                .cluster
                .mesh_admits(self.server, self.port, request)
                .unwrap_or(true)
    }

    pub(super) fn place(&self) -> String {
        format!(
            "{}/{} port {}",
            self.server.namespace, self.server.app, self.port
        )
    }

    /// The mesh's set holds the requests that its policies let through, one by one.
    pub(super) fn mesh_alone(&self, seen: &mut Seen) -> Result<(), String> {
        if !self.reach.proxied {
            return match self
                .cluster
                .mesh_admits(self.server, self.port, &Request::default())
            {
                None => Ok(()),
                Some(_) => Err(format!("{} has a proxy", self.place())),
            };
        }
        let set = self.set();
        for request in universe() {
            let (ours, naive) = (set.admits(request), self.naive(request));
            seen.requests += 1;
            seen.admitted += u64::from(naive);
            if ours != naive {
                return Err(format!(
                    "{}: the mesh admits {request:?}: {ours}, not {naive}",
                    self.place()
                ));
            }
        }
        Ok(())
    }

    /// Every caller that there is, with every request: mesh and network together.
    pub(super) fn every_call(
        &self,
        analysis: &Analysis<'_>,
        seen: &mut Seen,
    ) -> Result<(), String> {
        for (caller, identity) in callers(self.cluster) {
            let sender = match caller {
                Caller::Address(_) => Sender::Outside,
                Caller::Pod(namespace, Some(app)) => {
                    let name = format!("{namespace}/{app}");
                    Sender::Workload(analysis.topology.named(&name).next().unwrap().id)
                }
                // Pods that are not in the view are asked about by what they present.
                Caller::Pod(_, None) if identity.is_some() => Sender::Unsaid,
                Caller::Pod(_, None) => continue,
            };
            let sources = match caller {
                Caller::Address(address) => vec![address],
                Caller::Pod(..) => ADDRESSES.to_vec(),
            };
            let requests = sources
                .into_iter()
                .flat_map(|s| requests(identity.as_ref(), s));
            for request in requests.step_by(3) {
                let naive = match sender {
                    Sender::Unsaid => self
                        .holders(&request)
                        .any(|c| self.cluster.admits(c, self.server, self.port, &request)),
                    _ => self
                        .cluster
                        .admits(caller, self.server, self.port, &request),
                };
                let call = Call {
                    is_http: self.port == PORTS[0],
                    request,
                    sender,
                    through_service: false,
                };
                let ours = self.reach.answer(&call).allowed;
                seen.calls += 1;
                seen.carried += u64::from(naive);
                if ours != naive {
                    return Err(format!(
                        "{}: {caller:?} with {:?} gets through: {ours}, not {naive}",
                        self.place(),
                        call.request
                    ));
                }
            }
        }
        Ok(())
    }

    /// Pods that may hold the identity of a request.
    fn holders<'r>(&'r self, request: &'r Request) -> impl Iterator<Item = Caller> + 'r {
        let identity = request.identity.as_ref().unwrap();
        let unseen = NAMESPACES
            .into_iter()
            .chain([ELSEWHERE])
            .find(|n| *n == identity.namespace);
        let seen = self
            .cluster
            .pods
            .iter()
            .filter(|p| p.namespace == identity.namespace && p.account == identity.account);
        let seen = seen.map(|p| Caller::Pod(p.namespace, Some(p.app)));
        std::iter::once(Caller::Pod(unseen.unwrap_or(ELSEWHERE), None)).chain(seen)
    }

    /// The level and the members say what the callers that get through are.
    pub(super) fn projection(&self, seen: &mut Seen) -> Result<(), String> {
        let access = self.reach.access();
        let (mut low, mut high) = (Level::Nobody, Level::Nobody);
        let mut through = Vec::new();
        for (caller, identity) in callers(self.cluster) {
            let sources = match caller {
                Caller::Address(address) => vec![address],
                Caller::Pod(..) => ADDRESSES.to_vec(),
            };
            let identified = identity.is_some() && !self.reach.anonymous;
            let mut needs_identity = false;
            let mut some = false;
            for request in sources
                .into_iter()
                .flat_map(|s| requests(identity.as_ref(), s))
            {
                if !self
                    .cluster
                    .admits(caller, self.server, self.port, &request)
                {
                    continue;
                }
                some = true;
                let without = Request {
                    identity: None,
                    ..request
                };
                needs_identity |= identified
                    && !self
                        .cluster
                        .admits(caller, self.server, self.port, &without);
            }
            if some {
                low = low.max(level_of(
                    caller,
                    identity.as_ref().filter(|_| needs_identity),
                ));
                high = high.max(level_of(caller, identity.as_ref().filter(|_| identified)));
                through.push((caller, identity));
            }
        }
        *seen.levels.entry(access.level).or_default() += 1;
        seen.exact += u64::from(low == high);
        if access.level < low || access.level > high {
            return Err(format!(
                "{}: level {:?}, not {low:?} to {high:?}: {access:?}",
                self.place(),
                access.level
            ));
        }
        self.members(&access, &through)
    }

    /// Every caller that gets through is named or covered by the level; every member named gets through.
    fn members(
        &self,
        access: &Access,
        through: &[(Caller, Option<Identity>)],
    ) -> Result<(), String> {
        for (caller, identity) in through {
            let Caller::Pod(namespace, app) = caller else {
                continue;
            };
            let account = identity.as_ref().map_or("", |i| i.account.as_str());
            let named = [
                format!("sa:{namespace}/{account}"),
                format!("ns:{namespace}"),
                format!("pod:{namespace}/{}", app.unwrap_or_default()),
                "ns:*".to_owned(),
            ];
            let covered =
                access.level >= Level::Mesh || named.iter().any(|n| access.set.contains(n));
            if !covered {
                return Err(format!(
                    "{}: {caller:?} as {identity:?} gets through and is not in {access:?}",
                    self.place()
                ));
            }
        }
        for member in &access.set {
            let Some((kind, name)) = member.split_once(':') else {
                return Err(format!("{member} has no type"));
            };
            let backed = |(caller, identity): &(Caller, Option<Identity>)| {
                let Caller::Pod(namespace, app) = caller else {
                    return false;
                };
                match kind {
                    "ns" => name == "*" || name == *namespace,
                    "pod" => app.is_some_and(|app| name == format!("{namespace}/{app}")),
                    _ => identity
                        .as_ref()
                        .is_some_and(|i| name == format!("{namespace}/{}", i.account)),
                }
            };
            // Wildcards stand for more than one namespace.
            if !(member.contains('*') || through.iter().any(backed)) {
                return Err(format!(
                    "{}: {member} of {access:?} does not get through",
                    self.place()
                ));
            }
        }
        Ok(())
    }
}

/// The level that one caller stands for. An account proves itself; without it the network tells a pod from a namespace and from an address.
fn level_of(caller: Caller, identity: Option<&Identity>) -> Level {
    match (caller, identity) {
        (Caller::Address(_), _) => Level::Anyone,
        (Caller::Pod(ELSEWHERE, _), Some(_)) => Level::Mesh,
        (Caller::Pod(..), Some(identity)) if ACCOUNTS.contains(&&*identity.account) => {
            Level::Identities
        }
        (Caller::Pod(_, Some(_)), None) => Level::Identities,
        (Caller::Pod(..), _) => Level::Namespaces,
    }
}

/// Every caller: addresses; pods with their own identity and without; pods that are not in the view, under any account.
fn callers(cluster: &Cluster) -> Vec<(Caller, Option<Identity>)> {
    let mut all: Vec<(Caller, Option<Identity>)> =
        ADDRESSES.map(|a| (Caller::Address(a), None)).to_vec();
    for pod in &cluster.pods {
        let caller = Caller::Pod(pod.namespace, Some(pod.app));
        all.push((caller, None));
        all.push((caller, Some(of_mesh(pod.namespace, pod.account))));
    }
    for namespace in NAMESPACES {
        all.push((Caller::Pod(namespace, None), None));
        let accounts = ACCOUNTS.into_iter().chain(["z"]);
        all.extend(accounts.map(|a| (Caller::Pod(namespace, None), Some(of_mesh(namespace, a)))));
    }
    all.push((Caller::Pod(ELSEWHERE, None), None));
    for namespace in ["ac", "acb", "qb", ELSEWHERE] {
        let accounts = ACCOUNTS.into_iter().chain(["z"]);
        all.extend(accounts.map(|a| (Caller::Pod(ELSEWHERE, None), Some(of_mesh(namespace, a)))));
    }
    all
}
