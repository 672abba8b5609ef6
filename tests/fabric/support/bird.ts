import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface BirdSettings {
  readonly localAs: number;
  readonly address: string;
  readonly address6: string;
  readonly peers: readonly { readonly address: string; readonly as: number; readonly md5?: string }[];
  /** Prefixes that it announces. */
  readonly prefixes: readonly string[];
}

/** A BIRD as an operator would write it by hand. */
export function startBird(machine: string, settings: BirdSettings): { stop(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'ss-fb-bird-'));
  const file = join(directory, 'bird.conf');
  writeFileSync(file, render(settings));
  const words = [`--net=/run/netns/${machine}`, 'bird', '-f', '-c', file, '-s', join(directory, 'ctl')];
  const child: ChildProcess = spawn('nsenter', words, { stdio: 'ignore' });
  child.on('error', () => undefined);
  return {
    stop() {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function render({ localAs, address, address6, peers, prefixes }: BirdSettings): string {
  const of = (v6: boolean) => prefixes.filter((one) => one.includes(':') === v6);
  const routes = (v6: boolean) => of(v6).map((one) => `  route ${one} blackhole;`);
  return [
    `router id ${address};`,
    'protocol device {}',
    ...['protocol static {', '  ipv4;', ...routes(false), '}'],
    ...['protocol static {', '  ipv6;', ...routes(true), '}'],
    ...peers.flatMap((peer) => [
      'protocol bgp {',
      `  local ${address} as ${localAs};`,
      `  neighbor ${peer.address} as ${peer.as};`,
      '  multihop; hold time 9; connect retry time 1; error wait time 1, 2; connect delay time 1;',
      ...(peer.md5 === undefined ? [] : [`  password "${peer.md5}";`]),
      `  ipv4 { import none; export filter { bgp_next_hop = ${address}; accept; }; };`,
      `  ipv6 { import none; export filter { bgp_next_hop = ${address6}; accept; }; };`,
      '}',
    ]),
    '',
  ].join('\n');
}
