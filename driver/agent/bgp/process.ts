import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentConfig } from '../config';
import { enter, isInNamespace } from '../process/enter';
import { end, identify, isAlive, ProcessIdentity } from '../process/identity';
import { monotonicNow } from '../process/monotonic';
import { StartError } from '../process/startError';
import { ask } from './control';

/** The files of one domain's BIRD. */
export interface BirdPaths {
  readonly directory: string;
  /** Holds the MD5 secrets: for the agent's user alone. */
  readonly config: string;
  readonly candidate: string;
  readonly process: string;
  readonly log: string;
  /** What it says before it has a log. */
  readonly output: string;
  readonly socket: string;
}

const STARTING = 10_000;
const ENDING = 3000;
const LONGEST_CHECK = 30_000;

export function birdPaths({ stateDir, runDir }: Pick<AgentConfig, 'stateDir' | 'runDir'>, domainId: string): BirdPaths {
  return pathsOf({ stateDir, runDir }, createHash('sha256').update(domainId).digest('hex').slice(0, 16));
}

function pathsOf({ stateDir, runDir }: Pick<AgentConfig, 'stateDir' | 'runDir'>, short: string): BirdPaths {
  const directory = join(stateDir, 'bgp', short);
  return {
    directory,
    config: join(directory, 'bird.conf'),
    candidate: join(directory, 'candidate.conf'),
    process: join(directory, 'process.json'),
    log: join(directory, 'bird.log'),
    output: join(directory, 'bird.out'),
    socket: join(runDir, `${short}.b`),
  };
}

/** Why BIRD refuses a configuration; null if it does not. Throws only if it cannot be run at all. */
export function whyRefused(birdPath: string, configPath: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    execFile(birdPath, ['-p', '-c', configPath], { timeout: LONGEST_CHECK }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve(error === null ? null : complaintOf(`${stdout}${stderr}`));
    });
  });
}

/** Without the path, which is of no use to who reads it. */
export function complaintOf(output: string): string {
  const lines = output.trim().split('\n');
  return (lines.at(-1) ?? '').replace(/^(?:bird: )?\S*\.conf:(\d+):\d+ /, 'line $1: ') || 'it is refused';
}

/**
 * Starts a BIRD on `paths.config`, detached: it outlives this process. Resolves once it answers. Throws StartError; then
 * nothing is left running.
 */
export async function startBird(
  birdPath: string,
  namespace: string | null,
  paths: BirdPaths,
): Promise<ProcessIdentity> {
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  const bird = launch(birdPath, namespace, paths);
  if (bird === null) throw new StartError('bird could not be started', '');
  for (const deadline = monotonicNow() + STARTING; monotonicNow() < deadline; await sleep(10)) {
    if (await answers(paths)) return bird;
    if (!isAlive(bird)) throw new StartError('bird ended at its start', await outputOf(paths));
  }
  await end([bird], 0);
  throw new StartError('bird does not answer', await outputOf(paths));
}

function launch(birdPath: string, namespace: string | null, paths: BirdPaths): ProcessIdentity | null {
  const output = openSync(paths.output, 'w', 0o600);
  try {
    const { file, words } = enter(namespace, birdPath, ['-f', '-c', paths.config, '-s', paths.socket]);
    const child = spawn(file, words, { cwd: '/', detached: true, stdio: ['ignore', output, output] });
    child.on('error', () => undefined);
    child.unref();
    const identity = child.pid === undefined ? null : identify(child.pid);
    if (identity !== null) record(paths, identity);
    return identity;
  } finally {
    closeSync(output);
  }
}

/** Synchronous: between the birth of a process and its record there must be no point where the agent can stop. */
function record(paths: BirdPaths, identity: ProcessIdentity): void {
  const temporary = `${paths.process}.new`;
  writeFileSync(temporary, JSON.stringify(identity));
  renameSync(temporary, paths.process);
}

async function outputOf({ output, log }: BirdPaths): Promise<string> {
  const texts = await Promise.all([output, log].map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.join('').trim().split('\n').slice(-3).join('; ');
}

async function answers({ socket }: BirdPaths): Promise<boolean> {
  return ask(socket, 'show status').then(
    () => true,
    () => false,
  );
}

/**
 * The BIRD an earlier agent left, if it answers and is in that namespace; else it is ended, for it tells peers of VIPs that
 * nobody looks after.
 */
export async function adoptBird(namespace: string | null, paths: BirdPaths): Promise<ProcessIdentity | null> {
  const left = await readRecord(paths);
  if (left === null || !isAlive(left)) return null;
  if (isInNamespace(left.pid, namespace)) {
    for (let attempt = 0; attempt < 20 && isAlive(left); attempt += 1) {
      if (await answers(paths)) return left;
      await sleep(50);
    }
  }
  await end([left], ENDING);
  return null;
}

/** Ends the BIRD of these files, if there is one, after it has taken leave of its peers. */
export async function endBird(paths: BirdPaths): Promise<void> {
  const left = await readRecord(paths);
  if (left !== null && isAlive(left)) {
    await ask(paths.socket, 'down').catch(() => undefined);
    for (const deadline = monotonicNow() + ENDING; isAlive(left) && monotonicNow() < deadline; ) await sleep(20);
    await end([left], ENDING);
  }
  await rm(paths.process, { force: true });
  await rm(paths.socket, { force: true });
}

/** Ends what an earlier agent left in domains that have no BGP now, or are no more. */
export async function endOthers(
  config: Pick<AgentConfig, 'stateDir' | 'runDir'>,
  domainIds: readonly string[],
): Promise<void> {
  const kept = new Set(domainIds.map((id) => birdPaths(config, id).directory));
  const left = await readdir(join(config.stateDir, 'bgp')).catch(() => []);
  for (const paths of left.map((short) => pathsOf(config, short))) {
    if (kept.has(paths.directory)) continue;
    await endBird(paths);
    await rm(paths.directory, { recursive: true, force: true });
  }
}

async function readRecord(paths: BirdPaths): Promise<ProcessIdentity | null> {
  try {
    return ProcessIdentity.parse(JSON.parse(await readFile(paths.process, 'utf8')));
  } catch {
    return null;
  }
}
