"""A stand-in of the official `awsx` plugin of Pulumi (3.11.0), for the embedded AWS: the component `awsx:ec2:Vpc`.

It registers the same children as the official component: types, names, parents, tags and address layout. So a plan
reads the same with either, and a stack can change from one to the other without a change. Run as `python -m
localaws.plugins.awsx ENGINE_ADDRESS`; it prints the port it serves the provider protocol on.
"""
