import type { SurveyedPort } from '../../driver/domain/survey';
import type { LoadBalancerTree } from '../../driver/domain/tree';
import type { EngineFacts } from '../../driver/protocol/inspection';
import type { EngineRow, TraceFacts, VnicRow } from '../../driver/trace/facts';
import { aListener, aMember, aPlacement, aPool, aTree, aVip } from '../support/build';

/** The facts of a healthy load balancer on two engines; by parts, so that a test says what is wrong alone. */

export const VIP = '10.10.0.60';
const ENGINES = ['1', '2'];

export function anEngine(n: string, given: Partial<EngineRow> = {}): EngineRow {
  return {
    ...{ id: `engine-${n}`, name: `se-${n}`, status: 'READY', host: `compute-${n}`, computeId: `server-${n}` },
    ...{ managementAddress: '10.250.0.5', connected: true, lastHeartbeat: '2026-01-01T00:00:00' },
    ...given,
  };
}

export function aVnic(n: string, given: Partial<VnicRow> = {}): VnicRow {
  return {
    ...{
      id: `vnic-${n}`,
      engineId: `engine-${n}`,
      networkId: 'front',
      portId: `port-${n}`,
      macAddress: `02:00:00:00:00:0${n}`,
    },
    ...{ addresses: [`10.10.0.1${n}/24`], mtu: 1500, gateways: ['10.10.0.1'], vipSide: true, deleting: false },
    ...{ bgpServiceId: null, bgpJoined: false, bgpTrouble: null },
    ...given,
  };
}

export function aSurveyedPort(n: string, given: Partial<SurveyedPort> = {}): SurveyedPort {
  return {
    ...{ id: `port-${n}`, name: `port-${n}`, fqName: `d:p:port-${n}`, networkId: 'front', host: `compute-${n}` },
    ...{ macAddress: `02:00:00:00:00:0${n}`, addresses: [`10.10.0.1${n}`] },
    pairs: [{ prefix: `${VIP}/32`, mode: 'active-active' }],
    ...{ securityGroupIds: ['group'], portSecurity: true, policyDisabled: false },
    healthChecks: [{ id: 'check', name: 'check', enabled: true, monitor: 'PING' }],
    ...{ routeTables: [], bgpServiceIds: [], bgpRouters: [] },
    ...given,
  };
}

export function anInspection(n: string, given: Partial<EngineFacts> = {}): EngineFacts {
  const name = `v0200000000${n}`;
  return {
    ...{ held: 1, inForce: 1, refusals: [] },
    namespace: { name: 'ss-d-1', exists: true, ready: true, problems: [] },
    interfaces: [
      {
        ...{ name, vnicId: `vnic-${n}`, macAddress: `02:00:00:00:00:0${n}`, mtu: 1500, wantedMtu: 1500, up: true },
        ...{ addresses: [`10.10.0.1${n}/24`, `${VIP}/32`], reversePathCheck: false },
      },
    ],
    ...{ missingAddresses: [], missingRoutes: [], bgp: null, certificates: [], unread: [] },
    routes: [{ destination: '0.0.0.0/0', nextHop: '10.10.0.1', device: name, metric: 0, wanted: true }],
    neighbours: [{ address: '10.10.0.1', device: name, macAddress: '00:00:5e:00:01:00', state: 'REACHABLE' }],
    daemons: [{ name: 'haproxy', running: true, answers: true, detail: 'pid 7' }],
    listeners: { listener: 'OPEN' },
    members: [{ poolId: 'pool', memberId: 'member', status: 'UP', check: 'L7OK' }],
    ...given,
  };
}

export interface Given {
  readonly tree?: Partial<LoadBalancerTree>;
  readonly engine?: Partial<EngineRow>;
  readonly vnic?: Partial<VnicRow>;
  readonly port?: Partial<SurveyedPort>;
  readonly inspection?: Partial<EngineFacts>;
  readonly facts?: Partial<TraceFacts>;
}

/** What is given of an engine, its vNIC, port and inspection is of the first one. */
export function someFacts({ tree, engine, vnic, port, inspection, facts }: Given = {}): TraceFacts {
  const first = <T extends object>(n: string, given: T | undefined): Partial<T> => (n === '1' ? (given ?? {}) : {});
  const found: TraceFacts = {
    tree: aTree({
      ...{ vipMode: 'aap', generation: 1, settledGeneration: 1 },
      vip: aVip({ ipAddress: VIP, networkId: 'front', portId: 'vip-port' }),
      listeners: [aListener({ id: 'listener', defaultPoolId: 'pool' })],
      pools: [aPool({ id: 'pool', members: [aMember({ id: 'member', address: '10.10.0.100' })] })],
      placements: ENGINES.map((n) =>
        aPlacement({ id: `p-${n}`, engineId: `engine-${n}`, wantedGeneration: 1, confirmedGeneration: 1 }),
      ),
      ...tree,
    }),
    group: { id: 'group', name: 'default', haMode: 'active_active' },
    networkDriver: 'contrail',
    engines: ENGINES.map((n) => anEngine(n, first(n, engine))),
    vnics: ENGINES.map((n) => aVnic(n, first(n, vnic))),
    ...{ wiring: [], sessions: [], bgpServices: [], events: [], ghosts: [], controlNodes: [], vRouters: [] },
    ports: { at: 'Neutron', problem: 'not asked' },
    survey: {
      at: 'VNC',
      value: {
        ports: ENGINES.map((n) => aSurveyedPort(n, first(n, port))),
        ...{ networks: [], floatingIps: [], bgpServices: [], claims: [], clients: [], controlNodes: [], vRouters: [] },
        securityGroups: [
          {
            ...{ id: 'group', name: 'engines' },
            rules: [
              {
                ...{ ingress: true, protocol: 'tcp', portMin: 0, portMax: 65_535, ethertype: 'IPv4' },
                sources: ['0.0.0.0/0'],
              },
            ],
          },
        ],
        globals: { autonomousSystem: 64_512, sessions: 513, sessionsTaken: 2 },
      },
    },
    inspections: new Map(
      ENGINES.map((n) => [`engine-${n}`, { at: `engine se-${n}`, value: anInspection(n, first(n, inspection)) }]),
    ),
    wanted: { healthCheck: true, managementNetworkIds: ['management'] },
  };
  return { ...found, ...facts };
}
