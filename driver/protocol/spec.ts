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
});
export type ListenerSpec = z.infer<typeof ListenerSpec>;

export const LoadBalancerSpec = z.object({
  id: uuid,
  /** The change this spec is the result of; with `epoch` it orders specs of one load balancer. */
  generation: z.number().int().min(0),
  epoch: z.number().int().min(0),
  /** Of everything below; equal digests need no work. */
  digest: z.string(),
  /** Main VIP first, additional ones after it. */
  vips: z.array(z.string()),
  listeners: z.array(ListenerSpec),
  pools: z.array(PoolSpec),
});
export type LoadBalancerSpec = z.infer<typeof LoadBalancerSpec>;
