import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { AgentConfig } from '../../driver/agent/config';
import { type RunningAgent, runAgent } from '../../driver/agent/main';
import { type Generation, isRunning, kill } from '../../driver/agent/nginx/generation';
import { end, isAlive, type ProcessIdentity } from '../../driver/agent/process/identity';

/** An engine on this host: a directory, an agent that can be stopped and started, and the haproxies it has. */
export interface EngineUnderTest {
  readonly config: AgentConfig;
  start(): Promise<void>;
  stop(options: { keepServing: boolean }): Promise<void>;
  /** The master and the worker of a load balancer's haproxy; null if it has none that lives. */
  haproxy(loadBalancerId: string): { master: ProcessIdentity; worker: ProcessIdentity } | null;
  configuration(loadBalancerId: string): string;
  /** The nginxes of a load balancer that live, the one that serves last. */
  nginxes(loadBalancerId: string): Generation[];
  /** Ends everything, also haproxies that no agent knows any more, and removes the directory. */
  dispose(): Promise<void>;
}

/** `over`: what is not as with other engines. */
export function createEngine(controllers: readonly string[], over: Partial<AgentConfig> = {}): EngineUnderTest {
  const directory = mkdtempSync(join(tmpdir(), 'slag-'));
  const config: AgentConfig = {
    engineId: 'engine-1',
    controllers,
    token: 'secret',
    stateDir: join(directory, 'state'),
    runDir: join(directory, 'run'),
    ...over,
  };
  const units = join(config.stateDir, 'lb');
  let agent: RunningAgent | null = null;

  const haproxy: EngineUnderTest['haproxy'] = (id) => {
    const path = join(units, id, 'process.json');
    if (!existsSync(path)) return null;
    const record = JSON.parse(readFileSync(path, 'utf8'));
    return isAlive(record.master) && record.worker !== null ? record : null;
  };
  const nginxes: EngineUnderTest['nginxes'] = (id) => {
    const path = join(units, id, 'nginx.json');
    if (!existsSync(path)) return [];
    const { generations }: { generations: Generation[] } = JSON.parse(readFileSync(path, 'utf8'));
    return generations.filter(isRunning);
  };
  const stop: EngineUnderTest['stop'] = async (options) => {
    const running = agent;
    agent = null;
    await running?.stop(options);
  };
  return {
    config,
    haproxy,
    nginxes,
    stop,
    async start() {
      const level = process.env['AGENT_LOG'] ?? 'silent';
      agent = await runAgent(config, { log: pino({ level }) });
    },
    configuration: (id) => readFileSync(join(units, id, 'haproxy.cfg'), 'utf8'),
    async dispose() {
      await stop({ keepServing: false });
      const left = existsSync(units) ? readdirSync(units).map(haproxy) : [];
      await end(left.flatMap((found) => (found === null ? [] : [found.master, found.worker])));
      for (const generation of existsSync(units) ? readdirSync(units).flatMap(nginxes) : []) kill(generation);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
