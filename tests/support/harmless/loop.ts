import { readFileSync } from 'node:fs';
import { type FakeController, startController } from '../agentController';
import { createEngine, type EngineUnderTest } from '../agentEngine';
import { aListener, aMonitor, aPool, aSpec } from '../agentSpecs';
import { type Backend, startBackend } from '../backend';
import { createMemberChanges } from './changes';
import { type LoadOutcome, startSteadyLoad } from './load';

export interface LoopSize {
  readonly memberChanges: number;
  readonly reloads: number;
}

export interface LoopOutcome extends LoadOutcome {
  /** Specs that were not taken on as a whole. */
  readonly refused: readonly string[];
  /** Changes of members that were brought about by a reload. */
  readonly needlessReloads: number;
  /** Reloads by changes of the listener. */
  readonly reloads: number;
  /** KiB in use by the worker: after the first tenth of the changes, and at the end. */
  readonly memory: { readonly early: number; readonly late: number };
}

const HTTP_PORT = 20_080;
const TCP_PORT = 20_081;
const BACKENDS = 6;

/** Changes members, and now and then the listener, one after the other, while clients of every kind look for harm. */
export async function runHarmlessLoop(vip: string, size: LoopSize): Promise<LoopOutcome> {
  const controller = await startController();
  const backends = await Promise.all(Array.from({ length: BACKENDS }, (_, index) => startBackend(`member-${index}`)));
  const engine = createEngine([controller.url]);
  try {
    await engine.start();
    return await runLoop({ controller, engine, backends, vip }, size);
  } finally {
    await engine.dispose();
    await Promise.all([controller.close(), ...backends.map((backend) => backend.stop())]);
  }
}

interface Scene {
  readonly controller: FakeController;
  readonly engine: EngineUnderTest;
  readonly backends: readonly Backend[];
  readonly vip: string;
}

async function runLoop(scene: Scene, { memberChanges, reloads }: LoopSize): Promise<LoopOutcome> {
  const { controller, engine, vip } = scene;
  const put = createPut(scene);
  const first = await put('members');
  if (first.refusals.length > 0) throw new Error(JSON.stringify(first.refusals));
  await controller.waitFor('the first member is up', () => controller.report('lb-1')?.pools['web']?.state === 'UP');
  const load = startSteadyLoad({ host: vip, httpPort: HTTP_PORT, tcpPort: TCP_PORT });
  const refused: string[] = [];
  const counted = { members: 0, listener: 0 };
  let early = 0;
  const every = Math.floor(memberChanges / reloads);
  for (let count = 1; count <= memberChanges; count += 1) {
    for (const kind of count % every === 0 ? (['members', 'listener'] as const) : (['members'] as const)) {
      const before = workerOf(engine);
      const ack = await put(kind);
      if (ack.outcome !== 'applied' || ack.refusals.length > 0) refused.push(JSON.stringify(ack));
      if (workerOf(engine) !== before) counted[kind] += 1;
    }
    if (count === Math.ceil(memberChanges / 10)) early = residentKib(workerOf(engine));
  }
  const late = residentKib(workerOf(engine));
  const outcome = await load.stop();
  return { ...outcome, refused, needlessReloads: counted.members, reloads: counted.listener, memory: { early, late } };
}

/** Puts the next spec: with other members, or with the same ones and another listener. */
function createPut({ controller, backends, vip }: Scene) {
  const changes = createMemberChanges(backends);
  let members = changes.next();
  let generation = 0;
  let timeoutClientData = 50_000;
  return (kind: 'members' | 'listener') => {
    generation += 1;
    if (kind === 'members') members = changes.next();
    else timeoutClientData += 1;
    const monitor = aMonitor({ urlPath: '/health' });
    return controller.put(
      aSpec({
        generation,
        vips: [vip],
        listeners: [
          aListener({ port: HTTP_PORT, defaultPoolId: 'web', timeoutClientData }),
          aListener({ id: 'listener-tcp', protocol: 'TCP', port: TCP_PORT, defaultPoolId: 'stream' }),
        ],
        pools: [
          aPool({ id: 'stream', protocol: 'TCP', members: members.map((it) => ({ ...it, id: `tcp-${it.id}` })) }),
          aPool({ id: 'web', members, monitor }),
        ],
      }),
    );
  };
}

function workerOf(engine: EngineUnderTest): number {
  return engine.haproxy('lb-1')?.worker.pid ?? 0;
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
