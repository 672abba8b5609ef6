import { bool, choice, integer, list, optionalText, port, seconds, text } from '../options';
import { section } from '../section';

const ANY = Number.MAX_SAFE_INTEGER;

export const controller_worker = section(
  'How changes are carried out.',
  {
    network_driver: choice(
      'local',
      ['local', 'noop', 'neutron', 'contrail'],
      'Where VIPs are wired: `local` the embedded Neutron, `noop` nowhere (any id is accepted), `neutron` VIP ports, engines’ ports and address pairs in Neutron, `contrail` ports in Neutron and everything else in Contrail (`[contrail]`, docs/contrail.md).',
      { network_noop_driver: 'noop', allowed_address_pairs_driver: 'neutron' },
    ),
    compute_driver: choice(
      'local',
      ['local', 'noop', 'nova'],
      'Where engines run: `local` as processes of this host, `noop` nowhere (changes settle at once), `nova` as servers (docs/engines.md).',
      { compute_noop_driver: 'noop', compute_nova_driver: 'nova' },
    ),
    amp_flavor_id: optionalText('Flavor of the servers of engines. Needed for `nova`.'),
    amp_image_tag: optionalText('Tag of their image: the newest active one is taken. Needed for `nova`.'),
    amp_image_owner_id: optionalText(
      'Project the image must belong to. Without it anybody who may share images could have engines boot theirs.',
    ),
    amp_ssh_key_name: optionalText('Key pair of their servers.'),
    amp_boot_network_list: list(
      [],
      'Networks (by id) that their servers are plugged into, the management network first: with `network_driver = neutron` the port there is made before the server. Needed for `nova`.',
    ),
    amp_secgroup_list: list([], 'Security groups (by id) of the ports in these networks.'),
    loadbalancer_topology: choice(
      'SINGLE',
      ['SINGLE', 'ACTIVE_STANDBY'],
      'The topology of load balancers whose flavor names none.',
    ),
    pending_deadline: seconds(120, 'After how long a PENDING status ends in ERROR. The work goes on.', 1),
    concurrency: integer(16, [1, 1000], 'Load balancers and engines one worker reconciles at a time.'),
    lease_time: seconds(60, 'How long a worker owns what it reconciles, unless it renews.', 1),
    event_notifications: bool(
      true,
      'Tell of load balancers that are created, updated and deleted, if `[oslo_messaging_notifications]` says how.',
    ),
    metrics_port: port(9877, 'Port of `/healthcheck` and `/metrics` of the worker.'),
  },
  'any',
);

export const health_manager = section(
  'The port that engines call.',
  {
    bind_ip: text('127.0.0.1', 'Address to listen on. Without `[certificates] ca_certificate` a loopback one.'),
    bind_port: port(5555, 'Port to listen on.'),
    controller_ip_port_list: list(
      [],
      '`address:port` of every health-manager, as engines are told. Empty: bind_ip and bind_port.',
    ),
    heartbeat_interval: seconds(1, 'How often engines report.', 0.01),
    counters_interval: seconds(10, 'How often engines send counters.', 0.01),
    heartbeat_timeout: seconds(3, 'An engine that is silent for so long is down.', 0.02),
    start_grace: seconds(10, 'How long a new health-manager waits for engines to call again before it judges them.'),
    flush_interval: seconds(2, 'How often what was heard is written to the database.', 0.01),
    load_window: seconds(60, 'Over which the load that engines tell is averaged.', 0.1),
    compare_interval: seconds(3, 'How often placements are compared with what engines have confirmed.', 0.01),
    max_handshakes: integer(64, [1, 100_000], 'Engines that may be about to connect at a time.'),
    max_handshakes_per_address: integer(16, [1, 100_000], 'The same for one address.'),
    handshake_timeout: seconds(5, 'How long an engine may take to say who it is.', 0.1),
    check_engine_address: bool(
      true,
      'Refuse engines that do not come from the management address of their server: a token or a disk that was copied is of no use elsewhere. False where addresses are translated on the way.',
    ),
    build_concurrency: integer(8, [1, 1000], 'Specs that are built at a time.'),
    metrics_port: port(9879, 'Port of `/healthcheck` and `/metrics` of the health-manager.'),
  },
  [
    ...['heartbeat_key', 'failover_threads', 'status_update_threads', 'health_update_threads', 'stats_update_threads'],
    ...['health_check_interval', 'sock_rlimit', 'failover_threshold', 'health_update_driver', 'stats_update_driver'],
  ],
);

export const house_keeping = section(
  'Periodic work.',
  {
    sweep_interval: seconds(5, 'How often lost hints and passed deadlines are looked for.', 0.01),
    relay_interval: seconds(1, 'How often the outbox is emptied of what the API could not send.', 0.01),
    audit_interval: seconds(60, 'How often what was wired is compared with the clouds.', 1),
    cleanup_interval: seconds(30, 'How often what has expired is purged.', 1),
    load_balancer_expiry_age: integer(
      604_800,
      [0, ANY],
      'Seconds after which a deleted load balancer leaves the database.',
    ),
    event_retention: integer(30, [1, 36_500], 'Days that events are kept.'),
    leftover_port_age: seconds(600, 'Age at which a VIP port of ours without load balancer is deleted.', 1),
    quota_recount_interval: seconds(3600, 'How often the usage of quotas is counted anew.', 1),
    event_notifications: bool(false, 'Tell of our own events in the same way: `slipstream.engine_down` and so on.'),
    metrics_port: port(9878, 'Port of `/healthcheck` and `/metrics` of housekeeping.'),
  },
  [
    'spare_check_interval',
    'amphora_expiry_age',
    'cert_interval',
    'cert_expiry_buffer',
    'cert_rotate_threads',
    'spare_amphora_pool_size',
  ],
);

export const service_engine = section('Service engines, and the group that is made when there is none.', {
  name_prefix: text('slipstream', 'What the names of engines begin with.'),
  slots: integer(10, [1, 100_000], 'Load balancers one engine may serve (`max_vs_per_se`).'),
  max_engines: integer(10, [1, 1000], 'Engines of the group at most (`max_se`).'),
  tenancy: choice(
    'shared',
    ['shared', 'exclusive', 'tenant'],
    'Whose an engine of the group is: it serves load balancers of any project, of one project at a time (`exclusive`), or of the one project that it then also lives in (`tenant`).',
  ),
  tenancy_mode: choice(
    'service',
    ['tenant', 'service', 'single'],
    'Where engines live. `tenant` (or 1): in the projects of their users, whatever their group says. `service` (2): in the project of this service, except those of groups whose tenancy is `tenant`. `single` (3): like everything else in one project, whose load balancers alone are served, by a user who is no admin.',
    { 1: 'tenant', 2: 'service', 3: 'single' },
  ),
  se_create_timeout: seconds(300, 'How long an engine may take from its creation to its first call.', 1),
  upgrade_soak: seconds(
    30,
    'How long the first engine of a new image is watched, with one load balancer on it, before others are replaced.',
  ),
  heal_after: seconds(
    0,
    'How long an engine that nobody hears is silent, beyond `[health_manager] heartbeat_timeout`, before its load balancers move to others.',
  ),
  retire_after: seconds(
    300,
    'How long a silent engine that serves nothing is kept whose server is said to run. One whose server is gone or stopped goes at once.',
  ),
  cut_after: seconds(
    6,
    'How long an engine that the controllers hear has lost a VIP network, by its gateway and its neighbours there, before its load balancers in it move to others.',
  ),
  cut_over_after: seconds(30, 'How long such an engine is well there again before it takes load balancers in it.'),
  mass_failure_breaker: bool(
    true,
    'Whether engines and VIPs stay as they are when much of a service engine group falls silent at once.',
  ),
  mass_failure_share: integer(
    50,
    [1, 99],
    'Of a group, in percent: when more than these are lost, and three at least ...',
  ),
  mass_failure_window: seconds(60, '... within this time, nothing of the group is healed ...', 1),
  mass_failure_quiet: seconds(
    300,
    '... until no more were lost for so long: then one engine after the other is, or all when an operator says so (`slipstream group resume`).',
    1,
  ),
  owner_tag: text(
    'slipstream',
    'Tag and metadata of every server of this installation. What bears it and has no engine is deleted: installations that share a project need different ones. At most 23 letters, digits, `-`, `_` and `.`.',
  ),
  bootstrap: choice(
    'config_drive',
    ['config_drive', 'metadata'],
    'How a server learns of its controllers: by a config drive, or by the metadata service alone, which a management network without router or DHCP agent may not have.',
  ),
  static_routes: list(
    [],
    'Routes of engines beside those of the network service, each `<CIDR> <next hop> <id of the subnet the next hop is in>`: `10.9.0.0/16 10.1.0.1 4f0d...`. They have metric 30000, so any other way to the same place is preferred.',
  ),
  prefer_static_routes: bool(
    false,
    'Reach members that a static route leads to by it, without a vNIC in their own network. Members without a subnet are reached so in any case.',
  ),
  enable_vip_static_routes: bool(
    false,
    'Answer for VIPs that a static route leads to in the network of its next hop, instead of their own.',
  ),
  haproxy_path: text('haproxy', 'The haproxy that an engine on this host runs: a path, or a name to be found by PATH.'),
  members_start_down: bool(
    true,
    'A member that joins a pool with a health monitor gets no traffic until its first check has passed. Flavors may say otherwise.',
  ),
  log_target: optionalText(
    'Where engines write a JSON line for each connection or HTTP request: `address:port` of a syslog server (UDP), or an absolute path on the engine. Flavors may name another.',
  ),
  vip_withdraw_delay: seconds(
    3,
    'How long no member of a load balancer may have been usable before its VIP goes, where the flavor key `withdraw_vip_on_down` or BGP has it go.',
  ),
  vip_restore_delay: seconds(
    2,
    'How long a member has to have been usable again before the VIP comes back: one that comes and goes faster does not make it flap.',
  ),
  sctp: bool(false, 'Take SCTP listeners, pools and monitors. No engine serves them yet.'),
});
