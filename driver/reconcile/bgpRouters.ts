import { setTimeout as sleep } from 'node:timers/promises';
import { BGP_POOL, openTrouble } from '../db/troubles';
import type { BgpService } from '../domain/bgp';
import type { ContrailParts, RouterPatience } from './contrailTarget';
import type { EngineRun } from './engineRun';

/** The schema transformer answers within 0.2 s, mostly. */
const PATIENCE: RouterPatience = { wait: 4_000, lookAfter: 150, pause: 1_000 };

export type Joined = { readonly kind: 'joined' } | { readonly kind: 'failed'; readonly reason: string };

export interface Join {
  readonly run: EngineRun;
  readonly contrail: ContrailParts;
  readonly service: BgpService;
  readonly portId: string;
  /** The service names the port already. */
  readonly isMember: boolean;
}

/**
 * Has the port join the service and waits for its router. A port that joins soon after it was made may never get one: what
 * brings it then is to leave, wait and join again.
 */
export async function joinService({ run, contrail, service, portId, isMember }: Join): Promise<Joined> {
  const { driver } = contrail;
  const { pause } = contrail.routerPatience ?? PATIENCE;
  if (!isMember && !(await driver.joinBgpService(service.id, portId))) return gone(service, portId);
  if (await awaitRouter(run, contrail, { portId, there: true })) return watchPool(run, contrail);
  await run.before('bgp-membership: out and in again');
  await driver.leaveBgpService(service.id, portId);
  await sleep(pause);
  if (!(await driver.joinBgpService(service.id, portId))) return gone(service, portId);
  if (await awaitRouter(run, contrail, { portId, there: true })) return watchPool(run, contrail);
  return { kind: 'failed', reason: await explainLack({ contrail, portId }) };
}

function gone({ id }: BgpService, portId: string): Joined {
  return { kind: 'failed', reason: `the BGP service ${id} or the port ${portId} is not there` };
}

/** Whether the port has its router, or has it no more, within the time there is. */
export async function awaitRouter(
  { before }: Pick<EngineRun, 'before'>,
  { driver, routerPatience = PATIENCE }: ContrailParts,
  { portId, there }: { readonly portId: string; readonly there: boolean },
): Promise<boolean> {
  await before(`bgp-membership: await router of ${portId}`);
  const until = performance.now() + routerPatience.wait;
  for (;;) {
    const [port] = await driver.listInterfaces([portId]);
    if (!port) return !there;
    if (port.hasBgpRouter === there) return true;
    if (performance.now() > until) return false;
    await sleep(routerPatience.lookAfter);
  }
}

/** A lack of ports for sessions is told to nobody: the router just does not come. */
async function explainLack({ contrail: { driver }, portId }: Pick<Join, 'contrail' | 'portId'>): Promise<string> {
  const [taken, { sessions }] = await Promise.all([driver.countBgpSessions(), driver.bgpGlobals()]);
  const why =
    taken >= sessions
      ? `all ${sessions} sessions of BGP as a Service in this cloud are taken`
      : 'Contrail does not say why';
  return `port ${portId} gets no BGP router: ${why}`;
}

/** Part of the sessions that may be taken before somebody is told. */
const NEARLY_ALL = 0.9;

async function watchPool({ parts, engine }: EngineRun, { driver }: ContrailParts): Promise<Joined> {
  const [taken, { sessions }] = await Promise.all([driver.countBgpSessions(), driver.bgpGlobals()]);
  if (taken >= sessions * NEARLY_ALL) {
    const message = `${taken} of the ${sessions} sessions of BGP as a Service in this cloud are taken: engines beyond get none`;
    // Told once, whoever meets it; the audit tells when it is over.
    const trouble = { cause: BGP_POOL, about: { what: message, context: {} } };
    await openTrouble(parts.db, trouble, { name: 'BGP_POOL_LOW', severity: 'warning', message, engineId: engine.id });
  }
  return { kind: 'joined' };
}
