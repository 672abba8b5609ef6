import type { Trace } from '../../../../driver/trace/trace';
import { type VncHand, vncHand } from '../../../support/vncHand';
import { waitUntil } from '../../../support/wait';
import { type InsideEngine, insideEngines } from '../insideEngine';
import { wiredPorts } from '../mending';
import { type Balanced, PATIENCE, type Stage } from '../stage';

/** One way to break a VIP. */
export interface FaultCase {
  /** As the catalogue calls it. */
  readonly fault: string;
  /** What is done. */
  readonly title: string;
  readonly on: 'paired' | 'announced';
  /** Its trace stands in docs/troubleshooting.md, under this heading. */
  readonly shown?: string;
  /** Breaks it; gives what mends it. */
  breaks(scene: Scene): Promise<() => Promise<unknown>>;
}

export interface Scene {
  readonly stage: Stage;
  readonly hand: VncHand;
  readonly balanced: Balanced;
  /** Of the engines, in the VIP's network. */
  readonly ports: readonly string[];
  readonly engines: readonly InsideEngine[];
  readonly listenerId: string;
  readonly poolId: string;
  readonly members: readonly { readonly id: string; readonly address: string }[];
  readonly vipPortId: string;
}

export async function sceneOf(stage: Stage, balanced: Balanced): Promise<Scene> {
  const { site, front } = stage;
  const { listeners } = await site.api('GET', `/v2/lbaas/listeners?loadbalancer_id=${balanced.id}`);
  const { pools } = await site.api('GET', `/v2/lbaas/pools?loadbalancer_id=${balanced.id}`);
  const { members } = await site.api('GET', `/v2/lbaas/pools/${pools[0].id}/members`);
  const { loadbalancer } = await site.api('GET', `/v2/lbaas/loadbalancers/${balanced.id}`);
  return {
    ...{ stage, balanced, members, vipPortId: loadbalancer.vip_port_id },
    ...{ listenerId: listeners[0].id, poolId: pools[0].id },
    hand: vncHand(site.cloud.contrail.contrail.url),
    ports: await wiredPorts(stage, balanced),
    engines: await insideEngines(site, balanced.id, front.id),
  };
}

export type Verdict = Pick<Trace, 'healthy' | 'verdict' | 'lines'>;

/** @param query as of a URL */
export async function traced({ site }: Stage, { id }: Pick<Balanced, 'id'>, query = ''): Promise<Verdict> {
  return (await site.api('GET', `/v2/slipstream/loadbalancers/${id}/trace${query}`)).trace;
}

/** Looks again until the verdict is as wanted. @throws with the last one */
export async function awaitVerdict(
  what: string,
  stage: Stage,
  balanced: Pick<Balanced, 'id'>,
  isRight: (trace: Verdict) => boolean,
): Promise<Verdict> {
  let latest: Verdict | undefined;
  await waitUntil(what, PATIENCE, async () => {
    latest = await traced(stage, balanced);
    return isRight(latest);
  }).catch((error: unknown) => {
    throw new Error(`${error}\n${latest?.verdict.map(({ fault, what: said }) => `${fault}: ${said}`).join('\n')}`);
  });
  if (!latest) throw new Error('nothing was traced');
  return latest;
}

/** Changes an object by the API, and waits until that is through; the same with the other value mends it. */
export async function change(
  { stage, balanced }: Scene,
  path: string,
  [root, fields, back]: readonly [string, object, object],
): Promise<() => Promise<unknown>> {
  const { site } = stage;
  const write = async (body: object): Promise<void> => {
    await site.api('PUT', path, { [root]: body });
    await site.reaches(balanced.id);
  };
  await write(fields);
  return () => write(back);
}

/** Members of an object in Contrail, as they were. */
export function storedIn({ stage }: Pick<Scene, 'stage'>, type: string, id: string) {
  const found = stage.site.cloud.contrail.contrail.store.get(type, id);
  if (!found) throw new Error(`no ${type} ${id}`);
  return found;
}

/** Writes members of an object in Contrail; what they were before is written to mend it. */
export async function overwrite(
  scene: Scene,
  [type, id]: readonly [string, string],
  members: Readonly<Record<string, unknown>>,
): Promise<() => Promise<unknown>> {
  const { properties } = storedIn(scene, type, id);
  const before = Object.fromEntries(Object.keys(members).map((name) => [name, properties[name] ?? null]));
  await scene.hand.put(type, id, members);
  return () => scene.hand.put(type, id, before);
}

export const first = <T>(items: readonly T[]): T => {
  const [item] = items;
  if (item === undefined) throw new Error('there is none');
  return item;
};
