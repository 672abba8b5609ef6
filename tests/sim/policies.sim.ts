import { HOUR } from './clock';
import { comparePolicies, POLICIES } from './policies';

it('says of each policy what it costs, and nothing is untrue with any', () => {
  const [head = '', , ...rows] = comparePolicies([1], HOUR);
  const cells = rows.map((row) => row.split(' | '));
  const engines = cells.map((it) => Number(it[3]));

  expect(head).toContain('| engines, mean | availability, mean |');
  expect(rows).toHaveLength(POLICIES.length);
  expect(cells.map((it) => it.at(-1))).toEqual(POLICIES.map(() => '0 |'));
  // A larger buffer is more engines, where these are filled one after the other.
  expect(engines.slice(0, 3)).toEqual([...engines.slice(0, 3)].sort((a, b) => a - b));
});
