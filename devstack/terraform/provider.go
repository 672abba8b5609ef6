//go:build provider

// Package terraform names what go.mod is for: the OpenStack provider of Terraform, whose own main package is built.
package terraform

import _ "github.com/terraform-providers/terraform-provider-openstack"
