import { z } from 'zod';

/**
 * What an engine is told to serve. One `LoadBalancerSpec` is the whole of one load balancer: everything that is enabled,
 * nothing that is being deleted. The agent renders it and compares by `digest`. Times in milliseconds unless said.
 */

const uuid = z.string().min(1).max(64);
const port = z.number().int().min(1).max(65535);

export const MemberSpec = z.object({
  id: uuid,
  address: z.string(),
  port,
  /** 0..256; 0 drains: existing sessions finish, no new ones come. */
  weight: z.number().int().min(0).max(256),
  backup: z.boolean(),
  /** False: in maintenance, no traffic and no checks. */
  enabled: z.boolean(),
  monitorAddress: z.string().nullable(),
  monitorPort: port.nullable(),
});
export type MemberSpec = z.infer<typeof MemberSpec>;

export const MonitorSpec = z.object({
  id: uuid,
  type: z.enum(['HTTP', 'HTTPS', 'PING', 'TCP', 'TLS-HELLO', 'UDP-CONNECT', 'SCTP']),
  /** Seconds between two checks. */
  delay: z.number().int().min(0),
  /** Seconds a check may take. */
  timeout: z.number().int().min(0),
  /** Passed checks in a row that make a member UP. */
  riseThreshold: z.number().int().min(1),
  /** Failed checks in a row that make a member DOWN. */
  fallThreshold: z.number().int().min(1),
  httpMethod: z.string().nullable(),
  urlPath: z.string().nullable(),
  /** `ddd`, `ddd,ddd` or `ddd-ddd`. */
  expectedCodes: z.string().nullable(),
  httpVersion: z.number().nullable(),
  domainName: z.string().nullable(),
});
export type MonitorSpec = z.infer<typeof MonitorSpec>;

export const PersistenceSpec = z.object({
  type: z.enum(['SOURCE_IP', 'HTTP_COOKIE', 'APP_COOKIE']),
  cookieName: z.string().nullable(),
  /** Seconds. */
  timeout: z.number().int().nullable(),
  granularity: z.string().nullable(),
});
export type PersistenceSpec = z.infer<typeof PersistenceSpec>;

/**
 * A certificate with its key and chain, a CA bundle or a revocation list. The text itself travels beside the spec
 * (`PutSpec.materials`) and is kept in memory or on a tmpfs only.
 */
export const MaterialSpec = z.object({
  /** A name for the place it fills, the same for as long as the user's reference is: letters, digits, `-`. */
  name: z.string().regex(/^[A-Za-z0-9-]{1,80}$/),
  /** SHA-256 of the text, hex; null when it could not be had now, and what the engine has under the name serves on. */
  digest: z.string().nullable(),
  /** Why it could not be had. */
  problem: z.string().nullable(),
});
export type MaterialSpec = z.infer<typeof MaterialSpec>;

const TlsVersion = z.enum(['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']);
const AlpnProtocol = z.enum(['h2', 'http/1.1', 'http/1.0']);

/** How a TERMINATED_HTTPS listener speaks TLS. */
export const ListenerTlsSpec = z.object({
  /** Shown when no other fits the client's SNI; null: the first of `sni`. PEM: certificate, chain, key. */
  certificate: MaterialSpec.nullable(),
  sni: z.array(MaterialSpec),
  /** Empty: the daemon's default. */
  versions: z.array(TlsVersion),
  /** OpenSSL's cipher list; null: the daemon's default. */
  ciphers: z.string().nullable(),
  alpn: z.array(AlpnProtocol),
  hsts: z.object({ maxAge: z.number().int().min(0), includeSubdomains: z.boolean(), preload: z.boolean() }).nullable(),
  clientAuthentication: z.enum(['NONE', 'OPTIONAL', 'MANDATORY']),
  clientCa: MaterialSpec.nullable(),
  clientCrl: MaterialSpec.nullable(),
});
export type ListenerTlsSpec = z.infer<typeof ListenerTlsSpec>;

/** How members are spoken to over TLS. */
export const PoolTlsSpec = z.object({
  /** Shown to members that ask for one. PEM: certificate, chain, key. */
  certificate: MaterialSpec.nullable(),
  /** Null: members are not verified. */
  ca: MaterialSpec.nullable(),
  crl: MaterialSpec.nullable(),
  versions: z.array(TlsVersion),
  ciphers: z.string().nullable(),
  alpn: z.array(AlpnProtocol),
});
export type PoolTlsSpec = z.infer<typeof PoolTlsSpec>;

export const L7RuleSpec = z.object({
  id: uuid,
  type: z.enum([
    'HOST_NAME',
    'PATH',
    'FILE_TYPE',
    'HEADER',
    'COOKIE',
    'SSL_CONN_HAS_CERT',
    'SSL_VERIFY_RESULT',
    'SSL_DN_FIELD',
  ]),
  compareType: z.enum(['REGEX', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'EQUAL_TO']),
  key: z.string().nullable(),
  value: z.string(),
  invert: z.boolean(),
});
export type L7RuleSpec = z.infer<typeof L7RuleSpec>;

export const L7PolicySpec = z.object({
  id: uuid,
  action: z.enum(['REJECT', 'REDIRECT_TO_POOL', 'REDIRECT_TO_URL', 'REDIRECT_PREFIX']),
  /** Null with REDIRECT_TO_POOL: the pool is not served (disabled, being deleted), and the policy matches nothing. */
  redirectPoolId: uuid.nullable(),
  redirectUrl: z.string().nullable(),
  redirectPrefix: z.string().nullable(),
  redirectHttpCode: z.number().int().nullable(),
  /** All of them must match; never empty: a policy without enabled rules is not in a spec. */
  rules: z.array(L7RuleSpec).min(1),
});
export type L7PolicySpec = z.infer<typeof L7PolicySpec>;

/** Where a line for each connection or request goes; an administrator's setting. */
export const LogTargetSpec = z.object({
  /** `host:port` of a syslog server over UDP, or the absolute path of a file on the engine. */
  target: z.string(),
});
export type LogTargetSpec = z.infer<typeof LogTargetSpec>;

export const PoolSpec = z.object({
  id: uuid,
  protocol: z.enum(['TCP', 'HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'UDP', 'SCTP']),
  algorithm: z.enum(['LEAST_CONNECTIONS', 'ROUND_ROBIN', 'SOURCE_IP', 'SOURCE_IP_PORT']),
  persistence: PersistenceSpec.nullable(),
  /** False: serves nobody, as if it had no members. */
  enabled: z.boolean(),
  /** In the same order on every engine of the load balancer (by id): hashes depend on it. */
  members: z.array(MemberSpec),
  /** Null when there is none or it is disabled. */
  monitor: MonitorSpec.nullable(),
  /** Null: members are spoken to in the clear. */
  tls: PoolTlsSpec.nullable().default(null),
  /** A member that joins others gets no traffic until a check has passed; without a monitor this means nothing. */
  membersStartDown: z.boolean().default(true),
});
export type PoolSpec = z.infer<typeof PoolSpec>;

export const ListenerSpec = z.object({
  id: uuid,
  protocol: z.enum(['TCP', 'HTTP', 'HTTPS', 'TERMINATED_HTTPS', 'UDP', 'SCTP', 'PROMETHEUS']),
  port,
  /** -1: no limit. */
  connectionLimit: z.number().int().min(-1),
  timeoutClientData: z.number().int(),
  timeoutMemberConnect: z.number().int(),
  timeoutMemberData: z.number().int(),
  timeoutTcpInspect: z.number().int(),
  /** Header name to "true" (set it) or anything else (do not). */
  insertHeaders: z.record(z.string(), z.string()),
  /** Empty: everyone may connect. */
  allowedCidrs: z.array(z.string()),
  defaultPoolId: uuid.nullable(),
  /** By position; enabled ones with at least one enabled rule. */
  l7Policies: z.array(L7PolicySpec).default([]),
  /** Not null exactly for TERMINATED_HTTPS. */
  tls: ListenerTlsSpec.nullable().default(null),
  /** Null: nothing is logged of connections. */
  log: LogTargetSpec.nullable().default(null),
});
export type ListenerSpec = z.infer<typeof ListenerSpec>;

/**
 * What a security group of the user lets in to a VIP. Groups of others that a rule names have become addresses by then.
 */
export const FirewallRule = z.object({
  /** Null: every protocol. `icmp` and `ipv6-icmp` have no ports. */
  protocol: z.enum(['tcp', 'udp', 'icmp', 'ipv6-icmp']).nullable(),
  /** Null, both: every port. */
  portMin: z.number().int().min(0).max(65535).nullable(),
  portMax: z.number().int().min(0).max(65535).nullable(),
  /** CIDRs of one address family; empty: nobody. */
  sources: z.array(z.string()),
});
export type FirewallRule = z.infer<typeof FirewallRule>;

/** When all members are down (no pool that a listener uses has a usable member), damped by the agent. */
export const WhenDown = z.enum(['serve', 'close']);
export type WhenDown = z.infer<typeof WhenDown>;

/** How a load balancer's VIPs are announced by its domain's BGP speaker. */
export const AnnouncementSpec = z.object({
  /** `usable`: while a member can take traffic; `always`: as long as it is served here at all. */
  when: z.enum(['usable', 'always']),
  /** Milliseconds a change of that has to last before the route follows: of becoming usable, and of ceasing to be. */
  upDelay: z.number().int().min(0),
  downDelay: z.number().int().min(0),
  /** It is on its way off this engine to the other one of a pair: announced with GRACEFUL_SHUTDOWN (RFC 8326), then not at all. */
  draining: z.boolean(),
});
export type AnnouncementSpec = z.infer<typeof AnnouncementSpec>;

/** How this engine and the load balancer's other engines share what they learn of its clients (haproxy's peers, over TCP). */
export const PeersSpec = z.object({
  /** Of this engine: the others know it by this name, at this address of its own. */
  name: uuid,
  address: z.string(),
  /** The same on all of them. Nobody else may come to it. */
  port,
  others: z.array(z.object({ name: uuid, address: z.string() })),
});
export type PeersSpec = z.infer<typeof PeersSpec>;

export const LoadBalancerSpec = z.object({
  id: uuid,
  /** The change this spec is the result of; with `epoch` it orders specs of one load balancer. */
  generation: z.number().int().min(0),
  epoch: z.number().int().min(0),
  /** Of everything below; equal digests need no work. */
  digest: z.string(),
  /** The routing domain it is served in (`EngineSpec.domains`); null: where the agent runs, with VIPs that are there already. */
  domainId: uuid.nullable().default(null),
  /** Main VIP first, additional ones after it. */
  vips: z.array(z.string()),
  /**
   * False: the VIPs are on the engine, but it does not answer when neighbours ask who has them, for another engine does
   * (a standby; one active engine). Absent: it answers, and says so when that begins. Of no meaning without a domain.
   */
  answersForVips: z.boolean().exactOptional(),
  /**
   * Of a pair: who is to answer for the VIPs. Whoever knows of a higher term keeps to that. Absent: whoever serves. Since
   * version 3.
   */
  mastership: z.object({ term: z.number().int().min(1), master: z.boolean() }).exactOptional(),
  /** What the user's security groups let in to the VIPs, besides what listeners ask for; null: the user chose no groups, all listeners' ports are open (to `allowedCidrs`). */
  firewall: z.array(FirewallRule).nullable().default(null),
  /** Absent: the VIPs are not announced by BGP. Since version 3. */
  announcement: AnnouncementSpec.exactOptional(),
  /** `close`: the listeners' ports answer with a reset while all members are down. Absent: `serve`. Since version 3. */
  whenDown: WhenDown.exactOptional(),
  /** With `close`: milliseconds all members have to have been down. Absent: 3000. Since version 3. */
  closeDelay: z.number().int().min(0).exactOptional(),
  /**
   * It is on its way off this engine, and traffic is led here until the engine has forgotten it: which then first lets nobody
   * new in, without a word, and ends what is under way. Absent: nobody comes here any more when it is to be forgotten.
   */
  leaving: z.literal(true).exactOptional(),
  /** Absent: nothing is learnt of clients, or there is no network to share it in. Since version 3. */
  peers: PeersSpec.exactOptional(),
  listeners: z.array(ListenerSpec),
  pools: z.array(PoolSpec),
});
export type LoadBalancerSpec = z.infer<typeof LoadBalancerSpec>;
