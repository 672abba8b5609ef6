import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openKeys } from '../dataplane/keys';
import { type ApiClient, logIn } from '../support/apiClient';
import { type Issued, issue } from '../support/certificates/issue';
import { freePorts } from '../support/freePorts';
import { startSite } from '../support/site';
import { waitUntil } from '../support/wait';
import { BATCH_HEADINGS, timeBatches } from './dataplane/batch';
import { CHANGE_HEADINGS, timeChanges } from './dataplane/changes';
import { COMPARISON_HEADINGS, compare } from './dataplane/compare';
import { haproxyPids } from './dataplane/haproxies';
import { handshakes, type Load, wrk } from './dataplane/load';
import { startServers, startTwin, type TwinPorts } from './dataplane/twin';
import { printTable } from './figures';

/**
 * `npm run bench:dataplane [throughput|changes|batches]`: throughput through a VIP as a ratio to the same haproxy with a
 * hand-tuned configuration of the same semantics (same members, same run, in turns); the time from a change to traffic
 * that shows it; batches of 1,000 members. Needs `wrk`, `openssl` and haproxy on the PATH. Prints tables; asserts nothing.
 */
const PARTS = ['throughput', 'changes', 'batches'] as const;
const LISTENERS = { http: 8080, tcp: 8081, tls: 8443 } as const;
type ListenerName = keyof typeof LISTENERS;

const ROWS: readonly [what: string, load: Load, listener: ListenerName, twin: keyof TwinPorts][] = [
  ['HTTP, connections kept', wrk('http', true), 'http', 'http'],
  ['HTTP, one connection each', wrk('http', false), 'http', 'http'],
  ['TCP, connections kept', wrk('http', true), 'tcp', 'tcp'],
  ['TCP, one connection each', wrk('http', false), 'tcp', 'tcp'],
  ['TLS, connections kept', wrk('https', true), 'tls', 'tls'],
  ['TLS, one full handshake each', handshakes(false), 'tls', 'tls'],
  ['TLS, one resumed session each', handshakes(true), 'tls', 'tls'],
  ['HTTP kept, to http-reuse always', wrk('http', true), 'http', 'eager'],
  ['HTTP one each, to http-reuse always', wrk('http', false), 'http', 'eager'],
];

interface Scene {
  readonly client: ApiClient;
  readonly loadBalancerId: string;
  readonly host: string;
  readonly poolId: string;
}

async function createLoadBalancer(client: ApiClient, backends: readonly number[], certificate: Issued): Promise<Scene> {
  const members = backends.map((port) => ({ address: '127.0.0.1', protocol_port: port }));
  const pool = (name: string, protocol: string) => ({ name, protocol, lb_algorithm: 'ROUND_ROBIN', members });
  const reference = await openKeys(client).container(certificate);
  const { id, vip_address: host } = await client.create<{ id: string; vip_address: string }>(
    '/loadbalancers',
    'loadbalancer',
    {
      vip_subnet_id: client.subnetId,
      pools: [pool('web', 'HTTP'), pool('stream', 'TCP')],
      listeners: [
        { protocol: 'HTTP', protocol_port: LISTENERS.http, default_pool: { name: 'web' } },
        { protocol: 'TCP', protocol_port: LISTENERS.tcp, default_pool: { name: 'stream' } },
        {
          protocol: 'TERMINATED_HTTPS',
          protocol_port: LISTENERS.tls,
          default_tls_container_ref: reference,
          default_pool: { name: 'web' },
        },
      ],
    },
  );
  const status = await client.settled(id);
  if (status !== 'ACTIVE') throw new Error(`the load balancer is ${status}`);
  const pools = (await client.request('GET', '/pools?name=web')).body.pools as { id: string }[];
  return { client, loadBalancerId: id, host, poolId: pools[0]?.id ?? '' };
}

async function compareAll({ loadBalancerId, host }: Scene, twin: { pid: number; ports: TwinPorts }): Promise<void> {
  const rows = [];
  for (const [what, load, listener, tuned] of ROWS) {
    const ours = { host, port: LISTENERS[listener], pids: haproxyPids(loadBalancerId) };
    const other = { host: '127.0.0.1', port: twin.ports[tuned], pids: [twin.pid] };
    rows.push(await compare(what, load, ours, other));
  }
  printTable(COMPARISON_HEADINGS, rows);
}

async function timeAllChanges(client: ApiClient, backends: readonly [number, number]): Promise<void> {
  const pool = {
    name: 'changing',
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    members: [{ address: '127.0.0.1', protocol_port: backends[0] }],
  };
  const { id, vip_address: host } = await client.create<{ id: string; vip_address: string }>(
    '/loadbalancers',
    'loadbalancer',
    { vip_subnet_id: client.subnetId, listeners: [{ protocol: 'HTTP', protocol_port: 8080, default_pool: pool }] },
  );
  await client.settled(id);
  const pools = (await client.request('GET', '/pools?name=changing')).body.pools as { id: string }[];
  const scene = { client, loadBalancerId: id, poolId: pools[0]?.id ?? '', host, port: 8080, backends };
  printTable(CHANGE_HEADINGS, await timeChanges(scene));
}

async function runOnSite(parts: readonly string[]): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'slipstream-bench-'));
  const [http = 0, eager = 0, tcp = 0, tls = 0, first = 0, second = 0] = await freePorts(6);
  const certificate = await issue({ cn: 'www.example.org', dnsNames: ['www.example.org'] });
  const ports = { http, eager, tcp, tls };
  const bundle = { backends: [first, second], certificate: certificate.pem + certificate.keyPem };
  const daemons = [startServers(directory, [first, second]), startTwin(directory, ports, bundle)] as const;
  const site = await startSite({ vipCidr: '127.91.0.0/24' });
  try {
    const client = await logIn(site);
    if (parts.includes('throughput')) {
      const scene = await createLoadBalancer(client, [first, second], certificate);
      await waitUntil('both serve', 10_000, () => isServed(scene.host, LISTENERS.http, '127.0.0.1', http));
      await compareAll(scene, { pid: daemons[1].pid, ports });
    }
    if (parts.includes('changes')) await timeAllChanges(client, [first, second]);
  } finally {
    for (const daemon of daemons) await daemon.stop();
    await site.dispose();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function isServed(ours: string, ourPort: number, twin: string, twinPort: number): Promise<boolean> {
  const urls = [`http://${ours}:${ourPort}/`, `http://${twin}:${twinPort}/`];
  const statuses = await Promise.all(
    urls.map((url) =>
      fetch(url).then(
        ({ status }) => status,
        () => 0,
      ),
    ),
  );
  return statuses.every((status) => status === 200);
}

async function main(): Promise<void> {
  const asked = process.argv.slice(2);
  const parts = asked.length === 0 ? PARTS : asked;
  const unknown = parts.find((part) => !PARTS.some((known) => known === part));
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${PARTS.join(', ')}`);
  if (parts.some((part) => part !== 'batches')) await runOnSite(parts);
  if (parts.includes('batches')) printTable(BATCH_HEADINGS, await timeBatches());
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
