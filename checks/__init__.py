"""WHAT IS WRONG WITH A PLAN: rules over resources as they will be. Imports none of the other packages, nor Pulumi."""
