import './exchanges/outsideJest';
import type { ChangeSettings } from '../../api/changes/settings';
import { startTestApi, type TestApi } from '../support/api';
import { compareBodies } from './exchanges/compare';
import { LEFT_OUT } from './exchanges/leftOut';
import { Bindings, type Exchange, readRecording, type Scenario } from './exchanges/recording';
import { settingsFor } from './exchanges/settings';
import { emptyTables, moveStatuses } from './exchanges/worker';

/**
 * Plays recorded exchanges of a real Octavia API against ours and prints what differs: status, keys and their order,
 * values, error texts. `npm run check:exchanges -- [file] [name pattern]`, or the file in OCTAVIA_EXCHANGES.
 */
async function main(): Promise<void> {
  const file = process.argv[2] || process.env['OCTAVIA_EXCHANGES'] || '../shared/data/octavia-exchanges.jsonl.gz';
  const wanted = new RegExp(process.argv[3] ?? '');
  const totals = { same: 0, different: 0, exchanges: 0, leftOut: 0 };
  for (const scenario of readRecording(file).filter(({ name }) => wanted.test(name))) {
    if (LEFT_OUT.some(({ names }) => names.test(scenario.name))) {
      totals.leftOut += 1;
      continue;
    }
    const differences = await play(scenario);
    totals.exchanges += scenario.exchanges.length;
    if (differences.length === 0) totals.same += 1;
    else totals.different += 1;
    if (differences.length > 0) console.log([`## ${scenario.name}`, ...differences].join('\n   '));
  }
  const { same, different, exchanges, leftOut } = totals;
  console.log(`${same} scenarios the same, ${different} different (${exchanges} exchanges), ${leftOut} left out`);
  for (const { names, why } of LEFT_OUT) console.log(`left out: ${names.source}: ${why}`);
  for (const api of apis.values()) await api.close();
  process.exitCode = different > 0 ? 1 : 0;
}

/** One API for each configuration: starting one costs more than playing a scenario. */
const apis = new Map<string, TestApi>();

async function apiWith(changes: Partial<ChangeSettings>): Promise<TestApi> {
  const key = JSON.stringify(changes);
  const known = apis.get(key);
  if (known) return known;
  const api = await startTestApi({ changes });
  apis.set(key, api);
  return api;
}

/** The first exchange that differs ends a scenario: what follows would differ because of it. */
async function play({ name, exchanges }: Scenario): Promise<string[]> {
  const api = await apiWith(settingsFor(name));
  await api.changes.deps.publisher.idle();
  await emptyTables(api.db);
  const bindings = new Bindings();
  for (const exchange of exchanges) {
    const differences = await playOne(api, exchange, bindings);
    if (differences.length > 0) return differences;
  }
  return [];
}

async function playOne(api: TestApi, exchange: Exchange, bindings: Bindings): Promise<string[]> {
  const { method, path: template, body } = exchange.request;
  const path = bindings.fill(template);
  const expected = bindings.fillKnown(exchange.response.body);
  await moveStatuses(api.db, { next: exchange, path, expected });
  const filled = bindings.fillJson(body);
  const label = `${exchange.step} ${method} ${path} ${filled ? JSON.stringify(filled) : ''}`;
  try {
    const answer = await api.request(method, path, filled === null ? {} : { body: filled });
    const { status, body: recorded } = exchange.response;
    if (answer.status !== status) return [label, `status ${status} expected, not ${answer.status}: ${answer.text}`];
    const differences = recorded === null ? [] : compareBodies(recorded, answer.body, bindings);
    return differences.length > 0 ? [label, ...differences] : [];
  } catch (error) {
    return [label, String(error)];
  }
}

void main();
