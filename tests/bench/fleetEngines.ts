import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../driver/db/connect';
import { addEngine, addGroup, addListener, addLoadBalancer, addPlacement } from '../support/fleetRows';
import { quantile } from './figures';

/** Many agents on one health-manager: what it costs, how fast specs are there, and how all come back after a restart. */

const ROOT = path.resolve(__dirname, '../..');
const PUSHES = 300;
const QUIET_SECONDS = 20;

interface Asked {
  readonly url: string;
  readonly folder: string;
  readonly engines: number;
}

export async function measureEngines(db: Db, { url, folder, engines }: Asked): Promise<(string | number)[][]> {
  const groupId = await addGroup(db);
  const added = [];
  for (let index = 0; index < engines; index += 1) {
    added.push(await addEngine(db, groupId, { management_address: '127.0.0.1' }));
  }
  const ca = path.join(folder, 'ca');
  mkdirSync(ca);
  let manager = await startManager([url, ca, '0']);
  const agents = start('fleetAgents.ts', []);
  try {
    const from = Date.now();
    agents.send({
      engines: added,
      url: manager.url,
      fingerprint: manager.fingerprint,
      directory: path.join(folder, 'a'),
    });
    await allConnected(db, engines);
    const enrolled = (Date.now() - from) / 1000;
    await sleep(5_000);
    const quiet = await measureQuiet(db, manager.child);
    const pushes = await measurePushes(db, { manager: manager.child, agents, engineIds: added.map(({ id }) => id) });
    const port = new URL(manager.url.replace(/^wss/, 'https')).port;
    await end(manager.child, 'SIGKILL');
    await db('event').delete();
    const stopped = Date.now();
    manager = await startManager([url, ca, port]);
    await allConnected(db, engines, stopped);
    const back = (Date.now() - stopped) / 1000;
    await sleep(15_000);
    const [down] = await db('event').where({ name: 'ENGINE_DOWN' }).count({ count: '*' });
    return [
      ['all enrolled and connected, s', enrolled.toFixed(1)],
      ...quiet,
      ...pushes,
      ['all back after a restart, s', back.toFixed(1)],
      ['engines called dead by it', Number(down?.['count'] ?? 0)],
    ];
  } finally {
    await Promise.all([end(manager.child, 'SIGTERM'), end(agents, 'SIGTERM')]);
  }
}

interface Manager {
  readonly child: ChildProcess;
  readonly url: string;
  readonly fingerprint: string;
}

async function startManager(args: readonly string[]): Promise<Manager> {
  const child = start('fleetManager.ts', args);
  const said = await new Promise<{ url: string; fingerprint: string }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { url: string; fingerprint: string }));
    child.once('exit', (code) => reject(new Error(`the health-manager ended with ${code}`)));
  });
  return { child, ...said };
}

function start(file: string, args: readonly string[]): ChildProcess {
  return fork(path.join(ROOT, 'devstack/run-ts.cjs'), [path.join(__dirname, file), ...args]);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}

/** @param since only what was heard after this counts, milliseconds */
async function allConnected(db: Db, engines: number, since = 0): Promise<void> {
  const heard = new Date(since).toISOString().replace('T', ' ').replace('Z', '');
  for (;;) {
    const [row] = await db('service_engine')
      .where({ status: 'READY' })
      .whereNotNull('connected_to')
      .where('last_heartbeat', '>', heard)
      .count({ count: '*' });
    if (Number(row?.['count']) >= engines) return;
    await sleep(250);
  }
}

interface Cost {
  readonly cpu: NodeJS.CpuUsage;
  readonly memory: number;
  readonly at: number;
}

let messages = 0;
function ask<T>(child: ChildProcess, message: object): Promise<T> {
  messages += 1;
  const id = messages;
  return new Promise((resolve) => {
    const hear = (answer: { id?: number }): void => {
      if (answer.id !== id) return;
      child.off('message', hear);
      resolve(answer as T);
    };
    child.on('message', hear);
    child.send({ ...message, id });
  });
}

async function measureQuiet(db: Db, manager: ChildProcess): Promise<(string | number)[][]> {
  const [before, writesBefore] = [await ask<Cost>(manager, {}), await writes(db)];
  await sleep(QUIET_SECONDS * 1000);
  const [after, writesAfter] = [await ask<Cost>(manager, {}), await writes(db)];
  const cpu = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system;
  const seconds = (after.at - before.at) / 1000;
  return [
    ['CPU at one heartbeat a second, % of a core', ((cpu / 1e6 / seconds) * 100).toFixed(0)],
    ['memory (RSS), MB', (after.memory / 1e6).toFixed(0)],
    ['database writes (statements) a second', ((writesAfter - writesBefore) / seconds).toFixed(1)],
  ];
}

async function writes(db: Db): Promise<number> {
  const [rows] = (await db.raw(
    "show global status where Variable_name in ('Com_insert', 'Com_update', 'Com_delete')",
  )) as [{ Value: string }[]];
  return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
}

interface Pushing {
  readonly manager: ChildProcess;
  readonly agents: ChildProcess;
  readonly engineIds: readonly string[];
}

/** From the hint to the engine: the tree is read, the spec built and sent. */
async function measurePushes(db: Db, { manager, agents, engineIds }: Pushing): Promise<(string | number)[][]> {
  const got = new Map<string, number>();
  const hear = ({ put, at }: { put?: string; at?: number }): void => {
    if (put !== undefined && at !== undefined && !got.has(put)) got.set(put, at);
  };
  agents.on('message', hear);
  const times: number[] = [];
  for (let index = 0; index < PUSHES; index += 1) {
    const engineId = engineIds[(index * 7) % engineIds.length] ?? '';
    const loadBalancerId = await addLoadBalancer(db);
    await addListener(db, loadBalancerId);
    await addPlacement(db, { loadBalancerId, engineId });
    const { at } = await ask<{ at: number }>(manager, { push: { engineId, loadBalancerId } });
    const until = Date.now() + 10_000;
    while (!got.has(loadBalancerId) && Date.now() < until) await sleep(2);
    times.push((got.get(loadBalancerId) ?? Number.NaN) - at);
  }
  agents.off('message', hear);
  return [
    ['spec at its engine, p50, ms', quantile(times, 0.5).toFixed(1)],
    ['spec at its engine, p99, ms', quantile(times, 0.99).toFixed(1)],
  ];
}
