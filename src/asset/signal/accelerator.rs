//! Signal: accelerators. Input: a container or pod spec; output: votes of device resources, device claims and runtime classes.

use crate::asset::signal::patterns::Pattern;
use crate::asset::signal::{Ballot, Signal};
use crate::yaml::NodeRef;

/// Extended resources of device plugins.
static DEVICE: Pattern = Pattern::new(
    r"^(nvidia\.com/(gpu|mig-[\w.]+|gpu\.shared)|amd\.com/gpu|gpu\.intel\.com/\w+|habana\.ai/gaudi|google\.com/tpu|aws\.amazon\.com/(neuron|neuroncore|neurondevice)|huawei\.com/ascend\w*|xilinx\.com/|cloud-tpus\.google\.com/|k8s\.amazonaws\.com/vgpu|tencent\.com/vcuda|aliyun\.com/gpu|volcano\.sh/vgpu|qualcomm\.com/\w+|cambricon\.com/\w+|enflame\.com/\w+|intel\.com/(gpu|xpu))",
);

pub(super) fn read(container: NodeRef<'_>, ballot: &mut Ballot) {
    let Some(resources) = container.get("resources") else {
        return;
    };
    for section in ["limits", "requests"] {
        for (key, _) in resources
            .get(section)
            .into_iter()
            .flat_map(NodeRef::entries)
        {
            if let Some(name) = key.as_str()
                && name.contains('/')
                && DEVICE.is_match(name)
            {
                ballot.add_server(Signal::Accelerator, 0.5, || format!("device {name}"), key);
            }
        }
    }
    if let Some(claims) = resources.get("claims").filter(|c| !c.is_empty()) {
        ballot.add_server(Signal::Claim, 0.3, || "a device claim".to_owned(), claims);
    }
}

pub(super) fn read_pod(spec: NodeRef<'_>, ballot: &mut Ballot) {
    if let Some(class) = spec.get("runtimeClassName")
        && class.as_str() == Some("nvidia")
    {
        let words = || "runtime class nvidia".to_owned();
        ballot.add_server(Signal::Accelerator, 0.4, words, class);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_from_other_resources() {
        assert!(DEVICE.compiles());
        assert!(DEVICE.is_match("nvidia.com/mig-1g.5gb"));
        assert!(!DEVICE.is_match("rdma/ib"));
        assert!(!DEVICE.is_match("example.com/nvidia.com/gpu"));
    }
}
