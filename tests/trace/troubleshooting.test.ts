import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VRouterNextHop } from '../../driver/domain/introspect';
import { CATALOGUE } from '../../driver/trace/catalogue';
import type { TraceFacts } from '../../driver/trace/facts';
import { renderText } from '../../driver/trace/render/text';
import { traceOf } from '../../driver/trace/trace';
import { anInspection, type Given, someFacts, VIP } from './facts';

const PAGE = join(__dirname, '../../docs/troubleshooting.md');
const MARK = '<!-- traces -->\n';
/** `UPDATE_DOCS=yes npx jest tests/trace/troubleshooting` writes the page. */
const isUpdate = process.env['UPDATE_DOCS'] === 'yes';

const NODES: readonly [string, string][] = [
  ['control-1', '10.0.0.21'],
  ['control-2', '10.0.0.22'],
];
const HOSTS: readonly [string, string, string, number][] = [
  ['compute-1', '10.0.0.31', 'tap5630b950-0f', 58],
  ['compute-2', '10.0.0.32', 'tape08dfcbb-3b', 64],
];

function planes(): Pick<TraceFacts, 'controlNodes' | 'vRouters'> {
  const prefix = `${VIP}/32`;
  const controlNodes = NODES.map(([name, address]) => {
    const at = `control-node ${name}, introspect of ${address}`;
    const paths = HOSTS.map(([, nextHop, , label]) => ({
      ...{
        protocol: 'XMPP',
        source: nextHop,
        nextHop,
        label,
        localPreference: 200,
        asPath: '',
        sequence: '0',
        usable: true,
      },
    }));
    const routes = [{ table: 'default-domain:demo:front:front.inet.0', prefix, paths }];
    return { name, address, routes: { at, value: routes }, peers: { at, value: [] } };
  });
  const vRouters = HOSTS.map(([host, address, device, label], index) => {
    const at = `vRouter of ${host}, introspect of ${address}`;
    const [, otherAddress, , otherLabel] = HOSTS[1 - index] ?? ['', '', '', 0];
    const leaf = (kind: string, target: string, of: number): VRouterNextHop => ({
      ...{ kind, target, label: of, index: null, members: [] },
    });
    const members = [leaf('Interface', device, label), leaf('Tunnel', otherAddress, otherLabel)];
    const nextHop: VRouterNextHop = { kind: 'Composite', index: 76 + index, label: null, target: '', members };
    const own = {
      ...{ portId: `port-${index + 1}`, device, active: true, healthCheckActive: true, label },
      ...{ address: `10.10.0.1${index + 1}`, pairs: [prefix], floatingIps: [] },
    };
    const route = { vrf: 'default-domain:demo:front:front', prefix, nextHop };
    return { host, address, interfaces: { at, value: [own] }, routes: { at, value: [route] } };
  });
  return { controlNodes, vRouters };
}

const dead = () => {
  const members = [{ poolId: 'pool', memberId: 'member', status: 'DOWN', check: 'L4CON' }];
  return new Map(['1', '2'].map((n) => [`engine-${n}`, { at: `engine se-${n}`, value: anInspection(n, { members }) }]));
};

const SCENES: readonly (readonly [string, Given])[] = [
  ['Healthy', {}],
  ['A pair was removed', { port: { pairs: [] } }],
  ['Neutron reset a pair', { port: { pairs: [{ prefix: `${VIP}/32`, mode: 'active-standby' }] } }],
  ['An engine lost its vNIC', { inspection: { interfaces: [], missingAddresses: [VIP] } }],
  [
    'haproxy hangs',
    {
      inspection: {
        daemons: [{ name: 'haproxy', running: true, answers: false, detail: 'pid 7: no answer within 800 ms' }],
      },
    },
  ],
  ['All members are down', { facts: { inspections: dead() } }],
];

function render([title, given]: (typeof SCENES)[number]): string {
  const tree = { id: '6d1b0d52-0c4b-4c1e-9f0e-8d7d0b2c6a11', name: 'web', ...given.tree };
  const facts = { ...planes(), ...given.facts };
  return `### ${title}\n\n\`\`\`\n${renderText(traceOf(someFacts({ ...given, tree, facts })))}\n\`\`\`\n`;
}

it('shows the traces as they are, in the page on troubleshooting', () => {
  const traces = SCENES.map(render).join('\n');
  const [head = ''] = readFileSync(PAGE, 'utf8').split(MARK);
  const wanted = `${head}${MARK}\n${traces}`;
  if (isUpdate) writeFileSync(PAGE, wanted);

  expect(readFileSync(PAGE, 'utf8')).toBe(wanted);
});

it('names every fault of the catalogue in that page', () => {
  const page = readFileSync(PAGE, 'utf8');

  expect(CATALOGUE.map(({ name }) => name).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
