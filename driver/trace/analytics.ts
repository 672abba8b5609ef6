import type { Analytics, Transformer } from '../domain/analytics';
import type { Introspection, Scene } from './collect/collect';
import { attempt } from './collect/read';
import type { AnalyticsFacts, TransformerFacts } from './facts';

export interface RecordsDeps {
  readonly analytics: Analytics;
  readonly transformers: readonly Transformer[];
  /** Milliseconds for all that one of them is asked. */
  readonly patience: number;
}

/** Ports that are asked for: each is a call. */
const MOST_PORTS = 32;

/** Asks analytics and schema transformers besides control-nodes and vRouters. */
export function withRecords(introspection: Introspection, deps: RecordsDeps): Introspection {
  return {
    async look(scene) {
      const [seen, analytics, transformer] = await Promise.all([
        introspection.look(scene),
        askAnalytics(deps, scene),
        askTransformers(deps, scene),
      ]);
      return { ...seen, analytics, transformer };
    },
  };
}

async function askAnalytics({ analytics, patience }: RecordsDeps, scene: Scene): Promise<AnalyticsFacts> {
  const own = ownPorts(scene);
  const at = 'analytics API';
  const routers = own.flatMap(({ bgpRouters }) => bgpRouters.map(({ name }) => lastOf(name)));
  const [ports, peers] = await Promise.all([
    attempt(
      at,
      () =>
        Promise.all(
          own.slice(0, MOST_PORTS).map(async (port) => ({ portId: port.id, record: await analytics.port(port) })),
        ),
      patience,
    ),
    attempt(at, () => analytics.peers([...new Set(routers)]), patience),
  ]);
  return { ports, peers };
}

function lastOf(name: string): string {
  return name.split(':').at(-1) ?? name;
}

/** Of the engines, where VIPs are answered for. */
function ownPorts({ survey, vnics }: Scene): Scene['survey']['ports'] {
  return survey.ports.filter(({ id }) => vnics.some((vnic) => vnic.portId === id && vnic.vipSide && !vnic.deleting));
}

/** Undefined where no engine is in a service of BGP. */
async function askTransformers(
  { transformers, patience }: RecordsDeps,
  scene: Scene,
): Promise<TransformerFacts | undefined> {
  const services = [...new Set(ownPorts(scene).flatMap(({ bgpServiceIds }) => bgpServiceIds))];
  if (services.length === 0 || transformers.length === 0) return undefined;
  const at = `schema transformer, introspect of ${transformers.map(({ address }) => address).join(', ')}`;
  return attempt(at, () => Promise.all(services.map((id) => isKnown(transformers, id))), patience);
}

/** One works, and the others stand by and know nothing. @throws when nobody knows it and not all have answered */
async function isKnown(transformers: readonly Transformer[], serviceId: string) {
  const answers = await Promise.allSettled(transformers.map((one) => one.knowsBgpService(serviceId)));
  const known = answers.some((it) => it.status === 'fulfilled' && it.value);
  const refused = answers.find((it) => it.status === 'rejected');
  if (!known && refused) throw refused.reason;
  return { serviceId, known };
}
