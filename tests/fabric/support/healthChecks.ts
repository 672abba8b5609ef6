import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { tapOf } from './plan';
import type { HealthCheck, Interface } from './view';

/**
 * Link-local service health checks of the agents, by what the configuration says: an interface has its routes once its
 * check has had an answer, and loses them after as many missing answers in a row as the check allows.
 */
export interface HealthChecks {
  /** Runs the checks of these interfaces, and no others. */
  follow(checked: readonly Checked[]): void;
  isHealthy(one: Pick<Interface, 'id' | 'checks'>): boolean;
  close(): void;
}

export interface Checked {
  readonly interface: Interface;
  /** Of its routing instance. */
  readonly namespace: string;
  /** Differs once it has been plugged in anew. */
  readonly end: object;
}

interface Running {
  readonly checked: Checked;
  readonly key: string;
  readonly child: ChildProcess;
  isUp: boolean;
}

export function openHealthChecks(onChange: () => void): HealthChecks {
  const running = new Map<string, Running>();
  const stop = (id: string) => {
    running.get(id)?.child.kill('SIGKILL');
    running.delete(id);
  };
  const start = (checked: Checked, check: HealthCheck) => {
    const { id, addresses } = checked.interface;
    const seconds = String(Math.max(check.interval, 10) / 1000);
    const words = ['-n', '-O', '-i', seconds, '-I', tapOf(id), addresses[0] ?? ''];
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const child = spawn('nsenter', [`--net=/run/netns/${checked.namespace}`, 'ping', ...words], { stdio: [...stdio] });
    const one: Running = { checked, key: keyOf(checked), child, isUp: false };
    running.set(id, one);
    let missing = 0;
    const turn = (isUp: boolean) => {
      if (one.isUp === isUp || running.get(id) !== one) return;
      one.isUp = isUp;
      onChange();
    };
    child.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('bytes from')) {
        missing = 0;
        turn(true);
      } else if (/no answer yet|Unreachable/.test(line)) {
        missing += 1;
        if (missing >= check.retries) turn(false);
      }
    });
    child.once('exit', () => {
      turn(false);
      // Its interface has gone, or has not come up yet: begun anew by the next look.
      if (running.get(id) === one) running.delete(id);
    });
  };
  return {
    follow(wanted) {
      const keys = new Map(wanted.map((one) => [one.interface.id, keyOf(one)]));
      for (const [id, one] of running) {
        if (keys.get(id) !== one.key || one.checked.end !== wanted.find((w) => w.interface.id === id)?.end) stop(id);
      }
      for (const one of wanted) {
        const [check] = one.interface.checks;
        if (check && one.interface.addresses.length > 0 && !running.has(one.interface.id)) start(one, check);
      }
    },
    isHealthy: ({ id, checks }) => checks.length === 0 || running.get(id)?.isUp === true,
    close() {
      for (const id of [...running.keys()]) stop(id);
    },
  };
}

function keyOf({ interface: { addresses, checks }, namespace }: Checked): string {
  return JSON.stringify([namespace, addresses[0], checks]);
}
