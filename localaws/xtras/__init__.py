"""What moto lacks in the services that are not replaced as a whole: one module a service, which says what it mends."""

from localaws.xtras import autoscaling, cloudmap, ec2, elbv2, iam, kms, logs, ssm


def install() -> None:
    """Mend moto; to be called once, before the first request."""
    for service in (autoscaling, cloudmap, ec2, elbv2, iam, kms, logs, ssm):
        service.install()
