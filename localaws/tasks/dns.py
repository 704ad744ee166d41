"""The resolver that tasks have: Cloud Map's private namespaces, as Route 53's resolver knows them in a VPC."""

import contextlib
import logging
import random
import socket
import threading
from collections.abc import Callable, Iterator

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from moto.servicediscovery.models import Service, servicediscovery_backends

_LONGEST = 512  # bytes of an answer over UDP
_MOST = 8  # addresses of one answer, any of them: Cloud Map's multivalue routing
_DEFAULT_TTL = 60  # seconds

_log = logging.getLogger(__name__)

# From the private address of a task to the one that it has here; None where it does not run here.
Find = Callable[[str], str | None]


class Resolver:
    """Answers over UDP on a loopback address, in a thread of its own, until `close`."""

    def __init__(self, address: str, find: Find) -> None:
        """`address`: to listen on, at any free port."""
        self._find = find
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._serving: threading.Thread | None = None
        self._closed = False

    @property
    def endpoint(self) -> str:
        """Return where it listens: ADDRESS:PORT. Begins to answer: the server's process is made before it is asked."""
        if self._serving is None:
            self._serving = threading.Thread(target=self._serve, name="resolver", daemon=True)
            self._serving.start()
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        """Answer no more."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        if self._serving:
            self._serving.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                question, client = self._socket.recvfrom(_LONGEST)
            except OSError:
                return
            if self._closed:
                return
            try:
                self._socket.sendto(self.answer(question), client)
            except (dns.exception.DNSException, OSError) as error:
                _log.warning("A question to the resolver stays without an answer: %s", error)

    def answer(self, question: bytes) -> bytes:
        """Return the answer to a question, both as DNS writes them.

        Raises:
            dns.exception.DNSException: it is no question.

        """
        asked = dns.message.from_wire(question)
        if not asked.question:
            raise dns.exception.FormError
        told = dns.message.make_response(asked, recursion_available=True)
        told.flags |= dns.flags.AA
        query = asked.question[0]
        name = query.name.to_text(omit_final_dot=True).lower()
        service = _service(name)
        if service is None:
            told.set_rcode(dns.rcode.NXDOMAIN)
        elif query.rdtype == dns.rdatatype.A and (addresses := list(self._addresses(service))):
            addresses = random.sample(addresses, min(len(addresses), _MOST))
            told.answer.append(dns.rrset.from_text(query.name, _ttl(service), "IN", "A", *addresses))
        return bytes(told.to_wire(max_size=_LONGEST))

    def _addresses(self, service: Service) -> Iterator[str]:
        for instance in list(service.instances):
            if instance.health_status == "UNHEALTHY":
                continue
            if address := self._find(instance.attributes.get("AWS_INSTANCE_IPV4", "")):
                yield address


def _service(name: str) -> Service | None:
    """Return the service of that name in a private namespace."""
    for regions in list(servicediscovery_backends.values()):
        for cloud_map in list(regions.values()):
            for service in list(cloud_map.services.values()):
                namespace = cloud_map.namespaces.get(service.namespace_id)
                if namespace and namespace.type == "DNS_PRIVATE" and f"{service.name}.{namespace.name}".lower() == name:
                    return service
    return None


def _ttl(service: Service) -> int:
    records = (service.dns_config or {}).get("DnsRecords") or [{}]
    return int(records[0].get("TTL", _DEFAULT_TTL))
