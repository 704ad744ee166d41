"""The embedded AWS: a server on loopback that any AWS client can drive, and the Pulumi plugins for it."""
