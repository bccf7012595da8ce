//! External LLM providers. Input: a host name; output: the provider it belongs to, with the region where the name tells it.

use std::collections::HashSet;
use std::sync::OnceLock;

use regex::Regex;

/// A provider recognised by host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Stable name: `openai`, `aws-bedrock` …
    pub name: &'static str,
    /// Region in the host name, when it has one.
    pub region: Option<String>,
}

/// Host suffixes (`.x` matches `x` and everything below it; no dot = the exact host) and their provider. Each is the
/// API host named in the provider's own documentation.
const SUFFIXES: &[(&str, &str)] = &[
    ("api.openai.com", "openai"),
    (".api.openai.com", "openai"),
    (".openai.azure.com", "azure-openai"),
    (".cognitiveservices.azure.com", "azure-openai"),
    (".services.ai.azure.com", "azure-openai"),
    (".models.ai.azure.com", "azure-openai"),
    ("models.inference.ai.azure.com", "azure-openai"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gemini"),
    ("aiplatform.googleapis.com", "vertex"),
    ("aiplatform.eu.rep.googleapis.com", "vertex"),
    ("aiplatform.us.rep.googleapis.com", "vertex"),
    ("api.mistral.ai", "mistral"),
    ("codestral.mistral.ai", "mistral"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.groq.com", "groq"),
    ("openrouter.ai", "openrouter"),
    ("api-inference.huggingface.co", "huggingface"),
    ("router.huggingface.co", "huggingface"),
    (".endpoints.huggingface.cloud", "huggingface"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "xai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.replicate.com", "replicate"),
    ("api.ai21.com", "ai21"),
    ("api.voyageai.com", "voyage"),
    ("api.jina.ai", "jina"),
    ("api.cerebras.ai", "cerebras"),
    ("api.sambanova.ai", "sambanova"),
    ("api.deepinfra.com", "deepinfra"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("dashscope.aliyuncs.com", "dashscope"),
    ("dashscope-intl.aliyuncs.com", "dashscope"),
    ("dashscope-us.aliyuncs.com", "dashscope"),
    ("open.bigmodel.cn", "zhipu"),
    ("api.z.ai", "zhipu"),
    ("api.moonshot.cn", "moonshot"),
    ("api.moonshot.ai", "moonshot"),
    ("gateway.ai.cloudflare.com", "cloudflare-ai-gateway"),
    ("api.portkey.ai", "portkey"),
    ("ai-gateway.vercel.sh", "vercel-ai-gateway"),
    ("models.github.ai", "github-models"),
    ("api.githubcopilot.com", "github-models"),
    ("api.stability.ai", "stability"),
    ("api.elevenlabs.io", "elevenlabs"),
    ("api.assemblyai.com", "assemblyai"),
    ("qianfan.baidubce.com", "qianfan"),
    ("api.minimax.chat", "minimax"),
    ("api.minimax.io", "minimax"),
    ("api.minimaxi.com", "minimax"),
    ("hunyuan.tencentcloudapi.com", "hunyuan"),
    ("api.hunyuan.cloud.tencent.com", "hunyuan"),
    ("api.lambda.ai", "lambda"),
    ("api.lambdalabs.com", "lambda"),
    ("api.novita.ai", "novita"),
    ("api.hyperbolic.xyz", "hyperbolic"),
    ("api.tokenfactory.nebius.com", "nebius"),
    ("api.studio.nebius.com", "nebius"),
    ("api.studio.nebius.ai", "nebius"),
];

/// Host patterns with a region group.
const REGIONAL: &[(&str, &str)] = &[
    (
        r"^bedrock(?:-runtime|-agent-runtime)?(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$",
        "aws-bedrock",
    ),
    (r"^bedrock-mantle\.([a-z0-9-]+)\.api\.aws$", "aws-bedrock"),
    (
        r"^runtime\.sagemaker\.([a-z0-9-]+)\.amazonaws\.com$",
        "sagemaker",
    ),
    (r"^([a-z0-9-]+)-aiplatform\.googleapis\.com$", "vertex"),
    (r"^([a-z0-9-]+)\.ml\.cloud\.ibm\.com$", "watsonx"),
    (r"^ark\.([a-z0-9-]+)\.volces\.com$", "volcengine"),
    (
        r"^inference\.generativeai\.([a-z0-9-]+)\.oci\.oraclecloud\.com$",
        "oci",
    ),
];

/// Where the hosts of [`REGIONAL`] lie.
const REGIONAL_DOMAINS: &[&str] = &[
    "amazonaws.com",
    "com.cn",
    "api.aws",
    "googleapis.com",
    "ibm.com",
    "volces.com",
    "oraclecloud.com",
];

/// The provider of a host name (no scheme, no port); `None` for every other host. `huggingface.co` itself is a hub, no provider.
#[must_use]
pub fn of_host(host: &str) -> Option<Provider> {
    static PATTERNS: OnceLock<Vec<(Regex, &'static str)>> = OnceLock::new();
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let listed = SUFFIXES.iter().find(|(suffix, _)| {
        if suffix.starts_with('.') {
            host.ends_with(suffix)
        } else {
            host == *suffix
        }
    });
    if let Some((suffix, name)) = listed {
        let region = suffix
            .starts_with(".api.openai")
            .then(|| host.split('.').next().unwrap_or("").to_owned());
        return Some(Provider { name, region });
    }
    let patterns = PATTERNS.get_or_init(|| {
        REGIONAL
            .iter()
            .filter_map(|(pattern, name)| Some((Regex::new(pattern).ok()?, *name)))
            .collect()
    });
    patterns.iter().find_map(|(pattern, name)| {
        let region = pattern.captures(&host)?.get(1)?.as_str().to_owned();
        Some(Provider {
            name,
            region: Some(region),
        })
    })
}

/// Provider hosts that stand in a text, in order, each with its provider.
pub fn in_text(text: &str) -> impl Iterator<Item = (&str, Provider)> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
        .filter(|word| is_in_provider_domain(word))
        .filter_map(|word| {
            let host = word.trim_matches(['.', '-']);
            Some((host, of_host(host)?))
        })
}

/// A cheap test before the tables are searched: the last two labels are those of a listed host.
fn is_in_provider_domain(host: &str) -> bool {
    static DOMAINS: OnceLock<HashSet<String>> = OnceLock::new();
    if !host.contains('.') {
        return false;
    }
    let domains = DOMAINS.get_or_init(|| {
        let listed = SUFFIXES.iter().map(|(suffix, _)| *suffix);
        let regional = REGIONAL_DOMAINS.iter().copied();
        listed
            .chain(regional)
            .map(|host| domain(host).to_ascii_lowercase())
            .collect()
    });
    let domain = domain(host.trim_matches(['.', '-']));
    domains.contains(domain) || domains.contains(&domain.to_ascii_lowercase())
}

/// The last two labels of a host name.
fn domain(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let start = dots.nth(1).map_or(0, |at| at + 1);
    host.get(start..).unwrap_or(host)
}

/// The host of a URL, or of a bare `host[:port][/path]`; `None` when there is none.
#[must_use]
pub fn host_of_url(text: &str) -> Option<&str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    let host = host_port.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(host: &str) -> Option<(&'static str, Option<String>)> {
        of_host(host).map(|p| (p.name, p.region))
    }

    #[test]
    fn hosts_name_their_provider_and_region() {
        assert_eq!(name("api.openai.com"), Some(("openai", None)));
        assert_eq!(
            name("eu.api.openai.com"),
            Some(("openai", Some("eu".into())))
        );
        assert_eq!(name("acme.openai.azure.com"), Some(("azure-openai", None)));
        assert_eq!(
            name("bedrock-runtime.eu-central-1.amazonaws.com"),
            Some(("aws-bedrock", Some("eu-central-1".into())))
        );
        assert_eq!(
            name("europe-west4-aiplatform.googleapis.com"),
            Some(("vertex", Some("europe-west4".into())))
        );
        assert_eq!(name("API.Anthropic.com."), Some(("anthropic", None)));
    }

    #[test]
    fn hubs_look_alikes_and_cluster_names_are_no_provider() {
        for host in [
            "huggingface.co",
            "api.openai.com.evil.io",
            "notapi.openai.com.svc",
            "chat.ml.svc.cluster.local",
            "s3.amazonaws.com",
        ] {
            assert_eq!(name(host), None, "{host}");
        }
    }

    #[test]
    fn hosts_are_found_inside_texts() {
        let names = |text| in_text(text).map(|(_, p)| p.name).collect::<Vec<_>>();
        assert_eq!(
            names("--base=https://API.openai.com:443/v1,http://api.x.ai"),
            ["openai", "xai"]
        );
        assert_eq!(
            names("see https://bedrock-runtime.us-east-1.amazonaws.com."),
            ["aws-bedrock"]
        );
        assert!(names("https://api.openai.com.evil.io api_openai.com").is_empty());
    }

    #[test]
    fn every_pattern_compiles() {
        for (pattern, name) in REGIONAL {
            assert!(Regex::new(pattern).is_ok(), "{name}");
        }
    }

    #[test]
    fn hosts_are_cut_out_of_urls() {
        assert_eq!(
            host_of_url("http://u:p@api.openai.com:80/v1?x"),
            Some("api.openai.com")
        );
        assert_eq!(host_of_url("api.openai.com/v1"), Some("api.openai.com"));
        assert_eq!(host_of_url("http:///x"), None);
    }
}
