import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { identify, isAlive, ProcessIdentity } from '../../../driver/agent/process/identity';
import { type HostsConfig, logDirectory } from './config';
import { freeze, thaw } from './freezing';
import type { Documents } from './metadata';
import type { Machine } from './topology';
import type { Boot } from './view';

/** The running of servers: for engines a set of processes that sees nothing of the others, ended as a whole. */
export interface Machines {
  /** Switches off what is to be off, or to start anew; gives the namespaces of those. */
  switchOff(machines: readonly Machine[]): Promise<string[]>;
  /** Starts what is to run and has everything plugged in; forgets the disks of servers that are no more. */
  switchOn(machines: readonly Machine[], documentsOf: (machine: Machine) => Documents): void;
  /** Ends all of them; their disks stay. */
  endAll(): Promise<void>;
  /** Of the first process; null if it does not run. */
  pidOf(serverId: string): number | null;
}

/** As in the file of a server. */
const Running = z.object({ process: ProcessIdentity, bootId: z.string(), frozen: z.boolean().default(false) });
type Running = z.infer<typeof Running>;

/**
 * What the first process does: directories as on a machine that has just started, then the agent, again and again, as
 * systemd would.
 */
const INIT = `
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/netns /run/lock /run/slipstream
set +e
while :; do "$@"; echo "the agent ended with $?"; sleep 1; done
`;
const UNSHARE = '--mount --pid --uts --ipc --fork --kill-child --mount-proc --propagation private'.split(' ');
/** Milliseconds the kernel is given to end everything in a machine. */
const END_WITHIN = 10_000;

export function openMachines(config: HostsConfig, log: Logger): Machines {
  const directory = join(config.stateDir, 'servers');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  mkdirSync(logDirectory(config), { recursive: true });
  const file = (id: string) => join(directory, id, 'process.json');
  const known = readAll(directory);
  /** Started by a program before this one and dead since, as after a reboot of the host: started again. */
  const fallen = new Set([...known].filter(([, { process }]) => !isAlive(process)).map(([id]) => id));
  return {
    async switchOff(machines) {
      const wanted = new Map(machines.map((machine) => [machine.server.id, machine]));
      const stopped: string[] = [];
      for (const [id, running] of known) {
        const machine = wanted.get(id);
        if (machine && !mustStop(machine, running)) continue;
        if (isAlive(running.process)) log.info({ server: id }, machine ? 'switched off' : 'deleted');
        await endMachine(running.process);
        known.delete(id);
        const keepsDisk = machine !== undefined && machine.server.boot.action !== 'rebuild';
        rmSync(keepsDisk ? file(id) : join(directory, id), { recursive: true, force: true });
        if (machine) stopped.push(machine.namespace);
      }
      for (const id of readdirSync(directory)) if (!wanted.has(id)) rmSync(join(directory, id), { recursive: true });
      return stopped;
    },
    switchOn(machines, documentsOf) {
      for (const machine of machines.filter(({ isEngine }) => isEngine)) {
        const { id, name, boot } = machine.server;
        const running = known.get(id);
        const isReady = machine.power === 'on' && machine.ports.length > 0;
        if (isReady && (running === undefined || fallen.delete(id))) {
          const process = startMachine(config, machine, documentsOf);
          log.info({ server: id, name, pid: process.pid }, 'switched on');
          known.set(id, save(file(id), { process, bootId: boot.id, frozen: false }));
        } else if (running && isAlive(running.process) && running.frozen !== (machine.power === 'frozen')) {
          (running.frozen ? thaw : freeze)(running.process.pid);
          known.set(id, save(file(id), { ...running, frozen: !running.frozen }));
        }
      }
    },
    async endAll() {
      await Promise.all([...known.values()].map(({ process }) => endMachine(process)));
      for (const id of known.keys()) rmSync(file(id), { force: true });
      known.clear();
    },
    pidOf(serverId) {
      const running = known.get(serverId);
      return running && isAlive(running.process) ? running.process.pid : null;
    },
  };
}

function readAll(directory: string): Map<string, Running> {
  const found = new Map<string, Running>();
  for (const id of readdirSync(directory)) {
    const path = join(directory, id, 'process.json');
    if (existsSync(path)) found.set(id, Running.parse(JSON.parse(readFileSync(path, 'utf8'))));
  }
  return found;
}

function save(path: string, running: Running): Running {
  writeFileSync(path, JSON.stringify(running), { mode: 0o600 });
  return running;
}

function mustStop({ power, server, isEngine }: Machine, { bootId }: Running): boolean {
  return !isEngine || power === 'off' || (power === 'on' && isOther(server.boot, bootId));
}

/** An empty id is that of a boot Nova has told nothing about. */
function isOther({ id }: Boot, bootId: string): boolean {
  return id !== '' && bootId !== '' && id !== bootId;
}

function startMachine(config: HostsConfig, machine: Machine, documentsOf: (machine: Machine) => Documents) {
  const { id, name, hasConfigDrive } = machine.server;
  const home = join(config.stateDir, 'servers', id);
  const [disk, drive] = [join(home, 'disk'), join(home, 'config-drive')];
  mkdirSync(disk, { recursive: true });
  // Nova writes it once, before the first boot: it does not know of later ports.
  if (hasConfigDrive && !existsSync(drive)) writeDrive(drive, documentsOf(machine));
  const words = [
    `--net=/run/netns/${machine.namespace}`,
    'unshare',
    ...UNSHARE,
    ...['/bin/sh', '-c', INIT, 'init', ...config.agent.command, '--state-dir', disk],
    ...(hasConfigDrive ? ['--config-drive', drive] : []),
  ];
  const output = openSync(join(logDirectory(config), `${name || id}.log`), 'a');
  const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin' } = process.env;
  const env = { PATH, HOME: '/root', ...config.agent.environment };
  const child = spawn('nsenter', words, { detached: true, stdio: ['ignore', output, output], env, cwd: '/' });
  closeSync(output);
  child.on('error', () => undefined);
  child.unref();
  const started = child.pid === undefined ? null : identify(child.pid);
  if (!started) throw new Error(`server ${id} cannot be started`);
  return started;
}

function writeDrive(drive: string, documents: Documents): void {
  const directory = join(drive, 'openstack', 'latest');
  mkdirSync(directory, { recursive: true });
  for (const [name, document] of Object.entries(documents)) writeFileSync(join(directory, name), document);
}

/** Its first process takes all others with it; the one outside ends when they are gone. */
async function endMachine(outer: ProcessIdentity): Promise<void> {
  if (!isAlive(outer)) return;
  const inner = childrenOf(outer.pid);
  for (const pid of inner.length > 0 ? inner : [outer.pid]) kill(pid);
  const deadline = Date.now() + END_WITHIN;
  while (isAlive(outer)) {
    if (Date.now() > deadline) throw new Error(`process ${outer.pid} does not end`);
    await sleep(20);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}
