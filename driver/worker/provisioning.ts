import type { Logger } from 'pino';
import { PROVISIONING_TOPIC, RPC_TARGETS, type RpcEndpoint, type RpcMethod, type RpcRequest } from '../bus/port';
import type { Db } from '../db/connect';
import { findLoadBalancerOf, type OwnedKind } from '../db/owners';
import { keyOf, type Wanted } from './units';

/** The arguments of Octavia's 26 methods; those that end in `?` may be left out, as there. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  create_load_balancer: ['loadbalancer', 'flavor?', 'availability_zone?'],
  update_load_balancer: ['original_load_balancer', 'load_balancer_updates'],
  delete_load_balancer: ['loadbalancer', 'cascade?'],
  failover_load_balancer: ['load_balancer_id'],
  failover_amphora: ['amphora_id'],
  create_listener: ['listener'],
  update_listener: ['original_listener', 'listener_updates'],
  delete_listener: ['listener'],
  create_pool: ['pool'],
  update_pool: ['original_pool', 'pool_updates'],
  delete_pool: ['pool'],
  create_health_monitor: ['health_monitor'],
  update_health_monitor: ['original_health_monitor', 'health_monitor_updates'],
  delete_health_monitor: ['health_monitor'],
  create_member: ['member'],
  update_member: ['original_member', 'member_updates'],
  delete_member: ['member'],
  batch_update_members: ['old_members', 'new_members', 'updated_members'],
  create_l7policy: ['l7policy'],
  update_l7policy: ['original_l7policy', 'l7policy_updates'],
  delete_l7policy: ['l7policy'],
  create_l7rule: ['l7rule'],
  update_l7rule: ['original_l7rule', 'l7rule_updates'],
  delete_l7rule: ['l7rule'],
  update_amphora_agent_config: ['amphora_id'],
  delete_amphora: ['amphora_id'],
};

/** Keys of the arguments that lead to a load balancer, the shortest way first. */
const WAYS: readonly (readonly [key: string, kind: OwnedKind | 'load_balancer'])[] = [
  ['loadbalancer_id', 'load_balancer'],
  ['load_balancer_id', 'load_balancer'],
  ['pool_id', 'pool'],
  ['listener_id', 'listener'],
  ['l7policy_id', 'l7policy'],
  ['healthmonitor_id', 'health_monitor'],
  ['member_id', 'member'],
  ['l7rule_id', 'l7rule'],
  ['amphora_id', 'placement'],
];

export interface ProvisioningDeps {
  readonly db: Db;
  readonly log: Logger;
  /** Has it looked at, soon. */
  readonly take: (wanted: Wanted) => void;
}

/**
 * Octavia's RPC, each method a hint: it finds what the arguments are about, has that looked at, and returns null. What
 * is to be done stands in the rows. What is about nothing known is logged and dropped.
 */
export function createProvisioning(deps: ProvisioningDeps): RpcEndpoint {
  const methods = Object.keys(ARGUMENTS).map((method): [string, RpcMethod] => [method, (it) => hint(deps, it)]);
  return { version: '2.0', ...RPC_TARGETS[PROVISIONING_TOPIC], methods: Object.fromEntries(methods) };
}

/** Arguments that a method needs and a request does not have. */
export class MissingArgumentError extends Error {
  override readonly name = 'MissingArgumentError';
}

async function hint({ db, log, take }: ProvisioningDeps, { method, args, loadBalancerId }: RpcRequest): Promise<null> {
  const missing = ARGUMENTS[method]?.filter((name) => !name.endsWith('?') && !Object.hasOwn(args, name)) ?? [];
  if (missing.length > 0) throw new MissingArgumentError(`${method}() missing arguments: ${missing.join(', ')}`);
  const found = loadBalancerId ?? (await findLoadBalancer(db, args));
  const engineId = args['amphora_id'];
  if (found !== undefined) take({ key: keyOf('load_balancer', found), lane: findText(args, 'project_id') });
  // An engine that serves nothing yet is an amphora of its own.
  else if (typeof engineId === 'string') take({ key: keyOf('engine', engineId), lane: undefined });
  else log.info({ method }, 'a message names nothing that is known');
  return null;
}

type Args = Readonly<Record<string, unknown>>;

async function findLoadBalancer(db: Db, args: Args): Promise<string | undefined> {
  for (const [key, kind] of WAYS) {
    const id = findText(args, key);
    const found = id === undefined || kind === 'load_balancer' ? id : await findLoadBalancerOf(db, kind, id);
    if (found !== undefined) return found;
  }
  // A batch names the members it changes by `id` alone.
  const changed = findText({ updated: args['updated_members'], old: args['old_members'] }, 'id');
  return changed === undefined ? undefined : findLoadBalancerOf(db, 'member', changed);
}

/** The text under a key: of the arguments, of an object among them, or of one in a list among them. */
function findText(args: Args, key: string): string | undefined {
  const parts = Object.values(args).flatMap((value) => (Array.isArray(value) ? value : [value]));
  for (const part of [args, ...parts]) {
    const found: unknown = isRecord(part) ? part[key] : undefined;
    if (typeof found === 'string' && found !== '') return found;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
