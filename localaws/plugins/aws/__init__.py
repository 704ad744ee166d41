"""A stand-in of the official `aws` plugin of Pulumi, for the embedded AWS.

It serves the resource types and functions that this project uses, to unmodified `pulumi_aws` programs. Run as
`python -m localaws.plugins.aws [ENGINE_ADDRESS]`; it prints the port it serves the provider protocol on.
"""
