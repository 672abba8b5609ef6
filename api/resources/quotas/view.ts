import type { QuotaRead } from '../../../driver/db/read/quotas';
import type { QuotaKind } from '../../../driver/db/rows';
import type { Schemas } from '../../openapi/schemas';

type Limits = Readonly<Record<QuotaKind, number>>;

/** The limits in Octavia's order; two kinds go by two names. */
function limitsView<N extends number | null>(limits: Readonly<Record<QuotaKind, N>>) {
  return {
    loadbalancer: limits.load_balancer,
    load_balancer: limits.load_balancer,
    listener: limits.listener,
    member: limits.member,
    pool: limits.pool,
    healthmonitor: limits.health_monitor,
    health_monitor: limits.health_monitor,
    l7policy: limits.l7policy,
    l7rule: limits.l7rule,
  };
}

export function quotaDefaultsView(defaults: Limits): Schemas['QuotaDefaults'] {
  return limitsView(defaults);
}

/** What holds for a project: its own limits, the defaults for the rest. `row` is undefined without limits of its own. */
export function quotaView(projectId: string, row: QuotaRead | undefined, defaults: Limits): Schemas['QuotaView'] {
  return { project_id: projectId, ...limitsView(row ? withDefaults(row, defaults) : defaults), tenant_id: projectId };
}

/**
 * A project in the list. One that only uses things, or was reset, shows nulls; one that was given any limit shows the
 * defaults beside it.
 */
export function quotaListView(row: QuotaRead, defaults: Limits): Schemas['QuotaListed'] {
  const { project_id: projectId, ...own } = row;
  const isGiven = Object.values(own).some((limit) => limit !== null);
  return { project_id: projectId, ...limitsView(isGiven ? withDefaults(row, defaults) : own), tenant_id: projectId };
}

function withDefaults(row: QuotaRead, defaults: Limits): Limits {
  const kinds = Object.keys(defaults) as QuotaKind[];
  return Object.fromEntries(kinds.map((kind) => [kind, row[kind] ?? defaults[kind]])) as Limits;
}
