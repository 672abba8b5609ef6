import { ipBatch } from '../../../devstack/lab/hosts/shell';
import type { Fabric } from './fabric';
import { addInterface, type HandInterface, type HandNetwork, type HandStore } from './handStore';

/** A machine with one interface, as a test writes it by hand. */
export interface HandMachine extends HandInterface {
  readonly machine: string;
}

export interface NewMachine {
  readonly network: HandNetwork;
  readonly label: string;
  readonly host: string;
  /** IPv4, IPv6; the gateways have the last number 1. */
  readonly addresses: readonly [string, string];
}

export interface HandSite {
  readonly fabric: Fabric;
  readonly store: HandStore;
}

export async function startMachine({ fabric, store }: HandSite, wanted: NewMachine): Promise<HandMachine> {
  const { network, label, host, addresses } = wanted;
  const machine = await fabric.machine(label);
  const made = addInterface(store, network, { host, addresses });
  fabric.plug(made.id, { namespace: machine, device: 'eth0' });
  await fabric.settled();
  const [own, own6] = addresses;
  await ipBatch(machine, [
    'link set eth0 up',
    `address add ${own}/24 dev eth0`,
    `address add ${own6}/64 dev eth0 nodad`,
    `route add default via ${own.replace(/\d+$/, '1')}`,
    `route add ::/0 via ${own6.replace(/[^:]+$/, '1')}`,
  ]);
  return { ...made, machine };
}
