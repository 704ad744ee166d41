"""WHAT IS WRONG, where the plain Pulumi CLI deploys: the rules of `checks` as a policy pack."""
