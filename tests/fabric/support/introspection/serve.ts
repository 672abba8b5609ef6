import type { Fabric } from '../fabric';
import { type IntrospectServer, type Pages, serveIntrospect } from '../introspect';
import type { Place } from '../plan';
import type { ConfigurationStore } from '../view';
import { controlNodePages } from './controlNodePages';
import { vRouterPages } from './vRouterPages';
import { seeWorld, type World } from './world';

/** Control-nodes and vRouter agents that answer introspect, each on an address of its own and the port they all have. */
export interface Introspected {
  readonly controlNodes: readonly Answering[];
  readonly vRouters: readonly Answering[];
  readonly controlPort: number;
  readonly agentPort: number;
  close(): Promise<void>;
}

export interface Answering {
  readonly name: string;
  readonly address: string;
}

/** Contrail's own, where nobody else has them. */
const PORTS = { control: 8083, agent: 8085 } as const;
/** Tries to find a network of loopback addresses that no other fabric has; half of them with other ports. */
const TRIES = 20;
const ELSEWHERE = 10_000;
const [FIRST_CONTROL_NODE, FIRST_HOST, GATEWAY_NUMBER] = [21, 31, 254];

export async function openIntrospection(fabric: Fabric, store: ConfigurationStore): Promise<Introspected> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const offset = attempt < TRIES / 2 ? 0 : ELSEWHERE;
      return await openAt({ network: networkFor(process.pid + attempt * 977), offset }, { fabric, store });
    } catch (error) {
      if (attempt === TRIES || !String(error).includes('EADDRINUSE')) throw error;
    }
  }
}

/** All of 127.0.0.0/8 is this machine's; 127.0.x.y is others'. */
function networkFor(seed: number): string {
  return `127.${100 + (seed % 100)}.${1 + (Math.floor(seed / 100) % 250)}`;
}

async function openAt(
  { network, offset }: { readonly network: string; readonly offset: number },
  { fabric, store }: { readonly fabric: Fabric; readonly store: ConfigurationStore },
): Promise<Introspected> {
  const addressOf = (place: Place): string => {
    const index = fabric.hosts.indexOf(place);
    return `${network}.${index < 0 ? GATEWAY_NUMBER : FIRST_HOST + index}`;
  };
  const world: World = seeWorld(fabric, store, addressOf);
  const servers: IntrospectServer[] = [];
  const serve = async (pages: Pages, host: string, port: number) =>
    void servers.push(await serveIntrospect(pages, { host, port }));
  const close = async (): Promise<void> => {
    for (const server of servers.splice(0)) await server.close();
  };
  const controlNodes = [0, 1].map((node) => ({
    name: `control-${node + 1}`,
    address: `${network}.${FIRST_CONTROL_NODE + node}`,
  }));
  const vRouters = fabric.hosts.map((name) => ({ name, address: addressOf(name) }));
  try {
    for (const [node, { address }] of controlNodes.entries()) {
      await serve(controlNodePages(world, node), address, PORTS.control + offset);
    }
    for (const { name, address } of vRouters) await serve(vRouterPages(world, name), address, PORTS.agent + offset);
  } catch (error) {
    await close();
    throw error;
  }
  return { controlNodes, vRouters, controlPort: PORTS.control + offset, agentPort: PORTS.agent + offset, close };
}
