import { CATALOGUE } from '../../driver/trace/catalogue';
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
