import type { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentConfig } from '../../driver/agent/config';
import { namespaceName, removeNamespace } from '../../driver/agent/network/namespace';
import { end, identify, isAlive, type ProcessIdentity } from '../../driver/agent/process/identity';
import type { DomainSpec, EngineSpec, VnicSpec } from '../../driver/protocol/engineSpec';
import { type FakeController, startController } from './agentController';
import type { Namespace } from './namespaces';

const ROOT = join(__dirname, '../..');
const RUN_TS = join(ROOT, 'devstack/run-ts.cjs');

/** A machine that is a Service Engine's own: a namespace to plug interfaces into, and an agent that manages networks. */
export interface NetworkEngine {
  readonly config: AgentConfig;
  readonly controller: FakeController;
  readonly machine: Namespace;
  /** Starts the agent and waits for its hello, unless told not to. */
  start(options?: { waits: boolean }): Promise<void>;
  /** Ends the agent; SIGTERM has it end what it serves, too. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** The namespace of a domain. */
  domain(id: string): string;
  /** Runs `ip` in the namespace of a domain. */
  ip(domainId: string, ...words: string[]): Promise<string>;
  /** The haproxy of a load balancer; null if none lives. */
  haproxy(loadBalancerId: string): { readonly master: ProcessIdentity; readonly worker: ProcessIdentity } | null;
  /** The BIRDs that live. */
  birds(): ProcessIdentity[];
  /** Ends all of it and removes what is left. */
  dispose(): Promise<void>;
}

/** How an engine differs from others. */
export interface NetworkEngineOptions {
  readonly config?: Partial<AgentConfig>;
  /** Of the agent's process, beyond this one's. */
  readonly env?: Readonly<Record<string, string>>;
  /** What its controller's welcome says. */
  readonly welcome?: object;
  /** How the agent is started, if not as `agentProcess.ts`: arguments of node. */
  readonly words?: (config: AgentConfig) => readonly string[];
}

/** @param machine is not removed by `dispose` */
export async function createNetworkEngine(
  machine: Namespace,
  { config: over = {}, env = {}, welcome = { version: 3 }, words = agentWords }: NetworkEngineOptions = {},
): Promise<NetworkEngine> {
  const directory = mkdtempSync(join(tmpdir(), 'slnet-'));
  const socket = join(directory, 'controller');
  const controller = await startController(socket, welcome);
  const config: AgentConfig = {
    engineId: directory,
    controllers: [`ws+unix://${socket}:/`],
    token: 'secret',
    stateDir: join(directory, 'state'),
    runDir: join(directory, 'run'),
    managesNetworks: true,
    checkerCommand: [process.execPath, RUN_TS, join(ROOT, 'driver/agent/udp/checkerMain.ts')],
    ...over,
  };
  const units = join(config.stateDir, 'lb');
  const domain = (id: string) => namespaceName(config.engineId, id);
  let agent: ReturnType<typeof spawn> | null = null;
  const domains = () => {
    const path = join(config.stateDir, 'networks.json');
    return existsSync(path) ? Object.values<string>(JSON.parse(readFileSync(path, 'utf8')).namespaces) : [];
  };
  return {
    config,
    controller,
    machine,
    domain,
    async start({ waits } = { waits: true }) {
      const before = controller.hellos().length;
      const log = process.env['AGENT_LOG'] === undefined ? 'ignore' : 'inherit';
      agent = machine.spawn(process.execPath, words(config), {
        stdio: ['ignore', log, 'inherit'],
        env: { ...process.env, ...env },
      });
      if (waits) await controller.waitFor('the agent says hello', () => controller.hellos().length > before);
    },
    async end(signal) {
      const exited = agent === null ? undefined : once(agent, 'exit');
      agent?.kill(signal);
      await exited;
      agent = null;
    },
    ip: (domainId, ...words) => machine.run('ip', '-n', domain(domainId), ...words),
    haproxy(id) {
      const path = join(units, id, 'process.json');
      if (!existsSync(path)) return null;
      const record = JSON.parse(readFileSync(path, 'utf8'));
      return isAlive(record.master) ? record : null;
    },
    birds: () => birdsOf(join(config.stateDir, 'bgp')),
    async dispose() {
      agent?.kill('SIGKILL');
      await controller.close();
      await end(birdsOf(join(config.stateDir, 'bgp')));
      await end(existsSync(units) ? readdirSync(units).flatMap((id) => daemonsOf(join(units, id))) : [], 0);
      for (const name of domains()) await removeNamespace(name);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function birdsOf(directory: string): ProcessIdentity[] {
  const records = existsSync(directory) ? readdirSync(directory).map((it) => join(directory, it, 'process.json')) : [];
  return records
    .filter((path) => existsSync(path))
    .map((path): ProcessIdentity => JSON.parse(readFileSync(path, 'utf8')))
    .filter(isAlive);
}

function agentWords(config: AgentConfig): string[] {
  return [RUN_TS, join(__dirname, 'agentProcess.ts'), JSON.stringify(config)];
}

/** Masters and workers of haproxy and nginx that a load balancer's files tell of. */
function daemonsOf(directory: string): ProcessIdentity[] {
  const found = ['process.json', 'nginx.json'].flatMap((name) => {
    const path = join(directory, name);
    if (!existsSync(path)) return [];
    const { generations = [], ...haproxy } = JSON.parse(readFileSync(path, 'utf8'));
    return [haproxy, ...generations].flatMap(({ master, worker }) => [master, worker]);
  });
  return found.filter((one) => one !== null && one !== undefined).filter(({ pid }) => identify(pid) !== null);
}

export function aVnic(over: Partial<VnicSpec> = {}): VnicSpec {
  return {
    id: 'vnic-1',
    networkId: 'network-1',
    macAddress: 'fa:16:3e:00:00:01',
    mtu: 1500,
    addresses: ['10.0.0.5/24'],
    ...over,
  };
}

export function anEngineSpec(generation: number, domains: DomainSpec[]): EngineSpec {
  return { generation, digest: createHash('sha256').update(JSON.stringify(domains)).digest('hex'), domains };
}
