import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { createSubnet } from '../../driver/clouds/network/model/subnets';
import { SEED_IDS } from '../../driver/clouds/network/seed';
import { type Db, inTransaction } from '../../driver/db/connect';
import { findEngine } from '../../driver/db/engines';
import { needVnic } from '../../driver/db/vnics';
import type { Engine } from '../../driver/domain/engine';
import type { EngineParts } from '../../driver/reconcile/engineRun';
import { openTestDatabase } from './database';
import { addEngine, addGroup } from './fleetRows';
import type { NovaBehaviour } from './simulators/nova/model';
import { type NovaOnNeutron, startNovaOnNeutron } from './simulators/novaOnNeutron';

/** Engines' units on a Nova and a Neutron over HTTP. */
export interface EngineStage {
  readonly db: Db;
  readonly site: NovaOnNeutron;
  readonly parts: EngineParts;
  newEngine(): Promise<string>;
  engine(id: string): Promise<Engine>;
  /** As a load balancer's unit states it; gives the vNIC's id. */
  need(engineId: string, domainId?: string, subnetIds?: readonly string[]): Promise<string>;
  /** The engine has called home. */
  comeUp(id: string): Promise<void>;
  events(name: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Another network of a tenant, beside the seeded one. */
export interface TenantNetwork {
  readonly networkId: string;
  readonly subnetId: string;
}

export const TENANT: TenantNetwork = { networkId: SEED_IDS.localNetwork, subnetId: SEED_IDS.localSubnet };

export async function setEngineStage(behaviour: Partial<NovaBehaviour> = {}): Promise<EngineStage> {
  const log = pino({ level: 'silent' });
  const db = await openTestDatabase();
  const site = await startNovaOnNeutron(behaviour);
  const groupId = await addGroup(db);
  const parts: EngineParts = {
    db,
    bus: createMemoryBus({ log }),
    compute: site.compute.driverWith({ networkIds: [site.managementNetworkId], antiAffinity: 'soft-anti-affinity' }),
    network: site.network.driver,
    log,
    owner: 'worker-1',
    controllers: ['ws://10.250.0.1:5555'],
    management: { networkId: site.managementNetworkId, securityGroupIds: [] },
    settings: { leaseSeconds: 30, engineCreateTimeout: 300, backOff: () => 1 },
  };
  return {
    db,
    site,
    parts,
    newEngine: async () => (await addEngine(db, groupId, { token_hash: null })).id,
    async engine(id) {
      const found = await findEngine(db, id);
      if (!found) throw new Error('the engine is gone');
      return found;
    },
    async need(engineId, domainId = TENANT.networkId, subnetIds = [TENANT.subnetId]) {
      const [subnetId = null] = subnetIds;
      const need = { id: randomUUID(), engineId, networkId: TENANT.networkId, subnetId, subnetIds, domainId };
      return (await inTransaction(db, (trx) => needVnic(trx, need))).id;
    },
    comeUp: async (id) => {
      await db('service_engine').where({ id }).update({ status: 'READY', connected_to: 'hm' });
    },
    events: async (name) => db('event').where({ name }).orderBy('at').pluck('message'),
    async close() {
      await site.close();
      await db.destroy();
    },
  };
}

/** A second subnet of the tenant's network. */
export async function addTenantSubnet({ site }: EngineStage): Promise<string> {
  const { model } = site.network.cloud.network;
  const wanted = {
    name: 'second',
    projectId: 'p',
    networkId: TENANT.networkId,
    cidr: '127.81.0.0/24',
    gatewayIp: null,
  };
  return (await createSubnet(model, wanted)).id;
}
