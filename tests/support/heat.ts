import { execFile } from 'node:child_process';
import type { Session } from '../openstack/clients/session';
import { waitUntil } from './wait';

/** One stack of Heat, driven by the unmodified `openstack stack` commands. */
export interface Stack {
  /** Creates it from a template's file and waits. @throws with Heat's reason when it fails */
  create(parameters: Parameters): Promise<void>;
  /** Changes some of its parameters and waits. @throws with Heat's reason when it fails */
  update(parameters: Parameters): Promise<void>;
  output(name: string): Promise<unknown>;
  /** Types and statuses of its resources, by name. */
  resources(): Promise<ReadonlyMap<string, { readonly type: string; readonly status: string }>>;
  /** Deletes it, if it is there, and waits. */
  delete(): Promise<void>;
}

export type Parameters = Readonly<Record<string, string | number | readonly string[]>>;

const TIMEOUT = 240_000;

export interface StackOptions {
  readonly name: string;
  readonly template: string;
  /** What an openrc exports. */
  readonly env: NodeJS.ProcessEnv;
  /** Of the same person: the command itself looks every five seconds, and some more once all is done. */
  readonly session: Session;
}

/** A stack as Heat shows it. */
interface Shown {
  readonly stack_status: string;
  readonly stack_status_reason: string;
  readonly updated_time: string | null;
}

export function describeStack({ name, template, env, session }: StackOptions): Stack {
  const show = async (): Promise<Shown | undefined> =>
    (await session.find<{ stack: Shown }>('orchestration', `/stacks/${name}`))?.stack;
  const until = (action: 'UPDATE' | 'DELETE', holds: (shown: Shown | undefined) => boolean): Promise<void> =>
    waitUntil(`${action} of ${name} is done`, TIMEOUT, async () => {
      const shown = await show();
      if (shown?.stack_status === `${action}_FAILED`) throw new Error(`${name}: ${shown.stack_status_reason}`);
      return holds(shown);
    });
  const stack = (...args: string[]): Promise<string> => runOpenstack(['stack', ...args], env);
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await stack(...args, '-f', 'json')) as T;
  return {
    async create(parameters) {
      await stack('create', '--template', template, ...give(parameters), '--wait', '--poll', '1', name);
    },
    async update(parameters) {
      const before = (await show())?.updated_time;
      await stack('update', '--template', template, '--existing', ...give(parameters), name);
      await until('UPDATE', (shown) => {
        return shown?.stack_status === 'UPDATE_COMPLETE' && shown.updated_time !== before;
      });
    },
    async output(key) {
      return (await json<{ output_value: unknown }>('output', 'show', name, key)).output_value;
    },
    async resources() {
      const rows = await json<Record<'resource_name' | 'resource_type' | 'resource_status', string>[]>(
        'resource',
        'list',
        name,
      );
      return new Map(rows.map((row) => [row.resource_name, { type: row.resource_type, status: row.resource_status }]));
    },
    async delete() {
      if (!(await show())) return;
      await stack('delete', '--yes', name);
      await until('DELETE', (shown) => shown === undefined);
    },
  };
}

function give(parameters: Parameters): string[] {
  return Object.entries(parameters).flatMap(([key, value]) => [
    '--parameter',
    `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
  ]);
}

/** Runs the `openstack` command. @throws with all it printed when it fails */
export function runOpenstack(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('openstack', args, { env, timeout: TIMEOUT, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`openstack ${args.join(' ')}: ${error.code}\n${stdout.slice(-3000)}\n${stderr}`));
    });
  });
}
