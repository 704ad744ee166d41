"""Every container image that is deployed. All come from the public ECR, which needs no rights to read.

The demo applications are published under ``latest`` and under commit hashes. Two hashes are in wide use and are taken;
none is known for crystal, so that one follows ``latest`` (docs/differences.md).
"""

ENVOY = "public.ecr.aws/appmesh/aws-appmesh-envoy:v1.29.12.1-prod"  # 1.19.1.1 is the first to know XRAY_SAMPLING_RATE
PLAIN_ENVOY = "docker.io/envoyproxy/envoy:v1.40.0"
XRAY_DAEMON = "public.ecr.aws/xray/aws-xray-daemon:3.6.7"
ADOT = "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0"
CLOUDWATCH_AGENT = "public.ecr.aws/cloudwatch-agent/cloudwatch-agent:1.300071.0b1720"

CRYSTAL = "public.ecr.aws/aws-containers/ecsdemo-crystal:latest"
FRONTEND = "public.ecr.aws/aws-containers/ecsdemo-frontend:776fd50"
NODEJS = "public.ecr.aws/aws-containers/ecsdemo-nodejs:c3e96da"
