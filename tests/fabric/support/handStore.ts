import { randomUUID } from 'node:crypto';
import type { ConfigurationStore } from './view';

/** A configuration written by hand: objects as the API shows them, as far as the fabric reads them. */
export interface HandStore extends ConfigurationStore {
  put(type: string, object: Readonly<Record<string, unknown>>): string;
  change(type: string, uuid: string, members: Readonly<Record<string, unknown>>): void;
  remove(type: string, uuid: string): void;
}

type Stored = Readonly<Record<string, unknown>> & { readonly uuid: string };

export function createHandStore(): HandStore {
  const objects = new Map<string, Map<string, Stored>>();
  const listeners = new Set<() => void>();
  const of = (type: string) => objects.get(type) ?? new Map<string, Stored>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    list: (type) => [...of(type).values()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    put(type, object) {
      const uuid = typeof object['uuid'] === 'string' ? object['uuid'] : randomUUID();
      objects.set(type, of(type).set(uuid, { fq_name: [uuid], ...object, uuid }));
      tell();
      return uuid;
    },
    change(type, uuid, members) {
      const old = of(type).get(uuid);
      if (!old) throw new Error(`no ${type} ${uuid}`);
      of(type).set(uuid, { ...old, ...members });
      tell();
    },
    remove(type, uuid) {
      of(type).delete(uuid);
      tell();
    },
  };
}

export interface HandNetwork {
  readonly id: string;
  readonly name: string;
}

/** `10.1.0.0/24` has the gateway .1 and the name service .2; likewise IPv6. */
export function addNetwork(store: HandStore, name: string, bases: readonly string[]): HandNetwork {
  const subnets = bases.map((base) => ({ default_gateway: `${base}1`, dns_server_address: `${base}2` }));
  const ipam = { uuid: randomUUID(), to: ['ipam'], attr: { ipam_subnets: subnets } };
  const fqName = ['default-domain', 'hand', name];
  return { id: store.put('virtual-network', { fq_name: fqName, network_ipam_refs: [ipam] }), name };
}

let count = 0;

export interface HandInterface {
  readonly id: string;
  readonly addresses: readonly string[];
}

export function addInterface(
  store: HandStore,
  network: HandNetwork,
  { host, addresses }: { host: string; addresses: readonly string[] },
): HandInterface {
  count += 1;
  const mac = `02:00:00:00:${(count >> 8).toString(16).padStart(2, '0')}:${(count & 255).toString(16).padStart(2, '0')}`;
  const id = store.put('virtual-machine-interface', {
    virtual_network_refs: [{ uuid: network.id }],
    virtual_machine_interface_mac_addresses: { mac_address: [mac] },
    virtual_machine_interface_bindings: { key_value_pair: [{ key: 'host_id', value: host }] },
  });
  for (const instance_ip_address of addresses) {
    store.put('instance-ip', { instance_ip_address, virtual_machine_interface_refs: [{ uuid: id }] });
  }
  return { id, addresses };
}

export function setPairs(store: HandStore, id: string, addresses: readonly string[], mode = 'active-active'): void {
  const pairs = addresses.map((address) => ({
    ip: { ip_prefix: address, ip_prefix_len: address.includes(':') ? 128 : 32 },
    address_mode: mode,
  }));
  store.change('virtual-machine-interface', id, {
    virtual_machine_interface_allowed_address_pairs: { allowed_address_pair: pairs },
  });
}

export interface HandFloatingIp {
  readonly address: string;
  readonly fixed?: string;
  readonly interfaces: readonly HandInterface[];
}

export function addFloatingIp(store: HandStore, network: HandNetwork, floating: HandFloatingIp): string {
  const { address, fixed, interfaces } = floating;
  return store.put('floating-ip', {
    fq_name: ['default-domain', 'hand', network.name, 'pool', randomUUID()],
    floating_ip_address: address,
    ...(fixed !== undefined && { floating_ip_fixed_ip_address: fixed }),
    virtual_machine_interface_refs: interfaces.map(({ id }) => ({ uuid: id })),
  });
}
