import type { Bit, Json, Time } from './columns';

/** Rows of the tables of engines, groups, placements and wiring. */

export interface ServiceEngineGroupRow {
  id: string;
  name: string;
  description: string;
  is_default: Bit;
  /** Fields of the group as JSON: see driver/domain/group.ts. */
  properties: Json;
  lease_owner: string | null;
  lease_epoch: number;
  lease_until: Time | null;
  created_at: Time;
  updated_at: Time | null;
  /** What stops the healing of the group: JSON of `BreakerState` of driver/domain/breaker.ts. Null: nothing. */
  breaker: Json | null;
}

export const ENGINE_STATUSES = ['BUILDING', 'READY', 'DRAINING', 'DELETING', 'DOWN', 'GHOST'] as const;
export type EngineStatus = (typeof ENGINE_STATUSES)[number];

export interface ServiceEngineRow {
  id: string;
  service_engine_group_id: string;
  name: string;
  status: EngineStatus;
  deleting: Bit;
  /** The compute service's id. */
  compute_id: string | null;
  management_address: string | null;
  host: string | null;
  availability_zone: string | null;
  /** SHA-256 of the enrolment token, hex; keyed where the configuration has a key. */
  token_hash: string | null;
  /** Null for engines from before tokens had an end. */
  token_expires_at: Time | null;
  /** When it was traded for a certificate. */
  token_used_at: Time | null;
  /** The health-manager that holds the engine's connection, and the number of that connection. */
  connected_to: string | null;
  connection_epoch: number;
  last_heartbeat: Time | null;
  slots: number;
  slots_used: number;
  generation: number;
  settled_generation: number;
  retry_at: Time | null;
  attempts: number;
  lease_owner: string | null;
  lease_epoch: number;
  lease_until: Time | null;
  created_at: Time;
  updated_at: Time | null;
  /** The project whose load balancers alone it serves; null: several, or none yet. Of no meaning while no slot is used. */
  project_id: string | null;
  /** It serves load balancers whose flavor gives them engines of their own. Of no meaning while no slot is used. */
  per_app: Bit | null;
  /** What its server is made of; null: as the configuration says. */
  compute_flavor: string | null;
  image_tag: string | null;
  /** When its server was last built, in the compute service's writing. */
  server_launched_at: string | null;
  /** The project its server and ports are in, which alone it serves; null: that of this service. */
  owner_project_id: string | null;
  /** What its server is made of unless `image_tag` says otherwise: the group's image when it was made. */
  group_image_tag: string | null;
  /** Of the rolling upgrade by which, or during which, it was made. */
  upgrade_mark: string | null;
  /** Others are preferred to it: it has too much to do, or is about to be replaced. */
  avoided: Bit | null;
  /** Since when no health-manager has heard of it; null: one does, or never has. */
  silent_since: Time | null;
  /** Since when it is known that its neighbours hear it nevertheless. */
  isolated_since: Time | null;
}

/** Whether one engine hears another on a network of data, as it last said. */
export interface EngineHearingRow {
  observer_id: string;
  service_engine_id: string;
  heard: Bit;
  since: Time;
}

/** What an engine last said of a VIP network it is in, and whether it is cut from it. */
export interface EngineReachRow {
  service_engine_id: string;
  /** The VIP network. */
  domain_id: string;
  /** Whether its gateway answers; null: it never did, or there is none. */
  gateway: Bit | null;
  /** JSON lists of the engines that are heard there, and of those that were and are not. */
  heard: Json;
  missed: Json;
  /** What follows from these: `ReachState` of driver/domain/reach.ts; and since when it does. */
  state: string;
  since: Time;
  /** Since when load balancers leave it, and none come; null: they do not. */
  cut_since: Time | null;
  /** Others were well there meanwhile. */
  proven: Bit | null;
}

/** A certificate of an engine that is good until it expires; without a row it is revoked. */
export interface EngineCertificateRow {
  /** As Node writes it: hex, capitals. */
  serial: string;
  service_engine_id: string;
  /** SHA-256 of the public key (SPKI), hex. */
  key_digest: string;
  expires_at: Time;
  created_at: Time;
}

/** An engine's vNIC in a network; the row exists before the port does, and the port's name carries its id. */
export interface SeVnicRow {
  id: string;
  service_engine_id: string;
  network_id: string;
  subnet_id: string | null;
  port_id: string | null;
  mac_address: string | null;
  ip_address: string | null;
  deleting: Bit;
  created_at: Time;
  /** The VIP network it serves: the engine's routing domain. Null where vNICs are not plugged in. */
  domain_id: string | null;
  /** It is where VIPs are. Null: yes, and nobody asked. */
  vip_side: Bit | null;
  /** JSON list of the subnets it has to have an address in. Null: `subnet_id`. */
  subnet_ids: Json | null;
  /** What the network service says of it: see `VnicFacts` in driver/target/engineSpec.ts. Null until it was asked. */
  facts: Json | null;
  /** The `bgp_service` that its port is in, from before it is until after it has left. */
  bgp_service: string | null;
  /** The port has the router that a session needs. */
  bgp_joined: Bit | null;
  /** Why it has none. */
  bgp_trouble: string | null;
  /** Who changes what is wired to its port, until when: whole lists are written there. */
  wiring_owner: string | null;
  wiring_until: Time | null;
}

/** The service of BGP that the engines of a group have in a VIP network. Its id is the cloud's. */
export interface BgpServiceRow {
  id: string;
  service_engine_group_id: string;
  network_id: string;
  /** Of the engines. */
  local_as: number | string;
  /** Of the control nodes. */
  remote_as: number | string;
  /** JSON list of `BgpPlace` of driver/domain/bgp.ts: where the far ends are. */
  places: Json;
  /** JSON of `BgpTimers`. */
  timers: Json;
  /** Sealed; null: none. */
  md5_secret: string | null;
  created_at: Time;
}

/** That a load balancer needs a vNIC, from before its engine is told until the engine has confirmed that it is without. */
export interface VnicUseRow {
  se_vnic_id: string;
  load_balancer_id: string;
}

/** What the user's security groups let in to a VIP, as addresses. */
export interface VipFirewallRow {
  load_balancer_id: string;
  /** JSON list of `FirewallRule` of driver/protocol. */
  rules: Json;
  updated_at: Time;
}

/** Where the engines of a load balancer share what they learn of its clients. */
export interface PeerPortRow {
  load_balancer_id: string;
  /** The VIP network; ports are not shared in it. */
  network_id: string;
  port: number;
  /** Hash of the engines' addresses that engines were last hinted of; null: of none. */
  told: string | null;
}

/** A user's port that a load balancer has taken for its VIPs. */
export interface TakenPortRow {
  port_id: string;
  load_balancer_id: string;
  /** JSON of what it was like: see `PortBefore` in driver/db/takenPorts.ts. */
  had: Json;
  taken_at: Time;
}

export const PLACEMENT_ROLES = ['primary', 'secondary', 'standby'] as const;
export type PlacementRole = (typeof PLACEMENT_ROLES)[number];

/** How loaded an engine is, averaged over about a minute. */
export interface EngineLoadRow {
  service_engine_id: string;
  cpu_percent: number;
  memory_percent: number;
  connections: number;
  /** Null: it does not say. */
  bytes_per_second: number | null;
  packets_per_second: number | null;
  connections_per_second: number | null;
  at: Time;
}

/** What looks at the load of a group have left: JSON of `ElasticityState` of driver/domain/elasticityView.ts. */
export interface GroupElasticityRow {
  service_engine_group_id: string;
  state: Json;
  looked_at: Time;
}

/** A rolling upgrade of a group's engines. */
export interface GroupUpgradeRow {
  id: string;
  service_engine_group_id: string;
  image_tag: string;
  /** Of the group before. */
  previous_image_tag: string | null;
  previous_mark: string | null;
  /** That of the state. */
  status: string;
  /** JSON of `UpgradeState` of driver/domain/upgradeView.ts. */
  state: Json;
  /** Raised with every write: who has read an older one writes nothing. */
  version: number | string;
  /** That were to be replaced when it began. */
  engines: number;
  created_at: Time;
  updated_at: Time | null;
}

/** That an engine is being rebooted. */
export interface EngineRebootRow {
  service_engine_id: string;
  step: 'draining' | 'soft' | 'hard';
  /** What it serves moves off it first; else it is handed over, and stays. */
  moves: Bit;
  /** It is to take load balancers again afterwards. */
  enables: Bit;
  /** Number of the engine's newest connection when it was about to be rebooted; null before. */
  connection_epoch: number | string | null;
  /** When the compute service was asked for this step. */
  asked_at: Time | null;
  /** When the step began. */
  since: Time;
  began_at: Time;
  request_id: string | null;
}

/** That a load balancer is on an engine. */
export interface PlacementRow {
  id: string;
  load_balancer_id: string;
  service_engine_id: string;
  role: PlacementRole;
  /** Taken off: gone once the engine has confirmed that it serves it no more, or is gone itself. */
  deleting: Bit;
  /** Its engine was silent; it holds nothing up and leaves the wiring as soon as another one serves. */
  stale: Bit;
  wanted_generation: number;
  /** Orders specs of one generation: raised by every lease of the load balancer. */
  wanted_epoch: number;
  /** What the engine has acknowledged; -1 before the first time. */
  confirmed_generation: number;
  /** What the engine does not serve of it: JSON list of {kind, id, reason}. */
  refusals: Json | null;
  /** True when nothing of the wanted generation could be put in force. */
  refused: Bit;
  /** A request by REST or RPC: `failover`, `configure`, `delete`, `scalein` or `migrate`; or `heal`: its engine is lost. */
  request: string | null;
  request_id: string | null;
  /** Of `migrate`: the engine that is to take over; null: any. */
  request_target: string | null;
  /** Others serve in its stead, and its engine keeps only the connections it has: since and until when. Null: it does not. */
  drain_since: Time | null;
  drain_until: Time | null;
  /** Of a pair: what the engine says of itself, the highest term it knows and whether it is the master. */
  claimed_term: number | string | null;
  claimed_master: Bit | null;
  created_at: Time;
  updated_at: Time | null;
}

/** A VIP's wiring on an engine: what the cloud was told, for look-ups and for taking it back. */
export interface VipWiringRow {
  id: string;
  load_balancer_id: string;
  service_engine_id: string;
  ip_address: string;
  port_id: string | null;
  /** aap | bgp | local | noop */
  mode: string;
  state: string;
  created_at: Time;
  updated_at: Time | null;
}

/**
 * What the key manager was told about the use of a certificate. The row is there before it is told and goes after it
 * has forgotten, so that nothing told is ever lost.
 */
export interface CertificateConsumerRow {
  id: string;
  load_balancer_id: string;
  /** listeners | pools */
  resource: string;
  resource_id: string;
  container_ref: string;
  /** Of the object, as the key manager has it. */
  url: string;
  /** The key manager has answered. */
  registered: Bit;
  /** It could not be told lately, and an event says so. */
  failing: Bit;
  created_at: Time;
}

/** A BGP session of an engine, as it last told of it. */
export interface BgpSessionRow {
  service_engine_id: string;
  domain_id: string;
  peer_address: string;
  established: Bit;
  /** Why it is not established. */
  reason: string | null;
  /** Prefixes. */
  announced: Json;
  /** When it came up or went down. */
  since: Time;
}
