import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DbUnavailableError } from '../errors';

/**
 * One process owns a database file at a time, and says so in `<file>.pid`. The driver's own lock is a directory that a
 * killed process leaves behind, "database is locked" for ever; whoever owns the pid file may clear it away.
 */
export interface FileOwnership {
  release(): void;
}

interface Owner {
  readonly pid: number;
  /** Boot and clock ticks since, from /proc: tells a process from a later one with the same number. */
  readonly started: string | null;
}

/**
 * Takes the file for this process, from a dead owner too.
 * @throws DbUnavailableError naming the process that holds it
 */
export function ownFile(file: string): FileOwnership {
  mkdirSync(dirname(file), { recursive: true });
  const sentinel = `${file}.pid`;
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner);
  for (let attempt = 0; !publish(sentinel, mine); attempt += 1) {
    const found = readText(sentinel);
    const owner = found === undefined ? undefined : parseOwner(found);
    if (owner && isAlive(owner)) throw new DbUnavailableError(`${file} is in use by process ${owner.pid}.`);
    if (attempt === 20) throw new DbUnavailableError(`${sentinel} cannot be taken over.`);
    if (found !== undefined) retire(sentinel, found);
  }
  rmSync(`${file}.lock`, { recursive: true, force: true });
  return {
    release: () => {
      if (readText(sentinel) === mine) rmSync(sentinel, { force: true });
    },
  };
}

/** Field 22 of /proc/<pid>/stat and the boot it counts from; null without /proc, and for what is dead but not buried. */
function startOf(pid: number): string | null {
  const stat = readText(`/proc/${pid}/stat`);
  // The second field is the command in parentheses and may hold blanks and parentheses itself.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  if (fields[18] === undefined || state === 'Z' || state === 'X') return null;
  return `${readText('/proc/sys/kernel/random/boot_id')?.trim()} ${fields[18]}`;
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(owner.pid) === owner.started;
}

/** Link is atomic and, unlike an exclusive open, never shows a half-written file. */
function publish(sentinel: string, text: string): boolean {
  const draft = `${sentinel}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  try {
    linkSync(draft, sentinel);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a dead owner's file aside; if another starter was quicker and this is his, it goes back. */
function retire(sentinel: string, seen: string): void {
  const aside = `${sentinel}.dead.${process.pid}`;
  try {
    renameSync(sentinel, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readText(aside) !== seen) linkSync(aside, sentinel);
  rmSync(aside, { force: true });
}

function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'pid' in value ? (value as Owner) : undefined;
  } catch {
    return undefined;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
