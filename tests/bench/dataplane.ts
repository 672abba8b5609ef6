import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { logIn } from '../support/apiClient';
import { freePorts, startSite } from '../support/site';
import { waitUntil } from '../support/wait';
import { printTable, quantile } from './figures';

/**
 * `npm run bench:dataplane`: requests per second through a VIP as a ratio to the same haproxy with a hand-tuned
 * configuration, same backends, same run, in alternating rounds. Needs `wrk` and haproxy on the PATH. Prints a table;
 * asserts nothing.
 */
const ROUNDS = 7;
const SECONDS = 3;
const CONNECTIONS = 32;

/** nginx would be the better backend; haproxy itself answers as fast and is here anyway. */
function backendConfig(ports: readonly number[]): string {
  return [
    'global\n  maxconn 4000\n  nbthread 1',
    'defaults\n  mode http\n  timeout client 30s\n  timeout server 30s\n  timeout connect 5s',
    ...ports.map(
      (port, i) =>
        `frontend b${i}\n  bind 127.0.0.1:${port}\n  http-request return status 200 content-type text/plain string "ok${i}"`,
    ),
    '',
  ].join('\n');
}

function tunedConfig(port: number, backends: readonly number[]): string {
  return [
    'global\n  maxconn 4000\n  nbthread 2',
    'defaults\n  mode http\n  timeout client 50s\n  timeout server 50s\n  timeout connect 5s\n  http-reuse always\n  option httplog\n  no log',
    `frontend f\n  bind 127.0.0.1:${port}\n  default_backend b`,
    'backend b\n  balance roundrobin',
    ...backends.map((backend, i) => `  server s${i} 127.0.0.1:${backend}`),
    '',
  ].join('\n');
}

async function startHaproxy(directory: string, name: string, text: string): Promise<() => void> {
  const file = path.join(directory, `${name}.cfg`);
  writeFileSync(file, text);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'inherit' });
  return () => child.kill('SIGTERM');
}

async function load(url: string, headers: readonly string[] = []): Promise<number> {
  const { stdout } = await promisify(execFile)('wrk', [
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${SECONDS}s`,
    ...headers.flatMap((h) => ['-H', h]),
    url,
  ]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(stdout);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

async function compare(
  what: string,
  ours: string,
  tuned: string,
  headers: readonly string[],
): Promise<(string | number)[]> {
  const a: number[] = [];
  const b: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    a.push(await load(ours, headers));
    b.push(await load(tuned, headers));
  }
  const ratios = a.map((value, i) => value / (b[i] ?? Number.NaN));
  const spread = `${Math.min(...ratios).toFixed(3)}..${Math.max(...ratios).toFixed(3)}`;
  return [what, quantile(a, 0.5).toFixed(0), quantile(b, 0.5).toFixed(0), quantile(ratios, 0.5).toFixed(3), spread];
}

async function main(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'slipstream-bench-'));
  const [tunedPort = 0, ...backends] = await freePorts(3);
  const ends = [
    await startHaproxy(directory, 'backends', backendConfig(backends)),
    await startHaproxy(directory, 'tuned', tunedConfig(tunedPort, backends)),
  ];
  const site = await startSite({ vipCidr: '127.91.0.0/24' });
  try {
    const client = await logIn(site);
    const lb = await client.create<{ id: string; vip_address: string }>('/loadbalancers', 'loadbalancer', {
      vip_subnet_id: client.subnetId,
      listeners: [
        {
          protocol: 'HTTP',
          protocol_port: 8080,
          default_pool: {
            name: 'p',
            protocol: 'HTTP',
            lb_algorithm: 'ROUND_ROBIN',
            members: backends.map((port) => ({ address: '127.0.0.1', protocol_port: port })),
          },
        },
      ],
    });
    await client.settled(lb.id);
    const ours = `http://${lb.vip_address}:8080/`;
    const tuned = `http://127.0.0.1:${tunedPort}/`;
    await waitUntil('both serve', 10_000, async () => {
      const answers = await Promise.all(
        [ours, tuned].map((url) =>
          fetch(url).then(
            (r) => r.status,
            () => 0,
          ),
        ),
      );
      return answers.every((status) => status === 200);
    });
    printTable(
      ['what', 'ours req/s', 'tuned req/s', 'ratio (median)', 'spread'],
      [
        await compare('HTTP keep-alive', ours, tuned, []),
        await compare('HTTP, a connection a request', ours, tuned, ['Connection: close']),
      ],
    );
  } finally {
    for (const end of ends) end();
    await site.dispose();
    rmSync(directory, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
