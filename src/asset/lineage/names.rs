//! References by name. Input: an asset; output: edges to the models, tools, agents, pools and steps that its fields name.
//!
//! kagent `agent_types.go`, `modelconfig_types.go`; Envoy AI Gateway `AIGatewayRoute` (`rules[].backendRefs`); Gateway API inference extension
//! `InferencePool` (`selector`); KServe `InferenceGraph` (`nodes.*.steps[].serviceName`); Seldon Core 2 `Pipeline` (`steps[].name`).

use crate::asset::inventory::Asset;
use crate::asset::lineage::Drawing;
use crate::facts::selector::MatchLabels;
use crate::pods;
use crate::yaml::NodeRef;

impl Drawing<'_, '_> {
    /// What an asset names.
    pub(super) fn names(&mut self, asset: &Asset) {
        let object = asset.resource.object();
        match (asset.resource.group(), asset.resource.kind()) {
            ("kagent.dev", "ModelConfig") => self.model_config(object),
            ("kagent.dev", _) => self.agent(object),
            ("aigateway.envoyproxy.io", "AIGatewayRoute") => self.backends(object),
            (_, "InferencePool") => self.pool(object),
            ("serving.kserve.io", "InferenceGraph") => {
                let nodes = object.at(&["spec", "nodes"]);
                let steps = nodes
                    .into_iter()
                    .flat_map(NodeRef::entries)
                    .filter_map(|(_, node)| node.get("steps"))
                    .flat_map(NodeRef::items);
                for step in steps.filter_map(|step| step.get("serviceName")) {
                    self.named(step, &["InferenceService"], None);
                }
            }
            ("mlops.seldon.io", "Pipeline") => {
                let steps = object.at(&["spec", "steps"]);
                for step in steps.into_iter().flat_map(NodeRef::items) {
                    if let Some(name) = step.get("name") {
                        self.named(name, &["Model"], None);
                    }
                }
            }
            _ => {}
        }
    }

    /// Draws an edge to the asset that a text names, `name` or `namespace/name`.
    fn named(&mut self, node: NodeRef<'_>, kinds: &[&str], space: Option<&str>) {
        let Some(text) = node.as_str() else { return };
        let (space, name) = text
            .split_once('/')
            .unwrap_or((space.unwrap_or(self.space), text));
        let to = self.inventory.assets.iter().position(|a| {
            a.resource.name == name
                && a.namespace.as_str() == space
                && kinds.contains(&a.resource.kind())
        });
        if let Some(&to) = to.and_then(|at| self.lineage.assets.get(at)) {
            self.edge(self.from, to, format!("uses {text}"), node.span());
        }
    }

    fn backends(&mut self, object: NodeRef<'_>) {
        let rules = object.at(&["spec", "rules"]);
        let references = rules
            .into_iter()
            .flat_map(NodeRef::items)
            .filter_map(|rule| rule.get("backendRefs"))
            .flat_map(NodeRef::items);
        for reference in references {
            let text = |name: &str| reference.get(name).and_then(NodeRef::as_str);
            if let Some(name) = reference.get("name") {
                let kind = text("kind").unwrap_or("AIServiceBackend");
                self.named(name, &[kind], text("namespace"));
            }
        }
    }

    /// A pool sends requests to the pods that its selector names: labels alone in v1alpha2, under `matchLabels` in v1.
    fn pool(&mut self, object: NodeRef<'_>) {
        let Some(selector) = object.at(&["spec", "selector"]) else {
            return;
        };
        let labels = MatchLabels::read(selector.get("matchLabels").or(Some(selector)));
        if labels.pairs().next().is_none() {
            return;
        }
        let inventory = self.inventory;
        for (at, asset) in inventory.assets.iter().enumerate() {
            let selected = asset.namespace.as_str() == self.space
                && pods::templates(&asset.resource)
                    .iter()
                    .any(|template| template.labels.is_some() && labels.matches(template.labels));
            if selected && let Some(&to) = self.lineage.assets.get(at) {
                self.edge(
                    self.from,
                    to,
                    "selects its pods".to_owned(),
                    selector.span(),
                );
            }
        }
    }

    /// kagent's agents use a model, tools and other agents.
    fn agent(&mut self, object: NodeRef<'_>) {
        let mut named: Vec<(NodeRef<'_>, &[&str], Option<&str>)> = Vec::new();
        for path in [
            &["spec", "declarative", "modelConfig"][..],
            &["spec", "declarative", "memory", "modelConfig"],
            &["spec", "modelConfig"],
        ] {
            named.extend(object.at(path).map(|n| (n, &["ModelConfig"][..], None)));
        }
        let tools = [&["spec", "declarative", "tools"][..], &["spec", "tools"]];
        for tool in tools
            .iter()
            .filter_map(|path| object.at(path))
            .flat_map(NodeRef::items)
        {
            for (field, kinds) in [
                (
                    "mcpServer",
                    &["MCPServer", "RemoteMCPServer", "ToolServer"][..],
                ),
                ("agent", &["Agent", "SandboxAgent"][..]),
            ] {
                let Some(reference) = tool.get(field) else {
                    continue;
                };
                let space = reference.get("namespace").and_then(NodeRef::as_str);
                named.extend(reference.get("name").map(|n| (n, kinds, space)));
            }
        }
        for (node, kinds, space) in named {
            self.named(node, kinds, space);
        }
    }

    /// A ModelConfig without an address of its own uses the public endpoint of its provider.
    fn model_config(&mut self, object: NodeRef<'_>) {
        let Some(node) = object.at(&["spec", "provider"]) else {
            return;
        };
        let (field, provider) = match node.as_str() {
            Some("OpenAI") => ("openAI", "openai"),
            Some("Anthropic") => ("anthropic", "anthropic"),
            Some("Gemini") => ("gemini", "gemini"),
            Some("GeminiVertexAI") => ("geminiVertexAI", "vertex"),
            Some("AnthropicVertexAI") => ("anthropicVertexAI", "vertex"),
            Some("Bedrock") => ("bedrock", "aws-bedrock"),
            Some("AzureOpenAI") => ("azureOpenAI", "azure-openai"),
            _ => return,
        };
        // An address of its own, seen or not among the texts, stands instead of the public endpoint.
        let settings = object.at(&["spec", field]);
        let own = ["baseUrl", "azureEndpoint", "endpoint"];
        if own
            .iter()
            .any(|f| settings.and_then(|s| s.get(f)).is_some())
        {
            return;
        }
        let says = format!("its provider is {}", node.text());
        self.provider(provider, "", says, node.span());
    }
}
