import type { ContrailDriver } from '../clouds/contrail/port';
import type { Db } from '../db/connect';
import { type About, closeTrouble, openTrouble, type Trouble } from '../db/troubles';
import type { WiredFleet } from '../db/wiredFleet';
import type { Provenance } from '../domain/inventory';
import type { Happening } from '../domain/settlement';
import type { Drift } from './drift';

export interface TellDeps {
  readonly db: Db;
  readonly provenance: ContrailDriver['provenance'];
}

/** Tells of a drift, once as long as it lasts: what, by whom as far as Contrail tells, and what is done. */
export async function tellDrift(deps: TellDeps, { loadBalancers }: WiredFleet, it: Drift): Promise<boolean> {
  const isOurs = it.handling === 'repair';
  const by = it.object === null ? null : await deps.provenance(it.object.type, it.object.id);
  const done = isOurs ? 'it is put right' : 'it is not ours, and left as it is';
  const happening: Happening = {
    name: isOurs ? 'WIRING_DRIFTED' : 'WIRING_DISPUTED',
    severity: 'warning',
    message: [it.what, ...(by ? [describe(by)] : []), done].join('; '),
    ...(it.object && { resourceType: it.object.type, resourceId: it.object.id }),
  };
  return openTrouble(deps.db, { cause: it.cause, about: aboutOf(it, loadBalancers) }, happening);
}

function aboutOf(it: Drift, loadBalancers: WiredFleet['loadBalancers']): About {
  const lb = loadBalancers.get(it.loadBalancerId ?? '');
  return {
    what: it.what,
    ...(it.object && { resourceType: it.object.type, resourceId: it.object.id }),
    context: {
      loadBalancerId: it.loadBalancerId,
      engineId: it.engineId,
      projectId: lb?.projectId ?? null,
    },
  };
}

/** Contrail notes when an object was changed and whose it is, and nowhere who changed it. */
function describe({ lastModified, creator, owner }: Provenance): string {
  const facts = [
    ...(lastModified === null ? [] : [`Contrail says it was last changed at ${lastModified} UTC`]),
    ...(creator === null ? [] : [`made by ${creator}`]),
    ...(owner === null ? [] : [`it is of project ${owner}`]),
  ];
  return facts.length === 0 ? 'Contrail does not say by whom' : `${facts.join(', ')}, and not by whom`;
}

/** Tells that a drift is over. */
export async function tellOver(db: Db, { cause }: Trouble): Promise<Trouble | undefined> {
  return closeTrouble(db, cause, ({ about, age }) => ({
    name: isReport(cause) ? 'WIRING_DISPUTE_OVER' : 'WIRING_REPAIRED',
    severity: 'info',
    message: `${about.what}: over after ${age.toFixed(1)} s`,
    ...(about.resourceType !== undefined && { resourceType: about.resourceType }),
    ...(about.resourceId !== undefined && { resourceId: about.resourceId }),
  }));
}

/** Causes that are told of and left alone. */
function isReport(cause: string): boolean {
  return cause.startsWith('drift rival ');
}
