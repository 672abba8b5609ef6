import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { enter } from '../process/enter';
import { describe } from './filter';
import { createPcapStream, type StreamedPacket } from './pcapStream';

/** Where to listen. */
export interface Tap {
  /** Null: where the agent is. */
  readonly namespace: string | null;
  readonly interfaceName: string;
}

export interface TcpdumpEvents {
  packet(linkType: number, packet: StreamedPacket): void;
}

/** A tcpdump at work. */
export interface Tcpdump {
  /** Resolves when it has ended: with why, if that was not by `end`. */
  readonly ended: Promise<string | null>;
  end(): void;
}

/** Milliseconds after which one that does not end is killed. */
const PATIENCE = 2_000;
const MOST_OF_COMPLAINT = 4_096;

/**
 * Starts a tcpdump that writes to this process and to no file: nothing is left of it but what was read. It is killed by
 * the kernel when this process dies; for that it stays the user it is, as another one is not told of the death.
 */
export function startTcpdump({ namespace, interfaceName }: Tap, filter: string, events: TcpdumpEvents): Tcpdump {
  const options = ['-i', interfaceName, '-n', '-U', '--immediate-mode', '-s', '0', '--time-stamp-precision=nano'];
  const words = ['--pdeathsig', 'KILL', '--', 'tcpdump', ...options, '-Z', 'root', '-w', '-', '--', filter];
  const command = enter(namespace, 'setpriv', words);
  const child = spawn(command.file, command.words, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
  const stream = createPcapStream();
  let asked = false;
  let problem = '';
  let complaint = '';
  const end = (): void => {
    if (asked) return;
    asked = true;
    stop(child);
  };
  child.stderr.on('data', (text: Buffer) => {
    if (complaint.length < MOST_OF_COMPLAINT) complaint += String(text);
  });
  child.stdout.on('data', (bytes: Buffer) => {
    if (asked) return;
    try {
      for (const packet of stream.take(bytes)) if (!asked) events.packet(stream.linkType() ?? 0, packet);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
      end();
    }
  });
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(`tcpdump could not be started: ${error.message}`));
    child.once('close', () => resolve(problem !== '' ? problem : asked ? null : describe(complaint)));
  });
  return { ended, end };
}

function stop(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  void once(child, 'close').then(() => clearTimeout(kill));
  child.kill('SIGTERM');
}
