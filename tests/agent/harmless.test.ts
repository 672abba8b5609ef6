import { runHarmlessLoop } from '../support/harmless/loop';

it('changes members and listeners under load without harm: no request fails, no connection is cut', async () => {
  const outcome = await runHarmlessLoop('127.80.203.5', { memberChanges: 50, reloads: 5 });

  expect(outcome).toMatchObject({ failures: [], refused: [], needlessReloads: 0, reloads: 5 });
  expect(outcome.answered).toBeGreaterThan(200);
}, 180_000);
