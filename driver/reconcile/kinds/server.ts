import type { ComputeDriver, Server } from '../../clouds/compute/port';
import type { Db } from '../../db/connect';
import { recordServer, startBuilding } from '../../db/engines';
import type { Vnic } from '../../db/vnics';
import { type Engine, hashToken, newToken } from '../../domain/engine';
import { UnavailableError } from '../../domain/errors';
import type { Kind } from '../kind';

/** What an engine's unit compares with the clouds. */
export interface EngineTarget {
  readonly engine: Engine;
  readonly vnics: readonly Vnic[];
}

/** What the engine's server kind works with. */
export interface ServerClouds {
  readonly db: Db;
  readonly compute: ComputeDriver;
  /** Where engines find their controllers: WebSocket URLs. */
  readonly controllers: readonly string[];
}

/** A server of an engine. */
export interface EngineServer {
  readonly engineId: string;
  readonly name: string;
  /** Null while there is none. */
  readonly computeId: string | null;
  readonly managementAddress: string | null;
  readonly host: string | null;
  readonly broken: boolean;
  /** Why, in the compute service's words, if it says so. */
  readonly fault?: string | null;
  /** Its service engine group; known of those that are wanted. */
  readonly groupId?: string;
  /** The engine has another one, which stays. */
  readonly surplus: boolean;
}

/** The compute service could not build the server. It is gone again; the next run makes another one. */
export class BrokenServerError extends UnavailableError {}

/** Keeps one server for an engine that is to stay. Of several the recorded one stays: the others were made by calls that seemed lost. */
export const engineServer: Kind<EngineServer, EngineTarget, ServerClouds> = {
  name: 'server',
  key: ({ engineId, computeId, surplus }) => (surplus ? `${engineId} ${computeId}` : engineId),
  desired: ({ engine }) => (engine.deleting ? [] : [{ ...engine, engineId: engine.id, broken: false, surplus: false }]),
  observed: async ({ engine }, { compute }) => {
    const servers = (await compute.listServers()).filter(({ engineId }) => engineId === engine.id);
    const stays =
      servers.find(({ id }) => id === engine.computeId) ??
      servers.find(({ status }) => status !== 'ERROR') ??
      servers[0];
    return servers.map((server) => describeServer(server, server !== stays));
  },
  same: (want, have) =>
    !have.broken &&
    want.computeId === have.computeId &&
    want.managementAddress === have.managementAddress &&
    want.host === have.host,
  put: (want, clouds, have) => (have ? adoptServer(have, clouds) : makeServer(want, clouds)),
  remove: ({ computeId }, { compute }) => (computeId === null ? Promise.resolve() : compute.deleteServer(computeId)),
};

function describeServer(server: Server, surplus: boolean): EngineServer {
  const { id, engineId, name, managementAddress, host, status, fault = null } = server;
  return { engineId, name, computeId: id, managementAddress, host, broken: status === 'ERROR', fault, surplus };
}

async function adoptServer(have: EngineServer, { db, compute }: ServerClouds): Promise<void> {
  if (have.broken && have.computeId !== null) {
    await compute.deleteServer(have.computeId);
    const why = have.fault ? `: ${have.fault}` : '';
    throw new BrokenServerError(`the compute service could not build server ${have.computeId}${why}`);
  }
  await recordServer(db, have.engineId, have);
}

/** Each attempt has a token of its own: a server that a lost call made after all cannot enrol beside its successor. */
async function makeServer(want: EngineServer, { db, compute, controllers }: ServerClouds): Promise<void> {
  const token = newToken();
  await startBuilding(db, want.engineId, hashToken(token));
  const { engineId, name, groupId } = want;
  const server = await compute.createServer({
    ...{ engineId, name, token, controllers },
    ...(groupId !== undefined && { groupId }),
  });
  await recordServer(db, want.engineId, describeServer(server, false));
}
