"""`awsx.ec2.Vpc` on the real engine, through both of the embedded AWS's plugins."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.instance import Instance
from localaws.plugins import install
from tests.engine.project import Project

pytestmark = pytest.mark.engine

WORKSHOP = """
    import pulumi
    import pulumi_awsx as awsx

    vpc = awsx.ec2.Vpc(
        "net",
        cidr_block="10.0.0.0/24",
        number_of_availability_zones=3,
        enable_dns_hostnames=True,
        subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
        subnet_specs=[
            awsx.ec2.SubnetSpecArgs(
                type=awsx.ec2.SubnetType.PUBLIC, cidr_blocks=["10.0.0.0/27", "10.0.0.32/27", "10.0.0.64/27"]
            ),
            awsx.ec2.SubnetSpecArgs(
                type=awsx.ec2.SubnetType.PRIVATE, cidr_blocks=["10.0.0.96/27", "10.0.0.128/27", "10.0.0.160/27"]
            ),
        ],
        tags={"Name": "ecsworkshop-base/BaseVPC"},
    )
    pulumi.export("vpcId", vpc.vpc_id)
    pulumi.export("publicSubnetIds", vpc.public_subnet_ids)
    pulumi.export("privateSubnetIds", vpc.private_subnet_ids)
    pulumi.export("natAddresses", vpc.nat_gateways.apply(lambda gateways: [nat.public_ip for nat in gateways]))
"""


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    own = Instance(tmp_path_factory.mktemp("aws"))
    own.start()
    yield own
    own.stop()


@pytest.fixture
def project(instance: Instance, tmp_path: Path) -> Project:
    made = Project(tmp_path / "project", instance.environment())
    install(made.folder / "home")
    return made


def test_the_workshops_vpc_goes_up_unchanged_and_down(project: Project) -> None:
    """34 resources under their parents, no warning, nothing to change afterwards, nothing left in the end."""
    project.program(WORKSHOP)
    shown = project.pulumi("up", "--yes", "--skip-preview")
    assert "warning" not in shown
    assert tree(project) == {
        "net": ["net (Vpc)"],
        "net (Vpc)": [
            "net (InternetGateway)",
            *(f"net-{kind}-{zone} (Subnet)" for kind in ("private", "public") for zone in (1, 2, 3)),
        ],
        **{
            f"net-public-{zone} (Subnet)": [
                f"net-{zone} (Eip)",
                f"net-{zone} (NatGateway)",
                f"net-public-{zone} (RouteTable)",
            ]
            for zone in (1, 2, 3)
        },
        **{f"net-private-{zone} (Subnet)": [f"net-private-{zone} (RouteTable)"] for zone in (1, 2, 3)},
        **{
            f"net-{kind}-{zone} (RouteTable)": [
                f"net-{kind}-{zone} (Route)",
                f"net-{kind}-{zone} (RouteTableAssociation)",
            ]
            for kind in ("public", "private")
            for zone in (1, 2, 3)
        },
    }
    outputs = project.outputs()
    assert outputs["vpcId"].startswith("vpc-")
    assert [len(outputs[name]) for name in ("publicSubnetIds", "privateSubnetIds", "natAddresses")] == [3, 3, 3]
    project.pulumi("preview", "--expect-no-changes")
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert project.resources() == []


def test_each_route_leads_out_through_its_own_zone(project: Project) -> None:
    """Public subnets reach the internet gateway, private ones the NAT gateway of their zone; tags say what they are."""
    project.program(WORKSHOP)
    project.pulumi("up", "--yes", "--skip-preview")
    made = {
        (resource["type"].rsplit(":", 1)[1], resource["urn"].rsplit("::", 1)[1]): resource
        for resource in project.resources()
    }

    for zone, letter in enumerate("abc", start=1):
        public, private = (made["Subnet", f"net-{kind}-{zone}"]["outputs"] for kind in ("public", "private"))
        assert (public["availabilityZone"], private["availabilityZone"]) == (f"us-east-1{letter}",) * 2
        assert (public["mapPublicIpOnLaunch"], private["mapPublicIpOnLaunch"]) == (True, False)
        assert public["tags"] == {"Name": f"net-public-{zone}", "SubnetType": "Public"}
        assert private["tags"] == {"Name": f"net-private-{zone}", "SubnetType": "Private"}
        assert made["Route", f"net-public-{zone}"]["outputs"]["gatewayId"] == made["InternetGateway", "net"]["id"]
        nat = made["NatGateway", f"net-{zone}"]
        assert made["Route", f"net-private-{zone}"]["outputs"]["natGatewayId"] == nat["id"]
        assert nat["outputs"]["subnetId"] == made["Subnet", f"net-public-{zone}"]["id"]
    assert made["Vpc", "net"]["outputs"]["tags"] == {"Name": "ecsworkshop-base/BaseVPC"}


def test_a_bad_argument_is_one_error(project: Project) -> None:
    """The resource, the argument, its value and what is wrong; no traceback, nothing created."""
    project.program("""
        import pulumi_awsx as awsx
        awsx.ec2.Vpc("net", cidr_block="10.0.0.0/99")
    """)
    shown = project.pulumi("up", "--yes", "--skip-preview", exits=255)

    assert "awsx:ec2:Vpc resource 'net' has a problem" in shown
    assert "'10.0.0.0/99' is no IPv4 CIDR block: '99' is not a valid netmask" in shown
    assert "Traceback" not in shown
    assert project.resources() == []


def test_too_few_zones_are_named(project: Project) -> None:
    """us-east-1 has six availability zones."""
    project.program("""
        import pulumi_awsx as awsx
        awsx.ec2.Vpc("net", number_of_availability_zones=7)
    """)
    shown = project.pulumi("preview", exits=255)

    assert "7 wanted, but the region has 6; ask for fewer or use another region" in shown


def test_any_other_address_than_loopback_is_refused(project: Project) -> None:
    """Pointed at a real AWS the stand-in does nothing."""
    project.environment["AWS_ENDPOINT_URL"] = "https://ec2.us-east-1.amazonaws.com"
    project.program(WORKSHOP)
    shown = project.pulumi("preview", exits=255)

    assert "AWS_ENDPOINT_URL is 'https://ec2.us-east-1.amazonaws.com', which is not on this machine's loopback" in shown


def tree(project: Project) -> dict[str, list[str]]:
    """Return the children of each resource as `name (Type)`, sorted; the component by its name alone."""
    label = {}
    for resource in project.resources():
        name, kind = resource["urn"].rsplit("::", 1)[1], resource["type"].rsplit(":", 1)[1]
        label[resource["urn"]] = name if resource["type"] == "awsx:ec2:Vpc" else f"{name} ({kind})"
    children: dict[str, list[str]] = {}
    for resource in project.resources():
        if resource["parent"] in label:
            children.setdefault(label[resource["parent"]], []).append(label[resource["urn"]])
    return {parent: sorted(found) for parent, found in children.items()}
