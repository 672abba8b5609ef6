import { runHarmlessLoop } from '../support/harmless/loop';

/** A worker's memory may grow by this much over the loop; a leak of one member's state at each change would be more. */
const GROWTH_KIB = 4096;

it('makes 1,000 changes of members and 50 reloads under load without harm', async () => {
  const outcome = await runHarmlessLoop('127.80.203.6', { memberChanges: 1000, reloads: 50 });

  expect(outcome).toMatchObject({ failures: [], refused: [], needlessReloads: 0, reloads: 50 });
  expect(outcome.answered).toBeGreaterThan(5000);
  expect(outcome.memory.late).toBeLessThan(outcome.memory.early + GROWTH_KIB);
}, 600_000);
