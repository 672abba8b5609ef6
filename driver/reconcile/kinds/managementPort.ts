import { ENGINE_PORT_OWNER, type Port } from '../../clouds/network/port';
import { type Engine, enginePortDescription, hasServed, managementPortName } from '../../domain/engine';
import { type EngineClouds, type EngineTarget, LostServerError, ownerTagOf } from '../engineRun';
import type { Kind } from '../kind';

/** The port an engine calls home by. */
export interface ManagementPort {
  readonly engine: Engine;
  /** Null while there is none. */
  readonly port: Port | null;
  /** The engine has another one, which stays. */
  readonly surplus: boolean;
}

/**
 * Keeps one port in the management network for an engine that is to stay. It is there before the server is, so that the
 * engine's address is known before anything boots; a lost call's port is found again by its name, which bears the
 * engine's id. Of several the plugged-in one stays.
 */
export const managementPort: Kind<ManagementPort, EngineTarget, EngineClouds> = {
  name: 'management-port',
  key: ({ engine, port, surplus }) => (surplus ? `${engine.id} ${port?.id}` : engine.id),
  desired: ({ engine }) => (engine.deleting ? [] : [{ engine, port: null, surplus: false }]),
  observed: async ({ engine }, { network, notes }) => {
    const found = await network.listPorts({ name: managementPortName(engine.id) });
    // Nova writes its server's id into the port that it plugs in.
    const ports = [...found].sort((one, other) => rank(one) - rank(other) || (one.id < other.id ? -1 : 1));
    const [stays] = ports;
    if (stays) notes.managementPort = stays;
    return ports.map((port) => ({ engine, port, surplus: port !== stays }));
  },
  same: () => true,
  async put({ engine }, clouds) {
    if (!hasServed(engine)) await makeManagementPort(engine, clouds);
    // One that is connected has another way home: Nova made its port, at an earlier version of this program.
    else if (engine.connectedTo === null) throw new LostServerError('its port in the management network is gone');
  },
  remove: ({ port }, { network }) => (port === null ? Promise.resolve() : network.deletePort(port.id)),
};

/** Makes it and notes it for the server. */
export async function makeManagementPort(engine: Engine, clouds: EngineClouds): Promise<void> {
  const { management, network, notes } = clouds;
  if (!management) return;
  notes.managementPort = await network.createPort({
    name: managementPortName(engine.id),
    projectId: engine.ownerProjectId,
    networkId: management.networkId,
    fixedIps: [],
    deviceId: '',
    deviceOwner: ENGINE_PORT_OWNER,
    adminStateUp: true,
    securityGroupIds: management.securityGroupIds,
    description: enginePortDescription(ownerTagOf(clouds), engine.id),
  });
}

function rank({ deviceId }: Port): number {
  return deviceId === '' ? 1 : 0;
}
