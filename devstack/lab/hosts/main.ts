import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pino, { type Logger } from 'pino';
import { end, identify, isAlive, ProcessIdentity } from '../../../driver/agent/process/identity';
import { openCloud } from './cloud';
import { type HostsConfig, readConfig } from './config';
import { openHosts } from './hosts';

const USAGE = `usage: main.ts --config FILE [--status | --down]

Plays the compute hosts of a lab: brings up what Nova and Neutron show, in network namespaces of this host, until it
is ended. --status prints what is running; --down ends a running one, or removes what a killed one has left.`;

/** Milliseconds a running one may take to end. */
const GRACE = 60_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { config: { type: 'string' }, status: { type: 'boolean' }, down: { type: 'boolean' } },
  });
  if (values.config === undefined) throw new Error(USAGE);
  const config = readConfig(values.config);
  if (values.status) printStatus(config);
  else if (values.down) await takeDown(config);
  else await runHosts(config);
}

function ownerFile({ stateDir }: HostsConfig): string {
  return join(stateDir, 'hosts.json');
}

function findOwner(config: HostsConfig): ProcessIdentity | undefined {
  if (!existsSync(ownerFile(config))) return undefined;
  const owner = ProcessIdentity.parse(JSON.parse(readFileSync(ownerFile(config), 'utf8')));
  return isAlive(owner) ? owner : undefined;
}

function printStatus(config: HostsConfig): void {
  const owner = findOwner(config);
  const file = join(config.stateDir, 'status.json');
  console.log(owner && existsSync(file) ? readFileSync(file, 'utf8') : 'not running');
  process.exitCode = owner ? 0 : 3;
}

async function takeDown(config: HostsConfig): Promise<void> {
  const owner = findOwner(config);
  if (owner) await end([owner], GRACE);
  const log = pino({ level: 'warn' });
  await openHosts({ config, cloud: { read: () => Promise.reject(new Error('not read')) }, log }).close();
}

async function runHosts(config: HostsConfig): Promise<void> {
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const owner = findOwner(config);
  if (owner) throw new Error(`${config.stateDir} is that of process ${owner.pid}`);
  writeFileSync(ownerFile(config), JSON.stringify(identify(process.pid)));
  const log = pino({ name: 'hosts' });
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const cloud = openCloud(config, log);
  const hosts = openHosts({ config, cloud, log });
  await loop(() => hosts.follow(), { interval: config.interval, log, signal: stop.signal });
  await hosts.close();
  await cloud.close();
  rmSync(ownerFile(config), { force: true });
}

/**
 * One look after the other until it is told to stop; the first of a row of failures is logged, and its end. A cloud that
 * is slow gets the more time to do something else than to answer.
 */
async function loop(
  follow: () => Promise<void>,
  { interval, log, signal }: { interval: number; log: Logger; signal: AbortSignal },
): Promise<void> {
  let trouble = '';
  while (!signal.aborted) {
    const began = performance.now();
    try {
      await follow();
      if (trouble !== '') log.info('following the cloud again');
      trouble = '';
    } catch (error) {
      const { message, cause } = error as Error;
      if (message !== trouble) log.error({ cause: String(cause ?? '') }, message);
      trouble = message;
    }
    const pause = Math.max(interval, performance.now() - began);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
