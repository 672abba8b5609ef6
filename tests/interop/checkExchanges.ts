import './exchanges/outsideJest';
import type { ChangeSettings } from '../../api/changes/settings';
import { startTestApi, type TestApi } from '../support/api';
import { checkContrail, contrailRecording } from './contrail/check';
import { compareBodies } from './exchanges/compare';
import { LEFT_OUT } from './exchanges/leftOut';
import { Bindings, type Exchange, readRecording, type Scenario } from './exchanges/recording';
import { settingsFor } from './exchanges/settings';
import { emptyTables, moveStatuses } from './exchanges/worker';

/**
 * Plays recorded exchanges: of a real Octavia API against ours (status, keys and their order, values, error texts), and
 * of a real Contrail API server against our simulator of it; prints what differs.
 * `npm run check:exchanges -- [file] [name pattern]`. Without a file both are played, from OCTAVIA_EXCHANGES and
 * CONTRAIL_EXCHANGES or where the recordings usually are.
 */
async function main(): Promise<void> {
  const file = process.argv[2];
  const wanted = new RegExp(process.argv[3] ?? '');
  const isContrail = file?.includes('contrail') ?? false;
  const octavia = file || process.env['OCTAVIA_EXCHANGES'] || '../shared/data/octavia-exchanges.jsonl.gz';
  const contrail = file || contrailRecording();
  const verdicts = [
    ...(isContrail ? [] : [await checkOctavia(octavia, wanted)]),
    ...(file && !isContrail ? [] : [await checkContrail(contrail, wanted)]),
  ];
  process.exitCode = verdicts.every((same) => same) ? 0 : 1;
}

async function checkOctavia(file: string, wanted: RegExp): Promise<boolean> {
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
  console.log(
    `Octavia: ${same} scenarios the same, ${different} different (${exchanges} exchanges), ${leftOut} left out`,
  );
  for (const { names, why } of LEFT_OUT) console.log(`left out: ${names.source}: ${why}`);
  for (const api of apis.values()) await api.close();
  return different === 0;
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
