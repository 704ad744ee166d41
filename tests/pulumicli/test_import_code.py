"""The Python that `pulumi import` offers."""

import re
import subprocess
import sys
from pathlib import Path

import pulumicli

WRITER = Path(pulumicli.__file__).parent / "host" / "import_code.py"


def python_for(hcl: str) -> str:
    """Run the writer as the language host does."""
    return subprocess.run([sys.executable, WRITER], capture_output=True, check=True, input=hcl, text=True).stdout


def test_a_resource_becomes_a_declaration_that_can_be_copied() -> None:
    """Names in snake_case, the logical name as it was imported, options at the end; maps keep their keys."""
    written = python_for("""
        resource baseVpc "aws:ec2/vpc:Vpc" {
            __logicalName = "base-vpc"
            cidrBlock = "10.0.0.0/24"
            enableDnsHostnames = true
            tags = {
                Name = "costs $${5} \\"a\\"",
                "team-name" = "mesh"
            }
            options {
                protect = true
            }
        }
    """)

    assert written == (
        "import pulumi\n"
        "import pulumi_aws as aws\n"
        "\n"
        'base_vpc = aws.ec2.Vpc("base-vpc",\n'
        '    cidr_block="10.0.0.0/24",\n'
        "    enable_dns_hostnames=True,\n"
        "    tags={\n"
        '        "Name": "costs ${5} \\"a\\"",\n'
        '        "team-name": "mesh",\n'
        "    },\n"
        "    opts=pulumi.ResourceOptions(protect=True))\n"
    )


def test_nested_objects_are_spelled_as_the_sdk_spells_them() -> None:
    """Keys of objects change, at any depth; keys of the maps inside them don't."""
    written = python_for("""
        resource node "aws:appmesh/virtualNode:VirtualNode" {
            spec = { serviceDiscovery = { awsCloudMap = { serviceName = "s", attributes = { someKey = "v" } } } }
        }
    """)

    for line in ('"service_discovery": {', '"aws_cloud_map": {', '"service_name": "s"', '"someKey": "v"'):
        assert line in written


def test_values_other_than_text() -> None:
    """References, secrets, empty lists, nothing and numbers."""
    pairs = {
        "base.id": "base.id",
        "subnets[0].vpcId": "subnets[0].vpc_id",
        'secret("x")': 'pulumi.Output.secret("x")',
        "[]": "[]",
        "null": "None",
        "-1.5": "-1.5",
    }
    resources = [f'resource x "aws:ec2/subnet:Subnet" {{ vpcId = {hcl} }}' for hcl in pairs]

    assert re.findall(r"vpc_id=(.*)\)$", python_for("\n".join(resources)), re.MULTILINE) == list(pairs.values())


def test_the_written_python_is_python() -> None:
    """What is offered to copy compiles."""
    written = python_for("""
        resource a "aws:ec2/vpc:Vpc" { cidrBlock = "10.0.0.0/24" }
        resource b "aws:ec2/subnet:Subnet" {
            vpcId = a.id
            options {
                parent = a
                dependsOn = [a]
                import = "subnet-1"
            }
        }
    """)

    compile(written, "imported", "exec")
    assert "opts=pulumi.ResourceOptions(parent=a, depends_on=[\n" in written
    assert 'import_="subnet-1"' in written
