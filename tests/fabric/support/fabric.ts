import { addNamespace, runIn } from '../../../devstack/lab/hosts/shell';
import { type ControlNodes, openControlNodes } from './controlNodes';
import { openHealthChecks } from './healthChecks';
import { newPrefix, removeAll, removeLeftovers } from './namespaces';
import { type Facts, makePlan, type Place, type Plan } from './plan';
import { openTakeovers } from './takeovers';
import { type ConfigurationStore, type ContrailView, type Interface, readView } from './view';
import { type MachineEnd, type Outside, openVRouters, plugOutside } from './vRouters';

/**
 * Two compute hosts with a vRouter each, a gateway and two control-nodes, in namespaces of their own, all doing what the
 * configuration says. What is plugged in are machines: namespaces, too.
 */
export interface Fabric {
  readonly hosts: readonly Place[];
  readonly controlNodes: ControlNodes;
  /** A namespace with `lo` up, that goes with the fabric. */
  machine(label: string): Promise<string>;
  /** Plugs a machine in where the configuration has that interface; it need not be there yet. */
  plug(interfaceId: string, end: MachineEnd): void;
  unplug(interfaceId: string): void;
  /** A machine beyond the gateway of a network of floating IPs. */
  plugOutside(networkId: string, outside: Outside): Promise<void>;
  /** Resolves once all that the configuration says now is brought about. @throws what has gone wrong meanwhile */
  settled(): Promise<void>;
  run(machine: string, command: string, ...words: string[]): Promise<string>;
  namespaceOf(place: Place, networkId: string): string;
  /** For those that tell what is inside. */
  readonly inside: Inside;
  close(): Promise<void>;
}

export interface Inside {
  /** What was brought about last. */
  plan(): Plan;
  isHealthy(one: Interface): boolean;
  /** Whose mark that is in a routing instance. */
  deviceOf(place: Place, networkId: string, mark: number): string | undefined;
}

export interface FabricOptions {
  readonly store: ConfigurationStore;
  readonly hosts?: readonly Place[];
  /** Networks that somebody else takes care of. */
  readonly isForeign?: (networkId: string) => boolean;
}

export const HOSTS = ['compute-1', 'compute-2'] as const;

export async function openFabric({ store, hosts = HOSTS, isForeign = () => false }: FabricOptions): Promise<Fabric> {
  await removeLeftovers();
  const prefix = newPrefix();
  const routers = openVRouters(prefix, hosts);
  const loop = openLoop(() => bringAbout());
  const health = openHealthChecks(loop.wake);
  const takeovers = openTakeovers(loop.wake);
  const controlNodes = openControlNodes({ prefix, hosts, onChange: loop.wake });
  const ends = new Map<string, MachineEnd>();
  let latest: Plan = { instances: [], leaks: [] };

  const bringAbout = async (): Promise<void> => {
    const view = withoutForeign(readView(store), isForeign);
    const interfaces = new Map(view.interfaces.map((one) => [one.id, one]));
    const facts: Facts = {
      hosts,
      isPlugged: routers.isPlugged,
      isHealthy: (id) => health.isHealthy(interfaces.get(id) ?? { id, checks: [] }),
      activeOf: takeovers.activeOf,
      announced: (id) => controlNodes.announcedBy(id),
    };
    const plan = makePlan(view, facts);
    await routers.apply(plan);
    await controlNodes.apply(plan, routers.namespaceOf);
    latest = plan;
    followInterfaces(plan);
  };
  const followInterfaces = ({ instances }: Plan): void => {
    const taps = instances.flatMap(({ place, networkId, taps: own }) =>
      own.map((tap) => ({
        ...{ interface: tap.interface, namespace: routers.namespaceOf(place, networkId) },
        gateway: tap.addresses.find((one) => !one.includes(':')) ?? '',
      })),
    );
    health.follow(taps.flatMap((one) => ({ ...one, end: ends.get(one.interface.id) ?? one.interface })));
    takeovers.follow(
      instances.flatMap(({ place, networkId, taps: own }) => {
        const pairs = own.map((tap) => tap.interface).filter(({ prefixes }) => prefixes.some((one) => one.isStandby));
        return pairs.length > 0
          ? [{ namespace: routers.namespaceOf(place, networkId), networkId, interfaces: pairs }]
          : [];
      }),
    );
  };
  const stopListening = store.onChange(loop.wake);
  loop.wake();
  return {
    hosts,
    controlNodes,
    async machine(label) {
      const name = `${prefix}m-${label}`;
      await addNamespace(name, { 'ipv6/conf/all/accept_ra': '0', 'ipv6/conf/default/accept_ra': '0' });
      return name;
    },
    plug(interfaceId, end) {
      ends.set(interfaceId, end);
      routers.plug(interfaceId, end);
      loop.wake();
    },
    unplug(interfaceId) {
      ends.delete(interfaceId);
      routers.unplug(interfaceId);
      loop.wake();
    },
    async plugOutside(networkId, outside) {
      await loop.settled();
      await plugOutside(routers, networkId, outside);
    },
    settled: loop.settled,
    run: (machine, command, ...words) => runIn(machine, command, words),
    namespaceOf: routers.namespaceOf,
    inside: { plan: () => latest, isHealthy: health.isHealthy, deviceOf: routers.deviceOf },
    async close() {
      stopListening?.();
      await loop.close();
      health.close();
      takeovers.close();
      await controlNodes.close();
      await removeAll(prefix);
    },
  };
}

function withoutForeign(view: ContrailView, isForeign: (networkId: string) => boolean): ContrailView {
  return {
    networks: view.networks.filter(({ id }) => !isForeign(id)),
    interfaces: view.interfaces.filter(({ networkId }) => !isForeign(networkId)),
    floatingIps: view.floatingIps.filter(({ networkId }) => !isForeign(networkId)),
    sessions: view.sessions.filter(({ networkId }) => !isForeign(networkId)),
  };
}

/** Runs `work` after each wake, one at a time, as often as needed and no more. */
function openLoop(work: () => Promise<void>) {
  let isWanted = false;
  let running: Promise<void> | undefined;
  let isClosed = false;
  const errors: unknown[] = [];
  const run = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    while (isWanted && !isClosed) {
      isWanted = false;
      await work().catch((error: unknown) => errors.push(error));
    }
    running = undefined;
  };
  return {
    wake() {
      isWanted = true;
      running ??= run();
    },
    async settled() {
      while (running) await running;
      const [error] = errors.splice(0);
      if (error !== undefined) throw error;
    },
    async close() {
      isClosed = true;
      await running;
    },
  };
}
