import { pythonText } from '../../../api/openapi/pythonText';

it.each([
  ['plain text', 'plain text'],
  [null, 'None'],
  [true, 'True'],
  [12.5, '12.5'],
  [['a', 1, null], "['a', 1, None]"],
  [{ pool: { name: "it's", tags: [] } }, `{'pool': {'name': "it's", 'tags': []}}`],
  [['a\n'], "['a\\n']"],
])('shows %j as Python would', (value, text) => {
  expect(pythonText(value)).toBe(text);
});

it('stays short and shallow whatever it is given', () => {
  let deep: unknown = [];
  for (let depth = 0; depth < 20_000; depth += 1) deep = [deep];

  expect(pythonText(deep).length).toBeLessThan(100);
  expect(pythonText('x'.repeat(100_000)).length).toBeLessThan(2_100);
  expect(pythonText(new Array(100_000).fill('x')).length).toBeLessThan(2_100);
});
