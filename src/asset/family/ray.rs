//! KubeRay. Input: its objects; output: classes and the models that a Serve config names. Fields: `ray-operator/config/crd/bases`.

use crate::asset::class::Class;
use crate::asset::family::{Family, Found, Kind, kind};
use crate::yaml::NodeRef;

const GROUP: &str = "ray.io";

pub(super) const FAMILY: Family = Family {
    name: "KubeRay",
    kinds: KINDS,
    refs,
};

const KINDS: &[Kind] = &[
    kind(GROUP, "RayCluster", Class::Compute),
    kind(GROUP, "RayService", Class::ModelServer),
    kind(GROUP, "RayJob", Class::Training),
    kind(GROUP, "RayCronJob", Class::Training),
];

/// `model_source` of every `model_loading_config` in `spec.serveConfigV2`, which is YAML inside a string.
fn refs<'t>(_: &str, object: NodeRef<'t>, found: &mut Found<'t>) {
    let Some(config) = object.at(&["spec", "serveConfigV2"]) else {
        return;
    };
    for line in config.text().lines() {
        let Some((_, value)) = line.split_once("model_source:") else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        if !value.is_empty() && !value.starts_with(['#', '{', '[']) {
            found.made(value, config);
        }
    }
}
