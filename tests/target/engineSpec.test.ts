import type { Vnic, VnicFacts } from '../../driver/domain/vnic';
import { EngineSpec } from '../../driver/protocol/engineSpec';
import { buildEngineSpec } from '../../driver/target/engineSpec';

const FACTS: VnicFacts = {
  subnetIds: ['subnet'],
  mtu: 1450,
  addresses: ['10.0.0.5/24'],
  gateways: [],
  hostRoutes: [],
  staticRoutes: [],
};
const aVnic = (id: string, given: Partial<Vnic> = {}, facts: Partial<VnicFacts> | null = {}): Vnic => ({
  id,
  engineId: 'engine',
  domainId: 'net',
  networkId: 'net',
  subnetId: 'subnet',
  subnetIds: ['subnet'],
  vipSide: true,
  portId: `port-${id}`,
  macAddress: 'FA:16:3E:00:00:01',
  ipAddress: '10.0.0.5',
  deleting: false,
  facts: facts && { ...FACTS, ...facts },
  ...given,
});
const members = { networkId: 'members', vipSide: false };
const routesOf = (...vnics: Vnic[]) =>
  buildEngineSpec(vnics, 1).domains[0]?.routes.map((it) => `${it.destination} ${it.nextHop} ${it.vnicId} ${it.metric}`);

it('tells of vNICs whose port is there and whose place is known, less those that are to go', () => {
  const spec = buildEngineSpec(
    [
      aVnic('here'),
      aVnic('no-port', { portId: null }),
      aVnic('no-facts', {}, null),
      aVnic('going', { deleting: true }),
      aVnic('local', { domainId: null }),
    ],
    7,
  );
  expect(EngineSpec.parse(spec)).toEqual(spec);
  expect(spec).toMatchObject({
    generation: 7,
    domains: [{ id: 'net', vnics: [{ id: 'here', macAddress: 'fa:16:3e:00:00:01' }] }],
  });
});

it('has equal digests for equal vNICs, in whatever order and at whatever generation', () => {
  const [one, other] = [aVnic('a'), aVnic('b', { ...members, domainId: 'other' })];
  expect(buildEngineSpec([one, other], 1).digest).toBe(buildEngineSpec([other, one], 2).digest);
  expect(buildEngineSpec([one], 1).digest).not.toBe(buildEngineSpec([one, other], 1).digest);
});

it("the VIP network's vNIC is the first of its domain, and the default route leaves by it alone", () => {
  const spec = buildEngineSpec(
    [aVnic('a', members, { gateways: ['10.7.0.1'] }), aVnic('z', {}, { gateways: ['10.0.0.1', 'fd00::1'] })],
    1,
  );
  expect(spec.domains[0]?.vnics.map(({ id }) => id)).toEqual(['z', 'a']);
  expect(spec.domains[0]?.routes).toEqual([
    { destination: '0.0.0.0/0', nextHop: '10.0.0.1', vnicId: 'z', metric: 100 },
    { destination: '::/0', nextHop: 'fd00::1', vnicId: 'z', metric: 100 },
  ]);
});

it('of a network of members only the host routes count, and none of them is a default', () => {
  const hostRoutes = [
    { destination: '10.8.0.0/16', nextHop: '10.7.0.254' },
    { destination: '0.0.0.0/0', nextHop: '10.7.0.254' },
  ];
  expect(routesOf(aVnic('v'), aVnic('m', members, { gateways: ['10.7.0.1'], hostRoutes }))).toEqual([
    '10.8.0.0/16 10.7.0.254 m 100',
  ]);
});

it('a default among the host routes of the VIP network goes before its gateway', () => {
  const hostRoutes = [{ destination: '0.0.0.0/0', nextHop: '10.0.0.254' }];
  expect(routesOf(aVnic('v', {}, { gateways: ['10.0.0.1'], hostRoutes }))).toEqual(['0.0.0.0/0 10.0.0.254 v 100']);
});

it('configured routes have a metric behind all others, and no two routes share place and metric', () => {
  const staticRoutes = [{ destination: '10.9.0.0/16', nextHop: '10.0.0.9' }];
  const other = [{ destination: '10.9.0.0/16', nextHop: '10.7.0.9' }];
  expect(
    routesOf(
      aVnic('v', {}, { hostRoutes: staticRoutes, staticRoutes }),
      aVnic('m', members, { hostRoutes: other, staticRoutes: other }),
    ),
  ).toEqual(['10.9.0.0/16 10.0.0.9 v 100', '10.9.0.0/16 10.7.0.9 m 101']);
  expect(routesOf(aVnic('v', {}, { staticRoutes }), aVnic('m', members, { staticRoutes: other }))).toEqual([
    '10.9.0.0/16 10.0.0.9 v 30000',
    '10.9.0.0/16 10.7.0.9 m 30001',
  ]);
});
