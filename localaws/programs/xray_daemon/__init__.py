"""The X-Ray daemon: takes segments over UDP and hands them to X-Ray in batches.

It does on the wire what aws/aws-xray-daemon 3.6.6 does, with three differences. The original gives a batch up after its
second failure; this one keeps it until X-Ray answers. The original counts each segment as 64 KB of its buffer; this one
as its own size. And only loopback is ever listened on or called.
"""
