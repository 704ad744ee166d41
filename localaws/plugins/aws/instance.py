"""EC2 instances."""

import base64
import hashlib
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from localaws.plugins.aws.aws import Aws
from localaws.plugins.aws.comparing import Change
from localaws.plugins.aws.ec2 import TAGGING, Ec2Resource, specified
from localaws.plugins.aws.fields import block, flag, output, table, tagged, text, unordered, whole
from localaws.plugins.aws.shaping import spelled
from localaws.plugins.aws.values import State

ROOT_DEVICE = block(
    {
        "deleteOnTermination": flag(default=True),
        "deviceName": text(computed=True),
        "encrypted": flag(computed=True, replaces=True),
        "iops": whole(computed=True),
        "kmsKeyId": text(computed=True, replaces=True),
        "tags": table(),
        "tagsAll": table(computed=True),
        "throughput": whole(computed=True),
        "volumeId": text(computed=True),
        "volumeSize": whole(computed=True),
        "volumeType": text(computed=True, choices=("standard", "io1", "io2", "gp2", "gp3", "sc1", "st1")),
    },
    computed=True,
)
METADATA = block(
    {
        "httpEndpoint": text(computed=True, choices=("enabled", "disabled")),
        "httpProtocolIpv6": text(computed=True, choices=("enabled", "disabled")),
        "httpPutResponseHopLimit": whole(computed=True),
        "httpTokens": text(computed=True, choices=("optional", "required")),
        "instanceMetadataTags": text(computed=True, choices=("enabled", "disabled")),
    },
    computed=True,
)
METADATA_DEFAULTS = {
    "httpEndpoint": "enabled",
    "httpProtocolIpv6": "disabled",
    "httpPutResponseHopLimit": 2,
    "httpTokens": "optional",
    "instanceMetadataTags": "disabled",
}


def same_user_data(one: str, other: str) -> bool:
    """The official provider keeps only the SHA-1 of user data in old states; the text and its hash are the same."""
    return one == other or hashlib.sha1(other.encode(), usedforsecurity=False).hexdigest() == one


class Instance(Ec2Resource):
    """A virtual machine."""

    token, label = "aws:ec2/instance:Instance", "EC2 Instance"
    missing = frozenset({"InvalidInstanceID.NotFound"})
    fields = tagged(
        {
            "ami": text(required=True, replaces=True, aws="ImageId"),
            "associatePublicIpAddress": flag(computed=True, replaces=True),
            "availabilityZone": text(computed=True, replaces=True),
            "disableApiStop": flag(computed=True),
            "disableApiTermination": flag(computed=True),
            "ebsOptimized": flag(computed=True, replaces=True),
            "forceDestroy": flag(local=True, default=False),
            "getPasswordData": flag(local=True, default=False),
            "hibernation": flag(replaces=True),
            "iamInstanceProfile": text(computed=True),
            "instanceInitiatedShutdownBehavior": text(computed=True, choices=("stop", "terminate")),
            "instanceType": text(required=True),
            "ipv6AddressCount": whole(computed=True, replaces=True),
            "ipv6Addresses": unordered(text(), computed=True),
            "keyName": text(computed=True, replaces=True),
            "metadataOptions": METADATA,
            "monitoring": flag(computed=True),
            "placementGroup": text(computed=True, replaces=True),
            "privateIp": text(computed=True, replaces=True, aws="PrivateIpAddress"),
            "rootBlockDevice": ROOT_DEVICE,
            "secondaryPrivateIps": unordered(text(), computed=True),
            "securityGroups": unordered(text(), computed=True, replaces=True),
            "sourceDestCheck": flag(default=True),
            "subnetId": text(computed=True, replaces=True),
            "tenancy": text(computed=True, replaces=True, choices=("default", "dedicated", "host")),
            "userData": text(computed=True, same=same_user_data),
            "userDataBase64": text(computed=True),
            "userDataReplaceOnChange": flag(local=True, default=False),
            "volumeTags": table(),
            "vpcSecurityGroupIds": unordered(text(), computed=True),
            "arn": output(text()),
            "instanceState": output(text()),
            "outpostArn": output(text()),
            "passwordData": output(text()),
            "primaryNetworkInterfaceId": output(text()),
            "privateDns": output(text(aws="PrivateDnsName")),
            "publicDns": output(text(aws="PublicDnsName")),
            "publicIp": output(text(aws="PublicIpAddress")),
            "spotInstanceRequestId": output(text()),
            "instanceLifecycle": output(text()),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        if inputs.get("userData") and inputs.get("userDataBase64"):
            yield "userData", "conflicts with `userDataBase64`; give one of the two"

    def suppressed(self, change: Change, old: State, new: State) -> bool:
        return change.top == "volumeTags" and not new.get("volumeTags")

    def create(self, aws: Aws, inputs: State) -> str:
        profile = inputs.get("iamInstanceProfile")
        given = self.shaped(
            inputs, "ami", "ebsOptimized", "instanceInitiatedShutdownBehavior", "instanceType", "keyName"
        )
        network: State = {"SubnetId": inputs.get("subnetId"), "SecurityGroupIds": inputs.get("vpcSecurityGroupIds")}
        if "associatePublicIpAddress" in inputs:
            interface = {"DeviceIndex": 0, "SubnetId": network["SubnetId"], "Groups": network["SecurityGroupIds"]}
            interface["AssociatePublicIpAddress"] = inputs["associatePublicIpAddress"]
            network = {"NetworkInterfaces": [{name: value for name, value in interface.items() if value is not None}]}
        root = {
            name: value
            for name, value in self.shaped(inputs, "rootBlockDevice").get("RootBlockDevice", {}).items()
            if name in EBS
        }
        made = self.ask(
            aws,
            "RunInstances",
            MinCount=1,
            MaxCount=1,
            **given,
            **network,
            BlockDeviceMappings=[{"DeviceName": self._root_name(aws, inputs["ami"]), "Ebs": root}] if root else None,
            IamInstanceProfile={"Name": profile} if profile else None,
            MetadataOptions=self.shaped(inputs, "metadataOptions").get("MetadataOptions"),
            Monitoring={"Enabled": True} if inputs.get("monitoring") else None,
            Placement={"AvailabilityZone": inputs["availabilityZone"]} if inputs.get("availabilityZone") else None,
            PrivateIpAddress=inputs.get("privateIp"),
            UserData=_user_data(inputs),
            TagSpecifications=specified("instance", self.tags(inputs)),
        )
        return str(made["Instances"][0]["InstanceId"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        aws.until(lambda: self._state(aws, identity) == "running", f"instance {identity} to be running", 600)
        if inputs.get("disableApiTermination"):
            self.ask(aws, "ModifyInstanceAttribute", InstanceId=identity, DisableApiTermination={"Value": True})
        if not inputs.get("sourceDestCheck", True):
            self.ask(aws, "ModifyInstanceAttribute", InstanceId=identity, SourceDestCheck={"Value": False})

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self._find(aws, identity)
        if found is None or found["State"]["Name"] in {"terminated", "shutting-down"}:
            return None
        profile = (found.get("IamInstanceProfile") or {}).get("Arn", "").rpartition("/")[2]
        interface: State = next(iter(found.get("NetworkInterfaces", [])), {})
        groups = found.get("SecurityGroups", [])
        own_vpc = bool(found.get("SubnetId"))
        return {
            **self.plain(
                {**found, "SecurityGroups": None, "RootBlockDevice": None, "MetadataOptions": None, "Monitoring": None}
            ),
            "arn": aws.arn("ec2", f"instance/{identity}"),
            "associatePublicIpAddress": bool(found.get("PublicIpAddress")),
            "availabilityZone": found["Placement"]["AvailabilityZone"],
            "tenancy": found["Placement"].get("Tenancy", "default"),
            "disableApiTermination": self._attribute(aws, identity, "disableApiTermination", "DisableApiTermination"),
            "instanceInitiatedShutdownBehavior": self._attribute(
                aws, identity, "instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"
            ),
            "iamInstanceProfile": profile,
            "instanceState": found["State"]["Name"],
            "metadataOptions": {
                **METADATA_DEFAULTS,
                **self.plain({"MetadataOptions": found.get("MetadataOptions") or {}})["metadataOptions"],
            },
            "monitoring": (found.get("Monitoring") or {}).get("State") in {"enabled", "pending"},
            "primaryNetworkInterfaceId": interface.get("NetworkInterfaceId"),
            "rootBlockDevice": self._root(aws, found),
            "securityGroups": [] if own_vpc else [group["GroupName"] for group in groups],
            "vpcSecurityGroupIds": [group["GroupId"] for group in groups] if own_vpc else [],
            **self._user_data_state(aws, identity, prior),
            "tagsAll": TAGGING.plain(found.get("Tags")),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        if "vpcSecurityGroupIds" in changed:
            # To AWS the machine's groups are those of its first interface; moto keeps both, and wants to be told both.
            interface, groups = old["primaryNetworkInterfaceId"], new.get("vpcSecurityGroupIds", [])
            self.ask(aws, "ModifyInstanceAttribute", InstanceId=identity, Groups=groups)
            self.ask(aws, "ModifyNetworkInterfaceAttribute", NetworkInterfaceId=interface, Groups=groups)
        modify: list[State] = [
            {spelled(name): {"Value": new.get(name, False)}}
            for name in ("disableApiTermination", "disableApiStop", "sourceDestCheck")
            if name in changed
        ]
        stopped = changed & {"instanceType", "userData", "userDataBase64"}
        if stopped:
            self.ask(aws, "StopInstances", InstanceIds=[identity])
            aws.until(lambda: self._state(aws, identity) == "stopped", f"instance {identity} to stop", 600)
        if "instanceType" in changed:
            modify.append({"InstanceType": {"Value": new["instanceType"]}})
        if stopped - {"instanceType"}:
            modify.append({"UserData": {"Value": _user_data(new) or b""}})
        for attribute in modify:
            self.ask(aws, "ModifyInstanceAttribute", InstanceId=identity, **attribute)
        if stopped:
            self.ask(aws, "StartInstances", InstanceIds=[identity])
        if "iamInstanceProfile" in changed:
            self._change_profile(aws, identity, new.get("iamInstanceProfile", ""))

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        if state.get("disableApiTermination") and state.get("forceDestroy"):
            self.ask(aws, "ModifyInstanceAttribute", InstanceId=identity, DisableApiTermination={"Value": False})
        self.ask(aws, "TerminateInstances", InstanceIds=[identity])
        aws.until(
            lambda: self._state(aws, identity) in {"terminated", ""}, f"instance {identity} to be terminated", 600
        )

    def _find(self, aws: Aws, identity: str) -> State | None:
        answer = self.find(aws, "DescribeInstances", InstanceIds=[identity])
        reservations = answer["Reservations"] if answer else []
        return reservations[0]["Instances"][0] if reservations else None

    def _state(self, aws: Aws, identity: str) -> str:
        return str(((self._find(aws, identity) or {}).get("State") or {}).get("Name", ""))

    def _attribute(self, aws: Aws, identity: str, name: str, member: str) -> Any:
        return (
            self.ask(aws, "DescribeInstanceAttribute", InstanceId=identity, Attribute=name).get(member, {}).get("Value")
        )

    def _user_data_state(self, aws: Aws, identity: str, prior: State) -> State:
        encoded = self._attribute(aws, identity, "userData", "UserData")
        if not encoded:
            return {}
        if prior.get("userDataBase64"):
            return {"userDataBase64": encoded}
        return {"userData": base64.b64decode(encoded).decode(errors="replace")}

    def _root_name(self, aws: Aws, image: str) -> str:
        images = self.ask(aws, "DescribeImages", ImageIds=[image])["Images"]
        return str(images[0].get("RootDeviceName", "/dev/xvda")) if images else "/dev/xvda"

    def _root(self, aws: Aws, found: State) -> State | None:
        devices = {item["DeviceName"]: item["Ebs"] for item in found.get("BlockDeviceMappings", ())}
        device = devices.get(found.get("RootDeviceName", ""))
        if device is None:
            return None
        volume = self.ask(aws, "DescribeVolumes", VolumeIds=[device["VolumeId"]])["Volumes"][0]
        return {
            "deleteOnTermination": device.get("DeleteOnTermination", True),
            "deviceName": found["RootDeviceName"],
            "encrypted": volume.get("Encrypted", False),
            "iops": volume.get("Iops", 0),
            "kmsKeyId": volume.get("KmsKeyId", ""),
            "throughput": volume.get("Throughput", 0),
            "volumeId": device["VolumeId"],
            "volumeSize": volume["Size"],
            "volumeType": volume.get("VolumeType", ""),
            "tags": TAGGING.plain(volume.get("Tags")),
            "tagsAll": TAGGING.plain(volume.get("Tags")),
        }

    def _change_profile(self, aws: Aws, identity: str, name: str) -> None:
        filters = [{"Name": "instance-id", "Values": [identity]}]
        present = self.ask(aws, "DescribeIamInstanceProfileAssociations", Filters=filters)[
            "IamInstanceProfileAssociations"
        ]
        for association in present:
            self.ask(aws, "DisassociateIamInstanceProfile", AssociationId=association["AssociationId"])
        if name:
            self.ask(aws, "AssociateIamInstanceProfile", InstanceId=identity, IamInstanceProfile={"Name": name})


# Members of a block device that a launch takes.
EBS = {"DeleteOnTermination", "Encrypted", "Iops", "KmsKeyId", "Throughput", "VolumeSize", "VolumeType"}


def _user_data(inputs: State) -> bytes | None:
    """User data as it is; the client library encodes it for the wire."""
    if inputs.get("userDataBase64"):
        return base64.b64decode(inputs["userDataBase64"])
    given = inputs.get("userData")
    return given.encode() if given else None
