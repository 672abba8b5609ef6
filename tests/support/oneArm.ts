import { createHash } from 'node:crypto';
import type { EngineSpec } from '../../driver/protocol/engineSpec';
import type { LoadBalancerSpec } from '../../driver/protocol/spec';
import { aListener, aMember, aPool, aSpec } from './agentSpecs';
import { createTopology, type Namespace, type Network, type Topology } from './namespaces';
import { type Actor, startActor } from './networkActor';
import {
  anEngineSpec,
  aVnic,
  createNetworkEngine,
  type NetworkEngine,
  type NetworkEngineOptions,
} from './networkEngine';
import type { Wanted } from './placed';

/** One network with an engine, a client and a member that answers `web` and the engine's address. */
export interface OneArm {
  readonly topology: Topology;
  readonly network: Network;
  readonly engine: NetworkEngine;
  readonly machine: Namespace;
  readonly client: Actor;
  /** The engine's networks: one domain with the VIP's network. */
  networks(generation?: number): EngineSpec;
  /** An HTTP listener on port 80 and a UDP one on port 53. */
  spec(generation: number, over?: Partial<LoadBalancerSpec>): LoadBalancerSpec;
  dispose(): Promise<void>;
}

export const ARM = { vip: '10.0.0.100', member: '10.0.0.30', mac: 'fa:16:3e:00:00:01', domain: 'domain-1' } as const;
/** The same as rows of the database. */
export const WANTED: Wanted = {
  vip: ARM.vip,
  domainId: ARM.domain,
  member: { address: ARM.member, port: 8000 },
  vnic: { macAddress: ARM.mac, address: '10.0.0.5/24' },
};
/** What a client is answered. */
export const ANSWER = 'web 10.0.0.5';

/** @param prefix of names of namespaces: `ss-` and a few characters */
export async function createOneArm(prefix: string, options: NetworkEngineOptions = {}): Promise<OneArm> {
  const topology = createTopology(prefix);
  const network = await topology.network('net');
  const machine = await topology.namespace('vm');
  const actor = async (label: string, last: number) => {
    const namespace = await topology.namespace(label);
    await network.plug(namespace, { macAddress: `fa:16:3e:00:01:${last}`, addresses: [`10.0.0.${last}/24`] });
    return startActor(namespace);
  };
  const client = await actor('c', 20);
  const member = await actor('m', 30);
  await member.serve(ARM.member, 8000, 'web');
  await member.echo(ARM.member, 5300, 'dns');
  const engine = await createNetworkEngine(machine, options);
  return {
    ...{ topology, network, engine, machine, client },
    networks: (generation = 1) => anEngineSpec(generation, [{ id: ARM.domain, vnics: [aVnic()], routes: [] }]),
    spec(generation, over = {}) {
      const spec = aSpec({
        generation,
        domainId: ARM.domain,
        vips: [ARM.vip],
        listeners: [
          aListener({ port: 80 }),
          aListener({ id: 'listener-udp', port: 53, protocol: 'UDP', defaultPoolId: 'pool-udp' }),
        ],
        pools: [
          aPool({ members: [aMember({ address: ARM.member, port: 8000 })] }),
          aPool({
            id: 'pool-udp',
            protocol: 'UDP',
            members: [aMember({ id: 'member-udp', address: ARM.member, port: 5300 })],
          }),
        ],
        ...over,
      });
      return { ...spec, digest: createHash('sha256').update(JSON.stringify(spec)).digest('hex') };
    },
    async dispose() {
      await engine.dispose();
      await topology.dispose();
    },
  };
}

/** The engine's interface is plugged in, it is told its networks and serves the load balancer. */
export async function bringUp(arm: OneArm): Promise<void> {
  await arm.engine.start();
  await arm.network.plug(arm.machine, { macAddress: ARM.mac, up: false });
  const networks = await arm.engine.controller.putNetworks(arm.networks());
  const ack = await arm.engine.controller.put(arm.spec(1));
  if (networks.problems.length + ack.refusals.length > 0) throw new Error(JSON.stringify([networks, ack]));
}
