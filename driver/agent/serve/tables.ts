import { join } from 'node:path';
import { z } from 'zod';
import { keepsTable } from '../haproxy/backend';
import { keptFile } from '../haproxy/kept';
import type { Backend, Layout } from '../haproxy/layout';
import { command, fixed, integer, quote } from '../haproxy/words';
import type { RuntimeSocket } from '../process/runtimeSocket';
import { readIfPresent, writeAtomically } from '../state/files';
import type { Running, Unit } from './unit';

/** Which member clients are kept at: by backend, by hash of their cookie, the member's id. */
const Tables = z.record(z.string(), z.record(z.string().regex(/^[0-9A-F]{1,40}$/), z.string()));
export type Tables = z.infer<typeof Tables>;

/** Entries of a table above which only haproxy's peers carry it over: by commands it would take seconds. */
const MOST_ENTRIES = 20_000;
const ENTRY = /^0x[0-9a-f]+: key=([0-9A-F]{1,40}) .*server_id=(\d+)(?: server_key=(\S+))?/gm;

/** Keeps the tables for the next start, in case haproxy or the host goes down. */
export async function storeTables(unit: Unit, running = unit.running): Promise<void> {
  const { paths } = unit;
  if (running === null || running.layout === null || !running.layout.backends.some(keepsTable)) return;
  const text = JSON.stringify(await readTables(running.daemon.runtime, running.layout));
  if (text === unit.storedTables) return;
  await writeAtomically(fileOf(paths.directory), text, false);
  unit.storedTables = text;
}

/** Gives a haproxy that has just been started what the last one knew. */
export async function restoreTables(unit: Unit, runtime: RuntimeSocket, layout: Layout): Promise<void> {
  if (!layout.backends.some(keepsTable)) return;
  try {
    const text = await readIfPresent(fileOf(unit.paths.directory));
    if (text !== null) await writeTables(runtime, layout, Tables.parse(JSON.parse(text)));
  } catch (err) {
    unit.deps.log.warn({ loadBalancer: unit.id, err }, 'persistence by cookie of the application begins anew');
  }
}

function fileOf(directory: string): string {
  return join(directory, 'tables.json');
}

/**
 * What a worker has learned of clients; empty of a table that is too large. To be asked before a reload: a worker that
 * stops listening forgets its tables (haproxy 2.6).
 */
export async function readTables(runtime: RuntimeSocket, { backends }: Layout): Promise<Tables> {
  const kept = backends.filter(keepsTable);
  if (kept.length === 0) return {};
  const sizes = await runtime.run(['show table']);
  const small = kept.filter(({ name }) => usedBy(sizes[0] ?? '', name) <= MOST_ENTRIES);
  const answers = await runtime.run(small.map(({ name }) => command(fixed('show table'), quote(name))));
  return Object.fromEntries(small.map((backend, index) => [backend.name, parseTable(backend, answers[index] ?? '')]));
}

function usedBy(answer: string, name: string): number {
  const line = answer.split('\n').find((text) => text.startsWith(`# table: ${name},`));
  return Number(/used:(\d+)/.exec(line ?? '')?.[1] ?? 0);
}

function parseTable({ pool, serverIds }: Backend, answer: string): Record<string, string> {
  const byNumber = new Map([...serverIds].map(([memberId, id]) => [String(id), memberId]));
  const members = new Set(pool.members.map(({ id }) => id));
  const entries = [...answer.matchAll(ENTRY)].flatMap(([, key = '', number = '', name = '']) => {
    const memberId = members.has(name) ? name : byNumber.get(number);
    return memberId === undefined ? [] : [[key, memberId] as const];
  });
  return Object.fromEntries(entries);
}

/**
 * Tells a new worker what is known of clients, unless it knows them already. haproxy's peers do that at a reload too, but
 * not in the ten seconds after the first start, in which they look in vain for others to learn from (haproxy 2.6).
 */
export async function writeTables(runtime: RuntimeSocket, layout: Layout, tables: Tables): Promise<void> {
  if (Object.values(tables).every((entries) => Object.keys(entries).length === 0)) return;
  const known = await readTables(runtime, layout);
  const commands = layout.backends.filter(keepsTable).flatMap(({ name, serverIds }) =>
    Object.entries(tables[name] ?? {}).flatMap(([key, memberId]) => {
      const id = serverIds.get(memberId);
      if (id === undefined || known[name]?.[key] !== undefined) return [];
      return [command(fixed('set table'), quote(name), fixed('key'), quote(key), fixed('data.server_id'), integer(id))];
    }),
  );
  await runtime.run(commands);
}

/**
 * Writes what a worker that is to begin looks up until it is told. Before its configuration is checked, which names the
 * files.
 */
export async function writeKept({ paths }: Unit, { backends }: Layout, tables: Tables): Promise<void> {
  for (const backend of backends.filter(keepsTable)) {
    const entries = Object.entries(tables[backend.name] ?? {});
    const text = entries.map(([key, memberId]) => `${key} ${memberId}\n`).join('');
    await writeAtomically(keptFile(paths.directory, backend), text, false);
  }
}

/** Has a worker that is to stop look up what it is about to forget. */
export async function remind(unit: Unit, { daemon, layout }: Running, tables: Tables): Promise<void> {
  try {
    const commands = (layout?.backends ?? []).filter(keepsTable).flatMap((backend) => {
      const map = quote(keptFile(unit.paths.directory, backend));
      const entries = Object.entries(tables[backend.name] ?? {});
      return [
        command(fixed('clear map'), map),
        ...entries.map(([key, memberId]) => command(fixed('add map'), map, quote(key), quote(memberId))),
      ];
    });
    await daemon.runtime.run(commands);
  } catch (err) {
    unit.deps.log.info({ loadBalancer: unit.id, err }, 'a worker that stops forgets its clients');
  }
}
