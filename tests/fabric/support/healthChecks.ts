import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isV6, tapOf } from './plan';
import { NEXT_HOP4 } from './render';
import type { HealthCheck, Interface } from './view';

/**
 * Link-local service health checks of the agents, by what the configuration says: an interface has its routes once its
 * check has had an answer, and loses them after as many missing answers in a row as the check allows. By BFD it has them
 * until the machine, once heard, is missed, as the agent does it: for as long as the machine's own packets say.
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
  /** The vRouter's own address: where its BFD comes from. */
  readonly gateway: string;
  /** Differs once it has been plugged in anew. */
  readonly end: object;
}

interface Running {
  readonly checked: Checked;
  readonly key: string;
  readonly child: ChildProcess;
  isUp: boolean;
}

/** Routing tables of sessions of BFD, far from those of devices. */
const FIRST_TABLE = 20_000;

export function openHealthChecks(onChange: () => void): HealthChecks {
  const running = new Map<string, Running>();
  let tables = FIRST_TABLE;
  const nextTable = (): number => {
    tables += 1;
    return tables;
  };
  const stop = (id: string) => {
    running.get(id)?.child.kill('SIGKILL');
    running.delete(id);
  };
  const start = (checked: Checked, check: HealthCheck) => {
    const { id } = checked.interface;
    const [program = '', ...words] = check.kind === 'BFD' ? bfd(checked, check, nextTable()) : ping(checked, check);
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const inside = `--net=/run/netns/${checked.namespace}`;
    const child = spawn('nsenter', [inside, program, ...words], { stdio: [...stdio] });
    const one: Running = { checked, key: keyOf(checked), child, isUp: check.kind === 'BFD' };
    running.set(id, one);
    let missing = 0;
    const turn = (isUp: boolean) => {
      if (one.isUp === isUp || running.get(id) !== one) return;
      one.isUp = isUp;
      onChange();
    };
    child.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (check.kind === 'BFD') turn(line === 'up');
      else if (line.includes('bytes from')) {
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
    isHealthy: ({ id, checks: [check] }) => !check || (running.get(id)?.isUp ?? check.kind === 'BFD'),
    close() {
      for (const id of [...running.keys()]) stop(id);
    },
  };
}

/** Of IPv4, as the agents' checks are. */
function ping({ interface: { id, addresses } }: Checked, { interval }: HealthCheck): string[] {
  const seconds = String(Math.max(interval, 10) / 1000);
  return ['ping', '-n', '-O', '-i', seconds, '-I', tapOf(id), addresses.find((one) => !isV6(one)) ?? ''];
}

/**
 * Its packets leave by the machine's own tap whatever the routes say, as the agent's do: a machine without routes would
 * never be heard again.
 */
function bfd({ interface: { id, addresses }, gateway }: Checked, check: HealthCheck, table: number): string[] {
  const remote = addresses.find((one) => !isV6(one)) ?? '';
  const { interval, timeout, retries: multiplier } = check;
  const session = { local: gateway, remote, interval, timeout, multiplier };
  const way = [
    `ip route replace ${remote}/32 via ${NEXT_HOP4} dev ${tapOf(id)} onlink table ${table}`,
    `ip rule add pref 5 to ${remote} ipproto udp dport 3784 lookup ${table}`,
    'exec "$@"',
  ].join(' && ');
  const program = join(__dirname, 'programs/bfd.cjs');
  return ['sh', '-c', way, 'bfd', process.execPath, program, JSON.stringify(session)];
}

function keyOf({ interface: { addresses, checks }, namespace }: Checked): string {
  return JSON.stringify([namespace, addresses.find((one) => !isV6(one)), checks]);
}
