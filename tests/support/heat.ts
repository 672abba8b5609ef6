import { execFile } from 'node:child_process';

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
}

export function describeStack({ name, template, env }: StackOptions): Stack {
  const stack = (...args: string[]): Promise<string> => runOpenstack(['stack', ...args], env);
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await stack(...args, '-f', 'json')) as T;
  return {
    async create(parameters) {
      await stack('create', '--template', template, ...give(parameters), '--wait', '--poll', '1', name);
    },
    async update(parameters) {
      await stack('update', '--template', template, '--existing', ...give(parameters), '--wait', name);
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
      const rows = await json<Record<'Stack Name', string>[]>('list');
      if (rows.some((row) => row['Stack Name'] === name)) await stack('delete', '--yes', '--wait', name);
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
