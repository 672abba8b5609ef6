import { createLoops } from '../../driver/telemetry/loops';

let now: number;
beforeEach(() => {
  now = 0;
});
const loops = () => createLoops(() => now);

it('is well while every loop comes round in its time', () => {
  const watch = loops();
  const sweep = watch.watch('job sweep', 10);
  watch.watch('job purge', 100);

  now = 9_000;
  sweep.ended();
  now = 18_000;

  expect(watch.trouble()).toBeUndefined();
});

it('names a loop that does not come to its end, and since when', () => {
  const watch = loops();
  watch.watch('job sweep', 10);
  watch.watch('job purge', 100);

  now = 12_000;

  expect(watch.trouble()).toBe('job sweep has not come to a good end for 12 s');
});

it('does not take rounds that break for rounds, and says why they broke', () => {
  const watch = loops();
  const sweep = watch.watch('job sweep', 10);

  for (now = 0; now <= 12_000; now += 3_000) sweep.broke(new Error('no such column'));
  expect(watch.trouble()).toBe('job sweep has not come to a good end for 15 s (no such column)');

  sweep.ended();
  expect(watch.trouble()).toBeUndefined();
});

it('expects nothing of what was stopped', () => {
  const watch = loops();
  watch.watch('a run', 10).stop();

  now = 60_000;

  expect(watch.trouble()).toBeUndefined();
});
