import type { OctaviaImport } from '../db/octaviaImports';
import type { ImportSettings } from './deps';
import type { OctaviaTree } from './source';
import { optional, text, translateTree } from './translate';

/** What would be done with a load balancer of Octavia. */
export interface Judgement {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly vip: string;
  /** Rows by table, less empty ones. */
  readonly counts: Readonly<Record<string, number>>;
  /** `take`, how far it is already, or `refused` for the reasons. */
  readonly action: 'take' | 'refused' | OctaviaImport['state'];
  readonly reasons: readonly string[];
}

/** Providers of Octavia whose load balancers amphorae serve; those of others live in other systems. */
const AMPHORA_PROVIDERS: readonly string[] = ['amphora', 'octavia', 'amphorav2'];

/** Pure. `known`: a load balancer of ours has the id already, and no import of it is under way. */
export function judge(
  tree: OctaviaTree,
  given: { readonly settings: ImportSettings; readonly begun: OctaviaImport | undefined; readonly known: boolean },
): Judgement {
  const { loadBalancer: row } = tree;
  const reasons = given.begun ? [] : reasonsAgainst(tree, given);
  return {
    id: text(row, 'id'),
    name: String(optional(row, 'name') ?? ''),
    projectId: text(row, 'project_id'),
    vip: String(tree.vip?.['ip_address'] ?? ''),
    counts: countRows(tree),
    action: given.begun?.state ?? (reasons.length > 0 ? 'refused' : 'take'),
    reasons,
  };
}

function reasonsAgainst(
  tree: OctaviaTree,
  { settings, known }: { readonly settings: ImportSettings; readonly known: boolean },
): string[] {
  const { loadBalancer: row, listeners, pools } = tree;
  const provider = String(optional(row, 'provider') ?? 'amphora');
  const status = text(row, 'provisioning_status');
  const sctp = [...listeners, ...pools].some(({ protocol }) => protocol === 'SCTP');
  return [
    ...(known ? ['Slipstream has a load balancer of this id already'] : []),
    ...(AMPHORA_PROVIDERS.includes(provider) ? [] : [`its provider is ${provider}: no amphora serves it`]),
    ...(status === 'ACTIVE' || status === 'ERROR' ? [] : [`Octavia is at work on it (${status}): try again later`]),
    ...(tree.vip?.['port_id'] ? [] : ['it has no VIP port']),
    ...(sctp && !settings.sctp ? ['it has SCTP, which [service_engine] sctp does not allow here'] : []),
    ...unreadable(tree),
  ];
}

function unreadable(tree: OctaviaTree): string[] {
  try {
    translateTree(tree, '');
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function countRows(tree: OctaviaTree): Record<string, number> {
  const counts = {
    listeners: tree.listeners.length,
    pools: tree.pools.length,
    members: tree.members.length,
    health_monitors: tree.healthMonitors.length,
    l7policies: tree.l7Policies.length,
    l7rules: tree.l7Rules.length,
    amphorae: tree.amphorae.length,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** The name that it bears from now on. */
export function providerOf(tree: OctaviaTree, { providers, defaultProvider }: ImportSettings): string {
  const own = optional(tree.loadBalancer, 'provider');
  return typeof own === 'string' && providers.includes(own) ? own : defaultProvider;
}
