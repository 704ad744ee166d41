"""The Pulumi program: one stack a service, named ``<environment>-<service>``; what it deploys is in `services`."""

from services.program import program

program()
