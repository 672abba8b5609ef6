import type { Logger } from 'pino';
import { type Bus, HINTS_TOPIC } from '../bus/port';
import type { ContrailDriver } from '../clouds/contrail/port';
import type { Db } from '../db/connect';
import { createPortLock } from '../db/portLocks';
import type { HealthCheckWish } from '../domain/inventory';
import type { Drift, Remedy } from './drift';

export interface RepairDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  readonly driver: ContrailDriver;
  readonly healthCheck: HealthCheckWish | null;
}

/** Does what the audit does itself, and hints the units whose runs do the rest. What fails is found again. */
export async function repair(deps: RepairDeps, drifts: readonly Drift[]): Promise<void> {
  for (const { remedy, cause } of drifts) {
    if (remedy === null) continue;
    await apply(remedy, deps).catch((err: unknown) =>
      deps.log.warn({ err, cause }, 'a drift is left for the next audit'),
    );
  }
  await hintUnits(deps, drifts);
}

/** A unit that is hinted looks at all that is its own. */
export async function hintUnits({ bus }: Pick<RepairDeps, 'bus'>, drifts: readonly Drift[]): Promise<void> {
  const work = drifts.filter(
    ({ handling, remedy }) => handling !== 'report' && (remedy === null || remedy.kind === 'link'),
  );
  for (const id of new Set(work.flatMap(({ loadBalancerId }) => loadBalancerId ?? [])))
    await bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id }, loadBalancerId: id });
  const engines = work.filter(({ loadBalancerId }) => loadBalancerId === null);
  for (const id of new Set(engines.flatMap(({ engineId }) => engineId ?? [])))
    await bus.publish(HINTS_TOPIC, { method: 'engine', args: { id } });
}

async function apply(remedy: Remedy, { db, driver, healthCheck }: RepairDeps): Promise<void> {
  switch (remedy.kind) {
    case 'fixed address':
      return driver.setFixedAddress(remedy.floatingIpId, remedy.address);
    case 'link':
      await driver.linkFloatingIp(remedy.floatingIpId, remedy.portId);
      if (remedy.address !== null) await driver.setFixedAddress(remedy.floatingIpId, remedy.address);
      return;
    case 'unpair': {
      const { portId, address } = remedy;
      await createPortLock(db)([portId], () => driver.changePairs([{ portId, put: [], remove: [address] }]));
      return;
    }
    case 'leave':
      return driver.leaveBgpService(remedy.serviceId, remedy.portId);
    case 'rename':
      return driver.rename(remedy.type, remedy.id, remedy.name);
    case 'unshare':
      return driver.unshare(remedy.type, remedy.id);
    case 'correct check':
      if (healthCheck !== null) await driver.correctHealthCheck(remedy.id, healthCheck);
  }
}
