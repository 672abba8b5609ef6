import { type Capability, isCount, isFlag, isLogTarget, isName, oneOf } from '../profileValues';

/** What a flavor profile of this provider may say, in the order users are shown. */
export const FLAVOR_CAPABILITIES: Readonly<Record<string, Capability>> = {
  loadbalancer_topology: {
    description: 'The load balancer topology. One of: SINGLE - one engine; ACTIVE_STANDBY - a pair of engines.',
    takes: oneOf('SINGLE', 'ACTIVE_STANDBY'),
  },
  service_engine_group: {
    description: 'Name or id of the service engine group that load balancers are placed in.',
    takes: isName,
  },
  ha_mode: {
    description: 'How engines back each other up: n_plus_m, active_active or active_standby.',
    takes: oneOf('n_plus_m', 'active_active', 'active_standby'),
  },
  vip_mode: {
    description: 'How the VIP is wired: aap (allowed address pairs) or bgp.',
    takes: oneOf('aap', 'bgp'),
  },
  scaleout: {
    description: 'Number of engines that serve the VIP at a time.',
    takes: isCount,
  },
  per_app: {
    description: 'Whether each load balancer has engines of its own.',
    takes: isFlag,
  },
  withdraw_vip_on_down: {
    description:
      'What becomes of the VIP while no member is up: true takes it off the network, false leaves it, close resets connections.',
    takes: (value) => isFlag(value) || value === 'close',
  },
  members_start_down: {
    description: 'Whether members that join a pool wait for their first check: true or false.',
    takes: isFlag,
  },
  log_target: {
    description:
      'Where engines log connections: address:port of a syslog server or an absolute path; empty for nowhere.',
    takes: isLogTarget,
  },
  compute_flavor: {
    description: 'The compute flavor of engines.',
    takes: isName,
  },
  image_tag: {
    description: 'The tag of the image that engines are made from.',
    takes: isName,
  },
  amp_image_tag: {
    description: 'Another name of image_tag.',
    takes: isName,
  },
  floating_network: {
    description: 'The network that a floating IP is allocated in.',
    takes: isName,
  },
  floating_subnet: {
    description: 'The subnet that a floating IP is allocated in.',
    takes: isName,
  },
  sriov_vip: {
    description: 'Whether the VIP port is an SR-IOV port.',
    takes: isFlag,
  },
  allow_member_sriov: {
    description: 'Whether member ports may be SR-IOV ports.',
    takes: isFlag,
  },
};
