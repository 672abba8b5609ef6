import { watchForStorm } from '../../driver/health/storm';

const GRACE = 10_000;

it('concludes nothing from silence while engines come by the dozen, for a minute at most', () => {
  let now = 0;
  const storm = watchForStorm(() => now, GRACE);
  let trusted: number | undefined;
  for (now = 0; now < 90_000; now += 100) trusted = storm.arrived() ?? trusted;

  expect(trusted).toBe(60_000);
});

it('waits for the next ones as long as the last one may take', () => {
  let now = 0;
  const storm = watchForStorm(() => now, GRACE);
  let trusted: number | undefined;
  for (now = 0; now <= 5_000; now += 100) trusted = storm.arrived() ?? trusted;

  expect(trusted).toBe(5_000 + GRACE);
});

it('takes engines that come one by one for no storm', () => {
  let now = 0;
  const storm = watchForStorm(() => now, GRACE);
  for (now = 0; now < 600_000; now += 1_000) expect(storm.arrived()).toBeUndefined();
});
