import { randomUUID } from 'node:crypto';
import type { FixedIp, NetworkDriver, Port, PortRequest, SecurityGroup, Subnet } from './port';
import { stableUuid } from './seed';

export interface NoopNetworkDeps {
  readonly now?: () => Date;
  readonly newId?: () => string;
}

/** RFC 2544's benchmark range: 131,072 addresses that no network routes, enough to make up one for each port. */
const FIRST_MADE_UP = 0xc6120000;
const MADE_UP = 0x20000;

/**
 * The network driver that accepts any id and does nothing, for API tests and benchmarks, as Octavia's own no-op driver.
 * What it tells of an id depends on the id alone: a subnet is always in the same network, and that network has it. Addresses nobody asked for are
 * made up, each differing from the ones before. Ports it made are known until they are deleted or the process ends.
 */
export function createNoopNetwork({ now = () => new Date(), newId = randomUUID }: NoopNetworkDeps = {}): NetworkDriver {
  const ports = new Map<string, Port>();
  let madeUp = 0;
  const makeUp = (): string => toIpv4(FIRST_MADE_UP + 1 + (madeUp++ % (MADE_UP - 2)));
  const portNamed = (id: string): Port => ports.get(id) ?? inventPort(id, now());

  return {
    acceptsAnything: true,
    findNetwork: async (id) => ({ ...NETWORK, id, name: id, subnetIds: [twinOf(id)] }),
    findSubnet: async (id) => inventSubnet(id),
    findPort: async (id) => portNamed(id),
    supportsQos: async () => true,
    hasQosPolicy: async () => true,
    hasSecurityGroup: async () => true,
    findSecurityGroup: async (id) => inventGroup(id, now()),
    listSecurityGroups: async () => [],
    createSecurityGroup: async ({ name, description, projectId }) => {
      return { ...inventGroup(newId(), now()), name, description, projectId: projectId ?? '' };
    },
    addSecurityGroupRule: async () => {},
    deleteSecurityGroup: async () => {},
    countFreeAddresses: async () => 1_000_000,
    async createPort(request) {
      const port = { ...buildPort(request, makeUp), id: newId(), createdAt: now() };
      ports.set(port.id, port);
      return port;
    },
    async updatePort(id, change) {
      const { fixedIps: _made, ...plain } = change;
      const known = portNamed(id);
      const port = { ...known, ...plain, revision: (known.revision ?? 0) + 1 };
      if (ports.has(id)) ports.set(id, port);
      return port;
    },
    deletePort: async (id) => void ports.delete(id),
    listPorts: async ({ deviceId, deviceOwner, networkId, name, description, securityGroupId }) =>
      [...ports.values()].filter(
        (port) =>
          (name === undefined || port.name === name) &&
          (description === undefined || port.description === description) &&
          (securityGroupId === undefined || port.securityGroupIds.includes(securityGroupId)) &&
          (deviceId === undefined || port.deviceId === deviceId) &&
          (deviceOwner === undefined || port.deviceOwner === deviceOwner) &&
          (networkId === undefined || port.networkId === networkId),
      ),
  };
}

const NETWORK = { projectId: '', mtu: 1500, external: false, shared: true } as const;

function inventSubnet(id: string): Subnet {
  return {
    id,
    name: id,
    networkId: twinOf(id),
    projectId: '',
    cidr: '198.18.0.0/15',
    ipVersion: 4,
    gatewayIp: null,
    hostRoutes: [],
  };
}

function inventGroup(id: string, createdAt: Date): SecurityGroup {
  return { id, name: id, description: '', projectId: '', createdAt, rules: [] };
}

/** A port somebody else made, so its address must not depend on how many this process made up before. */
function inventPort(id: string, createdAt: Date): Port {
  const subnetId = stableUuid(`noop subnet of port ${id}`);
  const offset = Number.parseInt(stableUuid(id).slice(0, 8), 16) % (MADE_UP - 2);
  return {
    id,
    name: id,
    projectId: '',
    networkId: inventSubnet(subnetId).networkId,
    macAddress: 'fa:16:3e:00:00:00',
    deviceId: '',
    deviceOwner: '',
    fixedIps: [{ subnetId, ipAddress: toIpv4(FIRST_MADE_UP + 1 + offset) }],
    allowedAddressPairs: [],
    securityGroupIds: [],
    qosPolicyId: null,
    adminStateUp: true,
    createdAt,
    description: '',
    revision: 1,
  };
}

function buildPort(request: PortRequest, makeUp: () => string): Omit<Port, 'id' | 'createdAt'> {
  const { name, projectId, networkId, deviceId, deviceOwner, adminStateUp } = request;
  const wishes: PortRequest['fixedIps'] = request.fixedIps.length > 0 ? request.fixedIps : [{}];
  const fixedIps = wishes.map(
    ({ subnetId = twinOf(networkId), ipAddress = makeUp() }): FixedIp => ({
      subnetId,
      ipAddress,
    }),
  );
  return {
    name,
    projectId: projectId ?? '',
    networkId,
    macAddress: 'fa:16:3e:00:00:00',
    deviceId,
    deviceOwner,
    fixedIps,
    allowedAddressPairs: [],
    securityGroupIds: request.securityGroupIds ?? [],
    qosPolicyId: request.qosPolicyId ?? null,
    adminStateUp,
    description: request.description ?? '',
    revision: 1,
  };
}

/** From a subnet's id to its network's and back: the same step both ways, so that what is told of the two agrees. */
function twinOf(id: string): string {
  return id.replace(/[0-9a-f]$/i, (digit) => (15 - Number.parseInt(digit, 16)).toString(16));
}

function toIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}
