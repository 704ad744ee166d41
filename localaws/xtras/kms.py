"""KMS: a key that is always there, for Pulumi to encrypt the stacks' secrets with.

With a passphrase each engine derives a key anew, twice for a stack that reads from another: a quarter of a second of
CPU each time, and as much as all else that an engine does for a flip. A key of KMS is had for one call. It is the same
in every embedded AWS and not secret, as little as the empty passphrase in its stead would be.
"""

from collections.abc import Callable
from typing import Any

from moto.kms import models
from moto.kms.models import Key, KmsBackend

from localaws.instance import STATE_KEY
from localaws.xtras.patching import wrap

_MATERIAL = b"not a secret: embedded AWS only "  # 32 bytes


def install() -> None:
    """Mend moto's service."""
    wrap(KmsBackend, "__init__", _init)
    # A pair of keys to sign with, which a symmetric key has not: it took half a second to make and can't be saved.
    wrap(models, "generate_private_key", _private_key)


def _init(init: Callable[..., None], backend: KmsBackend, region_name: str, account_id: str) -> None:
    init(backend, region_name, account_id)
    make: Any = Key  # abstract by mistake of moto's, for mypy
    key = make(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "Secrets of the stacks", account_id, region_name)
    key.id, key.key_material = STATE_KEY, _MATERIAL
    key.arn = f"{key.arn.rpartition('/')[0]}/{STATE_KEY}"
    backend.keys[STATE_KEY] = key


def _private_key(generate: Callable[[str], Any], key_spec: str) -> Any:
    return None if key_spec == "SYMMETRIC_DEFAULT" else generate(key_spec)
