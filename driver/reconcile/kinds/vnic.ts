import { ENGINE_PORT_OWNER, type NetworkDriver, type Port } from '../../clouds/network/port';
import type { Db } from '../../db/connect';
import { recordVnicPort, type Vnic } from '../../db/vnics';
import { vnicPortName } from '../../domain/engine';
import { InvalidReferenceError } from '../../domain/errors';
import type { Kind } from '../kind';
import type { EngineTarget } from './server';

/** What the vNIC kind works with. */
export interface VnicClouds {
  readonly db: Db;
  readonly network: NetworkDriver;
}

/** An engine's port in a network. */
export interface EngineVnic {
  readonly engineId: string;
  /** Null for a port of the engine that no row knows. */
  readonly vnicId: string | null;
  readonly networkId: string;
  readonly subnetId: string | null;
  readonly portId: string | null;
  readonly macAddress: string | null;
  readonly ipAddress: string | null;
}

/** Keeps one port for each vNIC an engine needs. */
export const engineVnic: Kind<EngineVnic, EngineTarget, VnicClouds> = {
  name: 'vnic',
  key: ({ vnicId, portId }) => vnicId ?? `port ${portId}`,
  desired: ({ engine, vnics }) =>
    engine.deleting ? [] : vnics.filter(({ deleting }) => !deleting).map((vnic) => ({ ...vnic, vnicId: vnic.id })),
  observed: async ({ engine, vnics }, { network }) => {
    const ports = await network.listPorts({ deviceOwner: ENGINE_PORT_OWNER, deviceId: engine.id });
    const owners = new Map(vnics.map((vnic) => [vnic.id, choosePort(ports, vnic)]));
    return ports.map((port) => {
      const [vnicId] = [...owners].find(([, chosen]) => chosen === port) ?? [];
      return describePort(port, { engineId: engine.id, vnicId: vnicId ?? null });
    });
  },
  same: (want, have) =>
    want.portId === have.portId && want.macAddress === have.macAddress && want.ipAddress === have.ipAddress,
  async put(want, { db, network }, have) {
    if (want.vnicId === null) return;
    const found = have ?? describePort(await makePort(want, network), want);
    const { portId, macAddress, ipAddress } = found;
    if (portId === null || macAddress === null) return;
    await recordVnicPort(db, want.vnicId, { portId, macAddress, ipAddress });
  },
  remove: ({ portId }, { network }) => (portId === null ? Promise.resolve() : network.deletePort(portId)),
};

/** The recorded port if it is there; else one that a lost call made for this vNIC. */
function choosePort(ports: readonly Port[], vnic: Vnic): Port | undefined {
  return ports.find(({ id }) => id === vnic.portId) ?? ports.find(({ name }) => name === vnicPortName(vnic.id));
}

function describePort(port: Port, owner: Pick<EngineVnic, 'engineId' | 'vnicId'>): EngineVnic {
  const [first] = port.fixedIps;
  return {
    engineId: owner.engineId,
    vnicId: owner.vnicId,
    networkId: port.networkId,
    subnetId: first?.subnetId ?? null,
    portId: port.id,
    macAddress: port.macAddress,
    ipAddress: first?.ipAddress ?? null,
  };
}

/** The port belongs to the project of its network. */
async function makePort(want: EngineVnic, network: NetworkDriver): Promise<Port> {
  const found = await network.findNetwork(want.networkId);
  if (!found) throw new InvalidReferenceError('Network', want.networkId);
  return network.createPort({
    name: vnicPortName(want.vnicId ?? ''),
    projectId: found.projectId,
    networkId: want.networkId,
    fixedIps: want.subnetId === null ? [] : [{ subnetId: want.subnetId }],
    deviceId: want.engineId,
    deviceOwner: ENGINE_PORT_OWNER,
    adminStateUp: true,
  });
}
