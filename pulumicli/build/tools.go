//go:build tools

// Package tools pins the Pulumi CLI: this import alone makes `go mod tidy` keep everything that the CLI is built from.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
