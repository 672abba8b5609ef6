import { freeze, thaw } from '../../devstack/lab/hosts/freezing';
import { asked, type Balanced, balance, isAnsweredBy, isFull, openStage, type Stage } from './support/stage';
import { type Answers, keepAsking } from './support/traffic';

const TRIES = isFull ? 10 : 2;
/** Milliseconds that a request may take: what is lost on a dead engine is told by these. */
const IMPATIENCE = 250;

let stage: Stage;
let one: Balanced;

beforeAll(async () => {
  // Twice the usual interval would be too slow for a second; half of it is what a hypervisor still bears.
  const settings =
    '[contrail]\nhealth_check = bfd\nhealth_check_interval = 0.2\nhealth_check_timeout = 0.2\nhealth_check_retries = 3';
  stage = await openStage({ settings });
  one = await balance(stage, { mode: { vip_mode: 'bgp', isFloating: false } });
}, 180_000);

afterAll(async () => {
  await stage?.site.close();
});

/** Of the engines that run: their machines' first processes. */
function engines(): number[] {
  const { cloud, hypervisor } = stage.site;
  return [...cloud.nova.nova.model.servers.keys()].flatMap((id) => hypervisor.pidOf(id) ?? []);
}

/** How long after `stop` requests were lost yet. Milliseconds; null: none was. */
async function lossesAfter(stop: () => void): Promise<number | null> {
  const asking = keepAsking(one.asker, { url: one.url, parallel: 6, timeout: IMPATIENCE });
  await asking.begun;
  const from = Date.now();
  stop();
  await asked('the other engine has all', one, isAnsweredByAll, { requests: 30, timeout: IMPATIENCE });
  const { failures } = await asking.stop();
  const after = failures.map(({ at }) => at - from).filter((time) => time >= 0);
  return after.length === 0 ? null : Math.max(...after);
}

const isAnsweredByAll = ({ failures }: Answers): boolean => failures.length === 0;

it('takes a frozen engine and a dead one out of the routes as soon as the vRouter misses its packets', async () => {
  await asked('two engines serve', one, isAnsweredBy(2));
  const times: number[] = [];
  for (let count = 0; count < TRIES; count += 1) {
    const [victim = 0] = engines();
    times.push((await lossesAfter(() => freeze(victim))) ?? 0);
    thaw(victim);
    await asked('two engines serve again', one, isAnsweredBy(2));
  }
  const [victim = 0] = engines();
  // All that runs in the machine ends with the first of its processes.
  times.push((await lossesAfter(() => process.kill(victim, 'SIGKILL'))) ?? 0);

  const sorted = [...times].sort((a, b) => a - b);
  console.info(
    `requests lost on an engine without BFD: for ${sorted[times.length >> 1]} ms (p50), ${sorted.at(-1)} ms (most)`,
  );
  // The kernel of a frozen machine answers pings for ever, and its BGP session lasts for its hold time of 9 s.
  expect(sorted.at(-1)).toBeLessThan(6000);
  expect(sorted.at(-1)).toBeGreaterThan(100);
}, 400_000);
