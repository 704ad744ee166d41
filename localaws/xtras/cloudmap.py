"""Cloud Map: a namespace comes and goes with its hosted zone, and nothing goes that still holds something."""

from types import ModuleType
from typing import Any

import moto.servicediscovery.urls
from moto.core.exceptions import ServiceException
from moto.route53.models import route53_backends
from moto.servicediscovery.models import Namespace, Service, ServiceDiscoveryBackend, servicediscovery_backends

_SOA_TTL = 15  # seconds; what Cloud Map gives a zone unless told otherwise

Tags = list[dict[str, str]]


class CloudMapError(ServiceException):
    """An error that Cloud Map answers with: code and message."""


class CloudMapBackend(ServiceDiscoveryBackend):
    """Cloud Map of one account and region."""

    @property
    def _url_module(self) -> ModuleType:
        return moto.servicediscovery.urls

    def create_private_dns_namespace(  # noqa: PLR0913, PLR0917 - moto's signature
        self,
        name: str,
        creator_request_id: str,
        description: str,
        vpc: str,
        tags: Tags,
        properties: dict[str, Any],
    ) -> str:
        """Make a namespace with a private zone of its name in a VPC, which may have others."""
        if any((namespace.name, namespace.vpc) == (name, vpc) for namespace in self.namespaces.values()):
            raise CloudMapError("NamespaceAlreadyExists", f"Namespace {name} already exists in {vpc}.")
        zone = self._zones.create_hosted_zone(
            f"{name}.",
            private_zone=True,
            vpcid=vpc,
            vpcregion=self.region_name,
            comment="Created by AWS Cloud Map",
        )
        asked = (properties or {}).get("DnsProperties") or {}
        namespace = Namespace(
            account_id=self.account_id,
            region=self.region_name,
            name=name,
            ns_type="DNS_PRIVATE",
            creator_request_id=creator_request_id,
            description=description,
            dns_properties={
                "SOA": {"TTL": _SOA_TTL},
                **asked,
                "HostedZoneId": zone.id.removeprefix("/hostedzone/"),
            },
            http_properties={"HttpName": name},
            vpc=vpc,
        )
        self.namespaces[namespace.id] = namespace
        self.tagger.tag_resource(namespace.arn, tags or [])
        return self._create_operation("CREATE_NAMESPACE", targets={"NAMESPACE": namespace.id})

    def update_private_dns_namespace(self, _id: str, description: str, properties: dict[str, Any]) -> str:
        """Change what is said of a namespace, and leave the rest, such as its zone."""
        namespace = self.get_namespace(_id)
        return super().update_private_dns_namespace(
            _id, description, {**namespace.dns_properties, **(properties or {})}
        )

    def delete_namespace(self, namespace_id: str) -> str:
        """Delete a namespace and its zone."""
        namespace = self.get_namespace(namespace_id)
        if any(service.namespace_id == namespace_id for service in self.services.values()):
            raise CloudMapError("ResourceInUse", f"Namespace {namespace_id} has associated services")
        operation = super().delete_namespace(namespace_id)
        if zone := namespace.dns_properties.get("HostedZoneId"):
            self._zones.delete_hosted_zone(zone.removeprefix("/hostedzone/"))
        self.tagger.delete_all_tags_for_resource(namespace.arn)
        return operation

    def create_service(  # noqa: PLR0913, PLR0917 - moto's signature
        self,
        name: str,
        namespace_id: str,
        creator_request_id: str,
        description: str,
        dns_config: dict[str, Any],
        health_check_config: dict[str, Any],
        health_check_custom_config: dict[str, Any],
        tags: Tags,
        service_type: str,
    ) -> Service:
        """Make a service in a namespace, which may be named in either of two places."""
        namespace = self.get_namespace(namespace_id or (dns_config or {}).get("NamespaceId", ""))
        if any((service.name, service.namespace_id) == (name, namespace.id) for service in self.services.values()):
            raise CloudMapError("ServiceAlreadyExists", f"Service {name} already exists in {namespace.id}.")
        return super().create_service(
            name,
            namespace.id,
            creator_request_id,
            description,
            dns_config,
            health_check_config,
            health_check_custom_config,
            tags,
            service_type or ("DNS_HTTP" if dns_config else "HTTP"),
        )

    def delete_service(self, service_id: str) -> None:
        """Delete a service that no instance is registered with."""
        service = self.get_service(service_id)
        if service.instances:
            raise CloudMapError(
                "ResourceInUse",
                "Service contains registered instances; delete the instances before deleting the service",
            )
        super().delete_service(service_id)
        self.tagger.delete_all_tags_for_resource(service.arn)

    def register_instance(
        self, service_id: str, instance_id: str, creator_request_id: str, attributes: dict[str, str]
    ) -> str:
        """Register an instance, in place of one of the same id."""
        service = self.get_service(service_id)
        service.instances = [instance for instance in service.instances if instance.instance_id != instance_id]
        return super().register_instance(service_id, instance_id, creator_request_id, attributes)

    def list_tags_for_resource(self, resource_arn: str) -> dict[str, Tags]:
        """Return the tags of what there is."""
        namespaces, services = self.namespaces.values(), self.services.values()
        if resource_arn not in {*(namespace.arn for namespace in namespaces), *(service.arn for service in services)}:
            raise CloudMapError("ResourceNotFoundException", f"Resource not found: {resource_arn}")
        return super().list_tags_for_resource(resource_arn)

    @property
    def _zones(self) -> Any:
        return route53_backends[self.account_id][self.partition]


def install() -> None:
    """Put this Cloud Map in the place of moto's."""
    servicediscovery_backends.backend = CloudMapBackend
