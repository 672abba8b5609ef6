# A web site behind one load balancer: plain HTTP on several ports, a pool of members that are watched, a second pool for
# what begins with /api, and a redirect.

terraform {
  required_providers {
    openstack = {
      source = "terraform-provider-openstack/openstack"
    }
  }
}

# Address, user, password and project come from an openrc: OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME, ...
provider "openstack" {
  # Only providers older than 2.0 know this; leave it out with newer ones.
  use_octavia = true
}

variable "name" {
  description = "What every object's name begins with."
  type        = string
  default     = "web"
}

variable "vip_subnet_id" {
  description = "The subnet that the VIP is taken from."
  type        = string
}

variable "ports" {
  description = "The ports that are listened on."
  type        = list(number)
  default     = [8081, 8082, 8083, 8084, 8085]
}

variable "members" {
  description = "The addresses of the members."
  type        = list(string)
}

variable "member_port" {
  type    = number
  default = 80
}

variable "connection_limit" {
  type    = number
  default = 2000
}

variable "monitored_path" {
  type    = string
  default = "/"
}

variable "security_group_ids" {
  description = "The security groups of the VIP; the load balancer's own when there are none."
  type        = list(string)
  default     = []
}

variable "floating_network" {
  description = "The external network that a floating IP is taken from; none when it is empty."
  type        = string
  default     = ""
}

resource "openstack_lb_loadbalancer_v2" "site" {
  name               = var.name
  description        = "made by Terraform"
  vip_subnet_id      = var.vip_subnet_id
  security_group_ids = length(var.security_group_ids) > 0 ? var.security_group_ids : null
}

resource "openstack_lb_pool_v2" "site" {
  name            = "${var.name}-site"
  protocol        = "HTTP"
  lb_method       = "ROUND_ROBIN"
  loadbalancer_id = openstack_lb_loadbalancer_v2.site.id

  persistence {
    type        = "APP_COOKIE"
    cookie_name = "JSESSIONID"
  }
}

resource "openstack_lb_pool_v2" "api" {
  name            = "${var.name}-api"
  protocol        = "HTTP"
  lb_method       = "LEAST_CONNECTIONS"
  loadbalancer_id = openstack_lb_loadbalancer_v2.site.id
}

resource "openstack_lb_member_v2" "site" {
  count         = length(var.members)
  name          = "${var.name}-${count.index}"
  pool_id       = openstack_lb_pool_v2.site.id
  address       = var.members[count.index]
  protocol_port = var.member_port
  weight        = 1 + count.index % 3
}

resource "openstack_lb_monitor_v2" "site" {
  name           = "${var.name}-site"
  pool_id        = openstack_lb_pool_v2.site.id
  type           = "HTTP"
  delay          = 5
  timeout        = 3
  max_retries    = 3
  http_method    = "GET"
  url_path       = var.monitored_path
  expected_codes = "200-204"
}

resource "openstack_lb_listener_v2" "site" {
  count            = length(var.ports)
  name             = "${var.name}-${var.ports[count.index]}"
  loadbalancer_id  = openstack_lb_loadbalancer_v2.site.id
  default_pool_id  = openstack_lb_pool_v2.site.id
  protocol         = "HTTP"
  protocol_port    = var.ports[count.index]
  connection_limit = var.connection_limit
}

resource "openstack_lb_l7policy_v2" "api" {
  name             = "${var.name}-api"
  listener_id      = openstack_lb_listener_v2.site[0].id
  action           = "REDIRECT_TO_POOL"
  redirect_pool_id = openstack_lb_pool_v2.api.id
  position         = 1
}

resource "openstack_lb_l7rule_v2" "api" {
  l7policy_id  = openstack_lb_l7policy_v2.api.id
  type         = "PATH"
  compare_type = "STARTS_WITH"
  value        = "/api"
}

resource "openstack_lb_l7policy_v2" "moved" {
  name         = "${var.name}-moved"
  listener_id  = openstack_lb_listener_v2.site[1].id
  action       = "REDIRECT_TO_URL"
  redirect_url = "https://www.example.com/moved"
  position     = 1
}

resource "openstack_lb_l7rule_v2" "moved" {
  l7policy_id  = openstack_lb_l7policy_v2.moved.id
  type         = "HEADER"
  key          = "X-Old-Site"
  compare_type = "EQUAL_TO"
  value        = "yes"
  invert       = true
}

resource "openstack_networking_floatingip_v2" "site" {
  count   = var.floating_network == "" ? 0 : 1
  pool    = var.floating_network
  port_id = openstack_lb_loadbalancer_v2.site.vip_port_id
}

output "loadbalancer_id" {
  value = openstack_lb_loadbalancer_v2.site.id
}

output "vip_address" {
  value = openstack_lb_loadbalancer_v2.site.vip_address
}
