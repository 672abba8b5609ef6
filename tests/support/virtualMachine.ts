import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { waitUntil } from './wait';

/** A machine under qemu's software emulation, on a disk image that it does not change. Its networks are qemu's own: NAT. */
export interface VirtualMachine {
  /** What it has written to its serial console. */
  console(): string;
  /** Plugs in an interface, as Nova does while a server runs. */
  plug(nic: VirtualNic): Promise<void>;
  /** Ends it at once, as if the host had lost power. */
  dispose(): Promise<void>;
}

export interface VirtualNic {
  readonly id: string;
  readonly macAddress: string;
  /** IPv4. The host's loopback is at .2 of it, DHCP gives .15 on. */
  readonly cidr: string;
  /** Connections to the port of the host's loopback that go to an address and port behind the interface. */
  readonly forwards?: readonly { readonly port: number; readonly to: string }[];
}

export interface Machine {
  /** A qcow2. */
  readonly image: string;
  readonly nics: readonly VirtualNic[];
  /** Files of its config drive, below `openstack/latest`; none: it has no config drive. */
  readonly configDrive?: Readonly<Record<string, string>>;
  /** Boots the kernel beside the image and runs this with `sh`, instead of booting by the image's loader. */
  readonly script?: string;
}

/** Megabytes: what small engines have. */
const MEMORY = 1024;
const PATIENCE = 60_000;

export async function bootMachine({ image, nics, configDrive, script }: Machine): Promise<VirtualMachine> {
  const directory = mkdtempSync(join(tmpdir(), 'ss-vm-'));
  const control = join(directory, 'control');
  const drive = configDrive === undefined ? [] : ['-cdrom', makeConfigDrive(directory, configDrive)];
  const words = [
    ...['-accel', 'tcg,thread=multi', '-m', String(MEMORY), '-smp', '2', '-nodefaults', '-display', 'none'],
    ...['-serial', 'stdio', '-qmp', `unix:${control},server=on,wait=off`, '-device', 'virtio-rng-pci'],
    ...['-drive', `file=${image},if=virtio,format=qcow2,snapshot=on`, ...drive],
    ...(script === undefined ? [] : kernelWords(image, script)),
    ...nics.flatMap((nic) => ['-netdev', netdevWords(nic), '-device', deviceWords(nic)]),
  ];
  const child = spawn('qemu-system-x86_64', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const heard: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => heard.push(String(data)));
  const said = () => heard.join('');
  await waitUntil('qemu runs', PATIENCE, () => child.exitCode !== null || said() !== '');
  if (child.exitCode !== null) throw new Error(`qemu ended: ${said()}`);
  return {
    console: said,
    plug: (nic) => plug(control, nic),
    async dispose() {
      await stop(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function netdevWords({ id, cidr, forwards = [] }: VirtualNic): string {
  return ['user', `id=${id}`, `net=${cidr}`, ...forwards.map((it) => `hostfwd=${forwardWords(it)}`)].join(',');
}

function forwardWords({ port, to }: { port: number; to: string }): string {
  return `tcp:127.0.0.1:${port}-${to}`;
}

function deviceWords({ id, macAddress }: VirtualNic): string {
  return `virtio-net-pci,netdev=${id},mac=${macAddress}`;
}

/** systemd runs the script beside everything else, and leaves the machine running (systemd-run-generator(8)). */
function kernelWords(image: string, script: string): string[] {
  const stem = image.replace(/\.qcow2$/, '');
  const append = [
    'root=/dev/vda1 ro net.ifnames=0 console=ttyS0 quiet',
    'systemd.run_success_action=none systemd.run_failure_action=none',
    `"systemd.run=/bin/sh -c '${script}'"`,
  ];
  return ['-kernel', `${stem}.vmlinuz`, '-initrd', `${stem}.initrd`, '-append', append.join(' ')];
}

/** As Nova makes it: an ISO 9660 file system with a label. */
function makeConfigDrive(directory: string, files: Readonly<Record<string, string>>): string {
  const tree = join(directory, 'drive');
  for (const [name, text] of Object.entries(files)) {
    const file = join(tree, 'openstack/latest', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const iso = join(directory, 'drive.iso');
  execFileSync('genisoimage', ['-quiet', '-R', '-J', '-V', 'config-2', '-o', iso, tree]);
  return iso;
}

async function plug(control: string, { id, macAddress, cidr, forwards = [] }: VirtualNic): Promise<void> {
  const monitor = await openMonitor(control);
  try {
    const hostfwd = forwards.map((it) => ({ str: forwardWords(it) }));
    await monitor.ask('netdev_add', { type: 'user', id, net: cidr, hostfwd });
    await monitor.ask('device_add', { driver: 'virtio-net-pci', netdev: id, mac: macAddress, id: `nic-${id}` });
  } finally {
    monitor.close();
  }
}

interface Monitor {
  ask(command: string, words: object): Promise<void>;
  close(): void;
}

/** QMP: a greeting, then an answer for each command, with events in between. */
async function openMonitor(path: string): Promise<Monitor> {
  const socket: Socket = connect(path);
  const answers: { error?: { desc: string } }[] = [];
  createInterface({ input: socket }).on('line', (line) => {
    const message = JSON.parse(line);
    if ('return' in message || 'error' in message) answers.push(message);
  });
  await once(socket, 'connect');
  const ask = async (command: string, words: object) => {
    const before = answers.length;
    socket.write(`${JSON.stringify({ execute: command, arguments: words })}\n`);
    await waitUntil(`qemu answers ${command}`, PATIENCE, () => answers.length > before);
    const error = answers[before]?.error;
    if (error !== undefined) throw new Error(`${command}: ${error.desc}`);
  };
  await ask('qmp_capabilities', {});
  return { ask, close: () => socket.destroy() };
}
