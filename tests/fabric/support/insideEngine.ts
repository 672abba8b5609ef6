import { readFileSync } from 'node:fs';
import { run } from '../../../devstack/lab/hosts/shell';
import { namespaceName } from '../../../driver/agent/network/namespace';
import type { Slipstream } from './slipstream';

/** Somebody with a shell on an engine's machine. */
export interface InsideEngine {
  readonly engineId: string;
  readonly name: string;
  /** Of the domain of a VIP network, on the machine. */
  readonly namespace: string;
  /** In that namespace. */
  ip(...words: string[]): Promise<string>;
  /** A shell script, in that namespace. */
  sh(script: string): Promise<string>;
  /** A shell script on the machine itself. */
  machine(script: string): Promise<string>;
  /** Does it again and again until what it gives is called; what fails is done again. */
  hold(script: string): Promise<() => Promise<void>>;
}

/** Of all engines that a load balancer is on, by name. */
export async function insideEngines(
  { db, hypervisor }: Slipstream,
  loadBalancerId: string,
  networkId: string,
): Promise<InsideEngine[]> {
  const rows: { id: string; name: string; compute_id: string }[] = await db('service_engine as e')
    .join('placement as p', 'p.service_engine_id', 'e.id')
    .where('p.load_balancer_id', loadBalancerId)
    .orderBy('e.name')
    .select('e.id', 'e.name', 'e.compute_id');
  return rows.map(({ id, name, compute_id }) =>
    openEngine({ engineId: id, name, namespace: namespaceName(id, networkId), pid: hypervisor.pidOf(compute_id) ?? 0 }),
  );
}

interface Found {
  readonly engineId: string;
  readonly name: string;
  readonly namespace: string;
  /** Outside of the machine. */
  readonly pid: number;
}

function openEngine({ engineId, name, namespace, pid }: Found): InsideEngine {
  const init = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] ?? '';
  const machine = (script: string) => run('nsenter', ['-t', init, '--mount', '--pid', '--net', 'sh', '-c', script]);
  const sh = (script: string) => machine(`ip netns exec ${namespace} sh -c '${script}'`);
  return {
    ...{ engineId, name, namespace, machine, sh },
    ip: (...words) => machine(`ip -n ${namespace} ${words.join(' ')}`),
    async hold(script) {
      let isOver = false;
      const loop = `while [ ! -e /run/held ]; do ${script}; sleep 0.02; done 2>/dev/null; rm -f /run/held`;
      const held = machine(`ip netns exec ${namespace} sh -c '${loop}' || true`).catch(() => '');
      return async () => {
        if (isOver) return;
        isOver = true;
        await machine('touch /run/held');
        await held;
      };
    },
  };
}
