import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ENDPOINT_OWNER } from '../../../devstack/lab/hosts/topology';
import { waitUntil } from '../../support/wait';
import type { Session } from '../clients/session';

/** A machine of a tenant on a port of its own: the lab's hosts give it a namespace with the port's address. */
export interface Endpoint {
  readonly portId: string;
  readonly address: string;
  /** Serves its name on this TCP port; resolves once it does. */
  serve(name: string, port: number): Promise<void>;
  /** Starts asking a URL, at this pace in milliseconds. */
  ask(url: string, pace: number): Client;
  /** Ends what runs on it and deletes the port. */
  remove(): Promise<void>;
}

export interface Client {
  /** In the order in which they came; grows until `stop`. */
  readonly answers: readonly Answer[];
  stop(): void;
}

export interface Answer {
  /** When it was asked, milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds until the answer, or the failure. */
  readonly took: number;
  readonly status?: number;
  readonly body?: string;
  readonly error?: string;
}

/** Milliseconds until the hosts have seen the port. */
const PATIENCE = 60_000;

/** Makes a port and waits for its machine. Of no security group: answers come in, and nothing else, unless given one. */
export async function plugIn(session: Session, networkId: string, groups: readonly string[] = []): Promise<Endpoint> {
  const port = {
    name: 'traffic',
    network_id: networkId,
    device_owner: `${ENDPOINT_OWNER}traffic`,
    security_groups: groups,
  };
  const made = (await session.ask('network', 'POST', '/v2.0/ports', { port })).port;
  const address: string = made.fixed_ips[0].ip_address;
  const running = new Set<ChildProcess>();
  const namespace = await findNamespace(made.id);
  await waitUntil(`${address} is configured`, PATIENCE, async () => {
    return (await collect(start(namespace, ['ip', 'address']))).includes(`${address}/`);
  });
  const run = (file: string, ...words: string[]) => {
    const child = start(namespace, [process.execPath, path.join(__dirname, file), ...words]);
    running.add(child);
    return child;
  };
  return {
    portId: made.id,
    address,
    async serve(name, tcpPort) {
      const child = run('backend.cjs', name, String(tcpPort));
      await new Promise((resolve, reject) => {
        child.stdout?.once('data', resolve);
        child.once('exit', () => reject(new Error(`${name} cannot serve`)));
      });
    },
    ask(url, pace) {
      const child = run('client.cjs', url, String(pace));
      const answers: Answer[] = [];
      if (child.stdout) createInterface(child.stdout).on('line', (line) => answers.push(JSON.parse(line)));
      return { answers, stop: () => child.kill('SIGKILL') };
    },
    async remove() {
      for (const child of running) child.kill('SIGKILL');
      await session.ask('network', 'DELETE', `/v2.0/ports/${made.id}`);
    },
  };
}

async function findNamespace(portId: string): Promise<string> {
  const find = () => readdirSync('/run/netns').find((name) => name.startsWith('ss-ep-') && name.endsWith(portId));
  await waitUntil(`the hosts have plugged port ${portId}`, PATIENCE, () => find() !== undefined);
  return find() ?? '';
}

function start(namespace: string, words: readonly string[]): ChildProcess {
  // nsenter becomes the command: its pid is the one to end.
  return spawn('nsenter', [`--net=/run/netns/${namespace}`, ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
}

function collect(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (part) => {
    text += String(part);
  });
  return new Promise((resolve) => child.once('close', () => resolve(text)));
}
