# Stands for `helm template llm charts/llm`.
cat <<EOF
---
# Source: llm/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: llm
spec:
  template:
    spec:
      hostNetwork: true
      containers:
        - name: llm
          image: vllm/vllm-openai:v0.10.2
          args:
            - --model=Qwen/Qwen3-8B
            - --trust-remote-code
EOF
