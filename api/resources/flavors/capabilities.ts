/** What a flavor profile of this provider may say, in the order users are shown. */
export const FLAVOR_CAPABILITIES: Readonly<Record<string, string>> = {
  loadbalancer_topology: 'The load balancer topology. One of: SINGLE - one engine; ACTIVE_STANDBY - a pair of engines.',
  service_engine_group: 'Name or id of the service engine group that load balancers are placed in.',
  ha_mode: 'How engines back each other up: n_plus_m, active_active or active_standby.',
  vip_mode: 'How the VIP is wired: aap (allowed address pairs) or bgp.',
  scaleout: 'Number of engines that serve the VIP at a time.',
  per_app: 'Whether each load balancer has engines of its own.',
  withdraw_vip_on_down: 'Whether the VIP is withdrawn while no member is up.',
  members_start_down: 'Whether members that join a pool wait for their first check: true or false.',
  log_target: 'Where engines log connections: address:port of a syslog server or an absolute path; empty for nowhere.',
  compute_flavor: 'The compute flavor of engines.',
  image_tag: 'The tag of the image that engines are made from.',
  amp_image_tag: 'Another name of image_tag.',
  floating_network: 'The network that a floating IP is allocated in.',
  floating_subnet: 'The subnet that a floating IP is allocated in.',
  sriov_vip: 'Whether the VIP port is an SR-IOV port.',
  allow_member_sriov: 'Whether member ports may be SR-IOV ports.',
};
