import type { Analytics, PeerRecord, PortRecord, Transformer } from '../../driver/domain/analytics';
import { withRecords } from '../../driver/trace/analytics';
import type { Scene, Seen } from '../../driver/trace/collect/collect';
import { contentOf, type TraceFacts } from '../../driver/trace/facts';
import { traceOf } from '../../driver/trace/trace';
import { aSurveyedPort, someFacts } from './facts';

const SEEN: Seen = { controlNodes: [], vRouters: [] };
const ROUTER = { name: 'd:p:front:front:port-1', address: '10.10.0.11', sourcePort: 50_000 };

const port = (portId: string, given: Partial<PortRecord> = {}): PortRecord => ({
  ...{ portId, active: true, address: '10.10.0.11', macAddress: '', serverId: 'server-1', floatingIps: [] },
  ...{ healthCheckActive: true, healthChecks: [{ name: 'check', active: true, running: true }] },
  ...given,
});
const peer = (given: Partial<PeerRecord> = {}): PeerRecord => ({
  ...{ controlNode: 'control-1', router: 'port-1', state: 'Established', lastState: 'OpenConfirm' },
  ...{ address: '10.10.0.11', peerAs: 65_100, flaps: 0, lastFlap: null, paths: 1 },
  ...given,
});

function analyticsOf(given: Partial<Analytics> = {}): Analytics {
  return {
    port: async ({ id }) => port(id),
    peers: async (routers) => routers.map((router) => peer({ router })),
    ...given,
  };
}

function transformer(knows: () => Promise<boolean>, address = 'http://config-1:8087'): Transformer {
  return { address, knowsBgpService: knows };
}

/** Of engines whose sessions go by BGP as a Service. */
function sceneOf(facts: TraceFacts): Scene {
  const survey = contentOf(facts.survey);
  if (!survey) throw new Error('there is no survey');
  const ports = ['1', '2'].map((n) =>
    aSurveyedPort(n, { bgpServiceIds: ['service'], bgpRouters: [{ ...ROUTER, name: `d:p:front:front:port-${n}` }] }),
  );
  return { tree: facts.tree, vnics: facts.vnics, survey: { ...survey, ports } };
}

/** The lines of what is not a control-node or a vRouter. */
async function lines(analytics: Analytics, transformers: readonly Transformer[], patience = 5_000) {
  const facts = someFacts({ tree: { vipMode: 'bgp' } });
  const seen = await withRecords({ look: async () => SEEN }, { analytics, transformers, patience }).look(
    sceneOf(facts),
  );
  const trace = traceOf({ ...facts, ...seen });
  return trace.lines
    .filter(({ section }) => section === 'analytics')
    .map(({ status, text, read }) => `${status}: ${text} (${read})`);
}

it('shows what analytics and the schema transformer say of engines', async () => {
  expect(await lines(analyticsOf(), [transformer(async () => true)])).toEqual([
    'ok: port port-1 of engine se-1: 10.10.0.11 of server server-1 active; health check check passes (analytics API)',
    'ok: port port-2 of engine se-2: 10.10.0.11 of server server-1 active; health check check passes (analytics API)',
    'ok: control-1: session with port-1 (10.10.0.11, AS 65100): Established, never lost, 1 paths (analytics API)',
    'ok: control-1: session with port-2 (10.10.0.11, AS 65100): Established, never lost, 1 paths (analytics API)',
    'ok: the schema transformer knows BGP service service (schema transformer, introspect of http://config-1:8087)',
  ]);
});

it('says what is wrong with a port and a session, and how often a session was lost', async () => {
  const analytics = analyticsOf({
    port: async ({ id }) =>
      id === 'port-1'
        ? port(id, {
            active: false,
            healthCheckActive: false,
            healthChecks: [{ name: 'check', active: false, running: false }],
          })
        : undefined,
    peers: async () => [peer({ state: 'Active', flaps: 3, lastFlap: '2026-01-01T00:00:00.000Z', paths: null })],
  });

  expect(await lines(analytics, [transformer(async () => false)])).toEqual([
    expect.stringMatching(/^wrong: port port-1 .* not active; health check check fails and does not run/),
    expect.stringMatching(/^info: port port-2 .* no agent has reported it yet/),
    expect.stringMatching(
      /^wrong: .*: Active \(was OpenConfirm\), lost 3 times, the last at 2026-01-01T00:00:00.000Z \(/,
    ),
    expect.stringMatching(/^wrong: no schema transformer knows BGP service service: it makes no routers/),
  ]);
});

it('makes a line each of what does not answer in time, and no failure', async () => {
  const never = () => new Promise<never>(() => undefined);

  expect(await lines(analyticsOf({ port: never, peers: never }), [transformer(never)], 20)).toEqual([
    'unknown: no answer within 20 ms (analytics API)',
    'unknown: no answer within 20 ms (schema transformer, introspect of http://config-1:8087)',
  ]);
});

it('takes the word of the schema transformer that works, and nobody’s when it does not answer', async () => {
  const standby = transformer(async () => false, 'http://config-1:8087');
  const working = transformer(async () => true, 'http://config-2:8087');
  const dead = transformer(() => Promise.reject(new Error('refused')), 'http://config-3:8087');

  expect((await lines(analyticsOf(), [standby, working, dead])).at(-1)).toMatch(/^ok: the schema transformer knows/);
  expect((await lines(analyticsOf(), [standby, dead])).at(-1)).toMatch(/^unknown: refused/);
});

it('asks no schema transformer where no engine is in a service of BGP', async () => {
  const facts = someFacts();
  const survey = contentOf(facts.survey);
  if (!survey) throw new Error('there is no survey');
  const scene = { tree: facts.tree, vnics: facts.vnics, survey };
  const asked = withRecords(
    { look: async () => SEEN },
    { analytics: analyticsOf(), transformers: [transformer(async () => true)], patience: 1_000 },
  );

  const seen = await asked.look(scene);

  expect(seen.transformer).toBeUndefined();
  expect(traceOf({ ...facts, ...seen }).healthy).toBe(true);
});
