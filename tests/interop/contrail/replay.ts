import { setTimeout as pause } from 'node:timers/promises';
import { type ContrailSimulator, startContrailSimulator } from '../../support/simulators/contrail';
import type { Json } from '../exchanges/recording';
import { ContrailBindings } from './bindings';
import { compareContrail } from './compare';
import { CONTRAIL_LEFT_OUT } from './leftOut';
import type { ContrailExchange, ContrailScenario } from './recording';

export interface ContrailVerdict {
  readonly name: string;
  readonly exchanges: number;
  /** Empty: the simulator answers as the real server did. Undefined: it was not played. */
  readonly differences: readonly string[] | undefined;
}

/** Scenarios at a time: they spend most of theirs waiting for the schema transformer. */
const AT_ONCE = 8;

/** Plays the scenarios against the simulator, each against servers of its own. */
export async function replayContrail(scenarios: readonly ContrailScenario[]): Promise<ContrailVerdict[]> {
  const waiting = [...scenarios.entries()];
  const verdicts: ContrailVerdict[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, { name, exchanges }] = next;
      const leftOut = CONTRAIL_LEFT_OUT.some(({ names }) => names.test(name));
      const differences = leftOut ? undefined : await play(exchanges);
      verdicts[index] = { name, exchanges: exchanges.length, differences };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return verdicts;
}

const MODES = { main: 'none', rbac: 'rbac', 'rbac-admin': 'none', 'cloud-admin': 'cloud-admin' } as const;

/** The first exchange that differs ends a scenario: what follows would differ because of it. */
async function play(exchanges: readonly ContrailExchange[]): Promise<string[]> {
  const servers = new Map<string, ContrailSimulator>();
  const bindings = new ContrailBindings();
  try {
    for (const exchange of exchanges) {
      const server = servers.get(exchange.server) ?? (await startContrailSimulator({ auth: MODES[exchange.server] }));
      servers.set(exchange.server, server);
      const differences = await playOne(server.url, exchange, bindings);
      if (differences.length > 0) return differences;
    }
    return [];
  } finally {
    for (const server of servers.values()) await server.close();
  }
}

async function playOne(url: string, exchange: ContrailExchange, bindings: ContrailBindings): Promise<string[]> {
  if (exchange.wait_s !== undefined) await pause(exchange.wait_s * 1_000);
  const until = Date.now() + (exchange.settle_s ?? 0) * 1_000;
  for (;;) {
    const trial = bindings.fork();
    const differences = await ask(url, exchange, trial);
    if (differences.length === 0) {
      bindings.take(trial);
      return [];
    }
    if (Date.now() >= until) return differences;
    await pause(20);
  }
}

async function ask(url: string, exchange: ContrailExchange, bindings: ContrailBindings): Promise<string[]> {
  const { method, path, headers = {}, body, raw_body: raw } = exchange.request;
  const filled = bindings.fill(path);
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(bindings.fillJson(body)));
  const label = `${exchange.step} ${method} ${filled} ${sent ?? ''}`;
  const answer = await fetch(`${url}${filled}`, {
    method,
    headers: Object.entries(headers).map(([name, value]) => [name, bindings.fill(value)] as [string, string]),
    ...(sent === undefined ? {} : { body: sent }),
  });
  const text = await answer.text().catch(() => undefined);
  const { response } = exchange;
  const differences = [
    ...(answer.status === response.status ? [] : [`status ${response.status} expected, not ${answer.status}: ${text}`]),
    ...compareType(response.content_type, answer.headers.get('content-type')),
    ...compareHeaders(response.headers ?? {}, answer.headers, bindings),
    ...(response.cut_short !== undefined && text !== undefined ? ['the answer was not cut short'] : []),
    ...compareContrail(response.body, read(text ?? ''), { bindings, match: exchange.match }),
  ];
  return differences.length > 0 ? [label, ...differences] : [];
}

function compareType(expected: string | null, actual: string | null): string[] {
  return expected === actual ? [] : [`type ${expected} expected, not ${actual}`];
}

function compareHeaders(
  expected: Readonly<Record<string, string>>,
  actual: Headers,
  bindings: ContrailBindings,
): string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const given = actual.get(name) ?? '';
    return bindings.matches(value, given) ? [] : [`header ${name}: ${value} expected, not ${given}`];
  });
}

/** As the recording has it: an object or a list, whatever type it is sent as; else the text. */
function read(text: string): Json {
  try {
    const value = JSON.parse(text) as Json;
    return value !== null && typeof value === 'object' ? value : text;
  } catch {
    return text;
  }
}
