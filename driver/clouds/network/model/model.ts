import { randomBytes, randomUUID } from 'node:crypto';
import type { ResourceStore, StoredBody } from '../store';
import { type AddressSpace, createAddressSpace } from './addressSpace';
import type {
  FloatingIpRecord,
  NetworkRecord,
  PortRecord,
  QosPolicyRecord,
  SecurityGroupRecord,
  SubnetRecord,
} from './records';
import { createTable, type Indexes, type Table } from './table';

/** The state of the embedded Neutron. The files beside this one hold what may be done with it, one a kind of object. */
export interface NetworkModel {
  readonly networks: Table<NetworkRecord>;
  readonly subnets: Table<SubnetRecord>;
  readonly ports: Table<PortRecord>;
  readonly securityGroups: Table<SecurityGroupRecord>;
  readonly floatingIps: Table<FloatingIpRecord>;
  readonly qosPolicies: Table<QosPolicyRecord>;
  /** By subnet id; every subnet has one. */
  readonly spaces: Map<string, AddressSpace>;
  /** Projects whose default security group is being made at this moment. */
  readonly defaultGroups: Map<string, Promise<SecurityGroupRecord>>;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly newMac: () => string;
  readonly isUsable: (address: string) => boolean | Promise<boolean>;
}

export interface NetworkModelDeps {
  readonly store: ResourceStore;
  readonly now?: () => Date;
  readonly newId?: () => string;
  /** Whether this host can serve the address; asked for each address the model chooses itself. */
  readonly isUsable?: (address: string) => boolean | Promise<boolean>;
}

/** Reads the store and takes every stored object in. @throws whatever the store throws */
export async function openNetworkModel(deps: NetworkModelDeps): Promise<NetworkModel> {
  const write = createWriteQueue();
  const tableOf = <T extends { readonly id: string } & StoredBody>(kind: string, indexes: Indexes<T>): Table<T> =>
    createTable<T>(
      {
        put: (id, body) => write(() => deps.store.put(kind, id, body)),
        remove: (id) => write(() => deps.store.remove(kind, id)),
      },
      indexes,
    );
  const model: NetworkModel = {
    networks: tableOf('network', { name: ({ name }) => [name] }),
    subnets: tableOf('subnet', { name: ({ name }) => [name], network_id: (subnet) => [subnet.network_id] }),
    ports: tableOf('port', PORT_INDEXES),
    securityGroups: tableOf('security_group', {
      name: ({ name }) => [name],
      project_id: (group) => [group.project_id],
      rule: (group) => group.security_group_rules.map(({ id }) => id),
    }),
    floatingIps: tableOf('floatingip', {
      port_id: (ip) => (ip.port_id === null ? [] : [ip.port_id]),
      floating_network_id: (ip) => [ip.floating_network_id],
      floating_ip_address: (ip) => [ip.floating_ip_address],
    }),
    qosPolicies: tableOf('policy', { name: ({ name }) => [name] }),
    spaces: new Map(),
    defaultGroups: new Map(),
    now: deps.now ?? (() => new Date()),
    newId: deps.newId ?? randomUUID,
    newMac,
    isUsable: deps.isUsable ?? (() => true),
  };
  await admitStored(model, deps.store);
  return model;
}

const PORT_INDEXES: Indexes<PortRecord> = {
  name: ({ name }) => [name],
  network_id: (port) => [port.network_id],
  device_id: (port) => [port.device_id],
  mac_address: (port) => [port.mac_address],
  subnet: (port) => port.fixed_ips.map((ip) => ip.subnet_id),
  security_group: (port) => port.security_groups,
};

/** The address space of a subnet that exists. */
export function spaceOf(model: NetworkModel, { id, cidr, allocation_pools }: SubnetRecord): AddressSpace {
  const known = model.spaces.get(id);
  if (known) return known;
  const space = createAddressSpace(cidr, allocation_pools);
  model.spaces.set(id, space);
  return space;
}

/** One write after the other, in the order asked for: two changes of one object must not overtake each other. */
function createWriteQueue(): (write: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (write) => {
    const written = last.then(write);
    last = written.catch(() => {});
    return written;
  };
}

async function admitStored(model: NetworkModel, store: ResourceStore): Promise<void> {
  const tables: Readonly<Record<string, Table<never>>> = {
    network: model.networks as Table<never>,
    subnet: model.subnets as Table<never>,
    port: model.ports as Table<never>,
    security_group: model.securityGroups as Table<never>,
    floatingip: model.floatingIps as Table<never>,
    policy: model.qosPolicies as Table<never>,
  };
  for (const { kind, body } of await store.load()) tables[kind]?.admit(body as never);

  const taken = [
    ...[...model.ports.all()].flatMap((port) => port.fixed_ips),
    ...[...model.floatingIps.all()].map((ip) => ({
      subnet_id: ip.floating_subnet_id,
      ip_address: ip.floating_ip_address,
    })),
  ];
  for (const { subnet_id, ip_address } of taken) {
    const subnet = model.subnets.get(subnet_id);
    if (subnet) spaceOf(model, subnet).take(ip_address);
  }
}

/** In the prefix Neutron itself uses. */
function newMac(): string {
  return ['fa', '16', '3e', ...[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}
