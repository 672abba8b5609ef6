import type { ControlPath } from '../../driver/domain/introspect';
import { CATALOGUE } from '../../driver/trace/catalogue';
import { contentOf, type VRouterNextHop } from '../../driver/trace/facts';
import { renderHtml } from '../../driver/trace/render/html';
import { renderText } from '../../driver/trace/render/text';
import { traceOf } from '../../driver/trace/trace';
import { aListener } from '../support/build';
import { anInspection, type Given, someFacts } from './facts';

const firstFault = (given: Given): string | undefined => traceOf(someFacts(given)).verdict[0]?.fault;

it('finds nothing wrong with a healthy load balancer', () => {
  const { healthy, verdict, lines } = traceOf(someFacts());

  expect(verdict).toEqual([]);
  expect(healthy).toBe(true);
  expect(lines.filter(({ status }) => status === 'wrong')).toEqual([]);
});

it('has at least 25 faults, each under a name of its own', () => {
  const names = CATALOGUE.map(({ name }) => name);

  expect(names.length).toBeGreaterThanOrEqual(25);
  expect(new Set(names).size).toBe(names.length);
});

it.each<[string, Given]>([
  ['loadbalancer-disabled', { tree: { enabled: false } }],
  ['no-listener', { tree: { listeners: [] } }],
  ['no-engine', { tree: { placements: [] }, facts: { engines: [], vnics: [], inspections: new Map() } }],
  ['engine-ghost', { engine: { status: 'GHOST', connected: false } }],
  ['engine-building', { engine: { status: 'BUILDING', connected: false } }],
  ['engine-not-connected', { engine: { status: 'DOWN', connected: false } }],
  ['pair-missing', { port: { pairs: [] } }],
  ['pair-standby', { port: { pairs: [{ prefix: '10.10.0.60/32', mode: 'active-standby' }] } }],
  ['security-group', { port: { securityGroupIds: [] } }],
  ['port-without-address', { port: { addresses: [] } }],
  ['health-check-unlinked', { port: { healthChecks: [] } }],
  ['namespace-gone', { inspection: { namespace: { name: 'x', exists: false, ready: false, problems: [] } } }],
  ['vnic-missing', { inspection: { interfaces: [] } }],
  ['vip-address-missing', { inspection: { missingAddresses: ['10.10.0.60'] } }],
  ['haproxy-dead', { inspection: { daemons: [{ name: 'haproxy', running: false, answers: false, detail: null }] } }],
  ['certificate', { inspection: { certificates: [{ name: 'cert', reason: 'it has expired' }] } }],
  [
    'member-down-on-one-engine',
    { inspection: { members: [{ poolId: 'pool', memberId: 'member', status: 'DOWN', check: 'L4CON' }] } },
  ],
  ['vip-withdrawn', { tree: { vipWithdrawn: true } }],
])('names %s first', (fault, given) => {
  expect(firstFault(given)).toBe(fault);
});

it('names the host, when its vRouter does not answer either', () => {
  const silent = { at: 'introspect', problem: 'no answer' };
  const well = { at: 'introspect', value: [] };
  const vRouters = [
    { host: 'compute-1', address: '10.0.0.1', interfaces: silent, routes: silent },
    { host: 'compute-3', address: '10.0.0.3', interfaces: well, routes: well },
  ];

  expect(firstFault({ engine: { connected: false }, facts: { vRouters } })).toBe('host-lost');
});

it('tells what could not be read as a line, and judges the rest', () => {
  const unread = { at: 'VNC', problem: 'connect ECONNREFUSED' };
  const { healthy, lines } = traceOf(someFacts({ facts: { survey: unread } }));

  expect(healthy).toBe(true);
  expect(lines).toContainEqual(
    expect.objectContaining({ status: 'unknown', text: 'connect ECONNREFUSED', read: 'VNC' }),
  );
});

it('says between which engines a flow is decided, and no more', () => {
  const { lines } = traceOf(someFacts(), { source: '192.0.2.9', port: 40_000 });

  expect(lines.find(({ subject }) => subject === 'flow')?.text).toContain('one of se-1 and se-2, by the hash');
});

it('names the engine of a flow by the flow table of the vRouter where it enters', () => {
  const leaf = (kind: string, target: string, label: number): VRouterNextHop => ({
    ...{ kind, target, label, index: null, members: [] },
  });
  const members = [leaf('Interface', 'tap1', 58), leaf('Tunnel', '10.0.0.32', 65)];
  const nextHop: VRouterNextHop = { kind: 'Composite', index: 76, label: null, target: '', members };
  const own = { portId: 'port-1', device: 'tap1', active: true, healthCheckActive: true, label: 58 };
  const interfaces = { at: 'i', value: [{ ...own, address: '10.10.0.11', pairs: [], floatingIps: [] }] };
  const vRouters = [{ host: 'compute-1', address: '10.0.0.31', interfaces, routes: { at: 'i', value: [] } }];
  const given = someFacts({ facts: { vRouters } });
  const survey = contentOf(given.survey);
  const hosts = [{ name: 'compute-2', address: '10.0.0.32' }];
  const textWith = (record: { index: number } | undefined) => {
    const seen = { host: 'compute-1', route: { vrf: 'v', prefix: '10.10.0.60/32', nextHop }, record };
    const surveyed = survey && { at: 'VNC', value: { ...survey, vRouters: hosts } };
    const facts = { ...given, survey: surveyed, flow: { at: 'flow table', value: seen } };
    const { lines } = traceOf(facts, { source: '10.10.0.3', port: 40_000 });
    return lines.find(({ subject }) => subject === 'flow')?.text;
  };

  expect(textWith({ index: 0 })).toContain('takes engine se-1 (Interface tap1 label 58, path 1 of 2)');
  expect(textWith({ index: 1 })).toContain('takes engine se-2 (Tunnel 10.0.0.32 label 65, path 2 of 2)');
  expect(textWith(undefined)).toContain('not there yet; hashed over Interface tap1 label 58 | Tunnel');
});

it('tells of ghosts before the one that is awaited', () => {
  const ghosts = [{ at: '2026-01-01T00:00:00', message: 'service engine se-0 has not called within 300 s' }];
  const building: Given = { engine: { status: 'BUILDING', connected: false }, facts: { ghosts } };

  expect(traceOf(someFacts(building)).verdict[0]).toMatchObject({ fault: 'engine-ghost', subject: 'engine engine-1' });
  expect(firstFault({ facts: { ghosts } })).toBeUndefined();
});

it('counts no next hop of a control-node that is only announced', () => {
  const path = { protocol: 'BGP', source: '10.10.0.11', asPath: '65100', sequence: '0', localPreference: 100 };
  const told = { ...path, nextHop: '10.10.0.11', label: 0, usable: false };
  const resolved = { ...path, nextHop: '10.0.0.31', label: 16, usable: true };
  const found = (paths: readonly ControlPath[]) => {
    const routes = { at: 'i', value: [{ table: 't', prefix: '10.10.0.60/32', paths }] };
    const node = { name: 'control-1', address: '10.0.0.21', routes, peers: { at: 'i', value: [] } };
    return firstFault({ facts: { controlNodes: [node] } });
  };

  expect(found([told])).toBe('control-node-route-missing');
  expect(found([told, resolved])).toBe('ecmp-paths-missing');
  expect(found([told, resolved, { ...resolved, nextHop: '10.0.0.32' }])).toBeUndefined();
});

it('puts the likely cause in the first line of its text', () => {
  const trace = traceOf(someFacts({ port: { pairs: [] } }));
  const [first] = renderText(trace).split('\n');

  expect(first).toMatch(/^1\. pair-missing: port port-1 of engine se-1 has no address pair/);
});

it('lets nobody steer a terminal or a page by a name', () => {
  const name = '<script>alert(1)</script>\u001b[2J';
  const trace = traceOf(someFacts({ tree: { name, listeners: [aListener({ name, defaultPoolId: 'pool' })] } }));

  expect(renderText(trace)).not.toContain('\u001b');
  const page = renderHtml(trace, '2026-01-01T00:00:00Z');
  expect(page).not.toContain('<script');
  expect(page).toContain('&lt;script&gt;');
});

it('says that all members are down before it names each of them', () => {
  const members = [{ poolId: 'pool', memberId: 'member', status: 'DOWN', check: 'L4CON' }];
  const inspections = new Map(
    ['1', '2'].map((n) => [`engine-${n}`, { at: `engine se-${n}`, value: anInspection(n, { members }) }]),
  );
  const { verdict } = traceOf(someFacts({ facts: { inspections } }));

  expect(verdict.map(({ fault }) => fault)).toEqual(['members-down-vip-attracting', 'member-down']);
});
