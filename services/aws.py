"""The parts of the AWS SDK that we use, loaded completely and at once.

`pulumi_aws` loads its submodules when first touched, which is not safe where several programs run in threads of one
process: two threads that touch the same one fail with "module 'pulumi_aws.ecs' has no attribute …".
"""

from pulumi_aws import appautoscaling, appmesh, cloudwatch, ec2, ecs, iam, lb, servicediscovery, ssm, vpc
from pulumi_awsx import ec2 as awsx_ec2

__all__ = [
    "appautoscaling",
    "appmesh",
    "awsx_ec2",
    "cloudwatch",
    "ec2",
    "ecs",
    "iam",
    "lb",
    "servicediscovery",
    "ssm",
    "vpc",
]

for _module in (globals()[name] for name in __all__):
    _module.outputs  # noqa: B018 - any attribute will do: the access loads the module
